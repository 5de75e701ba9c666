//! What stands around a line: whether it heads, introduces or ends something, and where the items under it
//! end.

use copydesk_article::BlockKind;

use crate::draft::{Draft, End};
use crate::normalise::is_edge;
use crate::rules::Hit;
use crate::text_signs::reads_as_prose;

/// A teaser under a headline has at most this many words.
const LONGEST_TEASER: usize = 35;

/// Teasers under one heading: more are a list of the article.
const MOST_ITEMS: usize = 40;

/// Whether a rule knows all of a line, and not only its beginning or some words in it.
pub(super) fn is_whole(drafts: &[Draft], at: usize, hit: &Hit<'_>) -> bool {
    drafts
        .get(at)
        .is_some_and(|d| d.folded().len() == hit.phrase.len())
}

/// Whether a line leads with its colon to the sentence under it: "More from the harbour master:" above what
/// he says.
pub(super) fn introduces(drafts: &[Draft], at: usize) -> bool {
    let colon = drafts.get(at).is_some_and(|d| d.end == End::Colon);
    colon && after(drafts, at).next().is_some_and(reads_as_prose)
}

/// Whether a line is an entry of a list with another before it: it heads nothing.
pub(super) fn is_item(drafts: &[Draft], at: usize) -> bool {
    let item = |i: Option<usize>| {
        i.and_then(|i| drafts.get(i))
            .is_some_and(|d| d.kind == BlockKind::ListItem && d.is_kept())
    };
    item(Some(at)) && item(at.checked_sub(1))
}

/// Whether a line is a heading within the article: one of a page, above a paragraph.
pub(super) fn heads_prose(drafts: &[Draft], at: usize) -> bool {
    drafts.get(at).is_some_and(|d| d.kind == BlockKind::SubHeadline) && follows_prose(drafts, at)
}

/// The longest way from the beginning of a paragraph to the name of whoever it is about, and to the verb, in
/// words.
const NAMED_WITHIN: usize = 4;
const SAID_WITHIN: usize = 12;

/// Whether a heading that a rule knows ends the article. One that only begins as such ("About Acme", "About
/// the costs") does where a name follows and the paragraph under it says who bears it; every other may head a
/// section.
pub(super) fn heads_end(drafts: &[Draft], at: usize, hit: &Hit<'_>) -> bool {
    const IS: [&str; 14] = [
        "is", "are", "was", "ist", "sind", "wurde", "est", "es", "è", "é", "jest", "är", "er", "on",
    ];
    let Some(heading) = drafts.get(at) else {
        return false;
    };
    let Some(text) = after(drafts, at).next().filter(|d| reads_as_prose(d)) else {
        return true;
    };
    if is_whole(drafts, at, hit) {
        return true;
    }
    let start = heading.text.chars().position(char::is_alphanumeric).unwrap_or(0);
    let named: String = heading
        .text
        .chars()
        .skip(start + hit.phrase.chars().count())
        .collect();
    let named = named.trim();
    let name = named.split(' ').next().unwrap_or_default().to_lowercase();
    let words = || text.folded().split(' ');
    named.chars().next().is_some_and(char::is_uppercase)
        && words()
            .take(NAMED_WITHIN)
            .any(|w| w.trim_matches(is_edge) == name.trim_matches(is_edge))
        && (words().take(SAID_WITHIN).any(|w| IS.contains(&w))
            || text.text.contains(['@', '®'])
            || text.text.contains("www."))
}

pub(super) fn is_body_prose(draft: &Draft) -> bool {
    draft.is_kept() && matches!(draft.kind, BlockKind::Body | BlockKind::Quote) && draft.is_prose()
}

/// Where the items under a heading of teasers end.
///
/// Headlines, dates and cut teasers are items wherever they stand. A whole sentence is one only directly
/// under a headline and if no second paragraph follows it: two paragraphs in a row are the article again.
pub(super) fn end_of_items(drafts: &[Draft], from: usize) -> usize {
    let mut end = from;
    let mut under_headline = false;
    let mut items = 0;
    for (i, draft) in drafts.iter().enumerate().skip(from) {
        if !draft.is_kept() {
            continue;
        }
        items += 1;
        if matches!(draft.kind, BlockKind::SubHeadline) && follows_prose(drafts, i) {
            break;
        }
        if draft.end == End::Ellipsis {
            under_headline = false;
        } else if draft.is_headline_like() {
            if !under_headline && follows_article(drafts, i) {
                break;
            }
            under_headline = true;
        } else if under_headline && draft.words <= LONGEST_TEASER && !next_is_prose(drafts, i) {
            under_headline = false;
        } else {
            break;
        }
        end = i + 1;
    }
    // So many, and the article goes on behind them: they are a list of its own.
    if items > MOST_ITEMS && drafts.iter().skip(end).any(is_body_prose) {
        return from;
    }
    end
}

/// The kept blocks after `i`.
pub(super) fn after(drafts: &[Draft], i: usize) -> impl Iterator<Item = &Draft> {
    drafts.iter().skip(i + 1).filter(|d| d.is_kept())
}

fn next_is_prose(drafts: &[Draft], i: usize) -> bool {
    after(drafts, i)
        .next()
        .is_some_and(|d| d.is_prose() || d.end == End::Sentence)
}

fn follows_prose(drafts: &[Draft], i: usize) -> bool {
    after(drafts, i).next().is_some_and(Draft::is_prose)
}

/// Whether two paragraphs of prose follow directly: then the headline-like line at `i` is a sub-headline of
/// the article.
fn follows_article(drafts: &[Draft], i: usize) -> bool {
    let mut next = after(drafts, i);
    let both = next.next().is_some_and(Draft::is_prose) && next.next().is_some_and(Draft::is_prose);
    both && drafts.get(i).is_some_and(|d| d.words <= 10)
}
