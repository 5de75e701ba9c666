//! The circuit breaker: when so much of a partition is bad that going on would only empty the topic into
//! quarantine. A pure rule over outcomes in the order of offsets.

use std::collections::VecDeque;
use std::fmt;

/// How many outcomes the share is taken over.
const WINDOW: usize = 200;

/// How much bad input one partition may bring before it is stopped.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BreakerLimits {
    /// Share of the last 200 messages, from 0 to 1; more than that stops the partition. 0: no such limit.
    pub share: f64,
    /// Bad messages in a row; more than that stops the partition. 0: no such limit.
    pub run: usize,
}

impl Default for BreakerLimits {
    fn default() -> Self {
        Self { share: 0.5, run: 100 }
    }
}

/// Why a partition was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trip {
    /// Too many bad messages in a row.
    Run {
        /// How many.
        bad: usize,
    },
    /// Too many bad messages among the last ones.
    Share {
        /// How many.
        bad: usize,
        /// Among how many.
        of: usize,
    },
}

impl fmt::Display for Trip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run { bad } => write!(f, "{bad} messages in a row were refused (worker.breaker_run)"),
            Self::Share { bad, of } => {
                write!(
                    f,
                    "{bad} of the last {of} messages were refused (worker.breaker_share)"
                )
            }
        }
    }
}

/// Counts the outcomes of one partition during one claim.
#[derive(Debug)]
pub(crate) struct Breaker {
    limits: BreakerLimits,
    recent: VecDeque<bool>,
    bad: usize,
    run: usize,
}

impl Breaker {
    pub(crate) fn new(limits: BreakerLimits) -> Self {
        Self {
            limits,
            recent: VecDeque::with_capacity(WINDOW),
            bad: 0,
            run: 0,
        }
    }

    /// Counts one message. `Some`: it and what follows must not be taken.
    pub(crate) fn count(&mut self, bad: bool) -> Option<Trip> {
        if self.recent.len() == WINDOW && self.recent.pop_front() == Some(true) {
            self.bad -= 1;
        }
        self.recent.push_back(bad);
        if !bad {
            self.run = 0;
            return None;
        }
        self.bad += 1;
        self.run += 1;
        if self.limits.run > 0 && self.run > self.limits.run {
            return Some(Trip::Run { bad: self.run });
        }
        // A share of a few messages says nothing: the first message of a topic may be its only bad one.
        let of = self.recent.len();
        let too_many = self.limits.share > 0.0 && self.bad as f64 > self.limits.share * of as f64;
        (of == WINDOW && too_many).then_some(Trip::Share { bad: self.bad, of })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trip(limits: BreakerLimits, outcomes: impl IntoIterator<Item = bool>) -> Option<(usize, Trip)> {
        let mut breaker = Breaker::new(limits);
        outcomes
            .into_iter()
            .enumerate()
            .find_map(|(n, bad)| breaker.count(bad).map(|trip| (n, trip)))
    }

    const NO_SHARE: BreakerLimits = BreakerLimits { share: 0.0, run: 3 };
    const NO_RUN: BreakerLimits = BreakerLimits { share: 0.5, run: 0 };

    #[test]
    fn a_run_trips_at_one_more_than_its_limit() {
        assert_eq!(
            trip(NO_SHARE, [true, true, true, true]),
            Some((3, Trip::Run { bad: 4 }))
        );
        assert_eq!(trip(NO_SHARE, [true, true, true, false, true, true, true]), None);
    }

    #[test]
    fn a_share_trips_only_over_a_full_window() {
        assert_eq!(trip(NO_RUN, [true; WINDOW - 1]), None, "too few to tell");
        let half = (0..10 * WINDOW).map(|n| n % 2 == 0);
        assert_eq!(trip(NO_RUN, half), None, "exactly the limit is allowed");
        let more = (0..10 * WINDOW).map(|n| n % 2 == 0 || n == 501);
        assert_eq!(
            trip(NO_RUN, more),
            Some((501, Trip::Share { bad: 101, of: WINDOW }))
        );
    }

    #[test]
    fn old_sins_are_forgotten() {
        let bad_then_good = [vec![true; 90], vec![false; 400], vec![true; 90]].concat();
        assert_eq!(trip(BreakerLimits::default(), bad_then_good), None);
    }

    #[test]
    fn both_can_be_turned_off() {
        let off = BreakerLimits { share: 0.0, run: 0 };
        assert_eq!(trip(off, vec![true; 5 * WINDOW]), None);
    }

    #[test]
    fn the_count_is_that_of_a_naive_model() {
        let mut random = 7_u64;
        let mut outcomes = Vec::new();
        let mut breaker = Breaker::new(BreakerLimits { share: 1.0, run: 0 });
        for _ in 0..5_000 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            outcomes.push(random >> 62 == 0);
            breaker.count(random >> 62 == 0);
            let recent = outcomes.iter().rev().take(WINDOW).filter(|b| **b).count();
            assert_eq!(breaker.bad, recent);
            assert_eq!(breaker.run, outcomes.iter().rev().take_while(|b| **b).count());
        }
    }
}
