//! librdkafka's settings, each with its reason.

use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;

use crate::{Properties, StreamError};

/// The silence after which librdkafka itself leaves the group. Callbacks block the poll thread for as long as
/// a claim or a drain takes, which must stay well below.
const MAX_POLL_INTERVAL: Duration = Duration::from_secs(300);

/// Properties that `extra` must not set, and why.
const REFUSED: &[(&str, &str)] = &[
    (
        "auto.offset.reset",
        "the position comes from the database; any other would lose or repeat messages",
    ),
    (
        "enable.auto.commit",
        "positions are committed after they are stored, never before",
    ),
    (
        "enable.auto.offset.store",
        "positions are committed after they are stored, never before",
    ),
    (
        "enable.partition.eof",
        "the ends of partitions account for offsets that Kafka skips",
    ),
    (
        "group.protocol",
        "drain before hand-over is tested with the classic protocol only",
    ),
    (
        "group.remote.assignor",
        "drain before hand-over is tested with the classic protocol only",
    ),
    (
        "partition.assignment.strategy",
        "only cooperative-sticky hands over one partition without stopping the others",
    ),
    ("bootstrap.servers", "set kafka.brokers instead"),
    ("metadata.broker.list", "set kafka.brokers instead"),
    ("group.id", "set kafka.group instead"),
    ("group.instance.id", "set kafka.instance_id instead"),
    ("session.timeout.ms", "set kafka.session_timeout_ms instead"),
];

/// What the consumer needs to know.
#[derive(Clone)]
pub struct StreamConfig {
    /// Kafka's addresses: `host:port`, separated by commas.
    pub brokers: String,
    /// The topics to read. Names, no patterns.
    pub topics: Vec<String>,
    /// The consumer group. One group for one database.
    pub group: String,
    /// How long a silent worker keeps its partitions.
    pub session_timeout: Duration,
    /// How long revoked partitions may take to store what they have.
    pub drain_timeout: Duration,
    /// Messages that may wait in the queue of one partition.
    pub queue_messages: usize,
    /// Bytes that may wait in the queue of one partition.
    pub queue_bytes: usize,
    /// Bytes of all messages between the poll and the database. One message beyond it per partition can be in
    /// hand, and librdkafka fetches up to 8 MiB ahead.
    pub total_bytes: usize,
    /// Bytes that each message counts in the two settings above besides its own: for what is made of it
    /// before it is stored.
    pub message_overhead: usize,
    /// Static membership: a restart within the session timeout does not move partitions.
    pub group_instance_id: Option<String>,
    /// Any other property of librdkafka (TLS, SASL, tuning). Wins over ours, except where delivery depends on
    /// it: those are refused.
    pub extra: Properties,
}

impl fmt::Debug for StreamConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamConfig")
            .field("brokers", &self.brokers)
            .field("topics", &self.topics)
            .field("group", &self.group)
            .field("session_timeout", &self.session_timeout)
            .field("drain_timeout", &self.drain_timeout)
            .field("queue_messages", &self.queue_messages)
            .field("queue_bytes", &self.queue_bytes)
            .field("total_bytes", &self.total_bytes)
            .field("message_overhead", &self.message_overhead)
            .field("group_instance_id", &self.group_instance_id)
            .field("extra", &self.extra)
            .finish()
    }
}

impl StreamConfig {
    /// Defaults for one topic.
    pub fn new(brokers: &str, topic: &str, group: &str) -> Self {
        Self {
            brokers: brokers.to_owned(),
            topics: vec![topic.to_owned()],
            group: group.to_owned(),
            session_timeout: Duration::from_secs(45),
            drain_timeout: Duration::from_secs(20),
            queue_messages: 2_000,
            queue_bytes: 32 << 20,
            total_bytes: 128 << 20,
            message_overhead: 0,
            group_instance_id: None,
            extra: Properties::default(),
        }
    }

    /// Refuses what cannot work, properties that librdkafka does not know among it. Connects to nothing and
    /// loads nothing.
    ///
    /// # Errors
    /// [`StreamError::Config`] names the setting.
    pub fn validate(&self) -> Result<(), StreamError> {
        self.extra.validate(self.consumer()?)
    }

    /// Refuses what cannot work.
    pub(crate) fn check(&self) -> Result<(), StreamError> {
        let bad = |text: String| Err(StreamError::Config(text));
        if self.brokers.trim().is_empty() {
            return bad("no brokers are given".to_owned());
        }
        if self.brokers.contains('@') {
            return bad(
                "the brokers' addresses have an @: they are host:port; user and password are sasl.username \
                    and sasl.password \
                 in [kafka.properties]"
                    .to_owned(),
            );
        }
        if self.topics.is_empty() || self.topics.iter().any(|t| t.is_empty() || t.contains('\0')) {
            return bad("a topic needs a name".to_owned());
        }
        if let Some(pattern) = self.topics.iter().find(|t| t.starts_with('^')) {
            return bad(format!("{pattern}: topics are given by name, not by pattern"));
        }
        if self.group.is_empty() {
            return bad("the consumer group needs a name".to_owned());
        }
        if self.queue_messages == 0 || self.queue_bytes == 0 || self.total_bytes == 0 {
            return bad("queues and the memory budget need room for at least one message".to_owned());
        }
        if self.session_timeout > MAX_POLL_INTERVAL {
            return bad(format!(
                "the session timeout ({:?}) must be at most {MAX_POLL_INTERVAL:?}",
                self.session_timeout
            ));
        }
        for (name, why) in REFUSED {
            if self.extra.contains(name) {
                return bad(format!("the property {name} cannot be set: {why}"));
            }
        }
        self.extra.check()
    }

