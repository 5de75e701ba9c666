//! Topics that change under the ledger: retention, deletion, growth; and a database from an older backup.

use std::time::Duration;

use copydesk_testkit::Outgoing;
use copydesk_tests::Pipeline;

const PATIENCE: Duration = Duration::from_secs(90);

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_range_stops_the_worker_or_is_recorded() {
    let pipeline = Pipeline::new("lostrange", 2).await;
    pipeline.produce_articles(71, 40, 2).await;
    pipeline.run_to_end();
    pipeline.produce_articles(72, 40, 2).await;
    // Retention takes five of partition 0 that nobody has read.
    pipeline.topic.delete_records(0, 25).await;
    let output = pipeline.copydesk.run(&["worker", "--until-end"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "it must stop:\n{said}");
    assert!(
        said.contains("from 20 to 25") && said.contains("on_lost_range"),
        "it must say what is gone and what to do:\n{said}"
    );
    assert_eq!(
        pipeline
            .count("SELECT next_offset FROM partition_progress WHERE partition = 0")
            .await,
        20,
        "and nothing has moved there"
    );
    let skipping = pipeline
        .copydesk
        .clone()
        .with("COPYDESK_WORKER_ON_LOST_RANGE", "skip");
    skipping.ok(&["worker", "--until-end"]);
    pipeline.assert_every_offset_once(75).await;
    assert_eq!(
        pipeline
            .count(
                "SELECT count(*) FROM gap WHERE reason = 'retention' AND from_offset = 20 AND to_offset = 25"
            )
            .await,
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recreated_topic_stops_the_worker_and_skips_nothing() {
    let pipeline = Pipeline::new("recreated", 1).await;
    pipeline.produce_articles(73, 30, 1).await;
    pipeline.run_to_end();
    pipeline.topic.recreate(1).await;
    pipeline.produce_articles(74, 10, 1).await;
    let mut worker = pipeline.start_worker();
    let status = worker.wait(PATIENCE);
    assert!(!status.success(), "it must stop:\n{}", worker.log());
    assert!(worker.log().contains("created"), "{}", worker.log());
    pipeline.assert_every_offset_once(30).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn new_partitions_are_read_from_their_beginning() {
    let pipeline = Pipeline::new("grown", 1).await;
    let curious = pipeline.copydesk.clone().with(
        "COPYDESK_KAFKA_PROPERTIES",
        "topic.metadata.refresh.interval.ms=1000",
    );
    let mut worker = curious.start(&["worker"]);
    pipeline.produce_articles(75, 30, 1).await;
    pipeline.wait_for(30, PATIENCE, &[&worker]).await;
    pipeline.topic.grow_to(4).await;
    // At once, before the worker can know of them.
    pipeline.produce_articles(76, 80, 4).await;
    pipeline.wait_for(110, PATIENCE, &[&worker]).await;
    worker.stop(Duration::from_secs(30));
    pipeline.assert_every_offset_once(110).await;
    assert_eq!(
        pipeline
            .count("SELECT count(*) FROM partition_progress WHERE first_offset = 0")
            .await,
        4
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_backup_rewinds_the_stream_by_itself() {
    let pipeline = Pipeline::new("backup", 3).await;
    pipeline.produce_articles(77, 90, 3).await;
    // One that is bad, so that quarantine goes back as well.
    pipeline.topic.produce([Outgoing::value("{")]).await;
    pipeline.run_to_end();
    let original = pipeline.database_name();
    let backup = format!("{original}_backup");
    let copy = |from: String, to: String| async move {
        let admin = sqlx::PgPool::connect(&copydesk_testkit::database_url())
            .await
            .unwrap();
        let sql = format!("CREATE DATABASE \"{to}\" TEMPLATE \"{from}\"");
        sqlx::raw_sql(&sql).execute(&admin).await.unwrap();
    };
    pipeline.db.close().await;
    copy(original.clone(), backup.clone()).await;
    // Life goes on behind the backup, with new versions of old articles.
    pipeline.produce_articles(78, 90, 3).await;
    pipeline.run_to_end();
    let lost = sqlx::PgPool::connect(pipeline.database_url()).await.unwrap();
    let articles: i64 = sqlx::query_scalar("SELECT count(*) FROM article")
        .fetch_one(&lost)
        .await
        .unwrap();
    lost.close().await;
    // The disaster: only the backup is left.
    let url = pipeline.database_url().replace(&original, &backup);
    let restored = pipeline.copydesk.clone().at_database(&url);
    restored.ok(&["worker", "--until-end"]);
    let said = restored.ok(&["audit"]);
    let db = sqlx::PgPool::connect(&url).await.unwrap();
    let counts: (i64, i64, i64) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM sighting), (SELECT count(*) FROM quarantine), (SELECT count(*) FROM article)",
    )
    .fetch_one(&db)
    .await
    .unwrap();
    db.close().await;
    let admin = sqlx::PgPool::connect(&copydesk_testkit::database_url())
        .await
        .unwrap();
    let sql = format!("DROP DATABASE \"{backup}\" WITH (FORCE)");
    sqlx::raw_sql(&sql).execute(&admin).await.unwrap();
    assert!(said.contains("clean"), "{said}");
    assert_eq!((counts.0, counts.1), (180, 1));
    assert_eq!(counts.2, articles, "every article once");
}
