//! Stories in a flush: links become memberships; re-links, digests and merges are carried out.

use std::collections::{BTreeSet, HashMap, HashSet};

use copydesk_article::{ArticleId, StoryId};
use copydesk_dedup::{Decision, Merge};
use serde_json::{Value, json};
use sqlx::PgConnection;

use crate::error::StoreError;
use crate::flush::plan::{Change, Step};
use crate::flush::story_moves;
use crate::rows::distinct;

/// The story of every new article, and which links were kept.
#[derive(Debug, Default)]
pub(crate) struct Stories {
    of_article: HashMap<ArticleId, StoryId>,
    /// New articles of this batch whose link was given up within the batch.
    unlinked: HashSet<ArticleId>,
    /// New articles of this batch that a later one of it showed to be digests.
    digests: HashSet<ArticleId>,
    /// Older articles that changed their story.
    pub(crate) moved: u64,
    /// Stories whose older articles changed: one moved, or became a digest.
    pub(crate) changed: BTreeSet<StoryId>,
}

impl Stories {
    /// The story of a new article.
    pub(crate) fn of(&self, article: ArticleId) -> StoryId {
        let founded = StoryId(article.0);
        self.of_article.get(&article).copied().unwrap_or(founded)
    }

    /// Whether the article still has the link that its decision made.
    pub(crate) fn keeps_link(&self, article: ArticleId) -> bool {
        !self.unlinked.contains(&article)
    }

    /// Whether a later article of the batch showed it to be a digest.
    pub(crate) fn is_found_digest(&self, article: ArticleId) -> bool {
        self.digests.contains(&article)
    }
}

/// The changes to stories that the decisions of a batch ask for.
#[derive(Debug)]
pub(crate) struct Links {
    /// The new articles and what they change, in order.
    steps: Vec<Step>,
    /// The new articles, ascending.
    new: Vec<ArticleId>,
    /// Older articles that are linked to, or that tie stories together, ascending.
    targets: Vec<ArticleId>,
    /// Stories that change otherwise than by new members, ascending.
    changed: Vec<StoryId>,
}

impl Links {
    pub(crate) fn new(steps: Vec<Step>) -> Self {
        let mut new = Vec::new();
        let (mut targets, mut changed) = (Vec::new(), Vec::new());
        for step in &steps {
            match step {
                Step::New { article, link } => {
                    new.push(*article);
                    targets.extend(link.map(|(to, _)| to));
                }
                Step::Change { change, .. } => match change {
                    Change::Relink { relink, .. } => changed.push(relink.old_story),
                    Change::Digest { story, .. } => changed.push(*story),
                    Change::Merge { merge, .. } => {
                        targets.push(merge.tied_by);
                        changed.extend([merge.from, merge.into]);
                    }
                },
            }
        }
        let new = distinct(new);
        targets.retain(|to| new.binary_search(to).is_err());
        Self {
            steps,
            new,
            targets: distinct(targets),
            changed: distinct(changed),
        }
    }

    /// Locks the articles that are linked to and `versions` (those with a new version), carries out the
    /// changes, and determines the story of every new article.
    ///
    /// With the lock, a transaction that moves one of these articles waits until it can see the new member,
    /// so that no member is left behind in a story that was given up. The window's lock is not enough:
    /// articles of neighbouring windows are linked to as well.
    pub(crate) async fn settle(
        &self,
        connection: &mut PgConnection,
        versions: &[ArticleId],
    ) -> Result<Stories, StoreError> {
        let articles = [self.targets.as_slice(), versions].concat();
        let locked = story_moves::lock(connection, &articles, &self.changed).await?;
        let is_older = |(article, _): &(ArticleId, StoryId)| !self.is_new(*article);
        let mut replay = Replay {
            older: locked.into_iter().filter(is_older).collect(),
            ..Replay::default()
        };
        for step in &self.steps {
            match step {
                Step::New { article, link } => replay.insert(*article, *link),
                Step::Change { cause, change } => {
                    self.change(connection, &mut replay, *cause, change).await?;
                }
            }
        }
        Ok(replay.into_stories())
    }

    async fn change(
        &self,
        connection: &mut PgConnection,
        replay: &mut Replay,
        cause: ArticleId,
        change: &Change,
    ) -> Result<(), StoreError> {
        match change {
            Change::Relink { relink, shared } => {
                let (article, story) = (relink.article, relink.new_story);
                let why = json!({ "shared_when_given_up": shared });
                let given_up = (article, relink.from);
                self.give_up(connection, replay, given_up, story, cause, &why)
                    .await
            }
            Change::Digest {
                article, released, ..
            } => {
                let why = json!({ "digest": article.0 });
                for excerpt in released {
                    let given_up = (*excerpt, *article);
                    self.give_up(connection, replay, given_up, StoryId(excerpt.0), cause, &why)
                        .await?;
                }
                let founded = StoryId(article.0);
                if self.is_new(*article) {
                    replay.leave(*article, founded);
                    replay.digests.insert(*article);
                    return Ok(());
                }
                let moved = story_moves::mark_digest(connection, *article, cause).await?;
                Self::move_older(replay, moved, founded);
                Ok(())
            }
            Change::Merge { merge, joined } => self.merge(connection, replay, merge, *joined, cause).await,
        }
    }

