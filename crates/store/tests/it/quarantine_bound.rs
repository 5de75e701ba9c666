//! The bound of the quarantine, in bytes and by age: bytes go, rows and the audit law stay, and what is counted is what is there.

use copydesk_article::{Header, Message, Offset, Reason, Reject, Stage};
use copydesk_store::{Item, QuarantineFilter, RewindTo, Store, StoreConfig};

use crate::support::{NOON, Scratch, Text, batch, message, prose, source};

/// Bytes that no compression makes fewer.
fn noise(seed: i64, length: usize) -> Vec<u8> {
    let mut state = seed.unsigned_abs().wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_be_bytes()[3]
    };
    (0..length).map(|_| next()).collect()
}

/// A refused message of about so many bytes.
fn bad(partition: i32, offset: i64, bytes: usize) -> Item {
    Item {
        message: Message {
            key: Some(b"key".to_vec()),
            headers: vec![Header {
                name: "crawl".into(),
                value: b"7".to_vec(),
            }],
            payload: Some(noise(offset + 1, bytes)),
            ..message(partition, offset, NOON)
        },
        outcome: Err(Reject::new(Stage::Decode, Reason::BadJson, "test")),
    }
}

/// The scratch database through a store with this bound.
async fn bounded(scratch: &Scratch, max_bytes: u64) -> Store {
    let config = StoreConfig {
        quarantine_max_bytes: max_bytes,
        ..StoreConfig::default()
    };
    scratch.another_store(config).await
}

async fn execute(scratch: &Scratch, sql: &'static str) {
    sqlx::query(sql).execute(&scratch.db).await.unwrap();
}

/// What is counted is what is there, and the law holds. Answers with it.
async fn assert_counted(scratch: &Scratch) -> u64 {
    scratch.assert_law().await;
    let there = scratch
        .count("SELECT coalesce(sum(stored_bytes), 0)::int8 FROM quarantined")
        .await;
    let counted = scratch.store.quarantine_usage().await.unwrap().bytes;
    assert_eq!(counted, u64::try_from(there).unwrap());
    assert_eq!(scratch.store.quarantine_recount().await.unwrap(), 0);
    counted
}

/// Offsets of messages that have their bytes.
async fn whole(scratch: &Scratch) -> Vec<i64> {
    let filter = QuarantineFilter::default();
    let all = scratch.store.quarantine_list(&filter, None, 1_000).await.unwrap();
    let mut offsets = Vec::new();
    for entry in all {
        let found = scratch
            .store
            .quarantine_message(&entry.coordinates)
            .await
            .unwrap();
        assert_eq!(found.is_some(), entry.content_dropped_at.is_none());
        assert!(entry.raw_hash.is_some() && entry.raw_size.is_some());
        if found.is_some() {
            offsets.push(entry.coordinates.offset.get());
        }
    }
    offsets
}

#[tokio::test]
async fn a_flush_keeps_the_rows_alone_of_messages_for_which_there_is_no_room() {
    let scratch = Scratch::new("bound").await;
    let store = bounded(&scratch, 100_000).await;
    let claimed = scratch.claim(0).await;
    // 25 of these fill the bound; one that is too large does not keep out a smaller one behind it.
    let items = (0..30).map(|n| bad(0, n, if n == 1 { 200_000 } else { 4_000 }));
    store.flush(&claimed, &batch(0, items.collect())).await.unwrap();
    let kept = whole(&scratch).await;
    let expected: Vec<i64> = (0..25).filter(|n| *n != 1).collect();
    assert_eq!(kept, expected);
    assert!(assert_counted(&scratch).await <= 100_000);
    assert_eq!(store.quarantine_usage().await.unwrap().dropped, 6);
    // And it stays full for the next flush, also of another partition.
    let other = scratch.claim(1).await;
    store
        .flush(&other, &batch(0, vec![bad(1, 0, 4_000)]))
        .await
        .unwrap();
    assert_eq!(store.quarantine_usage().await.unwrap().dropped, 7);
    let why = scratch
        .count(
            "SELECT count(*) FROM quarantined WHERE content_dropped_for = 'bound' AND content_dropped_at = first_seen
             AND stored_bytes = 0 AND raw_size >= 4000 AND length(raw_hash) = 32",
        )
        .await;
    assert_eq!(why, 7);
    assert_counted(&scratch).await;
}

