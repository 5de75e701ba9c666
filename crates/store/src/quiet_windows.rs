//! Which keys a window has that nobody claims in any more, as far as this process must know them to leave most look-ups out.
//!
//! An article looks for owners of its keys in the neighbouring windows as well. The window before its own is full, and
//! hardly any of the keys is there: every look is at another page of a large index. That was a fifth of what a flush costs Postgres.
//!
//! While a window's row in `quiet_window` stands, no key was added to it since the row was written: whoever claims one there deletes the
//! row in the same transaction ([`crate::keys::end_quiet`]). So a process marks a window that only ever is looked into, reads its keys once
//! into a [`Filter`], and asks for those alone that the filter has, as long as it sees the same mark in the transaction of its flush.
//! A flush that sees the mark misses no more than one that looks at that moment: what is committed later.
//!
//! Nothing of this is needed to be right. Windows with too many keys for [`MOST_BYTES`], and those without a partition of their own,
//! are looked into as ever.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::TryStreamExt as _;
use sqlx::Row as _;

use crate::config::Store;
use crate::error::{Doing as _, StoreError};
use crate::keys::{HASH_BITS, HASH_MASK, borders, by_window};

/// Flushes that looked into a window since the last one that claimed there, before it is thought to be quiet.
const LOOKS: u32 = 10;

/// After a window was read, or found to be no use, so long until it may be read again: where late articles come all the time, its
/// quiet never lasts.
const NOT_AGAIN_FOR: Duration = Duration::from_secs(600);

/// Memory of all filters of a process at the most: 16 million keys, some 900,000 articles in a window.
const MOST_BYTES: usize = 24 << 20;

/// Bits of a filter for each key: one in 150 keys that are not there is looked up all the same.
const BITS_A_KEY: usize = 12;

/// Rows of `near_key` on a page of its table, at the most: 8,168 bytes, 44 a row.
const ROWS_A_PAGE: usize = 185;

/// What this process knows of windows that it looks into.
#[derive(Debug, Default)]
pub(crate) struct QuietWindows(Mutex<HashMap<i64, Known>>);

#[derive(Debug, Default)]
struct Known {
    looks: u32,
    not_before: Option<Instant>,
    filter: Option<(String, Arc<Filter>)>,
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
    fn look(&self, window: i64, mark: Option<&String>) -> Option<Arc<Filter>> {
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

    fn put(&self, window: i64, filter: Option<(String, Arc<Filter>)>, now: Instant) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.entry(window).or_default();
        known.not_before = Some(now + NOT_AGAIN_FOR);
        if filter.is_none() {
            // Due again when it is looked into again.
            known.looks = 0;
        }
        known.filter = filter;
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
    /// Reads the keys of windows that flushes of this process look into and nobody claims in, so that later flushes need not look.
    /// Answers with the number of windows that were read. To be called now and then beside the flushes; most calls find nothing to
    /// do and do not ask the database. A window with 5 million keys takes some seconds.
    ///
    /// # Errors
    /// Postgres does not answer. Nothing depends on it: flushes go on as before.
    pub async fn read_quiet_windows(&self) -> Result<u32, StoreError> {
        let mut read = 0;
        for window in self.quiet_windows().due(Instant::now()) {
            let filter = self.read_quiet_window(window).await;
            let found = filter.as_ref().ok().cloned().flatten();
            read += u32::from(found.is_some());
            // After an error as well: other windows have their turn.
            self.quiet_windows().put(window, found, Instant::now());
            filter?;
        }
        Ok(read)
    }

    async fn read_quiet_window(&self, window: i64) -> Result<Option<(String, Arc<Filter>)>, StoreError> {
        const DOING: &str = "cannot read the keys of an earlier window";
        // One statement and its own transaction: what it locks is free when it ends, whatever becomes of this process.
        let marked = sqlx::query(
            "SELECT copydesk_quiet_window($1)::text,
                    pg_relation_size(to_regclass('near_key_w' || lpad($1::text, 4, '0'))) / 8192",
        )
        .bind(i32::try_from(window).unwrap_or(i32::MAX))
        .fetch_one(&self.pool)
        .await;
        let marked = match marked {
            Ok(row) => row,
            // Somebody claims there.
            Err(error) if is_lock_timeout(&error) => return Ok(None),
            Err(error) => return Err(error).doing(DOING),
        };
        let mark: Option<String> = marked.try_get(0).doing(DOING)?;
        let pages: Option<i64> = marked.try_get(1).doing(DOING)?;
        let (Some(mark), Some(pages)) = (mark, pages) else {
            return Ok(None);
        };
        let keys = usize::try_from(pages)
            .unwrap_or(usize::MAX)
            .saturating_mul(ROWS_A_PAGE);
        if !self.quiet_windows().make_room(Filter::bytes_for(keys)) {
            return Ok(None);
        }
        let mut filter = Filter::new(keys);
        let (first, last) = borders(window);
        // Behind the mark: a snapshot that is taken now has all that was claimed before it. With every key there was then, and
        // those that somebody added since, whose mark is then gone.
        let mut rows = sqlx::query_scalar::<_, i64>("SELECT key FROM near_key WHERE key BETWEEN $1 AND $2")
            .bind(first)
            .bind(last)
            .fetch(&self.pool);
        while let Some(key) = rows.try_next().await.doing(DOING)? {
            filter.add(key);
        }
        Ok(Some((mark, Arc::new(filter))))
    }
}

fn is_lock_timeout(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(|e| e.code().as_deref() == Some("55P03"))
}

/// A set of keys of one window that may have others in it as well: a split block Bloom filter (Putze, Sanders, Singler, "Cache-, hash-
/// and space-efficient Bloom filters", 2007; the shape is that of Apache Parquet). One block of 32 bytes a key is looked at, and
/// ascending keys are in ascending blocks.
#[derive(Debug)]
struct Filter {
    blocks: Vec<[u32; 8]>,
}

impl Filter {
    fn new(keys: usize) -> Self {
        Self {
            blocks: vec![[0; 8]; Self::bytes_for(keys) / 32],
        }
    }

