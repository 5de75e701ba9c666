//! `copydesk rewind`: a person has messages read again, also under a running worker.

use std::time::Duration;

use copydesk_tests::Pipeline;

const PATIENCE: Duration = Duration::from_secs(90);

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_worker_notices_a_rewind_and_reads_again() {
    let pipeline = Pipeline::new("rewind", 2).await;
    pipeline.produce_articles(81, 100, 2).await;
    let mut worker = pipeline.start_worker();
    pipeline.wait_for(100, PATIENCE, &[&worker]).await;
    let said = pipeline
        .copydesk
        .ok(&["rewind", "--partition", "1", "--to", "10", "--dry-run"]);
    assert!(
        said.contains("40 sightings") && said.contains("nothing was changed"),
        "{said}"
    );
    assert_eq!(pipeline.done().await, 100);
    let said = pipeline
        .copydesk
        .ok(&["rewind", "--partition", "1", "--to", "10"]);
    assert!(said.contains("back to 10"), "{said}");
    // The law holds while it is on its way, too.
    pipeline.copydesk.ok(&["audit"]);
    pipeline.wait_for(100, PATIENCE, &[&worker]).await;
    assert_eq!(
        pipeline
            .count("SELECT count(*) FROM sighting WHERE partition = 1 AND \"offset\" >= 10 AND verdict = 'unchanged'")
            .await,
        40,
        "read again, each finds its own article"
    );
    // Both partitions go on.
    pipeline.produce_articles(82, 20, 2).await;
    pipeline.wait_for(120, PATIENCE, &[&worker]).await;
    assert!(worker.ended().is_none(), "{}", worker.log());
    worker.stop(Duration::from_secs(30));
    pipeline.assert_every_offset_once(120).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_worker_is_fenced_by_a_rewind_to_a_time_and_goes_on() {
    let pipeline = Pipeline::new("rewindbusy", 2).await;
    pipeline.produce_articles(83, 600, 2).await;
    // So small a queue that the partitions are paused, mostly: a pause must not outlive the claim.
    let small = pipeline
        .copydesk
        .clone()
        .with("COPYDESK_WORKER_BATCH_ARTICLES", "10")
        .with("COPYDESK_WORKER_QUEUE_MESSAGES", "20");
    let mut worker = small.start(&["worker"]);
    pipeline.wait_for(50, PATIENCE, &[&worker]).await;
    let said = pipeline
        .copydesk
        .ok(&["rewind", "--time", "2026-01-01T00:00:00Z"]);
    assert!(said.contains("back to 0"), "{said}");
    pipeline.wait_for(600, PATIENCE, &[&worker]).await;
    assert!(worker.ended().is_none(), "{}", worker.log());
    worker.stop(Duration::from_secs(30));
    pipeline.assert_every_offset_once(600).await;
    assert_eq!(pipeline.count("SELECT count(*) FROM article").await, 600);
    // Nothing is newer than next year: nothing to do, and no error.
    let said = pipeline
        .copydesk
        .ok(&["rewind", "--time", "2099-01-01T00:00:00Z"]);
    assert!(said.contains("nothing to rewind"), "{said}");
    let refused = pipeline
        .copydesk
        .run(&["rewind", "--partition", "0", "--to", "301"]);
    assert!(!refused.status.success());
}
