//! Which partitions this worker has, and in which phase: the rebalance as a state machine without I/O.
//!
//! ```text
//!            claim                 start                release            released
//!   Wanted ────────► Claimed ────────────► Consuming ────────► Draining ────────────► Released
//!     ▲                 │
//!     └── claim undone ─┘            unassign ends any phase
//! ```
//!
//! Two parties must agree on it: librdkafka, which must be told to unassign exactly what it was told to
//! assign, and the coordinator, which must drain (or lose) exactly what it was given, once.

use std::collections::BTreeMap;

use copydesk_article::TopicPartition;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The group gave it to us; not claimed in the ledger yet, so nothing of it is read.
    Wanted,
    /// Claimed, and about to be started.
    Claimed,
    /// librdkafka fetches it, the coordinator works on it.
    Consuming,
    /// The coordinator stores what it has.
    Draining,
    /// The coordinator is done with it; librdkafka still has it.
    Released,
}

/// The partitions of this worker.
#[derive(Debug, Default)]
pub(crate) struct Roster {
    phases: BTreeMap<TopicPartition, Phase>,
}

impl Roster {
    /// The group gave us these.
    pub(crate) fn assign(&mut self, sources: &[TopicPartition]) {
        for source in sources {
            self.phases.entry(source.clone()).or_insert(Phase::Wanted);
        }
    }

    /// What is to be claimed.
    pub(crate) fn wanted(&self) -> Vec<TopicPartition> {
        self.in_phase(Phase::Wanted)
    }

    /// The coordinator claimed it. False if it was not wanted.
    pub(crate) fn claimed(&mut self, source: &TopicPartition) -> bool {
        self.step(source, Phase::Wanted, Phase::Claimed)
    }

    /// librdkafka could not be told to start: to be claimed again.
    pub(crate) fn unclaimed(&mut self, source: &TopicPartition) -> bool {
        self.step(source, Phase::Claimed, Phase::Wanted)
    }

    /// librdkafka was told to start.
    pub(crate) fn started(&mut self, source: &TopicPartition) -> bool {
        self.step(source, Phase::Claimed, Phase::Consuming)
    }

    /// Of these, the ones that the coordinator works on: it has to drain or to lose them now.
    pub(crate) fn release(&mut self, sources: &[TopicPartition]) -> Vec<TopicPartition> {
        sources
            .iter()
            .filter(|s| self.step(s, Phase::Consuming, Phase::Draining))
            .cloned()
            .collect()
    }

    /// The coordinator is done with them.
    pub(crate) fn released(&mut self, sources: &[TopicPartition]) {
        for source in sources {
            self.step(source, Phase::Draining, Phase::Released);
        }
    }

    /// The group took these away. Gives back the ones that librdkafka has to unassign: partitions that never
    /// started are not among them, and it refuses a list that names one.
    pub(crate) fn unassign(&mut self, sources: &[TopicPartition]) -> Vec<TopicPartition> {
        let mut known = Vec::new();
        for source in sources {
            match self.phases.remove(source) {
                Some(Phase::Consuming | Phase::Draining | Phase::Released) => known.push(source.clone()),
                Some(Phase::Wanted | Phase::Claimed) | None => {}
            }
        }
        known
    }

    /// What the coordinator works on.
    pub(crate) fn consuming(&self) -> Vec<TopicPartition> {
        self.in_phase(Phase::Consuming)
    }

    pub(crate) fn is_consuming(&self, source: &TopicPartition) -> bool {
        self.phases.get(source) == Some(&Phase::Consuming)
    }

    fn in_phase(&self, phase: Phase) -> Vec<TopicPartition> {
        self.phases
            .iter()
            .filter(|(_, p)| **p == phase)
            .map(|(source, _)| source.clone())
            .collect()
    }

    fn step(&mut self, source: &TopicPartition, from: Phase, to: Phase) -> bool {
        match self.phases.get_mut(source) {
            Some(phase) if *phase == from => {
                *phase = to;
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use copydesk_article::{Partition, Topic};
    use proptest::prelude::*;

    fn source(partition: i32) -> TopicPartition {
        TopicPartition {
            topic: Topic::new("t"),
            partition: Partition::new(partition),
        }
    }

    #[test]
    fn what_never_started_is_neither_drained_nor_unassigned() {
        let all = [source(0), source(1), source(2)];
        let mut roster = Roster::default();
        roster.assign(&all);
        assert!(roster.claimed(&all[0]) && roster.started(&all[0]));
        assert!(roster.claimed(&all[1]) && roster.unclaimed(&all[1]));
        assert_eq!(roster.wanted(), all[1..]);
        assert_eq!(roster.release(&all), all[..1]);
        roster.released(&all[..1]);
        assert_eq!(roster.unassign(&all), all[..1]);
        assert!(roster.wanted().is_empty());
    }

    #[test]
    fn a_stop_drains_once_and_the_revocation_that_follows_does_not() {
        let all = [source(0)];
        let mut roster = Roster::default();
        roster.assign(&all);
        assert!(roster.claimed(&all[0]) && roster.started(&all[0]));
        assert_eq!(roster.release(&roster.consuming()), all);
        roster.released(&all);
        assert!(roster.release(&all).is_empty());
        assert_eq!(roster.unassign(&all), all);
    }

    #[derive(Debug, Clone)]
    enum Op {
        Assign(i32),
        Claim(i32),
        Unclaim(i32),
        Start(i32),
        Release(i32),
        Released(i32),
        Unassign(i32),
    }

    fn op() -> impl Strategy<Value = Op> {
        (0..7, 0..3).prop_map(|(kind, p)| match kind {
            0 => Op::Assign(p),
            1 => Op::Claim(p),
            2 => Op::Unclaim(p),
            3 => Op::Start(p),
            4 => Op::Release(p),
            5 => Op::Released(p),
            _ => Op::Unassign(p),
        })
    }

    proptest! {
        /// Against two naive sets: what librdkafka has, and what the coordinator works on.
        #[test]
        fn both_parties_give_back_exactly_what_they_got(ops in prop::collection::vec(op(), 0..120)) {
            let mut roster = Roster::default();
            let (mut assigned, mut worked_on) = (BTreeSet::new(), BTreeSet::new());
            for op in ops {
                match op {
                    Op::Assign(p) => roster.assign(&[source(p)]),
                    Op::Claim(p) => { roster.claimed(&source(p)); }
                    Op::Unclaim(p) => { roster.unclaimed(&source(p)); }
                    Op::Start(p) => if roster.started(&source(p)) {
                        prop_assert!(assigned.insert(p), "librdkafka refuses to start twice");
                        prop_assert!(worked_on.insert(p));
                    },
                    Op::Release(p) => {
                        let drained = !roster.release(&[source(p)]).is_empty();
                        prop_assert_eq!(drained, worked_on.remove(&p));
                    }
                    Op::Released(p) => roster.released(&[source(p)]),
                    // The callback always releases before it unassigns.
                    Op::Unassign(p) => {
                        let drained = !roster.release(&[source(p)]).is_empty();
                        prop_assert_eq!(drained, worked_on.remove(&p));
                        let given_back = !roster.unassign(&[source(p)]).is_empty();
                        prop_assert_eq!(given_back, assigned.remove(&p));
                    }
                }
                let consuming: BTreeSet<i32> = roster.consuming().iter().map(|s| s.partition.get()).collect();
                prop_assert_eq!(&consuming, &worked_on);
            }
        }
    }
}