    fn bytes_for(keys: usize) -> usize {
        keys.saturating_mul(BITS_A_KEY)
            .div_ceil(256)
            .max(1)
            .saturating_mul(32)
    }

    fn bytes(&self) -> usize {
        self.blocks.len() * 32
    }

    fn add(&mut self, key: i64) {
        let at = self.block(key);
        if let Some(block) = self.blocks.get_mut(at) {
            for (word, bit) in block.iter_mut().zip(bits(key)) {
                *word |= bit;
            }
        }
    }

    fn may_have(&self, key: i64) -> bool {
        self.blocks
            .get(self.block(key))
            .is_none_or(|block| block.iter().zip(bits(key)).all(|(word, bit)| word & bit != 0))
    }

    /// The hash in a key is spread evenly, so its upper bits say where.
    fn block(&self, key: i64) -> usize {
        let hash = (key & HASH_MASK).unsigned_abs();
        ((u128::from(hash) * self.blocks.len() as u128) >> HASH_BITS) as usize
    }
}

/// One bit in each word of a key's block.
fn bits(key: i64) -> [u32; 8] {
    // Odd numbers, drawn once.
    const SALTS: [u32; 8] = [
        0x7984_a8ab,
        0x71e2_73a9,
        0x081c_5253,
        0x9fb9_3535,
        0xabd2_d9f3,
        0xf93f_e42f,
        0x14be_09ab,
        0xdb14_9e47,
    ];
    let lower = ((key & HASH_MASK)
        .unsigned_abs()
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        >> 32) as u32;
    SALTS.map(|salt| 1 << (lower.wrapping_mul(salt) >> 27))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys as they come: the hash spread evenly over 50 bits.
    fn key(window: i64, n: u64) -> i64 {
        let hash =
            n.wrapping_mul(0xd6e8_feb8_6659_fd93) ^ n.rotate_left(32).wrapping_mul(0xa076_1d64_78bd_642f);
        window << HASH_BITS | (hash >> 14).cast_signed()
    }

    #[test]
    fn a_filter_has_every_key_and_few_others() {
        for count in [1, 1_000, 200_000] {
            let mut filter = Filter::new(count);
            (0..count as u64).for_each(|n| filter.add(key(7, n)));
            assert!((0..count as u64).all(|n| filter.may_have(key(7, n))), "{count}");
            let others = (1 << 40..(1_u64 << 40) + 100_000).filter(|n| filter.may_have(key(7, *n)));
            let share = others.count() as f64 / 100_000.0;
            assert!(share < 0.012, "{count}: {share}");
        }
        assert_eq!(Filter::bytes_for(16_000_000) / 1_000_000, 24);
    }

    fn read(windows: &QuietWindows, window: i64, mark: &str, keys: &[i64]) {
        let mut filter = Filter::new(1_000);
        keys.iter().for_each(|key| filter.add(*key));
        windows.put(window, Some((mark.to_owned(), Arc::new(filter))), Instant::now());
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
        windows.put(7, None, now);
        look(LOOKS);
        assert!(windows.due(now).is_empty(), "not again at once");
        assert_eq!(windows.due(now + NOT_AGAIN_FOR), [7]);
    }

    #[test]
    fn filters_have_their_room_and_older_windows_go_first() {
        let windows = QuietWindows::default();
        let now = Instant::now();
        for window in [7, 8] {
            (0..LOOKS).for_each(|_| drop(windows.sift(&[key(window, 1)], &HashMap::new())));
            windows.put(
                window,
                Some(("m".to_owned(), Arc::new(Filter::new(7_000_000)))),
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
        assert!(windows.make_room(Filter::bytes_for(7_000_000)));
        assert!(!held(7) && held(8));
        let later = now + NOT_AGAIN_FOR;
        assert!(windows.due(later).is_empty(), "nobody looks into it any more");
    }
}
