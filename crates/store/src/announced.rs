//! Flushes of several workers that want the same keys take turns: each says what it wants, in the database, before it claims it.
//!
//! What [`crate::turns`] does within a process, between processes. A flush
//!
//! 1. takes an advisory lock of its own number, in its transaction: whoever can share that lock knows that the flush is over;
//! 2. says its number and its keys in `flush_turn`, in a transaction of another connection, so that all see it at once, and hears which flushes
//!    said so before (`copydesk_enter_turn`: one after the other, so that of any two the later one hears of the earlier);
//! 3. reads what those want, as far as it has not yet, claims what none of them does, and stores the articles that want nothing else;
//! 4. waits for those that want what it still needs, by sharing their locks, claims what they left, and stores the rest.
//!
//! A flush waits only for earlier ones, and claims nothing that an earlier one wants before that is over: there is no ring. All of the waiting is in
//! Postgres, which sees a ring that comes of something else (a re-link, a version; `janitor refingerprint`) and ends one of them.
//!
//! Nothing here is needed for a decision to be right: the unique row in `near_key` is. A row of a flush that is over, a worker that does not look
//! here, a lock that went with its session: they cost waiting.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sqlx::{PgConnection, PgPool};

use crate::error::{Doing as _, StoreError};
use crate::turns::Earlier;

/// The advisory locks of flushes, by number: "cdtn", as in `copydesk_enter_turn`.
const LOCKS: i32 = 0x6364_746e;

const SAYING: &str = "cannot say which keys a flush wants";

/// A flush, for as long as it is under way: its transaction's id modulo 2³¹.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Number(i32);

/// What flushes of all workers want, as far as it is known here.
#[derive(Debug)]
pub(crate) struct Announced {
    /// One connection: a flush that speaks has one of the store's already, and must not wait there for another.
    pool: PgPool,
    /// Of flushes that were under way when somebody here last entered.
    known: Mutex<Vec<(Number, Hashes)>>,
}

/// The keys of a flush. Different keys may have one hash: then a flush waits in vain, one of fifty with others of its size.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Hashes(Arc<[u32]>);

impl Announced {
    pub(crate) fn new(pool: PgPool) -> Self {
        Self {
            pool,
            known: Mutex::default(),
        }
    }

    /// Takes a place behind all that are there, until the transaction is over. `keys`: ascending and distinct.
    pub(crate) async fn enter(
        &self,
        transaction: &mut PgConnection,
        keys: &[i64],
    ) -> Result<Earlier, StoreError> {
        let own = Hashes::of(keys);
        let number: i32 = sqlx::query_scalar(
            "SELECT number FROM (SELECT (pg_current_xact_id()::text::bigint % 2147483648)::int4) AS t (number),
                                pg_advisory_xact_lock($1, number)",
        )
        .bind(LOCKS)
        .fetch_one(transaction)
        .await
        .doing(SAYING)?;
        let earlier: Vec<i32> = sqlx::query_scalar("SELECT copydesk_enter_turn($1, $2)")
            .bind(number)
            .bind(own.to_bytes())
            .fetch_one(&self.pool)
            .await
            .doing(SAYING)?;
        let earlier = self.read(earlier.into_iter().map(Number).collect()).await?;
        let mut found = Earlier::default();
        for (number, theirs) in &earlier {
            let shared = own.shared(theirs, keys);
            if !shared.is_empty() {
                found.add_announced(shared, *number);
            }
        }
        let mut known = self.known();
        *known = earlier;
        known.push((Number(number), own));
        Ok(found)
    }

    /// What these flushes want. Those that went meanwhile are not among them.
    async fn read(&self, wanted: Vec<Number>) -> Result<Vec<(Number, Hashes)>, StoreError> {
        let (mut read, mut missing) = (Vec::with_capacity(wanted.len()), Vec::new());
        {
            let known = self.known();
            for number in wanted {
                match known.iter().find(|(known, _)| *known == number) {
                    Some(one) => read.push(one.clone()),
                    None => missing.push(number.0),
                }
            }
        }
        if missing.is_empty() {
            return Ok(read);
        }
        // Apart from the call that entered: that one ends by itself even if this process stops here.
        let rows: Vec<(i32, Vec<u8>)> =
            sqlx::query_as("SELECT number, keys FROM flush_turn WHERE number = ANY ($1)")
                .bind(&missing)
                .fetch_all(&self.pool)
                .await
                .doing(SAYING)?;
        read.extend(
            rows.into_iter()
                .map(|(n, bytes)| (Number(n), Hashes::from_bytes(&bytes))),
        );
        Ok(read)
    }

    fn known(&self) -> MutexGuard<'_, Vec<(Number, Hashes)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Until these flushes are over.
pub(crate) async fn wait(transaction: &mut PgConnection, numbers: &[Number]) -> Result<(), StoreError> {
    if numbers.is_empty() {
        return Ok(());
    }
    let numbers: Vec<i32> = numbers.iter().map(|n| n.0).collect();
    sqlx::query("SELECT pg_advisory_xact_lock_shared($1, number) FROM unnest($2::int4[]) AS e (number)")
        .bind(LOCKS)
        .bind(&numbers)
        .execute(transaction)
        .await
        .doing("cannot wait for flushes that want the same keys")?;
    Ok(())
}

impl Hashes {
    fn of(keys: &[i64]) -> Self {
        let mut hashes: Vec<u32> = keys.iter().map(|key| hash(*key)).collect();
        hashes.sort_unstable();
        hashes.dedup();
        Self(hashes.into())
    }

    fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|hash| hash.to_be_bytes()).collect()
    }

    fn from_bytes(bytes: &[u8]) -> Self {
        let (hashes, _) = bytes.as_chunks();
        Self(hashes.iter().map(|hash| u32::from_be_bytes(*hash)).collect())
    }

    /// Those of this one's keys whose hash the other has, too, ascending.
    fn shared(&self, other: &Self, keys: &[i64]) -> Vec<i64> {
        let mut theirs = other.0.iter().peekable();
        let mut both: foldhash::HashSet<u32> = foldhash::HashSet::default();
        for hash in self.0.iter() {
            while theirs.next_if(|their| *their < hash).is_some() {}
            if theirs.peek() == Some(&hash) {
                both.insert(*hash);
            }
        }
        if both.is_empty() {
            return Vec::new();
        }
        keys.iter()
            .copied()
            .filter(|key| both.contains(&hash(*key)))
            .collect()
    }
}

/// The lower bits: the information of a key is there ([`crate::keys::row_key`]).
#[expect(clippy::cast_possible_truncation, reason = "the lower bits")]
#[expect(clippy::cast_sign_loss, reason = "as bits")]
const fn hash(key: i64) -> u32 {
    key as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_two_flushes_share_is_found_by_hashes() {
        let (mine, theirs) = (
            [1, 5, (7 << 50) | 2, (7 << 50) | 9],
            [0, 5, (8 << 50) | 9, (8 << 50) | 11],
        );
        let sent = Hashes::from_bytes(&Hashes::of(&theirs).to_bytes());
        assert_eq!(sent, Hashes::of(&theirs));
        assert_eq!(
            Hashes::of(&mine).shared(&sent, &mine),
            [5, (7 << 50) | 9],
            "the second of another window: a wait in vain"
        );
        assert!(Hashes::of(&mine).shared(&Hashes::of(&[]), &mine).is_empty());
    }
}
