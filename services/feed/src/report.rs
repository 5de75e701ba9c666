//! The account of a run: every line and file is in one of its numbers.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use copydesk_article::{Reason, Reject};

use crate::{Address, Origin, Outgoing};

/// Problems that are named; the numbers count all of them.
const NAMED: usize = 20;

/// What came of a run. Its `Display` is the summary for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedReport {
    /// The topic.
    pub topic: String,
    /// Nothing was sent.
    pub dry_run: bool,
    /// The topic was created by this run.
    pub topic_created: bool,
    /// Records read and, unless this was a dry run, handed to the producer.
    pub records: u64,
    /// Their bytes: the sum of their values.
    pub bytes: u64,
    /// Records that Kafka acknowledged.
    pub acknowledged: u64,
    /// Records that Kafka did not acknowledge.
    pub failed: u64,
    /// Lines, records and files that are over the size limit or damaged: not sent.
    pub refused: u64,
    /// Files and folders that could not be read, or not to their end.
    pub unreadable: u64,
    /// Files in folders that are no articles by their names: not sent.
    pub skipped: u64,
    /// Parts of files that are whole but no articles, by what they are: not sent.
    pub passed_over: BTreeMap<&'static str, u64>,
    /// Records that an earlier run has put on the topic, as its state file says: not sent again.
    pub resumed: u64,
    /// Sources that an earlier run has fed to their ends: not read again.
    pub finished_before: u64,
    /// Records that should be JSON objects and are none, and which the pipeline will quarantine: sent all the same.
    pub odd: u64,
    /// Records that should be JSON objects and are none, and which the pipeline takes for bare texts.
    pub bare: u64,
    /// Envelopes and entries without the address of their article.
    pub without_url: u64,
    /// Of these, those that have an address in a field that is not read for it, by the field.
    pub url_elsewhere: BTreeMap<&'static str, u64>,
    /// Dry run: how many records the pipeline would quarantine at its first stage, and why.
    pub would_be_quarantined: BTreeMap<Reason, u64>,
    /// The first problems, each with its place.
    pub problems: Vec<String>,
    /// Stopped before all sources were read.
    pub stopped: bool,
    /// How long it took.
    pub took: Duration,
}

impl FeedReport {
    pub(crate) fn new(topic: &str, dry_run: bool, topic_created: bool) -> Self {
        Self {
            topic: topic.to_owned(),
            dry_run,
            topic_created,
            records: 0,
            bytes: 0,
            acknowledged: 0,
            failed: 0,
            refused: 0,
            unreadable: 0,
            skipped: 0,
            passed_over: BTreeMap::new(),
            resumed: 0,
            finished_before: 0,
            odd: 0,
            bare: 0,
            without_url: 0,
            url_elsewhere: BTreeMap::new(),
            would_be_quarantined: BTreeMap::new(),
            problems: Vec::new(),
            stopped: false,
            took: Duration::ZERO,
        }
    }

    /// Whether all that could be read is on the topic, acknowledged; of a dry run, whether the pipeline would take all of it. Odd records
    /// and skipped files do not count against a real run: the first are sent, the second are no articles.
    pub fn is_complete(&self) -> bool {
        self.failed == 0
            && self.refused == 0
            && self.unreadable == 0
            && !self.stopped
            && if self.dry_run {
                self.would_be_quarantined.is_empty()
            } else {
                self.acknowledged == self.records
            }
    }

    /// A record was read; `refused` is what the pipeline will say to one that is odd.
    pub(crate) fn read(&mut self, outgoing: &Outgoing, refused: Option<&Reject>) {
        self.records += 1;
        self.bytes += outgoing.payload.len() as u64;
        match outgoing.address {
            Address::Known => {}
            Address::Missing => self.without_url += 1,
            Address::Elsewhere(field) => {
                self.without_url += 1;
                *self.url_elsewhere.entry(field).or_default() += 1;
            }
        }
        match refused {
            Some(reject) => {
                self.odd += 1;
                // A dry run says it of every record.
                if !self.dry_run {
                    self.name(&format!(
                        "{}: no JSON object; sent as it is, and will be quarantined: {}",
                        outgoing.origin, reject.reason
                    ));
                }
            }
            None if outgoing.odd => self.bare += 1,
            None => {}
        }
    }

