//! What monitoring sees of a worker: metrics, health, the state of its partitions.
//!
//! The rest of the crate reports events to [`Monitor`], once a batch; `watch` asks Postgres and Kafka for
//! what no event shows; [`serve`] answers over HTTP. Nothing here is ever waited for by the pipeline.

mod look;
mod pages;
mod slow;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use copydesk_article::{NextOffset, TopicPartition};
use copydesk_store::reads::OutputRow;
use copydesk_store::{Claimed, FlushReport, Item, QuarantineUsage, RetryClass, UnusualSources};
use copydesk_stream::admin;
use copydesk_telemetry::{MessageSpan, Registry, Tally, Tracer, catalogue};
use serde::Serialize;

use crate::desks::Desks;
use crate::prepare::Times;
use crate::spans::Spans;

pub(crate) use look::look;
pub(crate) use pages::serve;
pub(crate) use slow::log as log_slow_messages;

/// The poll thread may be silent for so long: half of Kafka's own patience (max.poll.interval.ms).
const ALIVE: Duration = Duration::from_secs(150);
/// Postgres must have answered within this time.
const READY: Duration = Duration::from_secs(30);

/// One partition, for `/statusz`.
#[derive(Debug, Clone, Serialize)]
struct PartitionStatus {
    epoch: i64,
    claimed_at_offset: i64,
    next_offset: i64,
}

/// Counts, and remembers the state of things.
#[derive(Debug, Default)]
pub(crate) struct Monitor {
    registry: Registry,
    partitions: Mutex<BTreeMap<TopicPartition, PartitionStatus>>,
    /// [`QuarantineUsage::dropped`] at the last look.
    quarantine_dropped: Mutex<Option<u64>>,
    database_answered: LastAnswer,
    kafka_answered: LastAnswer,
    spans: Option<Spans>,
    desks: Mutex<Vec<Arc<Desks>>>,
}

/// When a server answered last.
#[derive(Debug, Default)]
struct LastAnswer(Mutex<Option<Instant>>);

impl LastAnswer {
    fn note(&self) {
        *locked(&self.0) = Some(Instant::now());
    }

