//! One decision, ready to be made: what the bench of decisions and the count of their instructions have in common.

use copydesk_article::{ArticleId, Fingerprint, StoryId};
use copydesk_dedup::{Candidate, Decision, Params, Recent, Subject, Times, decide, fingerprint_parts};

use crate::Corpus;

/// Candidates of the article.
const CANDIDATES: usize = 4;
/// Recent articles of its site.
const RECENTS: usize = 20;

/// The first half of an article, with that article and three others as its candidates, and twenty recent articles of its site.
#[derive(Debug)]
pub struct DecisionInput {
    cut: Fingerprint,
    /// The candidates, the original first, and then the recent articles.
    others: Vec<Fingerprint>,
}

impl Default for DecisionInput {
    fn default() -> Self {
        let mut corpus = Corpus::new(3, false);
        let drafts: Vec<_> = (0..CANDIDATES + RECENTS).map(|_| corpus.article(3_000)).collect();
        let print = |title: &str, paragraphs: &[String]| {
            fingerprint_parts(Some(title), paragraphs.iter().map(String::as_str))
        };
        let cut = drafts.first().map(|d| {
            let (half, _) = d.paragraphs.split_at(d.paragraphs.len() / 2);
            print(&d.title, half)
        });
        Self {
            cut: cut.unwrap_or_else(|| print("", &[])),
            others: drafts.iter().map(|d| print(&d.title, &d.paragraphs)).collect(),
        }
    }
}

impl DecisionInput {
    /// Gives everything that the decision is made from to `work`.
    pub fn with<T>(&self, work: impl FnOnce(&dyn Fn() -> Decision) -> T) -> T {
        let (candidates, recents) = self.others.split_at(CANDIDATES.min(self.others.len()));
        let candidates: Vec<Candidate<'_>> = (1..)
            .zip(candidates)
            .map(|(id, fingerprint)| Candidate {
                id: ArticleId(id),
                story: StoryId(id),
                site: Some("a.example"),
                url_hash: Some(id.unsigned_abs()),
                times: Times::default(),
                fingerprint,
                link: None,
                digest: false,
                excerpts: &[],
                copies: &[],
            })
            .collect();
        let recents: Vec<Recent<'_>> = (10..)
            .zip(recents)
            .map(|(id, print)| Recent {
                id: ArticleId(id),
                url_hash: Some(id.unsigned_abs()),
                blocks: &print.blocks,
                title_words: &print.title_words,
            })
            .collect();
        let subject = Subject {
            id: ArticleId(100),
            site: Some("b.example"),
            url_hash: Some(100),
            times: Times::default(),
            fingerprint: &self.cut,
        };
        let params = Params::default();
        work(&|| decide(std::hint::black_box(&subject), &candidates, &recents, &params))
    }
}
