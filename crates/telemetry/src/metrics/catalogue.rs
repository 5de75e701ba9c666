//! Every metric that copydesk exposes: name, kind, labels, meaning. docs/metrics.md is written from this list, and
//! nothing else is ever counted.

/// What a metric is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// Only ever grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts of observations by size; the upper ends of the classes.
    Histogram(&'static [f64]),
}

impl Kind {
    /// The name in the text format.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram(_) => "histogram",
        }
    }
}

/// One metric.
#[derive(Debug)]
pub struct Metric {
    /// Its name, with unit and `_total` as Prometheus has it.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// What it means.
    pub help: &'static str,
}

/// From a millisecond to five minutes.
const SECONDS: &[f64] = &[
    0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0,
];
/// From ten microseconds to ten seconds: what one message takes of a processor.
const MOMENTS: &[f64] = &[
    0.000_01, 0.000_03, 0.000_1, 0.000_3, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 10.0,
];
const ROWS: &[f64] = &[1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1_000.0, 3_000.0];
const BYTES: &[f64] = &[1e4, 1e5, 3e5, 1e6, 3e6, 1e7, 3e7, 1e8];
/// From a second to a month: how old messages are when they are stored.
const AGES: &[f64] = &[
    0.3,
    1.0,
    3.0,
    10.0,
    30.0,
    60.0,
    300.0,
    900.0,
    3_600.0,
    21_600.0,
    86_400.0,
    2_592_000.0,
];

