//! Puts articles on the raw topic: files and folders in, acknowledged Kafka records out.
//!
//! **In**: [`FeedOptions`]: where Kafka is, and [`Source`]s: JSON Lines, JSON, HTML, text, WARC, RSS and Atom (plain,
//! gzip or zstd), folders of them, standard input, the bundled [`SAMPLES`]. **Out**: records as docs/messages.md
//! describes them, keyed by site, and a [`FeedReport`] that accounts for every line and file.
//!
//! Nothing is judged here. A line goes out byte for byte as it stands, and what is no article is found and
//! kept by the pipeline's quarantine; the report says how many lines look odd. Only what is over the size
//! limit is refused, with its place.
//!
//! The steps, each a file: `walk` finds the files, `aside` reads on a thread of its own, `input` opens and
//! decompresses them, `lines` and `sources` cut them into [`Outgoing`] records, `warc` and `syndication` open
//! archives and feeds, `key` reads the site, `topic` makes sure that there is one, `producer` sends and
//! counts acknowledgements, `resume` writes down how far they reach. Everything streams: memory is bounded by
//! one record and the producer's queue. A new kind of source is an iterator of [`Step`]s.
//!
//! **What may fail**: Kafka that does not answer, a source that is not there: an error before anything is sent.
//! A file that breaks off, a record that is not acknowledged: counted, named, and the rest goes on.

mod aside;
mod check;
mod elements;
#[cfg(test)]
mod generated;
mod input;
mod json;
mod key;
mod lines;
mod only;
mod outgoing;
mod pace;
mod producer;
mod progress;
mod report;
mod resume;
mod samples;
mod source;
mod sources;
mod syndication;
mod topic;
mod trace;
mod walk;
mod warc;

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use copydesk_decode::Limits;
use copydesk_stream::Properties;
use tokio::sync::watch;
use url::Url;

pub use key::Address;
pub use outgoing::{Note, Origin, Outgoing, Step};
pub use report::FeedReport;
pub use samples::{SAMPLES, Sample};
pub use source::{Form, Source};
pub use trace::traceparent;
pub use walk::Links;

use only::Only;
use pace::Pace;
use producer::Sender;
use progress::Progress;
use resume::{Resume, Tracker};
use sources::Reader;

/// What to feed, and where to.
#[derive(Debug, Clone)]
pub struct FeedOptions {
    /// Bootstrap brokers, `host:port` with commas between.
    pub brokers: String,
    /// The topic. It is created if it does not exist.
    pub topic: String,
    /// Partitions of a topic that is created.
    pub partitions: i32,
    /// librdkafka properties that win over ours.
    pub properties: Properties,
    /// What to read, in this order.
    pub sources: Vec<Source>,
    /// What standard input and named files hold. `None`: JSON Lines on standard input; files by their names.
    pub form: Option<Form>,
    /// What becomes of symbolic links in folders.
    pub links: Links,
    /// Address of a folder on the web: gives its HTML and text files their `url` header. Links in feeds may be
    /// relative to it.
    pub base_url: Option<String>,
    /// Only records that say that they are in this language: `en` takes `en-GB` as well.
    pub language: Option<String>,
    /// Only records of this site.
    pub site: Option<String>,
    /// Read and decode everything, send nothing, need no Kafka.
    pub dry_run: bool,
    /// State file: what it says is acknowledged is passed over, and what comes to be is written into it.
    pub resume: Option<PathBuf>,
    /// W3C trace context, sent as the header `traceparent` of every record.
    pub traceparent: Option<String>,
    /// Stop after so many records.
    pub limit: Option<u64>,
    /// At most so many records a second.
    pub rate: Option<u32>,
    /// Show a progress bar on standard error instead of log lines. Set where that is a terminal.
    pub bar: bool,
    /// Limits of a record; those of the worker that will read it.
    pub limits: Limits,
}

