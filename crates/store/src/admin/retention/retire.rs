//! Retention by age: old articles are dropped, and the ledger still adds up.
//!
//! An article is dropped with its versions, evidence, identity and words: those of a range that is old as a whole go with it (`ranges`), and row
//! by row where younger articles are beside them. What stays: its sightings, so that the audit law
//! holds; a row in `retired_article`, which the audit takes for it; `story_id` and `linked_to` of younger articles, which go
//! on to name it. The canonical article of a story is computed from those that are left. Its address is free: the same
//! page again is a new article.

use chrono::{DateTime, NaiveDate, Utc};
use copydesk_article::ArticleId;
use sqlx::PgConnection;

use crate::connect::config::Store;
use crate::error::{Context as _, StoreError};
use crate::flush::story_rows;
use crate::rows::{execute, fetch_all, fetch_one, numbers, record};

const CONTEXT: &str = "cannot drop old articles (this needs the role copydesk_owner)";

/// The condition on `article` for old articles; `$1` is the time.
///
/// The age of an article is that of its latest version: the time when it was stored, or the time of its
/// message if that is later.
macro_rules! old {
    () => {
        "version_at < $1 AND coalesce(message_time, version_at) < $1"
    };
}
pub(crate) use old;

record! {
    /// The articles that retention would drop.
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
    pub struct Retirable {
        /// Articles.
        pub articles: u64,
        /// Their older versions.
        pub versions: u64,
        /// Stories that would have no articles left.
        pub stories: u64,
    }
}

impl Store {
    /// Checks a limit for [`Self::retire`]: articles that new ones are compared with must stay.
    ///
    /// # Errors
    /// [`StoreError::NotPossible`]: the limit is shorter than two windows.
    pub async fn check_retention(&self, days: u32) -> Result<(), StoreError> {
        let least = i64::from(self.window_days().await?) * 2;
        if i64::from(days) < least {
            return Err(StoreError::NotPossible(format!(
                "articles cannot be dropped after {days} days: new ones are compared with those of the last two windows, so \
                 set janitor.retention_days to {least} or more (or, on a new database, the windows shorter: `copydesk migrate --window-days`)"
            )));
        }
        Ok(())
    }

    /// Counts the articles that [`Self::retire`] would drop. Reads all articles up to that time.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn retirable(&self, before: DateTime<Utc>) -> Result<Retirable, StoreError> {
        fetch_one!(&self.pool, "cannot count old articles";
            concat!(
                "WITH old AS MATERIALIZED (
                     SELECT article_id, m.story_id FROM article a JOIN membership m USING (article_id) WHERE a.ingested_at < $1 AND ",
                old!(),
                ")
                 SELECT (SELECT count(*) FROM old) AS articles,
                        (SELECT count(*) FROM article_version v JOIN old USING (article_id)) AS versions,
                        (SELECT count(*) FROM (SELECT story_id, count(*) AS gone FROM old GROUP BY story_id) s
                         WHERE s.gone = (SELECT count(*) FROM membership m WHERE m.story_id = s.story_id)) AS stories"
            ),
            before
        )
    }

    /// The number up to which articles can be old: where [`Self::retire`] ends.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn last_before(&self, before: DateTime<Utc>) -> Result<Option<ArticleId>, StoreError> {
        // OFFSET 0: first the days by their index, which is small, then the largest number.
        fetch_one!(&self.pool, "cannot look for old articles";
            "SELECT max(article_id) FROM (SELECT article_id FROM article WHERE ingested_at < $1 OFFSET 0) AS o",
            before
        )
    }

    /// Drops some of the articles that are older, with numbers above `after` and up to `last`, in one transaction. Answers
    /// with the number of the last one and how many were dropped; `None`: none is left. Two may run at once.
    ///
    /// # Errors
    /// [`crate::RetryClass::RetryNow`]: a worker was in the way; the same call again goes on. A role that may not delete.
    pub async fn retire(
        &self,
        before: DateTime<Utc>,
        after: ArticleId,
        last: ArticleId,
        most: i64,
    ) -> Result<Option<(ArticleId, u64)>, StoreError> {
        loop {
            let mut tx = self.begin().await?;
            let found: Vec<(ArticleId, Vec<u8>)> = fetch_all!(&mut *tx, CONTEXT;
                concat!(
                    "SELECT article_id, identity FROM article WHERE article_id > $2 AND article_id <= $3 AND ",
                    old!(),
                    " ORDER BY article_id LIMIT $4"
                ),
                before, after.0, last.0, most
            )?;
            let (ids, identities): (Vec<ArticleId>, Vec<Vec<u8>>) = found.into_iter().unzip();
            let Some(end) = ids.last().copied() else {
                return Ok(None);
            };
            forget_addresses(&mut tx, &ids, identities).await?;
            let still: Vec<ArticleId> = fetch_all!(&mut *tx, CONTEXT;
                concat!(
                    "SELECT article_id FROM article WHERE article_id = ANY ($2) AND ",
                    old!(),
                    " ORDER BY article_id FOR UPDATE"
                ),
                before, numbers(&ids)
            )?;
            if still != ids {
                // One of them has a new version since. Nothing was done; look again.
                tx.rollback().await.context(CONTEXT)?;
                continue;
            }
            drop_articles(&mut tx, &ids, None).await?;
            tx.commit().await.context(CONTEXT)?;
            return Ok(Some((end, ids.len() as u64)));
        }
    }
}