    pub(crate) fn checked(&mut self, origin: &Origin, refusal: Option<Reject>) {
        if let Some(reject) = refusal {
            *self.would_be_quarantined.entry(reject.reason).or_default() += 1;
            self.name(&format!("{origin}: {}: {}", reject.reason, reject.detail));
        }
    }

    pub(crate) fn refused(&mut self, origin: &Origin, why: &str) {
        self.refused += 1;
        self.name(&format!("{origin}: not sent: {why}"));
    }

    pub(crate) fn unreadable(&mut self, origin: &Origin, why: &str) {
        self.unreadable += 1;
        self.name(&format!("{origin}: cannot be read: {why}"));
    }

    pub(crate) fn skipped(&mut self, path: &Path) {
        self.skipped += 1;
        tracing::debug!(path = %path.display(), "skipped: no article by its name");
    }

    pub(crate) fn passed_over(&mut self, kind: &'static str) {
        *self.passed_over.entry(kind).or_default() += 1;
    }

    pub(crate) fn delivered(&mut self, acknowledged: u64, failed: u64, problems: &[String]) {
        self.acknowledged = acknowledged;
        self.failed = failed;
        problems.iter().for_each(|p| self.name(p));
    }

    fn name(&mut self, problem: &str) {
        if self.problems.len() < NAMED {
            // The name of a file may have a line end, and what follows would look like a line of ours.
            self.problems.push(problem.replace(['\n', '\r'], "\u{fffd}"));
        }
    }
}

impl fmt::Display for FeedReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.took.as_secs_f64();
        let count = if self.dry_run {
            self.records
        } else {
            self.acknowledged
        };
        let rate = count as f64 / seconds.max(0.001);
        let megabytes = self.bytes as f64 / 1e6;
        if self.dry_run {
            write!(
                f,
                "read {count} records ({megabytes:.1} MB) in {seconds:.1} s, sent none (dry run)"
            )?;
        } else {
            let topic = &self.topic;
            write!(
                f,
                "{count} records ({megabytes:.1} MB) are on the topic {topic}, {seconds:.1} s, {rate:.0}/s"
            )?;
        }
        if self.topic_created {
            write!(f, "\nthe topic did not exist and was created")?;
        }
        if self.stopped {
            write!(
                f,
                "\nstopped before the end; the sources were not read to their end"
            )?;
        }
        line(
            f,
            self.failed,
            "records were NOT acknowledged by Kafka: feed them again",
        )?;
        line(
            f,
            self.refused,
            "lines, records or files are over the size limit or damaged and were not sent",
        )?;
        line(f, self.unreadable, "files could not be read to their end")?;
        line(
            f,
            self.skipped,
            "files were passed over: their names are those of no known form",
        )?;
        for (kind, count) in &self.passed_over {
            line(f, *count, &format!("passed over: {kind}"))?;
        }
        line(
            f,
            self.resumed,
            "records are on the topic since an earlier run and were not sent again",
        )?;
        line(
            f,
            self.finished_before,
            "sources were fed to their ends by an earlier run and not read again",
        )?;
        if !self.dry_run {
            line(
                f,
                self.odd,
                "lines are no JSON objects; sent as they are, the worker will quarantine them",
            )?;
        }
        line(
            f,
            self.bare,
            "lines are no JSON objects; each is taken for the text of an article",
        )?;
        if self.without_url > 0 {
            write!(
                f,
                "\n{} of {} records have no url",
                self.without_url, self.records
            )?;
            for (field, count) in &self.url_elsewhere {
                write!(
                    f,
                    "; {count} have an address in {field}, which is not read: call it url"
                )?;
            }
        }
        for (reason, count) in &self.would_be_quarantined {
            line(f, *count, &format!("would be quarantined: {reason}"))?;
        }
        for problem in &self.problems {
            write!(f, "\n  {problem}")?;
        }
        let named = self.problems.len() as u64;
        let all = self.failed
            + self.refused
            + self.unreadable
            + if self.dry_run {
                self.would_be_quarantined.values().sum()
            } else {
                self.odd
            };
        if all > named {
            write!(f, "\n  … and {} more", all - named)?;
        }
        Ok(())
    }
}

/// A line of the report, where there is something to count.
fn line(f: &mut fmt::Formatter<'_>, count: u64, text: &str) -> fmt::Result {
    if count > 0 {
        write!(f, "\n{count} {text}")
    } else {
        Ok(())
    }
}
