//! Near-copies that are stored at the same moment, by one worker's partitions and by two workers.

use std::sync::Arc;

use copydesk_store::ledger::{Counts, Ledger as _};
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
    assert_eq!(retries, 0, "they take turns");
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
    assert_eq!(retries, 0, "they take turns");
    assert_eq!(
        scratch.count("SELECT count(*) FROM quarantine").await,
        PAIRS / IN_BATCH
    );
    assert_no_pair_is_split(&scratch).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn copies_that_arrive_at_once_on_two_workers_are_one_story() {
    let scratch = Scratch::new("race_workers").await;
    let mut workers = Vec::new();
    for (partition, owner) in [(0, "one"), (1, "another")] {
        // Connections and memory of its own.
        let store = scratch
            .another_store(StoreConfig {
                connections: 2,
                ..StoreConfig::default()
            })
            .await;
        let claimed = store
            .claim(owner, &[wanted(partition, 0, 1_000_000)], OnLostRange::Stop)
            .await
            .unwrap()
            .remove(0);
        workers.push((store, claimed));
    }
    let Ok(workers) = workers.try_into() else {
        panic!("two of them");
    };
    store_pairs(workers, None).await;
    assert_no_pair_is_split(&scratch).await;
}

#[tokio::test]
async fn a_worker_is_alone_while_no_other_flushes_or_claims() {
    let scratch = Scratch::new("alone").await;
    let store = &scratch.store;
    let claim = async |owner: &str, partition| {
        let wanted = [wanted(partition, 0, 1_000_000)];
        let mut claims = store.claim(owner, &wanted, OnLostRange::Stop).await.unwrap();
        claims.remove(0)
    };
    let alone = async |claimed: &Claimed| {
        let (at, none) = (
            claimed.next_offset,
            Counts {
                prepared: 0,
                refused: 0,
            },
        );
        let mut transaction = store.begin().await.unwrap();
        let advanced = store.advance(&mut transaction, claimed, at, at, none).await;
        store.rollback(transaction).await.unwrap();
        advanced.unwrap().unwrap().alone
    };
    let one = claim("one", 0).await;
    let _same = claim("one", 1).await;
    assert!(alone(&one).await);
    let another = claim("another", 2).await;
    assert!(!alone(&one).await);
    assert!(!alone(&another).await);
    sqlx::query(
        "UPDATE partition_progress SET updated_at = now() - interval '2 minutes' WHERE owner = 'another'",
    )
    .execute(&scratch.db)
    .await
    .unwrap();
    assert!(alone(&one).await, "the other one is gone, or has nothing to do");
    assert!(!alone(&another).await);
}
