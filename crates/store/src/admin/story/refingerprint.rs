//! A new recipe for fingerprints on a live store: keys and evidence of older articles are made again, in the background.
//!
//! Workers go on meanwhile. Fingerprints of two recipes share no keys. So a copy that comes while its
//! original still has the old recipe founds a story of its own. When the original gets its new fingerprint,
//! it finds the copy's keys and marks the two, and the janitor merges their stories (`late_merges`).

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use copydesk_article::{ArticleId, BlockHash, Fingerprint, ShingleKey};
use copydesk_dedup::evidence::{Sampling, encode};
use copydesk_dedup::{Decision, FINGERPRINT_VERSION, fingerprint_parts};
use serde_json::{Map, Value};

use crate::admin::story::explain::PARAGRAPHS;
use crate::connect::config::Store;
use crate::error::{Context as _, StoreError};
use crate::flush::evidence::{blocks_from_bytes, blocks_to_bytes, words_to_bytes};
use crate::flush::story_moves;
use crate::keys::{self, ArticleWindows, Window, row_key};
use crate::rows::{distinct, execute, fetch_all, fetch_one, numbers, record};

const CONTEXT: &str = "cannot make fingerprints again";

/// Where a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefingerprintStep {
    /// Articles whose fingerprints were made again.
    pub articles: u64,
    /// The last of them: go on behind it.
    pub after: ArticleId,
}

/// An article with its new fingerprint.
struct Refingerprinted {
    id: ArticleId,
    fingerprint: Fingerprint,
    dropped: Vec<BlockHash>,
    windows: ArticleWindows,
}

record! {
    struct Stored {
        article_id: ArticleId,
        title: Option<String>,
        message_time: Option<DateTime<Utc>>,
        block_hashes: Vec<u8>,
        dropped_blocks: Vec<u8>,
        paragraphs: Vec<String>,
    }
}