    /// An article gives up its link and founds a story; everything linked to it, near or far, goes along.
    ///
    /// If another transaction has changed the link meanwhile, nothing happens: the decision was about a link
    /// that is gone.
    async fn give_up(
        &self,
        connection: &mut PgConnection,
        replay: &mut Replay,
        (article, linked_to): (ArticleId, ArticleId),
        story: StoryId,
        cause: ArticleId,
        why: &Value,
    ) -> Result<(), StoreError> {
        if self.is_new(article) {
            replay.leave(article, story);
            return Ok(());
        }
        let moved = story_moves::relink(connection, article, linked_to, story, cause, why).await?;
        Self::move_older(replay, moved, story);
        Ok(())
    }

    /// Notes that older articles have moved; new ones that are linked to them follow.
    fn move_older(replay: &mut Replay, moved: Vec<ArticleId>, story: StoryId) {
        replay.moved += moved.len() as u64;
        replay.changed.insert(story);
        for article in &moved {
            let before = replay.older.insert(*article, story);
            replay.changed.extend(before);
        }
        replay.follow(moved.into_iter().collect(), story);
    }

    /// Makes two stories one, unless another transaction has changed either since the decision.
    async fn merge(
        &self,
        connection: &mut PgConnection,
        replay: &mut Replay,
        merge: &Merge,
        joined: ArticleId,
        cause: ArticleId,
    ) -> Result<(), StoreError> {
        let (Some(one), Some(other)) = (replay.story(joined), replay.story(merge.tied_by)) else {
            return Ok(());
        };
        let (from, into) = (one.max(other), one.min(other));
        if from == into || (from, into) != (merge.from, merge.into) {
            return Ok(());
        }
        let of = |story: StoryId| {
            let members = replay.older.iter().filter(move |(_, s)| **s == story);
            members.map(|(article, _)| *article).collect::<Vec<ArticleId>>()
        };
        let mut older = of(from);
        if !story_moves::may_merge(from, into, older.len() + of(into).len()) {
            return Ok(());
        }
        older.sort_unstable();
        let new = replay.merge(from, into);
        story_moves::move_to(connection, &older, into).await?;
        let why =
            json!({ "why": "an article is a whole copy of articles in both", "tied_by": merge.tied_by.0 });
        let moved = [older.as_slice(), new.as_slice()].concat();
        story_moves::record(
            connection,
            "merge",
            ArticleId(from.0),
            &moved,
            from,
            into,
            Some(cause),
            why,
        )
        .await?;
        replay.moved += older.len() as u64;
        replay.changed.extend([from, into]);
        replay
            .older
            .extend(older.into_iter().map(|article| (article, into)));
        Ok(())
    }

    fn is_new(&self, article: ArticleId) -> bool {
        self.new.binary_search(&article).is_ok()
    }
}

/// The stories of the articles while the steps are carried out.
#[derive(Debug, Default)]
struct Replay {
    /// The story of each locked older article.
    older: HashMap<ArticleId, StoryId>,
    /// New articles in order: none is linked to a later one.
    new: Vec<NewArticle>,
    unlinked: HashSet<ArticleId>,
    digests: HashSet<ArticleId>,
    moved: u64,
    changed: BTreeSet<StoryId>,
}

#[derive(Debug)]
struct NewArticle {
    article: ArticleId,
    story: StoryId,
    linked_to: Option<ArticleId>,
}

impl Replay {
    fn story(&self, article: ArticleId) -> Option<StoryId> {
        let new = self.new.iter().find(|n| n.article == article).map(|n| n.story);
        new.or_else(|| self.older.get(&article).copied())
    }

    fn insert(&mut self, article: ArticleId, link: Option<(ArticleId, StoryId)>) {
        let story = link.map_or(StoryId(article.0), |(to, story)| self.story(to).unwrap_or(story));
        self.new.push(NewArticle {
            article,
            story,
            linked_to: link.map(|(to, _)| to),
        });
    }

    /// A new article gives up its link.
    fn leave(&mut self, article: ArticleId, story: StoryId) {
        if let Some(new) = self.new.iter_mut().find(|n| n.article == article) {
            new.story = story;
            if new.linked_to.take().is_some() {
                self.unlinked.insert(article);
            }
        }
        self.follow(HashSet::from([article]), story);
    }

    /// Moves new articles along that are linked to what moved, near or far.
    fn follow(&mut self, mut moved: HashSet<ArticleId>, story: StoryId) {
        for new in &mut self.new {
            if new.linked_to.is_some_and(|to| moved.contains(&to)) {
                new.story = story;
                moved.insert(new.article);
            }
        }
    }

    /// Makes two stories one. Answers with the new articles that changed their story.
    fn merge(&mut self, from: StoryId, into: StoryId) -> Vec<ArticleId> {
        let members = self.new.iter_mut().filter(|n| n.story == from);
        members
            .map(|n| {
                n.story = into;
                n.article
            })
            .collect()
    }

    fn into_stories(self) -> Stories {
        Stories {
            of_article: self.new.iter().map(|n| (n.article, n.story)).collect(),
            unlinked: self.unlinked,
            digests: self.digests,
            moved: self.moved,
            changed: self.changed,
        }
    }
}

/// `membership.refusals`: the candidates that were looked at and not linked to.
pub(crate) fn refusals(decision: &Decision) -> Option<String> {
    if decision.refusals.is_empty() {
        return None;
    }
    let map: serde_json::Map<String, Value> = decision
        .refusals
        .iter()
        .map(|(id, why)| (id.to_string(), why.as_str().into()))
        .collect();
    Some(Value::Object(map).to_string())
}
