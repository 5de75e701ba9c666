//! What the decisions of a flush are made from. It is read from the database once; what a decision changes is changed here as well, so
//! that the next article of the batch sees it. No I/O.

use std::collections::HashMap;

use copydesk_article::{ArticleId, StoryId};
use copydesk_dedup::{Candidate, EXCERPTS, Excerpt, Link, Merge};

use crate::flush::evidence::Older;
use crate::keys::Owners;

/// Everything that the decisions of a batch depend on, read from the database.
pub(crate) struct DecisionInputs<'b> {
    /// Owner by row of the key table.
    pub(crate) owners: Owners,
    /// The owners, the articles that they are linked to, and their excerpts.
    pub(crate) older: HashMap<i64, Older<'b>>,
}

impl DecisionInputs<'_> {
    /// Makes the candidates of these articles, as far as they are known, and passes them on.
    pub(crate) fn with_candidates<T>(&self, articles: &[i64], f: impl FnOnce(&[Candidate<'_>]) -> T) -> T {
        with_candidates(&self.older, articles, |_| true, f)
    }

    /// A new article is linked: it may be one of its original's excerpts.
    pub(crate) fn note_link(&mut self, article: i64, link: &Link) {
        if let Some(original) = self.older.get_mut(&link.to.0)
            && link.is_part()
            && original.excerpts.len() < EXCERPTS
        {
            original.excerpts.push(article);
        }
    }

    /// The article leaves its story with everything that is linked to it, near or far. Answers with the shingles that its link shared.
    pub(crate) fn leave(&mut self, article: i64, story: StoryId) -> u32 {
        let link = self.older.get_mut(&article).and_then(|a| a.link.take());
        if let Some(original) = link.and_then(|l| self.older.get_mut(&l.to.0)) {
            original.excerpts.retain(|id| *id != article);
        }
        let mut to_move = vec![article];
        while let Some(id) = to_move.pop() {
            if let Some(moved) = self.older.get_mut(&id) {
                moved.story = story;
            }
            let followers = self
                .older
                .iter()
                .filter(|(_, o)| o.link.is_some_and(|l| l.to.0 == id));
            to_move.extend(followers.map(|(id, _)| *id));
        }
        link.map_or(0, |l| l.shared)
    }

    /// The article is a digest. Answers with the story that it leaves.
    pub(crate) fn mark_digest(&mut self, article: i64) -> Option<StoryId> {
        let story = self.older.get(&article)?.story;
        self.leave(article, StoryId(article));
        self.older.get_mut(&article)?.digest = true;
        Some(story)
    }

    /// Two stories are one.
    pub(crate) fn merge(&mut self, merge: &Merge) {
        for article in self.older.values_mut().filter(|a| a.story == merge.from) {
            article.story = merge.into;
        }
    }
}

/// Makes the candidates of these articles, as far as they are known, and passes them on; of their excerpts those that `counts` names.
pub(crate) fn with_candidates<T>(
    older: &HashMap<i64, Older<'_>>,
    articles: &[i64],
    counts: impl Fn(i64) -> bool,
    f: impl FnOnce(&[Candidate<'_>]) -> T,
) -> T {
    let known: Vec<(i64, &Older<'_>)> = articles
        .iter()
        .filter_map(|id| Some((*id, older.get(id)?)))
        .collect();
    let excerpts: Vec<Vec<Excerpt<'_>>> = known
        .iter()
        .map(|(_, article)| {
            let of_article = article.excerpts.iter().filter(|id| counts(**id));
            of_article
                .filter_map(|id| {
                    Some(Excerpt {
                        id: ArticleId(*id),
                        fingerprint: &older.get(id)?.fingerprint,
                    })
                })
                .collect()
        })
        .collect();
    let candidates: Vec<Candidate<'_>> = known
        .iter()
        .zip(&excerpts)
        .map(|((id, article), excerpts)| Candidate {
            id: ArticleId(*id),
            story: article.story,
            site: article.site.as_deref(),
            url_hash: article.url_hash,
            fingerprint: &article.fingerprint,
            times: article.times,
            link: article.link,
            digest: article.digest,
            excerpts,
        })
        .collect();
    f(&candidates)
}
