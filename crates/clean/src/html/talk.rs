//! Comments that no name gives away: entries of a name, how long ago, and a text, one after the other.

use std::ops::Range;

use super::page::{Elem, Page, PageBlock};
use super::tags::Tag;
use crate::rules::Rules;
use crate::text_signs::reads_as_prose;

/// The fewest entries that are comments.
const FEWEST: usize = 2;
/// The most words of an entry's line of name and time.
const MOST_WORDS: usize = 9;
/// The most words of a name.
const LONGEST_NAME: usize = 4;

/// Marks the element around such entries as one that holds comments, so that it is judged like one that says so.
pub(super) fn mark(page: &mut Page, rules: &Rules) {
    let entries: Vec<usize> = (0..page.blocks.len())
        .filter(|&i| opens_entry(&page.blocks, i))
        .collect();
    let (Some(first), Some(last)) = (entries.first(), entries.last()) else {
        return;
    };
    if entries.len() < FEWEST {
        return;
    }
    let Some(around) = around(&page.elems, &page.blocks, *first..last + 1) else {
        return;
    };
    let claim = comments_claim(rules);
    let Some(elem) = page.elems.get_mut(around) else {
        return;
    };
    // What stands before the entries would go with them.
    let before = page.blocks.get(elem.first_block..*first).unwrap_or_default();
    let own = before
        .iter()
        .any(|b| reads_as_prose(&b.draft) || b.tag == Tag::H(1));
    let article = page.blocks.get(..elem.first_block).unwrap_or_default();
    let follows = article
        .iter()
        .any(|b| reads_as_prose(&b.draft) && b.draft.words >= 8);
    if !own && follows && !elem.hints.body {
        elem.hints.claim = claim.or(elem.hints.claim);
    }
}

/// The claim of elements that are called comments.
fn comments_claim(rules: &Rules) -> Option<u16> {
    let widget = rules
        .widgets
        .iter()
        .position(|w| w.as_str() == "comments-widget")?;
    let claims = rules.names.claims.iter();
    let at = claims
        .enumerate()
        .find(|(_, c)| usize::from(c.widget) == widget)?
        .0;
    u16::try_from(at).ok()
}

/// Whether a block is the line of name and time above a text: "walt42 2 hours ago", or these in two blocks.
fn opens_entry(blocks: &[PageBlock], i: usize) -> bool {
    let Some(block) = blocks.get(i) else { return false };
    let draft = &block.draft;
    if draft.words > MOST_WORDS || reads_as_prose(draft) || matches!(block.tag, Tag::H(_)) {
        return false;
    }
    let Some(name) = without_ago(draft.folded()) else {
        return false;
    };
    let text = |b: &PageBlock| reads_as_prose(&b.draft) && !matches!(b.tag, Tag::H(_));
    let said = blocks.iter().skip(i + 1).take(2).any(text);
    let words = name.split_whitespace().count();
    said && (1..=LONGEST_NAME).contains(&words)
}

/// The innermost element around all blocks of a range.
fn around(elems: &[Elem], blocks: &[PageBlock], range: Range<usize>) -> Option<usize> {
    let mut at = blocks.get(range.start)?.elem;
    loop {
        let elem = elems.get(at)?;
        if elem.first_block <= range.start && elem.end_block > range.end {
            return Some(at);
        }
        at = elem.parent?;
    }
}

/// A folded line without what says how long ago; `None` if nothing does.
fn without_ago(line: &str) -> Option<String> {
    const BEHIND: [&str; 16] = [
        "ago",
        "fa",
        "geleden",
        "sedan",
        "siden",
        "temu",
        "назад",
        "тому",
        "önce",
        "lalu",
        "atrás",
        "前",
        "전",
        "पहले",
        "sitten",
        "आधी",
    ];
    const BEFORE: [&str; 9] = ["vor", "il y a", "hace", "há", "for", "před", "منذ", "قبل", "πριν"];
    // Name and time in elements of their own are glued: "marsh hen3 hours ago".
    let mut apart = String::with_capacity(line.len() + 4);
    for c in line.chars() {
        if c.is_numeric() && apart.ends_with(char::is_alphabetic) {
            apart.push(' ');
        }
        apart.push(c);
    }
    let is_count = |w: &str| w.starts_with(|c: char| c.is_numeric()) || matches!(w, "a" | "an" | "one");
    let words: Vec<&str> = apart
        .split_whitespace()
        .filter(|w| w.chars().any(char::is_alphanumeric))
        .collect();
    for (i, word) in words.iter().enumerate() {
        if !is_count(word) {
            continue;
        }
        let head = words.get(..i).unwrap_or_default();
        let tail = words.get(i..).unwrap_or_default();
        let end = tail.iter().take(5).position(|w| {
            BEHIND
                .iter()
                .any(|b| *w == *b || !b.is_ascii() && w.ends_with(b) && w.len() <= 24)
        });
        if let Some(end) = end {
            let rest = tail.get(end + 1..).unwrap_or_default();
            return Some([head, rest].concat().join(" "));
        }
        let joined = head.join(" ");
        let opening = BEFORE.iter().find_map(|b| joined.strip_suffix(b));
        if let Some(name) = opening.filter(|n| tail.len() >= 2 && (n.is_empty() || n.ends_with(' '))) {
            let rest = tail.get(2..).unwrap_or_default().join(" ");
            return Some(format!("{name} {rest}"));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_from_names() {
        for (line, name) in [
            ("walt42 2 hours ago", Some("walt")),
            ("marsh hen vor 3 stunden", Some("marsh hen")),
            ("jeanne il y a 2 heures", Some("jeanne")),
            ("marsh hen3 hours ago", Some("marsh hen")),
            ("2 hours ago", Some("")),
            ("太郎 2時間前", Some("太郎")),
            ("for 20 years", Some("")),
            ("the ferry runs again", None),
        ] {
            assert_eq!(
                without_ago(line).map(|n| n.trim().to_owned()).as_deref(),
                name,
                "{line}"
            );
        }
    }
}
