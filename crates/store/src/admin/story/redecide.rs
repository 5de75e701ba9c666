//! Stored articles decided on again by the present rule, while workers run.
//!
//! The decision is made from stored evidence, with the candidates that were recorded with the one before. Whatever differs is carried
//! out as events that can be taken back: a link that no longer holds is given up (`relink`), a page that holds several articles is marked
//! (`digest`), stories that belong together become one (`merge`). A story that a person changed stays as it is.

use std::collections::HashMap;

use copydesk_article::{ArticleId, StoryId};
use copydesk_dedup::{Decision, RULE_VERSION, Refusal};
use serde_json::json;
use sqlx::PgConnection;

use crate::admin::story::late_merges::{lock_around, merge_tied, merge_with};
use crate::connect::config::Store;
use crate::error::{Context as _, StoreError};
use crate::flush::evidence::StoredArticle;
use crate::flush::stories::refusals;
use crate::flush::story_moves::{mark_digest, relink};
use crate::flush::story_rows;
use crate::rows::{execute, fetch_all, fetch_one, fetch_optional, record};

const CONTEXT: &str = "cannot decide on a stored article again";

/// Where a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RedecideStep {
    /// Articles that were decided on.
    pub articles: u64,
    /// Articles whose story, or whose link, is another one now.
    pub changed: u64,
    /// The last of them: go on behind it.
    pub after: ArticleId,
}

record! {
    /// An article's decision as it is stored.
    struct Stored {
        linked_to: Option<ArticleId>,
        refused: Vec<ArticleId>,
        recents: i16,
        common_version: Option<i32>,
        /// A person has merged, split or taken back something of its story.
        by_hand: bool,
    }
}

impl Store {
    /// How many articles were decided on by another rule than this program's.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn outdated_decisions(&self) -> Result<i64, StoreError> {
        fetch_one!(&self.pool, CONTEXT;
            "SELECT count(*) FROM membership WHERE link_rule_version IS DISTINCT FROM $1", RULE_VERSION
        )
    }

    /// Decides on the next articles behind `after` that another rule decided on, each in a transaction of its own. Safe to stop and to
    /// repeat. `None`: there are no more.
    ///
    /// # Errors
    /// Postgres does not answer, or evidence cannot be read.
    pub async fn redecide(&self, after: ArticleId, most: i64) -> Result<Option<RedecideStep>, StoreError> {
        let ids: Vec<ArticleId> = fetch_all!(&self.pool, CONTEXT;
            "SELECT article_id FROM membership WHERE article_id > $1 AND link_rule_version IS DISTINCT FROM $2
             ORDER BY article_id LIMIT $3",
            after.0, RULE_VERSION, most
        )?;
        let Some(last) = ids.last().copied() else {
            return Ok(None);
        };
        let mut changed = 0;
        for article in &ids {
            changed += u64::from(self.redecide_one(*article).await?);
        }
        Ok(Some(RedecideStep {
            articles: ids.len() as u64,
            changed,
            after: last,
        }))
    }

    async fn redecide_one(&self, article: ArticleId) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        lock_around(&mut tx, article).await?;
        let Some(stored) = stored(&mut tx, article).await? else {
            return Ok(false);
        };
        let mut changed = false;
        if !stored.by_hand {
            let mut looked_at = stored.refused.clone();
            looked_at.extend(stored.linked_to);
            let (recents, version) = (stored.recents, stored.common_version);
            let again = self
                .decide_again(&mut tx, article, &looked_at, recents, version)
                .await?;
            let is_digest =
                |older: &HashMap<_, StoredArticle<'_>>| older.get(&article).is_some_and(|own| own.digest);
            if let Some((older, decision)) = again.filter(|(older, _)| !is_digest(older)) {
                changed = carry_out(&mut tx, article, &stored, &decision, &older).await?;
                note(&mut tx, article, &stored, &decision).await?;
            }
        }
        execute!(&mut *tx, CONTEXT;
            "UPDATE membership SET link_rule_version = $2 WHERE article_id = $1", article.0, RULE_VERSION
        )?;
        tx.commit().await.context(CONTEXT)?;
        Ok(changed)
    }
}

