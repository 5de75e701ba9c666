//! The decision: is this article a copy of one of these candidates, and of which?

use copydesk_article::StoryId;

use crate::compare::{Compared, compare};
use crate::decision::{Decision, LinkReason, Refusal, Relink, Weighed};
use crate::digest::{self, Digests};
use crate::inputs::{Candidate, Recent, Subject};
use crate::matches::{Match, reason};
use crate::merges;
use crate::overlap::{Indexed, Overlap};
use crate::params::Params;
use crate::series;
use crate::signs::signs;
use crate::site::SiteEvidence;

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
    let site = SiteEvidence::of(subject, recents, params);
    decide_at_site(subject, candidates, &site, params)
}

/// [`decide`] where the evidence of the site's articles was made before.
pub fn decide_at_site(
    subject: &Subject<'_>,
    candidates: &[Candidate<'_>],
    site: &SiteEvidence,
    params: &Params<'_>,
) -> Decision {
    let kept = site.kept(subject.fingerprint);
    let kept = Indexed::of(&kept);
    let (mut compared, mut refusals) = compare(subject, &kept, candidates, site.few_siblings, params);
    compared.sort_by_key(|c| c.candidate.id);

    let is_series = |one: &Compared<'_, '_>| series::is_other_filling(subject.id, kept.text, one, &compared);
    let found = digest::among(subject, kept.text, &compared, candidates, params);
    let mut weighed = Vec::with_capacity(compared.len());
    let mut matches: Vec<Match<'_, '_, '_>> = Vec::new();
    for compared in &compared {
        let id = compared.candidate.id;
        let score = params.weights.score(&signs(&compared.facts));
        let mut whole_copy = false;
        match judge(compared, score, &found, is_series, params) {
            Err(refusal) => refusals.push((id, refusal)),
            Ok(reason) => {
                let same_body = reason == LinkReason::SameBody;
                let score = if same_body { f64::INFINITY } else { score };
                let found = Match {
                    compared,
                    score,
                    reason,
                };
                whole_copy = merges::is_whole(&found);
                matches.push(found);
            }
        }
        weighed.push(Weighed {
            id,
            score,
            facts: compared.facts,
            whole_copy,
        });
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
        dropped: site.dropped.clone(),
        relink,
        merges: best.map_or_else(Vec::new, |best| merges::tied(best, others, relink.is_some())),
        digests: found.digests,
    }
}

/// Whether the candidate matches, and why it does or not.
fn judge(
    compared: &Compared<'_, '_>,
    score: f64,
    digests: &Digests,
    is_series: impl Fn(&Compared<'_, '_>) -> bool,
    params: &Params<'_>,
) -> Result<LinkReason, Refusal> {
    let contained = compared.facts.in_candidate.max(compared.facts.of_candidate);
    match reason(compared, score) {
        None => Err(Refusal::WeighedAgainst),
        Some(LinkReason::Weighed) if contained < params.least_contained => Err(Refusal::TooLittleShared),
        Some(LinkReason::SameBody) => Ok(LinkReason::SameBody),
        Some(_) if digests.holds_or_is_held(compared.candidate.id) => Err(Refusal::Digest),
        Some(_) if is_series(compared) => Err(Refusal::Series),
        Some(reason) => Ok(reason),
    }
}

/// Whether the best match leaves its own original for the subject's sake.
///
/// An excerpt of a weak kind (some paragraphs of `p` in `j`) ties `j` to `p`; then the subject comes, shares more
/// with `j` and next to nothing with `p`: `j` was never of `p`'s story. Without this the subject's story and
/// `p`'s become one.
fn relink(
    kept: &Indexed<'_>,
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
