//! Stories that turn out to be one: an article came that is a close copy of both.

use copydesk_dedup::versions;
use serde_json::json;
use sqlx::Row as _;

use crate::config::Store;
use crate::error::{Doing as _, StoreError};
use crate::evidence::candidates;
use crate::story::{lock, may_merge, merge};
use crate::{keys, story_rows};

const DOING: &str = "cannot look for stories that are one";

/// Jaccard similarity from which two articles tie their stories together. It is that of two texts each of which has
/// four fifths of the other. A containment would not do: excerpts chain stories that have nothing in common.
pub const MERGE_FROM: f64 = 0.6;

impl Store {
    /// Looks at some of the articles that match an article of another story as well, and merges the two stories where
    /// the two are close copies. Answers with the numbers of articles looked at and of merges; call again while the
    /// first is not 0.
    ///
    /// # Errors
    /// Postgres does not answer, or evidence cannot be read.
    pub async fn merge_late(&self, most: i64) -> Result<(u64, u64), StoreError> {
        let marked: Vec<i64> = sqlx::query_scalar(
            "SELECT article_id FROM evidence WHERE between_stories ORDER BY article_id LIMIT $1",
        )
        .bind(most)
        .fetch_all(&self.pool)
        .await
        .doing(DOING)?;
        let mut merges = 0;
        for article in &marked {
            merges += u64::from(self.merge_for(*article).await?);
        }
        Ok((marked.len() as u64, merges))
    }

    async fn merge_for(&self, article: i64) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let stories: Vec<i64> = sqlx::query_scalar(
            "SELECT DISTINCT a.story_id FROM article a WHERE a.article_id = $1 OR a.article_id IN (
                 SELECT r.key::int8 FROM evidence e, jsonb_each_text(e.refusals) AS r
                 WHERE e.article_id = $1 AND r.value = 'not_best')",
        )
        .bind(article)
        .fetch_all(&mut *tx)
        .await
        .doing(DOING)?;
        // Locks as a flush takes them: windows of keys, articles, evidence.
        keys::lock_of_stories(&mut tx, &stories).await?;
        lock(&mut tx, &[article], &[]).await?;
        let others: Vec<i64> = sqlx::query(
            "UPDATE evidence SET between_stories = false WHERE article_id = $1
             RETURNING ARRAY(SELECT r.key::int8 FROM jsonb_each_text(refusals) AS r WHERE r.value = 'not_best')",
        )
        .bind(article)
        .fetch_optional(&mut *tx)
        .await
        .doing(DOING)?
        .map(|row| row.try_get(0))
        .transpose()
        .doing(DOING)?
        .unwrap_or_default();
        let mut ids = others.clone();
        ids.push(article);
        let older = candidates(&mut tx, &ids).await?;
        let mut merged = false;
        if let Some(own) = older.get(&article) {
            for other_id in others {
                let Some(other) = older.get(&other_id) else {
                    continue;
                };
                let jaccard = versions::compare(&other.fingerprint, &own.fingerprint).jaccard;
                if other.story == own.story || jaccard < MERGE_FROM {
                    continue;
                }
                let (into, from) = (own.story.0.min(other.story.0), own.story.0.max(other.story.0));
                let members: i64 =
                    sqlx::query_scalar("SELECT count(*) FROM article WHERE story_id IN ($1, $2)")
                        .bind(into)
                        .bind(from)
                        .fetch_one(&mut *tx)
                        .await
                        .doing(DOING)?;
                if !may_merge(from, into, usize::try_from(members).unwrap_or(usize::MAX)) {
                    continue;
                }
                let why = json!({
                    "why": "an article is a close copy of articles in both",
                    "article": article,
                    "other": other_id,
                    "jaccard": jaccard,
                });
                merge(&mut tx, from, into, Some(article), why).await?;
                story_rows::recount(&mut tx, [from, into]).await?;
                merged = true;
                // Story numbers have changed; more of the same comes with the next article.
                break;
            }
        }
        tx.commit().await.doing(DOING)?;
        Ok(merged)
    }
}
