//! Feeding a real Kafka, and reading back what is there. `make up` starts one.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests are tests"
)]

mod archives;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use copydesk_feed::{FeedOptions, FeedReport, SAMPLES, Source, run};
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::{Headers as _, Message as _};
use rdkafka::mocking::MockCluster;
use tokio::sync::watch;

/// A topic of this test alone, deleted at its end.
struct Scratch {
    brokers: String,
    topic: String,
}

impl Scratch {
    fn new(name: &str) -> Self {
        let brokers = std::env::var("COPYDESK_TEST_KAFKA_BROKERS").expect(
            "this test needs a real Kafka: run `make up`, then set COPYDESK_TEST_KAFKA_BROKERS=127.0.0.1:39092 (`make test` does both)",
        );
        let nanos = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_nanos();
        Self {
            brokers,
            topic: format!("test.feed.{name}.{}.{nanos}", std::process::id()),
        }
    }

    fn options(&self, sources: Vec<Source>) -> FeedOptions {
        FeedOptions {
            bar: false,
            ..FeedOptions::new(&self.brokers, &self.topic, sources)
        }
    }

    async fn feed(&self, sources: Vec<Source>) -> FeedReport {
        self.feed_with(self.options(sources)).await
    }

    async fn feed_with(&self, options: FeedOptions) -> FeedReport {
        let (_keep, stop) = watch::channel(false);
        run(options, stop).await.unwrap_or_else(|e| panic!("{e:#}"))
    }

    /// Everything on the topic, by partition and offset.
    fn read_all(&self) -> Vec<Record> {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", &self.brokers)
            .set("group.id", &self.topic)
            .set("auto.offset.reset", "earliest")
            .set("fetch.message.max.bytes", "16000000")
            .create()
            .unwrap();
        let patience = Duration::from_secs(20);
        let partitions = consumer
            .fetch_metadata(Some(&self.topic), patience)
            .unwrap()
            .topics()[0]
            .partitions()
            .len();
        let mut expected = 0;
        let mut assignment = rdkafka::TopicPartitionList::new();
        for partition in 0..i32::try_from(partitions).unwrap() {
            let (low, high) = consumer
                .fetch_watermarks(&self.topic, partition, patience)
                .unwrap();
            expected += usize::try_from(high - low).unwrap();
            assignment
                .add_partition_offset(&self.topic, partition, rdkafka::Offset::Beginning)
                .unwrap();
        }
        consumer.assign(&assignment).unwrap();
        let mut records = Vec::new();
        let started = Instant::now();
        while records.len() < expected {
            assert!(
                started.elapsed() < patience,
                "read {} of {expected} records",
                records.len()
            );
            if let Some(message) = consumer.poll(Duration::from_millis(200)) {
                let message = message.unwrap().detach();
                records.push(Record {
                    partition: message.partition(),
                    offset: message.offset(),
                    key: message.key().map(|k| String::from_utf8_lossy(k).into_owned()),
                    payload: message.payload().unwrap_or_default().to_vec(),
                    headers: message.headers().map_or_else(Vec::new, |headers| {
                        headers
                            .iter()
                            .map(|h| {
                                (
                                    h.key.to_owned(),
                                    String::from_utf8_lossy(h.value.unwrap_or_default()).into_owned(),
                                )
                            })
                            .collect()
                    }),
                });
            }
        }
        records.sort_by_key(|r| (r.partition, r.offset));
        records
    }

    async fn delete(self) {
        let admin: AdminClient<DefaultClientContext> = ClientConfig::new()
            .set("bootstrap.servers", &self.brokers)
            .create()
            .unwrap();
        admin
            .delete_topics(&[&self.topic], &AdminOptions::new())
            .await
            .unwrap();
    }
}

#[derive(Debug)]
struct Record {
    partition: i32,
    offset: i64,
    key: Option<String>,
    payload: Vec<u8>,
    headers: Vec<(String, String)>,
}

