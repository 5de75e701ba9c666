//! Stories that turn out to be one: an article came that is a whole copy of articles in both.
//!
//! A flush marks an article that matches another story as well; making fingerprints again marks those whose keys meet. What ties
//! two stories is the weighed decision (`copydesk_dedup`), made again from the stored evidence.

use std::collections::HashMap;

use copydesk_article::{ArticleId, StoryId};
use copydesk_dedup::Decision;
use serde_json::json;
use sqlx::PgConnection;

use crate::admin::story::story_by_hand::merge;
use crate::connect::config::Store;
use crate::error::{Context as _, StoreError};
use crate::flush::evidence::StoredArticle;
use crate::flush::story_moves::{lock, may_merge};
use crate::rows::{fetch_all, fetch_optional, record};
use crate::{flush::story_rows, keys};

const CONTEXT: &str = "cannot look for stories that are one";

impl Store {
    /// Looks at some of the articles that match an article of another story as well, and merges the two stories where
    /// the article is a whole copy of articles in both. Answers with the numbers of articles looked at and of merges; call
    /// again while the first is not 0.
    ///
    /// # Errors
    /// Postgres does not answer, or evidence cannot be read.
    pub async fn merge_late(&self, most: i64) -> Result<(u64, u64), StoreError> {
        let marked: Vec<ArticleId> = fetch_all!(&self.pool, CONTEXT;
            "SELECT article_id FROM membership WHERE between_stories ORDER BY article_id LIMIT $1", most
        )?;
        let mut merges = 0;
        for article in &marked {
            merges += self.merge_for(*article).await?;
        }
        Ok((marked.len() as u64, merges))
    }

    async fn merge_for(&self, article: ArticleId) -> Result<u64, StoreError> {
        let mut tx = self.begin().await?;
        // Locks as a flush takes them: windows of keys, memberships.
        lock_around(&mut tx, article).await?;
        record! {
            struct Recorded {
                recents: i16,
                linked_to: Option<ArticleId>,
                common_version: Option<i32>,
                not_best: Vec<ArticleId>,
            }
        }
        let recorded: Option<Recorded> = fetch_optional!(&mut *tx, CONTEXT;
            "UPDATE membership m SET between_stories = false FROM article a WHERE m.article_id = $1 AND a.article_id = $1
             RETURNING a.recents, m.linked_to, m.common_version,
                 ARRAY(SELECT r.key::int8 FROM jsonb_each_text(m.refusals) AS r WHERE r.value = 'not_best') AS not_best",
            article.0
        )?;
        let Some(recorded) = recorded else { return Ok(0) };
        let mut looked_at = recorded.not_best;
        looked_at.extend(recorded.linked_to);
        let (recents, version) = (recorded.recents, recorded.common_version);
        let mut merges = 0;
        if let Some((older, decision)) = self
            .decide_again(&mut tx, article, &looked_at, recents, version)
            .await?
        {
            let merged = merge_tied(&mut tx, article, &decision, &older).await?;
            merges = merged.len() as u64;
            story_rows::recount(&mut tx, merged.into_iter().flatten()).await?;
        }
        tx.commit().await.context(CONTEXT)?;
        Ok(merges)
    }
}

/// Locks the windows of keys of the stories that the recorded decision on an article looked at, and the article.
pub(crate) async fn lock_around(connection: &mut PgConnection, article: ArticleId) -> Result<(), StoreError> {
    let stories: Vec<StoryId> = fetch_all!(&mut *connection, CONTEXT;
        "SELECT DISTINCT story_id FROM membership WHERE article_id = $1
             OR article_id IN (SELECT linked_to FROM membership WHERE article_id = $1)
             OR article_id IN (SELECT jsonb_object_keys(refusals)::int8 FROM membership WHERE article_id = $1)",
        article.0
    )?;
    keys::lock_of_stories(connection, &stories).await?;
    lock(connection, &[article], &[]).await?;
    Ok(())
}

/// Merges the stories that the article ties together, the younger into the older. Answers with the two stories of each merge: count
/// them again when nothing else is done to them.
pub(crate) async fn merge_tied(
    connection: &mut PgConnection,
    article: ArticleId,
    decision: &Decision,
    older: &HashMap<ArticleId, StoredArticle<'_>>,
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
            "article": article.0,
            "other": tie.id.0,
            "jaccard": tie.facts.jaccard,
        });
        merged.extend(merge_with(connection, article, tie.id, why).await?);
    }
    Ok(merged)
}

/// Makes the stories of two articles one, as far as they are two and not too large. Answers with both.
pub(crate) async fn merge_with(
    connection: &mut PgConnection,
    article: ArticleId,
    other: ArticleId,
    why: serde_json::Value,
) -> Result<Option<[StoryId; 2]>, StoreError> {
    let members: Vec<(StoryId, i64)> = fetch_all!(&mut *connection, CONTEXT;
        "SELECT story_id, count(*) FROM membership
         WHERE story_id IN (SELECT story_id FROM membership WHERE article_id IN ($1, $2)) GROUP BY story_id ORDER BY story_id",
        article.0, other.0
    )?;
    let &[(into, some), (from, more)] = members.as_slice() else {
        return Ok(None);
    };
    if !may_merge(from, into, usize::try_from(some + more).unwrap_or(usize::MAX)) {
        return Ok(None);
    }
    merge(connection, from, into, Some(article), why).await?;
    Ok(Some([from, into]))
}
