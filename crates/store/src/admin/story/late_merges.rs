//! Stories that turn out to be one: an article came that is a whole copy of articles in both.
//!
//! A flush marks an article that matches another story as well; making fingerprints again marks those whose keys meet. What ties
//! two stories is the weighed decision (`copydesk_dedup`), made again from the stored evidence.

use std::collections::HashMap;

use copydesk_article::{ArticleId, StoryId};
use copydesk_dedup::{Decision, Params};
use serde_json::json;
use sqlx::{PgConnection, Row as _};

use crate::admin::story::explain::again;
use crate::admin::story::story_by_hand::merge;
use crate::connect::config::Store;
use crate::error::{Doing as _, StoreError};
use crate::flush::evidence::{Older, candidates};
use crate::flush::story_moves::{lock, may_merge};
use crate::rows::ids;
use crate::{flush::story_rows, keys};

const DOING: &str = "cannot look for stories that are one";

impl Store {
    /// Looks at some of the articles that match an article of another story as well, and merges the two stories where
    /// the article is a whole copy of articles in both. Answers with the numbers of articles looked at and of merges; call
    /// again while the first is not 0.
    ///
    /// # Errors
    /// Postgres does not answer, or evidence cannot be read.
    pub async fn merge_late(&self, most: i64) -> Result<(u64, u64), StoreError> {
        let marked: Vec<i64> = sqlx::query_scalar(
            "SELECT article_id FROM membership WHERE between_stories ORDER BY article_id LIMIT $1",
        )
        .bind(most)
        .fetch_all(&self.pool)
        .await
        .doing(DOING)?;
        let mut merges = 0;
        for article in &marked {
            merges += self.merge_for(*article).await?;
        }
        Ok((marked.len() as u64, merges))
    }

    async fn merge_for(&self, article: i64) -> Result<u64, StoreError> {
        let mut tx = self.begin().await?;
        // Locks as a flush takes them: windows of keys, memberships.
        lock_around(&mut tx, article).await?;
        let row = sqlx::query(
            "UPDATE membership m SET between_stories = false FROM article a WHERE m.article_id = $1 AND a.article_id = $1
             RETURNING a.recents, m.linked_to, m.common_version,
                 ARRAY(SELECT r.key::int8 FROM jsonb_each_text(m.refusals) AS r WHERE r.value = 'not_best')",
        )
        .bind(article)
        .fetch_optional(&mut *tx)
        .await
        .doing(DOING)?;
        let Some(row) = row else { return Ok(0) };
        let linked_to: Option<i64> = row.try_get(1).doing(DOING)?;
        let version: Option<i32> = row.try_get(2).doing(DOING)?;
        let mut looked_at: Vec<i64> = row.try_get(3).doing(DOING)?;
        looked_at.extend(linked_to);
        let list = self.common_list(version.unwrap_or(0)).await?;
        let params = Params {
            common: list.as_deref(),
            ..Params::default()
        };
        let older = candidates(&mut tx, &[looked_at.as_slice(), &[article]].concat()).await?;
        let recents: i16 = row.try_get(0).doing(DOING)?;
        let mut merges = 0;
        if let Some(own) = older.get(&article) {
            let decision = again(article, own, &looked_at, &older, recents, &params);
            let merged = merge_tied(&mut tx, article, &decision, &older).await?;
            merges = merged.len() as u64;
            story_rows::recount(&mut tx, merged.into_iter().flatten()).await?;
        }
        tx.commit().await.doing(DOING)?;
        Ok(merges)
    }
}

/// Locks the windows of keys of the stories that the recorded decision on an article looked at, and the article.
pub(crate) async fn lock_around(connection: &mut PgConnection, article: i64) -> Result<(), StoreError> {
    let stories: Vec<i64> = sqlx::query_scalar(
        "SELECT DISTINCT story_id FROM membership WHERE article_id = $1
             OR article_id IN (SELECT linked_to FROM membership WHERE article_id = $1)
             OR article_id IN (SELECT jsonb_object_keys(refusals)::int8 FROM membership WHERE article_id = $1)",
    )
    .bind(article)
    .fetch_all(&mut *connection)
    .await
    .doing(DOING)?;
    keys::lock_of_stories(connection, &ids::stories(stories)).await?;
    lock(connection, &[ArticleId(article)], &[]).await?;
    Ok(())
}

/// Merges the stories that the article ties together, the younger into the older. Answers with the two stories of each merge: count
/// them again when nothing else is done to them.
pub(crate) async fn merge_tied(
    connection: &mut PgConnection,
    article: i64,
    decision: &Decision,
    older: &HashMap<i64, Older<'_>>,
) -> Result<Vec<[StoryId; 2]>, StoreError> {
    let Some(own) = older.get(&article) else {
        return Ok(Vec::new());
    };
    // A story that it belongs to by a part of itself is not tied to another by the whole.
    let linked_to = own.link.map(|l| l.to);
    let is_whole = |id| decision.weighed.iter().any(|w| w.id == id && w.whole_copy);
    if linked_to.is_some_and(|to| !is_whole(to)) {
        return Ok(Vec::new());
    }
    let mut merged = Vec::new();
    for tie in decision.weighed.iter().filter(|w| w.whole_copy) {
        let why = json!({
            "why": "an article is a whole copy of articles in both",
            "article": article,
            "other": tie.id.0,
            "jaccard": tie.facts.jaccard,
        });
        merged.extend(merge_with(connection, article, tie.id.0, why).await?);
    }
    Ok(merged)
}

/// Makes the stories of two articles one, as far as they are two and not too large. Answers with both.
pub(crate) async fn merge_with(
    connection: &mut PgConnection,
    article: i64,
    other: i64,
    why: serde_json::Value,
) -> Result<Option<[StoryId; 2]>, StoreError> {
    let members: Vec<(i64, i64)> = sqlx::query_as(
        "SELECT story_id, count(*) FROM membership
         WHERE story_id IN (SELECT story_id FROM membership WHERE article_id IN ($1, $2)) GROUP BY story_id ORDER BY story_id",
    )
    .bind(article)
    .bind(other)
    .fetch_all(&mut *connection)
    .await
    .doing(DOING)?;
    let [(into, some), (from, more)] = members.as_slice() else {
        return Ok(None);
    };
    let (from, into) = (StoryId(*from), StoryId(*into));
    if !may_merge(from, into, usize::try_from(some + more).unwrap_or(usize::MAX)) {
        return Ok(None);
    }
    merge(connection, from, into, Some(ArticleId(article)), why).await?;
    Ok(Some([from, into]))
}
