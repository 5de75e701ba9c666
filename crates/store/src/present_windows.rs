//! Which keys are certainly new in the windows that this process claims in.
//!
//! A claim that may meet another one has its price: with `ON CONFLICT` Postgres looks, marks and confirms each row, and nine of
//! ten keys of news are new. A worker that is alone with its database ([`crate::ledger::Advanced::alone`]) knows what it has claimed
//! itself; what was there before it reads once, beside the flushes. What is in neither is certainly new and goes in by `COPY`
//! ([`crate::keys::claim_new`]).
//!
//! Nothing of this is needed to be right: the unique row in `near_key` is. Where somebody claims unseen (a second worker's first flush,
//! `janitor refingerprint`, `quarantine replay`) it refuses the row, the flush is tried again, and for a while nothing is known
//! ([`PresentWindows::distrust`]).
//!
//! Windows with too many keys for [`MOST_BYTES`], and those without a partition of their own, are claimed in as ever.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::config::Store;
use crate::error::StoreError;
use crate::key_filter::{KeyFilter, keys_at_most};
use crate::keys::by_window;

/// Keys that were claimed in a window before it is read, at the least: a few hundred articles.
const LEAST_CLAIMED: usize = 4_000;

/// A window is read when one for so many of its keys was claimed: four articles to read one cost what knowing saves the fifth, and
/// a worker that has claimed so many works off a backlog.
const WORTH_READING: usize = 16;

/// Memory of all filters at the most: 11 million keys, some 650,000 articles.
const MOST_BYTES: usize = 16 << 20;

/// Room of the first filter for keys that this process claims; each further one has twice as much.
const FIRST_ROOM: usize = 1 << 16;

/// After somebody came unseen.
const DISTRUST_FOR: Duration = Duration::from_secs(600);

/// What this process knows of the windows that it claims in.
#[derive(Debug, Default)]
pub(crate) struct PresentWindows {
    state: Mutex<State>,
    due: Notify,
}

#[derive(Debug, Default)]
struct State {
    windows: BTreeMap<i64, Known>,
    not_before: Option<Instant>,
    /// Of the next window that is read.
    next_reading: u64,
}

#[derive(Debug)]
enum Known {
    /// Nothing yet; so many keys were claimed, and at so many it is due.
    Counted { claimed: usize, due_at: usize },
    /// It is being read into so many bytes; all that was claimed since that began.
    Reading {
        number: u64,
        bytes: usize,
        claimed: Chain,
    },
    /// All its keys.
    Read(Chain),
}

/// The reading of a window that has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Begun {
    number: u64,
    /// Keys that the filter is to have room for.
    room: usize,
}

impl Default for Known {
    fn default() -> Self {
        Self::Counted {
            claimed: 0,
            due_at: LEAST_CLAIMED,
        }
    }
}

/// What is known of keys, each ascending. Of the rest nothing is.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Sifted {
    /// Certainly nobody has them.
    pub(crate) new: Vec<i64>,
    /// Somebody has them, but for one in a hundred.
    pub(crate) had: Vec<i64>,
}

impl PresentWindows {
    /// A flush of a worker that is alone is about to claim these keys (ascending).
    /// `in_order`: claims are made in the order of keys for a while ([`crate::turns::Turns::claims_in_order`]); what is known is
    /// kept up, and not told.
    pub(crate) fn claim(&self, keys: &[i64], in_order: bool, now: Instant) -> Sifted {
        let mut sifted = Sifted::default();
        let mut state = self.lock();
        if state.not_before.is_some_and(|t| t > now) {
            return sifted;
        }
        for (window, keys) in by_window(keys) {
            match state.windows.entry(window).or_default() {
                Known::Counted { claimed, due_at } => {
                    *claimed = claimed.saturating_add(keys.len());
                    if *claimed >= *due_at {
                        self.due.notify_one();
                    }
                }
                Known::Reading { claimed, .. } => keys.iter().for_each(|key| claimed.add(*key)),
                Known::Read(all) => {
                    for key in keys.iter().copied() {
                        let had = all.may_have(key);
                        if !had {
                            all.add(key);
                        }
                        match (in_order, had) {
                            (true, _) => {}
                            (false, true) => sifted.had.push(key),
                            (false, false) => sifted.new.push(key),
                        }
                    }
                }
            }
        }
        while state.bytes() > MOST_BYTES && state.give_up_oldest(None) {}
        sifted
    }

