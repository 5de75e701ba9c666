//! Looks up the owners of keys, and claims absent keys under the lock of their window.

use std::sync::LazyLock;

use copydesk_article::{ArticleId, StoryId};
use sqlx::PgConnection;

use crate::error::StoreError;
use crate::rows::{CopyInto, CopyValue as _, copy, execute, fetch_all, numbers};

use super::window::{Window, by_window};

/// Owner by row of the key table. A batch looks up thirty thousand of them, so the hash is a quick one,
/// seeded anew by each process.
pub(crate) type Owners = foldhash::HashMap<i64, ArticleId>;

/// Windows that are scanned one by one. A batch from the present has two or three, one from an archive may have hundreds.
const MOST_SCANS: usize = 4;

const LOCKING: &str = "cannot lock the windows of keys";
const CLAIMING: &str = "cannot claim the articles' keys";
pub(super) const LOOKING: &str = "cannot look for the keys' owners";

/// Locks these windows until the end of the transaction, and raises their versions. Later statements see all
/// keys that were claimed in them before, and nobody else claims there meanwhile.
///
/// A transaction locks all its windows at once, in ascending order and before any membership, so that two
/// transactions do not deadlock.
pub(crate) async fn lock(connection: &mut PgConnection, windows: &[Window]) -> Result<(), StoreError> {
    if windows.is_empty() {
        return Ok(());
    }
    let numbers: Vec<i32> = windows.iter().map(|w| w.0).collect();
    // Postgres locks the rows in the order of the query, also a row that is too new for this statement's
    // snapshot.
    execute!(connection, LOCKING;
        "INSERT INTO near_key_window AS w (number) SELECT number FROM unnest($1::int4[]) AS n (number) ORDER BY number
         ON CONFLICT (number) DO UPDATE SET version = w.version + 1",
        &numbers
    )?;
    Ok(())
}

/// Locks the windows of all articles of some stories, for a transaction that changes the stories and claims
/// no keys.
pub(crate) async fn lock_of_stories(
    connection: &mut PgConnection,
    stories: &[StoryId],
) -> Result<(), StoreError> {
    execute!(connection, LOCKING;
        "SELECT FROM near_key_window WHERE number IN (
             SELECT copydesk_window(coalesce(a.message_time, a.ingested_at)) FROM membership m JOIN article a USING (article_id)
             WHERE m.story_id = ANY ($1))
         ORDER BY number FOR UPDATE",
        numbers(stories)
    )?;
    Ok(())
}

/// The owners of these keys (ascending), as far as they have any.
pub(crate) async fn owners(connection: &mut PgConnection, keys: &[i64]) -> Result<Owners, StoreError> {
    let mut owners = Owners::default();
    if by_window(keys).nth(MOST_SCANS).is_some() {
        let rows: Vec<(i64, ArticleId)> = fetch_all!(connection, LOOKING;
            "SELECT n.key, n.article_id FROM unnest($1::int8[]) AS w (key) JOIN near_key n ON n.key = w.key",
            keys
        )?;
        owners.extend(rows);
        return Ok(owners);
    }
    for (window, keys) in by_window(keys) {
        // One scan from key to key costs less than a join with the array, which starts a scan for each key.
        // The borders are for the planner: it cannot tell from an array which partitions it needs.
        let (first, last) = window.borders();
        let rows: Vec<(i64, ArticleId)> = fetch_all!(&mut *connection, LOOKING;
            "SELECT key, article_id FROM near_key WHERE key = ANY ($1) AND key BETWEEN $2 AND $3",
            keys, first, last
        )?;
        owners.extend(rows);
    }
    Ok(owners)
}

static INTO_NEAR_KEY: LazyLock<CopyInto> =
    LazyLock::new(|| CopyInto::new("near_key", &["key", "article_id"]));

/// Claims the keys that have no owner. `wanted`: keys with the articles that want them, ascending and
/// distinct by key; `owners`: the answer of [`owners`] under the windows' lock. Answers with the claimed
/// keys.
///
/// # Errors
/// [`StoreError::ClaimedMeanwhile`]: another transaction has claimed one of them without the lock.
pub(crate) async fn insert_absent(
    connection: &mut PgConnection,
    wanted: &[(i64, ArticleId)],
    owners: &Owners,
) -> Result<Vec<(i64, ArticleId)>, StoreError> {
    let absent: Vec<(i64, ArticleId)> = wanted
        .iter()
        .filter(|(key, _)| !owners.contains_key(key))
        .copied()
        .collect();
    if absent.is_empty() {
        return Ok(absent);
    }
    let copied = copy(connection, &INTO_NEAR_KEY, &absent, |(key, id), row| {
        key.put(row);
        id.put(row);
    });
    copied.await.map_err(|error| match &error {
        sqlx::Error::Database(error) if error.is_unique_violation() => StoreError::ClaimedMeanwhile,
        _ => StoreError::Database {
            context: CLAIMING,
            error,
        },
    })?;
    Ok(absent)
}
