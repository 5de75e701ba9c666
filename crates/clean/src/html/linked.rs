//! Lines that are nothing but a link and belong to the article all the same: entries of a list that a paragraph announces,
//! headings that lead to what their section is about, single entries of a list. And text beside a heading that is a link to
//! another article.

use std::collections::HashMap;
use std::ops::Range;

use copydesk_article::{BlockKind, RuleId};

use super::page::{Elem, PageBlock};
use super::prose::ratio;
use super::tags::{Flags, Tag};
use crate::draft::{Draft, End};
use crate::fast::Fast;
use crate::rules::{Position, Rules};
use crate::text_signs::reads_as_prose;

pub(super) const LINK_LIST: RuleId = RuleId::of("link-list");

/// The fewest words of a paragraph that announces a list: fewer are a label.
const LEAST_ANNOUNCING: usize = 6;

/// The most entries of a list that a paragraph announces.
const MOST_ANNOUNCED: usize = 40;

/// A list of links belongs to the article where a paragraph that ends with a colon announces it and the article goes on
/// behind it.
pub(super) fn keep_announced_lists(blocks: &[PageBlock], verdicts: &mut [Option<RuleId>], rules: &Rules) {
    let plain = |i: usize| -> bool {
        let kept = verdicts.get(i).is_some_and(Option::is_none);
        kept && blocks
            .get(i)
            .is_some_and(|b| b.draft.is_prose() && !matches!(b.tag, Tag::H(_)))
    };
    let entry = |i: usize| -> bool {
        let listed = verdicts.get(i).is_some_and(|v| v.as_ref() == Some(&LINK_LIST));
        listed && blocks.get(i).is_some_and(|b| b.draft.kind == BlockKind::ListItem)
    };
    let mut announced = Vec::new();
    for (i, block) in blocks.iter().enumerate() {
        let draft = &block.draft;
        let announces = draft.end == End::Colon
            && draft.words >= LEAST_ANNOUNCING
            && !matches!(block.tag, Tag::H(_))
            && verdicts.get(i).is_some_and(Option::is_none)
            && draft.rule(rules, Position::Anywhere).is_none();
        if !announces {
            continue;
        }
        let end = (i + 1..blocks.len()).find(|j| !entry(*j)).unwrap_or(blocks.len());
        if end > i + 1 && end - i <= MOST_ANNOUNCED && plain(end) {
            announced.extend(i + 1..end);
        }
    }
    keep(&announced, verdicts);
}

/// The fewest paragraphs that stand beside a heading that is a link.
const LEAST_PARAGRAPHS: usize = 3;

/// A heading that is a link stays where the running text of the article stands beside it: it leads to what its section
/// is about ("1. The Blue Heron Inn"). Teasers stand in boxes of their own, or hold little of the text.
pub(super) fn keep_linked_headings(
    elems: &[Elem],
    blocks: &[PageBlock],
    region: Range<usize>,
    verdicts: &mut [Option<RuleId>],
) {
    let parent = |b: &PageBlock| elems.get(b.elem).and_then(|e| e.parent);
    let is_text = |i: usize, b: &PageBlock| {
        let kept = verdicts.get(i).is_some_and(Option::is_none);
        kept && b.draft.is_prose() && !matches!(b.tag, Tag::H(_))
    };
    let mut held: HashMap<usize, (usize, usize), Fast> = HashMap::default();
    let mut all = 0;
    for (i, block) in blocks.iter().enumerate().take(region.end).skip(region.start) {
        if is_text(i, block)
            && let Some(parent) = parent(block)
        {
            all += block.draft.words;
            let (paragraphs, words) = held.entry(parent).or_default();
            *paragraphs += 1;
            *words += block.draft.words;
        }
    }
    let mut kept = Vec::new();
    for (i, block) in blocks.iter().enumerate().take(region.end).skip(region.start) {
        let linked = verdicts.get(i).is_some_and(|v| v.as_ref() == Some(&LINK_LIST));
        if !linked || !matches!(block.tag, Tag::H(2..=6)) {
            continue;
        }
        let Some(within) = parent(block) else { continue };
        let holds_text = held
            .get(&within)
            .is_some_and(|(paragraphs, words)| *paragraphs >= LEAST_PARAGRAPHS && words * 2 >= all);
        let next = blocks.get(i + 1);
        if holds_text && next.is_some_and(|b| is_text(i + 1, b) && parent(b) == Some(within)) {
            kept.push(i);
        }
    }
    keep(&kept, verdicts);
}

