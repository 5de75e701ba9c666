//! Stored articles decided on again by the present rule, while workers run.
//!
//! The decision is made from stored evidence, with the candidates that were recorded with the one before. Whatever differs is carried
//! out as events that can be taken back: a link that no longer holds is given up (`relink`), a page that holds several articles is marked
//! (`digest`), stories that belong together become one (`merge`). A story that a person changed stays as it is.

use std::collections::HashMap;

use copydesk_article::{ArticleId, StoryId};
use copydesk_dedup::{Decision, Params, RULE_VERSION, Refusal};
use serde_json::json;
use sqlx::{PgConnection, Row as _};

use crate::admin::story::explain::again;
use crate::admin::story::late_merges::{lock_around, merge_tied, merge_with};
use crate::connect::config::Store;
use crate::error::{Doing as _, StoreError};
use crate::flush::evidence::{Older, candidates};
use crate::flush::stories::refusals;
use crate::flush::story_moves::{mark_digest, relink};
use crate::flush::story_rows;

const DOING: &str = "cannot decide on a stored article again";

/// Where a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RedecideStep {
    /// Articles that were decided on.
    pub articles: u64,
    /// Articles whose story, or whose link, is another one now.
    pub changed: u64,
    /// The last of them: go on behind it.
    pub after: i64,
}

/// An article's decision as it is stored.
struct Stored {
    linked_to: Option<i64>,
    refused: Vec<i64>,
    recents: i16,
    common_version: i32,
    /// A person has merged, split or taken back something of its story.
    by_hand: bool,
}

impl Store {
    /// How many articles were decided on by another rule than this program's.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn outdated_decisions(&self) -> Result<i64, StoreError> {
        sqlx::query_scalar("SELECT count(*) FROM membership WHERE link_rule_version IS DISTINCT FROM $1")
            .bind(RULE_VERSION)
            .fetch_one(&self.pool)
            .await
            .doing(DOING)
    }

    /// Decides on the next articles behind `after` that another rule decided on, each in a transaction of its own. Safe to stop and to
    /// repeat. `None`: there are no more.
    ///
    /// # Errors
    /// Postgres does not answer, or evidence cannot be read.
    pub async fn redecide(&self, after: i64, most: i64) -> Result<Option<RedecideStep>, StoreError> {
        let ids: Vec<i64> = sqlx::query_scalar(
            "SELECT article_id FROM membership WHERE article_id > $1 AND link_rule_version IS DISTINCT FROM $2
             ORDER BY article_id LIMIT $3",
        )
        .bind(after)
        .bind(RULE_VERSION)
        .bind(most)
        .fetch_all(&self.pool)
        .await
        .doing(DOING)?;
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

    async fn redecide_one(&self, article: i64) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        lock_around(&mut tx, article).await?;
        let Some(stored) = stored(&mut tx, article).await? else {
            return Ok(false);
        };
        let mut changed = false;
        if !stored.by_hand {
            let list = self.common_list(stored.common_version).await?;
            let params = Params {
                common: list.as_deref(),
                ..Params::default()
            };
            let mut looked_at = stored.refused.clone();
            looked_at.extend(stored.linked_to);
            let older = candidates(&mut tx, &[looked_at.as_slice(), &[article]].concat()).await?;
            if let Some(own) = older.get(&article).filter(|own| !own.digest) {
                let decision = again(article, own, &looked_at, &older, stored.recents, &params);
                changed = carry_out(&mut tx, article, &stored, &decision, &older).await?;
                note(&mut tx, article, &stored, &decision).await?;
            }
        }
        sqlx::query("UPDATE membership SET link_rule_version = $2 WHERE article_id = $1")
            .bind(article)
            .bind(RULE_VERSION)
            .execute(&mut *tx)
            .await
            .doing(DOING)?;
        tx.commit().await.doing(DOING)?;
        Ok(changed)
    }
}

