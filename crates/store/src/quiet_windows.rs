//! Which keys a window has that nobody claims in any more, as far as this process must know them to leave most look-ups out.
//!
//! An article looks for owners of its keys in the neighbouring windows as well. The window before its own is full, and
//! hardly any of the keys is there: every look is at another page of a large index. That was a fifth of what a flush costs Postgres.
//!
//! While a window's row in `quiet_window` stands, no key was added to it since the row was written: whoever claims one there deletes the
//! row in the same transaction ([`crate::keys::end_quiet`]). So a process marks a window that only ever is looked into, reads its keys once
//! into a [`KeyFilter`], and asks for those alone that the filter has, as long as it sees the same mark in the transaction of its flush.
//! A flush that sees the mark misses no more than one that looks at that moment: what is committed later.
//!
//! Nothing of this is needed to be right. Windows with too many keys for [`MOST_BYTES`], and those without a partition of their own,
//! are looked into as ever.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::config::Store;
use crate::error::{Doing as _, StoreError};
use crate::key_filter::{KeyFilter, keys_at_most};
use crate::keys::by_window;

/// Flushes that looked into a window since the last one that claimed there, before it is thought to be quiet.
const LOOKS: u32 = 10;

/// After a window was read, or found to be no use, so long until it may be read again: where late articles come all the time, its
/// quiet never lasts.
const NOT_AGAIN_FOR: Duration = Duration::from_secs(600);

/// After somebody held the window just when it was to be marked: a claim of another worker, or a vacuum, for which a window that has
/// just become full is due. Twice as long after each time in a row, up to [`NOT_AGAIN_FOR`]: claims wait for whoever tries to mark it.
const BUSY_FOR: Duration = Duration::from_secs(5);

/// Memory of all filters of a process at the most: 16 million keys, some 900,000 articles in a window.
const MOST_BYTES: usize = 24 << 20;

/// What this process knows of windows that it looks into.
#[derive(Debug, Default)]
pub(crate) struct QuietWindows(Mutex<HashMap<i64, Known>>);

#[derive(Debug, Default)]
struct Known {
    looks: u32,
    not_before: Option<Instant>,
    /// How often in a row somebody held it.
    busy: u32,
    filter: Option<(String, Arc<KeyFilter>)>,
}

/// What came of reading a window.
#[derive(Debug)]
enum Found {
    /// All its keys, under its mark.
    Keys(String, Arc<KeyFilter>),
    /// Somebody holds it.
    Busy,
    /// It has no partition of its own, or too many keys.
    NoUse,
}

impl QuietWindows {
    /// The keys (ascending) without those that are certainly not there. `marks`: of the windows that have one.
    pub(crate) fn sift(&self, keys: &[i64], marks: &HashMap<i64, String>) -> Vec<i64> {
        let mut left = Vec::with_capacity(keys.len());
        for (window, keys) in by_window(keys) {
            match self.look(window, marks.get(&window)) {
                Some(filter) => left.extend(keys.iter().copied().filter(|key| filter.may_have(*key))),
                None => left.extend_from_slice(keys),
            }
        }
        left
    }

    /// A flush looks into a window: what is known of its keys under the mark that it sees.
    fn look(&self, window: i64, mark: Option<&String>) -> Option<Arc<KeyFilter>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.entry(window).or_default();
        known.looks = known.looks.saturating_add(1);
        // Under another mark, or none, somebody has claimed there: what was read is no use any more.
        known.filter = known.filter.take().filter(|(read, _)| Some(read) == mark);
        known.filter.as_ref().map(|(_, filter)| Arc::clone(filter))
    }

    /// Keys were claimed in these windows.
    pub(crate) fn claimed(&self, windows: &[i64]) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for window in windows {
            known.entry(*window).or_default().looks = 0;
        }
    }

    /// Windows that are worth reading.
    fn due(&self, now: Instant) -> Vec<i64> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let due = |k: &Known| k.looks >= LOOKS && k.filter.is_none() && k.not_before.is_none_or(|t| t <= now);
        known.iter().filter(|(_, k)| due(k)).map(|(w, _)| *w).collect()
    }

    fn put(&self, window: i64, found: Found, now: Instant) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.entry(window).or_default();
        let pause = if matches!(found, Found::Busy) {
            known.busy += 1;
            (BUSY_FOR * 2_u32.pow(known.busy.min(10) - 1)).min(NOT_AGAIN_FOR)
        } else {
            known.busy = 0;
            NOT_AGAIN_FOR
        };
        known.not_before = Some(now + pause);
        known.filter = match found {
            Found::Keys(mark, filter) => Some((mark, filter)),
            Found::Busy | Found::NoUse => None,
        };
        if known.filter.is_none() {
            // Due again when it is looked into again.
            known.looks = 0;
        }
    }

    /// Makes room for so many bytes by dropping filters of windows that lie furthest back: time goes on. False: they do not fit.
    fn make_room(&self, bytes: usize) -> bool {
        if bytes > MOST_BYTES {
            return false;
        }
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut held: Vec<(i64, usize)> = known
            .iter()
            .filter_map(|(window, k)| Some((*window, k.filter.as_ref()?.1.bytes())))
            .collect();
        held.sort_unstable();
        let mut total: usize = held.iter().map(|(_, bytes)| bytes).sum();
        for (window, freed) in held {
            if total + bytes <= MOST_BYTES {
                break;
            }
            if let Some(known) = known.get_mut(&window) {
                known.filter = None;
                known.looks = 0;
            }
            total -= freed;
        }
        total + bytes <= MOST_BYTES
    }
}

