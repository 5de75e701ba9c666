//! What is told besides storing: the dead-letter topic, the topic of clean articles, the channel of NOTIFY.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use copydesk_testkit::{
    ArticleGenerator, Copydesk, Outgoing, PrivateKafka, Received, ScratchTopic, kafka_brokers,
};
use copydesk_tests::Pipeline;
use serde_json::Value;
use sqlx::postgres::PgListener;

const PARTITIONS: i32 = 2;
const PATIENCE: Duration = Duration::from_secs(90);

/// `copydesk` with both topics, under names that are this test's own; they do not exist yet.
fn with_outputs(pipeline: &Pipeline) -> (Copydesk, String, String) {
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

async fn wait_until_empty(pipeline: &Pipeline, patience: Duration) {
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

fn json(record: &Received) -> Value {
    serde_json::from_slice(record.value.as_deref().unwrap()).unwrap()
}

/// (partition, offset) of the source.
fn told(record: &Received) -> (i64, i64) {
    let value = json(record);
    (
        value["partition"].as_i64().unwrap(),
        value["offset"].as_i64().unwrap(),
    )
}

/// Where the message of a dead letter stood.
fn died_at(record: &Received) -> (i32, i64) {
    let text = |name| std::str::from_utf8(record.header(name).unwrap()).unwrap();
    (
        text("__connect.errors.partition").parse().unwrap(),
        text("__connect.errors.offset").parse().unwrap(),
    )
}

/// Good and bad messages in turn: `count` of each.
async fn produce(pipeline: &Pipeline, seed: u64, count: usize) {
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
        let (partition, offset) = told(record);
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
async fn a_publisher_that_is_killed_between_produce_and_mark_loses_nothing() {
    let pipeline = Pipeline::new("killed", PARTITIONS).await;
    let (copydesk, clean, dead) = with_outputs(&pipeline);
    copydesk.ok(&["doctor", "--fix"]);
    let clean = ScratchTopic::named(&kafka_brokers(), &clean);
    let dead = ScratchTopic::named(&kafka_brokers(), &dead);
    // Rows cannot be deleted while the test holds this lock: the publisher stands between Kafka's word and the commit.
    sqlx::raw_sql(
        "CREATE FUNCTION stand_still() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN PERFORM pg_advisory_xact_lock_shared(4711); RETURN OLD; END $$;
         CREATE TRIGGER stand_still BEFORE DELETE ON outbox FOR EACH ROW EXECUTE FUNCTION stand_still()",
    )
    .execute(&pipeline.db)
    .await
    .unwrap();
    let mut barrier = pipeline.db.acquire().await.unwrap();
    sqlx::query("SELECT pg_advisory_lock(4711)")
        .execute(&mut *barrier)
        .await
        .unwrap();
    produce(&pipeline, 2, 60).await;
    for _ in 0..2 {
        let before = (clean.messages().await, dead.messages().await);
        let mut worker = copydesk.start(&["worker"]);
        pipeline.wait_for(120, PATIENCE, &[&worker]).await;
        let until = Instant::now() + PATIENCE;
        while clean.messages().await == before.0 || dead.messages().await == before.1 {
            assert!(Instant::now() < until, "nothing is published\n{}", worker.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        worker.kill_9();
        assert_eq!(
            pipeline.count("SELECT count(*) FROM outbox").await,
            120,
            "nothing is marked"
        );
    }
    sqlx::query("SELECT pg_advisory_unlock(4711)")
        .execute(&mut *barrier)
        .await
        .unwrap();
    drop(barrier);
    // Two at once take turns; neither publishes what the other does.
    let mut workers = [copydesk.start(&["worker"]), copydesk.start(&["worker"])];
    wait_until_empty(&pipeline, PATIENCE).await;
    for worker in &mut workers {
        worker.stop(Duration::from_secs(30));
    }
    let articles = clean.records().await;
    let letters = dead.records().await;
    assert!(
        articles.len() > 60 && letters.len() > 60,
        "the killed ones had published"
    );
    assert_eq!(articles.iter().map(told).collect::<BTreeSet<_>>().len(), 60);
    assert_eq!(letters.iter().map(died_at).collect::<BTreeSet<_>>().len(), 60);
    // The last sight of each message is in the order of the source.
    for source in 0..i64::from(PARTITIONS) {
        let mut seen: BTreeMap<i64, usize> = BTreeMap::new();
        for (n, record) in letters.iter().enumerate() {
            let (partition, offset) = died_at(record);
            if i64::from(partition) == source {
                seen.insert(offset, n);
            }
        }
        let places: Vec<usize> = seen.into_values().collect();
        assert!(places.is_sorted(), "{places:?}");
    }
    pipeline.assert_every_offset_once(120).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_publishers_do_not_do_the_work_twice() {
    let pipeline = Pipeline::new("pair", PARTITIONS).await;
    let (copydesk, clean, dead) = with_outputs(&pipeline);
    copydesk.ok(&["doctor", "--fix"]);
    let clean = ScratchTopic::named(&kafka_brokers(), &clean);
    let dead = ScratchTopic::named(&kafka_brokers(), &dead);
    let small = copydesk.with("COPYDESK_WORKER_BATCH_ARTICLES", "10");
    let mut workers = [small.start(&["worker"]), small.start(&["worker"])];
    for seed in 3..7 {
        produce(&pipeline, seed, 100).await;
    }
    pipeline
        .wait_for(800, PATIENCE, &[&workers[0], &workers[1]])
        .await;
    wait_until_empty(&pipeline, PATIENCE).await;
    for worker in &mut workers {
        worker.stop(Duration::from_secs(30));
    }
    assert_eq!(
        (clean.messages().await, dead.messages().await),
        (400, 400),
        "none twice"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_down_and_a_topic_that_is_missing_are_waited_for() {
    let mut kafka = PrivateKafka::start().await;
    let pipeline = Pipeline::at(&kafka.brokers(), "down", PARTITIONS).await;
    let (copydesk, clean, dead) = with_outputs(&pipeline);
    let mut worker = copydesk.start(&["worker"]);
    produce(&pipeline, 8, 30).await;
    pipeline.wait_for(60, PATIENCE, &[&worker]).await;
    let until = Instant::now() + PATIENCE;
    while !worker.log().contains("doctor --fix") {
        assert!(
            Instant::now() < until,
            "it must say what is missing\n{}",
            worker.log()
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    kafka.kill_9();
    // Long enough for a round to fail for want of a broker.
    while !worker.log().contains("is Kafka up") {
        assert!(
            Instant::now() < until,
            "it must say that Kafka is away\n{}",
            worker.log()
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(pipeline.count("SELECT count(*) FROM outbox").await, 60);
    kafka.start_again().await;
    copydesk.ok(&["doctor", "--fix"]);
    wait_until_empty(&pipeline, PATIENCE).await;
    assert!(worker.ended().is_none(), "{}", worker.log());
    worker.stop(Duration::from_secs(30));
    let clean = ScratchTopic::named(&kafka.brokers(), &clean);
    let dead = ScratchTopic::named(&kafka.brokers(), &dead);
    assert_eq!(
        clean
            .records()
            .await
            .iter()
            .map(told)
            .collect::<BTreeSet<_>>()
            .len(),
        30
    );
    assert_eq!(
        dead.records()
            .await
            .iter()
            .map(died_at)
            .collect::<BTreeSet<_>>()
            .len(),
        30
    );
    pipeline.assert_every_offset_once(60).await;
    assert_eq!(
        pipeline.count("SELECT count(*) FROM quarantine").await,
        30,
        "an outage quarantines nothing"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_replayed_before_it_was_published_is_no_dead_letter_what_was_discarded_is() {
    let pipeline = Pipeline::new("settled", 1).await;
    let (copydesk, clean, dead) = with_outputs(&pipeline);
    let rules = std::env::temp_dir().join(format!("copydesk-outputs-{}.toml", std::process::id()));
    std::fs::write(
        &rules,
        "[[rule]]\nname = \"too-eager\"\nmatch = \"within\"\naction = \"line\"\nsure = true\nlongest = 10000\nphrases = [\"about the quay\"]\n",
    )
    .unwrap();
    let mut records: Vec<Outgoing> = (0..5)
        .map(|n| {
            Outgoing::value(format!(
                "{{\"url\": \"https://quay.example/{n}\", \"text\": \"The {n} people who live here have much to say about the quay \
                 and what became of it.\"}}"
            ))
        })
        .collect();
    records.extend((0..5).map(|_| Outgoing::value("{")));
    pipeline.topic.produce(records).await;
    // The topics do not exist, so nothing is published yet.
    let mut worker = copydesk
        .clone()
        .with("COPYDESK_CLEAN_RULES_FILE", rules.to_str().unwrap())
        .start(&["worker"]);
    pipeline.wait_for(10, PATIENCE, &[&worker]).await;
    worker.stop(Duration::from_secs(30));
    std::fs::remove_file(&rules).unwrap();
    assert_eq!(
        pipeline
            .count("SELECT count(*) FROM outbox WHERE output = 'dead_letters'")
            .await,
        10
    );
    copydesk.ok(&["quarantine", "replay", "--reason", "no_article"]);
    copydesk.ok(&["quarantine", "discard", "--reason", "bad_json"]);
    assert_eq!(
        pipeline
            .count("SELECT waiting FROM outbox_status WHERE output = 'articles'")
            .await,
        5,
        "replayed ones are articles, and are told of as such"
    );
    copydesk.ok(&["doctor", "--fix"]);
    copydesk.ok(&["worker", "--until-end"]);
    assert_eq!(pipeline.count("SELECT count(*) FROM outbox").await, 0);
    let clean = ScratchTopic::named(&kafka_brokers(), &clean);
    let dead = ScratchTopic::named(&kafka_brokers(), &dead);
    let offsets: Vec<i64> = dead.records().await.iter().map(|r| died_at(r).1).collect();
    assert_eq!(offsets, [5, 6, 7, 8, 9]);
    let mut offsets: Vec<i64> = clean.records().await.iter().map(|r| told(r).1).collect();
    offsets.sort_unstable();
    assert_eq!(offsets, [0, 1, 2, 3, 4]);
    pipeline.assert_every_offset_once(10).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_for_the_topic_goes_without_its_value_and_alone() {
    let pipeline = Pipeline::new("large", 1).await;
    let (copydesk, clean, dead) = with_outputs(&pipeline);
    copydesk.ok(&["doctor", "--fix"]);
    let clean = ScratchTopic::named(&kafka_brokers(), &clean);
    let dead = ScratchTopic::named(&kafka_brokers(), &dead);
    for topic in [&clean, &dead] {
        topic.configure("max.message.bytes", "20000").await;
    }
    // Text that compression does not make small: random words.
    let mut random = ArticleGenerator::new(9);
    let mut noise = |n: usize| -> String {
        let letter =
            |random: &mut ArticleGenerator| char::from(b'a' + u8::try_from(random.below(26)).unwrap());
        (0..n)
            .map(|i| if i % 9 == 8 { ' ' } else { letter(&mut random) })
            .collect()
    };
    let mut records = Vec::new();
    for n in 0..7 {
        let long = if n == 3 { 60_000 } else { 300 };
        let article = format!(
            "{{\"url\": \"https://quay.example/{n}\", \"title\": \"Number {n}\", \"text\": \"The quay {}.\"}}",
            noise(long)
        );
        records.push(Outgoing::value(article));
        records.push(Outgoing::value(format!("{{\"broken\": \"{}", noise(long))));
    }
    pipeline.topic.produce(records).await;
    copydesk.ok(&["worker", "--until-end"]);
    pipeline.assert_every_offset_once(14).await;
    assert_eq!(pipeline.count("SELECT count(*) FROM outbox").await, 0);
    let mut articles: BTreeMap<i64, Value> = BTreeMap::new();
    for record in clean.records().await {
        articles.insert(told(&record).1, json(&record));
    }
    assert_eq!(
        articles.len() as i64,
        pipeline.count("SELECT count(*) FROM article").await
    );
    for (offset, value) in &articles {
        assert_eq!(value["body"].is_null(), *offset == 6, "{offset}: {value}");
        assert_eq!(value.get("omitted").is_some(), *offset == 6);
    }
    let letters: BTreeMap<i64, Received> = dead
        .records()
        .await
        .into_iter()
        .map(|r| (died_at(&r).1, r))
        .collect();
    assert_eq!(letters.len(), 7);
    for (offset, record) in &letters {
        assert_eq!(record.value.is_none(), *offset == 7);
        assert_eq!(record.header("copydesk.value-omitted").is_some(), *offset == 7);
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
