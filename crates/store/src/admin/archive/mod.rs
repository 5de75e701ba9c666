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
use copydesk_article::ArticleId;

use crate::admin::export::{ExportColumn, columns_of};
use crate::admin::retention::retire::{drop_articles, forget_addresses, old};
use crate::connect::config::Store;
use crate::error::{Context as _, StoreError};
use crate::rows::{execute, fetch_all, fetch_one, fetch_optional, numbers, record};

pub use lock::ArchiveLock;
pub use reading::ArchiveReader;
use reading::{READING, unchanged};
pub use table::ArchiveTable;
pub use takedown::{ArchiveTakedown, TakedownMatch};

const NOTING: &str = "cannot note what is archived (this needs the role copydesk_owner)";

record! {
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
        fetch_all!(&self.pool, READING;
            concat!(
                "SELECT (ingested_at AT TIME ZONE 'UTC')::date, count(*) FROM articles WHERE ingested_at < $1 AND ",
                old!(),
                " GROUP BY 1 ORDER BY 1"
            ),
            before
        )
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
        fetch_all!(&self.pool, NOTING;
            "SELECT batch_id, day, folder, written_at IS NOT NULL AS written FROM archive_batch
             WHERE archived_at IS NULL ORDER BY batch_id"
        )
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
        fetch_one!(&self.pool, NOTING;
            "INSERT INTO archive_batch (day, folder) VALUES ($1, $2) RETURNING batch_id, day, folder, false AS written", day, folder
        )
    }

    /// Forgets a batch of which nothing was written, or whose files are deleted again.
    ///
    /// # Errors
    /// Postgres does not answer; a role that may not.
    pub async fn abandon_archive_batch(&self, batch: &ArchiveBatch) -> Result<(), StoreError> {
        execute!(&self.pool, NOTING;
            "DELETE FROM archive_batch WHERE batch_id = $1 AND written_at IS NULL", batch.batch_id
        )?;
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
        execute!(&mut *tx, NOTING;
            "INSERT INTO archive_pending (article_id, batch_id, stamp) SELECT id, $1, stamp FROM unnest($2::int8[], $3::text[]) AS w (id, stamp)",
            batch.batch_id, &ids, &stamps
        )?;
        let [articles, versions, blocks, stories] = counts.rows.map(|n| i64::try_from(n).unwrap_or(i64::MAX));
        execute!(&mut *tx, NOTING;
            "UPDATE archive_batch SET written_at = now(), articles = $2, versions = $3, removed_blocks = $4, stories = $5, bytes = $6
             WHERE batch_id = $1",
            batch.batch_id, articles, versions, blocks, stories,
            i64::try_from(counts.bytes).unwrap_or(i64::MAX)
        )?;
        tx.commit().await.context(NOTING)
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
            let pending: Vec<(ArticleId, String)> = fetch_all!(&mut *tx, NOTING;
                "SELECT article_id, stamp FROM archive_pending WHERE batch_id = $1 AND article_id > $2 ORDER BY article_id LIMIT $3",
                batch.batch_id, after, most
            )?;
            let Some((end, _)) = pending.last() else {
                return Ok(None);
            };
            let end = *end;
            let written: HashMap<i64, &str> =
                pending.iter().map(|(id, stamp)| (id.0, stamp.as_str())).collect();
            let all: Vec<ArticleId> = pending.iter().map(|(id, _)| *id).collect();
            let same = unchanged(&mut tx, &all, &written).await?;
            let identities = fetch_all!(&mut *tx, NOTING;
                "SELECT identity FROM article WHERE article_id = ANY ($1)", numbers(&same)
            )?;
            forget_addresses(&mut tx, &same, identities).await?;
            let locked: Vec<ArticleId> = fetch_all!(&mut *tx, NOTING;
                "SELECT article_id FROM article WHERE article_id = ANY ($1) ORDER BY article_id FOR UPDATE",
                numbers(&same)
            )?;
            if locked != same || unchanged(&mut tx, &same, &written).await? != same {
                // One of them changed since the first look. Nothing was done; look again.
                tx.rollback().await.context(NOTING)?;
                continue;
            }
            drop_articles(&mut tx, &same, Some(batch.day)).await?;
            let changed: Vec<ArticleId> = all
                .into_iter()
                .filter(|id| same.binary_search(id).is_err())
                .collect();
            execute!(&mut *tx, NOTING; "DELETE FROM archive_pending WHERE article_id = ANY ($1)", numbers(&same))?;
            // They go out of the files, so no change back may make them go from here.
            execute!(&mut *tx, NOTING;
                "UPDATE archive_pending SET stamp = '' WHERE article_id = ANY ($1)", numbers(&changed)
            )?;
            tx.commit().await.context(NOTING)?;
            return Ok(Some(ArchiveStep {
                after: end.0,
                dropped: same.len() as u64,
                changed: numbers(&changed),
            }));
        }
    }

    /// Notes that a batch is archived: its articles are gone from Postgres, but for those that changed and are no more in its files.
    ///
    /// # Errors
    /// Postgres does not answer; a role that may not.
    pub async fn archive_done(&self, batch: &ArchiveBatch) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let kept = execute!(&mut *tx, NOTING;
            "DELETE FROM archive_pending WHERE batch_id = $1", batch.batch_id
        )?;
        execute!(&mut *tx, NOTING;
            "UPDATE archive_batch SET archived_at = now(), articles = articles - $2 WHERE batch_id = $1",
            batch.batch_id, i64::try_from(kept).unwrap_or(0)
        )?;
        tx.commit().await.context(NOTING)
    }

    /// The last day of which articles are in the archive, and where the archive is. `None`: nothing is archived.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn archived_until(&self) -> Result<Option<(NaiveDate, String)>, StoreError> {
        fetch_optional!(&self.pool, "cannot look for the archive";
            "SELECT day, folder FROM archive_batches ORDER BY day DESC, batch_id DESC LIMIT 1"
        )
    }
}
