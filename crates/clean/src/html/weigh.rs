//! What the page says against its blocks, and whether it is enough.
//!
//! A block that reads as prose and stands between paragraphs that nothing speaks against goes only by two signs or more:
//! [`crate::signs`].

use copydesk_article::RuleId;

use super::page::{Elem, Page, PageBlock};
use super::prose::ratio;
use super::tags::{Flags, Tag};
use crate::rules::{Position, Rules};
use crate::signs::{Sign, Signs};
use crate::text_signs::{of_text, reads_as_prose};

/// The flags that speak against what stands in an element.
const AGAINST: Flags = Flags::ASIDE
    .union(Flags::HIDDEN)
    .union(Flags::CARD)
    .union(Flags::NAV)
    .union(Flags::FORM)
    .union(Flags::BUTTON);

/// The first and the last paragraph of a region that nothing speaks against.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plain {
    first: usize,
    last: usize,
}

impl Plain {
    /// `within`: the blocks of the region.
    pub(crate) fn of(blocks: &[PageBlock], within: std::ops::Range<usize>) -> Option<Self> {
        let plain = |b: &PageBlock| {
            let d = &b.draft;
            let tag = !matches!(b.tag, Tag::H(_)) && !b.flags.has(Flags::FIGCAPTION);
            tag && d.is_prose() && b.widget.is_none() && !b.flags.has(AGAINST) && d.linked * 2 < d.chars
        };
        let mut found: Option<Self> = None;
        for (i, _) in blocks
            .iter()
            .enumerate()
            .take(within.end)
            .skip(within.start)
            .filter(|(_, b)| plain(b))
        {
            found = Some(Self {
                first: found.map_or(i, |p| p.first),
                last: i,
            });
        }
        found
    }

    /// Whether a block stands before the first or behind the last of them.
    const fn is_outside(self, i: usize) -> bool {
        i < self.first || i > self.last
    }
}

/// What speaks for taking out each block that is doubted. `doubted`: the blocks that a rule of elements would take out.
pub(crate) fn weigh(page: &Page, doubted: &[bool], plain: Option<Plain>, rules: &Rules) -> Vec<Signs> {
    let mut boxes: Vec<Option<Signs>> = vec![None; page.elems.len()];
    page.blocks
        .iter()
        .enumerate()
        .map(|(i, block)| {
            if doubted.get(i) != Some(&true) || !reads_as_prose(&block.draft) && !is_data(block) {
                return Signs::default();
            }
            let named_alone = plain.is_some_and(|p| is_paragraph_beside(page, i, p));
            let mut found = of_text(&block.draft, rules);
            found.add_if(
                Sign::Phrase,
                block.draft.rule(rules, Position::Anywhere).is_some(),
            );
            found.add_if(
                Sign::Outside,
                !named_alone && plain.is_none_or(|p| p.is_outside(i)),
            );
            let beside = |j: Option<usize>| j.is_some_and(|j| doubted.get(j) == Some(&true));
            // The rest of an article behind a button is hidden as a whole: its paragraphs say nothing of each other.
            let apart = !block.flags.has(Flags::HIDDEN);
            found.add_if(
                Sign::Neighbour,
                apart && beside(i.checked_sub(1)) && beside(Some(i + 1)),
            );
            found.add_if(Sign::Aside, block.flags.has(Flags::ASIDE));
            found.add_if(Sign::Hidden, block.flags.has(Flags::HIDDEN));
            let controls = Flags::NAV.union(Flags::FORM).union(Flags::BUTTON);
            found.add_if(Sign::Controls, block.flags.has(controls));
            let is_paragraph = is_named_paragraph(page, block);
            if block.widget.is_some() {
                // A name that one paragraph among others has may be that of its looks.
                let sure = block.sure && (!is_paragraph || is_unseen(page, block, rules));
                found.add(if sure { Sign::SureName } else { Sign::Name });
            }
            if is_paragraph {
                found = found.without(&[Sign::Address, Sign::Contact, Sign::Label]);
            }
            if let Some(outer) = outermost(&page.elems, block.elem)
                && let Some(slot) = boxes.get_mut(outer)
            {
                let of_box = *slot.get_or_insert_with(|| box_signs(page, outer, rules));
                found = found.union(of_box);
            }
            found
        })
        .collect()
}

