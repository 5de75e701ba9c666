//! Hostile messages among good ones: every good one is stored, every bad one is kept with a reason, memory stays flat.
//!
//! 2,000 of them by default; `make hostile` sends 20,000 (COPYDESK_HOSTILE_MESSAGES).

use std::time::Duration;

use copydesk_testkit::{ArticleGenerator, Outgoing, hostile, hostile_page, mutated};
use copydesk_tests::Pipeline;

/// The documented bound with the default settings (docs/delivery.md, "Memory"): `worker.memory`,
/// `worker.cleaning_memory`, and 250 MB for what is read ahead, the batches on their way to Postgres, and the
/// program itself.
const MEMORY: u64 = (64 << 20) + (256 << 20) + 250_000_000;

#[tokio::test(flavor = "multi_thread")]
async fn good_ones_are_stored_bad_ones_are_kept_and_memory_stays_flat() {
    let hostiles: usize = match std::env::var("COPYDESK_HOSTILE_MESSAGES") {
        Ok(number) => number.parse().unwrap(),
        Err(_) => 2_000,
    };
    let pipeline = Pipeline::new("hostile", 2).await;
    // The breaker would stop this topic, and rightly.
    let brave = pipeline
        .copydesk
        .clone()
        .with("COPYDESK_WORKER_BREAKER_SHARE", "0")
        .with("COPYDESK_WORKER_BREAKER_RUN", "0");
    let mut worker = brave.start(&["worker"]);
    let mut random = ArticleGenerator::new(101);
    let (mut sent, mut good, mut changed) = (0_usize, 0_usize, 0_usize);
    let mut first_peak = 0;
    let parts = 10;
    for part in 0..parts {
        let mut records = Vec::new();
        for n in 0..hostiles / parts {
            if n % 4 == 3 {
                changed += 1;
                records.push(mutated(&mut random));
            } else if n % 8 == 2 {
                changed += 1;
                records.push(hostile_page(&mut random));
            } else {
                records.push(hostile(&mut random));
            }
            // One good one after every three.
            if n % 3 == 0 {
                records.push(Outgoing::value(random.envelope("good.example", good)));
                good += 1;
            }
        }
        for (record, partition) in records.iter_mut().zip([0, 1].into_iter().cycle()) {
            record.partition = Some(partition);
        }
        sent += records.len();
        pipeline.topic.produce(records).await;
        let patience = Duration::from_secs(60 + hostiles as u64 / 50);
        pipeline.wait_for(sent as i64, patience, &[&worker]).await;
        if part == 1 {
            first_peak = worker.peak_memory().unwrap();
        }
    }
    let peak = worker.peak_memory().unwrap();
    assert!(worker.ended().is_none(), "{}", worker.log());
    worker.stop(Duration::from_secs(30));
    pipeline.assert_every_offset_once(sent as i64).await;
    let stored = pipeline
        .count("SELECT count(*) FROM article WHERE site = 'good.example'")
        .await;
    assert_eq!(stored, good as i64, "every good one");
    let kept = pipeline.count("SELECT count(*) FROM quarantine").await;
    let bad = (sent - good - changed) as i64;
    assert!(
        (bad..=bad + changed as i64).contains(&kept),
        "{kept} quarantined: all {bad} bad ones, and of {changed} mutated ones and pages some"
    );
    let unexplained = pipeline
        .count("SELECT count(*) FROM quarantine WHERE reason IN ('panicked', 'refused_by_database') OR detail = ''")
        .await;
    let reasons = pipeline
        .count("SELECT count(DISTINCT reason) FROM quarantine")
        .await;
    eprintln!(
        "hostile: {sent} messages, {good} good, {changed} mutated or pages made to be slow, {kept} quarantined for {reasons} reasons; memory peak {} MiB, \
         after a fifth of them {} MiB",
        peak >> 20,
        first_peak >> 20
    );
    assert_eq!(unexplained, 0, "each with a reason, none of them ours");
    assert!(reasons >= 10, "{reasons} different reasons");
    assert!(peak < MEMORY, "{} MiB", peak >> 20);
    assert!(
        peak < first_peak + (96 << 20),
        "it grew from {} to {} MiB",
        first_peak >> 20,
        peak >> 20
    );
}
