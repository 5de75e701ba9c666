//! The circuit breaker: a producer that sends only rubbish does not empty the topic into quarantine.

use std::time::Duration;

use copydesk_testkit::{ArticleGenerator, Outgoing};
use copydesk_tests::Pipeline;

const PATIENCE: Duration = Duration::from_secs(90);

/// 20 good, 500 bad, 20 good on partition 0; as many good ones as asked for on partition 1.
async fn produce(pipeline: &Pipeline, good: usize) {
    let mut generator = ArticleGenerator::new(91);
    let mut records = Vec::new();
    for n in 0..540 {
        let bad = (20..520).contains(&n);
        let payload = if bad {
            "{".to_owned()
        } else {
            generator.envelope("a.example", n)
        };
        records.push(Outgoing {
            partition: Some(0),
            ..Outgoing::value(payload)
        });
    }
    for n in 0..good {
        records.push(Outgoing {
            partition: Some(1),
            ..Outgoing::value(generator.envelope("b.example", n))
        });
    }
    pipeline.topic.produce(records).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_of_bad_messages_stops_its_partition_and_no_other() {
    let pipeline = Pipeline::new("breaker", 2).await;
    produce(&pipeline, 60).await;
    let mut worker = pipeline.start_worker();
    // 20 good and 100 bad of partition 0, all of partition 1.
    pipeline.wait_for(180, PATIENCE, &[&worker]).await;
    let until = std::time::Instant::now() + PATIENCE;
    while !worker.log().contains("is stopped at 120") {
        assert!(std::time::Instant::now() < until, "{}", worker.log());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(
        worker.log().contains("breaker_run"),
        "it says what to do: {}",
        worker.log()
    );
    // Other partitions go on, and the topic is not emptied meanwhile.
    pipeline.produce_articles(92, 40, 2).await;
    pipeline.wait_for(200, PATIENCE, &[&worker]).await;
    assert_eq!(pipeline.done().await, 200);
    assert_eq!(pipeline.count("SELECT count(*) FROM quarantine").await, 100);
    assert!(worker.ended().is_none(), "{}", worker.log());
    worker.stop(Duration::from_secs(30));
    pipeline.copydesk.ok(&["audit"]);

    // A restart counts afresh: a hundred more, then it is stopped again. Until the end: an error that says why.
    let output = pipeline.copydesk.run(&["worker", "--until-end"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && said.contains("is stopped at 220"),
        "{said}"
    );
    assert_eq!(pipeline.count("SELECT count(*) FROM quarantine").await, 200);

    // Raised limits let everything through.
    let patient = pipeline
        .copydesk
        .clone()
        .with("COPYDESK_WORKER_BREAKER_RUN", "0")
        .with("COPYDESK_WORKER_BREAKER_SHARE", "0");
    patient.ok(&["worker", "--until-end"]);
    pipeline.assert_every_offset_once(640).await;
    assert_eq!(pipeline.count("SELECT count(*) FROM quarantine").await, 500);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_of_bad_messages_stops_it_too() {
    let pipeline = Pipeline::new("breakershare", 1).await;
    let mut generator = ArticleGenerator::new(93);
    // Three of four are bad, never many in a row.
    let records: Vec<Outgoing> = (0..400)
        .map(|n| match n % 4 {
            0 => Outgoing::value(generator.envelope("a.example", n)),
            _ => Outgoing::value("{"),
        })
        .collect();
    pipeline.topic.produce(records).await;
    let output = pipeline.copydesk.run(&["worker", "--until-end"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && said.contains("breaker_share"),
        "{said}"
    );
    assert!(pipeline.done().await < 210, "it stops as soon as it can tell");
    pipeline.copydesk.ok(&["audit"]);
    let tolerant = pipeline
        .copydesk
        .clone()
        .with("COPYDESK_WORKER_BREAKER_SHARE", "0.8");
    tolerant.ok(&["worker", "--until-end"]);
    pipeline.assert_every_offset_once(400).await;
}
