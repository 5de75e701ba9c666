//! The examples in docs/producers.md, run as they stand against a real Kafka where their tools are installed, and
//! checked for their shape everywhere.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "helpers of tests are tests"
)]

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use copydesk_feed::traceparent;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::{Headers as _, Message as _, OwnedMessage};

const PAGE: &str = include_str!("../../../docs/producers.md");

/// The fenced blocks of a language, in order.
fn blocks(language: &str) -> Vec<&'static str> {
    PAGE.split(&format!("```{language}\n"))
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect()
}

fn has(program: &str, arguments: &[&str]) -> bool {
    Command::new(program)
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|s| s.success())
}

/// Runs `command` with a topic of its own, and reads what it put there.
async fn run(name: &str, mut command: Command, expected: usize) -> Vec<OwnedMessage> {
    let brokers = std::env::var("COPYDESK_TEST_KAFKA_BROKERS")
        .expect("this test needs a real Kafka: `make test`, or `make up` and COPYDESK_TEST_KAFKA_BROKERS");
    let topic = format!("test.producers.{name}.{}", std::process::id());
    let admin: AdminClient<DefaultClientContext> = ClientConfig::new()
        .set("bootstrap.servers", &brokers)
        .create()
        .unwrap();
    let new = NewTopic::new(&topic, 1, TopicReplication::Fixed(1));
    for created in admin.create_topics([&new], &AdminOptions::new()).await.unwrap() {
        created.unwrap();
    }
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("page.html"), "<p>Ships</p>\n<p>Boats</p>\n").unwrap();
    let output = command
        .env("BROKERS", &brokers)
        .env("TOPIC", &topic)
        .current_dir(dir.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{name}: {output:?}");
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", &brokers)
        .set("group.id", &topic)
        .create()
        .unwrap();
    let mut assignment = rdkafka::TopicPartitionList::new();
    assignment
        .add_partition_offset(&topic, 0, rdkafka::Offset::Beginning)
        .unwrap();
    consumer.assign(&assignment).unwrap();
    let started = Instant::now();
    let mut records = Vec::new();
    while records.len() < expected {
        assert!(
            started.elapsed() < Duration::from_secs(20),
            "{name}: {} records",
            records.len()
        );
        if let Some(message) = consumer.poll(Duration::from_millis(200)) {
            records.push(message.unwrap().detach());
        }
    }
    admin
        .delete_topics(&[&topic], &AdminOptions::new())
        .await
        .unwrap();
    records
}

fn header(message: &OwnedMessage, name: &str) -> Option<String> {
    let headers = message.headers()?;
    let found = headers.iter().find(|h| h.key == name)?;
    Some(String::from_utf8_lossy(found.value?).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn kcat_feeds_pages_and_lines() {
    if !has("kcat", &["-V"]) {
        eprintln!("kcat is not installed: its examples are not run");
        return;
    }
    let shell = |script: &str| {
        let mut command = Command::new("sh");
        command.args(["-euc", script]);
        command
    };
    let examples: Vec<_> = blocks("sh").into_iter().filter(|b| b.contains("kcat")).collect();
    let records = run("kcat-page", shell(examples[0]), 1).await;
    assert_eq!(records[0].key(), Some(&b"news.example"[..]));
    assert_eq!(
        header(&records[0], "url").as_deref(),
        Some("https://www.news.example/harbour-reopens")
    );
    assert_eq!(records[0].payload(), Some(&b"<p>Ships</p>\n<p>Boats</p>\n"[..]));
    let records = run("kcat-lines", shell(examples[1]), 1).await;
    assert_eq!(records[0].key(), Some(&b"news.example"[..]));
    let article: serde_json::Value = serde_json::from_slice(records[0].payload().unwrap()).unwrap();
    assert_eq!(article["text"], "The ferry is back.");
}

#[tokio::test(flavor = "multi_thread")]
async fn python_feeds_articles_with_their_trace() {
    let script = blocks("python")[0];
    let python = std::env::var("COPYDESK_TEST_PYTHON").unwrap_or_else(|_| "python3".into());
    if !has(&python, &["-c", "import sys"]) {
        eprintln!("python3 is not installed: its example is not run");
        return;
    }
    let compiled = Command::new(&python)
        .args([
            "-c",
            "import sys; compile(sys.argv[1], 'producers.md', 'exec')",
            script,
        ])
        .output()
        .unwrap();
    assert!(compiled.status.success(), "{compiled:?}");
    if !has(&python, &["-c", "import confluent_kafka"]) {
        eprintln!("confluent_kafka is not installed: the example is compiled and not run");
        return;
    }
    let mut command = Command::new(&python);
    command.args(["-c", script]);
    let records = run("python", command, 1).await;
    assert_eq!(records[0].key(), Some(&b"news.example"[..]));
    let trace = header(&records[0], "traceparent").unwrap();
    assert!(traceparent(&trace).is_ok());
    let article: serde_json::Value = serde_json::from_slice(records[0].payload().unwrap()).unwrap();
    assert_eq!(article["html"], "<p>The storm has passed.</p>");
}

#[test]
fn connect_has_the_shape_of_a_connector() {
    let connector: serde_json::Value = serde_json::from_str(blocks("json")[0]).unwrap();
    assert!(connector["name"].is_string());
    let config = connector["config"].as_object().unwrap();
    assert!(
        config.values().all(serde_json::Value::is_string),
        "Connect takes strings only"
    );
    for (key, value) in [
        (
            "value.converter",
            "org.apache.kafka.connect.storage.StringConverter",
        ),
        ("producer.override.acks", "all"),
        ("topic", "articles.raw"),
    ] {
        assert_eq!(config[key], value);
    }
    // The limit is the one of the topics that `copydesk feed` creates.
    assert_eq!(
        config["producer.override.max.request.size"],
        (9 << 20).to_string()
    );
    for example in blocks("sh").iter().chain(&blocks("python")) {
        if example.contains("message.max.bytes") {
            assert!(example.contains(&(9 << 20).to_string()));
        }
    }
}

#[test]
fn trace_contexts_are_whole() {
    let shown: Vec<_> = PAGE
        .match_indices("00-0af")
        .map(|(at, _)| PAGE.get(at..at + 55).unwrap())
        .collect();
    assert_eq!(shown.len(), 2);
    assert!(shown.iter().all(|t| traceparent(t).is_ok()));
}
