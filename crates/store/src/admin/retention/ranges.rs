//! Ranges of articles: texts, versions, evidence and words of a range are in one partition each, made ahead
//! and dropped whole (migrations/0009_create_ranges.sql).
//!
//! In: the numbers that were drawn, and the time before which articles are past keeping. Out: ranges ahead,
//! and old ones gone. What can fail: Postgres does not answer, a role that may not, a reader that holds a
//! table for too long; everything may be repeated.

use chrono::{DateTime, Utc};

use crate::admin::retention::retire::old;
use crate::connect::config::Store;
use crate::error::{Context as _, StoreError};
use crate::rows::{execute, fetch_all, fetch_one};

const DROPPING: &str = "cannot drop old ranges of articles (this needs the role copydesk_owner)";

impl Store {
    /// Makes ranges until a whole one lies ahead of the articles' numbers; answers with the number made. Cheap if there is nothing to do, and
    /// nobody waits for it.
    ///
    /// # Errors
    /// Postgres does not answer, or this role may not call the function.
    pub async fn create_ranges(&self) -> Result<u32, StoreError> {
        fetch_one!(&self.pool, "cannot create the partitions of the coming articles";
            "SELECT copydesk_create_ranges()"
        )
    }

    /// Has Postgres look anew, once a day, at the tables that are partitioned by ranges. Answers with the number of tables.
    ///
    /// # Errors
    /// Postgres does not answer, or this role may not call the function.
    pub async fn analyze_ranges(&self) -> Result<u32, StoreError> {
        fetch_one!(&self.pool, "cannot look at the partitioned tables";
            "SELECT copydesk_analyze_ranges()"
        )
    }

    /// Sets how many articles are in each range, from the first one on that no article's number has reached. The owner's to call.
    ///
    /// # Errors
    /// [`crate::RetryClass::RetryNow`]: workers were in the way for too long. A number below 1 or above a million million.
    pub async fn set_range_articles(&self, articles: i64) -> Result<(), StoreError> {
        const CONTEXT: &str = "cannot set how many articles are in a range";
        let mut tx = self.begin().await?;
        for sql in [
            // Flushes claim addresses first: none is under way whose rows would be dropped.
            "LOCK TABLE article_identity IN SHARE ROW EXCLUSIVE MODE",
            "UPDATE article_range SET dropping_since = now()
             WHERE first_id > (SELECT last_value FROM article_id_seq) OR NOT EXISTS (SELECT FROM article)",
            "SELECT copydesk_drop_range(first_id) FROM article_range WHERE dropping_since = now()",
        ] {
            execute!(&mut *tx, CONTEXT; sql)?;
        }
        execute!(&mut *tx, CONTEXT; "UPDATE setting SET range_articles = $1", articles)?;
        execute!(&mut *tx, CONTEXT; "SELECT copydesk_create_ranges()")?;
        tx.commit().await.context(CONTEXT)
    }

    /// Marks the ranges of which all articles are older, so that [`Self::retire`] leaves what those are made of to [`Self::drop_ranges`]. Answers
    /// with the number of ranges that are marked now.
    ///
    /// Looks at the last article of each range, and at all of them only where that one is old.
    ///
    /// # Errors
    /// Postgres does not answer; a role that may not drop articles.
    pub async fn mark_ranges(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        execute!(&self.pool, DROPPING;
            concat!(
                "UPDATE article_range r SET dropping_since = now()
                 WHERE dropping_since IS NULL AND end_id <= (SELECT last_value FROM article_id_seq)
                   AND coalesce((SELECT ",
                old!(),
                " FROM article a WHERE a.article_id >= r.first_id AND a.article_id < r.end_id
                                 ORDER BY a.article_id DESC LIMIT 1), true)
                   AND NOT EXISTS (SELECT FROM article a WHERE a.article_id >= r.first_id AND a.article_id < r.end_id AND NOT (",
                old!(),
                "))"
            ),
            before
        )?;
        fetch_one!(&self.pool, DROPPING;
            "SELECT count(*) FROM article_range WHERE dropping_since IS NOT NULL"
        )
    }

    /// Drops the marked ranges whose articles are gone, with their partitions. Answers with the number dropped. A range of which an article
    /// got a new version meanwhile stays, with that article alone.
    ///
    /// # Errors
    /// [`crate::RetryClass::RetryNow`]: readers were in the way for too long; the next round goes on. A role that may not drop articles.
    pub async fn drop_ranges(&self) -> Result<u64, StoreError> {
        let marked: Vec<i64> = fetch_all!(&self.pool, DROPPING;
            "SELECT first_id FROM article_range WHERE dropping_since IS NOT NULL ORDER BY first_id"
        )?;
        let mut dropped = 0;
        for range in marked {
            let mut tx = self.begin().await?;
            let gone: bool = fetch_one!(&mut *tx, DROPPING; "SELECT copydesk_drop_range($1)", range)?;
            tx.commit().await.context(DROPPING)?;
            dropped += u64::from(gone);
        }
        Ok(dropped)
    }
}
