//! Topics of a test's own on the real Kafka.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{
    AdminClient, AdminOptions, AlterConfig, NewPartitions, NewTopic, ResourceSpecifier, TopicReplication,
};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::message::{Header, Headers as _, Message as _, OwnedHeaders};
use rdkafka::producer::future_producer::DeliveryFuture;
use rdkafka::producer::{FutureProducer, FutureRecord, Producer as _};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

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

/// One record as it stands on a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Its partition.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
    /// Its key.
    pub key: Option<Vec<u8>>,
    /// Its value.
    pub value: Option<Vec<u8>>,
    /// Its headers in order.
    pub headers: Vec<(String, Vec<u8>)>,
}

impl Received {
    /// The value of the last header of that name.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        let found = self.headers.iter().rev().find(|(n, _)| n == name);
        found.map(|(_, value)| value.as_slice())
    }
}

/// A topic that is deleted when the test is done.
pub struct ScratchTopic {
    name: String,
    brokers: String,
    admin: AdminClient<DefaultClientContext>,
    producer: FutureProducer,
}

impl ScratchTopic {
    /// Creates a topic with a name of its own.
    pub async fn create(label: &str, partitions: i32) -> Self {
        Self::create_at(&kafka_brokers(), label, partitions).await
    }

    /// The same at other brokers.
    pub async fn create_at(brokers: &str, label: &str, partitions: i32) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_millis();
        let name = format!("test-{label}-{}-{number}-{now}", std::process::id());
        let this = Self::named(brokers, &name);
        let topic = NewTopic::new(&name, partitions, TopicReplication::Fixed(1));
        let created = this
            .admin
            .create_topics([&topic], &options())
            .await
            .expect("Kafka answers: is `make up` done?");
        created.into_iter().for_each(|r| {
            r.expect("the topic can be created");
        });
        this
    }

    /// A topic of this name that is there already, or will be; deleted at the end as well.
    pub fn named(brokers: &str, name: &str) -> Self {
        let config = || {
            let mut config = ClientConfig::new();
            config.set("bootstrap.servers", brokers);
            config
        };
        let admin: AdminClient<_> = config().create().expect("admin client");
        let producer = config()
            .set("enable.idempotence", "true")
            .set("linger.ms", "5")
            .set("compression.type", "lz4")
            .set("message.max.bytes", "16777216")
            .create()
            .expect("producer");
        Self {
            name: name.to_owned(),
            brokers: brokers.to_owned(),
            admin,
            producer,
        }
    }

    /// Everything that stands on the topic now, by partition and offset.
    pub async fn records(&self) -> Vec<Received> {
        let (brokers, name) = (self.brokers.clone(), self.name.clone());
        tokio::task::spawn_blocking(move || read_all(&brokers, &name))
            .await
            .expect("the reader ends")
    }

    /// Sets one of the topic's own settings.
    pub async fn configure(&self, key: &str, value: &str) {
        let resource = AlterConfig::new(ResourceSpecifier::Topic(&self.name)).set(key, value);
        let altered = self.admin.alter_configs([&resource], &options()).await;
        altered.expect("Kafka answers").into_iter().for_each(|r| {
            r.expect("the topic can be configured");
        });
    }

    /// The topic's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Deletes the messages of a partition before `offset`, as retention does.
    pub async fn delete_records(&self, partition: i32, offset: i64) {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&self.name, partition, Offset::Offset(offset))
            .expect("an offset");
        let deleted = self.admin.delete_records(&list, &options()).await;
        deleted.expect("Kafka deletes the records");
    }

    /// Gives the topic more partitions.
    pub async fn grow_to(&self, partitions: usize) {
        let new = NewPartitions::new(&self.name, partitions);
        let grown = self.admin.create_partitions([&new], &options()).await;
        grown.expect("Kafka answers").into_iter().for_each(|r| {
            r.expect("the topic can grow");
        });
        // Our own producer has to hear of it.
        let (client, name) = (self.producer.clone(), self.name.clone());
        tokio::task::spawn_blocking(move || {
            loop {
                let metadata = client
                    .client()
                    .fetch_metadata(Some(&name), Duration::from_secs(20))
                    .expect("Kafka answers");
                if metadata.topics()[0].partitions().len() >= partitions {
                    break;
                }
            }
            // The metadata name a partition some milliseconds before its log is there, and what the broker
            // acknowledges in between can be missing from that log.
            for partition in 0..i32::try_from(partitions).expect("few") {
                while client
                    .client()
                    .fetch_watermarks(&name, partition, Duration::from_secs(20))
                    .is_err()
                {}
            }
        })
        .await
        .expect("the question ends");
    }

    /// Deletes the topic and creates it again under its name, empty.
    pub async fn recreate(&self, partitions: i32) {
        let deleted = self.admin.delete_topics(&[&self.name], &options()).await;
        deleted.expect("Kafka answers").into_iter().for_each(|r| {
            r.expect("the topic can be deleted");
        });
        let topic = NewTopic::new(&self.name, partitions, TopicReplication::Fixed(1));
        // Deleting takes a moment after its answer.
        for _ in 0..200 {
            let created = self.admin.create_topics([&topic], &options()).await;
            match created.expect("Kafka answers").pop() {
                Some(Ok(_)) => return,
                other => assert!(
                    matches!(other, Some(Err((_, RDKafkaErrorCode::TopicAlreadyExists)))),
                    "{other:?}"
                ),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the topic {} is not gone after 20 s", self.name);
    }

    /// Messages on the topic, by Kafka's own word: the sum of the ends minus the beginnings.
    pub async fn messages(&self) -> i64 {
        let (client, name) = (self.producer.clone(), self.name.clone());
        tokio::task::spawn_blocking(move || {
            let metadata = client
                .client()
                .fetch_metadata(Some(&name), Duration::from_secs(20))
                .expect("Kafka answers");
            metadata.topics()[0]
                .partitions()
                .iter()
                .map(|p| {
                    let (low, high) = client
                        .client()
                        .fetch_watermarks(&name, p.id(), Duration::from_secs(20))
                        .expect("Kafka answers");
                    high - low
                })
                .sum()
        })
        .await
        .expect("the question ends")
    }

    /// Produces all of them, in order per partition, and waits for every acknowledgement.
    pub async fn produce(&self, records: impl IntoIterator<Item = Outgoing>) {
        for delivery in self.send(records).await {
            delivery
                .await
                .expect("the producer is alive")
                .expect("the broker acknowledges");
        }
    }

    /// Hands them to the producer, in order per partition; the answers come when the broker acknowledges.
    pub async fn send(&self, records: impl IntoIterator<Item = Outgoing>) -> Vec<DeliveryFuture> {
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
        waiting
    }
}

fn read_all(brokers: &str, name: &str) -> Vec<Received> {
    let patience = Duration::from_secs(20);
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", format!("reader-{name}"))
        .set("enable.auto.commit", "false")
        .create()
        .expect("a consumer");
    let metadata = consumer.fetch_metadata(Some(name), patience);
    let metadata = metadata.expect("Kafka answers");
    let mut list = TopicPartitionList::new();
    let mut left: i64 = 0;
    for partition in metadata.topics()[0].partitions() {
        let (low, high) = consumer
            .fetch_watermarks(name, partition.id(), patience)
            .expect("Kafka answers");
        left += high - low;
        list.add_partition_offset(name, partition.id(), Offset::Beginning)
            .expect("an offset");
    }
    consumer.assign(&list).expect("partitions");
    let mut all = Vec::new();
    while left > 0 {
        let record = consumer
            .poll(patience)
            .expect("the record is there")
            .expect("a record");
        left -= 1;
        let headers = record.headers().map_or_else(Vec::new, |headers| {
            headers
                .iter()
                .map(|h| (h.key.to_owned(), h.value.unwrap_or_default().to_vec()))
                .collect()
        });
        all.push(Received {
            partition: record.partition(),
            offset: record.offset(),
            key: record.key().map(<[u8]>::to_vec),
            value: record.payload().map(<[u8]>::to_vec),
            headers,
        });
    }
    all.sort_by_key(|r| (r.partition, r.offset));
    all
}

fn options() -> AdminOptions {
    AdminOptions::new().operation_timeout(Some(Duration::from_secs(20)))
}

impl Drop for ScratchTopic {
    fn drop(&mut self) {
        // Sent, not waited for: a leftover topic harms nobody.
        drop(self.admin.delete_topics(&[&self.name], &AdminOptions::new()));
    }
}
