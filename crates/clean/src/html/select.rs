//! Where the article is on the page, and which blocks around and in it are not part of it.
//!
//! 1. [`super::claims`]: which elements are widgets, forms, captions, as far as the page bears it out.
//! 2. [`super::prose`]: every other block weighs as much as it reads like running text.
//! 3. The region: from the article that holds the headline, or the page, down to the child that holds
//!    nearly all of the weight, again and again, until the weight is spread over several children.
//! 4. Blocks in the region are judged one by one: link lists, asides, forms.

use copydesk_article::{BlockKind, RuleId};

use super::claims;
use super::code::is_code;
use super::lead::{OUTSIDE_ARTICLE, keep_lead, mark_dek};
use super::linked::{self, LINK_LIST};
use super::page::{Elem, Page, PageBlock};
use super::prose::{is_link_list, placed_prose, subtree};
use super::tags::{Flags, Tag};
use super::talk;
use super::weigh::{self, Plain};
use crate::normalise::key;
use crate::rules::Rules;

const TEASER_CARD: RuleId = RuleId::of("teaser-card");
const PAGE_CHROME: RuleId = RuleId::of("page-chrome");
const HIDDEN: RuleId = RuleId::of("hidden");
const ASIDE: RuleId = RuleId::of("aside");
const CODE: RuleId = RuleId::of("code");

/// A child that holds this share of the weight is descended into.
const DOMINANT: f64 = 0.85;
/// The same for a child that is marked as the article or its body, or holds the headline.
const DOMINANT_MARKED: f64 = 0.6;

/// What is known of the article before its blocks are judged.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Known<'k> {
    pub(crate) title: Option<&'k str>,
    pub(crate) dek: Option<&'k str>,
}

/// The region of the article.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Region {
    pub(crate) elem: usize,
    /// The block of the headline.
    pub(crate) headline: Option<usize>,
}

/// Judges every block of the page: those that are not part of the article are marked as removed.
pub(crate) fn select(page: &mut Page, known: Known<'_>, rules: &Rules) -> Region {
    talk::mark(page, rules);
    claims::settle(page, &rules.names);
    linked::mark_teasers(&page.elems, &mut page.blocks);
    let weights: Vec<f64> = page.blocks.iter().map(placed_prose).collect();
    let headline = find_headline(&page.blocks, known.title);
    let region = find_region(&page.elems, &page.blocks, &weights, headline);
    let range = page
        .elems
        .get(region.elem)
        .map_or(0..0, |e| e.first_block..e.end_block);
    let verdicts: Vec<Option<RuleId>> = page
        .blocks
        .iter()
        .enumerate()
        .map(|(i, block)| judge(block, range.contains(&i), rules))
        .collect();
    let mut verdicts = verdicts;
    linked::keep_announced_lists(&page.blocks, &mut verdicts, rules);
    linked::keep_linked_headings(&page.elems, &page.blocks, range.clone(), &mut verdicts);
    linked::keep_linked_entries(&page.elems, &page.blocks, &mut verdicts);
    let doubted: Vec<bool> = verdicts.iter().map(Option::is_some).collect();
    let plain = Plain::of(&page.blocks, range.clone());
    let found = weigh::weigh(page, &doubted, plain, rules);
    for (i, (block, verdict)) in page.blocks.iter_mut().zip(&verdicts).enumerate() {
        let Some(rule) = verdict else { continue };
        if range.contains(&i) && *rule != CODE {
            weigh::takes_out(block, rule, found.get(i).copied().unwrap_or_default(), rules);
        } else {
            block.draft.remove(rule, None);
        }
    }
    if let Some(i) = headline
        && let Some(block) = page.blocks.get_mut(i)
    {
        block.draft.removed = None;
        block.draft.kind = BlockKind::Headline;
    }
    keep_lead(&page.elems, &mut page.blocks, headline, range.start);
    mark_dek(&mut page.blocks, headline, range.start, known.dek, rules);
    region
}

/// The block that says the article's title: a heading that says it, else the first of the highest level.
fn find_headline(blocks: &[PageBlock], title: Option<&str>) -> Option<usize> {
    let wanted = title.and_then(key);
    let heading = |b: &PageBlock, most: u8| matches!(b.tag, Tag::H(n) if n <= most);
    blocks
        .iter()
        .position(|b| wanted.is_some() && Some(b.draft.key()) == wanted && heading(b, 6))
        .or_else(|| {
            blocks.iter().position(|b| {
                heading(b, 1) && b.draft.words >= 3 && !b.flags.has(Flags::NAV.union(Flags::HIDDEN))
            })
        })
}

