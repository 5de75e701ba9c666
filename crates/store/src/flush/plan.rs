//! The decisions of a flush: in memory, in the order of offsets, from what was read before. No I/O.

use std::borrow::Cow;

use copydesk_article::{ArticleId, StoryId};
use copydesk_dedup::{Decision, Merge, Params, PriorLink, Refusal, Relink, SiteEvidence, decide_at_site};

use crate::flush::decision_inputs::DecisionInputs;
use crate::flush::dispositions::Disposition;
use crate::flush::evidence::StoredArticle;
use crate::flush::pending_article::PendingArticle;
use crate::flush::site_memory::Cleaned;
use crate::rows::distinct;

/// A change to older articles that a decision asks for.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    /// A link is given up. `shared`: the number of shingles that it shared.
    Relink { relink: Relink, shared: u32 },
    /// An article is a digest: it leaves its story, and the articles `released` give up their links to it.
    Digest {
        article: ArticleId,
        story: StoryId,
        released: Vec<ArticleId>,
    },
    /// Two stories are one. `joined`: the article that the new one is linked to.
    Merge { merge: Merge, joined: ArticleId },
}

/// One step of carrying out a batch's decisions.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// A new article, with the article that it is linked to and that article's story at the time of the
    /// decision.
    New {
        article: ArticleId,
        link: Option<(ArticleId, StoryId)>,
    },
    /// A change to older articles; the article `cause` brought it about.
    Change { cause: ArticleId, change: Change },
}

/// The outcome of [`decisions`].
pub(crate) struct Decided {
    /// For each article of the batch in order: the decision; `None` for a repeat.
    pub(crate) decisions: Vec<Option<Decision>>,
    /// For each article of the batch in order: whether an article of another story matches as well.
    pub(crate) between_stories: Vec<bool>,
    /// How the stories change, in order.
    pub(crate) steps: Vec<Step>,
}

/// Decides on every new article and version, in order. Articles of the batch see those before them.
pub(crate) fn decisions<'b>(
    batch: &[PendingArticle<'b>],
    dispositions: &[Disposition],
    cleaned: &Cleaned,
    inputs: &mut DecisionInputs<'b>,
    params: &Params<'_>,
) -> Decided {
    let mut decided = Decided {
        decisions: Vec::with_capacity(batch.len()),
        between_stories: Vec::with_capacity(batch.len()),
        steps: Vec::new(),
    };
    for ((pending, disposition), outcome) in batch.iter().zip(dispositions).zip(&cleaned.outcomes) {
        let (true, Some(outcome)) = (disposition.is_shown(), outcome) else {
            decided.decisions.push(None);
            decided.between_stories.push(false);
            continue;
        };
        let id = disposition.article(pending.fresh);
        let is_new = matches!(disposition, Disposition::New { .. });
        let decision = one(pending, id, is_new, &outcome.evidence, inputs, params);
        decided.between_stories.push(is_between(&decision, inputs));
        let steps = &mut decided.steps;
        if let Some(relink) = decision.relink {
            let shared = inputs.leave(relink.article, relink.new_story);
            steps.push(change(id, Change::Relink { relink, shared }));
        }
        remember(pending, id, is_new, &decision, inputs);
        if is_new {
            let link = decision.link.map(|l| (l.to, l.story));
            steps.push(Step::New { article: id, link });
        }
        changes_behind(id, &decision, inputs, steps);
        decided.decisions.push(Some(decision));
    }
    decided
}

fn change(cause: ArticleId, change: Change) -> Step {
    Step::Change { cause, change }
}

/// Adds the digests and merges: they are carried out after the article has joined its story.
fn changes_behind(
    id: ArticleId,
    decision: &Decision,
    inputs: &mut DecisionInputs<'_>,
    steps: &mut Vec<Step>,
) {
    for digest in &decision.digests {
        for released in &digest.released {
            inputs.leave(*released, StoryId(released.0));
        }
        let article = digest.article;
        if let Some(story) = inputs.mark_digest(article) {
            let digest = Change::Digest {
                article,
                story,
                released: digest.released.clone(),
            };
            steps.push(change(id, digest));
        }
    }
    let Some(link) = &decision.link else { return };
    for merge in &decision.merges {
        inputs.merge(merge);
        let (merge, joined) = (*merge, link.to);
        steps.push(change(id, Change::Merge { merge, joined }));
    }
}

/// The decision on one article. A version has no candidates: its decision only says which of its blocks are
/// its site's own.
fn one(
    pending: &PendingArticle<'_>,
    id: ArticleId,
    is_new: bool,
    site: &SiteEvidence,
    inputs: &DecisionInputs<'_>,
    params: &Params<'_>,
) -> Decision {
    let mut owners: Vec<ArticleId> = Vec::new();
    if is_new {
        owners.extend(
            pending
                .searched_keys()
                .filter_map(|key| inputs.owners.get(&key).copied()),
        );
        let originals: Vec<ArticleId> = owners
            .iter()
            .filter_map(|owner| inputs.older.get(owner)?.link.map(|l| l.to))
            .collect();
        owners.extend(originals);
        owners = distinct(owners.into_iter().filter(|owner| *owner != id));
    }
    let subject = pending.subject(id);
    // Owners of the same batch are among the candidates if they came before this article.
    inputs.with_candidates(&owners, |candidates| {
        decide_at_site(&subject, candidates, site, params)
    })
}

/// Whether an article of another story matches as well.
fn is_between(decision: &Decision, inputs: &DecisionInputs<'_>) -> bool {
    let story = decision.link.map(|l| l.story);
    decision
        .refusals
        .iter()
        .filter(|(_, why)| *why == Refusal::NotBest)
        .any(|(id, _)| inputs.older.get(id).map(|o| o.story) != story)
}

/// Adds the article to the inputs: the articles behind it see it as if it had been read from the database.
fn remember<'b>(
    pending: &PendingArticle<'b>,
    id: ArticleId,
    is_new: bool,
    decision: &Decision,
    inputs: &mut DecisionInputs<'b>,
) {
    let fingerprint = decision.kept(pending.fingerprint());
    match inputs.older.get_mut(&id) {
        // A version stays in its article's story.
        Some(older) => {
            older.fingerprint = fingerprint;
            older.times = pending.times;
        }
        // Nobody in this batch shares a key with it.
        None if !is_new => {}
        None => {
            let older = StoredArticle {
                story: decision.link.map_or(StoryId(id.0), |l| l.story),
                site: pending.site.map(Cow::Borrowed),
                url_hash: pending.url_hash,
                fingerprint,
                link: decision.link.map(|l| PriorLink {
                    to: l.to,
                    shared: l.shared,
                }),
                digest: decision.digest,
                excerpts: Vec::new(),
                copies: Vec::new(),
                times: pending.times,
            };
            inputs.older.insert(id, older);
            if let Some(link) = &decision.link {
                inputs.note_link(id, link);
            }
        }
    }
}
