//! Stories: the links of a batch become memberships, links that were given up are carried out.

use std::collections::{BTreeMap, HashMap, HashSet};

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

/// What the decisions of some articles make of stories, before any of it is carried out.
#[derive(Debug)]
pub(crate) struct Links {
    /// New articles, ascending (the older ones first), each with the article that it links to and that one's story as the decision knew it.
    of_new: Vec<(i64, Option<(i64, i64)>)>,
    /// Articles that were there before and are linked to, ascending.
    targets: Vec<i64>,
    /// New articles whose link a later one of the same batch made them give up.
    unlinked: HashSet<i64>,
    /// Links of articles that were there before.
    given_up: Vec<GivenUp>,
}

impl Links {
    pub(crate) fn new(works: &[Work<'_>], dispositions: &[Disposition], decided: &Decided) -> Self {
        let of_new: Vec<(i64, Option<(i64, i64)>)> = works
            .iter()
            .zip(dispositions)
            .zip(&decided.of_work)
            .filter(|((_, disposition), _)| matches!(disposition, Disposition::New { .. }))
            .map(|((work, _), decision)| {
                let link = decision.as_ref().and_then(|d| d.link);
                (work.fresh, link.map(|l| (l.to.0, l.story.0)))
            })
            .collect();
        let is_new = |article: &i64| is_among(&of_new, *article);
        let mut targets: Vec<i64> = of_new
            .iter()
            .filter_map(|(_, link)| Some((*link)?.0))
            .filter(|to| !is_new(to))
            .collect();
        targets.sort_unstable();
        targets.dedup();
        let (of_batch, given_up) = decided
            .given_up
            .iter()
            .copied()
            .partition::<Vec<_>, _>(|g| is_new(&g.relink.article.0));
        Self {
            of_new,
            targets,
            unlinked: of_batch.iter().map(|g| g.relink.article.0).collect(),
            given_up,
        }
    }

    /// Locks what is linked to, carries out what is given up, and works out the story of every new article.
    ///
    /// The lock makes whoever moves one of these articles wait until the new member can be seen, so that nobody is
    /// left behind in a story that was given up.
    pub(crate) async fn settle(&self, connection: &mut PgConnection) -> Result<Stories, StoreError> {
        let mut story_of = stories_of(connection, &self.targets, "FOR SHARE").await?;
        let mut moved = 0;
        for given_up in &self.given_up {
            for article in self.carry_out(connection, given_up).await? {
                story_of.insert(article, given_up.relink.new_story.0);
                moved += 1;
            }
        }
        Ok(Stories {
            moved,
            ..self.resolve(&story_of)
        })
    }

    /// The same without a lock and without a change: what [`Links::settle`] will most likely say. For a flush that has yet to wait for
    /// others: they may want those very articles, and would wait for it.
    pub(crate) async fn foresee(&self, connection: &mut PgConnection) -> Result<Stories, StoreError> {
        let mut story_of = stories_of(connection, &self.targets, "").await?;
        for given_up in &self.given_up {
            story_of.insert(given_up.relink.article.0, given_up.relink.new_story.0);
        }
        Ok(self.resolve(&story_of))
    }

    /// [`Links::settle`] for new articles that were written as [`Links::foresee`] said; those for which it was wrong get their story now.
    /// Answers with the number of older articles that changed theirs.
    pub(crate) async fn settle_foreseen(
        &self,
        connection: &mut PgConnection,
        foreseen: &Stories,
    ) -> Result<u64, StoreError> {
        let stories = self.settle(connection).await?;
        let mut wrong: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
        for (article, _) in &self.of_new {
            let story = stories.of(*article);
            if story != foreseen.of(*article) {
                wrong.entry(story).or_default().push(*article);
            }
        }
        for (story, articles) in wrong {
            story::move_to(connection, &articles, story).await?;
        }
        Ok(stories.moved)
    }

    /// The article founds a story of its own; everything linked to it, near or far, goes along. Answers with all that moved.
    ///
    /// If somebody else has changed the link in the meantime, nothing happens: the decision was about a link that is no more. New articles that
    /// are written already are none of those that move: they have never been elsewhere.
    async fn carry_out(
        &self,
        connection: &mut PgConnection,
        given_up: &GivenUp,
    ) -> Result<Vec<i64>, StoreError> {
        let relink = given_up.relink;
        let Some((story, link)) = story::link_of(connection, relink.article.0, relink.from.0).await? else {
            return Ok(Vec::new());
        };
        let mut moved = story::with_followers(connection, &[relink.article.0], story).await?;
        moved.retain(|article| !is_among(&self.of_new, *article));
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

    fn resolve(&self, story_of: &HashMap<i64, i64>) -> Stories {
        let mut of_article: HashMap<i64, i64> = HashMap::with_capacity(self.of_new.len());
        // Links point to older articles: one pass in order is enough.
        for (article, link) in &self.of_new {
            let link = link.filter(|_| !self.unlinked.contains(article));
            let story = link.map_or(*article, |(to, story)| {
                let now = of_article.get(&to).or_else(|| story_of.get(&to));
                now.copied().unwrap_or(story)
            });
            of_article.insert(*article, story);
        }
        Stories {
            of_article,
            unlinked: self.unlinked.clone(),
            moved: 0,
        }
    }
}

/// Whether it is one of these new articles, which are ascending.
fn is_among(new: &[(i64, Option<(i64, i64)>)], article: i64) -> bool {
    new.binary_search_by_key(&article, |(id, _)| *id).is_ok()
}

/// The stories of these articles (ascending), their rows locked as this clause says.
async fn stories_of(
    connection: &mut PgConnection,
    ids: &[i64],
    lock: &'static str,
) -> Result<HashMap<i64, i64>, StoreError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = format!(
        "SELECT article_id, story_id FROM article WHERE article_id = ANY ($1) ORDER BY article_id {lock}"
    );
    let rows: Vec<(i64, i64)> = sqlx::query_as(&sql)
        .bind(ids)
        .fetch_all(connection)
        .await
        .doing("cannot read or lock the articles that are linked to")?;
    Ok(rows.into_iter().collect())
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