    /// The settings of the consumer.
    pub(crate) fn consumer(&self) -> Result<ClientConfig, StreamError> {
        self.check()?;
        let session_ms = self.session_timeout.as_millis();
        let mut config = self.base();
        config
            .set("group.id", &self.group)
            .set("session.timeout.ms", session_ms.to_string())
            .set("heartbeat.interval.ms", (session_ms / 3).clamp(1, 3_000).to_string())
            .set("max.poll.interval.ms", MAX_POLL_INTERVAL.as_millis().to_string())
            .set("partition.assignment.strategy", "cooperative-sticky")
            // The three that the delivery promise rests on: see REFUSED.
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("auto.offset.reset", "error")
            .set("enable.partition.eof", "true")
            // librdkafka's own prefetch comes on top of our budget, and its defaults (64 MiB, 100 000
            // messages) would be most of the memory. Of what arrives it is the compressed size that counts:
            // pages are five times that.
            .set("queued.max.messages.kbytes", "8192")
            .set("queued.min.messages", "1000")
            .set("fetch.max.bytes", "8388608")
            // No limit for one message: brokers send at least one whatever its size, and librdkafka follows.
            .set("max.partition.fetch.bytes", "2097152")
            .set("fetch.wait.max.ms", "100")
            // After a fetch that failed or a queue that was full; the default (1 s, then 500 ms) is a pause
            // that can be seen.
            .set("fetch.queue.backoff.ms", "50");
        if let Some(id) = &self.group_instance_id {
            config.set("group.instance.id", id);
        }
        self.finish(&mut config);
        Ok(config)
    }

    /// The settings of a client that only asks questions: it is in no group and fetches nothing.
    pub(crate) fn questions(&self) -> Result<ClientConfig, StreamError> {
        self.check()?;
        let mut config = self.base();
        self.finish(&mut config);
        Ok(config)
    }

    /// The settings of a producer: every record acknowledged by all replicas, in order.
    pub(crate) fn producer(&self, within: Duration, largest: usize) -> Result<ClientConfig, StreamError> {
        self.check()?;
        let mut config = self.base();
        config
            .set("enable.idempotence", "true")
            .set("acks", "all")
            .set("compression.type", "zstd")
            .set("linger.ms", "5")
            .set("message.timeout.ms", within.as_millis().to_string())
            .set("message.max.bytes", largest.to_string())
            // Java's hash: producers in other languages put the same key into the same partition.
            .set("partitioner", "murmur2_random");
        self.finish(&mut config);
        Ok(config)
    }

    fn base(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.brokers)
            .set("client.id", unique_client_id())
            // A topic must not come into being by accident, with the broker's number of partitions.
            .set("allow.auto.create.topics", "false")
            // New partitions are found after this.
            .set("topic.metadata.refresh.interval.ms", "60000")
            // Messages of transactions that were never finished or were taken back are not news.
            .set("isolation.level", "read_committed")
            // A broker that comes back should be seen soon; the default waits up to 10 s.
            .set("reconnect.backoff.max.ms", "2000")
            .set("log.connection.close", "false")
            .set_log_level(RDKafkaLogLevel::Warning);
        config
    }

    fn finish(&self, config: &mut ClientConfig) {
        self.extra.apply(config);
    }
}

/// Two members with the same client id have sent each other into an endless loop of rebalances (librdkafka
/// issue 4783), and in containers every process has the id 1.
fn unique_client_id() -> String {
    let random = RandomState::new().build_hasher().finish();
    format!("copydesk-{}-{random:016x}", std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> StreamConfig {
        StreamConfig::new("127.0.0.1:9", "articles", "desk")
    }

    #[test]
    fn librdkafka_accepts_the_settings() {
        let consumer: rdkafka::consumer::BaseConsumer = config().questions().unwrap().create().unwrap();
        drop(consumer);
        let settings = config().consumer().unwrap();
        assert!(settings.create_native_config().is_ok());
        assert_eq!(settings.get("heartbeat.interval.ms"), Some("3000"));
    }

    #[test]
    fn properties_win_except_where_delivery_depends_on_them() {
        let mut good = config();
        good.extra.insert("fetch.wait.max.ms", "7");
        assert_eq!(good.consumer().unwrap().get("fetch.wait.max.ms"), Some("7"));
        for (name, _) in REFUSED {
            let mut bad = config();
            bad.extra.insert(*name, "x");
            let error = bad.consumer().unwrap_err().to_string();
            assert!(error.contains(name), "{error}");
        }
    }

    #[test]
    fn a_property_that_librdkafka_does_not_know_is_named() {
        config().validate().unwrap();
        let mut misspelt = config();
        misspelt.extra.insert("sasl.pasword", "hunter2");
        let error = misspelt.validate().unwrap_err().to_string();
        assert!(
            error.contains("sasl.pasword") && error.contains("sasl.password"),
            "{error}"
        );
        assert!(!error.contains("hunter2"), "{error}");
    }

    #[test]
    fn nonsense_is_refused() {
        type Break = fn(&mut StreamConfig);
        let breaks: [Break; 6] = [
            |c| c.brokers.clear(),
            |c| c.topics.clear(),
            |c| c.topics[0] = "^articles.*".to_owned(),
            |c| c.group.clear(),
            |c| c.total_bytes = 0,
            |c| c.session_timeout = Duration::from_secs(3_600),
        ];
        for spoil in breaks {
            let mut bad = config();
            spoil(&mut bad);
            assert!(matches!(bad.consumer(), Err(StreamError::Config(_))), "{bad:?}");
        }
    }

    #[test]
    fn passwords_are_not_shown() {
        let mut config = config();
        config.extra.insert("sasl.password", "secret");
        assert!(!format!("{config:?}").contains("secret"));
    }

    #[test]
    fn client_ids_differ() {
        assert_ne!(unique_client_id(), unique_client_id());
    }
}