impl Store {
    /// How many articles have fingerprints of another recipe than this program's.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn outdated_fingerprints(&self) -> Result<i64, StoreError> {
        fetch_one!(&self.pool, CONTEXT;
            "SELECT count(*) FROM evidence WHERE fingerprint_version <> $1", FINGERPRINT_VERSION.0
        )
    }

    /// Makes the fingerprints of the next articles behind `after` whose fingerprints are of another recipe,
    /// in one transaction. Safe to stop and to repeat. `None`: there are no more.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn refingerprint(
        &self,
        after: ArticleId,
        most: i64,
    ) -> Result<Option<RefingerprintStep>, StoreError> {
        let window_days = self.window_days().await?;
        let mut tx = self.begin().await?;
        let due: Vec<(ArticleId, Option<DateTime<Utc>>)> = fetch_all!(&mut *tx, CONTEXT;
            "SELECT article_id, a.message_time FROM evidence e JOIN article a USING (article_id)
             WHERE e.fingerprint_version <> $1 AND article_id > $2 ORDER BY article_id LIMIT $3",
            FINGERPRINT_VERSION.0, after.0, most
        )?;
        let Some((last, _)) = due.last().copied() else {
            tx.rollback().await.context(CONTEXT)?;
            return Ok(None);
        };
        let now = Utc::now();
        let windows_of = |time: Option<DateTime<Utc>>| ArticleWindows::of(time.unwrap_or(now), window_days);
        let claimed: BTreeSet<Window> = due
            .iter()
            .flat_map(|(_, time)| windows_of(*time).claimed())
            .collect();
        keys::lock(&mut tx, &claimed.into_iter().collect::<Vec<_>>()).await?;
        // A worker that stores a new version of one of them waits, or has stored it already.
        let articles: Vec<ArticleId> = due.iter().map(|(id, _)| *id).collect();
        story_moves::lock(&mut tx, &articles, &[]).await?;
        let stored: Vec<Stored> = fetch_all!(&mut *tx, CONTEXT;
            &format!("SELECT a.article_id, a.title, a.message_time, e.block_hashes, coalesce(e.dropped_blocks, '') AS dropped_blocks,
                    {PARAGRAPHS}
             FROM article a JOIN evidence e USING (article_id)
             WHERE a.article_id = ANY ($2) AND e.fingerprint_version <> $1
             ORDER BY a.article_id"),
            FINGERPRINT_VERSION.0, numbers(&articles)
        )?;
        let again = |stored: Stored| {
            let paragraphs = stored.paragraphs.iter().map(String::as_str);
            let fingerprint = fingerprint_parts(stored.title.as_deref(), paragraphs);
            let (old, dropped) = (
                blocks_from_bytes(&stored.block_hashes),
                blocks_from_bytes(&stored.dropped_blocks),
            );
            Refingerprinted {
                id: stored.article_id,
                dropped: dropped_again(&old, &dropped, &fingerprint.blocks),
                fingerprint,
                windows: windows_of(stored.message_time),
            }
        };
        let rows: Vec<Refingerprinted> = stored.into_iter().map(again).collect();
        let mut claims: Vec<(i64, ArticleId)> = rows
            .iter()
            .flat_map(|r| keys_of(r, r.windows.claimed()).map(|key| (key, r.id)))
            .collect();
        claims.sort_by_key(|(key, _)| *key);
        claims.dedup_by_key(|(key, _)| *key);
        let wanted: Vec<i64> = claims.iter().map(|(key, _)| *key).collect();
        let owned = keys::owners(&mut tx, &wanted).await?;
        keys::insert_absent(&mut tx, &claims, &owned).await?;
        for row in &rows {
            let mut searched: Vec<i64> = keys_of(row, row.windows.searched()).collect();
            searched.sort_unstable();
            let owners = keys::owners(&mut tx, &searched).await?;
            let others: Map<String, Value> = owners
                .values()
                .filter(|id| **id != row.id)
                .map(|id| (id.to_string(), "not_best".into()))
                .collect();
            let decision = Decision {
                dropped: row.dropped.clone(),
                ..Decision::default()
            };
            execute!(&mut *tx, CONTEXT;
                "UPDATE evidence SET fingerprint_version = $2, block_hashes = $3, title_words = $4, dropped_blocks = $5,
                     evidence = $6
                 WHERE article_id = $1",
                row.id.0, FINGERPRINT_VERSION.0, blocks_to_bytes(&row.fingerprint.blocks),
                words_to_bytes(&row.fingerprint.title_words),
                (!row.dropped.is_empty()).then(|| blocks_to_bytes(&row.dropped)),
                encode(&decision.kept(&row.fingerprint), Sampling::Full)
            )?;
            execute!(&mut *tx, CONTEXT;
                "UPDATE article SET fingerprint_version = $2, body_hash = $3 WHERE article_id = $1",
                row.id.0, FINGERPRINT_VERSION.0, row.fingerprint.body_hash.0.to_be_bytes().as_slice()
            )?;
            if !others.is_empty() {
                execute!(&mut *tx, CONTEXT;
                    "UPDATE membership SET between_stories = true, refusals = $2 || coalesce(refusals, '{}') WHERE article_id = $1",
                    row.id.0, Value::Object(others)
                )?;
            }
        }
        tx.commit().await.context(CONTEXT)?;
        Ok(Some(RefingerprintStep {
            articles: rows.len() as u64,
            after: last,
        }))
    }
}

fn keys_of(row: &Refingerprinted, windows: impl Iterator<Item = Window>) -> impl Iterator<Item = i64> {
    let windows: Vec<Window> = windows.collect();
    let keys: &[ShingleKey] = &row.fingerprint.keys;
    keys.iter()
        .flat_map(move |k| windows.clone().into_iter().map(move |w| row_key(w, *k)))
}

/// The paragraphs that were dropped under the old recipe, by their place, under the new one. Ascending, distinct.
fn dropped_again(old: &[BlockHash], dropped: &[BlockHash], new: &[BlockHash]) -> Vec<BlockHash> {
    let again = old
        .iter()
        .zip(new)
        .filter(|(old, new)| dropped.contains(old) && new.0 != 0);
    distinct(again.map(|(_, new)| *new))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dropped_paragraphs_keep_their_place() {
        let hashes = |n: &[i64]| n.iter().map(|n| BlockHash(*n)).collect::<Vec<_>>();
        assert_eq!(
            dropped_again(&hashes(&[1, 2, 3]), &hashes(&[1, 3]), &hashes(&[30, 20, 10])),
            hashes(&[10, 30])
        );
    }
}
