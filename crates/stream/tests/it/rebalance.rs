//! Who reads what, from where, and in which order things happen when partitions move.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::mocking::MockCoordinator;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};

use crate::ledger::{Event, Habits, Ledger};
use crate::support::{GROUP, Mock, in_time, start, until};

#[tokio::test(flavor = "multi_thread")]
async fn partitions_start_at_the_claimed_offsets() {
    let mock = Mock::new(3);
    for partition in 0..3 {
        mock.produce(partition, 60, 100).await;
    }
    let ledger = Arc::new(Ledger::default());
    *ledger.starts.lock().unwrap() = [(0, 40), (1, 0), (2, 60)].into();
    let (_, handle) = start("a", mock.config(), &ledger, Habits::default());
    until("20 and 60 are stored", || ledger.stored() == 80).await;
    until("all ends are told", || (0..3).all(|p| ledger.row(p).ends == [60])).await;
    ledger.check([0], 40, 60);
    ledger.check([1], 0, 60);
    ledger.check([2], 60, 60);
    let stored = Instant::now();
    while mock.committed(3).await.iter().all(Option::is_none) {
        assert!(
            stored.elapsed() < Duration::from_secs(20),
            "hints are committed while it runs"
        );
    }
    mock.produce(2, 5, 100).await;
    until("the rest", || ledger.stored() == 85).await;
    ledger.check([2], 60, 65);
    handle.stop().await;
    assert_eq!(
        mock.committed(3).await,
        [Some(60), Some(60), Some(65)],
        "hints, at the latest at the stop"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_worker_gets_its_share_after_the_first_has_drained_it() {
    let mock = Mock::new(6);
    let ledger = Arc::new(Ledger::default());
    for partition in 0..6 {
        mock.produce(partition, 100, 100).await;
    }
    let slow = Habits {
        keeps: 4,
        slow: Duration::from_millis(20),
    };
    let (first, first_handle) = start("a", mock.config(), &ledger, slow);
    until("the first has all", || first.partitions() == [0, 1, 2, 3, 4, 5]).await;
    until("it is at work", || ledger.stored() > 20).await;
    let (second, second_handle) = start("b", mock.config(), &ledger, slow);
    until("the second has its half", || second.partitions().len() == 3).await;
    until("all is stored", || ledger.stored() == 600).await;
    ledger.check(0..6, 0, 100);

    let moved = second.partitions();
    let events = ledger.events();
    assert_eq!(
        events,
        [
            Event::Claimed("a", (0..6).collect()),
            Event::Drained("a", moved.clone()),
            Event::Claimed("b", moved.clone()),
        ],
        "only what moved is drained, and before it is claimed"
    );
    // A hint may be refused while the group rebalances. The next one comes within seconds.
    let passed_on = Instant::now();
    loop {
        let hints = mock.committed(6).await;
        if moved
            .iter()
            .all(|p| hints[usize::try_from(*p).unwrap()].is_some())
        {
            break;
        }
        assert!(
            passed_on.elapsed() < Duration::from_secs(40),
            "committed: {hints:?}"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    // And back: the second leaves.
    second_handle.stop().await;
    until("the first has all again", || {
        first.partitions() == [0, 1, 2, 3, 4, 5]
    })
    .await;
    for partition in 0..6 {
        mock.produce(partition, 10, 100).await;
    }
    until("all is stored", || ledger.stored() == 660).await;
    ledger.check(0..6, 0, 110);
    first_handle.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_that_fails_is_tried_again_and_reads_nothing_meanwhile() {
    let mock = Mock::new(2);
    mock.produce(0, 10, 100).await;
    mock.produce(1, 10, 100).await;
    let ledger = Arc::new(Ledger::default());
    *ledger.claims_to_fail.lock().unwrap() = 2;
    *ledger.starts.lock().unwrap() = [(0, 5), (1, 5)].into();
    let (_, handle) = start("a", mock.config(), &ledger, Habits::default());
    until("all is stored", || ledger.stored() == 10).await;
    ledger.check(0..2, 5, 10);
    handle.stop().await;
    assert_eq!(
        ledger.events(),
        [Event::Claimed("a", vec![0, 1]), Event::Drained("a", vec![0, 1])]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_that_were_never_claimed_can_be_taken_away() {
    let mock = Mock::new(2);
    mock.produce(0, 10, 100).await;
    mock.produce(1, 10, 100).await;
    let ledger = Arc::new(Ledger::default());
    let broken = Arc::new(Ledger::default());
    *broken.claims_to_fail.lock().unwrap() = u32::MAX;
    let (_, failing) = start("broken", mock.config(), &broken, Habits::default());
    until("a claim has failed", || {
        *broken.claims_to_fail.lock().unwrap() < u32::MAX
    })
    .await;
    let (worker, handle) = start("b", mock.config(), &ledger, Habits::default());
    until("one of them moved", || worker.partitions().len() == 1).await;
    in_time("stop", Duration::from_secs(20), failing.stop()).await;
    until("all is stored", || ledger.stored() == 20).await;
    ledger.check(0..2, 0, 10);
    assert!(broken.events().is_empty(), "neither claimed nor drained");
    handle.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_assignment_is_lost_and_not_drained() {
    let mock = Mock::new(2);
    mock.produce(0, 10, 100).await;
    mock.produce(1, 10, 100).await;
    let ledger = Arc::new(Ledger::default());
    let (worker, handle) = start("a", mock.config(), &ledger, Habits::default());
    until("all is stored", || ledger.stored() == 20).await;
    mock.cluster.request_errors(
        RDKafkaApiKey::Heartbeat,
        &[RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID],
    );
    until("it is lost", || {
        ledger.events().contains(&Event::Lost("a", vec![0, 1]))
    })
    .await;
    until("and comes back", || worker.partitions() == [0, 1]).await;
    mock.produce(0, 10, 100).await;
    mock.produce(1, 10, 100).await;
    until("all is stored", || ledger.stored() == 40).await;
    ledger.check(0..2, 0, 20);
    let drained = |e: &&Event| matches!(e, Event::Drained(..));
    assert_eq!(ledger.events().iter().find(drained), None);
    handle.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_commit_stops_nothing() {
    let mock = Mock::new(2);
    let ledger = Arc::new(Ledger::default());
    let (first, first_handle) = start("a", mock.config(), &ledger, Habits::default());
    until("the first has both", || first.partitions() == [0, 1]).await;
    mock.produce(0, 50, 100).await;
    mock.produce(1, 50, 100).await;
    mock.cluster.request_errors(
        RDKafkaApiKey::OffsetCommit,
        &[RDKafkaRespErr::RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION; 4],
    );
    let (second, second_handle) = start("b", mock.config(), &ledger, Habits::default());
    until("one partition each", || {
        second.partitions().len() == 1 && first.partitions().len() == 1
    })
    .await;
    mock.produce(0, 50, 100).await;
    mock.produce(1, 50, 100).await;
    until("all is stored", || ledger.stored() == 200).await;
    ledger.check(0..2, 0, 100);
    first_handle.stop().await;
    second_handle.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stop_drains_commits_and_is_quick() {
    let mock = Mock::new(4);
    for partition in 0..4 {
        mock.produce(partition, 200, 1_000).await;
    }
    let ledger = Arc::new(Ledger::default());
    let slow = Habits {
        keeps: 8,
        slow: Duration::from_millis(2),
    };
    let (worker, handle) = start("a", mock.config(), &ledger, slow);
    until("it is at work", || ledger.stored() > 10).await;
    let started = Instant::now();
    handle.stop().await;
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "{:?}",
        started.elapsed()
    );
    in_time("a second stop", Duration::from_secs(1), handle.stop()).await;
    assert!(worker.partitions().is_empty());
    let hints = mock.committed(4).await;
    let reached: Vec<_> = (0..4).map(|p| ledger.row(p)).collect();
    for (row, hint) in reached.iter().zip(&hints) {
        assert_eq!(Some(row.next), *hint);
    }
    // Nothing is written after the drain, and the next worker goes on without a gap.
    let (_, again) = start("b", mock.config(), &ledger, Habits::default());
    until("all is stored", || ledger.stored() == 800).await;
    ledger.check(0..4, 0, 200);
    again.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_handle_dropped_stops_the_consumer() {
    let mock = Mock::new(1);
    let ledger = Arc::new(Ledger::default());
    let (worker, handle) = start("a", mock.config(), &ledger, Habits::default());
    until("it has the partition", || worker.partitions() == [0]).await;
    worker.consumer.send_replace(None);
    drop(handle);
    until("it is drained", || {
        ledger.events().contains(&Event::Drained("a", vec![0]))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_groups_coordinator_moves_from_broker_to_broker() {
    let mock = Mock::new(4);
    let ledger = Arc::new(Ledger::default());
    let (first, first_handle) = start("a", mock.config(), &ledger, Habits::default());
    let (second, second_handle) = start("b", mock.config(), &ledger, Habits::default());
    let shared = || first.partitions().len() == 2 && second.partitions().len() == 2;
    until("two each", shared).await;
    let mut messages = 0;
    for broker in [2, 3, 1, 3] {
        let group = MockCoordinator::Group(GROUP.to_owned());
        mock.cluster.coordinator(group, broker).unwrap();
        for partition in 0..4 {
            mock.produce(partition, 25, 100).await;
        }
        messages += 100;
        until("all is stored", || ledger.stored() == messages).await;
    }
    // The group still works: the second leaves, and the first gets all.
    second_handle.stop().await;
    until("the first has all", || first.partitions().len() == 4).await;
    for partition in 0..4 {
        mock.produce(partition, 25, 100).await;
    }
    until("all is stored", || ledger.stored() == messages + 100).await;
    ledger.check(0..4, 0, 125);
    first_handle.stop().await;
}
