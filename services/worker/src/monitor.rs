//! What monitoring sees of a worker: metrics, health, the state of its partitions.
//!
//! The rest of the crate tells [`Monitor`] what happens, once a batch; [`watch`] asks Postgres and Kafka for what no event
//! tells; [`serve`] answers over HTTP. Nothing here is ever waited for by the pipeline.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use copydesk_article::{NextOffset, TopicPartition};
use copydesk_store::{Claimed, FlushReport, Item, RetryClass, Store, Waiting};
use copydesk_stream::{ConsumerHandle, StreamConfig, admin};
use copydesk_telemetry::{Answer, Registry, Server, catalogue};
use serde::Serialize;
use tokio::sync::watch;

use crate::owner::Stopped;

/// The poll thread may be silent for so long: half of Kafka's own patience (max.poll.interval.ms).
const ALIVE: Duration = Duration::from_secs(150);
/// Postgres must have answered within this time.
const READY: Duration = Duration::from_secs(30);
/// Between two looks at Postgres and at the ends of the topic.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// One partition, for `/statusz`.
#[derive(Debug, Clone, Serialize)]
struct PartitionStatus {
    epoch: String,
    claimed_at_offset: String,
    next_offset: String,
}

/// Counts, and remembers the state of things.
#[derive(Debug, Default)]
pub(crate) struct Monitor {
    registry: Registry,
    partitions: Mutex<BTreeMap<TopicPartition, PartitionStatus>>,
    answered: Mutex<Option<Instant>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Monitor {
    pub(crate) fn new() -> Self {
        let monitor = Self::default();
        let version = env!("CARGO_PKG_VERSION");
        monitor.registry.set(&catalogue::BUILD_INFO, &[version], 1.0);
        monitor
    }

    /// Messages came from Kafka.
    pub(crate) fn received(&self, source: &TopicPartition, messages: u64, bytes: u64) {
        let topic = [source.topic.as_str()];
        self.registry.add(&catalogue::MESSAGES_RECEIVED, &topic, messages);
        self.registry.add(&catalogue::RECEIVED_BYTES, &topic, bytes);
    }

    /// A chunk of messages went through the stages before the store.
    pub(crate) fn prepared(&self, messages: usize, took: Duration) {
        if messages > 0 {
            let each = took.as_secs_f64() / messages as f64;
            self.registry
                .observe(&catalogue::STAGE_SECONDS, &["prepare"], each, messages as u64);
        }
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
        for (outcome, messages) in [
            ("new_article", report.new_articles),
            ("new_version", report.new_versions),
            ("unchanged", report.unchanged),
            ("exact_copy", report.exact_copies),
            ("near_copy", report.near_copies),
            ("excerpt", report.excerpts),
            ("contains", report.contains),
            ("quarantined", report.quarantined),
            ("skipped", report.skipped),
        ] {
            registry.add(&catalogue::OUTCOMES, &[outcome], messages);
        }
        for ((stage, reason), messages) in &batch.refused {
            registry.add(&catalogue::QUARANTINED, &[stage, reason], *messages);
        }
        if report.refused_by_database > 0 {
            let labels = ["store", "refused_by_database"];
            registry.add(&catalogue::QUARANTINED, &labels, report.refused_by_database);
        }
        if let Some(status) = locked(&self.partitions).get_mut(source) {
            status.next_offset = to.to_string();
        }
        self.database_answered();
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
            epoch: claimed.epoch.to_string(),
            claimed_at_offset: claimed.next_offset.to_string(),
            next_offset: claimed.next_offset.to_string(),
        };
        locked(&self.partitions).insert(claimed.source.clone(), status);
        self.count_partitions("claimed", 1);
        self.database_answered();
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
        // What it does not own any more, another worker tells the lag of.
        self.registry.clear(&catalogue::CONSUMER_LAG);
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

    /// What waits in the outbox; outputs that are on are told of with zero.
    fn outbox(&self, on: &[&str], waiting: &[Waiting]) {
        let now = now_millis();
        self.registry.clear(&catalogue::OUTBOX_ROWS);
        self.registry.clear(&catalogue::OUTBOX_AGE);
        let told = waiting.iter().map(|w| w.output.as_str());
        let quiet = on
            .iter()
            .copied()
            .filter(|o| waiting.iter().all(|w| w.output != *o));
        for output in told.chain(quiet).collect::<Vec<_>>() {
            let found = waiting.iter().find(|w| w.output == output);
            let age = found.map_or(0, |w| (now - w.oldest.timestamp_millis()).max(0));
            let messages = found.map_or(0, |w| w.messages);
            self.registry
                .set(&catalogue::OUTBOX_ROWS, &[output], messages as f64);
            self.registry
                .set(&catalogue::OUTBOX_AGE, &[output], age as f64 / 1_000.0);
        }
    }

    fn database_answered(&self) {
        *locked(&self.answered) = Some(Instant::now());
    }

    fn database_is_up(&self) -> bool {
        locked(&self.answered).is_some_and(|at| at.elapsed() < READY)
    }

    /// The ends of the topic and the ledger, for the partitions of this worker.
    fn lag(&self, ends: &[admin::Watermarks], ledger: &[(TopicPartition, NextOffset)]) {
        let own = locked(&self.partitions).clone();
        for mark in ends.iter().filter(|m| own.contains_key(&m.source)) {
            let next = ledger
                .iter()
                .find(|(source, _)| *source == mark.source)
                .map(|(_, next)| next.get());
            let lag = mark.high.get() - next.unwrap_or_else(|| mark.low.get());
            let labels = [mark.source.topic.as_str(), &mark.source.partition.to_string()];
            self.registry
                .set(&catalogue::CONSUMER_LAG, &labels, lag.max(0) as f64);
        }
    }

    fn page(&self, path: &str, view: &View<'_>) -> Option<Answer> {
        let View {
            consumer,
            pool,
            stopped,
        } = *view;
        let silent = consumer.map(ConsumerHandle::silent_for);
        let running = consumer.is_some_and(ConsumerHandle::is_running);
        // Before the consumer starts and after it ends there is nothing that could hang.
        let alive = silent.is_none_or(|s| s < ALIVE);
        let up = self.database_is_up();
        Some(match path {
            "/livez" if alive => Answer::text(200, "alive\n"),
            "/livez" => Answer::text(503, "the kafka thread hangs\n"),
            "/readyz" if !up => Answer::text(503, "postgres has not answered for 30 seconds\n"),
            "/readyz" if !running || !alive => Answer::text(503, "the consumer does not run\n"),
            "/readyz" if !stopped.is_empty() => {
                let reasons: Vec<_> = stopped.values().map(String::as_str).collect();
                Answer::text(503, format!("{}\n", reasons.join("\n")))
            }
            "/readyz" => Answer::text(200, "ready\n"),
            "/metrics" => {
                let registry = &self.registry;
                registry.set(&catalogue::DATABASE_UP, &[], f64::from(u8::from(up)));
                registry.set(&catalogue::POOL_CONNECTIONS, &["used"], pool.0 as f64);
                registry.set(&catalogue::POOL_CONNECTIONS, &["idle"], pool.1 as f64);
                registry.set(&catalogue::STOPPED_PARTITIONS, &[], stopped.len() as f64);
                if let Some(consumer) = consumer {
                    registry.set(&catalogue::INFLIGHT_BYTES, &[], consumer.bytes_in_flight() as f64);
                    registry.set(
                        &catalogue::PAUSED_PARTITIONS,
                        &[],
                        consumer.paused_partitions() as f64,
                    );
                }
                Answer {
                    status: 200,
                    content_type: "text/plain; version=0.0.4; charset=utf-8",
                    body: self.registry.to_text(),
                }
            }
            "/statusz" => {
                let partitions: BTreeMap<String, PartitionStatus> = locked(&self.partitions)
                    .iter()
                    .map(|(source, status)| (source.to_string(), status.clone()))
                    .collect();
                let status = Status {
                    version: env!("CARGO_PKG_VERSION"),
                    alive,
                    consumer_runs: running,
                    kafka_thread_silent_ms: silent.map(|s| s.as_millis()),
                    database_up: up,
                    partitions,
                    stopped: stopped
                        .iter()
                        .map(|(source, reason)| (source.to_string(), reason.as_str()))
                        .collect(),
                };
                Answer {
                    status: 200,
                    content_type: "application/json",
                    body: serde_json::to_string_pretty(&status).unwrap_or_default(),
                }
            }
            _ => return None,
        })
    }
}

/// What is looked at when somebody asks.
struct View<'a> {
    consumer: Option<&'a ConsumerHandle>,
    /// Connections at work, and idle ones.
    pool: (usize, usize),
    stopped: &'a Stopped,
}

