//! Near-copies that are stored at the same moment by two workers.

use copydesk_store::RetryClass;

use crate::support::{Scratch, Text, batch, prose};

/// Both halves of every pair at the same position on two partitions: the worst case by construction.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn copies_that_arrive_at_once_on_two_workers_are_one_story() {
    const PAIRS: i64 = 400;
    const IN_BATCH: i64 = 20;
    let scratch = Scratch::new("race").await;
    let workers: Vec<_> = [(0, "a.example"), (1, "b.example")]
        .into_iter()
        .map(|(partition, site)| {
            let store = scratch.store.clone();
            let claiming = scratch.claim(partition);
            (store, claiming, partition, site)
        })
        .collect();
    let mut running = Vec::new();
    for (store, claiming, partition, site) in workers {
        let claimed = claiming.await;
        running.push(tokio::spawn(async move {
            let mut retries = 0;
            for first in (0..PAIRS).step_by(IN_BATCH as usize) {
                let mut items = Vec::new();
                for n in first..first + IN_BATCH {
                    let body = prose(1_000 + n as u64, 4);
                    let text = Text {
                        site: Some(site),
                        title: Some("A pair"),
                        body: &body,
                        ..Text::default()
                    };
                    items.push(text.item(partition, n));
                }
                let batch = batch(first, items);
                while let Err(error) = store.flush(&claimed, &batch).await {
                    assert_eq!(error.class(), RetryClass::RetryNow, "{error}");
                    retries += 1;
                }
            }
            retries
        }));
    }
    for worker in running {
        worker.await.unwrap();
    }
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
