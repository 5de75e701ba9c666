//! Small budgets: slow, but never stuck, and never more in memory than allowed.

use std::sync::Arc;
use std::time::Duration;

use crate::ledger::{Habits, Ledger};
use crate::support::{Mock, start, until};

/// What a message weighs beyond its payload.
const OVERHEAD: usize = 128;

#[tokio::test(flavor = "multi_thread")]
async fn a_tiny_budget_is_kept_and_shared() {
    let mock = Mock::new(3);
    for partition in 0..3 {
        mock.produce(partition, 150, 1_000).await;
    }
    let mut config = mock.config();
    config.total_bytes = 5_000;
    config.queue_bytes = 2_500;
    config.queue_messages = 3;
    let ledger = Arc::new(Ledger::default());
    let slow = Habits {
        keeps: 2,
        slow: Duration::from_millis(1),
    };
    let (worker, handle) = start("a", config, &ledger, slow);
    until("all is stored", || ledger.stored() == 450).await;
    ledger.check(0..3, 0, 150);
    let most = worker.most_bytes.lock().unwrap().1;
    assert!(most <= 5_000, "{most} bytes in flight");
    handle.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_larger_than_the_budget_passes_alone() {
    let mock = Mock::new(2);
    for partition in 0..2 {
        mock.produce(partition, 20, 500).await;
        mock.produce(partition, 1, 50_000).await;
        mock.produce(partition, 20, 500).await;
    }
    let mut config = mock.config();
    config.total_bytes = 2_000;
    config.queue_bytes = 1_000;
    let ledger = Arc::new(Ledger::default());
    let (worker, handle) = start("a", config, &ledger, Habits::default());
    until("all is stored", || ledger.stored() == 82).await;
    ledger.check(0..2, 0, 41);
    let most = worker.most_bytes.lock().unwrap().1;
    assert!(most <= 50_000 + OVERHEAD, "{most} bytes in flight");
    handle.stop().await;
}
