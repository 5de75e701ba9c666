//! Flushes of one process that want the same keys take turns, and do the rest of their claims meanwhile.
//!
//! A key that another transaction has claimed must be waited for until that one ends. Claimed in the order of keys, a batch of
//! 12,000 stops at the first of them, and goes through the rest only when the other flush is over: two flushes that share a
//! single key came one wholly after the other. What flushes of this process share is known before Postgres is asked. So a
//! flush claims first what no earlier one wants, and stores the articles that want nothing else; then it waits for the earlier
//! ones to end, claims what they left, and stores the rest.
//!
//! Nothing here is needed for a decision to be right: the unique row in `near_key` is. Order keeps flushes of this process from
//! deadlock: each waits only for earlier ones. Flushes of *other* processes would see keys claimed out of their order, so that
//! three of them could wait for each other in a ring, of which Postgres sees only a part while one waits here. So this is for a
//! worker that is alone with its database ([`crate::ledger::Advanced::alone`]), which saves it a question; several ask the database
//! ([`crate::announced`]). Where somebody comes unseen (a second worker's first flush, `janitor refingerprint`), the waiting here is short
//! ([`LONGEST_WAIT`]), then Postgres sees all of the ring, ends one of them, and for a while keys are claimed in their order alone
//! ([`Turns::claim_in_order`]). A flush that has yet to wait locks no article that was there before it, so that no ring comes of those (`flush.rs`).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sqlx::PgConnection;
use tokio::sync::watch;

use crate::announced::{self, Number};
use crate::error::StoreError;
use crate::keys::among;

/// How long a flush waits here before it waits in Postgres. A turn takes some hundredths of a second.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// How long keys are claimed in their order after flushes got into each other's way.
const IN_ORDER: Duration = Duration::from_secs(60);

/// The flushes of this process from their claim to their end.
#[derive(Debug, Default)]
pub(crate) struct Turns(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    next: u64,
    flushes: Vec<Flush>,
    in_order_until: Option<Instant>,
}

#[derive(Debug)]
struct Flush {
    number: u64,
    /// Ascending.
    keys: Arc<[i64]>,
    /// Closed when it is over.
    ended: watch::Receiver<()>,
}

/// A flush's place among the others, until it is dropped: after its transaction.
#[derive(Debug)]
#[must_use = "dropping it lets others go on"]
pub(crate) struct Turn {
    turns: Arc<Turns>,
    number: u64,
    _ended: watch::Sender<()>,
}

/// What a flush has to wait for.
#[derive(Debug, Default)]
pub(crate) struct Earlier {
    /// Each with the keys of this one that it wants as well, ascending.
    flushes: Vec<(Vec<i64>, End)>,
}

/// Where the end of a flush is seen.
#[derive(Debug)]
enum End {
    /// In this process: nothing is ever sent, it ends when the turn is dropped.
    Here(watch::Receiver<()>),
    /// In the database.
    Announced(Number),
}

impl Turns {
    /// Takes a place behind all that are there. `keys`: ascending and distinct.
    pub(crate) fn enter(self: &Arc<Self>, keys: Arc<[i64]>, now: Instant) -> (Turn, Earlier) {
        let mut earlier = Earlier::default();
        let (sender, ended) = watch::channel(());
        let mut state = self.lock();
        if !state.claims_in_order(now) {
            for flush in &state.flushes {
                let mut wanted = among(&flush.keys);
                let shared: Vec<i64> = keys.iter().copied().filter(|key| wanted(*key)).collect();
                earlier.add(shared, End::Here(flush.ended.clone()));
            }
        }
        let number = state.next;
        state.next += 1;
        state.flushes.push(Flush { number, keys, ended });
        drop(state);
        let turn = Turn {
            turns: Arc::clone(self),
            number,
            _ended: sender,
        };
        (turn, earlier)
    }

    /// Whether they do.
    pub(crate) fn claims_in_order(&self, now: Instant) -> bool {
        self.lock().claims_in_order(now)
    }

    /// The keys of all that are there, each ascending.
    pub(crate) fn keys_under_way(&self) -> Vec<Arc<[i64]>> {
        self.lock().flushes.iter().map(|f| Arc::clone(&f.keys)).collect()
    }