impl Store {
    pub(crate) async fn read_quiet_windows(&self) -> Result<u32, StoreError> {
        let mut read = 0;
        for window in self.quiet_windows().due(Instant::now()) {
            let (found, outcome) = match self.read_quiet_window(window).await {
                Ok(found) => (found, Ok(())),
                Err(error) => (Found::NoUse, Err(error)),
            };
            read += u32::from(matches!(found, Found::Keys(..)));
            // After an error as well: other windows have their turn.
            self.quiet_windows().put(window, found, Instant::now());
            outcome?;
        }
        Ok(read)
    }

    async fn read_quiet_window(&self, window: i64) -> Result<Found, StoreError> {
        const DOING: &str = "cannot read the keys of an earlier window";
        // One statement and its own transaction: what it locks is free when it ends, whatever becomes of this process.
        let marked = sqlx::query_scalar("SELECT copydesk_quiet_window($1)::text")
            .bind(i32::try_from(window).unwrap_or(i32::MAX))
            .fetch_one(&self.pool)
            .await;
        let mark: Option<String> = match marked {
            Ok(mark) => mark,
            Err(error) if is_lock_timeout(&error) => return Ok(Found::Busy),
            Err(error) => return Err(error).doing(DOING),
        };
        let (Some(mark), Some(keys)) = (mark, keys_at_most(&self.pool, window).await?) else {
            return Ok(Found::NoUse);
        };
        if !self.quiet_windows().make_room(KeyFilter::bytes_for(keys)) {
            return Ok(Found::NoUse);
        }
        // Behind the mark: a snapshot that is taken now has all that was claimed before it. With every key there was then, and
        // those that somebody added since, whose mark is then gone.
        let filter = KeyFilter::of_window(&self.pool, window, keys).await?;
        Ok(Found::Keys(mark, Arc::new(filter)))
    }
}

fn is_lock_timeout(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(|e| e.code().as_deref() == Some("55P03"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key_filter::tests::key;

    fn read(windows: &QuietWindows, window: i64, mark: &str, keys: &[i64]) {
        let mut filter = KeyFilter::new(1_000);
        keys.iter().for_each(|key| filter.add(*key));
        windows.put(
            window,
            Found::Keys(mark.to_owned(), Arc::new(filter)),
            Instant::now(),
        );
    }

    #[test]
    fn keys_are_left_out_only_under_the_mark_that_was_read() {
        let windows = QuietWindows::default();
        read(&windows, 7, "a", &[key(7, 1), key(7, 2)]);
        let all = {
            let mut all = vec![key(7, 1), key(7, 3), key(8, 1)];
            all.sort_unstable();
            all
        };
        let sifted = |marks: &[(i64, &str)]| {
            let marks = marks.iter().map(|(w, m)| (*w, (*m).to_owned())).collect();
            windows.sift(&all, &marks)
        };
        assert_eq!(sifted(&[(7, "a")]), [key(7, 1), key(8, 1)]);
        assert_eq!(
            sifted(&[(7, "a"), (8, "b")]),
            [key(7, 1), key(8, 1)],
            "8 was not read"
        );
        assert_eq!(sifted(&[(7, "c")]), all, "another quiet");
        assert_eq!(sifted(&[(7, "a")]), all, "it was forgotten");
    }

    #[test]
    fn a_window_is_due_when_it_was_looked_into_often_and_nothing_was_claimed() {
        let windows = QuietWindows::default();
        let now = Instant::now();
        let look = |times: u32| (0..times).for_each(|_| drop(windows.sift(&[key(7, 1)], &HashMap::new())));
        look(LOOKS - 1);
        assert!(windows.due(now).is_empty());
        look(1);
        assert_eq!(windows.due(now), [7]);
        windows.claimed(&[7]);
        assert!(windows.due(now).is_empty());
        look(LOOKS);
        let pauses = |found: fn() -> Found, pause: Duration| {
            windows.put(7, found(), now);
            look(LOOKS);
            assert!(
                windows.due(now + pause - BUSY_FOR / 2).is_empty(),
                "not again at once"
            );
            assert_eq!(windows.due(now + pause), [7]);
        };
        for times in 0..7 {
            pauses(|| Found::Busy, BUSY_FOR * 2_u32.pow(times));
        }
        (0..5).for_each(|_| pauses(|| Found::Busy, NOT_AGAIN_FOR));
        pauses(|| Found::NoUse, NOT_AGAIN_FOR);
        pauses(|| Found::Busy, BUSY_FOR);
    }

    #[test]
    fn filters_have_their_room_and_older_windows_go_first() {
        let windows = QuietWindows::default();
        let now = Instant::now();
        for window in [7, 8] {
            (0..LOOKS).for_each(|_| drop(windows.sift(&[key(window, 1)], &HashMap::new())));
            windows.put(
                window,
                Found::Keys("m".to_owned(), Arc::new(KeyFilter::new(7_000_000))),
                now,
            );
        }
        let held = |w: i64| {
            windows
                .0
                .lock()
                .unwrap()
                .get(&w)
                .is_some_and(|k| k.filter.is_some())
        };
        assert!(!windows.make_room(MOST_BYTES + 1));
        assert!(held(7) && held(8), "not for what has no room at all");
        assert!(windows.make_room(KeyFilter::bytes_for(7_000_000)));
        assert!(!held(7) && held(8));
        let later = now + NOT_AGAIN_FOR;
        assert!(windows.due(later).is_empty(), "nobody looks into it any more");
    }
}
