//! The archive in Postgres: which articles are old, what is written of them, and which of them may go.
//!
//! In: the time before which articles are old, and batches (some or all old articles of one day). Out: rows of the public views as JSON, all of one
//! moment; then the articles of the batch are gone, as retention drops them. Files are written by the crate `copydesk-export`.
//! What may fail: Postgres does not answer, a role that may not delete; everything may be repeated.
//!
//! A batch has three states: begun (its files may be half there: they are deleted and written again), written (all its files are verified, and
//! `archive_pending` has its articles), archived (the articles are gone from Postgres). An article goes only while it is what was written: a stamp
//! of its versions and its place in its story is compared in the transaction that deletes it.

pub(crate) mod lock;
pub(crate) mod reading;
pub(crate) mod table;
pub(crate) mod takedown;

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};

use crate::admin::export::{ExportColumn, columns_of};
use crate::admin::retention::retire::{drop_articles, forget_addresses, old};
use crate::connect::config::Store;
use crate::error::{Doing as _, StoreError};

pub use lock::ArchiveLock;
pub use reading::ArchiveReader;
use reading::{READING, unchanged};
pub use table::ArchiveTable;
pub use takedown::{ArchiveTakedown, TakedownMatch};

const NOTING: &str = "cannot note what is archived (this needs the role copydesk_owner)";

/// A batch that is not archived yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveBatch {
    /// Names it, in file names as well.
    pub batch_id: i64,
    /// The day on which its articles were stored first, in UTC.
    pub day: NaiveDate,
    /// The folder that it is in.
    pub folder: String,
    /// Whether all its files are there and verified.
    pub written: bool,
}

/// What the files of a batch hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ArchiveCounts {
    /// Rows by table, in the order of [`ArchiveTable::ALL`].
    pub rows: [u64; 4],
    /// Bytes of all files.
    pub bytes: u64,
}

/// A step of dropping what was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveStep {
    /// The last article of the step: the next one begins behind it.
    pub after: i64,
    /// Articles that are gone.
    pub dropped: u64,
    /// Articles that changed since they were written, or are gone otherwise: they must be taken out of the files.
    pub changed: Vec<i64>,
}

impl Store {
    /// Checks a limit for the archive: what new articles are compared with must stay. Near-copies are found by keys, and keys of older articles are
    /// gone with their windows.
    ///
    /// # Errors
    /// [`StoreError::NotPossible`]: the limit is shorter than the windows of keys that are kept, or than two of them.
    pub async fn check_archive(&self, days: u32, keep_windows: u32) -> Result<(), StoreError> {
        let least = i64::from(self.window_days().await?) * i64::from(keep_windows.max(2));
        if i64::from(days) < least {
            return Err(StoreError::NotPossible(format!(
                "articles cannot go to the archive after {days} days: new ones are compared with those of the last {} windows, so set \
                 janitor.archive.after_days to {least} or more",
                keep_windows.max(2)
            )));
        }
        Ok(())
    }