#[tokio::test]
async fn without_a_bound_everything_is_kept() {
    let scratch = Scratch::new("boundless").await;
    let store = bounded(&scratch, 0).await;
    let claimed = scratch.claim(0).await;
    let items = (0..30).map(|n| bad(0, n, 100_000));
    store.flush(&claimed, &batch(0, items.collect())).await.unwrap();
    assert_eq!(whole(&scratch).await.len(), 30);
    assert!(assert_counted(&scratch).await > 3_000_000);
}

#[tokio::test]
async fn flushes_at_the_same_moment_exceed_it_by_what_they_hold_and_no_more() {
    let scratch = Scratch::new("bound-race").await;
    let store = bounded(&scratch, 50_000).await;
    let mut flushes = Vec::new();
    for partition in 0..8 {
        let claimed = scratch.claim(partition).await;
        let store = store.clone();
        flushes.push(tokio::spawn(async move {
            for flush in 0..10 {
                let items = (0..3).map(|n| bad(partition, flush * 3 + n, 1_000));
                let items = batch(flush * 3, items.collect());
                store.flush(&claimed, &items).await.unwrap();
            }
        }));
    }
    for flush in flushes {
        flush.await.unwrap();
    }
    let bytes = assert_counted(&scratch).await;
    assert!(bytes > 45_000, "{bytes}");
    // Eight flushes of three messages of less than 1,100 bytes.
    assert!(bytes < 50_000 + 8 * 3 * 1_100, "{bytes}");
    let rows = scratch.count("SELECT count(*) FROM quarantine").await;
    assert_eq!(rows, 240);
}

#[tokio::test]
async fn the_oldest_are_dropped_first() {
    let scratch = Scratch::new("oldest").await;
    for partition in 0..2 {
        let claimed = scratch.claim(partition).await;
        let items = (0..20).map(|n| bad(partition, n, 10_000));
        scratch
            .store
            .flush(&claimed, &batch(0, items.collect()))
            .await
            .unwrap();
    }
    // Interleaved over the partitions, offset 19 the oldest.
    execute(&scratch, "UPDATE quarantine SET first_seen = now() - \"offset\" * interval '1 day' - partition * interval '1 hour'").await;
    let all = assert_counted(&scratch).await;
    let week_ago = chrono::Utc::now() - chrono::TimeDelta::days(10);
    let old = scratch.store.quarantine_drop_older(week_ago).await.unwrap();
    assert_eq!(old.messages, 20);
    let left = assert_counted(&scratch).await;
    assert_eq!(left, all - old.bytes);
    let beyond = scratch.store.quarantine_drop_beyond(100_000).await.unwrap();
    let left = assert_counted(&scratch).await;
    assert!(left <= 100_000 && left > 85_000, "{left}");
    assert_eq!(whole(&scratch).await, [0, 1, 2, 3, 4, 0, 1, 2, 3]);
    let usage = scratch.store.quarantine_usage().await.unwrap();
    assert_eq!(usage.dropped, old.messages + beyond.messages);
    let why = "SELECT count(DISTINCT content_dropped_for) FROM quarantined
         WHERE content_dropped_for IN ('age', 'bound') AND state = 'held' AND stored_bytes = 0";
    assert_eq!(scratch.count(why).await, 2);
    // Nothing is left to do, and nothing goes wrong where no bytes are left.
    assert_eq!(
        scratch
            .store
            .quarantine_drop_beyond(100_000)
            .await
            .unwrap()
            .messages,
        0
    );
    scratch.store.quarantine_drop_beyond(0).await.unwrap();
    assert_eq!(assert_counted(&scratch).await, 0);
}

