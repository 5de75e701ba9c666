//! Rewinds: rows and position go back together, the articles stay, and what is read again is seen again.

use copydesk_article::{NextOffset, Offset};
use copydesk_store::{RetryClass, RewindTo, StoreError};

use crate::support::{Scratch, Text, batch, message, prose, refused, source};

fn to(partition: i32, to: i64, low: i64) -> RewindTo {
    RewindTo {
        source: source(partition),
        to: Offset::new(to),
        low: Offset::new(low),
    }
}

/// Offsets 0 and 1 articles, 2 refused, 3 to 5 a gap, 6 an article, 7 refused and replayed.
async fn filled(label: &str) -> (Scratch, copydesk_store::Claimed, copydesk_store::Batch) {
    let scratch = Scratch::new(label).await;
    let claimed = scratch.claim(0).await;
    let bodies: Vec<String> = (0..4).map(|n| prose(n, 4)).collect();
    let text = |n: usize| Text {
        body: &bodies[n],
        site: Some("a.example"),
        ..Text::default()
    };
    let items = vec![
        text(0).item(0, 0),
        text(1).item(0, 1),
        refused(0, 2),
        text(2).item(0, 6),
        refused(0, 7),
    ];
    let batch = batch(0, items);
    scratch.store.flush(&claimed, &batch).await.unwrap();
    let replayed = message(0, 7, crate::support::NOON);
    scratch
        .store
        .quarantine_settle(&replayed, Ok(&text(3).prepare().into()))
        .await
        .unwrap();
    scratch.assert_law().await;
    (scratch, claimed, batch)
}

#[tokio::test]
async fn rows_and_position_go_back_together_and_the_articles_are_seen_again() {
    let (scratch, old, batch) = filled("rewind").await;
    let store = &scratch.store;
    // Into the middle of the gap.
    let done = store.rewind(&[to(0, 4, 0)], "tester", false).await.unwrap();
    assert_eq!(
        (
            done[0].from,
            done[0].sightings,
            done[0].quarantined,
            done[0].skipped
        ),
        (NextOffset::new(8), 2, 0, 2)
    );
    scratch.assert_law().await;
    assert_eq!(scratch.count("SELECT count(*) FROM article").await, 4);
    assert_eq!(
        scratch
            .count("SELECT to_offset FROM gap WHERE from_offset = 3")
            .await,
        4
    );
    assert_eq!(
        scratch
            .count("SELECT count(*) FROM rewind WHERE to_offset = 4 AND from_offset = 8")
            .await,
        1
    );
    // And to the beginning: everything is taken back.
    let done = store.rewind(&[to(0, 0, 0)], "tester", false).await.unwrap();
    assert_eq!(
        (done[0].sightings, done[0].quarantined, done[0].skipped),
        (2, 1, 1)
    );
    scratch.assert_law().await;
    assert_eq!(
        scratch
            .count("SELECT (SELECT count(*) FROM sighting) + (SELECT count(*) FROM quarantine) + (SELECT count(*) FROM gap)")
            .await,
        0
    );
    // Whoever read the partition before is fenced.
    let error = store.flush(&old, &batch).await.unwrap_err();
    assert_eq!(error.class(), RetryClass::Fenced);
    // Read again, each message finds its own article.
    let again = scratch.claim(0).await;
    assert_eq!(again.next_offset, NextOffset::new(0));
    let report = store.flush(&again, &batch).await.unwrap();
    assert_eq!(
        (
            report.unchanged,
            report.new_articles,
            report.quarantined,
            report.skipped
        ),
        (3, 0, 2, 3)
    );
    assert_eq!(scratch.count("SELECT count(*) FROM article").await, 4);
    scratch.assert_law().await;
}

#[tokio::test]
async fn a_dry_run_changes_nothing() {
    let (scratch, claimed, _) = filled("dryrun").await;
    let done = scratch
        .store
        .rewind(&[to(0, 1, 0)], "tester", true)
        .await
        .unwrap();
    assert_eq!(
        (done[0].sightings, done[0].quarantined, done[0].skipped),
        (3, 1, 3)
    );
    assert_eq!(
        scratch.count("SELECT next_offset FROM partition_progress").await,
        8
    );
    assert_eq!(scratch.count("SELECT count(*) FROM rewind").await, 0);
    let next = batch(8, vec![refused(0, 8)]);
    scratch.store.flush(&claimed, &next).await.unwrap();
    scratch.assert_law().await;
}

#[tokio::test]
async fn what_cannot_be_read_again_is_not_taken_back() {
    let scratch = Scratch::new("badrewind").await;
    let claimed = scratch.claim_at(0, 5, 100).await;
    let items = (5..10).map(|n| refused(0, n)).collect();
    scratch.store.flush(&claimed, &batch(5, items)).await.unwrap();
    let other = scratch.claim_at(1, 0, 100).await;
    scratch
        .store
        .flush(&other, &batch(0, vec![refused(1, 0)]))
        .await
        .unwrap();
    for (want, why) in [
        (to(0, 4, 0), "begins at 5"),
        (to(0, 6, 7), "before 7"),
        (to(0, 10, 0), "is at 10"),
        (to(9, 0, 0), "does not know"),
    ] {
        // Together with one that could be done: all or none.
        let error = scratch
            .store
            .rewind(&[want, to(1, 0, 0)], "tester", false)
            .await
            .unwrap_err();
        assert!(matches!(error, StoreError::BadRewind { .. }), "{error}");
        assert!(error.to_string().contains(why), "{error}");
    }
    assert_eq!(scratch.count("SELECT count(*) FROM quarantine").await, 6);
    scratch.assert_law().await;
}

#[tokio::test]
async fn a_rewind_waits_for_the_flush_under_way() {
    let (scratch, ..) = filled("rewindwaits").await;
    let mut flush = scratch.db.begin().await.unwrap();
    sqlx::query("UPDATE partition_progress SET next_offset = 9, skipped = skipped + 1")
        .execute(&mut *flush)
        .await
        .unwrap();
    sqlx::query("INSERT INTO gap (topic, partition, from_offset, to_offset, reason) VALUES ('articles.raw', 0, 8, 9, 'not_delivered')")
        .execute(&mut *flush)
        .await
        .unwrap();
    let store = scratch.store.clone();
    let rewinding = tokio::spawn(async move { store.rewind(&[to(0, 7, 0)], "tester", false).await.unwrap() });
    while scratch
        .count("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()")
        .await
        == 0
    {
        tokio::task::yield_now().await;
    }
    flush.commit().await.unwrap();
    let done = rewinding.await.unwrap();
    assert_eq!((done[0].from, done[0].skipped), (NextOffset::new(9), 1));
    scratch.assert_law().await;
}
