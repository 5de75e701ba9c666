//! The publisher of the output topics when something goes wrong: killed, run twice, without a broker or a
//! topic, with messages that are too large or were settled meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use copydesk_testkit::{ArticleGenerator, Outgoing, PrivateKafka, Received, ScratchTopic, kafka_brokers};
use copydesk_tests::Pipeline;
use serde_json::Value;

use crate::outputs::{
    PARTITIONS, PATIENCE, died_at, json, produce, source_of, wait_until_empty, with_outputs,
};

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
    assert_eq!(articles.iter().map(source_of).collect::<BTreeSet<_>>().len(), 60);
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
    // Long enough for a round to fail because no broker answers.
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
            .map(source_of)
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
        "replayed ones are articles, and are sent as such"
    );
    copydesk.ok(&["doctor", "--fix"]);
    copydesk.ok(&["worker", "--until-end"]);
    assert_eq!(pipeline.count("SELECT count(*) FROM outbox").await, 0);
    let clean = ScratchTopic::named(&kafka_brokers(), &clean);
    let dead = ScratchTopic::named(&kafka_brokers(), &dead);
    let offsets: Vec<i64> = dead.records().await.iter().map(|r| died_at(r).1).collect();
    assert_eq!(offsets, [5, 6, 7, 8, 9]);
    let mut offsets: Vec<i64> = clean.records().await.iter().map(|r| source_of(r).1).collect();
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
        articles.insert(source_of(&record).1, json(&record));
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
