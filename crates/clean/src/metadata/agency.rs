//! The news agency that a text names.

use copydesk_article::{MetadataSource, Sourced};

use crate::draft::Draft;
use crate::normalise::fold_phrase;
use crate::rules::Rules;

/// The agency named in the dateline ("LONDON (Reuters) - …"), at the end ("… said. (dpa)"), or as an
/// author.
pub(crate) fn find_agency(drafts: &[Draft], authors: &[String], rules: &Rules) -> Option<Sourced<String>> {
    for name in authors {
        if let Some(agency) = rules.agency(&fold_phrase(name)) {
            return Some(Sourced::new(agency.to_owned(), MetadataSource::Element));
        }
    }
    let body = || drafts.iter().filter(|d| d.is_kept() && d.kind.is_body());
    if let Some(first) = body().next()
        && let Some(agency) = in_dateline(&first.text, rules)
    {
        return Some(Sourced::new(agency, MetadataSource::TextHead));
    }
    let last = body().next_back()?;
    let closing = last.text.trim_end_matches(['.', ' ']).strip_suffix(')')?;
    let (_, inside) = closing.rsplit_once('(')?;
    named(inside, rules).map(|a| Sourced::new(a, MetadataSource::Engine))
}

/// The first bracket of a first paragraph, if it stands in the dateline: within 80 characters, and a dash
/// after it; or "PARIS, March 3 - Reuters".
fn in_dateline(text: &str, rules: &Rules) -> Option<String> {
    // Most first paragraphs have no bracket: 0xef opens the wide one, and other characters.
    let front = text.as_bytes().get(..4 * 110).unwrap_or(text.as_bytes());
    if !front.iter().fold(false, |any, b| any | matches!(b, b'(' | 0xef)) {
        return None;
    }
    let end = text.char_indices().nth(110).map_or(text.len(), |(i, _)| i);
    let (before, rest) = text.get(..end)?.split_once(['(', '（'])?;
    if before.chars().count() > 80 {
        return None;
    }
    let (inside, after) = rest.split_once([')', '）'])?;
    let dash = after.trim_start().starts_with(['-', '–', '—', '―'])
        || before.trim().is_empty()
        || before.trim_end().ends_with(['-', '–', '—']);
    if dash { named(inside, rules) } else { None }
}

fn named(text: &str, rules: &Rules) -> Option<String> {
    text.split(['/', ',', ';'])
        .find_map(|p| rules.agency(&fold_phrase(p)))
        .map(str::to_owned)
}