    /// Others claim as well: what is known of their windows is not all any more.
    pub(crate) fn forget(&self) {
        self.lock().windows.clear();
    }

    /// Somebody else claimed unseen: for a while every claim may meet another one.
    pub(crate) fn distrust(&self, now: Instant) {
        let mut state = self.lock();
        state.windows.clear();
        state.not_before = Some(now + DISTRUST_FOR);
    }

    /// Until a window is worth reading.
    pub(crate) async fn due(&self) {
        self.due.notified().await;
    }

    /// Windows that are worth reading.
    fn worth_reading(&self) -> Vec<i64> {
        let state = self.lock();
        let due = |k: &Known| matches!(k, Known::Counted { claimed, due_at } if claimed >= due_at);
        let due = state.windows.iter().filter(|(_, k)| due(k));
        due.map(|(window, _)| *window).collect()
    }

    /// Begins to read a window of at most so many keys. From now on what is claimed is kept. `None`: it is not worth it (yet).
    fn begin(&self, window: i64, keys: usize) -> Option<Begun> {
        let mut state = self.lock();
        let Some(Known::Counted { claimed, due_at }) = state.windows.get_mut(&window) else {
            return None;
        };
        if *claimed < keys / WORTH_READING {
            *due_at = keys / WORTH_READING;
            return None;
        }
        // Flushes may add some before they are read, most of all to a window that is nearly empty.
        let room = keys.max(FIRST_ROOM);
        let read = KeyFilter::bytes_for(room);
        let bytes = read.saturating_add(KeyFilter::bytes_for(FIRST_ROOM));
        let number = state.next_reading;
        state.next_reading += 1;
        while bytes <= MOST_BYTES && state.bytes() + bytes > MOST_BYTES && state.give_up_oldest(Some(window))
        {
        }
        let fits = state.bytes().saturating_add(bytes) <= MOST_BYTES;
        let known = if fits {
            Known::Reading {
                number,
                bytes: read,
                claimed: Chain::default(),
            }
        } else {
            Known::GIVEN_UP
        };
        state.windows.insert(window, known);
        fits.then_some(Begun { number, room })
    }

    /// Flushes that were under way when the reading began claim these keys.
    fn under_way(&self, window: i64, begun: Begun, keys: &[Arc<[i64]>]) {
        if let Some(claimed) = self.lock().claimed_during(window, begun) {
            let keys = keys.iter().flat_map(|keys| by_window(keys));
            for (_, keys) in keys.filter(|(w, _)| *w == window) {
                keys.iter().for_each(|key| claimed.add(*key));
            }
        }
    }

    /// What was read, unless it was forgotten meanwhile. `None`: it could not be read.
    fn put(&self, window: i64, begun: Begun, read: Option<KeyFilter>) -> bool {
        let mut state = self.lock();
        let Some(claimed) = state.claimed_during(window, begun) else {
            return false;
        };
        let known = match read {
            Some(read) => {
                let mut all = std::mem::take(claimed);
                all.links.insert(0, read);
                Known::Read(all)
            }
            None => Known::default(),
        };
        let is_read = matches!(known, Known::Read(_));
        state.windows.insert(window, known);
        is_read
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What has been claimed since a reading began. `None`: it was forgotten meanwhile.
    fn claimed_during(&mut self, window: i64, begun: Begun) -> Option<&mut Chain> {
        match self.windows.get_mut(&window)? {
            Known::Reading { number, claimed, .. } if *number == begun.number => Some(claimed),
            _ => None,
        }
    }

    fn bytes(&self) -> usize {
        self.windows.values().map(Known::bytes).sum()
    }

    /// Time goes on: the keys of the oldest window (of those before a window) are the first to go. False: there is none.
    fn give_up_oldest(&mut self, before: Option<i64>) -> bool {
        let mut older = self.windows.range_mut(..before.unwrap_or(i64::MAX));
        let oldest = older.find(|(_, known)| known.bytes() > 0);
        oldest.map(|(_, known)| *known = Known::GIVEN_UP).is_some()
    }
}

impl Known {
    /// Too many keys, or too old.
    const GIVEN_UP: Self = Self::Counted {
        claimed: 0,
        due_at: usize::MAX,
    };

