//! Stories: the links of a batch become memberships, links that were given up are carried out.

use std::collections::{HashMap, HashSet};

use copydesk_dedup::Decision;
use serde_json::json;
use sqlx::{PgConnection, Row as _};

use crate::error::{Doing as _, StoreError};
use crate::plan::{Decided, Disposition, GivenUp, Work};

/// The story of every new article, and which links stand.
#[derive(Debug, Default)]
pub(crate) struct Stories {
    of_article: HashMap<i64, i64>,
    /// New articles of this batch whose link was given up within the batch.
    unlinked: HashSet<i64>,
    /// Older articles that changed their story.
    pub(crate) moved: u64,
}

impl Stories {
    /// The story of a new article.
    pub(crate) fn of(&self, article: i64) -> i64 {
        self.of_article.get(&article).copied().unwrap_or(article)
    }

    /// Whether the link that the decision made is still there.
    pub(crate) fn keeps_link(&self, article: i64) -> bool {
        !self.unlinked.contains(&article)
    }
}

/// Locks what the batch links to, carries out what it gives up, and works out the story of every new article.
///
/// The lock makes whoever moves one of these articles wait until the new member can be seen, so that nobody is
/// left behind in a story that was given up.
pub(crate) async fn settle(
    connection: &mut PgConnection,
    works: &[Work<'_>],
    dispositions: &[Disposition],
    decided: &Decided,
) -> Result<Stories, StoreError> {
    let mut stories = Stories::default();
    let is_new = |d: &Disposition| matches!(d, Disposition::New { .. });
    let fresh: HashSet<i64> = works
        .iter()
        .zip(dispositions)
        .filter(|(_, d)| is_new(d))
        .map(|(w, _)| w.fresh)
        .collect();
    let mut targets: Vec<i64> = decided
        .of_work
        .iter()
        .flatten()
        .filter_map(|d| d.link.map(|l| l.to.0))
        .filter(|to| !fresh.contains(to))
        .collect();
    targets.sort_unstable();
    targets.dedup();
    let mut story_of = share(connection, &targets).await?;
    for given_up in &decided.given_up {
        let article = given_up.relink.article.0;
        if fresh.contains(&article) {
            stories.unlinked.insert(article);
            continue;
        }
        for moved in carry_out(connection, given_up).await? {
            story_of.insert(moved, given_up.relink.new_story.0);
            stories.moved += 1;
        }
    }
    // Links point to older articles: one pass in order is enough.
    for ((work, disposition), decision) in works.iter().zip(dispositions).zip(&decided.of_work) {
        let (true, Some(decision)) = (is_new(disposition), decision) else {
            continue;
        };
        let link = decision.link.filter(|_| stories.keeps_link(work.fresh));
        let story = link.map_or(work.fresh, |l| {
            stories
                .of_article
                .get(&l.to.0)
                .or_else(|| story_of.get(&l.to.0))
                .copied()
                .unwrap_or(l.story.0)
        });
        stories.of_article.insert(work.fresh, story);
    }
    Ok(stories)
}

async fn share(connection: &mut PgConnection, ids: &[i64]) -> Result<HashMap<i64, i64>, StoreError> {
    const DOING: &str = "cannot lock the articles that are linked to";
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = sqlx::query(
        "SELECT article_id, story_id FROM article WHERE article_id = ANY ($1) ORDER BY article_id FOR SHARE",
    )
    .bind(ids)
    .fetch_all(connection)
    .await
    .doing(DOING)?;
    rows.into_iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
        .collect::<Result<_, _>>()
        .doing(DOING)
}

/// The article founds a story of its own; everything linked to it, near or far, goes along. Answers with all that moved.
///
/// If somebody else has changed the link in the meantime, nothing happens: the decision was about a link that is no more.
async fn carry_out(connection: &mut PgConnection, given_up: &GivenUp) -> Result<Vec<i64>, StoreError> {
    const DOING: &str = "cannot carry out a re-link";
    let relink = given_up.relink;
    let old = sqlx::query(
        "SELECT relation, similarity, containment, containment_of_linked, shared_shingles, link_reason, link_rule_version
         FROM article WHERE article_id = $1 AND linked_to = $2 FOR UPDATE",
    )
    .bind(relink.article.0)
    .bind(relink.from.0)
    .fetch_optional(&mut *connection)
    .await
    .doing(DOING)?;
    let Some(old) = old else { return Ok(Vec::new()) };
    let detail = json!({
        "linked_to": relink.from.0,
        "relation": old.try_get::<String, _>(0).doing(DOING)?,
        "similarity": old.try_get::<Option<f32>, _>(1).doing(DOING)?,
        "containment": old.try_get::<Option<f32>, _>(2).doing(DOING)?,
        "containment_of_linked": old.try_get::<Option<f32>, _>(3).doing(DOING)?,
        "shared_shingles": old.try_get::<Option<i32>, _>(4).doing(DOING)?,
        "link_reason": old.try_get::<Option<String>, _>(5).doing(DOING)?,
        "link_rule_version": old.try_get::<Option<i16>, _>(6).doing(DOING)?,
        "shared_when_given_up": given_up.shared,
    });
    sqlx::query(
        "UPDATE article SET linked_to = NULL, relation = 'original', similarity = NULL, containment = NULL,
             containment_of_linked = NULL, shared_shingles = NULL, link_reason = NULL
         WHERE article_id = $1",
    )
    .bind(relink.article.0)
    .execute(&mut *connection)
    .await
    .doing(DOING)?;
    let moved: Vec<i64> = sqlx::query_scalar(
        "WITH RECURSIVE moved (id, old_story) AS (
             SELECT article_id, story_id FROM article WHERE article_id = $1
             UNION
             SELECT a.article_id, m.old_story FROM moved m JOIN article a ON a.story_id = m.old_story AND a.linked_to = m.id
         )
         UPDATE article SET story_id = $2 WHERE article_id IN (SELECT id FROM moved) RETURNING article_id",
    )
    .bind(relink.article.0)
    .bind(relink.new_story.0)
    .fetch_all(&mut *connection)
    .await
    .doing(DOING)?;
    sqlx::query(
        "INSERT INTO story_event (kind, article_id, moved, from_story, to_story, cause_article, happened_at, detail)
         VALUES ('relink', $1, $2, $3, $4, $5, now(), $6)",
    )
    .bind(relink.article.0)
    .bind(&moved)
    .bind(relink.old_story.0)
    .bind(relink.new_story.0)
    .bind(given_up.cause)
    .bind(detail)
    .execute(connection)
    .await
    .doing(DOING)?;
    Ok(moved)
}

/// `evidence.refusals`: the candidates that were looked at and not linked to.
pub(crate) fn refusals(decision: &Decision) -> Option<String> {
    if decision.refusals.is_empty() {
        return None;
    }
    let map: serde_json::Map<String, serde_json::Value> = decision
        .refusals
        .iter()
        .map(|(id, why)| (id.to_string(), why.as_str().into()))
        .collect();
    Some(serde_json::Value::Object(map).to_string())
}
