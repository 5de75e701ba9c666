//! What several flushes at once gain: one partition, two, four, each with a flush under way.
//!
//! `cargo bench -p copydesk-benches --bench at_once`: needs COPYDESK_TEST_DATABASE_URL (`make up`).
//! COPYDESK_BENCH_ARTICLES says how many are stored each time (20,000 if not set). Articles are prepared before the
//! clock starts: only storing is measured. `waits` is the mean number of
//! connections that were found waiting for another one's lock.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a bench prints, and stops where something is wrong"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use copydesk_article::{NextOffset, Offset};
use copydesk_benches::{PreparedArticles, cpu_seconds, source};
use copydesk_store::{Batch, OnLostRange, Store, StoreConfig, Wanted};
use copydesk_testkit::ScratchDatabase;

/// Articles in one transaction, as a worker has it.
const IN_BATCH: usize = 500;
/// How often waiting connections are looked for.
const LOOK: Duration = Duration::from_millis(20);

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let articles: usize =
        std::env::var("COPYDESK_BENCH_ARTICLES").map_or(20_000, |n| n.parse().expect("a number"));
    println!("partitions  articles/s  client ms  Postgres ms   waits   (ms of CPU per article)");
    for partitions in [1, 2, 4] {
        run(articles, partitions).await;
    }
}

async fn run(articles: usize, partitions: usize) {
    let database = ScratchDatabase::create("at_once").await;
    let store = Store::connect(&StoreConfig {
        url: database.url().to_owned(),
        connections: u32::try_from(partitions).expect("few") + 1,
        ..StoreConfig::default()
    })
    .await
    .expect("Postgres answers: is `make up` done?");
    store.migrate().await.expect("the schema");
    let db = sqlx::PgPool::connect(database.url())
        .await
        .expect("Postgres answers");
    let wanted: Vec<Wanted> = (0..partitions)
        .map(|p| Wanted {
            source: source(i32::try_from(p).expect("few")),
            low: Offset::new(0),
            high: Offset::new(i64::MAX),
        })
        .collect();
    let claimed = store
        .claim("bench", &wanted, OnLostRange::Stop)
        .await
        .expect("a claim");
    let mut queues: Vec<Vec<Batch>> = (0..partitions).map(|_| Vec::new()).collect();
    let mut generator = PreparedArticles::new(7);
    let start: DateTime<Utc> = "2026-10-01T00:00:00Z".parse().expect("a time");
    for n in 0..articles.div_ceil(IN_BATCH) {
        let partition = n % partitions;
        let from = i64::try_from(queues[partition].len() * IN_BATCH).expect("few");
        let to = from + i64::try_from(IN_BATCH).expect("few");
        queues[partition].push(Batch {
            from: NextOffset::new(from),
            to: NextOffset::new(to),
            items: (from..to)
                .map(|offset| {
                    let at = start + TimeDelta::seconds(offset * 8);
                    generator.next(i32::try_from(partition).expect("few"), offset, at)
                })
                .collect(),
        });
    }
    let postgres = async || {
        let backends: Vec<i32> =
            sqlx::query_scalar("SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'copydesk'")
                .fetch_all(&db)
                .await
                .expect("backends");
        backends
            .iter()
            .map(|pid| cpu_seconds(pid.unsigned_abs()))
            .sum::<f64>()
    };
    let (client_before, postgres_before) = (cpu_seconds(std::process::id()), postgres().await);
    let begun = Instant::now();
    let looked = Arc::new((AtomicU64::new(0), AtomicU64::new(0)));
    let look = tokio::spawn(look(db.clone(), Arc::clone(&looked)));
    let flushes: Vec<_> = queues
        .into_iter()
        .zip(claimed)
        .map(|(queue, claimed)| {
            let store = store.clone();
            tokio::spawn(async move {
                for batch in &queue {
                    while let Err(error) = store.flush(&claimed, batch).await {
                        println!("tried again: {error}");
                    }
                }
            })
        })
        .collect();
    for flush in flushes {
        flush.await.expect("a flush");
    }
    let wall = begun.elapsed().as_secs_f64();
    look.abort();
    let (looks, waiting) = (looked.0.load(Ordering::Relaxed), looked.1.load(Ordering::Relaxed));
    let waits = waiting as f64 / looks.max(1) as f64;
    let each = |seconds: f64| seconds * 1_000.0 / articles as f64;
    println!(
        "{partitions:>10}  {:>10.0}  {:>9.3}  {:>11.3}  {waits:>6.2}",
        articles as f64 / wall,
        each(cpu_seconds(std::process::id()) - client_before),
        each(postgres().await - postgres_before),
    );
    let report = store.audit().await.expect("an audit");
    assert!(report.findings.is_empty(), "{:?}", report.findings);
}

/// Counts looks, and connections that wait for a lock.
async fn look(db: sqlx::PgPool, counts: Arc<(AtomicU64, AtomicU64)>) {
    loop {
        let waiting: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
        )
        .fetch_one(&db)
        .await
        .expect("an answer");
        counts.0.fetch_add(1, Ordering::Relaxed);
        counts.1.fetch_add(waiting.unsigned_abs(), Ordering::Relaxed);
        tokio::time::sleep(LOOK).await;
    }
}
