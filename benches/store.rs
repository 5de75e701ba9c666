//! What storing an article costs, and how that grows with the articles that are there.
//!
//! `cargo bench -p copydesk-benches --bench store`: needs COPYDESK_TEST_DATABASE_URL (`make up`).
//! COPYDESK_BENCH_ARTICLES=1000000 sets how many are stored (100,000 if not set).
//!
//! Between stops windows that nobody claims in are read, as a worker does beside its flushes; what that costs
//! is said apart.
//!
//! Each stop is measured twice: right after a checkpoint, when every first touch of a page goes to the log
//! whole, and 30,000 articles behind it, when that is nearly over. With the checkpoints of deploy/local (15
//! minutes, 4 GB) the second is how most articles are stored.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a bench prints, and stops where something is wrong"
)]

use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use copydesk_benches::storing::{backend_seconds, batch, claim, connect, present_window, wal};
use copydesk_benches::{PreparedArticles, cpu_seconds};
use copydesk_store::{Claimed, Outputs, Store};
use copydesk_testkit::ScratchDatabase;

/// Articles in one transaction, as a worker has it.
const IN_BATCH: i64 = 500;
/// Articles that are measured at each stop.
const MEASURED: i64 = 10_000;
/// Articles between the two measurements of a stop: until all pages of the key index have been touched since
/// the checkpoint.
const BEHIND: i64 = 20_000;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let articles: i64 =
        std::env::var("COPYDESK_BENCH_ARTICLES").map_or(100_000, |n| n.parse().expect("a number"));
    let database = ScratchDatabase::create("bench").await;
    let store = connect(database.url(), 1, Outputs::default()).await;
    store.migrate().await.expect("the schema");
    let db = sqlx::PgPool::connect(database.url())
        .await
        .expect("Postgres answers");
    let claimed = claim(&store, 0).await;
    println!(
        "stored     checkpoint  wall ms  client ms  Postgres ms   WAL B  key B  evidence B  article B   (per article, over {MEASURED})"
    );
    let mut generator = PreparedArticles::new(7);
    // Ten thousand a day: after 250,000 the present window of 30 days is full, and the next one begins.
    let start = present_window(&db).await + TimeDelta::days(30) - TimeDelta::seconds(8 * 250_000);
    let at = |n: i64| start + TimeDelta::seconds(n * 8);
    let mut stored = 0;
    // At the last but one the third window is nearly full; the last is as far into the fourth as 100,000 into
    // the first.
    let stops = [20_000, 100_000, 300_000, 600_000, 880_000, 1_000_000];
    while stored < articles {
        let stop = stops
            .iter()
            .copied()
            .find(|s| *s > stored)
            .unwrap_or(articles)
            .min(articles);
        let gap = if stop < 100_000 { 0 } else { BEHIND };
        store_some(
            &store,
            &claimed,
            &mut generator,
            &mut stored,
            stop - 2 * MEASURED - gap,
            &at,
        )
        .await;
        sqlx::query("CHECKPOINT")
            .execute(&db)
            .await
            .expect("a checkpoint");
        measure(
            &store,
            &db,
            &claimed,
            &mut generator,
            &mut stored,
            &at,
            "just now",
        )
        .await;
        store_some(
            &store,
            &claimed,
            &mut generator,
            &mut stored,
            stop - MEASURED,
            &at,
        )
        .await;
        measure(&store, &db, &claimed, &mut generator, &mut stored, &at, "before").await;
    }
    let report = store.audit().await.expect("an audit");
    println!("audit: {} findings", report.findings.len());
}

async fn store_some(
    store: &Store,
    claimed: &Claimed,
    generator: &mut PreparedArticles,
    stored: &mut i64,
    until: i64,
    at: &impl Fn(i64) -> DateTime<Utc>,
) {
    while *stored < until {
        let to = (*stored + IN_BATCH).min(until);
        let batch = batch(generator, 0, *stored, to, at);
        store.flush(claimed, &batch).await.expect("a flush");
        *stored = to;
        let (begun, client) = (Instant::now(), cpu_seconds(std::process::id()));
        if store.read_windows().await.expect("the keys of a window") > 0 {
            println!(
                "{stored:>9}  read the keys of a window: {:.1} s, client {:.1} s of CPU",
                begun.elapsed().as_secs_f64(),
                cpu_seconds(std::process::id()) - client,
            );
        }
    }
}

async fn measure(
    store: &Store,
    db: &sqlx::PgPool,
    claimed: &Claimed,
    generator: &mut PreparedArticles,
    stored: &mut i64,
    at: &impl Fn(i64) -> DateTime<Utc>,
    checkpoint: &str,
) {
    // Made before the clock starts: only storing is measured.
    let mut batches = Vec::new();
    for first in (*stored..*stored + MEASURED).step_by(IN_BATCH as usize) {
        batches.push(batch(generator, 0, first, first + IN_BATCH, at));
    }
    let (client_before, postgres_before, wal_before) = (
        cpu_seconds(std::process::id()),
        backend_seconds(db).await,
        wal(db).await,
    );
    let begun = Instant::now();
    for batch in &batches {
        store.flush(claimed, batch).await.expect("a flush");
    }
    let each = |seconds: f64| seconds * 1_000.0 / MEASURED as f64;
    let (wall, client) = (
        each(begun.elapsed().as_secs_f64()),
        each(cpu_seconds(std::process::id()) - client_before),
    );
    let (server, logged) = (
        each(backend_seconds(db).await - postgres_before),
        (wal(db).await - wal_before) / MEASURED,
    );
    *stored += MEASURED;
    let size = |table: &'static str| async move {
        sqlx::query_scalar::<_, i64>(
            "SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::int8 FROM pg_class c
             WHERE c.relname = $1 OR c.oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = to_regclass($1))",
        )
        .bind(table)
        .fetch_one(db)
        .await
        .expect("a size")
    };
    println!(
        "{:>9}  {checkpoint:>10}  {wall:>7.3}  {client:>9.3}  {server:>11.3}  {logged:>6}  {:>5}  {:>10}  {:>9}",
        *stored,
        size("near_key").await / *stored,
        size("evidence").await / *stored,
        (size("article").await + size("membership").await) / *stored,
    );
}
