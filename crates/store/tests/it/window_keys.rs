//! Windows that are only looked into: their keys are cached, and nothing is missed by it.

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
}

async fn read(store: &Store) -> u32 {
    store.read_windows().await.unwrap()
}

#[tokio::test]
async fn a_window_that_is_only_looked_into_is_read_once_and_its_copies_are_found() {
    let mut windows = Windows::new("window_keys").await;
    let (earlier, present) = (windows.earlier.clone(), windows.present.clone());
    for body in [1, 2] {
        windows.store(body, "a.example", &earlier).await;
    }
    assert_eq!(read(&windows.scratch.store).await, 0, "nobody looked yet");
    windows.look().await;
    assert_eq!(read(&windows.scratch.store).await, 1);
    assert_eq!(read(&windows.scratch.store).await, 0, "it is known");
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
async fn keys_are_not_looked_up_one_by_one_while_the_version_stands() {
    let mut windows = Windows::new("window_keys_left_out").await;
    let (earlier, present) = (windows.earlier.clone(), windows.present.clone());
    windows.store(1, "a.example", &earlier).await;
    windows.look().await;
    assert_eq!(read(&windows.scratch.store).await, 1);
    // Keys of the article to come, put there without the window's lock, as nothing but this test does.
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
        "it is not looked up: nobody adds a key under a version"
    );
    sqlx::query("UPDATE near_key_window SET version = version + 1")
        .execute(&windows.scratch.db)
        .await
        .unwrap();
    let moved = "WITH own AS (DELETE FROM near_key WHERE article_id = (SELECT max(article_id) FROM article) RETURNING key)
                 SELECT count(*) FROM own";
    assert!(windows.scratch.count(moved).await > 4);
    assert_eq!(
        windows.store(2, "d.example", &present).await,
        before + 1,
        "under another version it is"
    );
}

#[tokio::test]
async fn a_key_that_comes_late_is_found_by_everybody() {
    let mut windows = Windows::new("window_keys_late").await;
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
    windows.scratch.assert_law().await;
}
