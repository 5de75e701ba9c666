//! Claims, fences, gaps, repeats, refusals.

use copydesk_article::NextOffset;
use copydesk_store::{OnLostRange, RetryClass, StoreError};
use serde_json::json;

use crate::support::{Scratch, Text, batch, prose, refused, wanted};

fn text(body: &str) -> Text<'_> {
    Text {
        body,
        site: Some("a.example"),
        ..Text::default()
    }
}

#[tokio::test]
async fn rows_and_offset_commit_together_and_a_repeat_stores_nothing() {
    let scratch = Scratch::new("together").await;
    let claimed = scratch.claim(0).await;
    let (a, b) = (prose(1, 4), prose(2, 4));
    let batch = batch(0, vec![text(&a).item(0, 0), refused(0, 1), text(&b).item(0, 4)]);
    let first = scratch.store.flush(&claimed, &batch).await.unwrap();
    assert_eq!((first.new_articles, first.quarantined, first.skipped), (2, 1, 2));
    scratch.assert_law().await;
    // As after a commit whose answer was lost: the same batch again finds itself in.
    let again = scratch.store.flush(&claimed, &batch).await.unwrap();
    assert_eq!(
        (again.new_articles, again.quarantined),
        (2, 1),
        "it reports what is there"
    );
    assert_eq!(scratch.count("SELECT count(*) FROM sighting").await, 2);
    assert_eq!(
        scratch.count("SELECT next_offset FROM partition_progress").await,
        5
    );
    scratch.assert_law().await;
}

#[tokio::test]
async fn a_batch_that_is_half_in_is_finished() {
    let scratch = Scratch::new("half").await;
    let claimed = scratch.claim(0).await;
    let (a, b) = (prose(1, 4), prose(2, 4));
    let items = vec![text(&a).item(0, 0), text(&b).item(0, 1)];
    scratch
        .store
        .flush(&claimed, &batch(0, items[..1].to_vec()))
        .await
        .unwrap();
    let report = scratch.store.flush(&claimed, &batch(0, items)).await.unwrap();
    assert_eq!(report.new_articles, 2);
    assert_eq!(scratch.count("SELECT count(*) FROM sighting").await, 2);
    scratch.assert_law().await;
}

#[tokio::test]
async fn a_flush_under_an_older_epoch_is_fenced_and_leaves_nothing() {
    let scratch = Scratch::new("fence").await;
    let old = scratch.claim(0).await;
    let new = scratch.claim(0).await;
    assert!(new.epoch > old.epoch);
    let body = prose(1, 4);
    let batch = batch(0, vec![text(&body).item(0, 0)]);
    let error = scratch.store.flush(&old, &batch).await.unwrap_err();
    assert_eq!(error.class(), RetryClass::Fenced);
    assert_eq!(scratch.count("SELECT count(*) FROM article").await, 0);
    scratch.store.flush(&new, &batch).await.unwrap();
    scratch.assert_law().await;
}

#[tokio::test]
async fn a_flush_ahead_of_a_ledger_that_was_set_back_leaves_nothing() {
    let scratch = Scratch::new("setback").await;
    let claimed = scratch.claim(0).await;
    let bodies: Vec<String> = (0..4).map(|n| prose(n, 3)).collect();
    let items: Vec<_> = (0..4_i64)
        .zip(&bodies)
        .map(|(n, body)| text(body).item(0, n))
        .collect();
    scratch
        .store
        .flush(&claimed, &batch(0, items[..1].to_vec()))
        .await
        .unwrap();
    // What a crash with synchronous_commit = off does, or a backup: the same epoch, an older position.
    let ahead = batch(3, items[3..].to_vec());
    let error = scratch.store.flush(&claimed, &ahead).await.unwrap_err();
    assert!(matches!(error, StoreError::LedgerBehind { .. }), "{error}");
    assert_eq!(error.class(), RetryClass::Fenced, "dropped, and claimed anew");
    assert_eq!(
        scratch.count("SELECT count(*) FROM gap").await,
        0,
        "what was not read is no gap"
    );
    assert_eq!(
        scratch.count("SELECT next_offset FROM partition_progress").await,
        1
    );
    scratch.assert_law().await;
}

#[tokio::test]
async fn a_claim_waits_for_the_flush_under_way_and_starts_behind_it() {
    let scratch = Scratch::new("waits").await;
    scratch.claim(0).await;
    let mut zombie = scratch.db.begin().await.unwrap();
    sqlx::query("UPDATE partition_progress SET next_offset = 7, skipped = 7")
        .execute(&mut *zombie)
        .await
        .unwrap();
    let claiming = tokio::spawn({
        let store = scratch.store.clone();
        async move {
            store
                .claim("next", &[wanted(0, 0, 100)], OnLostRange::Stop)
                .await
                .unwrap()
                .remove(0)
        }
    });
    // The claim is waiting for the row: Postgres itself says so.
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
    scratch.until(waiting, |sessions| sessions > 0).await;
    zombie.commit().await.unwrap();
    assert_eq!(claiming.await.unwrap().next_offset, NextOffset::new(7));
}