    fn bytes(&self) -> usize {
        match self {
            Self::Counted { .. } => 0,
            Self::Reading { bytes, claimed, .. } => bytes + claimed.bytes(),
            Self::Read(all) => all.bytes(),
        }
    }
}

impl Store {
    pub(crate) async fn read_present_windows(&self) -> Result<u32, StoreError> {
        let mut read = 0;
        for window in self.present_windows().worth_reading() {
            read += u32::from(self.read_present_window(window).await?);
        }
        Ok(read)
    }

    async fn read_present_window(&self, window: i64) -> Result<bool, StoreError> {
        // Without a partition of its own: never.
        let keys = keys_at_most(&self.pool, window).await?.unwrap_or(usize::MAX);
        let windows = self.present_windows();
        let Some(begun) = windows.begin(window, keys) else {
            return Ok(false);
        };
        // Those that came to their claim before that are among these until their transactions are over, and then in what is read.
        windows.under_way(window, begun, &self.turns().keys_under_way());
        let filter = KeyFilter::of_window(&self.pool, window, begun.room).await;
        let (filter, error) = match filter {
            Ok(filter) => (Some(filter), None),
            Err(error) => (None, Some(error)),
        };
        let put = windows.put(window, begun, filter);
        error.map_or(Ok(put), Err)
    }
}

/// A set that grows.
#[derive(Debug, Default)]
struct Chain {
    /// Keys are added to the last one.
    links: Vec<KeyFilter>,
    /// So many keys was the last one made for, and so many it still takes.
    size: usize,
    room: usize,
}

impl Chain {
    fn add(&mut self, key: i64) {
        if self.room == 0 {
            self.size = (self.size * 2).max(FIRST_ROOM);
            self.room = self.size;
            self.links.push(KeyFilter::new(self.size));
        }
        if let Some(last) = self.links.last_mut() {
            last.add(key);
            self.room -= 1;
        }
    }

    fn may_have(&self, key: i64) -> bool {
        self.links.iter().any(|link| link.may_have(key))
    }

