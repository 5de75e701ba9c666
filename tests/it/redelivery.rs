//! The same again: reset groups and re-fed files make no second article.

use copydesk_testkit::Copydesk;
use copydesk_tests::Pipeline;

#[tokio::test(flavor = "multi_thread")]
async fn another_group_on_the_same_topic_reads_nothing_again() {
    let pipeline = Pipeline::new("regroup", 3).await;
    pipeline.produce_articles(31, 300, 3).await;
    pipeline.run_to_end();
    // A fresh group has no committed offsets in Kafka: only the ledger can tell it where to go on.
    let fresh = Copydesk::new(pipeline.topic.name(), pipeline.database_url()).with(
        "COPYDESK_KAFKA_GROUP",
        &format!("other-{}", pipeline.topic.name()),
    );
    pipeline.produce_articles(32, 30, 3).await;
    fresh.ok(&["worker", "--until-end"]);
    pipeline.assert_every_offset_once(330).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_articles_fed_again_are_seen_again_but_not_stored_again() {
    let pipeline = Pipeline::new("refeed", 3).await;
    pipeline.produce_articles(33, 120, 3).await;
    pipeline.run_to_end();
    pipeline.produce_articles(33, 120, 3).await;
    pipeline.run_to_end();
    pipeline.assert_every_offset_once(240).await;
    assert_eq!(pipeline.count("SELECT count(*) FROM article").await, 120);
    assert_eq!(
        pipeline
            .count("SELECT count(*) FROM sighting WHERE verdict = 'unchanged'")
            .await,
        120
    );
}