    /// The days on which old articles were stored first, with how many of each are old.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn archive_days(&self, before: DateTime<Utc>) -> Result<Vec<(NaiveDate, i64)>, StoreError> {
        sqlx::query_as(concat!(
            "SELECT (ingested_at AT TIME ZONE 'UTC')::date, count(*) FROM articles WHERE ingested_at < $1 AND ",
            old!(),
            " GROUP BY 1 ORDER BY 1"
        ))
        .bind(before)
        .fetch_all(&self.pool)
        .await
        .doing(READING)
    }

    /// The columns of a table of the archive.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn archive_columns(&self, table: ArchiveTable) -> Result<Vec<ExportColumn>, StoreError> {
        columns_of(&self.pool, table.as_str()).await
    }

    /// Batches that are not archived yet: what a run that was stopped left behind.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn unfinished_archive_batches(&self) -> Result<Vec<ArchiveBatch>, StoreError> {
        let rows: Vec<(i64, NaiveDate, String, bool)> = sqlx::query_as(
            "SELECT batch_id, day, folder, written_at IS NOT NULL FROM archive_batch WHERE archived_at IS NULL ORDER BY batch_id",
        )
        .fetch_all(&self.pool)
        .await
        .doing(NOTING)?;
        let batch = |(batch_id, day, folder, written)| ArchiveBatch {
            batch_id,
            day,
            folder,
            written,
        };
        Ok(rows.into_iter().map(batch).collect())
    }

    /// Begins a batch. It is noted before its first file is made, so that whoever comes after a crash knows which files to delete.
    ///
    /// # Errors
    /// Postgres does not answer; a role that may not.
    pub async fn begin_archive_batch(
        &self,
        day: NaiveDate,
        folder: &str,
    ) -> Result<ArchiveBatch, StoreError> {
        let batch_id =
            sqlx::query_scalar("INSERT INTO archive_batch (day, folder) VALUES ($1, $2) RETURNING batch_id")
                .bind(day)
                .bind(folder)
                .fetch_one(&self.pool)
                .await
                .doing(NOTING)?;
        Ok(ArchiveBatch {
            batch_id,
            day,
            folder: folder.to_owned(),
            written: false,
        })
    }

    /// Forgets a batch of which nothing was written, or whose files are deleted again.
    ///
    /// # Errors
    /// Postgres does not answer; a role that may not.
    pub async fn abandon_archive_batch(&self, batch: &ArchiveBatch) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM archive_batch WHERE batch_id = $1 AND written_at IS NULL")
            .bind(batch.batch_id)
            .execute(&self.pool)
            .await
            .doing(NOTING)?;
        Ok(())
    }

    /// Notes that all files of a batch are there and verified: from now on its articles go.
    ///
    /// # Errors
    /// Postgres does not answer; a role that may not.
    pub async fn archive_written(
        &self,
        batch: &ArchiveBatch,
        counts: &ArchiveCounts,
        stamps: Vec<(i64, String)>,
    ) -> Result<(), StoreError> {
        let (ids, stamps): (Vec<i64>, Vec<String>) = stamps.into_iter().unzip();
        let mut tx = self.begin().await?;
        sqlx::query("INSERT INTO archive_pending (article_id, batch_id, stamp) SELECT id, $1, stamp FROM unnest($2::int8[], $3::text[]) AS w (id, stamp)")
            .bind(batch.batch_id)
            .bind(&ids)
            .bind(&stamps)
            .execute(&mut *tx)
            .await
            .doing(NOTING)?;
        let [articles, versions, blocks, stories] = counts.rows.map(|n| i64::try_from(n).unwrap_or(i64::MAX));
        sqlx::query(
            "UPDATE archive_batch SET written_at = now(), articles = $2, versions = $3, removed_blocks = $4, stories = $5, bytes = $6
             WHERE batch_id = $1",
        )
        .bind(batch.batch_id)
        .bind(articles)
        .bind(versions)
        .bind(blocks)
        .bind(stories)
        .bind(i64::try_from(counts.bytes).unwrap_or(i64::MAX))
        .execute(&mut *tx)
        .await
        .doing(NOTING)?;
        tx.commit().await.doing(NOTING)
    }

    /// Drops some of a written batch's articles, in one transaction, those with numbers above `after`. `None`: none is left.
    ///
    /// # Errors
    /// [`crate::RetryClass::RetryNow`]: a worker was in the way; the same call again goes on. A role that may not delete.
    pub async fn drop_archived(
        &self,
        batch: &ArchiveBatch,
        after: i64,
        most: i64,
    ) -> Result<Option<ArchiveStep>, StoreError> {
        loop {
            let mut tx = self.begin().await?;
            let pending: Vec<(i64, String)> = sqlx::query_as(
                "SELECT article_id, stamp FROM archive_pending WHERE batch_id = $1 AND article_id > $2 ORDER BY article_id LIMIT $3",
            )
            .bind(batch.batch_id)
            .bind(after)
            .bind(most)
            .fetch_all(&mut *tx)
            .await
            .doing(NOTING)?;
            let Some((end, _)) = pending.last() else {
                return Ok(None);
            };
            let end = *end;
            let written: HashMap<i64, &str> =
                pending.iter().map(|(id, stamp)| (*id, stamp.as_str())).collect();
            let all: Vec<i64> = pending.iter().map(|(id, _)| *id).collect();
            let same = unchanged(&mut tx, &all, &written).await?;
            let identities = sqlx::query_scalar("SELECT identity FROM article WHERE article_id = ANY ($1)")
                .bind(&same)
                .fetch_all(&mut *tx)
                .await
                .doing(NOTING)?;
            forget_addresses(&mut tx, &same, identities).await?;
            let locked: Vec<i64> = sqlx::query_scalar(
                "SELECT article_id FROM article WHERE article_id = ANY ($1) ORDER BY article_id FOR UPDATE",
            )
            .bind(&same)
            .fetch_all(&mut *tx)
            .await
            .doing(NOTING)?;
            if locked != same || unchanged(&mut tx, &same, &written).await? != same {
                // One of them changed since the first look. Nothing was done; look again.
                tx.rollback().await.doing(NOTING)?;
                continue;
            }
            drop_articles(&mut tx, &same, Some(batch.day)).await?;
            let changed: Vec<i64> = all
                .into_iter()
                .filter(|id| same.binary_search(id).is_err())
                .collect();
            sqlx::query("DELETE FROM archive_pending WHERE article_id = ANY ($1)")
                .bind(&same)
                .execute(&mut *tx)
                .await
                .doing(NOTING)?;
            // They go out of the files, so no change back may make them go from here.
            sqlx::query("UPDATE archive_pending SET stamp = '' WHERE article_id = ANY ($1)")
                .bind(&changed)
                .execute(&mut *tx)
                .await
                .doing(NOTING)?;
            tx.commit().await.doing(NOTING)?;
            return Ok(Some(ArchiveStep {
                after: end,
                dropped: same.len() as u64,
                changed,
            }));
        }
    }

    /// Notes that a batch is archived: its articles are gone from Postgres, but for those that changed and are no more in its files.
    ///
    /// # Errors
    /// Postgres does not answer; a role that may not.
    pub async fn archive_done(&self, batch: &ArchiveBatch) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let kept = sqlx::query("DELETE FROM archive_pending WHERE batch_id = $1")
            .bind(batch.batch_id)
            .execute(&mut *tx)
            .await
            .doing(NOTING)?;
        sqlx::query(
            "UPDATE archive_batch SET archived_at = now(), articles = articles - $2 WHERE batch_id = $1",
        )
        .bind(batch.batch_id)
        .bind(i64::try_from(kept.rows_affected()).unwrap_or(0))
        .execute(&mut *tx)
        .await
        .doing(NOTING)?;
        tx.commit().await.doing(NOTING)
    }

    /// The last day of which articles are in the archive, and where the archive is. `None`: nothing is archived.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn archived_until(&self) -> Result<Option<(NaiveDate, String)>, StoreError> {
        sqlx::query_as("SELECT day, folder FROM archive_batches ORDER BY day DESC, batch_id DESC LIMIT 1")
            .fetch_optional(&self.pool)
            .await
            .doing("cannot look for the archive")
    }
}
