//! What several flushes at once gain: one partition, two, four, each with a flush under way.
//!
//! `cargo bench -p copydesk-benches --bench at_once`: needs COPYDESK_TEST_DATABASE_URL (`make up`).
//! COPYDESK_BENCH_ARTICLES says how many are stored each time (20,000 if not set), COPYDESK_BENCH_STORED how
//! many are there before, in the window before. Articles are prepared before the clock starts: only storing
//! is measured. `waits` is the mean number of connections that were found waiting for another one's lock.
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

use chrono::TimeDelta;
use copydesk_benches::storing::{
    backend_seconds, batch, claim, connect, flush, present_window, read_windows,
};
use copydesk_benches::{PreparedArticles, cpu_seconds};
use copydesk_store::Outputs;
use copydesk_testkit::ScratchDatabase;

/// Articles in one transaction, as a worker has it.
const IN_BATCH: i64 = 500;
/// How often waiting connections are looked for.
const LOOK: Duration = Duration::from_millis(20);

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let articles: i64 =
        std::env::var("COPYDESK_BENCH_ARTICLES").map_or(20_000, |n| n.parse().expect("a number"));
    let stored: i64 = std::env::var("COPYDESK_BENCH_STORED").map_or(0, |n| n.parse().expect("a number"));
    println!("partitions  articles/s  client ms  Postgres ms   waits   (ms of CPU per article)");
    for partitions in [1, 2, 4] {
        run(articles, partitions, stored).await;
    }
}

async fn run(articles: i64, partitions: i32, stored: i64) {
    let database = ScratchDatabase::create("at_once").await;
    let connections = partitions.unsigned_abs() + 2;
    let store = connect(database.url(), connections, Outputs::default()).await;
    store.migrate().await.expect("the schema");
    let db = sqlx::PgPool::connect(database.url())
        .await
        .expect("Postgres answers");
    let mut queues = Vec::new();
    for partition in 0..partitions {
        queues.push((claim(&store, partition).await, Vec::new()));
    }
    let mut generator = PreparedArticles::new(7);
    let start = present_window(&db).await + TimeDelta::days(1);
    let earlier = claim(&store, partitions).await;
    for n in 0..stored / IN_BATCH {
        let at = |offset| start - TimeDelta::days(20) + TimeDelta::seconds(offset);
        let one = batch(&mut generator, partitions, n * IN_BATCH, (n + 1) * IN_BATCH, at);
        flush(&store, &earlier, &[one]).await;
    }
    for n in 0..(articles + IN_BATCH - 1) / IN_BATCH {
        // The partitions take turns.
        let (turn, partition) = (n / i64::from(partitions), (n % i64::from(partitions)) as i32);
        let (from, to) = (turn * IN_BATCH, (turn + 1) * IN_BATCH);
        let at = |offset| start + TimeDelta::seconds(offset * 8);
        queues[partition as usize]
            .1
            .push(batch(&mut generator, partition, from, to, at));
    }
    let (client_before, postgres_before) = (cpu_seconds(std::process::id()), backend_seconds(&db).await);
    let begun = Instant::now();
    let looked = Arc::new((AtomicU64::new(0), AtomicU64::new(0)));
    let read = tokio::spawn(read_windows(store.clone()));
    let look = tokio::spawn(look(db.clone(), Arc::clone(&looked)));
    let flushes: Vec<_> = queues
        .into_iter()
        .map(|(claimed, batches)| {
            let store = store.clone();
            tokio::spawn(async move { flush(&store, &claimed, &batches).await })
        })
        .collect();
    for flush in flushes {
        flush.await.expect("a flush");
    }
    let wall = begun.elapsed().as_secs_f64();
    look.abort();
    read.abort();
    let (looks, waiting) = (looked.0.load(Ordering::Relaxed), looked.1.load(Ordering::Relaxed));
    let waits = waiting as f64 / looks.max(1) as f64;
    let each = |seconds: f64| seconds * 1_000.0 / articles as f64;
    println!(
        "{partitions:>10}  {:>10.0}  {:>9.3}  {:>11.3}  {waits:>6.2}",
        articles as f64 / wall,
        each(cpu_seconds(std::process::id()) - client_before),
        each(backend_seconds(&db).await - postgres_before),
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
