//! The account of a run: every line and file is in one of its numbers.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use copydesk_article::{Reason, Reject};
use copydesk_decode::Decoded;
use copydesk_terminal::counted;

use crate::{Address, Note, Origin, Outgoing, Source, check};

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
    /// What could not be read of records that are sent all the same, by what it is.
    pub notes: BTreeMap<&'static str, u64>,
    /// Sources that were read and had nothing to send.
    pub empty_sources: u64,
    /// Dry run: how many records would carry a warning, by its code (docs/messages.md).
    pub warnings: BTreeMap<String, u64>,
    /// Dry run: the first message, and what the pipeline reads of it.
    pub example: Option<String>,
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
            notes: BTreeMap::new(),
            empty_sources: 0,
            warnings: BTreeMap::new(),
            example: None,
            would_be_quarantined: BTreeMap::new(),
            problems: Vec::new(),
            stopped: false,
            took: Duration::ZERO,
        }
    }

    /// Whether all that could be read is on the topic, acknowledged; of a dry run, whether the pipeline would
    /// take all of it. Odd records and skipped files do not count against a real run: the first are sent, the
    /// second are no articles.
    pub fn is_complete(&self) -> bool {
        self.failed == 0
            && self.refused == 0
            && self.unreadable == 0
            && self.empty_sources == 0
            && !self.stopped
            && if self.dry_run {
                self.would_be_quarantined.is_empty()
            } else {
                self.acknowledged == self.records
            }
    }

    /// A record was read; `decoded` is what the pipeline will make of it, asked in a dry run, and of what is odd.
    pub(crate) fn read(&mut self, outgoing: &Outgoing, decoded: Option<&Result<Decoded, Reject>>) {
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
        for Note { kind, detail } in &outgoing.notes {
            *self.notes.entry(kind).or_default() += 1;
            self.name(&format!("{}: {kind}: {detail:?}", outgoing.origin));
        }
        let Some(decoded) = decoded else { return };
        if outgoing.odd {
            *if decoded.is_ok() {
                &mut self.bare
            } else {
                &mut self.odd
            } += 1;
        }
        if self.dry_run {
            self.checked(outgoing, decoded);
        } else if let Err(reject) = decoded {
            self.name(&format!(
                "{}: no JSON object; sent as it is, and will be quarantined: {}",
                outgoing.origin, reject.reason
            ));
        }
    }

    fn checked(&mut self, outgoing: &Outgoing, decoded: &Result<Decoded, Reject>) {
        if self.example.is_none() {
            self.example = Some(check::shown(outgoing, decoded));
        }
        match decoded {
            Ok(Decoded::Tombstone(_)) => {}
            Ok(Decoded::Article(article)) => {
                for warning in &article.warnings {
                    *self.warnings.entry(warning.clone()).or_default() += 1;
                }
            }
            Err(reject) => {
                *self.would_be_quarantined.entry(reject.reason).or_default() += 1;
                self.name(&format!(
                    "{}: {}: {}",
                    outgoing.origin, reject.reason, reject.detail
                ));
            }
        }
    }

    /// How many records there were, sent now or before, and how many things were wrong: a source that changes
    /// none of it had nothing in it.
    pub(crate) fn account(&self) -> (u64, u64) {
        (self.records + self.resumed, self.refused + self.unreadable)
    }

    pub(crate) fn nothing_in(&mut self, source: &Source) {
        self.empty_sources += 1;
        let name = match source {
            Source::Path(path) => path.display().to_string(),
            Source::Stdin => "standard input".to_owned(),
            Source::Samples => "the samples".to_owned(),
        };
        self.name(&format!("{name}: nothing in it was sent"));
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
        let records = counted(count, "record", "records");
        if self.dry_run {
            write!(
                f,
                "read {records} ({megabytes:.1} MB) in {seconds:.1} s, sent none (dry run)"
            )?;
        } else {
            let (are, topic) = (if count == 1 { "is" } else { "are" }, &self.topic);
            write!(
                f,
                "{records} ({megabytes:.1} MB) {are} on the topic {topic}, {seconds:.1} s, {rate:.0}/s"
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
        self.fmt_not_sent(f)?;
        self.fmt_doubtful(f)?;
        for (code, count) in &self.warnings {
            line(f, *count, &format!("would carry the warning {code}"))?;
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
            + self.empty_sources
            + self.notes.values().sum::<u64>()
            + if self.dry_run {
                self.would_be_quarantined.values().sum()
            } else {
                self.odd
            };
        if all > named {
            write!(f, "\n  … and {} more", all - named)?;
        }
        if let Some(example) = &self.example {
            write!(f, "\n{example}")?;
        }
        Ok(())
    }
}

impl FeedReport {
    /// What was not sent, by reason.
    fn fmt_not_sent(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = [
            (
                self.failed,
                "record was NOT acknowledged by Kafka: feed it again",
                "records were NOT acknowledged by Kafka: feed them again",
            ),
            (
                self.refused,
                "line, record or file is over the size limit or damaged and was not sent",
                "lines, records or files are over the size limit or damaged and were not sent",
            ),
            (
                self.unreadable,
                "file could not be read to its end",
                "files could not be read to their end",
            ),
            (
                self.skipped,
                "file was passed over: its name is that of no known form",
                "files were passed over: their names are those of no known form",
            ),
        ];
        for (count, one, many) in lines {
            line(f, count, if count == 1 { one } else { many })?;
        }
        for (kind, count) in &self.passed_over {
            line(f, *count, &format!("passed over: {kind}"))?;
        }
        let lines = [
            (
                self.resumed,
                "record is on the topic since an earlier run and was not sent again",
                "records are on the topic since an earlier run and were not sent again",
            ),
            (
                self.finished_before,
                "source was fed to its end by an earlier run and not read again",
                "sources were fed to their ends by an earlier run and not read again",
            ),
            (
                self.empty_sources,
                "source had nothing that could be sent",
                "sources had nothing that could be sent",
            ),
        ];
        for (count, one, many) in lines {
            line(f, count, if count == 1 { one } else { many })?;
        }
        Ok(())
    }

    /// What was sent, or would be, and may not be what its sender means.
    fn fmt_doubtful(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = [
            (
                if self.dry_run { 0 } else { self.odd },
                "line is no JSON object; sent as it is, the worker will quarantine it",
                "lines are no JSON objects; sent as they are, the worker will quarantine them",
            ),
            (
                self.bare,
                "line is no JSON object; it is taken for the text of an article",
                "lines are no JSON objects; each is taken for the text of an article",
            ),
        ];
        for (count, one, many) in lines {
            line(f, count, if count == 1 { one } else { many })?;
        }
        if self.without_url > 0 {
            let records = counted(self.records, "record has", "records have");
            write!(f, "\n{} of {records} no url", self.without_url)?;
            for (field, count) in &self.url_elsewhere {
                let have = counted(*count, "has", "have");
                write!(
                    f,
                    "; {have} an address in {field}, which is not read: call it url"
                )?;
            }
        }
        for (kind, count) in &self.notes {
            write!(f, "\n{}: {kind}", counted(*count, "record", "records"))?;
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
