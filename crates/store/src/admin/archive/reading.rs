//! What is written of a batch: its rows, all of one moment, and a stamp of each article that must still hold when the article goes.

use std::collections::HashMap;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use copydesk_article::ArticleId;
use futures_util::TryStreamExt as _;
use sqlx::{Postgres, Transaction};

use super::table::ArchiveTable;
use crate::admin::retention::retire::old;
use crate::connect::config::Store;
use crate::error::{Context as _, StoreError};
use crate::rows::{fetch_all, numbers};

pub(super) const READING: &str = "cannot read the articles to archive";

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
        fetch_all!(&mut *self.tx, READING;
            "SELECT DISTINCT story_id FROM articles WHERE article_id = ANY ($1) ORDER BY 1", &self.articles
        )
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
        while let Some(row) = rows.try_next().await.context(READING)? {
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
            stamps.extend(stamps_of(&mut self.tx, some).await?);
        }
        self.tx.rollback().await.context(READING)?;
        Ok(stamps)
    }
}

impl Store {
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
        let articles = fetch_all!(&mut *tx, READING;
            concat!(
                "SELECT article_id FROM articles WHERE ingested_at >= $2 AND ingested_at < $3 AND ",
                old!(),
                " ORDER BY site COLLATE \"C\", article_id LIMIT $4"
            ),
            before, from, from.checked_add_days(Days::new(1)).unwrap_or(before), BATCH
        )?;
        Ok(ArchiveReader { tx, articles })
    }
}

async fn stamps_of(
    tx: &mut Transaction<'static, Postgres>,
    ids: &[i64],
) -> Result<Vec<(i64, String)>, StoreError> {
    fetch_all!(&mut **tx, READING; STAMPS, ids)
}

/// Those of `ids` (ascending) whose stamp is the one that was written.
pub(super) async fn unchanged(
    tx: &mut Transaction<'static, Postgres>,
    ids: &[ArticleId],
    written: &HashMap<i64, &str>,
) -> Result<Vec<ArticleId>, StoreError> {
    let mut same: Vec<ArticleId> = stamps_of(tx, &numbers(ids))
        .await?
        .into_iter()
        .filter(|(id, stamp)| written.get(id).is_some_and(|w| w == stamp))
        .map(|(id, _)| ArticleId(id))
        .collect();
    same.sort_unstable();
    Ok(same)
}
