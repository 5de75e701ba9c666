//! What the pipeline waits for: nothing that any login may take, and who holds a lock is reported.

use copydesk_store::{LOOK_EVERY, LockWait, LockWatch, Output, StoreConfig};

use crate::support::{Scratch, Text, babble, batch};

/// Looks until this lock is reported.
async fn reported(watch: &mut LockWatch, scratch: &Scratch, lock: &str) -> LockWait {
    for _ in 0..12 {
        let waits = watch.look(&scratch.store).await.unwrap();
        if let Some(wait) = waits.into_iter().find(|w| w.lock == lock) {
            return wait;
        }
        tokio::time::sleep(LOOK_EVERY / 2).await;
    }
    panic!("{lock} is not reported");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_holds_up_a_flush_or_a_publisher_is_reported() {
    let scratch = Scratch::new("lock_waits").await;
    let claimed = scratch.claim(0).await;
    // A person who has left a transaction open, with the row that every flush of the partition changes.
    let (mut person, person_pid) = scratch.transaction().await;
    sqlx::query("SELECT FROM partition_progress FOR UPDATE")
        .execute(&mut *person)
        .await
        .unwrap();
    let publisher = scratch
        .store
        .outbox_take(Output::Articles, 1, 1)
        .await
        .unwrap()
        .expect("nobody else publishes");
    let other = scratch.another_store(StoreConfig::default()).await;
    assert!(
        other.outbox_take(Output::Articles, 1, 1).await.unwrap().is_none(),
        "one at a time"
    );
    assert!(
        other
            .outbox_take(Output::DeadLetters, 1, 1)
            .await
            .unwrap()
            .is_some(),
        "for each output"
    );
    let store = scratch.store.clone();
    let flush = tokio::spawn(async move {
        let items = vec![Text::of_site("a.example", "One", &babble(1)).item(0, 0)];
        store.flush(&claimed, &batch(0, items)).await.unwrap();
    });
    let mut watch = LockWatch::default();
    let wait = reported(&mut watch, &scratch, "transactionid").await;
    assert!(wait.waiting.is_some());
    assert_eq!(wait.holder, person_pid);
    let said = wait.to_string();
    assert!(
        said.contains("postgres") && said.contains("since 20") && said.contains(&person_pid.to_string()),
        "{said}"
    );
    let wait = reported(&mut watch, &scratch, "publish_articles").await;
    assert_eq!(wait.waiting, None);
    assert_eq!(wait.application.as_deref(), Some("copydesk"));
    drop(publisher);
    person.rollback().await.unwrap();
    flush.await.unwrap();
    scratch.assert_law().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_advisory_lock_keeps_a_schema_from_being_brought_up_to_date() {
    let scratch = Scratch::new("lock_migrate").await;
    // The lock that sqlx takes by itself (`generate_lock_id`), as any login could.
    let database: String = sqlx::query_scalar("SELECT current_database()")
        .fetch_one(&scratch.db)
        .await
        .unwrap();
    let id = 0x3d32_ad9e * i64::from(crc32(database.as_bytes()));
    let mut reader = scratch.db.acquire().await.unwrap();
    sqlx::query("SELECT pg_advisory_lock($1)")
        .bind(id)
        .execute(&mut *reader)
        .await
        .unwrap();
    let store = &scratch.store;
    let outcomes = tokio::join!(store.migrate(), store.migrate(), store.migrate());
    for outcome in <[_; 3]>::from(outcomes) {
        outcome.unwrap();
    }
}

/// CRC-32 as in zlib.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    })
}
