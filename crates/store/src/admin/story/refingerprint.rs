//! A new recipe for fingerprints on a live store: keys and evidence of older articles are made again, in the background.
//!
//! Workers go on meanwhile. Two recipes do not see each other, so an article that comes before its original has been
//! gone over founds a story of its own; when the original's turn comes it finds the newcomer's keys and marks the
//! two, and the janitor merges their stories (`late_merges`).

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use copydesk_article::{BlockHash, ShingleKey};
use copydesk_dedup::evidence::{Sampling, encode};
use copydesk_dedup::{Decision, FINGERPRINT_VERSION, fingerprint_parts};
use serde_json::{Map, Value};
use sqlx::Row as _;

use crate::connect::config::Store;
use crate::error::{Doing as _, StoreError};
use crate::flush::evidence::{blocks_from_bytes, blocks_to_bytes, words_to_bytes};
use crate::flush::story_moves;
use crate::keys::{self, ArticleWindows, Window, row_key};
use crate::rows::ids;

const DOING: &str = "cannot make fingerprints again";

/// Where a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefingerprintStep {
    /// Articles that were gone over.
    pub articles: u64,
    /// The last of them: go on behind it.
    pub after: i64,
}

struct Row {
    id: i64,
    fingerprint: copydesk_article::Fingerprint,
    dropped: Vec<BlockHash>,
    windows: ArticleWindows,
}

impl Store {
    /// How many articles have fingerprints of another recipe than this program's.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn outdated_fingerprints(&self) -> Result<i64, StoreError> {
        sqlx::query_scalar("SELECT count(*) FROM evidence WHERE fingerprint_version <> $1")
            .bind(FINGERPRINT_VERSION.0)
            .fetch_one(&self.pool)
            .await
            .doing(DOING)
    }

    /// Goes over the next articles behind `after` whose fingerprints are of another recipe, in one transaction. Safe to
    /// stop and to repeat. `None`: there are no more.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn refingerprint(
        &self,
        after: i64,
        most: i64,
    ) -> Result<Option<RefingerprintStep>, StoreError> {
        let window_days = self.window_days().await?;
        let mut tx = self.begin().await?;
        let due: Vec<(i64, Option<DateTime<Utc>>)> = sqlx::query_as(
            "SELECT article_id, a.message_time FROM evidence e JOIN article a USING (article_id)
             WHERE e.fingerprint_version <> $1 AND article_id > $2 ORDER BY article_id LIMIT $3",
        )
        .bind(FINGERPRINT_VERSION.0)
        .bind(after)
        .bind(most)
        .fetch_all(&mut *tx)
        .await
        .doing(DOING)?;
        let Some((last, _)) = due.last().copied() else {
            tx.rollback().await.doing(DOING)?;
            return Ok(None);
        };
        let windows: HashMap<i64, ArticleWindows> = due
            .iter()
            .map(|(id, time)| {
                (
                    *id,
                    ArticleWindows::of(time.unwrap_or_else(Utc::now), window_days),
                )
            })
            .collect();
        let claimed: BTreeSet<Window> = windows.values().flat_map(|w| w.claimed()).collect();
        keys::lock(&mut tx, &claimed.into_iter().collect::<Vec<_>>()).await?;
        // A worker that stores a new version of one of them waits, or has it done already.
        let articles: Vec<i64> = due.iter().map(|(id, _)| *id).collect();
        story_moves::lock(&mut tx, &ids::articles(articles.clone()), &[]).await?;
        let found = sqlx::query(
            "SELECT a.article_id, a.title, e.block_hashes, e.dropped_blocks,
                    (SELECT coalesce(array_agg(text ORDER BY position), '{}') FROM article_blocks b
                     WHERE b.article_id = a.article_id AND b.version = a.version AND (b.kept OR b.rule = 'site-memory')
                         AND b.kind IN ('body', 'sub_headline', 'quote', 'list_item'))
             FROM article a JOIN evidence e USING (article_id)
             WHERE a.article_id = ANY ($2) AND e.fingerprint_version <> $1
             ORDER BY a.article_id",
        )
        .bind(FINGERPRINT_VERSION.0)
        .bind(&articles)
        .fetch_all(&mut *tx)
        .await
        .doing(DOING)?;
        let mut rows = Vec::with_capacity(found.len());
        for row in &found {
            let title: Option<&str> = row.try_get(1).doing(DOING)?;
            let old_blocks = blocks_from_bytes(row.try_get(2).doing(DOING)?);
            let old_dropped: Option<&[u8]> = row.try_get(3).doing(DOING)?;
            let paragraphs: Vec<String> = row.try_get(4).doing(DOING)?;
            let id: i64 = row.try_get(0).doing(DOING)?;
            let Some(windows) = windows.get(&id).copied() else {
                continue;
            };
            let fingerprint = fingerprint_parts(title, paragraphs.iter().map(String::as_str));
            rows.push(Row {
                id,
                dropped: dropped_again(
                    &old_blocks,
                    &blocks_from_bytes(old_dropped.unwrap_or_default()),
                    &fingerprint.blocks,
                ),
                fingerprint,
                windows,
            });
        }
        let mut claims: Vec<(i64, i64)> = rows
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
            sqlx::query(
                "UPDATE evidence SET fingerprint_version = $2, block_hashes = $3, title_words = $4, dropped_blocks = $5,
                     evidence = $6
                 WHERE article_id = $1",
            )
            .bind(row.id)
            .bind(FINGERPRINT_VERSION.0)
            .bind(blocks_to_bytes(&row.fingerprint.blocks))
            .bind(words_to_bytes(&row.fingerprint.title_words))
            .bind((!row.dropped.is_empty()).then(|| blocks_to_bytes(&row.dropped)))
            .bind(encode(&decision.kept(&row.fingerprint), Sampling::Full))
            .execute(&mut *tx)
            .await
            .doing(DOING)?;
            sqlx::query("UPDATE article SET fingerprint_version = $2, body_hash = $3 WHERE article_id = $1")
                .bind(row.id)
                .bind(FINGERPRINT_VERSION.0)
                .bind(row.fingerprint.body_hash.0.to_be_bytes().as_slice())
                .execute(&mut *tx)
                .await
                .doing(DOING)?;
            if !others.is_empty() {
                sqlx::query(
                    "UPDATE membership SET between_stories = true, refusals = $2 || coalesce(refusals, '{}') WHERE article_id = $1",
                )
                .bind(row.id)
                .bind(Value::Object(others))
                .execute(&mut *tx)
                .await
                .doing(DOING)?;
            }
        }
        tx.commit().await.doing(DOING)?;
        Ok(Some(RefingerprintStep {
            articles: rows.len() as u64,
            after: last,
        }))
    }
}

fn keys_of(row: &Row, windows: impl Iterator<Item = Window>) -> impl Iterator<Item = i64> {
    let windows: Vec<Window> = windows.collect();
    let keys: &[ShingleKey] = &row.fingerprint.keys;
    keys.iter()
        .flat_map(move |k| windows.clone().into_iter().map(move |w| row_key(w, *k)))
}

/// The paragraphs that were dropped under the old recipe, by their place, under the new one. Ascending, distinct.
fn dropped_again(old: &[BlockHash], dropped: &[BlockHash], new: &[BlockHash]) -> Vec<BlockHash> {
    let mut again: Vec<BlockHash> = old
        .iter()
        .zip(new)
        .filter(|(old, new)| dropped.contains(old) && new.0 != 0)
        .map(|(_, new)| *new)
        .collect();
    again.sort_unstable();
    again.dedup();
    again
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
