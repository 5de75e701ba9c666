//! Stories: the links of a batch become memberships, links that were given up are carried out.

use std::collections::{HashMap, HashSet};

use copydesk_dedup::Decision;
use sqlx::PgConnection;

use crate::error::{Doing as _, StoreError};
use crate::plan::{Decided, Disposition, GivenUp, Work};
use crate::story;

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
    let rows: Vec<(i64, i64)> = sqlx::query_as(
        "SELECT article_id, story_id FROM article WHERE article_id = ANY ($1) ORDER BY article_id FOR SHARE",
    )
    .bind(ids)
    .fetch_all(connection)
    .await
    .doing(DOING)?;
    Ok(rows.into_iter().collect())
}

/// The article founds a story of its own; everything linked to it, near or far, goes along. Answers with all that moved.
///
/// If somebody else has changed the link in the meantime, nothing happens: the decision was about a link that is no more.
async fn carry_out(connection: &mut PgConnection, given_up: &GivenUp) -> Result<Vec<i64>, StoreError> {
    let relink = given_up.relink;
    let Some((story, link)) = story::link_of(connection, relink.article.0, relink.from.0).await? else {
        return Ok(Vec::new());
    };
    let moved = story::with_followers(connection, &[relink.article.0], story).await?;
    let mut detail = link.clone();
    detail["shared_when_given_up"] = given_up.shared.into();
    story::unlink(connection, &[link]).await?;
    story::move_to(connection, &moved, relink.new_story.0).await?;
    let (from, to) = (relink.old_story.0, relink.new_story.0);
    story::record(
        connection,
        "relink",
        relink.article.0,
        &moved,
        from,
        to,
        Some(given_up.cause),
        detail,
    )
    .await?;
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
