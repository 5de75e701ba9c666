//! What is sent besides storing: the dead-letter topic, the topic of clean articles, the channel of NOTIFY.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use copydesk_testkit::{ArticleGenerator, Copydesk, Outgoing, Received, ScratchTopic, kafka_brokers};
use copydesk_tests::Pipeline;
use serde_json::Value;
use sqlx::postgres::PgListener;

pub(crate) const PARTITIONS: i32 = 2;
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// `copydesk` with both topics, under names that are this test's own; they do not exist yet.
pub(crate) fn with_outputs(pipeline: &Pipeline) -> (Copydesk, String, String) {
    let (clean, dead) = (
        format!("{}.clean", pipeline.topic.name()),
        format!("{}.dead", pipeline.topic.name()),
    );
    let copydesk = pipeline
        .copydesk
        .clone()
        .with("COPYDESK_OUTPUTS_ARTICLES_TOPIC", &clean)
        .with("COPYDESK_OUTPUTS_DEAD_LETTER_TOPIC", &dead);
    (copydesk, clean, dead)
}

pub(crate) async fn wait_until_empty(pipeline: &Pipeline, patience: Duration) {
    let until = Instant::now() + patience;
    loop {
        let left = pipeline.count("SELECT count(*) FROM outbox").await;
        if left == 0 {
            return;
        }
        assert!(Instant::now() < until, "{left} messages still wait in the outbox");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

pub(crate) fn json(record: &Received) -> Value {
    serde_json::from_slice(record.value.as_deref().unwrap()).unwrap()
}

/// (partition, offset) of the source.
pub(crate) fn source_of(record: &Received) -> (i64, i64) {
    let value = json(record);
    (
        value["partition"].as_i64().unwrap(),
        value["offset"].as_i64().unwrap(),
    )
}

/// Where the message of a dead letter stood.
pub(crate) fn died_at(record: &Received) -> (i32, i64) {
    let text = |name| std::str::from_utf8(record.header(name).unwrap()).unwrap();
    (
        text("__connect.errors.partition").parse().unwrap(),
        text("__connect.errors.offset").parse().unwrap(),
    )
}

/// Good and bad messages in turn: `count` of each.
pub(crate) async fn produce(pipeline: &Pipeline, seed: u64, count: usize) {
    let mut generator = ArticleGenerator::new(seed);
    let mut records = Vec::new();
    for n in 0..count {
        let partition = Some(i32::try_from(n).unwrap() % PARTITIONS);
        records.push(Outgoing {
            partition,
            ..Outgoing::value(generator.envelope("good.example", n + 1_000 * seed as usize))
        });
        records.push(Outgoing {
            partition,
            key: Some(format!("key {n}")),
            headers: vec![("x-crawl".into(), vec![0, 255, u8::try_from(n % 250).unwrap()])],
            payload: Some(format!("{{\"broken\": {n}").into_bytes()),
        });
    }
    pipeline.topic.produce(records).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_topics_have_each_message_once_in_order_as_it_was() {
    let pipeline = Pipeline::new("outputs", PARTITIONS).await;
    let (copydesk, clean, dead) = with_outputs(&pipeline);
    let copydesk = copydesk.with("COPYDESK_KAFKA_PARTITIONS", "3");
    let said = copydesk.ok(&["doctor", "--fix"]);
    assert!(said.contains(&clean) && said.contains(&dead), "{said}");
    let clean = ScratchTopic::named(&kafka_brokers(), &clean);
    let dead = ScratchTopic::named(&kafka_brokers(), &dead);
    produce(&pipeline, 1, 40).await;
    // A copy of another site, a new version, a repeat.
    let body = "The ferry to the outer islands sails again on Monday, after three weeks at the yard.\\n\\nIts owner said \
        that the new engine had passed every test, and that the timetable stays as it was before the summer.";
    let envelope = |site: &str, title: &str, more: &str| Outgoing {
        partition: Some(0),
        ..Outgoing::value(format!(
            "{{\"url\": \"https://{site}/ferry\", \"title\": \"{title}\", \"text\": \"{body}{more}\", \"desk\": {{\"night\": null}}}}"
        ))
    };
    pipeline
        .topic
        .produce([
            envelope("quay.example", "Ferry sails", ""),
            envelope("copy.example", "Ferry sails", ""),
            envelope(
                "quay.example",
                "Ferry sails",
                "\\n\\nThe first boat leaves at six.",
            ),
            envelope(
                "quay.example",
                "Ferry sails",
                "\\n\\nThe first boat leaves at six.",
            ),
        ])
        .await;
    copydesk.ok(&["worker", "--until-end"]);
    pipeline.assert_every_offset_once(84).await;
    assert_eq!(pipeline.count("SELECT count(*) FROM outbox").await, 0);

    // Articles: one message for each article and version, none for the repeat; keyed by story.
    let articles = clean.records().await;
    assert_eq!(articles.len(), 43);
    let verdicts: Vec<(i64, String)> = sqlx::query_as(
        "SELECT \"offset\", verdict FROM sighting WHERE partition = 0 AND \"offset\" >= 40 ORDER BY 1",
    )
    .fetch_all(&pipeline.db)
    .await
    .unwrap();
    let verdicts: Vec<&str> = verdicts.iter().map(|(_, v)| v.as_str()).collect();
    assert_eq!(
        verdicts,
        ["new_article", "exact_copy", "new_version", "unchanged"]
    );
    let mut last: BTreeMap<(i32, i64), i64> = BTreeMap::new();
    for record in &articles {
        let value = json(record);
        assert_eq!(
            record.key.as_deref().unwrap(),
            value["story_id"].to_string().as_bytes(),
            "keyed by story"
        );
        let (partition, offset) = source_of(record);
        let before = last.insert((record.partition, partition), offset);
        assert!(before < Some(offset), "in the order of the source");
    }
    let ferry: Vec<Value> = articles
        .iter()
        .map(json)
        .filter(|v| v["title"] == "Ferry sails")
        .collect();
    assert_eq!(ferry.len(), 3);
    assert_eq!(
        ferry[0]["story_id"], ferry[2]["story_id"],
        "the version stays in its story"
    );
    assert_eq!(ferry[1]["linked_to"], ferry[0]["article_id"]);
    assert_eq!(
        (&ferry[1]["relation"], &ferry[1]["verdict"]),
        (&"exact_copy".into(), &"exact_copy".into())
    );
    // Both versions came in one batch: each message has the text of its own.
    assert_eq!(
        (&ferry[0]["version"], &ferry[2]["version"]),
        (&1.into(), &2.into())
    );
    let ends = |n: usize, with: &str| ferry[n]["body"].as_str().unwrap().ends_with(with);
    assert!(ends(0, "before the summer.") && ends(2, "leaves at six."));
    assert_eq!(ferry[2]["extra"], serde_json::json!({"desk": {"night": null}}));
    // The contract is that of the view.
    let columns: Vec<String> = sqlx::query_scalar(
        "SELECT attname::text FROM pg_attribute WHERE attrelid = 'articles'::regclass AND attnum > 0",
    )
    .fetch_all(&pipeline.db)
    .await
    .unwrap();
    let expected: BTreeSet<String> = columns
        .into_iter()
        .chain(["topic", "partition", "offset", "verdict"].map(str::to_owned))
        .collect();
    let fields: BTreeSet<String> = ferry[1].as_object().unwrap().keys().cloned().collect();
    assert_eq!(fields, expected);

    // Dead letters: key, value and headers as they came, and where they came from.
    let letters = dead.records().await;
    assert_eq!(letters.len(), 40);
    let mut last: BTreeMap<i32, i64> = BTreeMap::new();
    for record in &letters {
        let (partition, offset) = died_at(record);
        assert_eq!(record.partition, partition % 3);
        assert!(
            last.insert(partition, offset) < Some(offset),
            "in the order of the source"
        );
        let n = offset / 2 * i64::from(PARTITIONS) + i64::from(partition);
        assert_eq!(record.key.as_deref(), Some(format!("key {n}").as_bytes()));
        assert_eq!(
            record.value.as_deref(),
            Some(format!("{{\"broken\": {n}").as_bytes())
        );
        assert_eq!(
            record.headers[0],
            ("x-crawl".to_owned(), vec![0, 255, u8::try_from(n).unwrap()])
        );
        assert_eq!(
            record.header("kafka_dlt-original-offset").unwrap(),
            offset.to_be_bytes()
        );
        assert_eq!(record.header("copydesk.reason").unwrap(), b"bad_json");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn listeners_hear_which_offsets_brought_articles_and_nothing_when_it_is_off() {
    let pipeline = Pipeline::new("notify", 1).await;
    let mut listener = PgListener::connect(pipeline.database_url()).await.unwrap();
    listener.listen("copydesk_articles").await.unwrap();
    // Off: not a word, and nothing in the outbox.
    pipeline.produce_articles(10, 5, 1).await;
    pipeline.run_to_end();
    assert_eq!(pipeline.count("SELECT count(*) FROM outbox").await, 0);
    pipeline.produce_articles(11, 20, 1).await;
    pipeline
        .copydesk
        .clone()
        .with("COPYDESK_OUTPUTS_NOTIFY", "true")
        .ok(&["worker", "--until-end"]);
    let mut heard = 0;
    let mut next = 5;
    while heard < 20 {
        let notification = listener.recv().await.unwrap();
        let said: Value = serde_json::from_str(notification.payload()).unwrap();
        assert_eq!(said["topic"], pipeline.topic.name());
        assert_eq!(
            said["from_offset"], next,
            "the first word is about what came when it was on: {said}"
        );
        next = said["to_offset"].as_i64().unwrap();
        heard += said["articles"].as_i64().unwrap();
    }
    assert_eq!((heard, next), (20, 25));
}