/// Reads the decision on an article. `None`: it is gone, or somebody else has decided on it meanwhile.
async fn stored(connection: &mut PgConnection, article: i64) -> Result<Option<Stored>, StoreError> {
    let row = sqlx::query(
        "SELECT m.linked_to, a.recents, coalesce(m.common_version, 0),
                ARRAY(SELECT jsonb_object_keys(coalesce(m.refusals, '{}'))::int8),
                EXISTS (SELECT FROM story_event s WHERE s.cause_article IS NULL AND m.story_id IN (s.from_story, s.to_story))
         FROM membership m JOIN article a USING (article_id) WHERE m.article_id = $1 AND m.link_rule_version IS DISTINCT FROM $2",
    )
    .bind(article)
    .bind(RULE_VERSION)
    .fetch_optional(connection)
    .await
    .doing(DOING)?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Stored {
        linked_to: row.try_get(0).doing(DOING)?,
        recents: row.try_get(1).doing(DOING)?,
        common_version: row.try_get(2).doing(DOING)?,
        refused: row.try_get(3).doing(DOING)?,
        by_hand: row.try_get(4).doing(DOING)?,
    }))
}

/// Makes of the stories what the decision says. Answers whether anything changed.
async fn carry_out(
    connection: &mut PgConnection,
    article: i64,
    stored: &Stored,
    decision: &Decision,
    older: &HashMap<i64, Older<'_>>,
) -> Result<bool, StoreError> {
    let why = json!({ "why": "decided again by another rule", "rule": RULE_VERSION });
    let link = decision.link.map(|l| l.to.0);
    // All that move, and the stories that are merged.
    let (mut moved, mut merged) = (Vec::new(), Vec::new());
    let own = ArticleId(article);
    if decision.digest {
        moved.extend(mark_digest(connection, own, own).await?);
    } else if let Some(linked_to) = stored.linked_to.filter(|to| link != Some(*to)) {
        moved.extend(relink(connection, own, ArticleId(linked_to), StoryId(article), own, &why).await?);
    }
    if let Some(found) = decision.relink {
        let (moves, from, to) = (found.article, found.from, found.new_story);
        moved.extend(relink(connection, moves, from, to, own, &why).await?);
    }
    for digest in &decision.digests {
        let page = digest.article;
        let why = json!({ "digest": page.0 });
        for excerpt in &digest.released {
            moved.extend(relink(connection, *excerpt, page, StoryId(excerpt.0), own, &why).await?);
        }
        moved.extend(mark_digest(connection, page, own).await?);
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
    article: i64,
    to: i64,
) -> Result<Option<[StoryId; 2]>, StoreError> {
    let founded: Option<bool> =
        sqlx::query_scalar("SELECT story_id = article_id FROM membership WHERE article_id = $1")
            .bind(article)
            .fetch_optional(&mut *connection)
            .await
            .doing(DOING)?;
    if founded != Some(true) {
        return Ok(None);
    }
    let why = json!({ "why": "decided again by another rule", "rule": RULE_VERSION, "copy_of": to });
    merge_with(connection, article, to, why).await
}

/// Records the decision as far as it stands beside a link: reasons of refusals, and that of a link that stays.
async fn note(
    connection: &mut PgConnection,
    article: i64,
    stored: &Stored,
    decision: &Decision,
) -> Result<(), StoreError> {
    let mut noted = decision.clone();
    let kept = decision.link.filter(|l| Some(l.to.0) == stored.linked_to);
    if let (Some(link), None) = (decision.link, kept) {
        // There is no link to it, but it must be looked at when the decision is made again.
        noted.refusals.push((link.to, Refusal::NotBest));
    }
    sqlx::query("UPDATE membership SET refusals = $2::jsonb WHERE article_id = $1")
        .bind(article)
        .bind(refusals(&noted))
        .execute(&mut *connection)
        .await
        .doing(DOING)?;
    if let Some(link) = kept {
        sqlx::query("UPDATE membership SET link_reason = $2 WHERE article_id = $1 AND linked_to = $3")
            .bind(article)
            .bind(link.reason.as_str())
            .bind(link.to.0)
            .execute(connection)
            .await
            .doing(DOING)?;
    }
    Ok(())
}
