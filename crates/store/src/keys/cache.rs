//! The window key cache: the keys of windows in which this process looks for owners and claims none, so that
//! most look-ups there can be left out.
//!
//! Owners of an article's keys are looked up in the neighbouring windows as well. The window before its own
//! is full, and hardly any of the keys is there, yet each look-up reads another page of a large index. These
//! look-ups were a fifth of what a flush costs Postgres.
//!
//! A transaction that claims keys in a window raises the window's version ([`super::lock`]). The cache reads
//! the keys of a window and its version in one snapshot. So while a flush sees the same version, the cache
//! has all keys of the window, and the flush misses only keys that are committed later, as it would without
//! the cache.
//!
//! No decision needs the cache. Windows with too many keys for [`MOST_BYTES`], and those without a partition
//! of their own, are not cached.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sqlx::PgConnection;

use crate::error::StoreError;
use crate::rows::{fetch_all, fetch_optional};

use super::claim::{LOOKING, Owners, owners};
use super::filter::{KeyFilter, READING, keys_at_most};
use super::window::{Window, by_window};

/// A window is read after so many flushes have looked into it since the last claim there.
const LOOKS: u32 = 10;

/// A window is not read again for so long after it was read or could not be cached: where late articles come
/// all the time, no version lasts.
const NOT_AGAIN_FOR: Duration = Duration::from_secs(600);

/// Memory of all filters of a process at the most: 16 million keys, some 900,000 articles in a window.
const MOST_BYTES: usize = 24 << 20;

/// The cached windows.
#[derive(Debug, Default)]
pub(crate) struct WindowKeyCache(Mutex<HashMap<Window, CachedWindow>>);

#[derive(Debug, Default)]
struct CachedWindow {
    looks: u32,
    not_before: Option<Instant>,
    /// The version that was read, and all its keys.
    keys: Option<(i64, Arc<KeyFilter>)>,
}

impl WindowKeyCache {
    /// The owners of these keys (ascending), in windows where the caller claims none.
    pub(crate) async fn owners(
        &self,
        connection: &mut PgConnection,
        keys: &[i64],
    ) -> Result<Owners, StoreError> {
        let numbers: Vec<i32> = by_window(keys).map(|(window, _)| window.0).collect();
        if numbers.is_empty() {
            return Ok(Owners::default());
        }
        // A window without a row has no keys: the one behind an article's own nearly always, the one before
        // it in a new store.
        let versions: HashMap<i32, i64> = fetch_all!(&mut *connection, LOOKING;
            "SELECT number, version FROM near_key_window WHERE number = ANY ($1)", &numbers
        )?
        .into_iter()
        .collect();
        owners(connection, &self.maybe_present(keys, &versions)).await
    }

    /// The keys (ascending) without those that are certainly absent. `versions`: those of all windows that
    /// have keys.
    fn maybe_present(&self, keys: &[i64], versions: &HashMap<i32, i64>) -> Vec<i64> {
        let mut maybe = Vec::with_capacity(keys.len());
        for (window, keys) in by_window(keys) {
            let Some(version) = versions.get(&window.0) else {
                continue;
            };
            match self.look(window, *version) {
                Some(filter) => maybe.extend(keys.iter().copied().filter(|key| filter.may_have(*key))),
                None => maybe.extend_from_slice(keys),
            }
        }
        maybe
    }

    /// Counts a look into a window. Answers with its keys, if this version of them was read.
    fn look(&self, window: Window, version: i64) -> Option<Arc<KeyFilter>> {
        let mut windows = self.lock();
        let cached = windows.entry(window).or_default();
        cached.looks = cached.looks.saturating_add(1);
        cached.keys = cached.keys.take().filter(|(read, _)| *read == version);
        cached.keys.as_ref().map(|(_, filter)| Arc::clone(filter))
    }

    /// Notes that keys are claimed in these windows: they are not worth reading.
    pub(crate) fn claimed(&self, claimed: &[Window]) {
        let mut windows = self.lock();
        for window in claimed {
            windows.entry(*window).or_default().looks = 0;
        }
    }

    /// Invalidates everything: the next answer may come from another server.
    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    /// Windows that are worth reading.
    pub(crate) fn due(&self, now: Instant) -> Vec<Window> {
        let due = |c: &CachedWindow| {
            c.looks >= LOOKS && c.keys.is_none() && c.not_before.is_none_or(|not_before| not_before <= now)
        };
        let windows = self.lock();
        windows.iter().filter(|(_, c)| due(c)).map(|(w, _)| *w).collect()
    }

    /// Reads a window's keys. `transaction` is REPEATABLE READ, so that version and keys are of one snapshot.
    /// Answers whether the window is cached now.
    pub(crate) async fn read(
        &self,
        transaction: &mut PgConnection,
        window: Window,
    ) -> Result<bool, StoreError> {
        let outcome = self.keys_of(transaction, window).await;
        // After an error as well: other windows have their turn.
        let keys = outcome.as_ref().ok().cloned().flatten();
        let is_read = keys.is_some();
        self.put(window, keys, Instant::now());
        outcome.map(|_| is_read)
    }