/// Whether a block is a paragraph that has its name for itself, right beside a paragraph of the same parent that nothing
/// speaks against: then its place says nothing.
fn is_paragraph_beside(page: &Page, i: usize, plain: Plain) -> bool {
    let parent = |i: usize| page.blocks.get(i).and_then(|b| page.elems.get(b.elem)?.parent);
    let Some(block) = page.blocks.get(i) else {
        return false;
    };
    let above = parent(i).and_then(|p| page.elems.get(p));
    let alone = block.tag == Tag::P && block.widget.is_some() && above.is_some_and(|p| p.widget.is_none());
    let beside = i + 1 == plain.first || i == plain.last + 1;
    let next_to = if i < plain.first { plain.first } else { plain.last };
    alone && beside && parent(i) == parent(next_to)
}

/// A paragraph of so many words that has its name for itself is one of the article's, whom it speaks to or not.
const LONG_PARAGRAPH: usize = 25;

/// Whether a block is a long paragraph that has its name for itself, beside others that have none: sites name the paragraphs
/// behind a paywall, or those that an advert may follow.
fn is_named_paragraph(page: &Page, block: &PageBlock) -> bool {
    let Some(own) = page.elems.get(block.elem) else {
        return false;
    };
    let above = own.parent.and_then(|p| page.elems.get(p));
    block.tag == Tag::P
        && block.draft.words >= LONG_PARAGRAPH
        && own.widget.is_some()
        && above.is_some_and(|a| a.widget.is_none() && !a.flags.has(AGAINST))
}

fn is_unseen(page: &Page, block: &PageBlock, rules: &Rules) -> bool {
    let own = page.elems.get(block.elem);
    own.is_some_and(|e| rules.names.is_unseen(e.hints))
}

/// The longest cell that is a figure, in bytes: telephone numbers are none.
const LONGEST_FIGURE: usize = 10;

/// Whether a block is a row of a table of figures.
pub(crate) fn is_data(block: &PageBlock) -> bool {
    let text = block.draft.text.as_str();
    let figure = |cell: &str| cell.len() <= LONGEST_FIGURE && cell.bytes().any(|b| b.is_ascii_digit());
    block.flags.has(Flags::TABLE) && text.contains(" | ") && text.split(" | ").skip(1).any(figure)
}

/// The outermost element around a block that speaks against it.
fn outermost(elems: &[Elem], from: usize) -> Option<usize> {
    let against = |e: &Elem| e.widget.is_some() || e.flags.has(AGAINST);
    let mut at = Some(from);
    let mut found = None;
    while let Some(i) = at {
        let elem = elems.get(i)?;
        if against(elem) {
            found = Some(i);
        }
        at = elem.parent;
    }
    found
}

/// What the blocks of a box say of it.
fn box_signs(page: &Page, elem: usize, rules: &Rules) -> Signs {
    let mut found = Signs::default();
    let Some(elem) = page.elems.get(elem) else {
        return found;
    };
    let blocks = page
        .blocks
        .get(elem.first_block..elem.end_block)
        .unwrap_or_default();
    let chars: usize = blocks.iter().map(|b| b.draft.chars).sum();
    let linked: usize = blocks.iter().map(|b| b.draft.linked).sum();
    found.add_if(Sign::BoxLinks, ratio(linked, chars) > 0.35);
    found.add_if(
        Sign::BoxControls,
        blocks
            .iter()
            .any(|b| b.flags.has(Flags::FORM.union(Flags::BUTTON))),
    );
    found.add_if(
        Sign::BoxTitle,
        blocks.len() > 1
            && blocks
                .first()
                .is_some_and(|b| b.draft.words <= 12 && !reads_as_prose(&b.draft)),
    );
    found.add_if(
        Sign::BoxHeading,
        blocks.iter().take(3).any(|b| {
            b.draft.words <= 8
                && !reads_as_prose(&b.draft)
                && b.draft.rule(rules, Position::Anywhere).is_some()
        }),
    );
    found
}

/// Whether a block that a rule of elements would take out goes: at once if it is no prose, by its signs if it is.
pub(crate) fn takes_out(block: &mut PageBlock, rule: &RuleId, found: Signs, rules: &Rules) {
    // A table stands where it stands, its rows are short and name what may be read of: only what else is said of its box
    // counts.
    let of_tables = [
        Sign::Outside,
        Sign::Neighbour,
        Sign::Short,
        Sign::Label,
        Sign::Contact,
        Sign::Links,
        Sign::BoxLinks,
    ];
    if is_data(block) && !reads_as_prose(&block.draft) {
        if rules.weights.suffice(found.without(&of_tables)) {
            block.draft.remove(rule, None);
        }
    } else if !reads_as_prose(&block.draft) {
        block.draft.remove(rule, None);
    } else {
        block.draft.judged = Some(found);
        if rules.weights.suffice(found) {
            block.draft.remove(rule, Some(found.names()));
        } else {
            block.draft.signs = found;
        }
    }
}
