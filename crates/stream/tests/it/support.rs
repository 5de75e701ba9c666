//! A mock cluster with a topic, producers, and waits that end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use copydesk_stream::{Consumer, ConsumerHandle, StreamConfig};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{DefaultProducerContext, FutureProducer, FutureRecord};
use rdkafka::topic_partition_list::TopicPartitionList;

use crate::ledger::{Habits, Ledger, Worker};

/// The longest that anything here may take; reached only by a failure.
const PATIENCE: Duration = Duration::from_secs(40);
pub(crate) const TOPIC: &str = "articles";
pub(crate) const GROUP: &str = "desk";
pub(crate) const BROKERS: i32 = 3;

pub(crate) struct Mock {
    pub(crate) cluster: MockCluster<'static, DefaultProducerContext>,
    producer: FutureProducer,
}

impl Mock {
    pub(crate) fn new(partitions: i32) -> Self {
        let cluster = MockCluster::new(BROKERS).unwrap();
        cluster.create_topic(TOPIC, partitions, BROKERS).unwrap();
        let producer = ClientConfig::new()
            .set("bootstrap.servers", cluster.bootstrap_servers())
            .set("linger.ms", "1")
            .create()
            .unwrap();
        Self { cluster, producer }
    }

    pub(crate) fn config(&self) -> StreamConfig {
        let mut config = StreamConfig::new(&self.cluster.bootstrap_servers(), TOPIC, GROUP);
        config.session_timeout = Duration::from_secs(6);
        config.drain_timeout = Duration::from_secs(5);
        // Members learn of a rebalance by their heartbeats.
        config.extra.insert("heartbeat.interval.ms", "200");
        config
    }

    /// Appends messages of a size to a partition.
    pub(crate) async fn produce(&self, partition: i32, many: usize, size: usize) {
        let payload = vec![b'x'; size];
        let sent: Vec<_> = (0..many)
            .map(|_| {
                let record: FutureRecord<'_, (), _> =
                    FutureRecord::to(TOPIC).partition(partition).payload(&payload);
                self.producer.send_result(record).map_err(|(e, _)| e).unwrap()
            })
            .collect();
        for delivery in sent {
            delivery.await.unwrap().unwrap();
        }
    }

    pub(crate) fn all_down(&self) {
        (1..=BROKERS).for_each(|b| self.cluster.broker_down(b).unwrap());
    }

    pub(crate) fn all_up(&self) {
        (1..=BROKERS).for_each(|b| self.cluster.broker_up(b).unwrap());
    }

    /// What the group has committed, per partition.
    pub(crate) async fn committed(&self, partitions: i32) -> Vec<Option<i64>> {
        committed(&self.cluster.bootstrap_servers(), TOPIC, GROUP, partitions).await
    }
}

pub(crate) async fn committed(brokers: &str, topic: &str, group: &str, partitions: i32) -> Vec<Option<i64>> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", group)
        .create()
        .unwrap();
    let mut list = TopicPartitionList::new();
    list.add_partition_range(topic, 0, partitions - 1);
    tokio::task::spawn_blocking(move || {
        let offsets = consumer.committed_offsets(list, PATIENCE).unwrap();
        offsets
            .elements()
            .iter()
            .map(|e| e.offset().to_raw().filter(|o| *o >= 0))
            .collect()
    })
    .await
    .unwrap()
}

/// Starts a worker on a ledger.
pub(crate) fn start(
    name: &'static str,
    config: StreamConfig,
    ledger: &Arc<Ledger>,
    habits: Habits,
) -> (Arc<Worker>, ConsumerHandle) {
    let worker = Worker::new(name, ledger, habits);
    let coordinator = Arc::clone(&worker);
    let handle = Consumer::start(config, coordinator).unwrap();
    worker.consumer.send_replace(Some(handle.clone()));
    (worker, handle)
}

/// Waits until it is so.
#[track_caller]
pub(crate) fn until(what: &str, mut so: impl FnMut() -> bool) -> impl Future<Output = ()> {
    let caller = std::panic::Location::caller();
    async move {
        let started = Instant::now();
        while !so() {
            assert!(started.elapsed() < PATIENCE, "{caller}: still waiting: {what}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Runs to the end, or fails.
#[track_caller]
pub(crate) fn in_time<T>(
    what: &str,
    most: Duration,
    future: impl Future<Output = T>,
) -> impl Future<Output = T> {
    let caller = std::panic::Location::caller();
    async move {
        tokio::select! {
            done = future => done,
            () = tokio::time::sleep(most) => panic!("{caller}: not within {most:?}: {what}"),
        }
    }
}