    fn bytes(&self) -> usize {
        self.links.iter().map(KeyFilter::bytes).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key_filter::tests::key;

    const NO_KEYS: Sifted = Sifted {
        new: Vec::new(),
        had: Vec::new(),
    };

    fn keys(window: i64, numbers: std::ops::Range<u64>) -> Vec<i64> {
        let mut keys: Vec<i64> = numbers.map(|n| key(window, n)).collect();
        keys.sort_unstable();
        keys
    }

    /// Claims in a window until it is due.
    fn claim_until_due(windows: &PresentWindows, window: i64, now: Instant) {
        let least = LEAST_CLAIMED as u64;
        assert_eq!(windows.claim(&keys(window, 1..least), false, now), NO_KEYS);
        assert!(windows.worth_reading().is_empty());
        windows.claim(&keys(window, 0..1), false, now);
        assert_eq!(windows.worth_reading(), [window]);
    }

    fn filter(keys: &[i64]) -> KeyFilter {
        let mut filter = KeyFilter::new(keys.len());
        keys.iter().for_each(|key| filter.add(*key));
        filter
    }

    #[test]
    fn what_was_there_what_is_under_way_and_what_came_since_is_had() {
        let (windows, now) = (PresentWindows::default(), Instant::now());
        claim_until_due(&windows, 7, now);
        let begun = windows.begin(7, 5_000).unwrap();
        let (there, under_way, since) = (keys(7, 0..5_000), keys(7, 5_000..5_100), keys(7, 5_100..5_200));
        windows.under_way(7, begun, &[under_way.clone().into(), keys(8, 0..10).into()]);
        assert_eq!(windows.claim(&since, false, now), NO_KEYS, "it is being read");
        assert!(windows.put(7, begun, Some(filter(&there))));
        for had in [there, under_way, since] {
            assert_eq!(windows.claim(&had, false, now), Sifted { had, ..NO_KEYS });
        }
        let in_order = keys(7, 5_500..5_600);
        assert_eq!(
            windows.claim(&in_order, true, now),
            NO_KEYS,
            "known, and not told"
        );
        assert_eq!(windows.claim(&in_order, false, now).had, in_order);
        let fresh = keys(7, 6_000..7_000);
        let sifted = windows.claim(&fresh, false, now);
        assert!(sifted.new.len() > 950, "{}", sifted.new.len());
        assert_eq!(
            windows.claim(&fresh, false, now).had,
            fresh,
            "now they are had as well"
        );
        assert_eq!(
            windows.claim(&keys(8, 0..10), false, now),
            NO_KEYS,
            "another window"
        );
    }

    #[test]
    fn a_large_window_is_read_when_much_is_claimed_there() {
        let (windows, now) = (PresentWindows::default(), Instant::now());
        claim_until_due(&windows, 7, now);
        let many = LEAST_CLAIMED * WORTH_READING * 2;
        assert_eq!(windows.begin(7, many), None);
        assert!(windows.worth_reading().is_empty());
        windows.claim(&keys(7, 0..LEAST_CLAIMED as u64), false, now);
        assert!(windows.begin(7, many).is_some());
    }

    #[test]
    fn where_others_claim_nothing_is_known() {
        let (windows, now) = (PresentWindows::default(), Instant::now());
        claim_until_due(&windows, 7, now);
        let begun = windows.begin(7, 1).unwrap();
        windows.forget();
        assert!(!windows.put(7, begun, Some(filter(&[]))), "read too early");
        claim_until_due(&windows, 7, now);
        let again = windows.begin(7, 1).unwrap();
        assert!(
            !windows.put(7, begun, Some(filter(&[]))),
            "that of the first time"
        );
        assert!(windows.put(7, again, Some(filter(&[]))));
        assert_eq!(windows.claim(&keys(7, 0..1), false, now).new.len(), 1);
        windows.distrust(now);
        for _ in 0..2 {
            windows.claim(&keys(7, 0..LEAST_CLAIMED as u64), false, now + DISTRUST_FOR / 2);
        }
        assert!(windows.worth_reading().is_empty());
        claim_until_due(&windows, 7, now + DISTRUST_FOR);
    }

    #[test]
    fn a_window_that_cannot_be_read_is_due_again_later() {
        let (windows, now) = (PresentWindows::default(), Instant::now());
        claim_until_due(&windows, 7, now);
        let begun = windows.begin(7, 1).unwrap();
        assert!(!windows.put(7, begun, None));
        claim_until_due(&windows, 7, now);
    }

    #[test]
    fn filters_have_their_room_and_older_windows_go_first() {
        let (windows, now) = (PresentWindows::default(), Instant::now());
        let half = MOST_BYTES * 8 / 12 / 2 - FIRST_ROOM;
        let read = |window: i64, room: usize| {
            for _ in 0..room / WORTH_READING / LEAST_CLAIMED + 1 {
                windows.claim(&keys(window, 0..LEAST_CLAIMED as u64), false, now);
            }
            let begun = windows.begin(window, room)?;
            assert!(windows.put(window, begun, Some(KeyFilter::new(room))));
            Some(())
        };
        let known = |window: i64| windows.claim(&keys(window, 0..1), false, now) != NO_KEYS;
        assert!(read(7, half).is_some() && read(8, half).is_some());
        assert!(known(7) && known(8));
        assert!(read(6, half).is_none(), "it is older");
        assert!(known(7) && known(8) && !known(6));
        assert!(read(9, half).is_some());
        assert!(!known(7) && known(8) && known(9));
        assert!(read(10, MOST_BYTES).is_none(), "no room at all");
        assert!(known(8) && known(9));
        // What is claimed counts as well.
        let more = windows
            .claim(&keys(9, 0..FIRST_ROOM as u64 * 2), false, now)
            .new
            .len();
        assert!(more > FIRST_ROOM);
        assert!(!known(8) && known(9));
        assert!(windows.lock().bytes() <= MOST_BYTES);
    }
}