#[derive(Serialize)]
struct Status<'a> {
    version: &'static str,
    alive: bool,
    consumer_runs: bool,
    kafka_thread_silent_ms: Option<u128>,
    database_up: bool,
    partitions: BTreeMap<String, PartitionStatus>,
    /// Partitions that the breaker stopped, and why.
    stopped: BTreeMap<String, &'a str>,
}

/// What is known of a batch before it is stored.
pub(crate) struct Flushing {
    started: Instant,
    rows: usize,
    bytes: usize,
    youngest: Option<i64>,
    refused: BTreeMap<(&'static str, &'static str), u64>,
}

fn now_millis() -> i64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
}

/// Answers over HTTP until the result is dropped.
pub(crate) fn serve(
    monitor: Arc<Monitor>,
    address: SocketAddr,
    store: Store,
    consumer: watch::Receiver<Option<ConsumerHandle>>,
    stopped: watch::Receiver<Stopped>,
) -> Result<Server> {
    let pages = move |path: &str| {
        let consumer = consumer.borrow().clone();
        let view = View {
            consumer: consumer.as_ref(),
            pool: store.connections(),
            stopped: &stopped.borrow(),
        };
        monitor.page(path, &view)
    };
    let server = Server::start(address, pages)
        .with_context(|| format!("cannot listen on {address} (metrics.listen)"))?;
    tracing::info!(address = %server.address(), "metrics and health are answered");
    Ok(server)
}

