//! Retention by age: old articles are dropped, and the ledger still adds up.
//!
//! An article is dropped with its versions, evidence, identity and words: those of a range that is old as a whole go with it (`ranges`), and row
//! by row where younger articles are beside them. What stays: its sightings, so that the audit law
//! holds; a row in `retired_article`, which the audit takes for it; `story_id` and `linked_to` of younger articles, which go
//! on to name it. The canonical article of a story is computed from those that are left. Its address is free: the same
//! page again is a new article.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;

use crate::connect::config::Store;
use crate::error::{Doing as _, StoreError};
use crate::flush::story_rows;
use crate::rows::ids;

const DOING: &str = "cannot drop old articles (this needs the role copydesk_owner)";

/// What is old, as a condition on `article`; `$1` is the time.
///
/// The age of an article is that of its latest version: when it was stored, and by its message where that came later.
macro_rules! old {
    () => {
        "version_at < $1 AND coalesce(message_time, version_at) < $1"
    };
}
pub(crate) use old;

/// What retention would drop.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retirable {
    /// Articles.
    pub articles: u64,
    /// Their older versions.
    pub versions: u64,
    /// Stories of which nothing would be left.
    pub stories: u64,
}

impl Store {
    /// Checks a limit for [`Self::retire`]: what new articles are compared with must stay.
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

    /// Counts what [`Self::retire`] would drop. Reads all articles up to that time.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn retirable(&self, before: DateTime<Utc>) -> Result<Retirable, StoreError> {
        let (articles, versions, stories): (i64, i64, i64) = sqlx::query_as(concat!(
            "WITH old AS MATERIALIZED (SELECT article_id, m.story_id FROM article a JOIN membership m USING (article_id) WHERE a.ingested_at < $1 AND ",
            old!(),
            ")
             SELECT (SELECT count(*) FROM old),
                    (SELECT count(*) FROM article_version v JOIN old USING (article_id)),
                    (SELECT count(*) FROM (SELECT story_id, count(*) AS gone FROM old GROUP BY story_id) s
                     WHERE s.gone = (SELECT count(*) FROM membership m WHERE m.story_id = s.story_id))"
        ))
        .bind(before)
        .fetch_one(&self.pool)
        .await
        .doing("cannot count old articles")?;
        Ok(Retirable {
            articles: articles.unsigned_abs(),
            versions: versions.unsigned_abs(),
            stories: stories.unsigned_abs(),
        })
    }

    /// The number up to which articles can be old: where [`Self::retire`] ends.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn last_before(&self, before: DateTime<Utc>) -> Result<Option<i64>, StoreError> {
        // OFFSET 0: first the days by their index, which is small, then the largest number.
        sqlx::query_scalar(
            "SELECT max(article_id) FROM (SELECT article_id FROM article WHERE ingested_at < $1 OFFSET 0) AS o",
        )
        .bind(before)
        .fetch_one(&self.pool)
        .await
        .doing("cannot look for old articles")
    }

    /// Drops some of the articles that are older, with numbers above `after` and up to `last`, in one transaction. Answers
    /// with the number of the last one and how many were dropped; `None`: none is left. Two may run at once.
    ///
    /// # Errors
    /// [`crate::RetryClass::RetryNow`]: a worker was in the way; the same call again goes on. A role that may not delete.
    pub async fn retire(
        &self,
        before: DateTime<Utc>,
        after: i64,
        last: i64,
        most: i64,
    ) -> Result<Option<(i64, u64)>, StoreError> {
        loop {
            let mut tx = self.begin().await?;
            let found: Vec<(i64, Vec<u8>)> = sqlx::query_as(concat!(
                "SELECT article_id, identity FROM article WHERE article_id > $2 AND article_id <= $3 AND ",
                old!(),
                " ORDER BY article_id LIMIT $4"
            ))
            .bind(before)
            .bind(after)
            .bind(last)
            .bind(most)
            .fetch_all(&mut *tx)
            .await
            .doing(DOING)?;
            let (ids, identities): (Vec<i64>, Vec<Vec<u8>>) = found.into_iter().unzip();
            let Some(end) = ids.last().copied() else {
                return Ok(None);
            };
            forget_addresses(&mut tx, &ids, identities).await?;
            let still: Vec<i64> = sqlx::query_scalar(concat!(
                "SELECT article_id FROM article WHERE article_id = ANY ($2) AND ",
                old!(),
                " ORDER BY article_id FOR UPDATE"
            ))
            .bind(before)
            .bind(&ids)
            .fetch_all(&mut *tx)
            .await
            .doing(DOING)?;
            if still != ids {
                // One of them has a new version since. Nothing was done; look again.
                tx.rollback().await.doing(DOING)?;
                continue;
            }
            drop_articles(&mut tx, &ids, None).await?;
            tx.commit().await.doing(DOING)?;
            return Ok(Some((end, ids.len() as u64)));
        }
    }
}

