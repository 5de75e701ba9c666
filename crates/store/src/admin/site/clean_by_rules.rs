//! Articles cleaned again by other rules, from the messages that were kept of them (`raw_input`).
//!
//! Out: a version with the cause `rules`. Its sighting is the one of the version before, for no message came.

use chrono::{DateTime, Utc};
use copydesk_article::{Coordinates, Message, Offset};
use sqlx::Row as _;

use crate::connect::config::Store;
use crate::error::{Doing as _, StoreError};
use crate::flush::store_articles::{Origin, store_articles};
use crate::flush::work::Work;
use crate::ledger::item::{Content, Item, Prepared};
use crate::ledger::progress::source_of;
use crate::ledger::report::FlushReport;
use crate::rows::headers::headers_from_bytes;

/// What became of a message that was cleaned again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CleanedAgain {
    /// Its article has a new version, with the cause `rules`.
    Changed,
    /// The text is the same.
    Unchanged,
    /// The new rules make another article of it: another address, or a text that shares next to nothing. It stays as it was.
    Another,
}

impl Store {
    /// Messages whose articles were last cleaned with other rules, behind an article.
    ///
    /// # Errors
    /// Postgres does not answer; bytes that cannot be read.
    pub async fn raw_inputs(
        &self,
        rules_version: &str,
        site: Option<&str>,
        after: i64,
        most: i64,
    ) -> Result<Vec<(i64, Message)>, StoreError> {
        const DOING: &str = "cannot read raw input";
        let rows = sqlx::query(
            "SELECT a.article_id, r.message_time, r.raw_size, r.headers, r.raw, s.topic, s.partition, s.\"offset\"
             FROM raw_input r JOIN article a USING (article_id)
             CROSS JOIN LATERAL (SELECT topic, partition, \"offset\" FROM sighting s WHERE s.article_id = a.article_id
                                 ORDER BY s.version = a.version DESC, s.ingested_at LIMIT 1) s
             WHERE a.article_id > $1 AND r.rules_version <> $2 AND ($3::text IS NULL OR a.site = $3)
             ORDER BY a.article_id LIMIT $4",
        )
        .bind(after)
        .bind(rules_version)
        .bind(site)
        .bind(most)
        .fetch_all(&self.pool)
        .await
        .doing(DOING)?;
        let mut inputs = Vec::with_capacity(rows.len());
        for row in rows {
            let size: i32 = row.try_get(2).doing(DOING)?;
            let raw: &[u8] = row.try_get(4).doing(DOING)?;
            let payload = zstd::bulk::decompress(raw, usize::try_from(size).unwrap_or(0))
                .map_err(|e| StoreError::Unknown(format!("raw input that zstd cannot read ({e})")))?;
            let headers: Option<&[u8]> = row.try_get(3).doing(DOING)?;
            let message = Message {
                coordinates: Coordinates {
                    source: source_of(row.try_get(5).doing(DOING)?, row.try_get(6).doing(DOING)?),
                    offset: Offset::new(row.try_get(7).doing(DOING)?),
                },
                timestamp: row.try_get(1).doing(DOING)?,
                key: None,
                payload: Some(payload),
                headers: headers.and_then(headers_from_bytes).unwrap_or_default(),
            };
            inputs.push((row.try_get(0).doing(DOING)?, message));
        }
        Ok(inputs)
    }

    /// Stores what other rules have made of an article's message, in a transaction of its own.
    ///
    /// # Errors
    /// [`crate::RetryClass::RetryNow`]: a worker was in the way; the same call again does it.
    pub async fn clean_by_rules(
        &self,
        article: i64,
        message: &Message,
        prepared: &Prepared,
    ) -> Result<CleanedAgain, StoreError> {
        const DOING: &str = "cannot store what the rules have changed";
        let window_days = self.window_days().await?;
        let rules = prepared.clean.rules_version.clone();
        let item = Item {
            message: message.clone(),
            outcome: Ok(Content::Article(Box::new(prepared.clone()))),
        };
        let mut tx = self.begin().await?;
        let (fresh, common_version, last_takedown, identity): (i64, i32, i64, Option<Vec<u8>>) = sqlx::query_as(
            "SELECT nextval('article_id_seq'), (SELECT common_version FROM setting),
                    (SELECT coalesce(max(takedown_id), 0) FROM takedown), (SELECT identity FROM article WHERE article_id = $1)",
        )
        .bind(article)
        .fetch_one(&mut *tx)
        .await
        .doing(DOING)?;
        let work = Work::new(&item, prepared, fresh, window_days);
        let mut outcome = CleanedAgain::Another;
        let mut notice = None;
        if identity.as_deref() == Some(work.identity.0.as_slice()) {
            let list = self.common_list(common_version).await?;
            let mut report = FlushReport::default();
            let origin = Origin {
                source: &message.coordinates.source,
                last_takedown,
                is_again: true,
            };
            notice = store_articles(self, &mut tx, origin, vec![work], list.as_deref(), &mut report).await?;
            outcome = match (report.new_versions, report.unchanged) {
                (1, _) => CleanedAgain::Changed,
                (_, 1) => CleanedAgain::Unchanged,
                _ => CleanedAgain::Another,
            };
        }
        if outcome == CleanedAgain::Another {
            tx.rollback().await.doing(DOING)?;
            self.note_rules(article, &rules).await?;
            return Ok(outcome);
        }
        sqlx::query("UPDATE raw_input SET rules_version = $2 WHERE article_id = $1")
            .bind(article)
            .bind(&rules)
            .execute(&mut *tx)
            .await
            .doing(DOING)?;
        tx.commit().await.doing(DOING)?;
        if let Some(notice) = notice {
            notice.send(self).await;
        }
        Ok(outcome)
    }

    /// Notes that these rules make nothing of an article's message that could take its place.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn note_rules(&self, article: i64, rules_version: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE raw_input SET rules_version = $2 WHERE article_id = $1")
            .bind(article)
            .bind(rules_version)
            .execute(&self.pool)
            .await
            .doing("cannot note with which rules an article was cleaned")?;
        Ok(())
    }

    /// Drops raw input that was kept before this time. Answers with how many.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn drop_raw_input(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        let dropped = sqlx::query("DELETE FROM raw_input WHERE kept_at < $1")
            .bind(before)
            .execute(&self.pool)
            .await
            .doing("cannot drop raw input")?;
        Ok(dropped.rows_affected())
    }
}
