//! The archive in Postgres: which articles are old, what is written of them, and which of them may go.
//!
//! In: the time before which articles are old, and batches (some or all old articles of one day). Out: rows of the public views as JSON, all of one
//! moment; then the articles of the batch are gone, as retention drops them. Files are written by the crate `copydesk-export`.
//! What may fail: Postgres does not answer, a role that may not delete; everything may be repeated.
//!
//! A batch has three states: begun (its files may be half there: they are deleted and written again), written (all its files are verified, and
//! `archive_pending` has its articles), archived (the articles are gone from Postgres). An article goes only while it is what was written: a stamp
//! of its versions and its place in its story is compared in the transaction that deletes it.

use std::collections::HashMap;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use futures_util::TryStreamExt as _;
use sqlx::{Postgres, Transaction};

use crate::admin::export::{ExportColumn, columns_of};
use crate::admin::retention::retire::{drop_articles, old};
use crate::connect::config::Store;
use crate::error::{Doing as _, StoreError};

const READING: &str = "cannot read the articles to archive";
const NOTING: &str = "cannot note what is archived (this needs the role copydesk_owner)";

/// Articles of a batch at the most: the others of its day come in the next one.
const BATCH: i64 = 1_000_000;

/// What is written and must still hold when the article goes. The place in the story is part of it: links may change without a new version.
const STAMPS: &str = "SELECT a.article_id,
        md5(ROW(a.version, extract(epoch FROM a.version_at), a.story_id, a.linked_to, a.relation, a.similarity, a.word_count, a.title, a.url,
                a.canonical_url, a.rules_version, v.seen)::text)
    FROM articles a CROSS JOIN LATERAL (
        SELECT string_agg(concat(v.version, v.latest, encode(v.body_hash, 'hex')), ',' ORDER BY v.version) AS seen
        FROM article_versions v WHERE v.article_id = a.article_id) v
    WHERE a.article_id = ANY ($1)";

/// A table of the archive. Its columns are those of the public view of the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ArchiveTable {
    /// Articles with their place in their story.
    Articles,
    /// All versions. The body of the shown one is with the article, and null here.
    ArticleVersions,
    /// What was taken out of each version, by which rule.
    RemovedBlocks,
    /// The stories of the batch's articles, as they were before any of these went.
    Stories,
}

impl ArchiveTable {
    /// All of them, in the order in which they are written.
    pub const ALL: [Self; 4] = [
        Self::Articles,
        Self::ArticleVersions,
        Self::RemovedBlocks,
        Self::Stories,
    ];

    /// The view, and the folder.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Articles => "articles",
            Self::ArticleVersions => "article_versions",
            Self::RemovedBlocks => "removed_blocks",
            Self::Stories => "stories",
        }
    }

    /// The columns by which its rows are sorted within a batch.
    pub const fn sorted_by(self) -> &'static [&'static str] {
        match self {
            Self::Articles => &["site", "article_id"],
            // In the order of the articles, which these have no site to sort by.
            Self::ArticleVersions => &[],
            Self::RemovedBlocks => &["site", "article_id", "version", "position"],
            Self::Stories => &["story_id"],
        }
    }

    const fn sql(self) -> &'static str {
        match self {
            Self::Articles => {
                "SELECT to_json(v)::text FROM unnest($1::int8[]) WITH ORDINALITY AS w (id, n) JOIN articles v ON v.article_id = w.id ORDER BY w.n"
            }
            Self::ArticleVersions => {
                "SELECT (CASE WHEN v.latest THEN to_jsonb(v) - 'body' ELSE to_jsonb(v) END)::text
                 FROM unnest($1::int8[]) WITH ORDINALITY AS w (id, n)
                 CROSS JOIN LATERAL (SELECT * FROM article_versions o WHERE o.article_id = w.id) v ORDER BY w.n, v.version"
            }
            Self::RemovedBlocks => {
                "SELECT to_json(v)::text FROM unnest($1::int8[]) WITH ORDINALITY AS w (id, n)
                 CROSS JOIN LATERAL (SELECT * FROM removed_blocks o WHERE o.article_id = w.id) v ORDER BY w.n, v.version, v.position"
            }
            Self::Stories => "SELECT to_json(v)::text FROM stories v WHERE v.story_id = ANY ($1) ORDER BY v.story_id",
        }
    }
}

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

/// The articles of a batch, all rows from the same moment.
#[derive(Debug)]
pub struct ArchiveReader {
    tx: Transaction<'static, Postgres>,
    articles: Vec<i64>,
}

impl ArchiveReader {
    /// The articles, in the order of `articles` in the archive.
    pub fn articles(&self) -> &[i64] {
        &self.articles
    }