/// Looks at Postgres and at the ends of the topic, for ever. Outages show in what is answered, and are logged elsewhere.
pub(crate) async fn look(monitor: Arc<Monitor>, store: Store, stream: StreamConfig, on: Vec<&'static str>) {
    loop {
        match store.progress().await {
            Ok(progress) => {
                monitor.database_answered();
                let config = stream.clone();
                let ends = tokio::task::spawn_blocking(move || admin::watermarks(&config)).await;
                if let Ok(Ok(ends)) = ends {
                    let ledger: Vec<_> = progress.into_iter().map(|p| (p.source, p.next_offset)).collect();
                    monitor.lag(&ends, &ledger);
                }
            }
            Err(error) => tracing::debug!(%error, "cannot read the ledger"),
        }
        match store.outbox_waiting().await {
            Ok(waiting) => monitor.outbox(&on, &waiting),
            Err(error) => tracing::debug!(%error, "cannot read the outbox"),
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

#[cfg(test)]
mod tests {
    use copydesk_article::{Partition, Topic};

    use super::*;

    fn source(partition: i32) -> TopicPartition {
        TopicPartition {
            topic: Topic::new("t"),
            partition: Partition::new(partition),
        }
    }

    fn page(monitor: &Monitor, path: &str, stopped: &Stopped) -> Option<Answer> {
        let view = View {
            consumer: None,
            pool: (0, 0),
            stopped,
        };
        monitor.page(path, &view)
    }

    #[test]
    fn a_worker_without_its_services_is_alive_and_not_ready() {
        let monitor = Monitor::new();
        let none = Stopped::new();
        let status = |path| page(&monitor, path, &none).map(|a| a.status);
        assert_eq!((status("/livez"), status("/readyz")), (Some(200), Some(503)));
        // Postgres alone is not enough.
        monitor.database_answered();
        let answer = page(&monitor, "/readyz", &none).unwrap();
        assert!(
            answer.status == 503 && answer.body.contains("consumer"),
            "{answer:?}"
        );
        assert_eq!(status("/else"), None);
    }

    #[test]
    fn stopped_partitions_are_shown_with_their_reason() {
        let monitor = Monitor::new();
        let stopped = Stopped::from([(source(3), "too much is bad".to_owned())]);
        let body = |path| page(&monitor, path, &stopped).unwrap().body;
        assert!(body("/metrics").contains("copydesk_stopped_partitions 1\n"));
        assert!(body("/statusz").contains("too much is bad"));
    }

    #[test]
    fn what_waits_in_the_outbox_is_shown_and_forgotten() {
        let monitor = Monitor::new();
        let waiting = Waiting {
            output: "articles".into(),
            messages: 7,
            oldest: chrono::DateTime::UNIX_EPOCH,
        };
        monitor.outbox(&["dead_letters"], &[waiting]);
        let text = || page(&monitor, "/metrics", &Stopped::new()).unwrap().body;
        assert!(text().contains("copydesk_outbox_rows{output=\"articles\"} 7\n"));
        assert!(text().contains("copydesk_outbox_rows{output=\"dead_letters\"} 0\n"));
        monitor.outbox(&[], &[]);
        assert!(
            !text().contains("copydesk_outbox_rows{"),
            "off, and nothing is left"
        );
    }

    #[test]
    fn partitions_that_are_gone_have_no_lag_here() {
        let monitor = Monitor::new();
        let status = PartitionStatus {
            epoch: "1".into(),
            claimed_at_offset: "0".into(),
            next_offset: "0".into(),
        };
        locked(&monitor.partitions).insert(source(0), status);
        let end = |partition| admin::Watermarks {
            source: source(partition),
            low: copydesk_article::Offset::new(5),
            high: copydesk_article::Offset::new(12),
        };
        // Not yet in the ledger: everything that is there is to be read.
        monitor.lag(&[end(0), end(1)], &[]);
        let text = || page(&monitor, "/metrics", &Stopped::new()).unwrap().body;
        assert!(text().contains("copydesk_consumer_lag_messages{topic=\"t\",partition=\"0\"} 7\n"));
        assert!(!text().contains("partition=\"1\""), "another worker's");
        monitor.lost(&[source(0)]);
        assert!(!text().contains("copydesk_consumer_lag_messages{"));
        assert!(text().contains("copydesk_rebalances_total{kind=\"lost\"} 1\n"));
    }
}
