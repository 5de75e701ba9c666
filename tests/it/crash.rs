//! kill -9 and zombies: every offset ends in the ledger exactly once.

use std::time::{Duration, Instant};

use copydesk_testkit::ArticleGenerator;
use copydesk_tests::Pipeline;

const PARTITIONS: i32 = 4;

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_again_and_again_loses_and_repeats_nothing() {
    let messages = 3_000;
    let pipeline = Pipeline::new("crash", PARTITIONS).await;
    pipeline.produce_articles(11, messages, PARTITIONS).await;
    let mut random = ArticleGenerator::new(42);
    // Small batches make many chances to die between a flush and the next.
    let small = pipeline
        .copydesk
        .clone()
        .with("COPYDESK_WORKER_BATCH_ARTICLES", "40");
    let mut kills = 0;
    for round in 1.. {
        let mut worker = small.start(&["worker"]);
        let before = pipeline.done().await;
        // Let it store something new, then a little more, then kill it wherever it is.
        pipeline
            .wait_for(before + 1, Duration::from_secs(60), &[&worker])
            .await;
        tokio::time::sleep(Duration::from_millis(random.below(120) as u64)).await;
        worker.kill_9();
        kills += 1;
        if pipeline.done().await >= messages as i64 || round == 6 {
            break;
        }
    }
    assert!(
        kills >= 2,
        "the worker must have been killed in the middle, not once at the end"
    );
    pipeline.run_to_end();
    pipeline.assert_every_offset_once(messages as i64).await;
    assert_eq!(
        pipeline.count("SELECT count(*) FROM article").await,
        messages as i64,
        "no article twice"
    );
}

/// The next owner has stored the messages that the zombie still has, so that the position alone keeps the
/// zombie out here; the test below is the one that only the epoch saves.
#[tokio::test(flavor = "multi_thread")]
async fn a_zombie_that_wakes_up_writes_nothing() {
    let messages = 1_500;
    let pipeline = Pipeline::new("zombie", PARTITIONS).await;
    pipeline.produce_articles(12, messages, PARTITIONS).await;
    let small = pipeline
        .copydesk
        .clone()
        .with("COPYDESK_WORKER_BATCH_ARTICLES", "20");
    let mut zombie = small.start(&["worker"]);
    pipeline.wait_for(1, Duration::from_secs(60), &[&zombie]).await;
    zombie.signal("STOP");
    // Past the session timeout the group gives the partitions to the second worker, which stores the rest.
    let mut next = pipeline.start_worker();
    pipeline
        .wait_for(messages as i64, Duration::from_secs(90), &[&next])
        .await;
    zombie.signal("CONT");
    // It finds itself replaced, drops what it had and joins the group again; new work is shared by both.
    pipeline.produce_articles(13, 200, PARTITIONS).await;
    pipeline
        .wait_for(messages as i64 + 200, Duration::from_secs(60), &[&next, &zombie])
        .await;
    assert!(
        zombie.ended().is_none(),
        "the zombie must recover, not die:\n{}",
        zombie.log()
    );
    zombie.stop(Duration::from_secs(30));
    next.stop(Duration::from_secs(30));
    pipeline.assert_every_offset_once(messages as i64 + 200).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flush_that_waits_while_somebody_else_claims_is_kept_out_by_its_epoch_alone() {
    let pipeline = Pipeline::new("epoch", 1).await;
    let mut worker = pipeline.start_worker();
    pipeline.produce_articles(14, 20, 1).await;
    pipeline.wait_for(20, Duration::from_secs(60), &[&worker]).await;
    // The ledger is where the worker's next flush begins, and stays there: the position cannot tell the two apart.
    let mut claim = pipeline.db.begin().await.unwrap();
    sqlx::query("SELECT FROM partition_progress FOR UPDATE")
        .execute(&mut *claim)
        .await
        .unwrap();
    pipeline.produce_articles(15, 30, 1).await;
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'copydesk'
                 AND wait_event_type = 'Lock'";
    let until = Instant::now() + Duration::from_secs(60);
    while pipeline.count(waits).await == 0 {
        assert!(
            Instant::now() < until,
            "the flush does not wait\n{}",
            worker.log()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    sqlx::query("UPDATE partition_progress SET epoch = epoch + 1, owner = 'somebody else'")
        .execute(&mut *claim)
        .await
        .unwrap();
    claim.commit().await.unwrap();
    // It is refused, notices that the group still says that the partition is its own, and claims it anew.
    pipeline.wait_for(50, Duration::from_secs(60), &[&worker]).await;
    assert!(
        worker.log().contains("the claim to this partition is over"),
        "{}",
        worker.log()
    );
    let (epoch, claimed_from): (i64, i64) =
        sqlx::query_as("SELECT epoch, claimed_from FROM partition_progress")
            .fetch_one(&pipeline.db)
            .await
            .unwrap();
    assert_eq!(
        (epoch, claimed_from),
        (3, 20),
        "nothing moved under the epoch of somebody else"
    );
    worker.stop(Duration::from_secs(30));
    pipeline.assert_every_offset_once(50).await;
}
