//! Flushes of several workers that want the same keys take turns: each says what it wants, in the database, before it claims it.
//!
//! What [`crate::turns`] does within a process, between processes. A flush
//!
//! 1. asks for its transaction's id: whoever knows that can see whether the flush is over;
//! 2. says its number and its keys in `flush_turn`, in a transaction of another connection, so that all see it at once, and hears which flushes
//!    said so before (`copydesk_enter_turn`: one after the other, so that of any two the later one hears of the earlier);
//! 3. reads what those want, as far as it has not yet, claims what none of them does, and stores the articles that want nothing else;
//! 4. waits for those that want what it still needs, until their transactions are over, claims what they left, and stores the rest.
//!
//! A flush waits only for earlier ones, and claims nothing that an earlier one wants before that is over: there is no ring. Where one comes of
//! something else (`janitor refingerprint`, an older worker), the waiting here ends after [`LONGEST_WAIT`], and Postgres sees the ring in the claim.
//!
//! There are no advisory locks here: any login may take them, and whoever waits for one waits for anybody.
//!
//! Nothing here is needed for a decision to be right: the unique row in `near_key` is. A row of a flush that is over, a worker that does not look
//! here: they cost waiting, or a deadlock that Postgres ends. So where it cannot be said what a flush wants, the flush claims
//! its keys in their order, as if nobody had said anything.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, PgConnection};
use tracing::warn;

use crate::error::{Doing as _, StoreError};
use crate::keys::HASH_BITS;
use crate::turns::Earlier;

/// How long a flush waits for others before it leaves the waiting to its claim.
const LONGEST_WAIT: Duration = Duration::from_secs(3);

/// How long it may take to say what a flush wants: milliseconds do, and its transaction is open meanwhile.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long nothing is said after that failed.
const SILENCE: Duration = Duration::from_secs(30);

/// A connection that nobody has used for so long may have been cut off by something between, which would be known only after
/// [`PATIENCE`].
const FRESH: Duration = Duration::from_secs(60);

const SAYING: &str = "cannot say which keys a flush wants";

/// A flush, for as long as it is under way: its transaction's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Number(i64);

/// What flushes of all workers want, as far as it is known here.
#[derive(Debug)]
pub(crate) struct Announced {
    options: PgConnectOptions,
    state: tokio::sync::Mutex<State>,
    silent_until: Mutex<Option<Instant>>,
}

#[derive(Debug, Default)]
struct State {
    /// None of the store's: a flush that speaks has one of those already, and must not wait for another. And when it was last used.
    connection: Option<(PgConnection, Instant)>,
    /// Flushes that were under way when somebody here last entered.
    known: Vec<(Number, Hashes)>,
}

/// The keys of a flush. Different keys may have one hash: then a flush waits in vain, one of fifty with others of its size.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Hashes(Arc<[u32]>);

impl Announced {
    pub(crate) fn new(options: PgConnectOptions) -> Self {
        Self {
            options,
            state: tokio::sync::Mutex::default(),
            silent_until: Mutex::default(),
        }
    }

    /// Takes a place behind all that are there, until the transaction is over. `keys`: ascending and distinct.
    pub(crate) async fn enter(
        &self,
        transaction: &mut PgConnection,
        keys: &[i64],
    ) -> Result<Earlier, StoreError> {
        let mut found = Earlier::default();
        if keys.is_empty() || self.is_silent() {
            return Ok(found);
        }
        let own = Hashes::of(keys);
        let number: i64 = sqlx::query_scalar("SELECT pg_current_xact_id()::text::int8")
            .fetch_one(transaction)
            .await
            .doing(SAYING)?;
        for (number, theirs) in self.earlier(Number(number), &own).await {
            found.add_announced(own.shared(&theirs, keys), number);
        }
        Ok(found)
    }

