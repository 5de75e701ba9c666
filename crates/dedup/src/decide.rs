//! The decision: is this article a copy of one of these candidates, and of which?

use copydesk_article::{Fingerprint, Relation, StoryId};

use crate::compare::{Compared, compare};
use crate::decision::{Decision, Link, LinkReason, Refusal, Relink, Weighed};
use crate::digest;
use crate::inputs::{Candidate, Recent, Subject};
use crate::merges;
use crate::overlap::Overlap;
use crate::params::Params;
use crate::signs::signs;
use crate::site;

/// A candidate that the subject is a copy of.
pub(crate) struct Match<'m, 'c, 'a> {
    pub(crate) compared: &'m Compared<'c, 'a>,
    pub(crate) score: f64,
    reason: LinkReason,
}

/// Decides on one article. Pure: the same arguments give the same answer, and the order of `candidates` and
/// `recents` does not matter.
///
/// `candidates` are the owners of the subject's keys, in any order, each once. A candidate's own original may be
/// among them or not; it is looked at for a re-link. `recents` are the last [`crate::RECENTS`] articles of the
/// subject's site, as far as they are visible; none if the site is unknown.
pub fn decide(
    subject: &Subject<'_>,
    candidates: &[Candidate<'_>],
    recents: &[Recent<'_>],
    params: &Params<'_>,
) -> Decision {
    let dropped = site::own_blocks(subject, recents, params);
    let kept = site::without(subject.fingerprint, &dropped);
    let young = site::is_young(subject, recents, params);
    let (mut compared, mut refusals) = compare(subject, &kept, candidates, young, params);
    compared.sort_by_key(|c| c.candidate.id);

    let found = digest::among(subject, &kept, &compared, candidates, params);
    let mut weighed = Vec::with_capacity(compared.len());
    let mut matches: Vec<Match<'_, '_, '_>> = Vec::new();
    for compared in &compared {
        let id = compared.candidate.id;
        let score = params.weights.score(&signs(&compared.facts));
        weighed.push(Weighed {
            id,
            score,
            facts: compared.facts,
        });
        match reason(compared, score) {
            Some(LinkReason::Weighed) if shares_too_little(compared, params) => {
                refusals.push((id, Refusal::TooLittleShared));
            }
            None => refusals.push((id, Refusal::WeighedAgainst)),
            Some(LinkReason::SameBody) => matches.push(Match {
                compared,
                score: f64::INFINITY,
                reason: LinkReason::SameBody,
            }),
            Some(_) if found.holds_or_is_held(id) => refusals.push((id, Refusal::Digest)),
            Some(reason) => matches.push(Match {
                compared,
                score,
                reason,
            }),
        }
    }
    matches.sort_by(|a, b| {
        b.score
            .total_cmp(&a.score)
            .then(b.compared.overlap.shared.cmp(&a.compared.overlap.shared))
            .then(a.compared.candidate.id.cmp(&b.compared.candidate.id))
    });
    let (best, others) = match matches.split_first() {
        Some((best, others)) => (Some(best), others),
        None => (None, [].as_slice()),
    };
    refusals.extend(
        others
            .iter()
            .map(|other| (other.compared.candidate.id, Refusal::NotBest)),
    );
    refusals.sort_by_key(|(id, _)| *id);
    let relink = best.and_then(|best| relink(&kept, best, candidates, params));
    Decision {
        link: best.map(|best| best.link(relink)),
        digest: best.is_none() && found.subject_is_one,
        refusals,
        weighed,
        dropped,
        relink,
        merges: best.map_or_else(Vec::new, |best| merges::tied(best, others, relink.is_some())),
        digests: found.digests,
    }
}

/// Why the pair is one, if it is.
///
/// Equal bodies are certain. So are texts that are nearly whole in each other, without a number or a name that
/// differs: they join whenever they come and whatever their titles are.
fn reason(compared: &Compared<'_, '_>, score: f64) -> Option<LinkReason> {
    let facts = &compared.facts;
    let marks_agree = [
        facts.numbers,
        facts.names,
        facts.numbers_of_longer,
        facts.names_of_longer,
    ]
    .iter()
    .all(|marks| marks.agree == marks.of);
    if compared.same_body {
        Some(LinkReason::SameBody)
    } else if facts.jaccard >= NEARLY_WHOLE && marks_agree {
        Some(LinkReason::NearlyWhole)
    } else if score > 0.0 {
        Some(LinkReason::Weighed)
    } else {
        None
    }
}

fn shares_too_little(compared: &Compared<'_, '_>, params: &Params<'_>) -> bool {
    compared.facts.in_candidate.max(compared.facts.of_candidate) < params.least_contained
}

/// Jaccard similarity from which two texts are nearly whole in each other: nine tenths of each.
pub(crate) const NEARLY_WHOLE: f64 = 0.8;

impl Match<'_, '_, '_> {
    fn link(&self, relink: Option<Relink>) -> Link {
        let exact = self.reason == LinkReason::SameBody;
        let share = |value: f64| if exact { 1.0 } else { value };
        let overlap = &self.compared.overlap;
        let candidate = self.compared.candidate;
        Link {
            to: candidate.id,
            story: relink.map_or(candidate.story, |r| r.new_story),
            relation: if exact {
                Relation::ExactCopy
            } else {
                relation(overlap.a_in_b(), overlap.b_in_a())
            },
            similarity: share(overlap.jaccard()),
            in_linked: share(overlap.a_in_b()),
            of_linked: share(overlap.b_in_a()),
            shared: overlap.shared,
            score: self.score,
            reason: self.reason,
        }
    }
}

/// Whether the best match leaves its own original for the subject's sake.
///
/// An excerpt of a weak kind (some paragraphs of `p` in `j`) ties `j` to `p`; then the subject comes, shares more
/// with `j` and next to nothing with `p`: `j` was never of `p`'s story. Without this the subject's story and
/// `p`'s become one.
fn relink(
    kept: &Fingerprint,
    best: &Match<'_, '_, '_>,
    candidates: &[Candidate<'_>],
    params: &Params<'_>,
) -> Option<Relink> {
    let candidate = best.compared.candidate;
    let prior = candidate.link?;
    if prior.shared >= best.compared.overlap.shared {
        return None;
    }
    let original = candidates.iter().find(|c| c.id == prior.to)?;
    let with_original = Overlap::of(kept, original.fingerprint, params.common);
    (with_original.containment() < params.relink_containment).then_some(Relink {
        article: candidate.id,
        from: prior.to,
        old_story: candidate.story,
        new_story: StoryId(candidate.id.0),
    })
}

/// Names the relation by the two containments (subject in original, original in subject).
pub(crate) fn relation(in_linked: f64, of_linked: f64) -> Relation {
    if in_linked >= MOST && of_linked <= PART * in_linked {
        Relation::Excerpt
    } else if of_linked >= MOST && in_linked <= PART * of_linked {
        Relation::Contains
    } else {
        Relation::NearCopy
    }
}

/// "Most of it": the containment from which a text counts as taken from another.
const MOST: f64 = 0.6;
/// An excerpt is at most this fraction as long as what it was taken from.
const PART: f64 = 0.6;
