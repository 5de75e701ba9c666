//! Topics of a test's own on the real Kafka.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};

/// The brokers to test against.
pub fn kafka_brokers() -> String {
    std::env::var("COPYDESK_TEST_KAFKA_BROKERS").unwrap_or_else(|_| {
        panic!(
            "this test needs a real Kafka: run `make test`, or `make up` and then \
             export COPYDESK_TEST_KAFKA_BROKERS=127.0.0.1:39092"
        )
    })
}

/// One record to produce.
#[derive(Debug, Clone, Default)]
pub struct Outgoing {
    /// Where to; `None` leaves it to the key.
    pub partition: Option<i32>,
    /// The record's key.
    pub key: Option<String>,
    /// The record's value; `None` is a tombstone.
    pub payload: Option<Vec<u8>>,
    /// Headers.
    pub headers: Vec<(String, Vec<u8>)>,
}

impl Outgoing {
    /// A record with a value only.
    pub fn value(payload: impl Into<Vec<u8>>) -> Self {
        Self {
            payload: Some(payload.into()),
            ..Self::default()
        }
    }
}

/// A topic that is deleted when the test is done.
pub struct ScratchTopic {
    name: String,
    admin: AdminClient<DefaultClientContext>,
    producer: FutureProducer,
}

impl ScratchTopic {
    /// Creates a topic with a name of its own.
    pub async fn create(label: &str, partitions: i32) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_millis();
        let name = format!("test-{label}-{}-{number}-{now}", std::process::id());
        let config = || {
            let mut config = ClientConfig::new();
            config.set("bootstrap.servers", kafka_brokers());
            config
        };
        let admin: AdminClient<_> = config().create().expect("admin client");
        let options = AdminOptions::new().operation_timeout(Some(Duration::from_secs(20)));
        let topic = NewTopic::new(&name, partitions, TopicReplication::Fixed(1));
        let created = admin
            .create_topics([&topic], &options)
            .await
            .expect("Kafka answers: is `make up` done?");
        created.into_iter().for_each(|r| {
            r.expect("the topic can be created");
        });
        let producer = config()
            .set("enable.idempotence", "true")
            .set("linger.ms", "5")
            .set("compression.type", "lz4")
            .set("message.max.bytes", "16777216")
            .create()
            .expect("producer");
        Self {
            name,
            admin,
            producer,
        }
    }

    /// The topic's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Produces all of them, in order per partition, and waits for every acknowledgement.
    pub async fn produce(&self, records: impl IntoIterator<Item = Outgoing>) {
        let mut waiting = Vec::new();
        for outgoing in records {
            let mut headers = OwnedHeaders::new();
            for (key, value) in &outgoing.headers {
                headers = headers.insert(Header {
                    key,
                    value: Some(value),
                });
            }
            let mut record: FutureRecord<'_, str, [u8]> = FutureRecord::to(&self.name).headers(headers);
            if let Some(partition) = outgoing.partition {
                record = record.partition(partition);
            }
            if let Some(key) = &outgoing.key {
                record = record.key(key);
            }
            if let Some(payload) = &outgoing.payload {
                record = record.payload(payload);
            }
            loop {
                match self.producer.send_result(record) {
                    Ok(delivery) => {
                        waiting.push(delivery);
                        break;
                    }
                    // The local queue is full: let it empty. Anything else is the test's own mistake.
                    Err((error, again)) => {
                        assert_eq!(
                            error.rdkafka_error_code(),
                            Some(RDKafkaErrorCode::QueueFull),
                            "{error}"
                        );
                        record = again;
                        tokio::time::sleep(Duration::from_millis(10)).await;
                    }
                }
            }
        }
        for delivery in waiting {
            delivery
                .await
                .expect("the producer is alive")
                .expect("the broker acknowledges");
        }
    }
}

impl Drop for ScratchTopic {
    fn drop(&mut self) {
        // Sent, not waited for: a leftover topic harms nobody.
        drop(self.admin.delete_topics(&[&self.name], &AdminOptions::new()));
    }
}
