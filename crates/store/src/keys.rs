//! The key table: who was the first with a shingle hash. The one piece of state that all workers must see alike.

use std::collections::HashMap;
use std::sync::LazyLock;

use chrono::{DateTime, TimeDelta, Utc};
use copydesk_article::ShingleKey;
use sqlx::PgConnection;

use crate::copy::{CopyInto, CopyValue as _, copy};
use crate::error::{Doing as _, StoreError};

/// Owner by row of the key table. A batch looks up thirty thousand of them, so by a quick hash, seeded anew by each process.
pub(crate) type Owners = foldhash::HashMap<i64, i64>;

/// Bits of a key that are its hash; those above are its window. `copydesk_create_windows` counts on it.
pub(crate) const HASH_BITS: u32 = 50;
pub(crate) const HASH_MASK: i64 = (1 << HASH_BITS) - 1;
const LAST_WINDOW: i64 = 8191;

/// Windows that are scanned one by one. A batch from the present has two or three, one from an archive may have hundreds.
const MOST_SCANS: usize = 4;

const CLAIMING: &str = "cannot claim the articles' keys";
const LOOKING: &str = "cannot look for the keys' owners";

/// An article of so little time before a window's end claims its keys in the next window as well, so that it meets
/// a copy from just behind the border that is being stored at the same moment.
const BORDER: TimeDelta = TimeDelta::hours(1);

/// The windows that one article has to do with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Windows {
    own: i64,
    near_the_end: bool,
}

impl Windows {
    /// The same as the database's function `copydesk_window` (a test compares the two).
    pub(crate) fn of(message_time: DateTime<Utc>, window_days: i32) -> Self {
        let number = |t: DateTime<Utc>| {
            let seconds = t.timestamp() - 1_577_836_800; // 2020-01-01 UTC
            seconds
                .div_euclid(86_400 * i64::from(window_days.max(1)))
                .clamp(0, LAST_WINDOW)
        };
        let own = number(message_time);
        let soon = message_time.checked_add_signed(BORDER).map_or(own, number);
        Self {
            own,
            near_the_end: soon != own,
        }
    }

    /// Where the article's keys are claimed.
    pub(crate) fn claimed(self) -> impl Iterator<Item = i64> {
        let next = self.near_the_end.then_some(self.own + 1);
        std::iter::once(self.own).chain(next)
    }

    /// Where owners are looked for: the window before, its own, and the one after, which has articles in it
    /// wherever another partition is ahead in time.
    pub(crate) fn searched(self) -> impl Iterator<Item = i64> {
        (self.own - 1..=self.own + 1).filter(|w| (0..=LAST_WINDOW).contains(w))
    }
}

/// The row of a shingle in a window. The smallest hashes of a text are small numbers: the information is in
/// their lower bits.
pub(crate) const fn row_key(window: i64, key: ShingleKey) -> i64 {
    (window << HASH_BITS) | (key.0 & HASH_MASK)
}

/// Claims keys for articles. `wanted` is ascending and distinct by key: flushes that meet wait, and do not deadlock.
/// Answers with the keys that nobody had, and whose they are now: of these no owner needs to be looked for. Beside them the
/// windows that they are in, for [`end_quiet`].
pub(crate) async fn claim(
    connection: &mut PgConnection,
    wanted: &[(i64, i64)],
) -> Result<(Owners, Vec<i64>), StoreError> {
    if wanted.is_empty() {
        return Ok((Owners::default(), Vec::new()));
    }
    let (keys, ids): (Vec<i64>, Vec<i64>) = wanted.iter().copied().unzip();
    // One array instead of a row for each key: they are many.
    let claimed: Option<Vec<i64>> = sqlx::query_scalar(
        "WITH claimed AS (
             INSERT INTO near_key (key, article_id)
             SELECT key, id FROM unnest($1::int8[], $2::int8[]) AS w (key, id)
             ON CONFLICT DO NOTHING RETURNING key
         )
         SELECT array_agg(key) FROM claimed",
    )
    .bind(&keys)
    .bind(&ids)
    .fetch_one(&mut *connection)
    .await
    .doing(CLAIMING)?;
    let mut claimed = claimed.unwrap_or_default();
    // They come in the order in which they went in, but nobody promises it.
    claimed.sort_unstable();
    let mut is_claimed = among(&claimed);
    let owners = wanted
        .iter()
        .filter(|(key, _)| is_claimed(*key))
        .copied()
        .collect();
    Ok((owners, windows(&claimed)))
}