macro_rules! catalogue {
    ($( $(#[doc = $help:literal])+ $constant:ident: $kind:expr, $name:literal [$($label:literal),*]; )+) => {
        $( $(#[doc = $help])+ pub const $constant: Metric = Metric {
            name: $name,
            kind: $kind,
            labels: &[$($label),*],
            help: concat!($($help),+),
        }; )+
        /// All of them, in the order of docs/metrics.md.
        pub const ALL: &[&Metric] = &[$(&$constant),+];
    };
}

catalogue! {
    /// Always 1; the version is in the label.
    BUILD_INFO: Kind::Gauge, "copydesk_build_info" ["version"];
    /// Messages taken from Kafka, repeats after a restart among them.
    MESSAGES_RECEIVED: Kind::Counter, "copydesk_messages_received_total" ["topic"];
    /// Bytes of these messages: values, keys and headers.
    RECEIVED_BYTES: Kind::Counter, "copydesk_received_bytes_total" ["topic"];
    /// Offsets settled by this worker, each counted once: what became of the message, `quarantined`, or
    /// `skipped` for an offset that never had one.
    OUTCOMES: Kind::Counter, "copydesk_outcomes_total" ["outcome"];
    /// Messages quarantined, by stage and reason (docs/quarantine.md).
    QUARANTINED: Kind::Counter, "copydesk_quarantined_total" ["stage", "reason"];
    /// Bytes in quarantine, over all partitions of the database, as of the last look, every ten seconds.
    /// Every worker tells the same.
    QUARANTINE_BYTES: Kind::Gauge, "copydesk_quarantine_bytes" [];
    /// `quarantine.max_bytes`, which bounds them; 0 if nothing does.
    QUARANTINE_MAX_BYTES: Kind::Gauge, "copydesk_quarantine_max_bytes" [];
    /// Messages whose bytes were dropped from quarantine, by whatever worker or janitor, because they were
    /// too old or it was full. Counted from the process's first look on; every worker tells about the same.
    QUARANTINE_DROPPED: Kind::Counter, "copydesk_quarantine_dropped_total" [];
    /// Seconds that a message took in a stage: `decode`, `clean`, `fingerprint`. A refused message ends at
    /// the stage that refused it. The stage after them is the flush, which has a metric of its own.
    STAGE_SECONDS: Kind::Histogram(MOMENTS), "copydesk_stage_duration_seconds" ["stage"];
    /// Seconds that a message has been with a cleaning thread, where it is more than one second; of several
    /// of a partition the longest. `/readyz`, `/statusz` and the log name its offset. Its partition waits for
    /// it, the others go on.
    SLOW_MESSAGE: Kind::Gauge, "copydesk_slow_message_seconds" ["topic", "partition"];
    /// Blocks that site memory took out of articles and versions as they were stored: the rule `site-memory`
    /// (docs/site-memory.md). What the janitor takes out afterwards is in the view `clean_events`.
    SITE_MEMORY_BLOCKS: Kind::Counter, "copydesk_site_memory_blocks_total" [];
    /// Words of these blocks. Where they are many beside few blocks, prose goes: look at the view `site_report`.
    SITE_MEMORY_WORDS: Kind::Counter, "copydesk_site_memory_words_total" [];
    /// Messages in a transaction.
    BATCH_ROWS: Kind::Histogram(ROWS), "copydesk_batch_rows" [];
    /// Bytes of messages in a transaction.
    BATCH_BYTES: Kind::Histogram(BYTES), "copydesk_batch_bytes" [];
    /// Seconds from the start of a flush to its commit, retries and waiting for Postgres among them.
    FLUSH_SECONDS: Kind::Histogram(SECONDS), "copydesk_flush_duration_seconds" [];
    /// Flushes that were tried again: `retry_now` is two transactions that met, `wait_for_database` an outage.
    FLUSH_RETRIES: Kind::Counter, "copydesk_flush_retries_total" ["class"];
    /// Batches that were dropped because another worker had claimed the partition. It stores them.
    FENCED: Kind::Counter, "copydesk_fenced_total" [];
    /// Messages between Kafka and Postgres: read and not yet stored.
    INFLIGHT_MESSAGES: Kind::Gauge, "copydesk_inflight_messages" [];
    /// Bytes of messages between Kafka and Postgres; `worker.memory` is their limit.
    INFLIGHT_BYTES: Kind::Gauge, "copydesk_inflight_bytes" [];
    /// Partitions that are paused because their queue or the memory is full. Now and then is backpressure at
    /// work; always is a database that is too slow.
    PAUSED_PARTITIONS: Kind::Gauge, "copydesk_paused_partitions" [];
    /// Partitions that the breaker stopped because too much of them was bad (docs/quarantine.md).
    STOPPED_PARTITIONS: Kind::Gauge, "copydesk_stopped_partitions" [];
    /// Connections to Postgres: `used` or `idle`; `database.connections` is the limit of both together.
    POOL_CONNECTIONS: Kind::Gauge, "copydesk_db_pool_connections" ["state"];
    /// Partitions that this worker owns.
    ASSIGNED_PARTITIONS: Kind::Gauge, "copydesk_assigned_partitions" [];
    /// Partitions of the topic, whoever owns them. Where the sum of those that are owned stays below it, some
    /// are read by nobody.
    TOPIC_PARTITIONS: Kind::Gauge, "copydesk_topic_partitions" ["topic"];
    /// Partitions that came (`claimed`), were handed over (`revoked`) or were taken away (`lost`).
    REBALANCES: Kind::Counter, "copydesk_rebalances_total" ["kind"];
    /// Seconds that handing over partitions took.
    DRAIN_SECONDS: Kind::Histogram(SECONDS), "copydesk_drain_seconds" [];
    /// Messages of a partition of this worker that are on the topic and not yet in the ledger, as of the last
    /// look, every ten seconds. Kafka's own committed offsets are only a hint. While Kafka or Postgres is
    /// away it stands still.
    CONSUMER_LAG: Kind::Gauge, "copydesk_consumer_lag_messages" ["topic", "partition"];
    /// Of these, the messages that no worker can read yet: those of a producer's open transaction, and what
    /// others have put behind them.
    BEHIND_TRANSACTION: Kind::Gauge, "copydesk_behind_transaction_messages" ["topic", "partition"];
    /// Sites and languages that have fallen silent, or whose articles are suddenly of another length or much
    /// more often refused than is usual for them: by `of` (`site`, `language`) and `what` (`silent`,
    /// `length`, `refusals`), as the view `source_health` has it. The worker with partition 0 looks every
    /// hour.
    UNUSUAL_SOURCES: Kind::Gauge, "copydesk_unusual_sources" ["of", "what"];
    /// Age of the youngest message of a batch when it was committed, by the record's own timestamp.
    EVENT_LAG: Kind::Histogram(AGES), "copydesk_event_lag_seconds" [];
    /// Windows of near-copy keys that are made ahead of the present one. A janitor keeps six; fewer for a day
    /// means that none runs.
    WINDOWS_AHEAD: Kind::Gauge, "copydesk_key_windows_ahead" [];
    /// Messages that wait in the outbox to be put on a topic, by output (docs/outputs.md). It grows for as
    /// long as the topic cannot be written to.
    OUTBOX_ROWS: Kind::Gauge, "copydesk_outbox_rows" ["output"];
    /// Age of the oldest of them, in seconds.
    OUTBOX_AGE: Kind::Gauge, "copydesk_outbox_oldest_seconds" ["output"];
    /// Messages that this worker put on the topic of an output, repeats among them.
    PUBLISHED: Kind::Counter, "copydesk_published_total" ["output"];
    /// Rounds of publishing that failed and are tried again.
    PUBLISH_FAILURES: Kind::Counter, "copydesk_publish_failures_total" ["output"];
    /// 1 if Postgres answered within the last half minute.
    DATABASE_UP: Kind::Gauge, "copydesk_database_up" [];
    /// 1 if Kafka told the ends of the topic within the last half minute.
    KAFKA_UP: Kind::Gauge, "copydesk_kafka_up" [];
    /// Bytes of memory that the worker's process has resident. The standard name of Prometheus' clients.
    RESIDENT_MEMORY: Kind::Gauge, "process_resident_memory_bytes" [];
    /// When the worker's process started, in seconds since 1970. The standard name of Prometheus' clients.
    START_TIME: Kind::Gauge, "process_start_time_seconds" [];
}