fn find_region(elems: &[Elem], blocks: &[PageBlock], weights: &[f64], headline: Option<usize>) -> Region {
    let sums = subtree(elems, blocks, weights);
    let sum = |i: usize| sums.get(i).copied().unwrap_or(0.0);
    let total = sum(0);
    // The child with the most weight, for every element.
    let mut best: Vec<Option<usize>> = vec![None; elems.len()];
    // The weight within the outermost elements that are marked as a body.
    let mut marked = vec![0.0_f64; elems.len()];
    for i in (0..elems.len()).rev() {
        let Some(elem) = elems.get(i) else { continue };
        if elem.hints.body
            && let Some(slot) = marked.get_mut(i)
        {
            *slot = sum(i);
        }
        let inner = marked.get(i).copied().unwrap_or(0.0);
        let Some(parent) = elem.parent else { continue };
        if let Some(slot) = marked.get_mut(parent) {
            *slot += inner;
        }
        if let Some(slot) = best.get_mut(parent)
            && slot.is_none_or(|b| sum(i) >= sum(b))
        {
            *slot = Some(i);
        }
    }
    let mut at = own_article(elems, blocks, &sums, headline)
        .or_else(|| marked_body(elems, &sums, total))
        .unwrap_or(0);
    while let Some(child) = best.get(at).copied().flatten() {
        let (own, theirs) = (sum(at), sum(child));
        let is_marked = elems
            .get(child)
            .is_some_and(|e| e.hints.body || e.tag == Tag::Article);
        let leaf = elems.get(child).is_some_and(|e| {
            matches!(
                e.tag,
                Tag::P | Tag::Li | Tag::Row | Tag::Cell | Tag::Inline | Tag::A | Tag::Strong
            )
        });
        // A body that is cut in pieces by adverts is not left for one of its pieces.
        let pieces = |i: usize| marked.get(i).copied().unwrap_or(0.0);
        let in_pieces = pieces(at) - pieces(child) > 0.08 * own;
        let holds = |h: usize| {
            elems
                .get(child)
                .is_some_and(|e| (e.first_block..e.end_block).contains(&h))
        };
        // The column of the headline goes before those beside it.
        let holds_headline = headline.is_some_and(holds);
        let enough = if (is_marked || holds_headline) && !in_pieces {
            DOMINANT_MARKED
        } else {
            DOMINANT
        };
        if theirs < enough * own || theirs <= 0.0 || leaf {
            break;
        }
        at = child;
    }
    Region { elem: at, headline }
}

/// On a page of several articles the one that holds the headline.
fn own_article(elems: &[Elem], blocks: &[PageBlock], sums: &[f64], headline: Option<usize>) -> Option<usize> {
    let sum = |i: usize| sums.get(i).copied().unwrap_or(0.0);
    let mut at = blocks.get(headline?)?.elem;
    let mut found = None;
    loop {
        let elem = elems.get(at)?;
        if elem.tag == Tag::Article {
            found = Some(at);
        }
        let Some(parent) = elem.parent else { break };
        at = parent;
    }
    let found = found?;
    // Other articles that are stories: those that are pieces of this one count for nothing.
    let (mut stories, mut last_end) = (0.0, 0);
    for (i, elem) in elems.iter().enumerate() {
        if elem.tag == Tag::Article && elem.first_block >= last_end && i != found {
            if is_story(elem, blocks) {
                stories += sum(i);
            }
            last_end = elem.end_block;
        } else if i == found {
            last_end = elem.end_block;
        }
    }
    let rest = sum(0) - sum(found);
    let alone = stories > 0.6 * rest;
    (sum(found) > 25.0 && alone && rest > 0.0).then_some(found)
}
/// Whether a block is the row of a table with several cells: what it says stays, though each cell is a link.
fn is_row(block: &PageBlock) -> bool {
    block.flags.has(Flags::TABLE) && block.draft.text.contains(" | ")
}

/// A heading of so many words is a headline.
const HEADLINE_WORDS: usize = 3;

/// Whether an article beside the own one is another story: it has a headline, or is mostly links. Others are pieces of one
/// article: its steps, the posts of a live blog.
fn is_story(article: &Elem, blocks: &[PageBlock]) -> bool {
    let held = blocks
        .get(article.first_block..article.end_block)
        .unwrap_or_default();
    let headline = |b: &PageBlock| {
        matches!(b.tag, Tag::H(_)) && (b.draft.words >= HEADLINE_WORDS || is_link_list(&b.draft))
    };
    let chars: usize = held.iter().map(|b| b.draft.chars).sum();
    let linked: usize = held.iter().map(|b| b.draft.linked).sum();
    held.iter().any(headline) || linked * 2 >= chars
}

/// The element that is marked as the article's body, if it holds half of the weight.
fn marked_body(elems: &[Elem], sums: &[f64], total: f64) -> Option<usize> {
    let mut found = None;
    let mut most = 0.5 * total;
    for (i, elem) in elems.iter().enumerate() {
        let sum = sums.get(i).copied().unwrap_or(0.0);
        if elem.hints.body && sum > most {
            most = sum;
            found = Some(i);
        }
    }
    found
}

/// The rule of elements that speaks against a block, if one does.
fn judge(block: &PageBlock, inside: bool, rules: &Rules) -> Option<RuleId> {
    let rule = if let Some(widget) = block.widget {
        return rules.widgets.get(usize::from(widget)).cloned();
    } else if !inside {
        OUTSIDE_ARTICLE
    } else if block
        .flags
        .has(Flags::NAV.union(Flags::FORM).union(Flags::BUTTON))
    {
        PAGE_CHROME
    } else if block.flags.has(Flags::HIDDEN) {
        HIDDEN
    } else if block.flags.has(Flags::ASIDE) {
        ASIDE
    } else if block.flags.has(Flags::CARD) {
        TEASER_CARD
    } else if is_code(block) {
        CODE
    } else if is_link_list(&block.draft) && !weigh::is_data(block) && !is_row(block) {
        LINK_LIST
    } else {
        return None;
    };
    Some(rule)
}
