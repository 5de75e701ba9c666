//! Windows of the key table: the window of a key, and the windows of an article.

use chrono::{DateTime, TimeDelta, Utc};
use copydesk_article::ShingleKey;

/// Bits of a key that are its hash; those above are its window. `copydesk_create_windows` counts on it.
pub(super) const HASH_BITS: u32 = 50;
pub(super) const HASH_MASK: i64 = (1 << HASH_BITS) - 1;

/// An article of so little time before a window's end claims its keys in the next window as well, so that it meets
/// a copy from just behind the border that is being stored at the same moment.
const BORDER: TimeDelta = TimeDelta::hours(1);

/// A span of time in which keys are unique: whole windows since 2020-01-01 UTC, from 0 to [`Window::LAST`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Window(pub(crate) i32);

impl Window {
    const LAST: i32 = 8191;

    /// The same as the database's function `copydesk_window` (a test compares the two).
    pub(crate) fn of(message_time: DateTime<Utc>, window_days: i32) -> Self {
        let seconds = message_time.timestamp() - 1_577_836_800; // 2020-01-01 UTC
        let number = seconds
            .div_euclid(86_400 * i64::from(window_days.max(1)))
            .clamp(0, i64::from(Self::LAST));
        Self(i32::try_from(number).unwrap_or(Self::LAST))
    }

    /// The window that the row of a key is in.
    pub(super) fn of_key(key: i64) -> Self {
        Self(i32::try_from(key >> HASH_BITS).unwrap_or(Self::LAST))
    }

    /// The first and the last row that it can have.
    pub(super) fn borders(self) -> (i64, i64) {
        let first = i64::from(self.0) << HASH_BITS;
        (first, first | HASH_MASK)
    }
}

/// The windows of one article.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ArticleWindows {
    own: Window,
    near_the_end: bool,
}

impl ArticleWindows {
    pub(crate) fn of(message_time: DateTime<Utc>, window_days: i32) -> Self {
        let own = Window::of(message_time, window_days);
        let soon = message_time.checked_add_signed(BORDER);
        Self {
            own,
            near_the_end: soon.is_some_and(|soon| Window::of(soon, window_days) != own),
        }
    }

    /// Where the article's keys are claimed.
    pub(crate) fn claimed(self) -> impl Iterator<Item = Window> {
        let next = self.near_the_end.then_some(Window(self.own.0 + 1));
        std::iter::once(self.own).chain(next)
    }

    /// Where owners are looked for: the window before, its own, and the one after, which has articles in it
    /// wherever another partition is ahead in time.
    pub(crate) fn searched(self) -> impl Iterator<Item = Window> {
        (self.own.0 - 1..=self.own.0 + 1)
            .filter(|w| (0..=Window::LAST).contains(w))
            .map(Window)
    }
}

/// The row of a shingle in a window. The smallest hashes of a text are small numbers: the information is in
/// their lower bits.
pub(crate) fn row_key(window: Window, key: ShingleKey) -> i64 {
    (i64::from(window.0) << HASH_BITS) | (key.0 & HASH_MASK)
}

/// Ascending keys, each window's apart.
pub(super) fn by_window(keys: &[i64]) -> impl Iterator<Item = (Window, &[i64])> {
    keys.chunk_by(|a, b| Window::of_key(*a) == Window::of_key(*b))
        .filter_map(|keys| Some((Window::of_key(*keys.first()?), keys)))
}

/// Splits ascending keys into those of these windows (ascending) and the others.
pub(crate) fn split_by_window(keys: Vec<i64>, windows: &[Window]) -> (Vec<i64>, Vec<i64>) {
    keys.into_iter()
        .partition(|key| windows.binary_search(&Window::of_key(*key)).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).unwrap().to_utc()
    }

    #[test]
    fn an_article_just_before_the_border_claims_on_both_sides() {
        // Windows of 10 days from 2020-01-01: the first ends at 2020-01-11.
        let middle = ArticleWindows::of(at("2020-01-05T00:00:00Z"), 10);
        assert_eq!(middle.claimed().collect::<Vec<_>>(), [0].map(Window));
        assert_eq!(middle.searched().collect::<Vec<_>>(), [0, 1].map(Window));
        let late = ArticleWindows::of(at("2020-01-10T23:30:00Z"), 10);
        assert_eq!(late.claimed().collect::<Vec<_>>(), [0, 1].map(Window));
        let after = ArticleWindows::of(at("2020-01-11T00:00:00Z"), 10);
        assert_eq!(after.claimed().collect::<Vec<_>>(), [1].map(Window));
        assert_eq!(after.searched().collect::<Vec<_>>(), [0, 1, 2].map(Window));
    }

    #[test]
    fn times_far_off_stay_within_the_table() {
        assert_eq!(Window::of(at("1970-01-01T00:00:00Z"), 30), Window(0));
        assert_eq!(Window::of(DateTime::<Utc>::MAX_UTC, 30), Window(Window::LAST));
        assert!(
            ArticleWindows::of(DateTime::<Utc>::MAX_UTC, 30)
                .searched()
                .all(|w| w.0 <= Window::LAST)
        );
        assert!(
            row_key(Window(Window::LAST), ShingleKey(-1)) > 0,
            "the highest key is still positive"
        );
    }

    #[test]
    fn windows_do_not_share_rows() {
        assert_ne!(
            row_key(Window(1), ShingleKey(5)),
            row_key(Window(2), ShingleKey(5))
        );
        assert!(row_key(Window(1), ShingleKey(-1)) < row_key(Window(2), ShingleKey(0)));
    }

    #[test]
    fn keys_are_split_by_their_windows() {
        let keys: Vec<i64> = [(1, 5), (2, 3), (2, 9), (4, 1)]
            .map(|(w, k)| row_key(Window(w), ShingleKey(k)))
            .to_vec();
        let (here, elsewhere) = split_by_window(keys.clone(), &[Window(2), Window(3)]);
        assert_eq!((here.as_slice(), elsewhere.len()), (&keys[1..3], 2));
        let windows: Vec<Window> = by_window(&keys).map(|(window, _)| window).collect();
        assert_eq!(windows, [1, 2, 4].map(Window));
    }
}
