//! The guards: pairs that share enough words and are no copies all the same.

use copydesk_article::{Fingerprint, MarkKind, ParagraphMark, Relation, jaccard_of_words};

use crate::decide::Refusal;
use crate::overlap::Overlap;
use crate::params::Params;

/// Spread guard. A weak match must lie in several paragraphs of both texts: a quotation, or one paragraph
/// pasted into another article, does not make the two one story. Under nearly the same title one is enough: that
/// is a copy cut down to its lead.
pub(crate) fn is_spread(a: &Fingerprint, b: &Fingerprint, overlap: &Overlap, params: &Params<'_>) -> bool {
    if !is_weak(overlap, params) || title_likeness(a, b) >= params.same_title {
        return true;
    }
    let least = overlap.least_in_paragraph();
    let paragraphs = |counts: &[u16; 256]| counts.iter().filter(|n| **n >= least).count();
    paragraphs(&overlap.in_a) >= params.spread_paragraphs
        && paragraphs(&overlap.in_b) >= params.spread_paragraphs
}

/// Extent guard. Where the titles have nothing in common, a weak match must run through most of the shorter
/// text: several paragraphs pasted into another article do not make the two one story either.
///
/// A copy that was cut, edited or scanned badly shares something in nearly all of its paragraphs; one that
/// only lent some of them does not.
pub(crate) fn is_extensive(a: &Fingerprint, b: &Fingerprint, overlap: &Overlap, params: &Params<'_>) -> bool {
    if !is_weak(overlap, params) || title_likeness(a, b) >= params.like_title {
        return true;
    }
    extent(a, b, overlap) >= params.extent
}

/// Whether little is shared, but all over the shorter text: a copy in which words were changed throughout, by an
/// editor or by a scanner. Texts on one subject share as much, but not in every paragraph.
pub(crate) fn is_even(a: &Fingerprint, b: &Fingerprint, overlap: &Overlap, params: &Params<'_>) -> bool {
    overlap.containment() >= params.even_containment && extent(a, b, overlap) >= params.even_extent
}

/// Share of the shorter text that lies in paragraphs which share something, 0 to 1.
fn extent(a: &Fingerprint, b: &Fingerprint, overlap: &Overlap) -> f64 {
    let (shorter, counts) = shorter(a, b, overlap);
    let least = overlap.least_in_paragraph();
    let covered = shorter
        .shingles
        .iter()
        .filter(|s| counts[s.paragraph as usize] >= least)
        .count();
    covered as f64 / shorter.shingles.len().max(1) as f64
}

/// Same-site guard. Two articles of one site share furniture that site memory may not know yet, or never will
/// because it changes from page to page. Below a high similarity their titles must be alike, and on a site
/// without memory that is not enough where one has no title.
pub(crate) fn same_site(
    a: &Fingerprint,
    b: &Fingerprint,
    overlap: &Overlap,
    young: bool,
    params: &Params<'_>,
) -> Option<Refusal> {
    if overlap.jaccard() >= params.same_site_jaccard {
        return None;
    }
    if young {
        return Some(Refusal::YoungSite);
    }
    let known = !a.title_words.is_empty() && !b.title_words.is_empty();
    (known && title_likeness(a, b) < params.like_title).then_some(Refusal::UnlikeTitle)
}

fn is_weak(overlap: &Overlap, params: &Params<'_>) -> bool {
    overlap.jaccard() < params.weak_jaccard && overlap.containment() < params.weak_containment
}

fn title_likeness(a: &Fingerprint, b: &Fingerprint) -> f64 {
    jaccard_of_words(&a.title_words, &b.title_words)
}

/// The shorter text and where in it the shared shingles are.
fn shorter<'x>(
    a: &'x Fingerprint,
    b: &'x Fingerprint,
    overlap: &'x Overlap,
) -> (&'x Fingerprint, &'x [u16; 256]) {
    if overlap.a_is_shorter() {
        (a, &overlap.in_a)
    } else {
        (b, &overlap.in_b)
    }
}

/// Template guard. Weather reports, market summaries and match results share their words and differ in
/// their numbers and names. Looks at the shared paragraphs of the shorter text.
pub(crate) fn marks_agree(a: &Fingerprint, b: &Fingerprint, overlap: &Overlap, params: &Params<'_>) -> bool {
    if overlap.containment() >= params.marks_containment {
        return true;
    }
    let (shorter, counts) = shorter(a, b, overlap);
    let longer = if overlap.a_is_shorter() { b } else { a };
    let least = overlap.least_in_paragraph();
    let (mut numbers, mut all, mut found) = (0, 0, 0);
    for mark in shorter
        .marks
        .iter()
        .filter(|m| counts[m.paragraph as usize] >= least)
    {
        numbers += usize::from(mark.kind == MarkKind::Number);
        all += 1;
        found += usize::from(has_mark(&longer.marks, mark));
    }
    numbers < params.min_numbers || found as f64 >= params.marks_agree * f64::from(all)
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
