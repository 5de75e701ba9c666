//! The inputs of a flush's decisions. They are read from the database once. A decision changes them, so that
//! the next article of the batch sees its outcome. No I/O.

use std::collections::HashMap;

use copydesk_article::{ArticleId, Relation, StoryId};
use copydesk_dedup::{COPIES, Candidate, EXCERPTS, Excerpt, Link, Merge};

use crate::flush::evidence::StoredArticle;
use crate::keys::Owners;

/// Everything that the decisions of a batch depend on besides the batch.
pub(crate) struct DecisionInputs<'b> {
    /// Owner by row of the key table.
    pub(crate) owners: Owners,
    /// The owners, the articles that they are linked to, and the excerpts and first copies of both.
    pub(crate) older: HashMap<ArticleId, StoredArticle<'b>>,
}

impl DecisionInputs<'_> {
    /// Calls `f` with these articles as candidates, as far as they are known.
    pub(crate) fn with_candidates<T>(
        &self,
        articles: &[ArticleId],
        f: impl FnOnce(&[Candidate<'_>]) -> T,
    ) -> T {
        with_candidates(&self.older, articles, |_| true, f)
    }

    /// Notes the link of a new article, which may be an excerpt of its original or a near copy.
    pub(crate) fn note_link(&mut self, article: ArticleId, link: &Link) {
        let Some(original) = self.older.get_mut(&link.to) else {
            return;
        };
        if link.is_part() && original.excerpts.len() < EXCERPTS {
            original.excerpts.push(article);
        }
        if link.relation == Relation::NearCopy && original.copies.len() < COPIES {
            original.copies.push(article);
        }
    }

    /// Moves the article out of its story, with everything that is linked to it, near or far. Answers with
    /// the number of shingles that its link shared.
    pub(crate) fn leave(&mut self, article: ArticleId, story: StoryId) -> u32 {
        let link = self.older.get_mut(&article).and_then(|a| a.link.take());
        if let Some(original) = link.and_then(|l| self.older.get_mut(&l.to)) {
            original.excerpts.retain(|id| *id != article);
            original.copies.retain(|id| *id != article);
        }
        let mut to_move = vec![article];
        while let Some(id) = to_move.pop() {
            if let Some(moved) = self.older.get_mut(&id) {
                moved.story = story;
            }
            let followers = self
                .older
                .iter()
                .filter(|(_, o)| o.link.is_some_and(|l| l.to == id));
            to_move.extend(followers.map(|(id, _)| *id));
        }
        link.map_or(0, |l| l.shared)
    }

    /// Marks the article as a digest. Answers with the story that it leaves.
    pub(crate) fn mark_digest(&mut self, article: ArticleId) -> Option<StoryId> {
        let story = self.older.get(&article)?.story;
        self.leave(article, StoryId(article.0));
        self.older.get_mut(&article)?.digest = true;
        Some(story)
    }

    /// Makes two stories one.
    pub(crate) fn merge(&mut self, merge: &Merge) {
        for article in self.older.values_mut().filter(|a| a.story == merge.from) {
            article.story = merge.into;
        }
    }
}

/// Calls `f` with these articles as candidates, as far as they are known, each with those of its excerpts and copies
/// for which `counts` is true.
pub(crate) fn with_candidates<T>(
    older: &HashMap<ArticleId, StoredArticle<'_>>,
    articles: &[ArticleId],
    counts: impl Fn(ArticleId) -> bool,
    f: impl FnOnce(&[Candidate<'_>]) -> T,
) -> T {
    let known: Vec<(ArticleId, &StoredArticle<'_>)> = articles
        .iter()
        .filter_map(|id| Some((*id, older.get(id)?)))
        .collect();
    let linked = |ids: &[ArticleId]| -> Vec<Excerpt<'_>> {
        let counted = ids.iter().filter(|id| counts(**id));
        counted
            .filter_map(|id| {
                Some(Excerpt {
                    id: *id,
                    fingerprint: &older.get(id)?.fingerprint,
                })
            })
            .collect()
    };
    let linked: Vec<_> = known
        .iter()
        .map(|(_, article)| (linked(&article.excerpts), linked(&article.copies)))
        .collect();
    let candidates: Vec<Candidate<'_>> = known
        .iter()
        .zip(&linked)
        .map(|((id, article), (excerpts, copies))| Candidate {
            id: *id,
            story: article.story,
            site: article.site.as_deref(),
            url_hash: article.url_hash,
            fingerprint: &article.fingerprint,
            times: article.times,
            link: article.link,
            digest: article.digest,
            excerpts,
            copies,
        })
        .collect();
    f(&candidates)
}
