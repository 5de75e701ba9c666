//! Keys of a window that are certainly new go in without a question: nothing is missed by it, and who was missed is met.

use copydesk_store::{Claimed, FlushReport, OnLostRange, RetryClass, Store, StoreConfig, StoreError};

use copydesk_testkit::ArticleGenerator;

use crate::support::{Scratch, Text, batch, wanted};

/// Enough keys to make a window worth reading.
const FIRST: u64 = 400;

struct Window {
    scratch: Scratch,
    claimed: Claimed,
    next: i64,
    now: String,
}

impl Window {
    /// A window with some articles, whose keys the store has at hand.
    async fn known(label: &str) -> Self {
        let scratch = Scratch::new(label).await;
        let mut window = Self {
            claimed: scratch.claim(0).await,
            now: scratch.middle_of_window(0).await,
            next: 0,
            scratch,
        };
        assert_eq!(
            window.scratch.store.read_windows().await.unwrap(),
            0,
            "nothing yet"
        );
        let bodies: Vec<u64> = (0..FIRST).collect();
        window.store("a.example", &bodies).await.unwrap();
        assert_eq!(window.scratch.store.read_windows().await.unwrap(), 1);
        assert_eq!(window.scratch.stories().await, FIRST.cast_signed());
        window
    }

    /// Stores articles as the worker.
    async fn store(&mut self, site: &str, bodies: &[u64]) -> Result<FlushReport, StoreError> {
        let from = self.next;
        let flushed = flush(&self.scratch.store, &self.claimed, from, site, bodies, &self.now).await?;
        self.next += bodies.len() as i64;
        Ok(flushed)
    }

    async fn stories_beyond_first(&self) -> i64 {
        self.scratch.stories().await - FIRST.cast_signed()
    }
}

async fn flush(
    store: &Store,
    claimed: &Claimed,
    from: i64,
    site: &str,
    bodies: &[u64],
    at: &str,
) -> Result<FlushReport, StoreError> {
    let partition = claimed.source.partition.get();
    let items = (from..).zip(bodies).map(|(offset, body)| {
        let body = ArticleGenerator::new(*body).babble(6);
        Text::of_site(site, "Harbour", &body).item_at(partition, offset, at)
    });
    store.flush(claimed, &batch(from, items.collect())).await
}

#[tokio::test]
async fn copies_are_found_by_keys_that_were_read_and_by_those_that_came_since() {
    let mut window = Window::known("present").await;
    window.store("b.example", &[3, 1_000, 5]).await.unwrap();
    assert_eq!(
        window.stories_beyond_first().await,
        1,
        "copies of two that were read"
    );
    window.store("c.example", &[1_000, 1_001, 1_001]).await.unwrap();
    assert_eq!(
        window.stories_beyond_first().await,
        2,
        "of one that came since, and within the batch"
    );
    let keys =
        "SELECT count(*) FROM near_key n JOIN article a USING (article_id) WHERE a.relation = 'original'";
    assert_eq!(
        window.scratch.count(keys).await,
        window.scratch.count("SELECT count(*) FROM near_key").await,
        "each key has the first article for its owner"
    );
    window.scratch.assert_law().await;
}

#[tokio::test]
async fn whoever_claims_unseen_is_met_by_trying_again() {
    let mut window = Window::known("present_unseen").await;
    // By the name of the same worker: as if alone.
    let other = window.scratch.another_store(StoreConfig::default()).await;
    let claimed = window.scratch.claim(1).await;
    flush(&other, &claimed, 0, "other.example", &[2_000], &window.now)
        .await
        .unwrap();
    let error = window.store("b.example", &[2_001, 2_000]).await.unwrap_err();
    assert_eq!(error.class(), RetryClass::RetryNow);
    assert!(matches!(error, StoreError::ClaimedMeanwhile), "{error}");
    assert_eq!(window.stories_beyond_first().await, 1, "nothing of it is stored");
    let again = window.store("b.example", &[2_001, 2_000]).await.unwrap();
    assert_eq!((again.new_articles, again.quarantined), (1, 0));
    assert_eq!(
        window.stories_beyond_first().await,
        2,
        "one of its own, and a copy"
    );
    // For a while nothing is thought to be known.
    flush(&other, &claimed, 1, "other.example", &[2_002], &window.now)
        .await
        .unwrap();
    window.store("b.example", &[2_002]).await.unwrap();
    assert_eq!(window.stories_beyond_first().await, 3);
    window.scratch.assert_law().await;
}

#[tokio::test]
async fn beside_another_worker_every_claim_is_made_with_care() {
    let mut window = Window::known("present_two").await;
    let other = window.scratch.another_store(StoreConfig::default()).await;
    let claimed = other
        .claim("other", &[wanted(1, 0, 1_000_000)], OnLostRange::Stop)
        .await
        .unwrap()
        .remove(0);
    flush(&other, &claimed, 0, "other.example", &[2_000], &window.now)
        .await
        .unwrap();
    window.store("b.example", &[2_000, 2_001]).await.unwrap();
    assert_eq!(window.stories_beyond_first().await, 2);
    // The other one stores something more, and goes. What it left is not taken for new.
    flush(&other, &claimed, 1, "other.example", &[2_002], &window.now)
        .await
        .unwrap();
    let gone =
        "UPDATE partition_progress SET updated_at = updated_at - interval '2 minutes' WHERE owner = 'other'";
    sqlx::query(gone).execute(&window.scratch.db).await.unwrap();
    window.store("b.example", &[2_002]).await.unwrap();
    assert_eq!(window.stories_beyond_first().await, 3);
    window.scratch.assert_law().await;
}
