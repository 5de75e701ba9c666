//! Raw input: the message of each article's shown version, kept so that new rules can clean it again without
//! Kafka.
//!
//! In: messages that the worker has compressed ([`Prepared::keeping`](crate::Prepared::keeping)), in the flush that stores their articles.
//! [`crate::Store::clean_by_rules`] cleans them again.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use copydesk_article::ArticleId;
use sqlx::PgConnection;

use crate::error::StoreError;
use crate::flush::dispositions::Disposition;
use crate::flush::pending_article::PendingArticle;
use crate::ledger::item::RawInput;
use crate::rows::{execute, numbers};

/// Keeps the messages of the versions that are shown now.
pub(crate) async fn keep(
    connection: &mut PgConnection,
    batch: &[PendingArticle<'_>],
    dispositions: &[Disposition],
) -> Result<(), StoreError> {
    let mut kept: BTreeMap<ArticleId, (&RawInput, &PendingArticle<'_>)> = BTreeMap::new();
    for (pending, disposition) in batch.iter().zip(dispositions) {
        if let Some(raw) = pending.prepared.raw.as_ref().filter(|_| disposition.is_shown()) {
            kept.insert(disposition.article(pending.fresh), (raw, pending));
        }
    }
    if kept.is_empty() {
        return Ok(());
    }
    let articles: Vec<ArticleId> = kept.keys().copied().collect();
    let times: Vec<Option<DateTime<Utc>>> = kept.values().map(|(_, w)| w.item.message.timestamp).collect();
    let sizes: Vec<i32> = kept.values().map(|(raw, _)| raw.size).collect();
    let rules: Vec<&str> = kept
        .values()
        .map(|(_, w)| w.prepared.clean.rules_version.as_str())
        .collect();
    let headers: Vec<Option<&[u8]>> = kept.values().map(|(raw, _)| raw.headers.as_deref()).collect();
    let values: Vec<&[u8]> = kept.values().map(|(raw, _)| raw.compressed.as_slice()).collect();
    execute!(connection, "cannot keep raw input";
        "INSERT INTO raw_input (article_id, message_time, raw_size, rules_version, headers, raw)
         SELECT * FROM unnest($1::int8[], $2::timestamptz[], $3::int4[], $4::text[], $5::bytea[], $6::bytea[])
         ON CONFLICT (article_id) DO UPDATE SET kept_at = now(), message_time = EXCLUDED.message_time, raw_size = EXCLUDED.raw_size,
             rules_version = EXCLUDED.rules_version, headers = EXCLUDED.headers, raw = EXCLUDED.raw",
        numbers(&articles), &times, &sizes, &rules, &headers, &values
    )?;
    Ok(())
}