static INTO_NEAR_KEY: LazyLock<CopyInto> =
    LazyLock::new(|| CopyInto::new("near_key", &["key", "article_id"]));

/// Claims keys for articles that are certainly new ([`crate::present_windows`]). `new` is ascending and distinct by key.
///
/// # Errors
/// [`StoreError::ClaimedMeanwhile`]: one of them was not.
pub(crate) async fn claim_new(connection: &mut PgConnection, new: &[(i64, i64)]) -> Result<(), StoreError> {
    if new.is_empty() {
        return Ok(());
    }
    let copied = copy(connection, &INTO_NEAR_KEY, new, |(key, id), row| {
        key.put(row);
        id.put(row);
    });
    copied.await.map_err(|source| match &source {
        sqlx::Error::Database(error) if error.is_unique_violation() => StoreError::ClaimedMeanwhile,
        _ => StoreError::Database {
            doing: CLAIMING,
            source,
        },
    })
}

/// Windows where keys were claimed are not quiet (any more): to be called by whoever called [`claim`] or [`claim_new`], as the last
/// statement before the commit. It sees whoever marked one while the claim waited, and nobody waits for this row longer than for a
/// commit. Until then the claim itself keeps others from marking.
pub(crate) async fn end_quiet(connection: &mut PgConnection, windows: &[i64]) -> Result<(), StoreError> {
    let windows: Vec<i32> = windows.iter().filter_map(|w| i32::try_from(*w).ok()).collect();
    if windows.is_empty() {
        return Ok(());
    }
    sqlx::query("DELETE FROM quiet_window WHERE number = ANY ($1)")
        .bind(&windows)
        .execute(connection)
        .await
        .doing(CLAIMING)?;
    Ok(())
}

/// Those of these keys (ascending) whose window has any rows, and the marks of those windows that are quiet. The window behind an
/// article's own is nearly always empty, the one before it in a young store: one look at each instead of one for every key.
pub(crate) async fn in_inhabited_windows(
    connection: &mut PgConnection,
    keys: Vec<i64>,
) -> Result<(Vec<i64>, HashMap<i64, String>), StoreError> {
    let windows = windows(&keys);
    if windows.is_empty() {
        return Ok((keys, HashMap::new()));
    }
    let inhabited: HashMap<i64, Option<String>> = sqlx::query_as(
        "SELECT w.number, (SELECT q.mark::text FROM quiet_window q WHERE q.number = w.number) FROM unnest($1::int8[]) AS w (number)
         WHERE EXISTS (SELECT FROM near_key n WHERE n.key BETWEEN w.number << $2 AND (w.number << $2) + $3)",
    )
    .bind(&windows)
    .bind(HASH_BITS.cast_signed())
    .bind(HASH_MASK)
    .fetch_all(connection)
    .await
    .doing(LOOKING)?
    .into_iter()
    .collect();
    let keys = by_window(&keys)
        .filter(|(window, _)| inhabited.contains_key(window))
        .flat_map(|(_, keys)| keys)
        .copied()
        .collect();
    let marks = inhabited
        .into_iter()
        .filter_map(|(window, mark)| Some((window, mark?)));
    Ok((keys, marks.collect()))
}