/// An entry that is a link stays where most entries of its list are none: one word of a list is looked up elsewhere.
pub(super) fn keep_linked_entries(elems: &[Elem], blocks: &[PageBlock], verdicts: &mut [Option<RuleId>]) {
    let list = |b: &PageBlock| {
        let entry = b.draft.kind == BlockKind::ListItem;
        entry.then(|| elems.get(b.elem).and_then(|e| e.parent)).flatten()
    };
    // Of each list: the entries that nothing speaks against, and those that are links.
    let mut lists: HashMap<usize, (usize, Vec<usize>), Fast> = HashMap::default();
    for (i, (block, verdict)) in blocks.iter().zip(verdicts.iter()).enumerate() {
        let Some(list) = list(block) else { continue };
        match verdict {
            None => lists.entry(list).or_default().0 += 1,
            Some(rule) if *rule == LINK_LIST => lists.entry(list).or_default().1.push(i),
            Some(_) => {}
        }
    }
    let mut kept = Vec::new();
    for (plain, linked) in lists.values() {
        if *plain >= 2 && *plain > linked.len() {
            kept.extend(linked);
        }
    }
    keep(&kept, verdicts);
}

/// The most blocks of a teaser.
const LONGEST_TEASER: usize = 6;

/// Marks teasers whose link is not around them: in one element behind the text a heading that is a link, and text that ends
/// with a link to the same address ("Read on"). Half of such a text counts as linked.
pub(super) fn mark_teasers(elems: &[Elem], blocks: &mut [PageBlock]) {
    // Each with the end of the element around its own.
    let mut teasers: Vec<(usize, usize)> = Vec::new();
    for (i, heading) in blocks.iter().enumerate() {
        let [link] = heading.links.as_slice() else {
            continue;
        };
        let is_title = matches!(heading.tag, Tag::H(2..=6))
            && ratio(heading.draft.linked, heading.draft.chars) > 0.85
            && !heading.flags.has(Flags::CARD);
        let around = elems
            .get(heading.elem)
            .and_then(|e| e.parent)
            .and_then(|p| elems.get(p));
        let Some(around) = around.filter(|a| is_title && a.end_block - a.first_block <= LONGEST_TEASER)
        else {
            continue;
        };
        let behind = i + 1..around.end_block;
        let again = |b: &PageBlock| {
            b.links
                .last()
                .is_some_and(|l| l.url == link.url && l.end == b.draft.text.len())
        };
        let headings = |b: &PageBlock| matches!(b.tag, Tag::H(_));
        let texts = blocks.get(behind.clone()).unwrap_or_default();
        if texts.iter().any(again) && !texts.iter().any(headings) {
            let within = around.parent.and_then(|p| elems.get(p));
            let end = within.map_or(around.end_block, |e| e.end_block);
            teasers.extend(behind.map(|i| (i, end)));
        }
    }
    // Where the article goes on behind it, it is a section that leads to what it is about.
    let marked = teasers.clone();
    let plain = |i: usize| {
        let own = blocks
            .get(i)
            .filter(|b| reads_as_prose(&b.draft) && b.draft.linked * 2 < b.draft.chars);
        own.is_some() && marked.binary_search_by_key(&i, |(at, _)| *at).is_err()
    };
    teasers.retain(|(i, end)| !(*i..*end).any(plain));
    // A page that is made of such sections is no page of teasers.
    let words = |d: &Draft| if reads_as_prose(d) { d.words } else { 0 };
    let all: usize = blocks.iter().map(|b| words(&b.draft)).sum();
    let of_teasers = teasers.iter().filter_map(|(i, _)| blocks.get(*i));
    if of_teasers.map(|b| words(&b.draft)).sum::<usize>() * 3 > all {
        return;
    }
    for (i, _) in teasers {
        if let Some(block) = blocks.get_mut(i) {
            block.flags = block.flags.union(Flags::CARD);
            block.draft.linked = block.draft.linked.max(block.draft.chars.div_ceil(2));
        }
    }
}

fn keep(blocks: &[usize], verdicts: &mut [Option<RuleId>]) {
    for i in blocks {
        if let Some(verdict) = verdicts.get_mut(*i) {
            *verdict = None;
        }
    }
}
