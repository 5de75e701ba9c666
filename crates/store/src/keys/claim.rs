//! Who owns a key, and how it gets an owner: under the lock of its window.

use std::sync::LazyLock;

use copydesk_article::{ArticleId, StoryId};
use sqlx::PgConnection;

use crate::error::StoreError;
use crate::rows::{CopyInto, CopyValue as _, copy, execute, fetch_all, numbers};

use super::window::{Window, by_window};

/// Owner by row of the key table. A batch looks up thirty thousand of them, so by a quick hash, seeded anew by each process.
pub(crate) type Owners = foldhash::HashMap<i64, ArticleId>;

/// Windows that are scanned one by one. A batch from the present has two or three, one from an archive may have hundreds.
const MOST_SCANS: usize = 4;

const LOCKING: &str = "cannot lock the windows of keys";
const CLAIMING: &str = "cannot claim the articles' keys";
pub(super) const LOOKING: &str = "cannot look for the keys' owners";

/// Locks these windows until the end of the transaction, and raises their versions. Statements behind this one see all that was claimed in
/// them before, and nobody claims there meanwhile.
///
/// In ascending order, so that transactions that lock several windows do not deadlock: all at once, and before any membership.
pub(crate) async fn lock(connection: &mut PgConnection, windows: &[Window]) -> Result<(), StoreError> {
    if windows.is_empty() {
        return Ok(());
    }
    let numbers: Vec<i32> = windows.iter().map(|w| w.0).collect();
    // Postgres goes through the rows in the order in which the query brings them; one that is there is locked even if it is too
    // new for this statement's snapshot.
    execute!(connection, LOCKING;
        "INSERT INTO near_key_window AS w (number) SELECT number FROM unnest($1::int4[]) AS n (number) ORDER BY number
         ON CONFLICT (number) DO UPDATE SET version = w.version + 1",
        &numbers
    )?;
    Ok(())
}

/// Locks the windows of all articles of some stories: for whoever changes the stories and claims no keys.
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

/// Who owns which of these keys (ascending).
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
        // One scan that goes from key to key costs less than a join with the array, which starts a scan for each. The
        // borders are for the planner, which does not look into an array to tell partitions apart.
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

/// Claims those of the keys that nobody owns. `wanted`: keys with the articles that want them, ascending and distinct by key; `owners`: what
/// [`owners`] found of them under the windows' lock. Answers with the keys that were claimed.
///
/// # Errors
/// [`StoreError::ClaimedMeanwhile`]: somebody has claimed one of them without the lock.
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
