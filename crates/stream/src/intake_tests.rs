//! The intake against an imagined Kafka: nothing lost, nothing reordered, no budget broken, no standstill.

use super::*;
use crate::budget::Charge;
use copydesk_article::{Coordinates, Partition, Topic};
use proptest::prelude::*;

const TOTAL: usize = 2_000;
const LIMITS: QueueLimits = QueueLimits {
    messages: 4,
    bytes: 1_500,
    overhead: 0,
};

fn source(partition: i32) -> TopicPartition {
    TopicPartition {
        topic: Topic::new("t"),
        partition: Partition::new(partition),
    }
}

fn message(partition: i32, offset: i64, size: usize) -> Message {
    let mut message = crate::message::tests::message(offset, 0);
    message.coordinates = Coordinates {
        source: source(partition),
        offset: Offset::new(offset),
    };
    let overhead = message.size();
    message.payload = Some(vec![0; size.saturating_sub(overhead)]);
    message
}

/// One partition on the other side: what Kafka would deliver, what the worker took.
struct Side {
    sizes: Vec<usize>,
    cursor: usize,
    paused: bool,
    stream: PartitionStream,
    taken: Vec<i64>,
}

struct World {
    intake: Intake,
    sides: Vec<Side>,
    charges: Vec<Charge>,
}

impl World {
    fn new(partitions: Vec<Vec<usize>>) -> Self {
        let mut intake = Intake::new(LIMITS, TOTAL);
        let sides = (0..)
            .zip(partitions)
            .map(|(p, sizes)| Side {
                sizes,
                cursor: 0,
                paused: false,
                stream: intake.open(&source(p), NextOffset::new(0)),
                taken: Vec::new(),
            })
            .collect();
        Self {
            intake,
            sides,
            charges: Vec::new(),
        }
    }

    /// Kafka delivers the next message of a partition, if it may.
    fn poll(&mut self, p: usize, although_paused: bool) {
        let side = &mut self.sides[p];
        if side.cursor >= side.sizes.len() || (side.paused && !although_paused) {
            return;
        }
        let (number, offset) = (p as i32, side.cursor as i64);
        let size = side.sizes[side.cursor];
        side.cursor += 1;
        let Arrival::New(expected) = self.intake.expect("t", number, offset) else {
            panic!("offset {offset} of partition {p} is new");
        };
        if let Some(paused) = self.intake.offer(&expected, message(number, offset, size)) {
            assert_eq!(paused, source(number));
            assert!(!side.paused, "paused twice");
            side.paused = true;
        }
    }

    fn pump(&mut self) {
        for resumed in self.intake.pump() {
            let side = &mut self.sides[resumed.partition.get() as usize];
            assert!(side.paused, "resumed without a pause");
            side.paused = false;
        }
    }

    fn take(&mut self, p: usize, most: usize) {
        let side = &mut self.sides[p];
        if side.stream_is_empty() {
            return;
        }
        for delivery in now(side.stream.recv_many(most, usize::MAX)) {
            if let Delivery::Message(message, charge) = delivery {
                side.taken.push(message.coordinates.offset.get());
                self.charges.push(charge);
            }
        }
    }

    /// The exact sum: what waits in queues and what the worker has.
    fn check(&self) {
        let queued: Vec<usize> = self.sides.iter().flat_map(|s| s.stream.sizes()).collect();
        let used: usize =
            queued.iter().sum::<usize>() + self.charges.iter().map(Charge::bytes).sum::<usize>();
        assert_eq!(self.intake.budget.used(), used);
        assert!(
            used <= TOTAL || queued.len() + self.charges.len() == 1,
            "{used} bytes in flight"
        );
        for slot in &self.intake.slots {
            let load = slot.queue.load();
            assert!(load.messages <= LIMITS.messages);
            assert!(load.bytes <= LIMITS.bytes || load.messages == 1);
        }
    }

    fn finish(&mut self) {
        let total: usize = self.sides.iter().map(|s| s.sizes.len()).sum();
        for _ in 0..=2 * total + 2 {
            for p in 0..self.sides.len() {
                self.poll(p, false);
            }
            for p in 0..self.sides.len() {
                self.take(p, usize::MAX);
            }
            self.charges.clear();
            self.pump();
            self.check();
        }
        for side in &self.sides {
            let all: Vec<i64> = (0..side.sizes.len() as i64).collect();
            assert_eq!(side.taken, all, "every message once, in order");
            assert!(!side.paused, "nothing waits, so nothing is paused");
        }
        assert_eq!(self.intake.budget.used(), 0);
        assert!(!self.intake.is_waiting());
    }
}

impl Side {
    fn stream_is_empty(&self) -> bool {
        self.stream.sizes().is_empty()
    }
}

/// The answer of a future that has one.
fn now<T>(future: impl Future<Output = T>) -> T {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut context) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => panic!("nothing to wait for"),
    }
}

#[derive(Debug, Clone)]
enum Op {
    Poll(usize),
    PollAlthoughPaused(usize),
    Take(usize, usize),
    Store(usize),
    Pump,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => (0usize..3).prop_map(Op::Poll),
        1 => (0usize..3).prop_map(Op::PollAlthoughPaused),
        3 => (0usize..3, 1usize..5).prop_map(|(p, n)| Op::Take(p, n)),
        3 => (0usize..8).prop_map(Op::Store),
        3 => Just(Op::Pump),
    ]
}

