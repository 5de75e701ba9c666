//! What becomes of each message: in memory, in the order of offsets within each part of a flush, from what was read before. No I/O.

use std::borrow::Cow;

use copydesk_article::{ArticleId, StoryId};
use copydesk_dedup::{Decision, Merge, Params, PriorLink, Refusal, Relink, SiteEvidence, decide_at_site};

use crate::flush::decision_inputs::DecisionInputs;
use crate::flush::dispositions::Disposition;
use crate::flush::evidence::Older;
use crate::flush::site_memory::Cleaned;
use crate::flush::work::Work;

/// What a decision changes of older articles.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    /// A link is given up. `shared`: what it shared.
    Relink { relink: Relink, shared: u32 },
    /// An article is a digest: `released` leave it, and it leaves the story that it is in.
    Digest {
        article: ArticleId,
        story: StoryId,
        released: Vec<ArticleId>,
    },
    /// Two stories are one. `joined`: the article that the newcomer is linked to.
    Merge { merge: Merge, joined: ArticleId },
}

/// A step of a batch's decisions, in their order.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// A new article, with the article that it links to and that one's story as the decision knew it.
    New {
        article: ArticleId,
        link: Option<(ArticleId, StoryId)>,
    },
    /// A change to older articles that the article `cause` brings about.
    Change { cause: ArticleId, change: Change },
}

/// The outcome of [`decisions`].
pub(crate) struct Decided {
    /// For each work in order: the decision; `None` for a repeat.
    pub(crate) of_work: Vec<Option<Decision>>,
    /// For each work in order: an article of another story matches as well.
    pub(crate) between_stories: Vec<bool>,
    /// What becomes of stories, in order.
    pub(crate) steps: Vec<Step>,
}

/// Decides on every new article and version, in order. Articles of the batch see those before them.
pub(crate) fn decisions<'b>(
    works: &[Work<'b>],
    dispositions: &[Disposition],
    cleaned: &Cleaned,
    inputs: &mut DecisionInputs<'b>,
    params: &Params<'_>,
) -> Decided {
    let mut decided = Decided {
        of_work: Vec::with_capacity(works.len()),
        between_stories: Vec::with_capacity(works.len()),
        steps: Vec::new(),
    };
    for ((work, disposition), outcome) in works.iter().zip(dispositions).zip(&cleaned.of_work) {
        let (true, Some(outcome)) = (disposition.is_shown(), outcome) else {
            decided.of_work.push(None);
            decided.between_stories.push(false);
            continue;
        };
        let id = disposition.article(work.fresh);
        let is_new = matches!(disposition, Disposition::New { .. });
        let decision = one(work, id, is_new, &outcome.evidence, inputs, params);
        decided.between_stories.push(is_between(&decision, inputs));
        let steps = &mut decided.steps;
        if let Some(relink) = decision.relink {
            let shared = inputs.leave(relink.article.0, relink.new_story);
            steps.push(change(id, Change::Relink { relink, shared }));
        }
        remember(work, id, is_new, &decision, inputs);
        if is_new {
            let link = decision.link.map(|l| (l.to, l.story));
            let article = ArticleId(id);
            steps.push(Step::New { article, link });
        }
        changes_behind(id, &decision, inputs, steps);
        decided.of_work.push(Some(decision));
    }
    decided
}

fn change(cause: i64, change: Change) -> Step {
    let cause = ArticleId(cause);
    Step::Change { cause, change }
}

/// Digests and merges, which are carried out when the article is in its story.
fn changes_behind(id: i64, decision: &Decision, inputs: &mut DecisionInputs<'_>, steps: &mut Vec<Step>) {
    for digest in &decision.digests {
        for released in &digest.released {
            inputs.leave(released.0, StoryId(released.0));
        }
        let article = digest.article;
        if let Some(story) = inputs.mark_digest(article.0) {
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

/// A version is not linked: it is asked only which of its blocks are its site's own.
fn one(
    work: &Work<'_>,
    id: i64,
    is_new: bool,
    site: &SiteEvidence,
    inputs: &DecisionInputs<'_>,
    params: &Params<'_>,
) -> Decision {
    let mut owners: Vec<i64> = Vec::new();
    if is_new {
        owners.extend(
            work.searched_keys()
                .filter_map(|key| inputs.owners.get(&key).copied()),
        );
        let originals: Vec<i64> = owners
            .iter()
            .filter_map(|owner| inputs.older.get(owner)?.link.map(|l| l.to.0))
            .collect();
        owners.extend(originals);
        owners.sort_unstable();
        owners.dedup();
        owners.retain(|owner| *owner != id);
    }
    let subject = work.subject(id);
    // Owners of this batch are known only if they came before.
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
        .any(|(id, _)| inputs.older.get(&id.0).map(|o| o.story) != story)
}

/// The articles behind see this one as if it had been read from the database.
fn remember<'b>(
    work: &Work<'b>,
    id: i64,
    is_new: bool,
    decision: &Decision,
    inputs: &mut DecisionInputs<'b>,
) {
    let fingerprint = decision.kept(work.fingerprint());
    match inputs.older.get_mut(&id) {
        // A version keeps its article's place.
        Some(older) => {
            older.fingerprint = fingerprint;
            older.times = work.times;
        }
        // Nobody in this batch shares a key with it.
        None if !is_new => {}
        None => {
            let older = Older {
                story: decision.link.map_or(StoryId(id), |l| l.story),
                site: work.site.map(Cow::Borrowed),
                url_hash: work.url_hash,
                fingerprint,
                link: decision.link.map(|l| PriorLink {
                    to: l.to,
                    shared: l.shared,
                }),
                digest: decision.digest,
                excerpts: Vec::new(),
                times: work.times,
            };
            inputs.older.insert(id, older);
            if let Some(link) = &decision.link {
                inputs.note_link(id, link);
            }
        }
    }
}
