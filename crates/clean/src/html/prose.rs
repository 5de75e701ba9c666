//! How much of a page reads as running text, and where.

use super::page::{Elem, PageBlock};
use super::tags::{Flags, Tag};
use crate::draft::{Draft, End};

/// How much a block reads like running text, in words, by its text alone.
pub(crate) fn plain_prose(block: &PageBlock) -> f64 {
    let d = &block.draft;
    if d.chars == 0 || matches!(block.tag, Tag::H(_)) {
        return 0.0;
    }
    let sentence = d.words >= 8 && matches!(d.end, End::Sentence | End::Colon);
    if !sentence && d.words < 25 {
        return 0.0;
    }
    let plain = 1.0 - ratio(d.linked, d.chars);
    let tag = match block.tag {
        Tag::P => 1.0,
        Tag::Li => 0.4,
        Tag::Cell | Tag::Row | Tag::Table => 0.5,
        _ => 0.8,
    };
    let words = f64::from(u32::try_from(d.words.min(150)).unwrap_or(0));
    words * plain * plain * tag
}

/// The same, with where it stands taken into account.
pub(crate) fn placed_prose(block: &PageBlock) -> f64 {
    if is_chrome(block) || block.flags.has(Flags::FIGCAPTION.union(Flags::HEADING)) {
        return 0.0;
    }
    let place = if block.flags.has(Flags::FOOTER.union(Flags::ASIDE)) {
        0.3
    } else if block.flags.has(Flags::HIDDEN) {
        0.5
    } else {
        1.0
    };
    plain_prose(block) * place
}

/// Whether a block stands in a widget or in an element that takes text out.
fn is_chrome(block: &PageBlock) -> bool {
    block.widget.is_some()
        || block
            .flags
            .has(Flags::NAV.union(Flags::FORM).union(Flags::BUTTON))
}

/// Weights of elements: their blocks' weights and their descendants'.
pub(crate) fn subtree(elems: &[Elem], blocks: &[PageBlock], weights: &[f64]) -> Vec<f64> {
    let mut sums = vec![0.0; elems.len()];
    for (block, weight) in blocks.iter().zip(weights) {
        if let Some(sum) = sums.get_mut(block.elem) {
            *sum += weight;
        }
    }
    for i in (0..elems.len()).rev() {
        let Some(parent) = elems.get(i).and_then(|e| e.parent) else {
            continue;
        };
        let own = sums.get(i).copied().unwrap_or(0.0);
        if let Some(sum) = sums.get_mut(parent) {
            *sum += own;
        }
    }
    sums
}

pub(crate) fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    f64::from(u32::try_from(part).unwrap_or(u32::MAX)) / f64::from(u32::try_from(whole).unwrap_or(u32::MAX))
}

/// A line that is mostly a link and no sentence: a teaser, or an entry of a list of links.
pub(crate) fn is_link_list(draft: &Draft) -> bool {
    let linked = ratio(draft.linked, draft.chars);
    if draft.is_prose() && draft.end == End::Sentence {
        return false;
    }
    linked > 0.85 || (linked > 0.5 && draft.end == End::Open && draft.words <= 30)
}
