//! What elements say of themselves, and how far the page bears them out.
//!
//! A class named "paywall" may hold the notice or the article behind it; `hidden` may hide a dialog or a
//! page that a script shows later. The text decides: a name that all together holds much of the page's prose
//! does not mean a widget on this page, whatever it means elsewhere.

use super::page::{Elem, Page};
use super::prose::{plain_prose, subtree};
use super::tags::{Flags, Tag};
use crate::rules::Names;

/// A name (or a kind of element) that holds more than this share of the page's prose is not believed.
const MOST: f64 = 0.33;
/// The same for names that stand for nothing but a widget.
const MOST_SURE: f64 = 0.90;
/// An element marked as the article's body that holds this share of the prose, and what it stands in, is no
/// widget.
const BODY_SHARE: f64 = 0.25;

/// The flags that take text out, each believed or not on its own, and the share of the prose up to which it
/// is believed. Text that is hidden is not the article unless nearly all of the page is.
const DOUBTED: [(Flags, f64); 10] = [
    (Flags::NAV, MOST),
    (Flags::FORM, 0.5),
    (Flags::BUTTON, MOST),
    (Flags::ASIDE, MOST),
    (Flags::HIDDEN, 0.7),
    (Flags::FIGURE, MOST),
    (Flags::FIGCAPTION, MOST),
    (Flags::CREDIT, MOST),
    (Flags::DEK, MOST),
    (Flags::CARD, MOST),
];

/// Settles what each element and block is, from what they and their ancestors say.
pub(crate) fn settle(page: &mut Page, names: &Names) {
    let prose: Vec<f64> = page.blocks.iter().map(plain_prose).collect();
    let sums = subtree(&page.elems, &page.blocks, &prose);
    let whole = sums.first().copied().unwrap_or(0.0).max(1.0);
    let protected = protected(&page.elems, &sums, whole);
    let held = held_by_claims(&page.elems, &protected, &sums, names.claims.len());
    // What a sure widget holds (consent text, comments) is no measure for the others.
    let sure: f64 = held
        .iter()
        .zip(&names.claims)
        .filter(|(_, c)| c.wide)
        .map(|(h, _)| h)
        .sum();
    let total = (whole - sure).max((1.0 - MOST_SURE) * whole);
    let claims: Vec<bool> = held
        .iter()
        .zip(&names.claims)
        .map(|(held, claim)| {
            *held
                <= if claim.wide {
                    MOST_SURE * whole
                } else {
                    MOST * total
                }
        })
        .collect();
    let doubted = disbelieved_flags(&page.elems, &protected, &sums, total);
    for i in 0..page.elems.len() {
        let (inherited, widget, sure) = page
            .elems
            .get(i)
            .and_then(|e| e.parent)
            .and_then(|p| page.elems.get(p))
            .map_or((Flags::default(), None, false), |p| (p.flags, p.widget, p.sure));
        let safe = protected.get(i).copied().unwrap_or(false);
        let Some(elem) = page.elems.get_mut(i) else { break };
        let mut own = elem.flags.without(doubted);
        if safe {
            for (flag, _) in DOUBTED {
                own = own.without(flag);
            }
        }
        elem.flags = inherited.union(own);
        let claim = elem
            .hints
            .claim
            .filter(|c| !safe && claims.get(usize::from(*c)) == Some(&true));
        let named = claim.and_then(|c| names.claims.get(usize::from(c)));
        elem.widget = widget.or(named.map(|c| c.widget));
        elem.sure = sure || named.is_some_and(|c| c.sure);
    }
    for block in &mut page.blocks {
        let elem = page.elems.get(block.elem);
        block.flags = elem.map_or(Flags::default(), |e| e.flags);
        block.widget = elem.and_then(|e| e.widget);
        block.sure = elem.is_some_and(|e| e.sure);
        block.draft.kind = super::tags::kind_of(block.tag, block.flags, block.draft.chars);
    }
}

/// Elements that hold the article's body by its markup, and the page itself.
fn protected(elems: &[Elem], sums: &[f64], total: f64) -> Vec<bool> {
    let mut out: Vec<bool> = elems
        .iter()
        .zip(sums)
        .map(|(e, sum)| {
            matches!(e.tag, Tag::Html | Tag::Body | Tag::Main)
                || (e.hints.body && *sum > BODY_SHARE * total && *sum > 40.0)
        })
        .collect();
    for i in (0..elems.len()).rev() {
        if out.get(i) == Some(&true)
            && let Some(parent) = elems.get(i).and_then(|e| e.parent)
            && let Some(slot) = out.get_mut(parent)
        {
            *slot = true;
        }
    }
    out
}

/// The prose that each name holds all together.
fn held_by_claims(elems: &[Elem], protected: &[bool], sums: &[f64], claims: usize) -> Vec<f64> {
    let mut held = vec![0.0; claims];
    // The claim of the nearest ancestor that has one, so that nested elements of one name count once.
    let mut above: Vec<Option<u16>> = Vec::with_capacity(elems.len());
    for (i, elem) in elems.iter().enumerate() {
        let outer = elem.parent.and_then(|p| above.get(p).copied().flatten());
        let own = elem.hints.claim.filter(|_| protected.get(i) != Some(&true));
        if let Some(claim) = own
            && outer != own
            && let Some(slot) = held.get_mut(usize::from(claim))
        {
            *slot += sums.get(i).copied().unwrap_or(0.0);
        }
        above.push(own.or(outer));
    }
    held
}

/// The flags that hold too much of this page's prose to be believed.
fn disbelieved_flags(elems: &[Elem], protected: &[bool], sums: &[f64], total: f64) -> Flags {
    let mut held = [0.0; DOUBTED.len()];
    let mut above: Vec<Flags> = Vec::with_capacity(elems.len());
    for (i, elem) in elems.iter().enumerate() {
        let outer = elem
            .parent
            .and_then(|p| above.get(p).copied())
            .unwrap_or_default();
        let own = if protected.get(i) == Some(&true) {
            Flags::default()
        } else {
            elem.flags
        };
        for ((flag, _), held) in DOUBTED.iter().zip(&mut held) {
            if own.has(*flag) && !outer.has(*flag) {
                *held += sums.get(i).copied().unwrap_or(0.0);
            }
        }
        above.push(outer.union(own));
    }
    let mut out = Flags::default();
    for ((flag, most), held) in DOUBTED.iter().zip(held) {
        if held > most * total {
            out = out.union(*flag);
        }
    }
    out
}