proptest! {
    #[test]
    fn nothing_is_lost_and_nothing_stands_still(
        partitions in prop::collection::vec(prop::collection::vec(prop_oneof![9 => 128usize..900, 1 => 900usize..3_000], 0..25), 3),
        ops in prop::collection::vec(op(), 0..200),
    ) {
        let mut world = World::new(partitions);
        for op in ops {
            match op {
                Op::Poll(p) => world.poll(p, false),
                Op::PollAlthoughPaused(p) => world.poll(p, true),
                Op::Take(p, n) => world.take(p, n),
                Op::Store(which) => if !world.charges.is_empty() {
                    let which = which % world.charges.len();
                    drop(world.charges.swap_remove(which));
                },
                Op::Pump => world.pump(),
            }
            world.check();
        }
        world.finish();
    }
}

#[test]
fn a_large_message_does_not_starve_behind_small_ones() {
    // The small ones never fill queue or budget, and the worker stores what it has only when something new
    // came, or nothing at all: without the line there would always be something in flight, and the large
    // message passes only alone.
    let mut world = World::new(vec![vec![500; 400], vec![5_000, 500]]);
    world.poll(0, false);
    world.take(0, 1);
    for round in 0..20 {
        let before = world.charges.len();
        for p in 0..2 {
            world.poll(p, false);
            world.take(p, 1);
        }
        let old = if world.charges.len() > before {
            before
        } else {
            world.charges.len()
        };
        world.charges.drain(..old).for_each(drop);
        world.pump();
        world.check();
        if world.sides[1].taken.len() == 2 {
            assert!(round < 10, "{round}");
            assert!(world.sides[0].cursor < 10, "the small ones wait meanwhile");
            return;
        }
    }
    panic!(
        "partition 1 waits while partition 0 is at {}",
        world.sides[0].cursor
    );
}

#[test]
fn an_abandoned_partition_stays_paused_and_holds_nothing() {
    let mut world = World::new(vec![vec![500; 9], vec![500; 9]]);
    let side = world.sides.remove(0);
    drop(side.stream);
    let Arrival::New(expected) = world.intake.expect("t", 0, 0) else {
        panic!("new");
    };
    assert_eq!(world.intake.offer(&expected, message(0, 0, 500)), Some(source(0)));
    assert!(world.intake.pump().is_empty());
    assert!(!world.intake.is_waiting());
    assert_eq!(world.intake.budget.used(), 0);
}

#[test]
fn a_worker_starves_when_only_paused_partitions_have_something() {
    let mut world = World::new(vec![vec![100; 6], vec![100]]);
    assert!(world.intake.is_starving());
    for _ in 0..LIMITS.messages {
        world.poll(0, false);
        assert!(!world.intake.is_starving());
    }
    world.poll(0, false);
    assert!(world.sides[0].paused && world.intake.is_starving());
    world.poll(1, false);
    assert!(!world.intake.is_starving());
    world.take(1, 1);
    assert!(world.intake.is_starving());
}

#[test]
fn each_message_counts_more_than_its_bytes() {
    let limits = QueueLimits {
        messages: 100,
        bytes: 10_000,
        overhead: 700,
    };
    let mut intake = Intake::new(limits, TOTAL);
    let mut stream = intake.open(&source(0), NextOffset::new(0));
    let mut offer = |offset| {
        let Arrival::New(expected) = intake.expect("t", 0, offset) else {
            panic!("new");
        };
        intake.offer(&expected, message(0, offset, 300))
    };
    assert_eq!(offer(0), None);
    assert_eq!(offer(1), None, "1,000 each");
    assert_eq!(offer(2), Some(source(0)), "2,000 are used");
    assert_eq!(intake.budget.used(), TOTAL);
    drop(now(stream.recv_many(9, 9_000)));
    assert_eq!(intake.budget.used(), 0);
    assert_eq!(intake.pump(), [source(0)]);
    assert_eq!(intake.budget.used(), 1_000);
}

#[test]
fn ends_keep_their_place_and_need_a_clear_topic() {
    let mut intake = Intake::new(LIMITS, TOTAL);
    let mut stream = intake.open(&source(0), NextOffset::new(10));
    intake.end(0, Some(NextOffset::new(12)));
    intake.end(0, Some(NextOffset::new(12)));
    intake.end(1, Some(NextOffset::new(99)));
    assert!(matches!(intake.expect("t", 0, 11), Arrival::Repeat));
    assert!(matches!(intake.expect("other", 0, 12), Arrival::NotOurs));
    let got = now(stream.recv_many(9, 9));
    assert!(
        matches!(got.as_slice(), [Delivery::End(at)] if at.get() == 12),
        "{got:?}"
    );
    let other = TopicPartition {
        topic: Topic::new("u"),
        partition: Partition::new(0),
    };
    let _second = intake.open(&other, NextOffset::new(0));
    intake.end(0, Some(NextOffset::new(20)));
    assert!(
        matches!(intake.expect("t", 0, 12), Arrival::New(_)),
        "which of the two ended is not known"
    );
}