    async fn keys_of(
        &self,
        transaction: &mut PgConnection,
        window: Window,
    ) -> Result<Option<(i64, Arc<KeyFilter>)>, StoreError> {
        let version: Option<i64> = fetch_optional!(&mut *transaction, READING;
            "SELECT version FROM near_key_window WHERE number = $1", window.0
        )?;
        let (Some(version), Some(keys)) = (version, keys_at_most(transaction, window).await?) else {
            return Ok(None);
        };
        if !self.make_room(KeyFilter::bytes_for(keys)) {
            return Ok(None);
        }
        let filter = KeyFilter::of_window(transaction, window, keys).await?;
        Ok(Some((version, Arc::new(filter))))
    }

    /// Notes the outcome of reading a window. `None`: it cannot be cached.
    fn put(&self, window: Window, keys: Option<(i64, Arc<KeyFilter>)>, now: Instant) {
        let mut windows = self.lock();
        let cached = windows.entry(window).or_default();
        cached.not_before = Some(now + NOT_AGAIN_FOR);
        cached.keys = keys;
        if cached.keys.is_none() {
            // Due again when it is looked into again.
            cached.looks = 0;
        }
    }

    /// Makes room for so many bytes by evicting the oldest windows. False: there is not enough room.
    fn make_room(&self, bytes: usize) -> bool {
        if bytes > MOST_BYTES {
            return false;
        }
        let mut windows = self.lock();
        let mut held: Vec<(Window, usize)> = windows
            .iter()
            .filter_map(|(window, c)| Some((*window, c.keys.as_ref()?.1.bytes())))
            .collect();
        held.sort_unstable();
        let mut total: usize = held.iter().map(|(_, bytes)| bytes).sum();
        for (window, freed) in held {
            if total + bytes <= MOST_BYTES {
                break;
            }
            if let Some(cached) = windows.get_mut(&window) {
                cached.keys = None;
                cached.looks = 0;
            }
            total -= freed;
        }
        total + bytes <= MOST_BYTES
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Window, CachedWindow>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::super::filter::tests::key;
    use super::*;

    fn put(cache: &WindowKeyCache, window: i32, version: i64, keys: &[i64]) {
        let mut filter = KeyFilter::new(1_000);
        keys.iter().for_each(|key| filter.add(*key));
        cache.put(Window(window), Some((version, Arc::new(filter))), Instant::now());
    }

    #[test]
    fn keys_are_left_out_only_under_the_version_that_was_read() {
        let cache = WindowKeyCache::default();
        put(&cache, 7, 3, &[key(7, 1), key(7, 2)]);
        let mut all = vec![key(7, 1), key(7, 3), key(8, 1), key(9, 1)];
        all.sort_unstable();
        let maybe = |versions: &[(i32, i64)]| {
            let mut maybe = cache.maybe_present(&all, &versions.iter().copied().collect());
            maybe.sort_unstable();
            maybe
        };
        let mut left = vec![key(7, 1), key(8, 1)];
        left.sort_unstable();
        assert_eq!(maybe(&[(7, 3), (8, 3)]), left, "8 was not read, 9 has no keys");
        let mut left = vec![key(7, 1), key(7, 3)];
        left.sort_unstable();
        assert_eq!(maybe(&[(7, 4)]), left, "somebody has claimed there");
        assert_eq!(maybe(&[(7, 3)]), left, "it was forgotten");
    }

    #[test]
    fn a_window_is_due_when_it_was_looked_into_often_and_nothing_was_claimed() {
        let cache = WindowKeyCache::default();
        let now = Instant::now();
        let look = |times: u32| (0..times).for_each(|_| drop(cache.look(Window(7), 1)));
        look(LOOKS - 1);
        assert!(cache.due(now).is_empty());
        look(1);
        assert_eq!(cache.due(now), [Window(7)]);
        cache.claimed(&[Window(7)]);
        assert!(cache.due(now).is_empty());
        look(LOOKS);
        cache.put(Window(7), None, now);
        look(LOOKS);
        assert!(cache.due(now + NOT_AGAIN_FOR / 2).is_empty(), "not again at once");
        assert_eq!(cache.due(now + NOT_AGAIN_FOR), [Window(7)]);
    }

    #[test]
    fn filters_have_their_room_and_older_windows_go_first() {
        let cache = WindowKeyCache::default();
        let now = Instant::now();
        for window in [7, 8].map(Window) {
            (0..LOOKS).for_each(|_| drop(cache.look(window, 1)));
            cache.put(window, Some((1, Arc::new(KeyFilter::new(7_000_000)))), now);
        }
        let held = |w: i32| cache.lock().get(&Window(w)).is_some_and(|c| c.keys.is_some());
        assert!(!cache.make_room(MOST_BYTES + 1));
        assert!(held(7) && held(8), "not for what has no room at all");
        assert!(cache.make_room(KeyFilter::bytes_for(7_000_000)));
        assert!(!held(7) && held(8));
        let later = now + NOT_AGAIN_FOR;
        assert!(cache.due(later).is_empty(), "nobody looks into it any more");
    }
}