/// Frees the addresses of articles that are to be dropped, and locks their memberships. First in the transaction, and deleted at once: a flush that claims the same address
/// waits here for its end and then has a new article. A lock alone would let it find the row and then lose it.
pub(crate) async fn forget_addresses(
    tx: &mut PgConnection,
    ids: &[i64],
    mut identities: Vec<Vec<u8>>,
) -> Result<(), StoreError> {
    identities.sort_unstable();
    sqlx::query("DELETE FROM article_identity WHERE identity = ANY ($1) AND article_id = ANY ($2)")
        .bind(&identities)
        .bind(ids)
        .execute(&mut *tx)
        .await
        .doing(DOING)?;
    sqlx::query("SELECT FROM membership WHERE article_id = ANY ($1) ORDER BY article_id FOR UPDATE")
        .bind(ids)
        .execute(&mut *tx)
        .await
        .doing(DOING)?;
    Ok(())
}

/// Drops articles whose rows are locked and whose addresses are gone, with all that they are made of; `archive_day`: the day under which they are
/// in the archive.
pub(crate) async fn drop_articles(
    tx: &mut PgConnection,
    ids: &[i64],
    archive_day: Option<NaiveDate>,
) -> Result<(), StoreError> {
    let stories = story_rows::stories_of(&mut *tx, &ids::articles(ids.to_vec())).await?;
    // Held to the end, so that no range is dropped, or given up, between this look and the deletion.
    let alone: Vec<i64> = sqlx::query_scalar(
        "WITH dropping AS MATERIALIZED (
             SELECT first_id, end_id FROM article_range WHERE dropping_since IS NOT NULL FOR SHARE)
         SELECT id FROM unnest($1::int8[]) AS w (id)
         WHERE NOT EXISTS (SELECT FROM dropping d WHERE w.id >= d.first_id AND w.id < d.end_id)",
    )
    .bind(ids)
    .fetch_all(&mut *tx)
    .await
    .doing(DOING)?;
    if !alone.is_empty() {
        for sql in [
            "DELETE FROM article_version WHERE article_id = ANY ($1)",
            "DELETE FROM evidence WHERE article_id = ANY ($1)",
            "DELETE FROM article_words WHERE article_id = ANY ($1)",
        ] {
            sqlx::query(sql)
                .bind(&alone)
                .execute(&mut *tx)
                .await
                .doing(DOING)?;
        }
    }
    sqlx::query(
        "INSERT INTO retired_article (article_id, story_id, archive_day)
         SELECT article_id, story_id, $2 FROM membership WHERE article_id = ANY ($1)",
    )
    .bind(ids)
    .bind(archive_day)
    .execute(&mut *tx)
    .await
    .doing(DOING)?;
    sqlx::query("DELETE FROM article WHERE article_id = ANY ($1)")
        .bind(ids)
        .execute(&mut *tx)
        .await
        .doing(DOING)?;
    story_rows::recount(tx, stories).await
}
