//! The guards: pairs that share enough words and are no copies all the same.

use copydesk_article::{Fingerprint, MarkKind, ParagraphMark, Relation};

use crate::overlap::Overlap;
use crate::params::Params;

/// Spread guard. A weak match must lie in several paragraphs of both texts: a quotation, or one paragraph
/// pasted into another article, does not make the two one story.
pub(crate) fn is_spread(overlap: &Overlap, params: &Params<'_>) -> bool {
    if overlap.jaccard() >= params.spread_jaccard || overlap.containment() >= params.spread_containment {
        return true;
    }
    let least = if overlap.sampled { 1 } else { 2 };
    let paragraphs = |counts: &[u16; 256]| counts.iter().filter(|n| **n >= least).count();
    paragraphs(&overlap.in_a) >= params.spread_paragraphs
        && paragraphs(&overlap.in_b) >= params.spread_paragraphs
}

/// Template guard. Weather reports, market summaries and match results share their words and differ in
/// their numbers and names. Looks at the shared paragraphs of the shorter text.
pub(crate) fn marks_agree(a: &Fingerprint, b: &Fingerprint, overlap: &Overlap, params: &Params<'_>) -> bool {
    if overlap.containment() >= params.marks_containment {
        return true;
    }
    let (shorter, counts, longer) = if overlap.a_is_shorter() {
        (a, &overlap.in_a, b)
    } else {
        (b, &overlap.in_b, a)
    };
    let least = if overlap.sampled { 1 } else { 2 };
    let (mut numbers, mut names) = ([0_usize; 2], [0_usize; 2]);
    for mark in shorter
        .marks
        .iter()
        .filter(|m| counts[m.paragraph as usize] >= least)
    {
        let tally = match mark.kind {
            MarkKind::Number => &mut numbers,
            MarkKind::Name => &mut names,
        };
        tally[0] += 1;
        tally[1] += usize::from(has_mark(&longer.marks, mark));
    }
    if numbers[0] < params.min_numbers {
        return true;
    }
    let share = |[all, found]: [usize; 2]| if all == 0 { 0.0 } else { found as f64 / all as f64 };
    share(numbers) >= params.numbers_agree || share(names) >= params.names_agree
}

/// Whether the word is in the text as the same kind of mark, in any paragraph.
fn has_mark(marks: &[ParagraphMark], mark: &ParagraphMark) -> bool {
    let from = marks.partition_point(|m| m.hash < mark.hash);
    marks
        .iter()
        .skip(from)
        .take_while(|m| m.hash == mark.hash)
        .any(|m| m.kind == mark.kind)
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
