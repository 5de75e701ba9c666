//! Servers that crash, refuse, crawl or cut the line: the worker waits, nothing is quarantined, every offset once.

use std::time::{Duration, Instant};

use copydesk_testkit::{ArticleGenerator, PrivateKafka, PrivatePostgres, Proxy, Running, kafka_brokers};
use copydesk_tests::Pipeline;

const PARTITIONS: i32 = 3;
const PATIENCE: Duration = Duration::from_secs(120);

/// Everything is stored once, and nothing was taken for bad input.
async fn assert_unharmed(pipeline: &Pipeline, messages: i64) {
    pipeline.assert_every_offset_once(messages).await;
    assert_eq!(
        pipeline.count("SELECT count(*) FROM quarantine").await,
        0,
        "an outage must not quarantine"
    );
    assert_eq!(
        pipeline.count("SELECT count(*) FROM article").await,
        messages,
        "no article twice"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_crashes_in_the_middle_again_and_again() {
    let mut postgres = PrivatePostgres::start().await;
    let pipeline = Pipeline::on(&kafka_brokers(), &postgres.url(), "pgcrash", PARTITIONS).await;
    let messages = 1_500;
    pipeline.produce_articles(61, messages, PARTITIONS).await;
    let mut random = ArticleGenerator::new(610);
    let mut worker = pipeline
        .copydesk
        .clone()
        .with("COPYDESK_WORKER_BATCH_ARTICLES", "20")
        .start(&["worker"]);
    for _ in 0..4 {
        let before = pipeline.try_done().await.unwrap_or(0);
        pipeline.wait_for(before + 1, PATIENCE, &[&worker]).await;
        tokio::time::sleep(Duration::from_millis(random.below(150) as u64)).await;
        postgres.stop_immediate();
        tokio::time::sleep(Duration::from_millis(random.below(800) as u64)).await;
        postgres.start_again().await;
        assert!(worker.ended().is_none(), "it must wait\n{}", worker.log());
    }
    pipeline.wait_for(messages as i64, PATIENCE, &[&worker]).await;
    worker.stop(Duration::from_secs(30));
    assert_unharmed(&pipeline, messages as i64).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn backends_are_terminated_in_mid_flush() {
    let pipeline = Pipeline::new("terminate", PARTITIONS).await;
    let messages = 1_200;
    pipeline.produce_articles(62, messages, PARTITIONS).await;
    let mut worker = pipeline
        .copydesk
        .clone()
        .with("COPYDESK_WORKER_BATCH_ARTICLES", "20")
        .start(&["worker"]);
    pipeline.wait_for(1, PATIENCE, &[&worker]).await;
    let mut terminated = 0;
    for _ in 0..25 {
        // Those that are within a transaction: that is what hurts.
        terminated += pipeline
            .count(
                "SELECT count(*) FROM (SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE datname = current_database() AND application_name = 'copydesk' AND xact_start IS NOT NULL) x",
            )
            .await;
        tokio::time::sleep(Duration::from_millis(120)).await;
        if pipeline.done().await >= messages as i64 {
            break;
        }
    }
    assert!(terminated > 0, "at least one transaction must have been hit");
    pipeline.wait_for(messages as i64, PATIENCE, &[&worker]).await;
    assert!(worker.ended().is_none(), "{}", worker.log());
    worker.stop(Duration::from_secs(30));
    assert_unharmed(&pipeline, messages as i64).await;
}

/// Until the worker's log has this twice: it has tried, waited, and tried again.
async fn wait_for_words(worker: &Running, words: &str) {
    let until = Instant::now() + PATIENCE;
    let before = worker.log().matches(words).count();
    while worker.log().matches(words).count() < before + 2 {
        assert!(Instant::now() < until, "{words}:\n{}", worker.log());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_read_only_or_a_standby_is_waited_for() {
    let mut postgres = PrivatePostgres::start().await;
    let pipeline = Pipeline::on(&kafka_brokers(), &postgres.url(), "readonly", PARTITIONS).await;
    let mut worker = pipeline.copydesk.start(&["worker"]);
    pipeline.produce_articles(680, 50, PARTITIONS).await;
    pipeline.wait_for(50, PATIENCE, &[&worker]).await;
    // An administrator stops all writing.
    let read_only = |how: &'static str| {
        let db = pipeline.db.clone();
        async move {
            // ALTER SYSTEM cannot run within a transaction, as two statements in one call would.
            sqlx::query(how).execute(&db).await.unwrap();
            sqlx::query("SELECT pg_reload_conf()").execute(&db).await.unwrap();
        }
    };
    read_only("ALTER SYSTEM SET default_transaction_read_only = on").await;
    pipeline.produce_articles(681, 50, PARTITIONS).await;
    wait_for_words(&worker, "25006").await;
    assert_eq!(pipeline.done().await, 50);
    read_only("ALTER SYSTEM SET default_transaction_read_only = off").await;
    pipeline.wait_for(100, PATIENCE, &[&worker]).await;
    // A failover, and the address leads to a standby for a while.
    postgres.become_standby().await;
    pipeline.produce_articles(682, 50, PARTITIONS).await;
    wait_for_words(&worker, "25006").await;
    assert_eq!(pipeline.done().await, 100);
    assert!(worker.ended().is_none(), "it must wait\n{}", worker.log());
    pipeline.count("SELECT pg_promote()::int4::int8").await;
    pipeline.wait_for(150, PATIENCE, &[&worker]).await;
    worker.stop(Duration::from_secs(30));
    assert_unharmed(&pipeline, 150).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_full_is_waited_for() {
    let postgres = match PrivatePostgres::start_with_small_disk("48m").await {
        Ok(postgres) => postgres,
        Err(why) => {
            // The test below has the same SQLSTATE from a trigger, on every machine.
            println!(
                "NOT RUN: this machine does not let a user mount a small disk in a namespace of its own: {why}"
            );
            return;
        }
    };
    let admin = sqlx::PgPool::connect(&postgres.url()).await.unwrap();
    for sql in [
        format!(
            "CREATE TABLESPACE small LOCATION '{}'",
            postgres.small_disk().display()
        ),
        "CREATE DATABASE full_disk TEMPLATE template0 ENCODING 'UTF8' TABLESPACE small".to_owned(),
    ] {
        sqlx::query(&sql).execute(&admin).await.unwrap();
    }
    let url = postgres
        .url()
        .replace("/postgres", "/full_disk")
        .replace("//full_disk@", "//postgres@");
    let pipeline = Pipeline::on(&kafka_brokers(), &url, "diskfull", PARTITIONS).await;
    let mut worker = pipeline.copydesk.start(&["worker"]);
    pipeline.produce_articles(690, 30, PARTITIONS).await;
    pipeline.wait_for(30, PATIENCE, &[&worker]).await;
    // Everything that is left.
    sqlx::query("CREATE TABLE ballast (filling text)")
        .execute(&pipeline.db)
        .await
        .unwrap();
    sqlx::query("ALTER TABLE ballast ALTER COLUMN filling SET STORAGE PLAIN")
        .execute(&pipeline.db)
        .await
        .unwrap();
    for pages in [100, 1] {
        let fill = format!("INSERT INTO ballast SELECT repeat('x', 8000) FROM generate_series(1, {pages})");
        let error = loop {
            if let Err(error) = sqlx::query(&fill).execute(&pipeline.db).await {
                break error;
            }
        };
        let state = error
            .as_database_error()
            .and_then(|e| e.code().map(std::borrow::Cow::into_owned));
        assert_eq!(state.as_deref(), Some("53100"), "{error}");
    }
    pipeline.produce_articles(691, 150, PARTITIONS).await;
    wait_for_words(&worker, "53100").await;
    let stored = pipeline.done().await;
    assert!(stored < 180, "the disk was not full");
    assert_eq!(pipeline.count("SELECT count(*) FROM quarantine").await, 0);
    assert!(worker.ended().is_none(), "it must wait\n{}", worker.log());
    sqlx::query("DROP TABLE ballast")
        .execute(&pipeline.db)
        .await
        .unwrap();
    pipeline.wait_for(180, PATIENCE, &[&worker]).await;
    worker.stop(Duration::from_secs(30));
    assert_unharmed(&pipeline, 180).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_is_restored_under_a_running_worker_is_noticed() {
    let mut postgres = PrivatePostgres::start().await;
    let pipeline = Pipeline::on(&kafka_brokers(), &postgres.url(), "restore", PARTITIONS).await;
    let mut worker = pipeline.copydesk.start(&["worker"]);
    pipeline.produce_articles(700, 120, PARTITIONS).await;
    pipeline.wait_for(120, PATIENCE, &[&worker]).await;
    postgres.stop_immediate();
    postgres.back_up();
    postgres.start_again().await;
    pipeline.produce_articles(701, 120, PARTITIONS).await;
    pipeline.wait_for(240, PATIENCE, &[&worker]).await;
    // The worker has the same claim, and is ahead of the ledger that comes back.
    postgres.stop_immediate();
    postgres.restore();
    postgres.start_again().await;
    pipeline.produce_articles(702, 30, PARTITIONS).await;
    pipeline.wait_for(270, PATIENCE, &[&worker]).await;
    assert!(worker.ended().is_none(), "{}", worker.log());
    worker.stop(Duration::from_secs(30));
    assert_unharmed(&pipeline, 270).await;
    assert_eq!(
        pipeline.count("SELECT count(*) FROM gap").await,
        0,
        "nothing counts as never delivered that was"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_refuses_to_write_is_waited_for() {
    let pipeline = Pipeline::new("refusing", PARTITIONS).await;
    let messages = 450;
    // What a full disk, a failover to a standby and a lack of memory answer, at the first and at a later statement
    // of a flush. The tests above have the first two for real; Postgres cannot be made to run out of memory on demand,
    // and which statement hits the end of a disk is chance, so that here each is made to say so where it is wanted.
    let mut worker = pipeline.copydesk.start(&["worker"]);
    for (round, (table, state)) in [
        ("partition_progress", "25006"),
        ("membership", "53100"),
        ("sighting", "53200"),
    ]
    .into_iter()
    .enumerate()
    {
        let refuse = format!(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN RAISE EXCEPTION 'refused by the test' USING ERRCODE = '{state}'; END $$;
             CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON {table} EXECUTE FUNCTION refuse()"
        );
        sqlx::raw_sql(&refuse).execute(&pipeline.db).await.unwrap();
        let seed = 630 + round as u64;
        pipeline.produce_articles(seed, messages / 3, PARTITIONS).await;
        // It has tried, and waits.
        let until = Instant::now() + PATIENCE;
        while worker.log().matches(state).count() < 2 {
            assert!(Instant::now() < until, "{state}:\n{}", worker.log());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(pipeline.done().await, (messages / 3 * round) as i64);
        sqlx::raw_sql("DROP FUNCTION refuse() CASCADE")
            .execute(&pipeline.db)
            .await
            .unwrap();
        pipeline
            .wait_for((messages / 3 * (round + 1)) as i64, PATIENCE, &[&worker])
            .await;
    }
    assert!(worker.ended().is_none(), "{}", worker.log());
    worker.stop(Duration::from_secs(30));
    pipeline.assert_every_offset_once(messages as i64).await;
    assert_eq!(pipeline.count("SELECT count(*) FROM quarantine").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_network_that_is_cut_in_the_middle() {
    let pipeline = Pipeline::new("slow", PARTITIONS).await;
    let messages = 600;
    pipeline.produce_articles(64, messages, PARTITIONS).await;
    let (_, rest) = pipeline.database_url().split_once('@').unwrap();
    let (address, name) = rest.split_once('/').unwrap();
    let proxy = Proxy::to(address);
    let slow = pipeline
        .copydesk
        .clone()
        .at_database(&format!("postgres://postgres@{}/{name}", proxy.address()))
        .with("COPYDESK_WORKER_BATCH_ARTICLES", "20");
    let mut worker = slow.start(&["worker"]);
    pipeline.wait_for(1, PATIENCE, &[&worker]).await;
    // Slow enough that a flush of a dozen round trips is almost always under way when the line is cut.
    proxy.delay(Duration::from_millis(25));
    let mut random = ArticleGenerator::new(640);
    for _ in 0..12 {
        tokio::time::sleep(Duration::from_millis(150 + random.below(500) as u64)).await;
        proxy.cut();
    }
    proxy.delay(Duration::from_millis(2));
    pipeline.wait_for(messages as i64, PATIENCE, &[&worker]).await;
    assert!(worker.ended().is_none(), "{}", worker.log());
    worker.stop(Duration::from_secs(30));
    assert_unharmed(&pipeline, messages as i64).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_goes_away_while_a_worker_starts_is_waited_for() {
    let pipeline = Pipeline::new("starting", 1).await;
    pipeline.produce_articles(68, 20, 1).await;
    let (_, rest) = pipeline.database_url().split_once('@').unwrap();
    let (address, name) = rest.split_once('/').unwrap();
    let proxy = Proxy::to(address);
    // The first connection tries the address and the login; the second reads the version of the schema.
    proxy.accept(1);
    let mut worker = pipeline
        .copydesk
        .clone()
        .at_database(&format!("postgres://postgres@{}/{name}", proxy.address()))
        .start(&["worker"]);
    wait_for_words(&worker, "waits for it before it starts").await;
    proxy.accept(u32::MAX);
    pipeline.wait_for(20, PATIENCE, &[&worker]).await;
    worker.stop(Duration::from_secs(30));
    assert_unharmed(&pipeline, 20).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commits_whose_answer_is_lost_are_neither_lost_nor_repeated() {
    let pipeline = Pipeline::new("unknown", PARTITIONS).await;
    let (_, rest) = pipeline.database_url().split_once('@').unwrap();
    let (address, name) = rest.split_once('/').unwrap();
    let proxy = Proxy::to(address);
    let mut worker = pipeline
        .copydesk
        .clone()
        .at_database(&format!("postgres://postgres@{}/{name}", proxy.address()))
        .with("COPYDESK_WORKER_BATCH_ARTICLES", "10")
        .start(&["worker"]);
    let mut messages = 30;
    pipeline.produce_articles(66, messages, PARTITIONS).await;
    pipeline.wait_for(messages as i64, PATIENCE, &[&worker]).await;
    proxy.lose_commits(12);
    // How many commits a number of messages makes is the worker's affair: it gets more until all twelve were
    // lost, and then some.
    let until = Instant::now() + PATIENCE;
    let mut after = 2;
    while after > 0 {
        assert!(Instant::now() < until, "{} left", proxy.commits_to_lose());
        after -= u32::from(proxy.commits_to_lose() == 0);
        pipeline
            .produce_articles(67 + messages as u64, 30, PARTITIONS)
            .await;
        messages += 30;
        pipeline.wait_for(messages as i64, PATIENCE, &[&worker]).await;
    }
    assert!(worker.ended().is_none(), "{}", worker.log());
    worker.stop(Duration::from_secs(30));
    pipeline.assert_every_offset_once(messages as i64).await;
    assert_eq!(pipeline.count("SELECT count(*) FROM quarantine").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_broker_is_killed_and_comes_back() {
    let mut kafka = PrivateKafka::start().await;
    let pipeline = Pipeline::at(&kafka.brokers(), "broker", PARTITIONS).await;
    let small = pipeline
        .copydesk
        .clone()
        .with("COPYDESK_WORKER_BATCH_ARTICLES", "20")
        .with("COPYDESK_WORKER_QUEUE_MESSAGES", "50");
    let mut workers = [small.start(&["worker"]), small.start(&["worker"])];
    let mut produced = 0;
    for round in 0..2 {
        pipeline.produce_articles(650 + round, 400, PARTITIONS).await;
        let before = produced;
        produced += 400;
        pipeline
            .wait_for(before + 1, PATIENCE, &[&workers[0], &workers[1]])
            .await;
        if round == 0 {
            kafka.kill_9();
            kafka.start_again().await;
        }
    }
    pipeline
        .wait_for(produced, PATIENCE, &[&workers[0], &workers[1]])
        .await;
    for worker in &mut workers {
        assert!(worker.ended().is_none(), "{}", worker.log());
        worker.stop(Duration::from_secs(30));
    }
    assert_unharmed(&pipeline, produced).await;
}
