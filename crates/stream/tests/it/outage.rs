//! Brokers go away and come back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::ledger::{Habits, Ledger};
use crate::support::{Mock, in_time, start, until};

#[tokio::test(flavor = "multi_thread")]
async fn all_brokers_down_and_up_again_leaves_no_gap_and_no_repeat() {
    let mock = Mock::new(4);
    for partition in 0..4 {
        mock.produce(partition, 20, 100).await;
    }
    let ledger = Arc::new(Ledger::default());
    let (first, first_handle) = start("a", mock.config(), &ledger, Habits::default());
    until("the first has all", || first.partitions().len() == 4).await;
    let (second, second_handle) = start("b", mock.config(), &ledger, Habits::default());
    let shared = || first.partitions().len() == 2 && second.partitions().len() == 2;
    until("two each", shared).await;
    until("all is stored", || ledger.stored() == 80).await;

    mock.all_down();
    let down = Instant::now();
    until("they are away for a while", || {
        down.elapsed() > Duration::from_secs(2)
    })
    .await;
    mock.all_up();
    for partition in 0..4 {
        mock.produce(partition, 30, 100).await;
    }
    until("all is stored", || ledger.stored() == 200).await;
    ledger.check(0..4, 0, 50);
    first_handle.stop().await;
    second_handle.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stop_ends_while_brokers_are_away() {
    let mock = Mock::new(2);
    mock.produce(0, 20, 100).await;
    let ledger = Arc::new(Ledger::default());
    let (_, handle) = start("a", mock.config(), &ledger, Habits::default());
    until("all is stored", || ledger.stored() == 20).await;
    mock.all_down();
    in_time("stop without brokers", Duration::from_secs(10), handle.stop()).await;
    mock.all_up();
}

#[tokio::test(flavor = "multi_thread")]
async fn brokers_that_come_up_late_are_waited_for() {
    let mock = Mock::new(1);
    mock.produce(0, 20, 100).await;
    mock.all_down();
    let ledger = Arc::new(Ledger::default());
    let (_, handle) = start("a", mock.config(), &ledger, Habits::default());
    let started = Instant::now();
    until("a while", || started.elapsed() > Duration::from_millis(500)).await;
    mock.all_up();
    until("all is stored", || ledger.stored() == 20).await;
    ledger.check([0], 0, 20);
    handle.stop().await;
}
