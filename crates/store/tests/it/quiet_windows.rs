//! Windows that are only looked into: their keys are kept at hand, and nothing is missed by it.

use std::time::{Duration, Instant};

use copydesk_store::{Claimed, Store, StoreConfig};

use crate::support::{Scratch, Text, batch, prose};

/// Flushes after which a window that is only looked into is read.
const LOOKS: i64 = 10;

struct Windows {
    scratch: Scratch,
    claimed: Claimed,
    next: i64,
    /// The middle of the window before the present one, and that of the present one: both have a partition of their own.
    earlier: String,
    present: String,
}

impl Windows {
    async fn new(label: &str) -> Self {
        let scratch = Scratch::new(label).await;
        let claimed = scratch.claim(0).await;
        Self {
            earlier: scratch.middle_of_window(-1).await,
            present: scratch.middle_of_window(0).await,
            scratch,
            claimed,
            next: 0,
        }
    }

    /// Stores one article by this store and answers with the number of stories.
    async fn store(&mut self, body: u64, site: &str, time: &str) -> i64 {
        let body = prose(body, 6);
        let text = Text::of_site(site, "Harbour", &body);
        let items = vec![text.item_at(0, self.next, time)];
        let batch = batch(self.next, items);
        self.next += 1;
        self.scratch.store.flush(&self.claimed, &batch).await.unwrap();
        self.scratch.stories().await
    }

    /// Looks into the earlier window until it is worth reading.
    async fn look(&mut self) {
        let present = self.present.clone();
        for _ in 0..LOOKS {
            let body = 1_000 + self.next.unsigned_abs();
            self.store(body, &format!("site{body}.example"), &present).await;
        }
    }

    async fn marks(&self) -> i64 {
        self.scratch.count("SELECT count(*) FROM quiet_window").await
    }
}

async fn read(store: &Store) -> u32 {
    store.read_windows().await.unwrap()
}

#[tokio::test]
async fn a_quiet_window_is_read_once_and_its_copies_are_found() {
    let mut windows = Windows::new("quiet").await;
    let (earlier, present) = (windows.earlier.clone(), windows.present.clone());
    for body in [1, 2] {
        windows.store(body, "a.example", &earlier).await;
    }
    assert_eq!(read(&windows.scratch.store).await, 0, "nobody looked yet");
    windows.look().await;
    assert_eq!(read(&windows.scratch.store).await, 1);
    assert_eq!(read(&windows.scratch.store).await, 0, "it is known");
    assert_eq!(windows.marks().await, 1);
    let before = windows.scratch.stories().await;
    assert_eq!(windows.store(1, "b.example", &present).await, before, "a copy");
    assert_eq!(
        windows.store(2, "b.example", &present).await,
        before,
        "another one"
    );
    windows.scratch.assert_law().await;
}

#[tokio::test]
async fn keys_of_a_quiet_window_are_not_looked_up_one_by_one() {
    let mut windows = Windows::new("quiet_left_out").await;
    let (earlier, present) = (windows.earlier.clone(), windows.present.clone());
    windows.store(1, "a.example", &earlier).await;
    windows.look().await;
    assert_eq!(read(&windows.scratch.store).await, 1);
    // Keys of the article to come, put there behind the mark's back, as nothing but this test does.
    windows.store(2, "b.example", &present).await;
    let moved = "WITH other AS (
                     INSERT INTO near_key SELECT key - (1::bigint << 50), article_id FROM near_key
                     WHERE article_id = (SELECT max(article_id) FROM article) RETURNING key),
                 own AS (DELETE FROM near_key WHERE article_id = (SELECT max(article_id) FROM article) RETURNING key)
                 SELECT count(*) FROM other, own";
    assert!(windows.scratch.count(moved).await > 4);
    let before = windows.scratch.stories().await;
    assert_eq!(
        windows.store(2, "c.example", &present).await,
        before + 1,
        "it is not looked up: nobody adds a key under a mark"
    );
    sqlx::query("DELETE FROM quiet_window")
        .execute(&windows.scratch.db)
        .await
        .unwrap();
    assert_eq!(windows.marks().await, 0);
    let moved = "WITH own AS (DELETE FROM near_key WHERE article_id = (SELECT max(article_id) FROM article) RETURNING key)
                 SELECT count(*) FROM own";
    assert!(windows.scratch.count(moved).await > 4);
    assert_eq!(
        windows.store(2, "d.example", &present).await,
        before + 1,
        "without the mark it is"
    );
}

#[tokio::test]
async fn a_key_that_comes_late_ends_the_quiet_for_everybody() {
    let mut windows = Windows::new("quiet_late").await;
    let (earlier, present) = (windows.earlier.clone(), windows.present.clone());
    windows.store(1, "a.example", &earlier).await;
    windows.look().await;
    assert_eq!(read(&windows.scratch.store).await, 1);
    // Another worker stores an article that comes late.
    let other = windows.scratch.another_store(StoreConfig::default()).await;
    let body = prose(7, 6);
    let text = Text::of_site("late.example", "Harbour", &body);
    let claimed = windows.scratch.claim(1).await;
    let late = batch(0, vec![text.item_at(1, 0, &earlier)]);
    other.flush(&claimed, &late).await.unwrap();
    assert_eq!(windows.marks().await, 0);
    let before = windows.scratch.stories().await;
    assert_eq!(
        windows.store(7, "b.example", &present).await,
        before,
        "its copy finds it"
    );
    assert_eq!(
        windows.store(1, "b.example", &present).await,
        before,
        "as does that of the first"
    );
    // Quiet again, for a worker that comes new: another mark, and both are in it.
    let mark = "SELECT count(*) FROM quiet_window WHERE since > now() - interval '1 minute'";
    sqlx::query("SELECT copydesk_quiet_window(copydesk_window($1::timestamptz))")
        .bind(&earlier)
        .execute(&windows.scratch.db)
        .await
        .unwrap();
    assert_eq!(windows.scratch.count(mark).await, 1);
    assert_eq!(
        windows.store(7, "c.example", &present).await,
        before,
        "under a mark that was not read"
    );
    windows.scratch.assert_law().await;
}

#[tokio::test]
async fn a_window_is_not_quiet_while_somebody_claims_there() {
    let mut windows = Windows::new("quiet_waits").await;
    let earlier = windows.earlier.clone();
    windows.store(1, "a.example", &earlier).await;
    windows.look().await;
    let mut claiming = windows.scratch.db.begin().await.unwrap();
    sqlx::query("INSERT INTO near_key SELECT min(key) + 1, min(article_id) FROM near_key")
        .execute(&mut *claiming)
        .await
        .unwrap();
    assert_eq!(read(&windows.scratch.store).await, 0);
    assert_eq!(windows.marks().await, 0);
    claiming.rollback().await.unwrap();
    windows.look().await;
    assert_eq!(read(&windows.scratch.store).await, 0, "not again at once");
    // But soon: it may have been a vacuum.
    let begun = Instant::now();
    while read(&windows.scratch.store).await == 0 {
        assert!(begun.elapsed() < Duration::from_secs(60), "never again");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(windows.marks().await, 1);
}
