//! Messages that end the process that prepares them: after two workers at the most they are in quarantine,
//! and everything else is stored once.
//!
//! No input is known to do so. These do because `COPYDESK_TEST_ABORT_ON` names a text for which the program aborts.
use std::os::unix::process::ExitStatusExt as _;
use std::time::Duration;

use copydesk_testkit::{ArticleGenerator, Copydesk, Outgoing, Running};
use copydesk_tests::Pipeline;

const SIGABRT: i32 = 6;
/// Messages that a worker may have taken, with batches of ten: docs/delivery.md, "Messages that end the process".
const IN_HAND: usize = 8 * 32 + 2 * (10 + 32);

fn killer(partition: i32, number: usize) -> Outgoing {
    let text = format!(
        "{} {number}: the ferry sails again, the harbour master said.",
        Copydesk::KILLER
    );
    Outgoing {
        partition: Some(partition),
        ..Outgoing::value(format!("{{\"text\": \"{text}\"}}"))
    }
}

fn good(random: &mut ArticleGenerator, partition: i32, number: usize) -> Outgoing {
    Outgoing {
        partition: Some(partition),
        ..Outgoing::value(random.envelope("good.example", number))
    }
}

fn dies(worker: &mut Running) {
    let status = worker.wait(Duration::from_secs(90));
    assert_eq!(status.signal(), Some(SIGABRT), "{status}\n{}", worker.log());
}

async fn assert_quarantined(pipeline: &Pipeline, killers: i64) {
    let held = pipeline
        .count(
            "SELECT count(*) FROM quarantine WHERE reason = 'kills_worker' AND stage = 'clean' AND state = 'held'
             AND raw IS NOT NULL AND detail LIKE '%signal: 6%'",
        )
        .await;
    let all = pipeline.count("SELECT count(*) FROM quarantine").await;
    assert_eq!((held, all), (killers, killers), "the killers, and nothing else");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_ends_a_worker_is_quarantined_by_the_next() {
    let pipeline = Pipeline::new("killer", 2).await;
    let mut random = ArticleGenerator::new(171);
    let mut records: Vec<_> = (0..80)
        .map(|n| good(&mut random, i32::try_from(n % 2).unwrap(), n))
        .collect();
    records.insert(40, killer(0, 0));
    pipeline.topic.produce(records).await;
    let deadly = pipeline.copydesk.clone().deadly();
    let mut first = deadly.start(&["worker"]);
    dies(&mut first);
    let mut second = deadly.start(&["worker"]);
    pipeline.wait_for(81, Duration::from_secs(90), &[&second]).await;
    second.stop(Duration::from_secs(30));
    pipeline.assert_every_offset_once(81).await;
    assert_quarantined(&pipeline, 1).await;
    // Without the text the same message is an article like any other.
    pipeline
        .copydesk
        .ok(&["quarantine", "replay", "--reason", "kills_worker"]);
    assert_eq!(pipeline.count("SELECT count(*) FROM article").await, 81);
    pipeline.assert_every_offset_once(81).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killer_behind_a_long_good_stretch_ends_two_workers_and_no_third() {
    let pipeline = Pipeline::new("killer_behind", 1).await;
    let mut random = ArticleGenerator::new(172);
    let mut deadly = pipeline.copydesk.clone().deadly();
    deadly = deadly.with("COPYDESK_WORKER_BATCH_ARTICLES", "10");
    let mut first = deadly.start(&["worker"]);
    let stretch = 2 * IN_HAND;
    pipeline
        .topic
        .produce((0..stretch).map(|n| good(&mut random, 0, n)))
        .await;
    pipeline
        .wait_for(stretch as i64, Duration::from_secs(90), &[&first])
        .await;
    // It has stored all messages that it had taken when it began: what it dies of now is tried once more like
    // any other.
    let mut records: Vec<_> = (0..50).map(|n| good(&mut random, 0, stretch + n)).collect();
    records.insert(25, killer(0, 0));
    pipeline.topic.produce(records).await;
    dies(&mut first);
    let mut second = deadly.start(&["worker"]);
    dies(&mut second);
    let mut third = deadly.start(&["worker"]);
    let all = stretch as i64 + 51;
    pipeline.wait_for(all, Duration::from_secs(90), &[&third]).await;
    third.stop(Duration::from_secs(30));
    pipeline.assert_every_offset_once(all).await;
    assert_quarantined(&pipeline, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killers_on_several_partitions_of_two_workers_end_each_two_processes_at_the_most() {
    const PARTITIONS: i32 = 4;
    let pipeline = Pipeline::new("killers", PARTITIONS).await;
    let mut random = ArticleGenerator::new(173);
    let (mut records, mut killers) = (Vec::new(), 0);
    for n in 0..600 {
        let partition = i32::try_from(n).unwrap() % PARTITIONS;
        records.push(good(&mut random, partition, n));
        if n % 150 == 100 {
            records.push(killer(partition, n));
            killers += 1;
        }
    }
    let all = records.len() as i64;
    pipeline.topic.produce(records).await;
    let deadly = pipeline
        .copydesk
        .clone()
        .deadly()
        .with("COPYDESK_WORKER_BATCH_ARTICLES", "10");
    // As a service manager does it: whoever dies is started again.
    let mut workers = [deadly.start(&["worker"]), deadly.start(&["worker"])];
    let mut deaths = 0;
    while pipeline.done().await < all {
        for worker in &mut workers {
            if let Some(status) = worker.ended() {
                assert_eq!(status.signal(), Some(SIGABRT), "{status}\n{}", worker.log());
                deaths += 1;
                assert!(deaths <= 2 * killers, "{deaths} deaths of {killers} messages");
                *worker = deadly.start(&["worker"]);
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    for worker in &mut workers {
        worker.stop(Duration::from_secs(30));
    }
    assert!(deaths >= 1, "nobody has met them");
    pipeline.assert_every_offset_once(all).await;
    assert_quarantined(&pipeline, killers).await;
}