impl FeedOptions {
    /// Feeds `sources` to a topic, with the usual settings for all else.
    pub fn new(brokers: impl Into<String>, topic: impl Into<String>, sources: Vec<Source>) -> Self {
        Self {
            brokers: brokers.into(),
            topic: topic.into(),
            partitions: 6,
            properties: Properties::default(),
            sources,
            form: None,
            links: Links::Inside,
            base_url: None,
            language: None,
            site: None,
            dry_run: false,
            resume: None,
            traceparent: None,
            limit: None,
            rate: None,
            bar: std::io::stderr().is_terminal(),
            limits: Limits::default(),
        }
    }
}

/// Feeds everything, or until `stop` turns true; then waits until what was sent is acknowledged.
///
/// # Errors
/// A source that is not there or of an unknown form, a base URL that is none, a state file that cannot be
/// used, Kafka that does not answer or refuses the topic, a producer that is broken for good. Records that
/// are not acknowledged are no error here: [`FeedReport::is_complete`] tells.
pub async fn run(options: FeedOptions, stop: watch::Receiver<bool>) -> Result<FeedReport> {
    let base_url = options.base_url.as_deref().map(base_url).transpose()?;
    options.traceparent.as_deref().map(traceparent).transpose()?;
    if !checked(&options, stop.clone()).await? {
        let mut report = FeedReport::new(&options.topic, options.dry_run, false);
        report.stopped = true;
        return Ok(report);
    }
    let created = if options.dry_run {
        false
    } else {
        topic::ensure(&options).await?
    };
    // The producer's own calls block, and so do files.
    tokio::task::spawn_blocking(move || feed(&options, base_url, created, &stop))
        .await
        .context("the feeding thread died")?
}

/// Looks at the sources; `false` if it was told to stop meanwhile. A file system that does not answer blocks
/// a thread that is left behind, and not the run.
async fn checked(options: &FeedOptions, mut stop: watch::Receiver<bool>) -> Result<bool> {
    let (sources, form) = (options.sources.clone(), options.form);
    let check = tokio::task::spawn_blocking(move || sources.iter().try_for_each(|s| s.check(form)));
    tokio::select! {
        done = check => done.context("the thread that looks at the sources died")?.map(|()| true),
        // An error means that nobody is left who could stop the run.
        Ok(_) = stop.wait_for(|s| *s) => Ok(false),
    }
}

fn base_url(text: &str) -> Result<Url> {
    let mut url = Url::parse(text).context("the base URL cannot be read")?;
    anyhow::ensure!(
        matches!(url.scheme(), "http" | "https"),
        "the base URL must start with http:// or https://"
    );
    // They would be in the url of every record. Neither fails: such a URL has a host.
    let _ = (url.set_username(""), url.set_password(None));
    Ok(url)
}

fn feed(
    options: &FeedOptions,
    base_url: Option<Url>,
    created: bool,
    stop: &watch::Receiver<bool>,
) -> Result<FeedReport> {
    let started = Instant::now();
    let report = FeedReport::new(&options.topic, options.dry_run, created);
    let reader = Reader::new(
        base_url,
        options.form,
        options.links,
        options.limits.max_record_bytes,
        stop.clone(),
    );
    let resume = match &options.resume {
        Some(path) if !options.dry_run => Some(Resume::open(path, &options.topic, &options.sources)?),
        _ => None,
    };
    let tracker = Arc::new(Mutex::new(Tracker::default()));
    let mut run = Run {
        options,
        stop,
        tracker: Arc::clone(&tracker),
        sender: if options.dry_run {
            None
        } else {
            Some(Sender::new(options, tracker)?)
        },
        resume,
        only: Only::new(options.language.as_deref(), options.site.as_deref()),
        pace: Pace::new(options.rate),
        progress: Progress::start(options, &reader),
        report,
    };
    let mut whole = Vec::new();
    let mut fate = Ok(());
    for (number, source) in options.sources.iter().enumerate() {
        match run.source(number, source, &reader) {
            Ok(End::Whole) => whole.push(number),
            Ok(End::Damaged) => {}
            Ok(End::Stop) => break,
            Err(error) => {
                fate = Err(error);
                break;
            }
        }
    }
    let mut report = run.finish(&whole)?;
    fate?;
    report.took = started.elapsed();
    Ok(report)
}

/// How a source ended.
enum End {
    /// Read to its end.
    Whole,
    /// Read, but not all of it can be.
    Damaged,
    /// No more is to be read, of whatever source.
    Stop,
}