    /// Flushes got into each other's way: for a while they claim in the order of keys, which does not.
    pub(crate) fn claim_in_order(&self, now: Instant) {
        self.lock().in_order_until = Some(now + IN_ORDER);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn claims_in_order(&self, now: Instant) -> bool {
        self.in_order_until.is_some_and(|until| until > now)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.turns.lock().flushes.retain(|f| f.number != self.number);
    }
}

impl Earlier {
    /// A flush that said in the database what it wants. `shared`: ascending.
    pub(crate) fn add_announced(&mut self, shared: Vec<i64>, number: Number) {
        self.add(shared, End::Announced(number));
    }

    fn add(&mut self, shared: Vec<i64>, end: End) {
        if !shared.is_empty() {
            self.flushes.push((shared, end));
        }
    }

    /// Keys that any of them wants, ascending.
    pub(crate) fn shared(&self) -> Vec<i64> {
        let mut keys: Vec<i64> = self
            .flushes
            .iter()
            .flat_map(|(shared, _)| shared)
            .copied()
            .collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// Until those flushes are over that want any of these keys (ascending), or the waiting is better done by the claim.
    pub(crate) async fn wait(self, transaction: &mut PgConnection, keys: &[i64]) -> Result<(), StoreError> {
        let (here, announced) = self.that_want(keys);
        ended_here(here).await;
        announced::wait(transaction, &announced).await
    }

    /// Those flushes that want any of these keys.
    fn that_want(self, keys: &[i64]) -> (Vec<watch::Receiver<()>>, Vec<Number>) {
        let (mut here, mut announced) = (Vec::new(), Vec::new());
        for (shared, end) in self.flushes {
            let mut is_wanted = among(keys);
            if !shared.iter().any(|key| is_wanted(*key)) {
                continue;
            }
            match end {
                End::Here(ended) => here.push(ended),
                End::Announced(number) => announced.push(number),
            }
        }
        (here, announced)
    }
}

/// Until these are over, or for [`LONGEST_WAIT`].
#[expect(
    clippy::disallowed_methods,
    reason = "what is given up after a time is waiting for a channel, not a statement"
)]
async fn ended_here(flushes: Vec<watch::Receiver<()>>) {
    let all = async {
        for mut flush in flushes {
            let _ = flush.changed().await;
        }
    };
    let _ = tokio::time::timeout(LONGEST_WAIT, all).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(keys: &[i64]) -> Arc<[i64]> {
        keys.into()
    }

    #[tokio::test]
    async fn a_flush_waits_for_earlier_ones_that_want_the_same() {
        let turns = Arc::new(Turns::default());
        let now = Instant::now();
        let (first, earlier) = turns.enter(keys(&[1, 3, 5, 7]), now);
        assert!(earlier.shared().is_empty());
        assert!(earlier.that_want(&[1, 3]).0.is_empty());
        let (_apart, earlier) = turns.enter(keys(&[2, 4]), now);
        assert!(earlier.shared().is_empty());
        let (_third, earlier) = turns.enter(keys(&[0, 3, 4, 7, 9]), now);
        assert_eq!(earlier.shared(), [3, 4, 7], "of both");
        // Only the first wants a key that this one still needs.
        let begun = Instant::now();
        let waiting = tokio::spawn(ended_here(earlier.that_want(&[0, 3, 7, 9]).0));
        tokio::time::sleep(Duration::from_millis(30)).await;
        assert!(!waiting.is_finished());
        drop(first);
        waiting.await.unwrap();
        assert!(begun.elapsed() < LONGEST_WAIT);
        let (_fourth, earlier) = turns.enter(keys(&[1, 5]), now);
        assert!(earlier.shared().is_empty(), "they are free again");
    }

    #[tokio::test]
    async fn nobody_waits_for_ever() {
        let turns = Arc::new(Turns::default());
        let (_stuck, _) = turns.enter(keys(&[1]), Instant::now());
        let (_next, earlier) = turns.enter(keys(&[1]), Instant::now());
        let begun = Instant::now();
        ended_here(earlier.that_want(&[1]).0).await;
        assert!(begun.elapsed() >= LONGEST_WAIT);
    }

    #[test]
    fn after_a_deadlock_keys_are_claimed_in_order_for_a_while() {
        let turns = Arc::new(Turns::default());
        let now = Instant::now();
        let (_first, _) = turns.enter(keys(&[1, 2]), now);
        turns.claim_in_order(now);
        let (_second, earlier) = turns.enter(keys(&[2]), now + IN_ORDER / 2);
        assert!(earlier.shared().is_empty());
        let (_third, earlier) = turns.enter(keys(&[2]), now + IN_ORDER);
        assert_eq!(earlier.shared(), [2]);
    }
}
