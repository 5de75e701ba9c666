//! What only a real Kafka has: transactions, topic settings, headers on the wire.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use copydesk_article::{Message, NextOffset, TopicPartition};
use copydesk_stream::{
    Consumer, Coordinator, CoordinatorError, Delivery, PartitionStream, Start, StreamConfig, StreamError,
    Wanted, admin,
};
use copydesk_testkit::{Outgoing, ScratchTopic, kafka_brokers};
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};

use crate::ledger::{Habits, Ledger};
use crate::support::{committed, in_time, start, until};

fn config(topic: &ScratchTopic) -> StreamConfig {
    StreamConfig::new(&kafka_brokers(), topic.name(), topic.name())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_on_a_real_kafka_store_everything_once() {
    let topic = ScratchTopic::create("stream", 4).await;
    let batch = |n: usize| {
        (0..n).map(|i| Outgoing {
            partition: Some((i % 4) as i32),
            ..Outgoing::value("x".repeat(2_000))
        })
    };
    topic.produce(batch(4_000)).await;
    let mut small = config(&topic);
    small.queue_messages = 50;
    small.total_bytes = 200_000;
    let ledger = Arc::new(Ledger::default());
    let habits = Habits {
        keeps: 4,
        slow: Duration::from_millis(2),
    };
    let (first, first_handle) = start("a", small.clone(), &ledger, habits);
    until("the first is at work", || ledger.stored() > 200).await;
    let (second, second_handle) = start("b", small, &ledger, habits);
    until("two each", || {
        first.partitions().len() == 2 && second.partitions().len() == 2
    })
    .await;
    topic.produce(batch(400)).await;
    until("all is stored", || ledger.stored() == 4_400).await;
    ledger.check(0..4, 0, 1_100);
    first_handle.stop().await;
    second_handle.stop().await;
    assert_eq!(
        committed(&kafka_brokers(), topic.name(), topic.name(), 4).await,
        [Some(1_100); 4]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn ends_account_for_transaction_markers() {
    let topic = ScratchTopic::create("stream-tx", 1).await;
    let name = topic.name().to_owned();
    tokio::task::spawn_blocking(move || {
        let producer: BaseProducer = ClientConfig::new()
            .set("bootstrap.servers", kafka_brokers())
            .set("transactional.id", &name)
            .create()
            .unwrap();
        producer.init_transactions(Duration::from_secs(20)).unwrap();
        for commit in [true, false] {
            producer.begin_transaction().unwrap();
            for _ in 0..3 {
                producer
                    .send(BaseRecord::<(), str>::to(&name).partition(0).payload("x"))
                    .unwrap();
            }
            producer.flush(Duration::from_secs(20)).unwrap();
            if commit {
                producer.commit_transaction(Duration::from_secs(20)).unwrap();
            } else {
                producer.abort_transaction(Duration::from_secs(20)).unwrap();
            }
        }
    })
    .await
    .unwrap();
    let ledger = Arc::new(Ledger::default());
    let (_, handle) = start("a", config(&topic), &ledger, Habits::default());
    // 0 to 2, a marker, three that were taken back, a marker.
    until("the end is told", || ledger.row(0).ends.last() == Some(&8)).await;
    assert_eq!(ledger.row(0).stored, [0, 1, 2]);
    let marks_config = config(&topic);
    let marks = tokio::task::spawn_blocking(move || admin::watermarks(&marks_config))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(marks[0].high.get(), 8, "so the end of the topic can be reached");
    handle.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_behind_an_open_transaction_is_told() {
    let topic = ScratchTopic::create("stream-open-tx", 1).await;
    let name = topic.name().to_owned();
    let settings = config(&topic);
    tokio::task::spawn_blocking(move || {
        let producer = |id: Option<&str>| -> BaseProducer {
            let mut config = ClientConfig::new();
            config.set("bootstrap.servers", kafka_brokers());
            if let Some(id) = id {
                config.set("transactional.id", id);
            }
            config.create().unwrap()
        };
        let send = |producer: &BaseProducer| {
            producer
                .send(BaseRecord::<(), str>::to(&name).partition(0).payload("x"))
                .unwrap();
            producer.flush(Duration::from_secs(20)).unwrap();
        };
        let marks = || {
            let mark = admin::watermarks(&settings).unwrap().remove(0);
            (mark.high.get(), mark.end.get(), mark.behind_transaction())
        };
        let (open, plain) = (producer(Some(&name)), producer(None));
        send(&plain);
        assert_eq!(marks(), (1, 1, 0));
        open.init_transactions(Duration::from_secs(20)).unwrap();
        open.begin_transaction().unwrap();
        send(&open);
        // Committed, and not to be read yet.
        send(&plain);
        send(&plain);
        assert_eq!(marks(), (1, 4, 3));
        open.commit_transaction(Duration::from_secs(20)).unwrap();
        assert_eq!(marks(), (5, 5, 0));
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_arrives_whole_and_large_ones_do_too() {
    let brokers = kafka_brokers();
    let name = format!("test-stream-large-{}", std::process::id());
    let settings = StreamConfig::new(&brokers, &name, &name);
    let asked = {
        let (settings, name) = (settings.clone(), name.clone());
        tokio::task::spawn_blocking(move || {
            let before = admin::watermarks(&settings);
            let made = admin::ensure_topic(&settings, &name, 1);
            let again = admin::ensure_topic(&settings, &name, 1);
            (before, made, again)
        })
    };
    let (before, made, again) = asked.await.unwrap();
    assert_eq!(before.unwrap_err(), StreamError::TopicMissing(name.clone()));
    assert_eq!((made, again), (Ok(true), Ok(false)));

    let producer: rdkafka::producer::FutureProducer = ClientConfig::new()
        .set("bootstrap.servers", &brokers)
        .set("message.max.bytes", "16777216")
        .create()
        .unwrap();
    let large = vec![b'y'; 8 << 20];
    let headers = rdkafka::message::OwnedHeaders::new()
        .insert(rdkafka::message::Header {
            key: "Kind",
            value: Some("page"),
        })
        .insert(rdkafka::message::Header::<&str> {
            key: "none",
            value: None,
        });
    let record = rdkafka::producer::FutureRecord::to(&name)
        .key("site")
        .payload(&large)
        .headers(headers)
        .timestamp(1_700_000_000_123);
    producer.send(record, Duration::from_secs(20)).await.unwrap();

    let collector = Arc::new(Collector::default());
    let got = Arc::clone(&collector);
    let handle = Consumer::start(settings, collector).unwrap();
    until("it arrives", || got.stream.lock().unwrap().is_some()).await;
    let mut stream = got.stream.lock().unwrap().take().unwrap();
    let first = in_time("the record", Duration::from_secs(30), stream.recv_many(1, 1)).await;
    let Some(Delivery::Message(message, charge)) = first.into_iter().next() else {
        panic!("an end comes after the record");
    };
    let Message {
        timestamp,
        key,
        payload,
        headers,
        coordinates,
    } = message;
    assert_eq!(timestamp.unwrap().timestamp_millis(), 1_700_000_000_123);
    assert_eq!(key.as_deref(), Some(b"site".as_slice()));
    assert_eq!(payload.as_deref(), Some(large.as_slice()));
    let headers: Vec<_> = headers
        .iter()
        .map(|h| (h.name.as_str(), h.value.as_slice()))
        .collect();
    assert_eq!(headers, [("Kind", b"page".as_slice()), ("none", b"")]);
    assert_eq!(coordinates.to_string(), format!("{name}[0]@0"));
    drop(charge);
    handle.stop().await;
    assert!(
        stream
            .recv_many(9, 9)
            .await
            .iter()
            .all(|d| matches!(d, Delivery::End(at) if at.get() == 1))
    );
    let admin: rdkafka::admin::AdminClient<_> = ClientConfig::new()
        .set("bootstrap.servers", &brokers)
        .create()
        .unwrap();
    admin
        .delete_topics(&[name.as_str()], &rdkafka::admin::AdminOptions::new())
        .await
        .unwrap();
}

/// Hands the stream to the test.
#[derive(Default)]
struct Collector {
    stream: Mutex<Option<PartitionStream>>,
}

impl Coordinator for Collector {
    fn claim(&self, wanted: Vec<Wanted>) -> Result<Vec<Start>, CoordinatorError> {
        let start = |w: Wanted| Start {
            source: w.source,
            next_offset: NextOffset::new(w.low.get()),
        };
        Ok(wanted.into_iter().map(start).collect())
    }

    fn assigned(&self, streams: Vec<PartitionStream>) {
        *self.stream.lock().unwrap() = streams.into_iter().next();
    }

    fn drain(&self, _: &[TopicPartition], _: Duration) -> Vec<(TopicPartition, NextOffset)> {
        Vec::new()
    }

    fn lost(&self, _: &[TopicPartition]) {}
}