/// A run under way.
struct Run<'a> {
    options: &'a FeedOptions,
    stop: &'a watch::Receiver<bool>,
    sender: Option<Sender>,
    tracker: Arc<Mutex<Tracker>>,
    resume: Option<Resume>,
    only: Only,
    pace: Pace,
    progress: Progress<'a>,
    report: FeedReport,
}

impl Run<'_> {
    fn source(&mut self, number: usize, source: &Source, reader: &Reader) -> Result<End> {
        if let Some(resume) = &mut self.resume
            && !resume.begin(number)?
        {
            self.report.finished_before += 1;
            return Ok(End::Whole);
        }
        let limit = self.options.limit.unwrap_or(u64::MAX);
        let mut end = End::Whole;
        let before = self.report.account();
        let mut steps = reader.read_aside(source);
        loop {
            if self.report.records >= limit {
                return Ok(End::Stop);
            }
            let Some(step) = steps.next() else { break };
            if *self.stop.borrow() {
                self.report.stopped = true;
                return Ok(End::Stop);
            }
            match step {
                Step::Article(outgoing) => self.article(number, outgoing)?,
                Step::Refused { origin, why } => self.report.refused(&origin, &why),
                Step::Unreadable { origin, why } => {
                    end = End::Damaged;
                    self.report.unreadable(&origin, &why);
                }
                Step::Skipped(path) => self.report.skipped(&path),
                Step::PassedOver(kind) => self.report.passed_over(kind),
                Step::Waiting => self.sender.iter().for_each(|s| s.idle(Duration::ZERO)),
            }
            if self.sender.as_ref().is_some_and(Sender::is_hopeless) {
                self.report.stopped = true;
                return Ok(End::Stop);
            }
            self.progress.tick(
                self.report.records,
                self.sender.as_ref().map_or(0, Sender::acknowledged),
            );
            if let Some(resume) = &mut self.resume {
                resume.tick(&locked(&self.tracker));
            }
        }
        if let Some(resume) = &self.resume {
            resume.end()?;
        }
        if self.report.account() == before {
            self.report.nothing_in(source);
        }
        Ok(end)
    }

    fn article(&mut self, source: usize, outgoing: Outgoing) -> Result<()> {
        if let Some(resume) = &mut self.resume
            && resume.passes(&outgoing.origin)
        {
            self.report.resumed += 1;
            return Ok(());
        }
        if let Some(why) = self.only.unwanted(&outgoing) {
            self.report.passed_over(why);
            return Ok(());
        }
        let limits = &self.options.limits;
        // What is no JSON object may be an article all the same.
        let odd = outgoing.odd || self.sender.is_none();
        let decoded = odd.then(|| check::decode(&outgoing, limits));
        self.report.read(&outgoing, decoded.as_ref());
        match &self.sender {
            None => {}
            Some(sender) => {
                while let Some(wait) = self.pace.wait() {
                    sender.idle(wait);
                    if *self.stop.borrow() {
                        break;
                    }
                }
                let resume = self.resume.as_ref();
                let ticket = resume.and_then(|r| r.sent(source, &mut locked(&self.tracker)));
                sender.send(outgoing, ticket, self.stop)?;
            }
        }
        self.pace.sent();
        Ok(())
    }

    /// Waits for the last acknowledgements. What was acknowledged is written down however the run ended.
    fn finish(self, whole: &[usize]) -> Result<FeedReport> {
        let Self {
            sender,
            tracker,
            mut resume,
            mut progress,
            mut report,
            ..
        } = self;
        let mut done = Ok(());
        if let Some(sender) = sender {
            done = sender.finish(&mut report, |acknowledged| {
                progress.flushing(acknowledged);
                if let Some(resume) = &mut resume {
                    resume.tick(&locked(&tracker));
                }
            });
        }
        if let Some(resume) = &mut resume {
            resume.finish(&locked(&tracker), whole);
        }
        progress.end();
        done.map(|()| report)
    }
}

fn locked(tracker: &Mutex<Tracker>) -> MutexGuard<'_, Tracker> {
    tracker.lock().unwrap_or_else(PoisonError::into_inner)
}