    /// Says what a flush wants, and answers with what those under way want. Nothing if that fails.
    #[expect(
        clippy::disallowed_methods,
        reason = "what is given up is not the flush's own statement, and ends by itself"
    )]
    async fn earlier(&self, number: Number, own: &Hashes) -> Vec<(Number, Hashes)> {
        let why = match tokio::time::timeout(PATIENCE, self.say(number, own)).await {
            Ok(Ok(earlier)) => return earlier,
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {PATIENCE:?}"),
        };
        *self.silent_until() = Some(Instant::now() + SILENCE);
        warn!(
            error = why,
            for_seconds = SILENCE.as_secs(),
            "cannot tell other workers which keys are wanted: flushes wait for each other longer than they need"
        );
        Vec::new()
    }

    async fn say(&self, number: Number, own: &Hashes) -> Result<Vec<(Number, Hashes)>, StoreError> {
        let mut state = self.state.lock().await;
        if self.is_silent() {
            // Somebody who was before this one has said why.
            return Ok(Vec::new());
        }
        if let Some((connection, used)) = state.connection.take()
            && used.elapsed() < FRESH
            && let Ok(earlier) = state.say(connection, number, own).await
        {
            return Ok(earlier);
        }
        let connection = self.options.connect().await.doing(SAYING)?;
        // Perhaps another server, whose transactions have these numbers, too.
        state.known.clear();
        state.say(connection, number, own).await
    }

    fn is_silent(&self) -> bool {
        self.silent_until().is_some_and(|until| until > Instant::now())
    }

    fn silent_until(&self) -> MutexGuard<'_, Option<Instant>> {
        self.silent_until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The connection is kept, but after an error, or if this is given up on the way.
    async fn say(
        &mut self,
        mut connection: PgConnection,
        number: Number,
        own: &Hashes,
    ) -> Result<Vec<(Number, Hashes)>, StoreError> {
        let under_way: Vec<i64> = sqlx::query_scalar("SELECT copydesk_enter_turn($1, $2)")
            .bind(number.0)
            .bind(own.to_bytes())
            .fetch_one(&mut connection)
            .await
            .doing(SAYING)?;
        let (mut earlier, mut missing) = (Vec::with_capacity(under_way.len()), Vec::new());
        for number in under_way.into_iter().map(Number) {
            match self.known.iter().find(|(known, _)| *known == number) {
                Some(one) => earlier.push(one.clone()),
                None => missing.push(number.0),
            }
        }
        if !missing.is_empty() {
            // Apart from the call that entered, so that nobody else waits for it. Those that went meanwhile are not found.
            let rows: Vec<(i64, Vec<u8>)> =
                sqlx::query_as("SELECT flush, keys FROM flush_turn WHERE flush = ANY ($1)")
                    .bind(&missing)
                    .fetch_all(&mut connection)
                    .await
                    .doing(SAYING)?;
            earlier.extend(
                rows.into_iter()
                    .map(|(n, bytes)| (Number(n), Hashes::from_bytes(&bytes))),
            );
        }
        self.known.clone_from(&earlier);
        self.known.push((number, own.clone()));
        self.connection = Some((connection, Instant::now()));
        Ok(earlier)
    }
}

/// Until these flushes are over, or the waiting is better done by the claim.
pub(crate) async fn wait(transaction: &mut PgConnection, numbers: &[Number]) -> Result<(), StoreError> {
    if numbers.is_empty() {
        return Ok(());
    }
    let numbers: Vec<i64> = numbers.iter().map(|n| n.0).collect();
    sqlx::query("SELECT copydesk_await_flushes($1, make_interval(secs => $2))")
        .bind(&numbers)
        .bind(LONGEST_WAIT.as_secs_f64())
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

/// The lower bits, where the information of a key is ([`crate::keys::row_key`]), differently for each window: the same phrase in two of them is
/// nothing to wait for.
#[expect(clippy::cast_possible_truncation, reason = "the lower bits")]
#[expect(clippy::cast_sign_loss, reason = "as bits")]
const fn hash(key: i64) -> u32 {
    // 2³² divided by the golden ratio, as in multiplicative hashing (Knuth, volume 3, 6.4).
    let window = (key >> HASH_BITS) as u32;
    key as u32 ^ window.wrapping_mul(0x9e37_79b9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_two_flushes_share_is_found_by_hashes() {
        let (mine, theirs) = (
            [1, 5, (7 << 50) | 2, (7 << 50) | 9],
            [0, 5, (7 << 50) | 2, (8 << 50) | 9],
        );
        let sent = Hashes::from_bytes(&Hashes::of(&theirs).to_bytes());
        assert_eq!(sent, Hashes::of(&theirs));
        assert_eq!(
            Hashes::of(&mine).shared(&sent, &mine),
            [5, (7 << 50) | 2],
            "what is in another window is another key"
        );
        assert!(Hashes::of(&mine).shared(&Hashes::of(&[]), &mine).is_empty());
    }
}
