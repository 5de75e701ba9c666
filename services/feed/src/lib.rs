//! Puts articles on the raw topic: files and folders in, acknowledged Kafka records out.
//!
//! **In**: [`FeedOptions`]: where Kafka is, and [`Source`]s: JSON Lines (plain, gzip or zstd), JSON, HTML and text
//! files, folders of them, standard input, the bundled [`SAMPLES`]. **Out**: records as docs/messages.md
//! describes them, keyed by site, and a [`FeedReport`] that accounts for every line and file.
//!
//! Nothing is judged here. A line goes out byte for byte as it stands, and what is no article is found and
//! kept by the pipeline's quarantine; the report says how many lines look odd. Only what is over the size
//! limit is refused, with its place.
//!
//! The steps, each a file: `walk` finds the files, `input` opens and decompresses them, `lines` and `sources` cut
//! them into [`Outgoing`] records, `key` reads the site, `topic` makes sure that there is one, `producer` sends
//! and counts acknowledgements. Everything streams: memory is bounded by one record and the producer's queue.
//! A new kind of source is an iterator of [`Step`]s.
//!
//! **What may fail**: Kafka that does not answer, a source that is not there: an error before anything is sent.
//! A file that breaks off, a record that is not acknowledged: counted, named, and the rest goes on.

mod check;
mod input;
mod key;
mod lines;
mod outgoing;
mod pace;
mod producer;
mod progress;
mod report;
mod samples;
mod source;
mod sources;
mod topic;
mod walk;

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use copydesk_decode::Limits;
use tokio::sync::watch;
use url::Url;

pub use outgoing::{Origin, Outgoing, Step};
pub use report::FeedReport;
pub use samples::{SAMPLES, Sample};
pub use source::Source;

use pace::Pace;
use producer::Sender;
use progress::Progress;
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
    pub properties: BTreeMap<String, String>,
    /// What to read, in this order.
    pub sources: Vec<Source>,
    /// Address of a folder on the web: gives its HTML and text files their `url` header.
    pub base_url: Option<String>,
    /// Read and decode everything, send nothing, need no Kafka.
    pub dry_run: bool,
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
            properties: BTreeMap::new(),
            sources,
            base_url: None,
            dry_run: false,
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
/// A source that is not there or of an unknown form, a base URL that is none, Kafka that does not answer or refuses
/// the topic, a producer that is broken for good. Records that are not acknowledged are no error here:
/// [`FeedReport::is_complete`] tells.
pub async fn run(options: FeedOptions, stop: watch::Receiver<bool>) -> Result<FeedReport> {
    let base_url = options.base_url.as_deref().map(base_url).transpose()?;
    for source in &options.sources {
        source.check()?;
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

fn base_url(text: &str) -> Result<Url> {
    let url = Url::parse(text).with_context(|| format!("{text:?} is no base URL"))?;
    anyhow::ensure!(
        matches!(url.scheme(), "http" | "https"),
        "the base URL must start with http:// or https://"
    );
    Ok(url)
}

fn feed(
    options: &FeedOptions,
    base_url: Option<Url>,
    created: bool,
    stop: &watch::Receiver<bool>,
) -> Result<FeedReport> {
    let started = Instant::now();
    let mut report = FeedReport::new(&options.topic, options.dry_run, created);
    let reader = Reader::new(base_url, options.limits.max_record_bytes);
    let mut progress = Progress::start(options, &reader);
    let sender = if options.dry_run {
        None
    } else {
        Some(Sender::new(options)?)
    };
    let mut pace = Pace::new(options.rate);

    let mut steps = options.sources.iter().flat_map(|source| reader.read(source));
    let limit = options.limit.unwrap_or(u64::MAX);
    while report.records < limit
        && let Some(step) = steps.next()
    {
        if *stop.borrow() {
            report.stopped = true;
            break;
        }
        match step {
            Step::Article(outgoing) => {
                report.read(&outgoing);
                match &sender {
                    None => report.checked(&outgoing.origin, check::decode(&outgoing, &options.limits)),
                    Some(sender) => {
                        while let Some(wait) = pace.wait() {
                            sender.idle(wait);
                            if *stop.borrow() {
                                break;
                            }
                        }
                        sender.send(outgoing, stop)?;
                        if sender.is_hopeless() {
                            report.stopped = true;
                            break;
                        }
                    }
                }
                pace.sent();
            }
            Step::Refused { origin, why } => report.refused(&origin, &why),
            Step::Unreadable { origin, why } => report.unreadable(&origin, &why),
            Step::Skipped(path) => report.skipped(&path),
            Step::Waiting => sender.iter().for_each(|s| s.idle(Duration::ZERO)),
        }
        progress.tick(report.records, sender.as_ref().map_or(0, Sender::acknowledged));
    }
    if let Some(sender) = sender {
        sender.finish(&mut report, |acknowledged| progress.flushing(acknowledged))?;
    }
    progress.end();
    report.took = started.elapsed();
    Ok(report)
}