fn path(path: &Path) -> Source {
    Source::Path(path.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn samples_arrive_byte_for_byte_and_in_order_per_site() {
    let scratch = Scratch::new("samples");
    let report = scratch.feed(vec![Source::Samples]).await;
    assert!(report.is_complete() && report.topic_created, "{report}");
    assert_eq!((report.records, report.acknowledged), (18, 18));
    let records = scratch.read_all();
    assert_eq!(records.len(), SAMPLES.len());
    for sample in SAMPLES {
        let record = records.iter().find(|r| r.payload == sample.payload).unwrap();
        assert_eq!(record.key.as_deref(), Some(sample.key));
        let headers: Vec<_> = record
            .headers
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str()))
            .collect();
        assert_eq!(headers, sample.headers);
    }
    let partitions: BTreeSet<_> = records.iter().map(|r| r.partition).collect();
    assert!(partitions.len() > 1, "all sites in one partition");
    let at = |name: &str| {
        let payload = SAMPLES.iter().find(|s| s.name == name).unwrap().payload;
        records
            .iter()
            .find(|r| r.payload == payload)
            .map(|r| (r.partition, r.offset))
            .unwrap()
    };
    let (first, second) = (at("10-storm-first-version"), at("11-storm-second-version"));
    assert!(
        first.0 == second.0 && first.1 < second.1,
        "versions of one address out of order"
    );
    // A second run finds the topic.
    assert!(!scratch.feed(vec![Source::Samples]).await.topic_created);
    scratch.delete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_line_is_accounted_for() {
    let scratch = Scratch::new("lines");
    let dir = tempfile::tempdir().unwrap();
    let mut lines = String::new();
    for i in 0..5_000 {
        lines.push_str(&format!(
            "{{\"id\":{i},\"url\":\"https://s{}.example/{i}\",\"text\":\"Ships came in.\"}}\n",
            i % 40
        ));
    }
    lines.push_str("{broken\n");
    lines.push_str(&"x".repeat(3_000_000));
    lines.push('\n');
    std::fs::write(dir.path().join("a.jsonl"), &lines).unwrap();
    std::fs::write(dir.path().join("b.png"), "x").unwrap();
    let large = format!("{{\"text\":\"{}\"}}", "x".repeat(1_990_000));
    std::fs::write(dir.path().join("c.json"), &large).unwrap();
    let mut options = scratch.options(vec![path(dir.path())]);
    options.limits.max_record_bytes = 2_000_000;
    let report = scratch.feed_with(options).await;
    assert_eq!(
        (report.records, report.acknowledged, report.failed),
        (5_002, 5_002, 0),
        "{report}"
    );
    assert_eq!(
        (report.odd, report.refused, report.skipped),
        (1, 1, 1),
        "{report}"
    );
    assert!(!report.is_complete());
    let shown = report.to_string();
    assert!(
        shown.contains("a.jsonl:5001: no JSON object") && shown.contains("a.jsonl:5002: not sent"),
        "{shown}"
    );
    let records = scratch.read_all();
    let distinct: BTreeSet<_> = records.iter().map(|r| r.payload.as_slice()).collect();
    assert_eq!((records.len(), distinct.len()), (5_002, 5_002), "lost or twice");
    assert!(distinct.contains(large.as_bytes()) && distinct.contains(&b"{broken"[..]));
    scratch.delete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_kafka_will_not_take_is_named() {
    let scratch = Scratch::new("refused");
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a.jsonl");
    std::fs::write(
        &file,
        format!(
            "{{\"text\":\"a\"}}\n{{\"text\":\"{}\"}}\n{{}}\n",
            "x".repeat(50_000)
        ),
    )
    .unwrap();
    let mut options = scratch.options(vec![path(&file)]);
    options.properties.insert("message.max.bytes", "20000");
    let report = scratch.feed_with(options).await;
    assert_eq!(
        (report.records, report.acknowledged, report.failed),
        (3, 2, 1),
        "{report}"
    );
    assert!(
        !report.is_complete() && report.problems[0].contains("a.jsonl:2"),
        "{report}"
    );
    scratch.delete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rate_limit_and_stop_are_kept() {
    let scratch = Scratch::new("pace");
    let mut options = scratch.options(vec![Source::Samples]);
    (options.rate, options.limit) = (Some(10), Some(11));
    let report = scratch.feed_with(options.clone()).await;
    assert_eq!(report.acknowledged, 11);
    // The first goes at once, the eleventh after a second.
    assert!(
        (Duration::from_millis(990)..Duration::from_secs(8)).contains(&report.took),
        "{:?}",
        report.took
    );
    (options.rate, options.limit) = (Some(1), None);
    let (stop, stopped) = watch::channel(false);
    let run = tokio::spawn(run(options, stopped));
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    stop.send(true).unwrap();
    let report = run.await.unwrap().unwrap();
    assert!(
        report.stopped && !report.is_complete() && report.acknowledged == report.records,
        "{report}"
    );
    assert!((1..10).contains(&report.records));
    scratch.delete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_kafka_is_an_error_that_says_so() {
    let (_keep, stop) = watch::channel(false);
    let options = FeedOptions {
        bar: false,
        ..FeedOptions::new("127.0.0.1:1", "t", vec![Source::Samples])
    };
    let error = format!("{:#}", run(options, stop).await.unwrap_err());
    assert!(error.contains("no answer from Kafka at 127.0.0.1:1"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_needs_no_kafka_and_says_what_would_happen() {
    let (_keep, stop) = watch::channel(false);
    let options = FeedOptions {
        dry_run: true,
        bar: false,
        ..FeedOptions::new("127.0.0.1:1", "t", vec![Source::Samples])
    };
    let report = run(options, stop).await.unwrap();
    assert_eq!(
        (
            report.records,
            report.acknowledged,
            report.would_be_quarantined.len()
        ),
        (18, 0, 3)
    );
    let shown = report.to_string();
    assert!(
        shown.contains("sample 17-no-body: no_body") && shown.contains("1 would be quarantined: not_utf8"),
        "{shown}"
    );
}

/// A broker that goes away for good in the middle of a run. A real one cannot be asked to; librdkafka's mock can.
#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_an_end_with_an_account_and_not_a_hang() {
    let cluster = MockCluster::new(1).unwrap();
    cluster.create_topic("t", 3, 1).unwrap();
    let mut options = FeedOptions {
        bar: false,
        rate: Some(3),
        ..FeedOptions::new(cluster.bootstrap_servers(), "t", vec![Source::Samples])
    };
    options.properties.insert("message.timeout.ms", "1500");
    let (_keep, stop) = watch::channel(false);
    let run = tokio::spawn(run(options, stop));
    // Long enough for the first to be acknowledged on a busy machine, short of the last.
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    cluster.broker_down(1).unwrap();
    let report = run.await.unwrap().unwrap();
    assert!(
        report.acknowledged > 0 && report.failed > 0 && report.stopped,
        "{report}"
    );
    assert_eq!(report.acknowledged + report.failed, report.records, "{report}");
    assert!(report.to_string().contains("Kafka is out of reach"), "{report}");
}
