//! The worker's memory budget: every message is charged from the poll until it is stored.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The bytes of all messages between the poll and the database.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    used: Arc<Used>,
    limit: usize,
}

/// What is charged at the moment.
#[derive(Debug, Default)]
struct Used {
    bytes: AtomicUsize,
    /// For monitoring only: the limit is one of bytes.
    messages: AtomicUsize,
}

impl Budget {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            used: Arc::default(),
            limit,
        }
    }

    pub(crate) fn used(&self) -> usize {
        self.used.bytes.load(Ordering::Acquire)
    }

    /// How many messages the bytes belong to.
    pub(crate) fn messages(&self) -> usize {
        self.used.messages.load(Ordering::Relaxed)
    }

    /// Charges the bytes if they fit. A message larger than the whole budget fits when it is alone: it must
    /// pass some time, and waiting would not make it smaller.
    pub(crate) fn charge(&self, bytes: usize) -> Option<Charge> {
        let used = self.used();
        if used != 0 && used.saturating_add(bytes) > self.limit {
            return None;
        }
        // Only the poll thread adds, so nobody can have taken the room meanwhile.
        self.used.bytes.fetch_add(bytes, Ordering::AcqRel);
        self.used.messages.fetch_add(1, Ordering::Relaxed);
        Some(Charge {
            used: Arc::clone(&self.used),
            bytes,
        })
    }

    /// Whether so much was given back that waking paused partitions is worth its price (what librdkafka had
    /// fetched ahead is thrown away at a pause and fetched again).
    pub(crate) fn is_low(&self) -> bool {
        self.used() <= self.limit / 2
    }
}

/// The share of one message in the worker's memory budget, given back when dropped. Keep it as long as the
/// message: until it is stored.
#[derive(Debug)]
#[must_use = "dropping the charge gives its bytes back to the budget"]
pub struct Charge {
    used: Arc<Used>,
    bytes: usize,
}

impl Charge {
    /// The bytes charged.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.used.bytes.fetch_sub(self.bytes, Ordering::AcqRel);
        self.used.messages.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_message_larger_than_the_budget_passes_alone() {
        let budget = Budget::new(100);
        let small = budget.charge(1).unwrap();
        assert!(budget.charge(500).is_none());
        drop(small);
        let large = budget.charge(500).unwrap();
        assert_eq!(large.bytes(), 500);
        assert!(budget.charge(1).is_none());
        drop(large);
        assert_eq!(budget.used(), 0);
    }

    proptest! {
        #[test]
        fn the_sum_is_exact_and_returns_to_zero(steps in prop::collection::vec((any::<bool>(), 1usize..60, 0usize..8), 0..200)) {
            let budget = Budget::new(100);
            let mut held: Vec<Charge> = Vec::new();
            for (take, bytes, which) in steps {
                let model: usize = held.iter().map(Charge::bytes).sum();
                prop_assert_eq!(budget.used(), model);
                prop_assert_eq!(budget.messages(), held.len());
                if take {
                    let fits = model == 0 || model + bytes <= 100;
                    let charge = budget.charge(bytes);
                    prop_assert_eq!(charge.is_some(), fits);
                    held.extend(charge);
                } else if !held.is_empty() {
                    drop(held.swap_remove(which % held.len()));
                }
            }
            held.clear();
            prop_assert_eq!((budget.used(), budget.messages()), (0, 0));
        }
    }
}