/// Reads the decision on an article. `None`: it is gone, or somebody else has decided on it meanwhile.
async fn stored(connection: &mut PgConnection, article: ArticleId) -> Result<Option<Stored>, StoreError> {
    fetch_optional!(connection, CONTEXT;
        "SELECT m.linked_to, a.recents, m.common_version,
                ARRAY(SELECT jsonb_object_keys(coalesce(m.refusals, '{}'))::int8) AS refused,
                EXISTS (SELECT FROM story_event s WHERE s.cause_article IS NULL AND m.story_id IN (s.from_story, s.to_story)) AS by_hand
         FROM membership m JOIN article a USING (article_id) WHERE m.article_id = $1 AND m.link_rule_version IS DISTINCT FROM $2",
        article.0, RULE_VERSION
    )
}

/// Makes of the stories what the decision says. Answers whether anything changed.
async fn carry_out(
    connection: &mut PgConnection,
    article: ArticleId,
    stored: &Stored,
    decision: &Decision,
    older: &HashMap<ArticleId, StoredArticle<'_>>,
) -> Result<bool, StoreError> {
    let why = json!({ "why": "decided again by another rule", "rule": RULE_VERSION });
    let link = decision.link.map(|l| l.to);
    // All that move, and the stories that are merged.
    let (mut moved, mut merged) = (Vec::new(), Vec::new());
    if decision.digest {
        moved.extend(mark_digest(connection, article, article).await?);
    } else if let Some(linked_to) = stored.linked_to.filter(|to| link != Some(*to)) {
        let founded = StoryId(article.0);
        moved.extend(relink(connection, article, linked_to, founded, article, &why).await?);
    }
    if let Some(found) = decision.relink {
        let (moves, from, to) = (found.article, found.from, found.new_story);
        moved.extend(relink(connection, moves, from, to, article, &why).await?);
    }
    for digest in &decision.digests {
        let page = digest.article;
        let why = json!({ "digest": page.0 });
        for excerpt in &digest.released {
            moved.extend(relink(connection, *excerpt, page, StoryId(excerpt.0), article, &why).await?);
        }
        moved.extend(mark_digest(connection, page, article).await?);
    }
    if let Some(to) = link.filter(|to| stored.linked_to != Some(*to)) {
        merged.extend(join(connection, article, to).await?);
    }
    merged.extend(merge_tied(connection, article, decision, older).await?);
    if moved.is_empty() && merged.is_empty() {
        return Ok(false);
    }
    let mut stories = story_rows::stories_of(connection, &moved).await?;
    stories.extend(merged.into_iter().flatten());
    stories.extend(older.values().map(|o| o.story));
    story_rows::recount(connection, stories).await?;
    Ok(true)
}

/// The article's story goes into that of the one that it is a copy of now, if the article founded it. It is not linked: the event says
/// what it was found to be a copy of, and an undo has no link to take away.
async fn join(
    connection: &mut PgConnection,
    article: ArticleId,
    to: ArticleId,
) -> Result<Option<[StoryId; 2]>, StoreError> {
    let founded: Option<bool> = fetch_optional!(&mut *connection, CONTEXT;
        "SELECT story_id = article_id FROM membership WHERE article_id = $1", article.0
    )?;
    if founded != Some(true) {
        return Ok(None);
    }
    let why = json!({ "why": "decided again by another rule", "rule": RULE_VERSION, "copy_of": to.0 });
    merge_with(connection, article, to, why).await
}

/// Records the decision as far as it stands beside a link: reasons of refusals, and that of a link that stays.
async fn note(
    connection: &mut PgConnection,
    article: ArticleId,
    stored: &Stored,
    decision: &Decision,
) -> Result<(), StoreError> {
    let mut noted = decision.clone();
    let kept = decision.link.filter(|l| Some(l.to) == stored.linked_to);
    if let (Some(link), None) = (decision.link, kept) {
        // There is no link to it, but it must be looked at when the decision is made again.
        noted.refusals.push((link.to, Refusal::NotBest));
    }
    execute!(&mut *connection, CONTEXT;
        "UPDATE membership SET refusals = $2::jsonb WHERE article_id = $1", article.0, refusals(&noted)
    )?;
    if let Some(link) = kept {
        execute!(connection, CONTEXT;
            "UPDATE membership SET link_reason = $2 WHERE article_id = $1 AND linked_to = $3",
            article.0, link.reason.as_str(), link.to.0
        )?;
    }
    Ok(())
}
