//! Articles cleaned again by other rules, from the messages that were kept of them (`raw_input`).
//!
//! Out: a version with the cause `rules`. Its sighting is the one of the version before, for no message came.

use chrono::{DateTime, Utc};
use copydesk_article::{ArticleId, Coordinates, Message};

use crate::connect::config::Store;
use crate::error::{Context as _, StoreError};
use crate::flush::pending_article::PendingArticle;
use crate::flush::store_articles::{Fresh, Origin, store_articles};
use crate::ledger::item::{Content, Item, Prepared};
use crate::ledger::report::FlushReport;
use crate::rows::{execute, fetch_all, fetch_one, fetch_optional, headers_from_bytes, record};

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

record! {
    /// The message of an article.
    struct Kept {
        article_id: ArticleId,
        coordinates: Coordinates,
        message_time: Option<DateTime<Utc>>,
        raw_size: i32,
        headers: Option<Vec<u8>>,
        raw: Vec<u8>,
    }
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
        after: ArticleId,
        most: i64,
    ) -> Result<Vec<(ArticleId, Message)>, StoreError> {
        let found: Vec<Kept> = fetch_all!(&self.pool, "cannot read raw input";
            "SELECT a.article_id, r.message_time, r.raw_size, r.headers, r.raw, s.topic, s.partition, s.\"offset\"
             FROM raw_input r JOIN article a USING (article_id)
             CROSS JOIN LATERAL (SELECT topic, partition, \"offset\" FROM sighting s WHERE s.article_id = a.article_id
                                 ORDER BY s.version = a.version DESC, s.ingested_at LIMIT 1) s
             WHERE a.article_id > $1 AND r.rules_version <> $2 AND ($3::text IS NULL OR a.site = $3)
             ORDER BY a.article_id LIMIT $4",
            after.0, rules_version, site, most
        )?;
        let input = |kept: Kept| {
            let payload = zstd::bulk::decompress(&kept.raw, usize::try_from(kept.raw_size).unwrap_or(0))
                .map_err(|e| StoreError::Unknown(format!("raw input that zstd cannot read ({e})")))?;
            let message = Message {
                coordinates: kept.coordinates,
                timestamp: kept.message_time,
                key: None,
                payload: Some(payload),
                headers: kept
                    .headers
                    .as_deref()
                    .and_then(headers_from_bytes)
                    .unwrap_or_default(),
            };
            Ok((kept.article_id, message))
        };
        found.into_iter().map(input).collect()
    }

    /// Stores what other rules have made of an article's message, in a transaction of its own.
    ///
    /// # Errors
    /// [`crate::RetryClass::RetryNow`]: a worker was in the way; the same call again does it.
    pub async fn clean_by_rules(
        &self,
        article: ArticleId,
        message: &Message,
        prepared: &Prepared,
    ) -> Result<CleanedAgain, StoreError> {
        const CONTEXT: &str = "cannot store what the rules have changed";
        let window_days = self.window_days().await?;
        let rules = prepared.clean.rules_version.clone();
        let item = Item {
            message: message.clone(),
            outcome: Ok(Content::Article(Box::new(prepared.clone()))),
        };
        let mut tx = self.begin().await?;
        let fresh: Fresh = fetch_one!(&mut *tx, CONTEXT;
            "SELECT nextval('article_id_seq') AS article_id, (SELECT common_version FROM setting),
                    (SELECT coalesce(max(takedown_id), 0) FROM takedown) AS last_takedown"
        )?;
        let identity: Option<Vec<u8>> = fetch_optional!(&mut *tx, CONTEXT;
            "SELECT identity FROM article WHERE article_id = $1", article.0
        )?;
        let pending = PendingArticle::new(&item, prepared, fresh.article_id, window_days);
        let mut outcome = CleanedAgain::Another;
        let mut notice = None;
        if identity.as_deref() == Some(pending.identity.0.as_slice()) {
            let list = self.common_list(fresh.common_version).await?;
            let mut report = FlushReport::default();
            let origin = Origin {
                source: &message.coordinates.source,
                last_takedown: fresh.last_takedown,
                is_again: true,
            };
            notice =
                store_articles(self, &mut tx, origin, vec![pending], list.as_deref(), &mut report).await?;
            outcome = match (report.new_versions, report.unchanged) {
                (1, _) => CleanedAgain::Changed,
                (_, 1) => CleanedAgain::Unchanged,
                _ => CleanedAgain::Another,
            };
        }
        if outcome == CleanedAgain::Another {
            tx.rollback().await.context(CONTEXT)?;
            self.note_rules(article, &rules).await?;
            return Ok(outcome);
        }
        execute!(&mut *tx, CONTEXT;
            "UPDATE raw_input SET rules_version = $2 WHERE article_id = $1", article.0, &rules
        )?;
        tx.commit().await.context(CONTEXT)?;
        if let Some(notice) = notice {
            notice.send(self).await;
        }
        Ok(outcome)
    }

    /// Notes that these rules make nothing of an article's message that could take its place.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn note_rules(&self, article: ArticleId, rules_version: &str) -> Result<(), StoreError> {
        execute!(&self.pool, "cannot note with which rules an article was cleaned";
            "UPDATE raw_input SET rules_version = $2 WHERE article_id = $1", article.0, rules_version
        )?;
        Ok(())
    }

    /// Drops raw input that was kept before this time. Answers with how many.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn drop_raw_input(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        execute!(&self.pool, "cannot drop raw input"; "DELETE FROM raw_input WHERE kept_at < $1", before)
    }
}
