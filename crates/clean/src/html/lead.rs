//! What stands between the headline and the region of the article: its lead, and its dek.

use copydesk_article::{BlockKind, RuleId};

use super::page::{Elem, PageBlock};
use super::prose::{is_link_list, ratio};
use super::tags::{Flags, Tag};
use crate::normalise::key;
use crate::rules::Rules;

pub(super) const OUTSIDE_ARTICLE: RuleId = RuleId::of("outside-article");

/// The lead between the headline and the region: running text of the article that stands apart from it.
pub(super) fn keep_lead(elems: &[Elem], blocks: &mut [PageBlock], headline: Option<usize>, region: usize) {
    let Some(headline) = headline else { return };
    if headline >= region || region - headline > 60 {
        return;
    }
    let mut kept: Vec<usize> = Vec::new();
    for (i, block) in blocks.iter_mut().enumerate().take(region).skip(headline + 1) {
        let outside = block
            .draft
            .removed
            .as_ref()
            .is_some_and(|r| r.rule == OUTSIDE_ARTICLE);
        let apart = Flags::NAV
            .union(Flags::ASIDE)
            .union(Flags::HIDDEN)
            .union(Flags::FORM)
            .union(Flags::CARD)
            .union(Flags::FIGCAPTION)
            .union(Flags::FIGURE)
            .union(Flags::FOOTER);
        let text = matches!(
            block.tag,
            Tag::P | Tag::Div | Tag::H(_) | Tag::Section | Tag::Header | Tag::Article
        );
        let draft = &mut block.draft;
        let picture = matches!(draft.kind, BlockKind::Caption | BlockKind::Credit)
            && draft.words >= 3
            && !block.flags.has(
                Flags::NAV
                    .union(Flags::ASIDE)
                    .union(Flags::CARD)
                    .union(Flags::FOOTER),
            );
        if outside && picture {
            draft.removed = None;
            continue;
        }
        if outside
            && text
            && !block.flags.has(apart)
            && draft.is_prose()
            && ratio(draft.linked, draft.chars) < 0.3
        {
            draft.removed = None;
            draft.kind = BlockKind::Body;
            kept.push(i);
        }
    }
    for pair in kept.windows(2) {
        if let [first, second] = pair {
            keep_between(elems, blocks, *first, *second);
        }
    }
}

/// What stands between two paragraphs of one element is of the article as they are: its headings and lists.
fn keep_between(elems: &[Elem], blocks: &mut [PageBlock], first: usize, second: usize) {
    let parent = |i: usize| blocks.get(i).and_then(|b| elems.get(b.elem)?.parent);
    let Some(piece) = parent(first).filter(|p| parent(second) == Some(*p)) else {
        return;
    };
    let within = |mut at: usize| loop {
        if at == piece {
            return true;
        }
        match elems.get(at).and_then(|e| e.parent) {
            Some(parent) => at = parent,
            None => return false,
        }
    };
    for block in blocks.iter_mut().take(second).skip(first + 1) {
        let draft = &mut block.draft;
        let outside = draft.removed.as_ref().is_some_and(|r| r.rule == OUTSIDE_ARTICLE);
        if outside && within(block.elem) && !is_link_list(draft) {
            draft.put_back();
        }
    }
}

/// A longer one is the first paragraph, in words.
const LONGEST_DEK: usize = 60;

/// The dek: between the headline and the first paragraph, marked as one or saying what the page's
/// description says.
pub(super) fn mark_dek(
    blocks: &mut [PageBlock],
    headline: Option<usize>,
    region: usize,
    description: Option<&str>,
    rules: &Rules,
) {
    let calls_teaser = |widget: u16| {
        let rule = rules.widgets.get(usize::from(widget));
        rule.is_some_and(|r| matches!(r.as_str(), "related-widget" | "tags-widget"))
    };
    let said = description.and_then(key);
    let from = headline.map_or(region.saturating_sub(12), |h| h + 1);
    let from = from.min(region.max(from));
    let first = blocks
        .iter()
        .enumerate()
        .skip(region.max(from))
        .find(|(_, b)| {
            b.draft.is_kept()
                && b.draft.kind == BlockKind::Body
                && b.draft.is_prose()
                && !b.flags.has(Flags::DEK)
        })
        .map_or(blocks.len(), |(i, _)| i);
    let rest: usize = blocks
        .iter()
        .skip(first)
        .filter(|b| b.draft.is_kept())
        .map(|b| b.draft.words)
        .sum();
    let mut left = (rest / 2).min(120);
    for (i, block) in blocks.iter_mut().enumerate().take(first).skip(from) {
        let draft = &mut block.draft;
        let outside = draft.removed.as_ref().is_some_and(|r| r.rule == OUTSIDE_ARTICLE);
        // Sites call the standfirst a teaser as well: a paragraph without links right under the headline.
        let teaser = headline.is_some_and(|h| i <= h + 4)
            && block.widget.is_some_and(calls_teaser)
            && matches!(block.tag, Tag::P | Tag::Div)
            && !block.flags.has(
                Flags::CARD
                    .union(Flags::ASIDE)
                    .union(Flags::NAV)
                    .union(Flags::FORM),
            )
            && draft.linked == 0
            && draft.is_prose();
        let marked = block.flags.has(Flags::DEK) && draft.words >= 4 && (draft.is_kept() || outside);
        let described = said.is_some() && said == Some(draft.key());
        if draft.words <= left.min(LONGEST_DEK)
            && (marked || described || teaser)
            && !block.flags.has(Flags::TABLE)
            && matches!(
                draft.kind,
                BlockKind::Body | BlockKind::SubHeadline | BlockKind::Boilerplate
            )
        {
            draft.removed = None;
            draft.kind = BlockKind::Dek;
            left -= draft.words;
        }
    }
}
