//! What NOTIFY and the outbox cost a flush: four partitions store at once, each mode in turn, round after round.
//!
//! `cargo bench -p copydesk-benches --bench outputs`: needs COPYDESK_TEST_DATABASE_URL (`make up`).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a bench prints, and stops where something is wrong"
)]

use std::time::Instant;

use chrono::Utc;
use copydesk_benches::PreparedArticles;
use copydesk_benches::storing::{batch, claim, connect, flush, wal};
use copydesk_store::{Batch, Claimed, Outputs};
use copydesk_testkit::ScratchDatabase;

const PARTITIONS: i32 = 4;
/// Articles that a partition stores in one turn.
const IN_TURN: i64 = 1_000;
const ROUNDS: usize = 4;

#[tokio::main(flavor = "multi_thread")]
async fn main() {
    let off = Outputs::default();
    let notify = Outputs { notify: true, ..off };
    let articles = Outputs {
        articles: true,
        ..off
    };
    println!(
        "batch  mode      articles/s   WAL B/article   (sum over {ROUNDS} rounds of {PARTITIONS} x {IN_TURN})"
    );
    for in_batch in [20, 500] {
        let database = ScratchDatabase::create("bench").await;
        let modes = [("off", off), ("notify", notify), ("articles", articles)];
        let mut seconds = [0.0; 3];
        let mut wal_bytes = [0_i64; 3];
        let mut stores = Vec::new();
        for (_, outputs) in modes {
            stores.push(connect(database.url(), 5, outputs).await);
        }
        stores[0].migrate().await.expect("the schema");
        let db = sqlx::PgPool::connect(database.url())
            .await
            .expect("Postgres answers");
        let mut claims = Vec::new();
        for partition in 0..PARTITIONS {
            claims.push(claim(&stores[0], partition).await);
        }
        let mut next = 0;
        for round in 0..ROUNDS {
            for turn in 0..modes.len() {
                // Each mode comes first in some round: later rounds find fuller tables.
                let mode = (turn + round) % modes.len();
                let batches: Vec<_> = claims
                    .iter()
                    .map(|claim| (claim.clone(), batches(claim, next, in_batch)))
                    .collect();
                next += IN_TURN;
                let before = wal(&db).await;
                let begun = Instant::now();
                let tasks = batches.into_iter().map(|(claim, batches)| {
                    let store = stores[mode].clone();
                    tokio::spawn(async move { flush(&store, &claim, &batches).await })
                });
                for task in tasks.collect::<Vec<_>>() {
                    task.await.expect("a partition");
                }
                seconds[mode] += begun.elapsed().as_secs_f64();
                wal_bytes[mode] += wal(&db).await - before;
            }
        }
        let all = IN_TURN * i64::from(PARTITIONS) * ROUNDS as i64;
        for (mode, (name, _)) in modes.iter().enumerate() {
            println!(
                "{in_batch:>5}  {name:<8}  {:>10.0}  {:>14}",
                all as f64 / seconds[mode],
                wal_bytes[mode] / all
            );
        }
    }
}

/// Made before the clock starts: only storing is measured.
fn batches(claim: &Claimed, from: i64, in_batch: i64) -> Vec<Batch> {
    let partition = claim.source.partition.get();
    let mut generator = PreparedArticles::new(from.unsigned_abs() * 10 + u64::from(partition.unsigned_abs()));
    let at = Utc::now();
    (from..from + IN_TURN)
        .step_by(in_batch as usize)
        .map(|first| batch(&mut generator, partition, first, first + in_batch, |_| at))
        .collect()
}
