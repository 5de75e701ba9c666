//! Pages that take as long as a page may: they hold up their own partitions and no other, and monitoring reports them.

use std::time::{Duration, Instant};

use copydesk_testkit::{ArticleGenerator, Outgoing};
use copydesk_tests::{Pipeline, http_get};

/// A tag with more attributes than anybody writes: the parser looks for each among all before it, until the
/// page's budget is spent.
fn heavy(partition: i32) -> Outgoing {
    let attributes: String = (0..110_000).map(|n| format!("a{n:x} ")).collect();
    let html = format!("<html><body><article><p {attributes}>");
    Outgoing {
        partition: Some(partition),
        headers: vec![("content-type".into(), b"text/html".to_vec())],
        ..Outgoing::value(html)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn heavy_pages_on_two_partitions_hold_up_no_other_and_are_reported() {
    let pipeline = Pipeline::new("slow", 3).await;
    let mut random = ArticleGenerator::new(181);
    // More than the two threads could get through while the third partition is stored.
    let heavies = (0..60).map(|n| heavy(n % 2));
    pipeline.topic.produce(heavies).await;
    let (copydesk, address) = pipeline.listening();
    let mut worker = copydesk
        .with("COPYDESK_WORKER_THREADS", "2")
        .with("COPYDESK_WORKER_BREAKER_RUN", "0")
        .start(&["worker"]);
    let until = Instant::now() + Duration::from_secs(120);
    let shown = loop {
        let (_, ready) = http_get(address, "/readyz").unwrap_or_default();
        if ready.contains("[0]@") && ready.contains("[1]@") {
            break ready;
        }
        assert!(Instant::now() < until, "{ready}\n{}", worker.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert!(shown.starts_with("ready\n"), "long is not stuck: {shown}");
    let good = (0..100).map(|n| Outgoing {
        partition: Some(2),
        ..Outgoing::value(random.envelope("good.example", n))
    });
    pipeline.topic.produce(good).await;
    let stored = "SELECT next_offset FROM partition_progress WHERE partition = 2";
    while pipeline.count(stored).await < 100 {
        assert!(Instant::now() < until, "{}", worker.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let others = "SELECT sum(next_offset)::int8 FROM partition_progress WHERE partition < 2";
    assert!(
        pipeline.count(others).await < 60,
        "the heavy ones are through: that says nothing"
    );
    let metric = format!(
        "copydesk_slow_message_seconds{{topic=\"{}\",partition=\"0\"}} ",
        pipeline.topic.name()
    );
    let metrics = async || http_get(address, "/metrics").unwrap_or_default().1;
    while !metrics().await.contains(&metric) {
        assert!(Instant::now() < until, "{}", metrics().await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(worker.log().contains("takes long to prepare"), "{}", worker.log());
    worker.kill_9();
}