    fn is_recent(&self) -> bool {
        locked(&self.0).is_some_and(|at| at.elapsed() < READY)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Monitor {
    /// Begins with every series that is known now: a rate does not see the first step of one that appears later.
    pub(crate) fn new(topics: &[String], traces: Option<Tracer>) -> Self {
        let monitor = Self {
            spans: traces.map(Spans::new),
            ..Self::default()
        };
        let registry = &monitor.registry;
        registry.set(&catalogue::BUILD_INFO, &[env!("CARGO_PKG_VERSION")], 1.0);
        registry.set(&catalogue::START_TIME, &[], now_millis() as f64 / 1_000.0);
        for topic in topics {
            registry.add(&catalogue::MESSAGES_RECEIVED, &[topic], 0);
            registry.add(&catalogue::RECEIVED_BYTES, &[topic], 0);
        }
        for (outcome, messages) in outcomes(&FlushReport::default()) {
            registry.add(&catalogue::OUTCOMES, &[outcome], messages);
        }
        for class in ["retry_now", "wait_for_database"] {
            registry.add(&catalogue::FLUSH_RETRIES, &[class], 0);
        }
        for kind in ["claimed", "revoked", "lost"] {
            registry.add(&catalogue::REBALANCES, &[kind], 0);
        }
        monitor.no_sources();
        monitor
    }

    /// Messages came from Kafka.
    pub(crate) fn received(&self, source: &TopicPartition, messages: u64, bytes: u64) {
        let topic = [source.topic.as_str()];
        self.registry.add(&catalogue::MESSAGES_RECEIVED, &topic, messages);
        self.registry.add(&catalogue::RECEIVED_BYTES, &topic, bytes);
    }

    /// A chunk of messages went through the stages before the store. Gives them back.
    pub(crate) fn prepared(&self, (items, times): (Vec<Item>, Vec<Times>)) -> Vec<Item> {
        if let Some(spans) = &self.spans {
            spans.prepared(&items, &times);
        }
        let mut tallies: BTreeMap<&'static str, Tally> = BTreeMap::new();
        for (stage, begun, ended) in times.iter().flat_map(Times::stages) {
            tallies
                .entry(stage.as_str())
                .or_insert_with(|| Tally::new(&catalogue::STAGE_SECONDS))
                .observe((ended - begun).as_secs_f64());
        }
        for (stage, tally) in &tallies {
            self.registry.merge(tally, &[stage]);
        }
        items
    }

    /// A batch is about to be stored: what must be known of it afterwards.
    pub(crate) fn flushing(&self, items: &[Item]) -> Flushing {
        let mut refused: BTreeMap<(&'static str, &'static str), u64> = BTreeMap::new();
        for reject in items.iter().filter_map(|i| i.outcome.as_ref().err()) {
            *refused
                .entry((reject.stage.as_str(), reject.reason.as_str()))
                .or_default() += 1;
        }
        Flushing {
            started: Instant::now(),
            rows: items.len(),
            bytes: items.iter().map(|i| i.message.size()).sum(),
            youngest: items
                .iter()
                .filter_map(|i| i.message.timestamp)
                .max()
                .map(|t| t.timestamp_millis()),
            refused,
            traced: self.spans.as_ref().map(|s| s.traced(items)).unwrap_or_default(),
        }
    }

    /// It is stored.
    pub(crate) fn flushed(
        &self,
        source: &TopicPartition,
        to: NextOffset,
        batch: &Flushing,
        report: &FlushReport,
    ) {
        let registry = &self.registry;
        registry.observe(
            &catalogue::FLUSH_SECONDS,
            &[],
            batch.started.elapsed().as_secs_f64(),
            1,
        );
        registry.observe(&catalogue::BATCH_ROWS, &[], batch.rows as f64, 1);
        registry.observe(&catalogue::BATCH_BYTES, &[], batch.bytes as f64, 1);
        if let Some(then) = batch.youngest {
            let age = (now_millis() - then).max(0) as f64 / 1_000.0;
            registry.observe(&catalogue::EVENT_LAG, &[], age, 1);
        }
        for (outcome, messages) in outcomes(report) {
            registry.add(&catalogue::OUTCOMES, &[outcome], messages);
        }
        for ((stage, reason), messages) in &batch.refused {
            registry.add(&catalogue::QUARANTINED, &[stage, reason], *messages);
        }
        registry.add(&catalogue::SITE_MEMORY_BLOCKS, &[], report.site_memory_blocks);
        registry.add(&catalogue::SITE_MEMORY_WORDS, &[], report.site_memory_words);
        if report.refused_by_database > 0 {
            let labels = ["store", "refused_by_database"];
            registry.add(&catalogue::QUARANTINED, &labels, report.refused_by_database);
        }
        if let Some(spans) = &self.spans {
            spans.flushed(&batch.traced, batch.started, batch.rows);
        }
        if let Some(status) = locked(&self.partitions).get_mut(source) {
            status.next_offset = to.get();
        }
        self.database_answered.note();
    }

    /// Sends the spans that still wait. Blocks.
    pub(crate) fn end_traces(&self) {
        if let Some(spans) = &self.spans {
            spans.stop();
        }
    }

    /// A flush failed in a way that is tried again, or that fences this worker off.
    pub(crate) fn flush_failed(&self, class: RetryClass) {
        match class {
            RetryClass::RetryNow => self.registry.add(&catalogue::FLUSH_RETRIES, &["retry_now"], 1),
            RetryClass::WaitForDatabase => {
                self.registry
                    .add(&catalogue::FLUSH_RETRIES, &["wait_for_database"], 1);
            }
            RetryClass::Fenced => self.registry.add(&catalogue::FENCED, &[], 1),
            RetryClass::DataError | RetryClass::Fatal => {}
        }
    }

    pub(crate) fn claimed(&self, claimed: &Claimed) {
        let status = PartitionStatus {
            epoch: claimed.epoch.get(),
            claimed_at_offset: claimed.next_offset.get(),
            next_offset: claimed.next_offset.get(),
        };
        locked(&self.partitions).insert(claimed.source.clone(), status);
        self.count_partitions("claimed", 1);
        self.database_answered.note();
    }

    /// Partitions were handed over.
    pub(crate) fn drained(&self, sources: &[TopicPartition], took: Duration) {
        self.registry
            .observe(&catalogue::DRAIN_SECONDS, &[], took.as_secs_f64(), 1);
        self.gone(sources, "revoked");
    }

    /// Partitions were taken away.
    pub(crate) fn lost(&self, sources: &[TopicPartition]) {
        self.gone(sources, "lost");
    }

    fn gone(&self, sources: &[TopicPartition], kind: &str) {
        locked(&self.partitions).retain(|source, _| !sources.contains(source));
        // The lag of partitions that this worker does not own any more is reported by their next owner.
        self.registry.clear(&catalogue::CONSUMER_LAG);
        self.registry.clear(&catalogue::BEHIND_TRANSACTION);
        // The owner of the first partition reports the sources.
        self.no_sources();
        self.count_partitions(kind, sources.len() as u64);
    }

    fn count_partitions(&self, kind: &str, n: u64) {
        self.registry.add(&catalogue::REBALANCES, &[kind], n);
        let assigned = locked(&self.partitions).len();
        self.registry
            .set(&catalogue::ASSIGNED_PARTITIONS, &[], assigned as f64);
    }

    /// Messages were put on the topic of an output.
    pub(crate) fn published(&self, output: &str, messages: u64) {
        self.registry.add(&catalogue::PUBLISHED, &[output], messages);
    }

    /// They could not be; it is tried again.
    pub(crate) fn publishing_failed(&self, output: &str) {
        self.registry.add(&catalogue::PUBLISH_FAILURES, &[output], 1);
    }

    /// What waits in the outbox; an output that is on and has nothing waiting is reported with zero.
    fn outbox(&self, on: &[&str], waiting: &[OutputRow]) {
        let now = now_millis();
        self.registry.clear(&catalogue::OUTBOX_ROWS);
        self.registry.clear(&catalogue::OUTBOX_AGE);
        let with_rows = waiting.iter().map(|w| w.output.as_str());
        let empty = on
            .iter()
            .copied()
            .filter(|o| waiting.iter().all(|w| w.output != *o));
        for output in with_rows.chain(empty).collect::<Vec<_>>() {
            let found = waiting.iter().find(|w| w.output == output);
            let age = found.map_or(0, |w| {
                w.oldest
                    .map_or(0, |oldest| (now - oldest.timestamp_millis()).max(0))
            });
            let messages = found.map_or(0, |w| w.waiting);
            self.registry
                .set(&catalogue::OUTBOX_ROWS, &[output], messages as f64);
            self.registry
                .set(&catalogue::OUTBOX_AGE, &[output], age as f64 / 1_000.0);
        }
    }

    /// How full the quarantine is, and how full it may be.
    fn quarantine(&self, usage: QuarantineUsage, max_bytes: u64) {
        let registry = &self.registry;
        registry.set(&catalogue::QUARANTINE_BYTES, &[], usage.bytes as f64);
        registry.set(&catalogue::QUARANTINE_MAX_BYTES, &[], max_bytes as f64);
        // What was dropped before this process began is none of its counts.
        let before = locked(&self.quarantine_dropped).replace(usage.dropped);
        let messages = usage.dropped.saturating_sub(before.unwrap_or(usage.dropped));
        registry.add(&catalogue::QUARANTINE_DROPPED, &[], messages);
        if messages > 0 {
            tracing::warn!(
                messages,
                bytes = usage.bytes,
                max_bytes,
                "bytes of quarantined messages were dropped: too old, or the quarantine is full \
                    (docs/quarantine.md, \"How much is kept\")"
            );
        }
    }

    /// Whether this worker owns a first partition: there is one such worker.
    fn owns_first(&self) -> bool {
        locked(&self.partitions)
            .keys()
            .any(|source| source.partition.get() == 0)
    }

    /// Reports no unusual source: none is known, or another worker reports them.
    fn no_sources(&self) {
        for of in ["site", "language"] {
            for what in ["silent", "length", "refusals"] {
                self.registry.set(&catalogue::UNUSUAL_SOURCES, &[of, what], 0.0);
            }
        }
    }

    /// Sites and languages that are not as usual.
    fn sources(&self, unusual: &[UnusualSources]) {
        for UnusualSources { of, what, sources } in unusual {
            self.registry
                .set(&catalogue::UNUSUAL_SOURCES, &[of, what], *sources as f64);
        }
    }

    /// The ends of the topic and the ledger, for the partitions of this worker.
    fn lag(&self, ends: &[admin::Watermarks], ledger: &[(TopicPartition, NextOffset)]) {
        self.kafka_answered.note();
        let mut partitions: BTreeMap<&str, u32> = BTreeMap::new();
        for mark in ends {
            *partitions.entry(mark.source.topic.as_str()).or_default() += 1;
        }
        for (topic, partitions) in partitions {
            self.registry
                .set(&catalogue::TOPIC_PARTITIONS, &[topic], f64::from(partitions));
        }
        let own = locked(&self.partitions).clone();
        for mark in ends.iter().filter(|m| own.contains_key(&m.source)) {
            let next = ledger
                .iter()
                .find(|(source, _)| *source == mark.source)
                .map(|(_, next)| next.get());
            // What stands behind an open transaction waits as well, though no worker can read it yet.
            let lag = mark.end.get() - next.unwrap_or_else(|| mark.low.get());
            let labels = [mark.source.topic.as_str(), &mark.source.partition.to_string()];
            self.registry
                .set(&catalogue::CONSUMER_LAG, &labels, lag.max(0) as f64);
            let behind = mark.behind_transaction();
            self.registry
                .set(&catalogue::BEHIND_TRANSACTION, &labels, behind as f64);
        }
    }
}

/// What is known of a batch before it is stored.
pub(crate) struct Flushing {
    started: Instant,
    rows: usize,
    bytes: usize,
    youngest: Option<i64>,
    refused: BTreeMap<(&'static str, &'static str), u64>,
    traced: Vec<MessageSpan>,
}

/// What became of messages, by the label of [`catalogue::OUTCOMES`].
fn outcomes(report: &FlushReport) -> [(&'static str, u64); 11] {
    [
        ("new_article", report.new_articles),
        ("new_version", report.new_versions),
        ("older_version", report.older_versions),
        ("taken_down", report.taken_down),
        ("unchanged", report.unchanged),
        ("exact_copy", report.exact_copies),
        ("near_copy", report.near_copies),
        ("excerpt", report.excerpts),
        ("contains", report.contains),
        ("quarantined", report.quarantined),
        ("skipped", report.skipped),
    ]
}

fn now_millis() -> i64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests;
