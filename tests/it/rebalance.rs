//! Workers that join and leave in the middle: partitions move, no offset is lost or stored twice.

use std::time::Duration;

use copydesk_testkit::{ArticleGenerator, Running};
use copydesk_tests::Pipeline;

const PARTITIONS: i32 = 6;

#[tokio::test(flavor = "multi_thread")]
async fn a_second_worker_joins_and_the_first_leaves_in_the_middle() {
    let pipeline = Pipeline::new("rebalance", PARTITIONS).await;
    let small = pipeline
        .copydesk
        .clone()
        .with("COPYDESK_WORKER_BATCH_ARTICLES", "25");
    pipeline.produce_articles(21, 1_200, PARTITIONS).await;
    let mut first = small.start(&["worker"]);
    pipeline.wait_for(1, Duration::from_secs(60), &[&first]).await;

    let mut second = small.start(&["worker"]);
    pipeline.produce_articles(22, 1_200, PARTITIONS).await;
    // Both own partitions now: the ledger names two owners.
    let owners = "SELECT count(DISTINCT owner) FROM partition_progress";
    for _ in 0..600 {
        if pipeline.count(owners).await == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(
        pipeline.count(owners).await,
        2,
        "the second worker must get partitions\n{}",
        second.log()
    );

    first.stop(Duration::from_secs(30));
    pipeline.produce_articles(23, 600, PARTITIONS).await;
    pipeline
        .wait_for(3_000, Duration::from_secs(90), &[&second])
        .await;
    second.stop(Duration::from_secs(30));
    pipeline.assert_every_offset_once(3_000).await;
    assert_eq!(
        pipeline.count(owners).await,
        1,
        "the second worker took over everything"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_until_the_end_both_stop() {
    let pipeline = Pipeline::new("untilend", PARTITIONS).await;
    pipeline.produce_articles(24, 900, PARTITIONS).await;
    let mut workers = [0, 1].map(|_| pipeline.copydesk.start(&["worker", "--until-end"]));
    for worker in &mut workers {
        for _ in 0..1_200 {
            if worker.ended().is_some() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(
            worker.ended().is_some_and(|s| s.success()),
            "it must stop by itself:\n{}",
            worker.log()
        );
    }
    pipeline.assert_every_offset_once(900).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_workers_joining_and_leaving() {
    let pipeline = Pipeline::new("storm", PARTITIONS).await;
    let small = pipeline
        .copydesk
        .clone()
        .with("COPYDESK_WORKER_BATCH_ARTICLES", "15")
        .with("COPYDESK_WORKER_QUEUE_MESSAGES", "40")
        .with("COPYDESK_WORKER_THREADS", "1");
    let mut random = ArticleGenerator::new(250);
    let mut workers: Vec<Running> = vec![small.start(&["worker"])];
    let mut sent = 0;
    for round in 0..40 {
        // On a busy machine a group needs longer to share out its partitions.
        let epochs = pipeline.count("SELECT coalesce(sum(epoch), 0)::int8 FROM partition_progress");
        if round >= 12 && epochs.await > 2 * i64::from(PARTITIONS) {
            break;
        }
        pipeline.produce_articles(2_500 + round, 120, PARTITIONS).await;
        sent += 120;
        // Mostly in the middle of the rebalance that the last one has caused.
        tokio::time::sleep(Duration::from_millis(400 + random.below(1_600) as u64)).await;
        match random.below(4) {
            0 if workers.len() > 1 => {
                let leaver = random.below(workers.len());
                workers.remove(leaver).kill_9();
            }
            1 if workers.len() > 1 => {
                let leaver = random.below(workers.len());
                // Told to leave, not waited for.
                let mut worker = workers.remove(leaver);
                worker.signal("TERM");
                tokio::task::spawn_blocking(move || worker.wait(Duration::from_secs(60)));
            }
            _ if workers.len() < 4 => workers.push(small.start(&["worker"])),
            _ => {}
        }
    }
    let all: Vec<&Running> = workers.iter().collect();
    pipeline.wait_for(sent, Duration::from_secs(120), &all).await;
    for worker in &mut workers {
        assert!(worker.ended().is_none(), "{}", worker.log());
        worker.stop(Duration::from_secs(30));
    }
    pipeline.assert_every_offset_once(sent).await;
    assert_eq!(
        pipeline.count("SELECT count(*) FROM article").await,
        pipeline
            .count("SELECT count(DISTINCT canonical_url || body) FROM articles")
            .await
    );
    assert!(
        pipeline
            .count("SELECT sum(epoch)::int8 FROM partition_progress")
            .await
            > 2 * i64::from(PARTITIONS),
        "partitions must have moved"
    );
}
