//! Near-copies that are stored at the same moment, by one worker's partitions and by two workers.

use std::sync::Arc;

use copydesk_store::{Claimed, OnLostRange, RetryClass, Store, StoreConfig};

use tokio::sync::Barrier;

use crate::support::{Scratch, Text, batch, prose, wanted};

const PAIRS: i64 = 400;
const IN_BATCH: i64 = 20;

/// Both halves of every pair at the same position on two partitions: the worst case by construction. A batch of the first
/// partition holds `refused` besides where that is set. Answers with the number of flushes that were tried again.
async fn store_pairs(workers: [(Store, Claimed); 2], refused: Option<&'static str>) -> u64 {
    let mut running = Vec::new();
    let together = Arc::new(Barrier::new(2));
    for ((store, claimed), site) in workers.into_iter().zip(["a.example", "b.example"]) {
        let together = Arc::clone(&together);
        running.push(tokio::spawn(async move {
            let partition = claimed.source.partition.get();
            let refused = refused.filter(|_| partition == 0);
            let in_batch = IN_BATCH + i64::from(refused.is_some());
            let mut retries = 0;
            for (turn, first) in (0..PAIRS).step_by(IN_BATCH as usize).enumerate() {
                let offset = turn as i64 * in_batch;
                let mut items = Vec::new();
                for n in 0..in_batch {
                    let number = if n < IN_BATCH { first + n } else { 100_000 + first };
                    let body = prose(1_000 + number as u64, 4);
                    let text = Text {
                        site: Some(site),
                        title: if n < IN_BATCH { Some("A pair") } else { refused },
                        body: &body,
                        ..Text::default()
                    };
                    items.push(text.item(partition, offset + n));
                }
                let batch = batch(offset, items);
                together.wait().await;
                while let Err(error) = store.flush(&claimed, &batch).await {
                    assert_eq!(error.class(), RetryClass::RetryNow, "{error}");
                    retries += 1;
                }
            }
            retries
        }));
    }
    let mut retries = 0;
    for worker in running {
        retries += worker.await.unwrap();
    }
    retries
}

async fn assert_no_pair_is_split(scratch: &Scratch) {
    assert_eq!(scratch.count("SELECT count(*) FROM article").await, 2 * PAIRS);
    assert_eq!(
        scratch
            .count("SELECT count(*) FROM stories WHERE articles = 2")
            .await,
        PAIRS,
        "no pair is split"
    );
    scratch.assert_law().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn copies_that_arrive_at_once_on_two_partitions_of_a_worker_are_one_story() {
    let scratch = Scratch::new("race").await;
    let workers = [
        (scratch.store.clone(), scratch.claim(0).await),
        (scratch.store.clone(), scratch.claim(1).await),
    ];
    let retries = store_pairs(workers, None).await;
    assert_eq!(retries, 0, "one after the other");
    assert_no_pair_is_split(&scratch).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn copies_of_what_was_rolled_back_are_one_story_with_what_is_stored_in_its_place() {
    let scratch = Scratch::new("race_refused").await;
    // Behind the claim of the keys, so that every first try of a batch gives back keys that the other partition may wait for.
    sqlx::raw_sql(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE data_exception; END $$;
         CREATE TRIGGER refuse BEFORE INSERT ON article FOR EACH ROW WHEN (NEW.title = 'Refused') EXECUTE FUNCTION refuse()",
    )
    .execute(&scratch.db)
    .await
    .unwrap();
    let workers = [
        (scratch.store.clone(), scratch.claim(0).await),
        (scratch.store.clone(), scratch.claim(1).await),
    ];
    let retries = store_pairs(workers, Some("Refused")).await;
    assert_eq!(retries, 0, "one after the other");
    assert_eq!(
        scratch.count("SELECT count(*) FROM quarantine").await,
        PAIRS / IN_BATCH
    );
    assert_no_pair_is_split(&scratch).await;
}

/// A worker of another name that has claimed this partition, with connections and memory of its own.
pub(crate) async fn another_worker(scratch: &Scratch, owner: &str, partition: i32) -> (Store, Claimed) {
    let store = scratch
        .another_store(StoreConfig {
            connections: 2,
            ..StoreConfig::default()
        })
        .await;
    let wanted = [wanted(partition, 0, 1_000_000)];
    let mut claims = store.claim(owner, &wanted, OnLostRange::Stop).await.unwrap();
    (store, claims.remove(0))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn copies_that_arrive_at_once_on_two_workers_are_one_story() {
    let scratch = Scratch::new("race_workers").await;
    let workers = [
        another_worker(&scratch, "one", 0).await,
        another_worker(&scratch, "another", 1).await,
    ];
    let retries = store_pairs(workers, None).await;
    assert_eq!(retries, 0, "one after the other");
    assert_no_pair_is_split(&scratch).await;
}

/// Batches of two partitions that claim in the same two windows, each in another order.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn flushes_of_several_windows_do_not_deadlock() {
    const FLUSHES: i64 = 40;
    let scratch = Scratch::new("race_windows").await;
    let workers = [
        another_worker(&scratch, "one", 0).await,
        another_worker(&scratch, "another", 1).await,
    ];
    let windows = [
        scratch.middle_of_window(-1).await,
        scratch.middle_of_window(0).await,
    ];
    let together = Arc::new(Barrier::new(2));
    let mut running = Vec::new();
    for ((store, claimed), turned) in workers.into_iter().zip([false, true]) {
        let (together, mut windows) = (Arc::clone(&together), windows.clone());
        if turned {
            windows.reverse();
        }
        running.push(tokio::spawn(async move {
            let partition = claimed.source.partition.get();
            let mut retries = 0;
            for n in 0..FLUSHES {
                let items = (0..).zip(&windows).map(|(place, time)| {
                    let body = prose(5_000 + n as u64 * 2 + u64::from((place == 1) != turned), 3);
                    let site = format!("s{partition}.example");
                    Text::of_site(&site, "A pair", &body).item_at(partition, n * 2 + place, time)
                });
                let batch = batch(n * 2, items.collect());
                together.wait().await;
                while let Err(error) = store.flush(&claimed, &batch).await {
                    assert_eq!(error.class(), RetryClass::RetryNow, "{error}");
                    retries += 1;
                }
            }
            retries
        }));
    }
    let mut retries = 0;
    for worker in running {
        retries += worker.await.unwrap();
    }
    assert_eq!(retries, 0, "one after the other");
    assert_eq!(scratch.stories().await, FLUSHES * 2);
    scratch.assert_law().await;
}
