//! Stories that turn out to be one: copies that came before the article that they have in common.
//!
//! Two bad scans of one article share too little to be linked to each other. The second one founds a story; then the
//! article comes, and is a copy of both. Only whole copies tie stories together: chains of parts (an excerpt of one, pasted
//! into another) would make one story of thousands.

use copydesk_article::StoryId;

use crate::decision::Merge;
use crate::matches::Match;

/// Share of both texts that must lie in paragraphs which share something.
const WHOLE: f64 = 0.75;
/// How far above the threshold both ties must be.
const SURE: f64 = 1.0;
/// The longer text is at most so many times as long as the shorter one.
const LONGER: f64 = 1.5;

/// The stories of `others` that are one with that of the best match. None after a re-link: one change at a time.
pub(crate) fn tied(best: &Match<'_, '_, '_>, others: &[Match<'_, '_, '_>], relinked: bool) -> Vec<Merge> {
    let story = best.compared.candidate.story;
    if relinked || !is_whole(best) {
        return Vec::new();
    }
    let mut merges: Vec<Merge> = Vec::new();
    for other in others.iter().filter(|other| is_whole(other)) {
        let candidate = other.compared.candidate;
        let (from, into) = (candidate.story.max(story), candidate.story.min(story));
        if from == into || merges.iter().any(|m| same_stories(m, from, into)) {
            continue;
        }
        merges.push(Merge {
            from,
            into,
            tied_by: candidate.id,
        });
    }
    merges
}

fn same_stories(merge: &Merge, from: StoryId, into: StoryId) -> bool {
    merge.from == from && merge.into == into
}

/// Whether the subject and the candidate are copies of one whole, not of a part, and neither is a digest.
pub(crate) fn is_whole(tie: &Match<'_, '_, '_>) -> bool {
    let facts = &tie.compared.facts;
    let (shorter, longer) = (f64::from(facts.sizes.0), f64::from(facts.sizes.1));
    tie.score >= SURE
        && facts.extent.0 >= WHOLE
        && facts.extent.1 >= WHOLE
        && longer <= LONGER * shorter
        && !tie.compared.candidate.digest
}