/// Who owns which of these keys (ascending). After [`claim`], as statements of their own: their snapshots have what the
/// claim waited for. Before it a key without an owner means nothing yet: it is claimed, and looked up again if that is refused.
pub(crate) async fn owners(connection: &mut PgConnection, keys: &[i64]) -> Result<Owners, StoreError> {
    let mut owners = Owners::default();
    if by_window(keys).nth(MOST_SCANS).is_some() {
        let rows: Vec<(i64, i64)> = sqlx::query_as(
            "SELECT n.key, n.article_id FROM unnest($1::int8[]) AS w (key) JOIN near_key n ON n.key = w.key",
        )
        .bind(keys)
        .fetch_all(connection)
        .await
        .doing(LOOKING)?;
        owners.extend(rows);
        return Ok(owners);
    }
    for (window, keys) in by_window(keys) {
        // One scan that goes from key to key costs less than a join with the array, which starts a scan for each. The
        // borders are for the planner, which does not look into an array to tell partitions apart.
        let (first, last) = borders(window);
        let rows: Vec<(i64, i64)> = sqlx::query_as(
            "SELECT key, article_id FROM near_key WHERE key = ANY ($1) AND key BETWEEN $2 AND $3",
        )
        .bind(keys)
        .bind(first)
        .bind(last)
        .fetch_all(&mut *connection)
        .await
        .doing(LOOKING)?;
        owners.extend(rows);
    }
    Ok(owners)
}

/// Tells of keys, asked in ascending order, whether they are among these, which are ascending.
pub(crate) fn among(ascending: &[i64]) -> impl FnMut(i64) -> bool {
    let mut others = ascending.iter().copied().peekable();
    move |key| {
        while others.next_if(|other| *other < key).is_some() {}
        others.peek() == Some(&key)
    }
}

/// The windows of ascending keys, each once.
pub(crate) fn windows(keys: &[i64]) -> Vec<i64> {
    by_window(keys).map(|(window, _)| window).collect()
}

/// The first and the last row that a window can have.
pub(crate) const fn borders(window: i64) -> (i64, i64) {
    (window << HASH_BITS, (window << HASH_BITS) | HASH_MASK)
}

/// The windows of ascending keys, each with its keys.
pub(crate) fn by_window(keys: &[i64]) -> impl Iterator<Item = (i64, &[i64])> {
    keys.chunk_by(|a, b| window_of(*a) == window_of(*b))
        .filter_map(|keys| Some((window_of(*keys.first()?), keys)))
}

/// The window that the row of a key is in.
const fn window_of(key: i64) -> i64 {
    key >> HASH_BITS
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
        let middle = Windows::of(at("2020-01-05T00:00:00Z"), 10);
        assert_eq!(middle.claimed().collect::<Vec<_>>(), [0]);
        assert_eq!(middle.searched().collect::<Vec<_>>(), [0, 1]);
        let late = Windows::of(at("2020-01-10T23:30:00Z"), 10);
        assert_eq!(late.claimed().collect::<Vec<_>>(), [0, 1]);
        let after = Windows::of(at("2020-01-11T00:00:00Z"), 10);
        assert_eq!(after.claimed().collect::<Vec<_>>(), [1]);
        assert_eq!(after.searched().collect::<Vec<_>>(), [0, 1, 2]);
    }

    #[test]
    fn times_far_off_stay_within_the_table() {
        assert_eq!(Windows::of(at("1970-01-01T00:00:00Z"), 30).own, 0);
        assert_eq!(Windows::of(DateTime::<Utc>::MAX_UTC, 30).own, LAST_WINDOW);
        assert!(
            Windows::of(DateTime::<Utc>::MAX_UTC, 30)
                .searched()
                .all(|w| w <= LAST_WINDOW)
        );
        assert!(
            row_key(LAST_WINDOW, ShingleKey(-1)) > 0,
            "the highest key is still positive"
        );
    }

    #[test]
    fn windows_do_not_share_rows() {
        assert_ne!(row_key(1, ShingleKey(5)), row_key(2, ShingleKey(5)));
        assert!(row_key(1, ShingleKey(-1)) < row_key(2, ShingleKey(0)));
    }
}