    /// The stories that these articles are in, ascending.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn stories(&mut self) -> Result<Vec<i64>, StoreError> {
        sqlx::query_scalar("SELECT DISTINCT story_id FROM articles WHERE article_id = ANY ($1) ORDER BY 1")
            .bind(&self.articles)
            .fetch_all(&mut *self.tx)
            .await
            .doing(READING)
    }

    /// Hands the rows of a table for these articles (or stories) to `sink`, as JSON objects. Answers with their number.
    ///
    /// # Errors
    /// What `sink` answers; Postgres does not answer.
    pub async fn rows<E: From<StoreError>>(
        &mut self,
        table: ArchiveTable,
        ids: &[i64],
        mut sink: impl FnMut(&str) -> Result<(), E>,
    ) -> Result<u64, E> {
        let mut rows = sqlx::query_scalar::<_, String>(table.sql())
            .bind(ids)
            .fetch(&mut *self.tx);
        let mut count = 0;
        while let Some(row) = rows.try_next().await.doing(READING)? {
            sink(&row)?;
            count += 1;
        }
        Ok(count)
    }

    /// The stamp of each article, and the end of the reading.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn stamps(mut self) -> Result<Vec<(i64, String)>, StoreError> {
        let mut stamps = Vec::with_capacity(self.articles.len());
        for some in self.articles.chunks(1_000) {
            let step: Vec<(i64, String)> = sqlx::query_as(STAMPS)
                .bind(some)
                .fetch_all(&mut *self.tx)
                .await
                .doing(READING)?;
            stamps.extend(step);
        }
        self.tx.rollback().await.doing(READING)?;
        Ok(stamps)
    }
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

    /// The old articles of a day, sorted by site and number, as they are at this moment.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn read_for_archive(
        &self,
        day: NaiveDate,
        before: DateTime<Utc>,
    ) -> Result<ArchiveReader, StoreError> {
        let mut tx = self.begin_reading().await?;
        let from = day.and_time(NaiveTime::MIN).and_utc();
        let articles = sqlx::query_scalar(concat!(
            "SELECT article_id FROM articles WHERE ingested_at >= $2 AND ingested_at < $3 AND ",
            old!(),
            " ORDER BY site COLLATE \"C\", article_id LIMIT $4"
        ))
        .bind(before)
        .bind(from)
        .bind(from.checked_add_days(Days::new(1)).unwrap_or(before))
        .bind(BATCH)
        .fetch_all(&mut *tx)
        .await
        .doing(READING)?;
        Ok(ArchiveReader { tx, articles })
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
            forget_addresses(&mut tx, &same).await?;
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

    /// The day under which an article is in the archive.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn archived_day(&self, article: i64) -> Result<Option<NaiveDate>, StoreError> {
        let day: Option<Option<NaiveDate>> =
            sqlx::query_scalar("SELECT archive_day FROM retired_articles WHERE article_id = $1")
                .bind(article)
                .fetch_optional(&self.pool)
                .await
                .doing("cannot look for an archived article")?;
        Ok(day.flatten())
    }

    /// Notes that an article is no more in the archive.
    ///
    /// # Errors
    /// Postgres does not answer; a role that may not.
    pub async fn unarchived(&self, article: i64) -> Result<(), StoreError> {
        sqlx::query("UPDATE retired_article SET archive_day = NULL WHERE article_id = $1")
            .bind(article)
            .execute(&self.pool)
            .await
            .doing(NOTING)?;
        Ok(())
    }
}

/// Those of `ids` (ascending) whose stamp is the one that was written.
async fn unchanged(
    tx: &mut Transaction<'static, Postgres>,
    ids: &[i64],
    written: &HashMap<i64, &str>,
) -> Result<Vec<i64>, StoreError> {
    let now: Vec<(i64, String)> = sqlx::query_as(STAMPS)
        .bind(ids)
        .fetch_all(&mut **tx)
        .await
        .doing(READING)?;
    let mut same: Vec<i64> = now
        .into_iter()
        .filter(|(id, stamp)| written.get(id).is_some_and(|w| w == stamp))
        .map(|(id, _)| id)
        .collect();
    same.sort_unstable();
    Ok(same)
}

/// First, and deleted at once: a flush that claims the same address waits for the end of this transaction, and then has a new article.
async fn forget_addresses(tx: &mut Transaction<'static, Postgres>, ids: &[i64]) -> Result<(), StoreError> {
    let mut identities: Vec<Vec<u8>> =
        sqlx::query_scalar("SELECT identity FROM article WHERE article_id = ANY ($1)")
            .bind(ids)
            .fetch_all(&mut **tx)
            .await
            .doing(NOTING)?;
    identities.sort_unstable();
    sqlx::query("DELETE FROM article_identity WHERE identity = ANY ($1) AND article_id = ANY ($2)")
        .bind(&identities)
        .bind(ids)
        .execute(&mut **tx)
        .await
        .doing(NOTING)?;
    Ok(())
}