#[tokio::test]
async fn lost_ranges_and_recreated_topics_stop_or_are_recorded() {
    let scratch = Scratch::new("lost").await;
    let claimed = scratch.claim_at(0, 10, 20).await;
    assert_eq!(claimed.next_offset, NextOffset::new(10));
    let store = &scratch.store;
    let lost = store
        .claim("test", &[wanted(0, 15, 20)], OnLostRange::Stop)
        .await
        .unwrap_err();
    assert!(matches!(lost, StoreError::LostRange { .. }), "{lost}");
    let skipped = store
        .claim("test", &[wanted(0, 15, 20)], OnLostRange::Skip)
        .await
        .unwrap()
        .remove(0);
    assert_eq!(skipped.next_offset, NextOffset::new(15));
    scratch.assert_law().await;
    let recreated = store
        .claim("test", &[wanted(0, 0, 3)], OnLostRange::Skip)
        .await
        .unwrap_err();
    assert!(
        matches!(recreated, StoreError::TopicRecreated { .. }),
        "{recreated}"
    );
    assert_eq!(recreated.class(), RetryClass::Fatal);
}

#[tokio::test]
async fn one_refused_row_goes_to_quarantine_and_its_batch_lands() {
    let scratch = Scratch::new("bisect").await;
    let claimed = scratch.claim(0).await;
    let bodies: Vec<String> = (0..9).map(|n| prose(n, 3)).collect();
    let mut items: Vec<_> = bodies.iter().zip(0..).map(|(b, n)| text(b).item(0, n)).collect();
    // jsonb cannot hold a NUL: 22P05.
    let poisoned = Text {
        extra: vec![("note", json!("a\u{0}b"))],
        ..text(&bodies[5])
    };
    items[5] = poisoned.item(0, 5);
    let report = scratch.store.flush(&claimed, &batch(0, items)).await.unwrap();
    assert_eq!((report.new_articles, report.refused_by_database), (8, 1));
    let (offset, reason, detail): (i64, String, String) =
        sqlx::query_as("SELECT \"offset\", reason, detail FROM quarantine")
            .fetch_one(&scratch.db)
            .await
            .unwrap();
    assert_eq!((offset, reason.as_str()), (5, "refused_by_database"));
    assert!(detail.contains("22P05"), "{detail}");
    scratch.assert_law().await;
}

#[tokio::test]
async fn quarantine_keeps_the_bytes() {
    let scratch = Scratch::new("bytes").await;
    let claimed = scratch.claim(0).await;
    let mut item = refused(0, 0);
    item.message.payload = Some(b"{\"text\": \"caf\xe9".to_vec());
    item.message.headers = vec![copydesk_article::Header {
        name: "url".into(),
        value: b"https://a.example/".to_vec(),
    }];
    let mut tombstone = refused(0, 1);
    tombstone.message.payload = None;
    let report = scratch
        .store
        .flush(&claimed, &batch(0, vec![item.clone(), tombstone]))
        .await
        .unwrap();
    assert_eq!(report.quarantined, 2);
    let raw: Vec<u8> = sqlx::query_scalar("SELECT raw FROM quarantine WHERE \"offset\" = 0")
        .fetch_one(&scratch.db)
        .await
        .unwrap();
    assert_eq!(
        zstd::bulk::decompress(&raw, 1 << 20).unwrap(),
        item.message.payload.unwrap()
    );
    assert_eq!(
        scratch
            .count("SELECT count(*) FROM quarantine WHERE raw IS NULL AND \"offset\" = 1")
            .await,
        1
    );
    assert_eq!(
        scratch
            .count("SELECT octet_length(headers)::int8 FROM quarantine WHERE \"offset\" = 0")
            .await,
        8 + 3 + 18
    );
}

#[tokio::test]
async fn a_batch_that_cannot_be_one_is_refused_as_a_bug() {
    let scratch = Scratch::new("badbatch").await;
    let claimed = scratch.claim(0).await;
    let body = prose(1, 3);
    let backwards = batch(0, vec![text(&body).item(0, 3), text(&body).item(0, 2)]);
    assert!(matches!(
        scratch.store.flush(&claimed, &backwards).await,
        Err(StoreError::BadBatch { .. })
    ));
    let foreign = batch(0, vec![text(&body).item(1, 3)]);
    assert!(matches!(
        scratch.store.flush(&claimed, &foreign).await,
        Err(StoreError::BadBatch { .. })
    ));
}

#[tokio::test]
async fn the_audit_finds_each_kind_of_damage() {
    let scratch = Scratch::new("damage").await;
    let claimed = scratch.claim(0).await;
    let bodies: Vec<String> = (0..4).map(|n| prose(n, 3)).collect();
    let items = bodies.iter().zip(0..).map(|(b, n)| text(b).item(0, n)).collect();
    scratch.store.flush(&claimed, &batch(0, items)).await.unwrap();
    scratch.assert_law().await;
    for (damage, expected) in [
        (
            "DELETE FROM sighting WHERE \"offset\" = 2",
            "= 3, but offsets 0 to 4 are 4",
        ),
        (
            "UPDATE partition_progress SET next_offset = 3, stored = 3",
            "outside",
        ),
        (
            "INSERT INTO gap (topic, partition, from_offset, to_offset, reason) VALUES ('articles.raw', 0, 1, 2, 'retention')",
            "two places",
        ),
        (
            "DELETE FROM article WHERE article_id = (SELECT max(article_id) FROM article)",
            "articles that do not exist",
        ),
        ("DELETE FROM evidence", "no evidence"),
        (
            "UPDATE membership SET story_id = 999",
            "story that does not exist",
        ),
        (
            "DELETE FROM membership WHERE article_id = (SELECT min(article_id) FROM article)",
            "articles have no membership",
        ),
        (
            "UPDATE partition_progress SET topic = 'other'",
            "does not know the partition",
        ),
    ] {
        let mut tx = scratch.db.begin().await.unwrap();
        sqlx::query(damage).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
        let report = scratch.store.audit().await.unwrap();
        let said: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
        assert!(said.iter().any(|f| f.contains(expected)), "{damage}: {said:#?}");
    }
}
