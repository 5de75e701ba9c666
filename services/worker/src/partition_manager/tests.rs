use std::sync::Mutex;

use copydesk_article::{Epoch, Offset, Partition, Topic};
use copydesk_store::{Batch, FlushError, FlushReport};
use copydesk_stream::Coordinator;
use futures_util::future::BoxFuture;

use super::*;
use crate::simulation::context;

/// A ledger of one partition that others move.
#[derive(Clone)]
struct Ledger(Arc<Mutex<i64>>);

impl Database for Ledger {
    fn flush<'a>(&'a self, _: &'a Claimed, _: &'a Batch) -> BoxFuture<'a, Result<FlushReport, FlushError>> {
        unreachable!("nothing is read")
    }

    fn claim<'a>(
        &'a self,
        _: &'a str,
        wanted: &'a [ClaimWanted],
        _: OnLostRange,
    ) -> BoxFuture<'a, Result<Vec<Claimed>, StoreError>> {
        let at = *self.0.lock().unwrap();
        let claim = move |w: &ClaimWanted| {
            let (source, next_offset) = (w.source.clone(), NextOffset::new(at));
            if w.high.get() < at {
                return Err(StoreError::TopicRecreated {
                    partition: source,
                    next_offset,
                    high: w.high,
                });
            }
            Ok(Claimed {
                source,
                epoch: Epoch::new(1),
                next_offset,
                unfinished_claims: 0,
            })
        };
        Box::pin(async move { wanted.iter().map(claim).collect() })
    }

    fn release<'a>(&'a self, _: &'a [Claimed]) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async { Ok(()) })
    }

    fn progress(&self) -> BoxFuture<'_, Result<Vec<Progress>, StoreError>> {
        Box::pin(async { Ok(Vec::new()) })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_end_that_others_have_gone_beyond_is_asked_for_again_and_one_that_stays_behind_is_another_topics()
{
    let ledger = Ledger(Arc::new(Mutex::new(6_218)));
    let (bridge, manager, mut fatal) = PartitionManager::new(
        context(ledger.clone()),
        "worker".into(),
        OnLostRange::Stop,
        Box::new(|_| ()),
    );
    tokio::spawn(manager.run());
    let mut claim = |high: i64| {
        let wanted = Wanted {
            source: TopicPartition {
                topic: Topic::new("articles"),
                partition: Partition::new(3),
            },
            low: Offset::new(0),
            high: Offset::new(high),
        };
        let claimed = tokio::task::block_in_place(|| bridge.claim(vec![wanted]));
        (claimed.map(|starts| starts.len()), fatal.try_recv().ok())
    };
    // Kafka was asked before the claim had to wait for Postgres.
    let (claimed, stopped) = claim(5_136);
    assert!(claimed.unwrap_err().to_string().contains("asked again"));
    assert!(stopped.is_none(), "{stopped:?}");
    // By now there is more again.
    *ledger.0.lock().unwrap() = 6_400;
    let (claimed, stopped) = claim(6_300);
    assert!(claimed.is_err() && stopped.is_none());
    assert_eq!(claim(6_400).0.unwrap(), 1);
    // What was seen before that claim does not count any more.
    assert!(claim(10).1.is_none());
    let (claimed, stopped) = claim(10);
    assert!(claimed.is_err());
    assert!(stopped.unwrap().to_string().contains("created again"));
}