/// Frees the addresses of articles that are to be dropped, and locks their memberships. It comes first in the
/// transaction and deletes at once: a flush that claims the same address waits for the end of this
/// transaction and then has a new article. A lock alone would let the flush find the row and then lose it.
pub(crate) async fn forget_addresses(
    tx: &mut PgConnection,
    ids: &[ArticleId],
    mut identities: Vec<Vec<u8>>,
) -> Result<(), StoreError> {
    identities.sort_unstable();
    execute!(&mut *tx, CONTEXT;
        "DELETE FROM article_identity WHERE identity = ANY ($1) AND article_id = ANY ($2)", &identities, numbers(ids)
    )?;
    execute!(&mut *tx, CONTEXT;
        "SELECT FROM membership WHERE article_id = ANY ($1) ORDER BY article_id FOR UPDATE", numbers(ids)
    )?;
    Ok(())
}

/// Drops articles whose rows are locked and whose addresses are gone, with all that they are made of; `archive_day`: the day under which they are
/// in the archive.
pub(crate) async fn drop_articles(
    tx: &mut PgConnection,
    ids: &[ArticleId],
    archive_day: Option<NaiveDate>,
) -> Result<(), StoreError> {
    let stories = story_rows::stories_of(&mut *tx, ids).await?;
    // Held to the end, so that no range is dropped, or given up, between this look and the deletion.
    let alone: Vec<i64> = fetch_all!(&mut *tx, CONTEXT;
        "WITH dropping AS MATERIALIZED (
             SELECT first_id, end_id FROM article_range WHERE dropping_since IS NOT NULL FOR SHARE)
         SELECT id FROM unnest($1::int8[]) AS w (id)
         WHERE NOT EXISTS (SELECT FROM dropping d WHERE w.id >= d.first_id AND w.id < d.end_id)",
        numbers(ids)
    )?;
    if !alone.is_empty() {
        for sql in [
            "DELETE FROM article_version WHERE article_id = ANY ($1)",
            "DELETE FROM evidence WHERE article_id = ANY ($1)",
            "DELETE FROM article_words WHERE article_id = ANY ($1)",
        ] {
            execute!(&mut *tx, CONTEXT; sql, &alone)?;
        }
    }
    execute!(&mut *tx, CONTEXT;
        "INSERT INTO retired_article (article_id, story_id, archive_day)
         SELECT article_id, story_id, $2 FROM membership WHERE article_id = ANY ($1)",
        numbers(ids), archive_day
    )?;
    execute!(&mut *tx, CONTEXT; "DELETE FROM article WHERE article_id = ANY ($1)", numbers(ids))?;
    story_rows::recount(tx, stories).await
}