#[tokio::test]
async fn replays_rewinds_and_older_programs_are_counted() {
    let scratch = Scratch::new("recount").await;
    let claimed = scratch.claim(0).await;
    let items = (0..10).map(|n| bad(0, n, 5_000));
    scratch
        .store
        .flush(&claimed, &batch(0, items.collect()))
        .await
        .unwrap();
    let before = assert_counted(&scratch).await;
    let article = Text {
        body: &prose(5, 4),
        ..Text::default()
    }
    .prepare()
    .into();
    let replayed = message(0, 3, NOON);
    scratch
        .store
        .quarantine_settle(&replayed, Ok(&article))
        .await
        .unwrap();
    let after = assert_counted(&scratch).await;
    assert!(before - after > 4_900, "{before} {after}");
    let gone = "SELECT count(*) FROM quarantine WHERE content_dropped_for = 'replayed' AND key IS NULL AND headers IS NULL";
    assert_eq!(scratch.count(gone).await, 1);
    // Bytes that were dropped are discarded all the same, and freed once.
    scratch.store.quarantine_drop_beyond(20_000).await.unwrap();
    let left = assert_counted(&scratch).await;
    let freed = scratch
        .store
        .quarantine_discard(&QuarantineFilter::default())
        .await
        .unwrap();
    assert_eq!((freed.messages, freed.bytes), (9, left));
    assert_eq!(assert_counted(&scratch).await, 0);
    // A program that knows nothing of the count.
    let items = (10..12).map(|n| bad(0, n, 5_000));
    scratch
        .store
        .flush(&claimed, &batch(10, items.collect()))
        .await
        .unwrap();
    let right = assert_counted(&scratch).await;
    execute(&scratch, "UPDATE partition_progress SET quarantine_bytes = 0").await;
    assert_eq!(scratch.store.quarantine_recount().await.unwrap(), 1);
    assert_eq!(assert_counted(&scratch).await, right);
    // What is taken back is counted no more.
    let to = RewindTo {
        source: source(0),
        to: Offset::new(11),
        low: Offset::new(0),
    };
    scratch.store.rewind(&[to], "test", false).await.unwrap();
    let left = assert_counted(&scratch).await;
    assert!(left > 0 && left < right, "{left} of {right}");
}

#[tokio::test]
async fn bytes_that_were_changed_or_taken_away_are_noticed() {
    let scratch = Scratch::new("changed").await;
    let claimed = scratch.claim(0).await;
    let items = (0..2).map(|n| bad(0, n, 1_000));
    scratch
        .store
        .flush(&claimed, &batch(0, items.collect()))
        .await
        .unwrap();
    assert!(scratch.store.audit().await.unwrap().is_clean());
    execute(
        &scratch,
        "UPDATE quarantine SET raw = (SELECT raw FROM quarantine WHERE \"offset\" = 1) WHERE \"offset\" = 0",
    )
    .await;
    let error = scratch
        .store
        .quarantine_message(&message(0, 0, NOON).coordinates)
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("changed"), "{error}");
    execute(&scratch, "UPDATE quarantine SET raw = NULL WHERE \"offset\" = 0").await;
    let findings = scratch.store.audit().await.unwrap().findings;
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(findings[0].contains("other bytes than were kept"));
}

#[tokio::test]
async fn space_of_dropped_bytes_is_used_again_and_the_end_of_the_file_given_back() {
    let scratch = Scratch::new("space").await;
    let size = || scratch.count("SELECT pg_total_relation_size('quarantine')");
    let claimed = scratch.claim(0).await;
    let fill = async |from: i64| {
        let items = (from..from + 10).map(|n| bad(0, n, 500_000));
        let items = batch(from, items.collect());
        scratch.store.flush(&claimed, &items).await.unwrap();
    };
    fill(0).await;
    fill(10).await;
    let full = size().await;
    assert!(full > 10_000_000);
    scratch.store.quarantine_drop_beyond(5_100_000).await.unwrap();
    execute(&scratch, "VACUUM quarantine").await;
    assert!(size().await > full * 9 / 10, "the newest are at its end");
    fill(20).await;
    assert!(size().await < full * 11 / 10);
    scratch.store.quarantine_drop_beyond(0).await.unwrap();
    execute(&scratch, "VACUUM quarantine").await;
    assert!(size().await < full / 10, "{} of {full}", size().await);
}
