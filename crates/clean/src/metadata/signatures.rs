//! Who signs where no element says that it names an author: a name beside its portrait, "Written by" somewhere on the page.

use super::Place;
use super::authors::clean_names;
use super::facts::Facts;
use super::name::is_name_alone;
use super::roles::is_full_name;
use crate::dates::{Order, labelled};
use crate::draft::Draft;
use crate::normalise::{fold_phrase, is_edge};

/// A name in a line of its own by the headline, beside a portrait of whoever is called so.
pub(super) fn portrayed(facts: &Facts, place: &Place<'_>) -> Vec<String> {
    let title = place.blocks.get(place.headline).map_or("", |d| d.folded());
    let named = |text: &str| {
        let folded = fold_phrase(text);
        // A section has pictures as well, and is named in headlines.
        let in_title = folded.split(' ').any(|w| w.len() > 3 && title.contains(w));
        // Whom the text names is somebody who is spoken of: an expert, with a portrait in a box.
        let body = || {
            place
                .blocks
                .iter()
                .filter(|d| d.is_kept() && d.kind.is_body() && d.is_prose())
        };
        !in_title
            && !body().any(|d| d.folded().contains(&folded))
            && facts.portraits.iter().any(|alt| is_portrait(alt, &folded))
    };
    let lines = place
        .near()
        .filter(|d| d.chars <= LONGEST_SIGNED && is_name_alone(&d.text));
    let mut names: Vec<String> = lines
        .filter(|d| named(&d.text))
        .flat_map(|d| clean_names(&d.text))
        .filter(|n| is_full_name(n))
        .collect();
    names.dedup();
    names.truncate(MOST_PORTRAYED);
    names
}

/// Whether the text of a picture says that it is one of somebody: the name, or the name and what shows it.
fn is_portrait(alt: &str, name: &str) -> bool {
    const SHOWN_BY: [&str; 14] = [
        "image",
        "photo",
        "photo of",
        "picture of",
        "portrait of",
        "headshot",
        "headshot of",
        "avatar",
        "avatar of",
        "author",
        "profile picture of",
        "profile photo of",
        "image of",
        "profile image",
    ];
    let rest = alt.strip_prefix(name).or_else(|| alt.strip_suffix(name));
    rest.is_some_and(|rest| rest.is_empty() || SHOWN_BY.contains(&rest.trim()))
}

/// The most people whose portraits stand by a headline.
const MOST_PORTRAYED: usize = 3;

/// How a line begins that says who wrote the article, in a sentence or behind a label.
const WRITTEN: [&str; 26] = [
    "written by ",
    "this post was written by ",
    "this article was written by ",
    "geschrieben von ",
    "verfasst von ",
    "écrit par ",
    "rédigé par ",
    "escrito por ",
    "scritto da ",
    "geschreven door ",
    "skriven av ",
    "skrevet av ",
    "author: ",
    "autor: ",
    "autorin: ",
    "autor/in: ",
    "autor/in ",
    "autor:in: ",
    "autorin/autor: ",
    "autorin/autor ",
    "autor/autorin ",
    "auteur: ",
    "auteur : ",
    "autore: ",
    "författare: ",
    "автор: ",
];

/// The name in a line that says who wrote the article, wherever it stands: "Written by Jane Doe" above a portrait.
pub(super) fn signed(place: &Place<'_>) -> Vec<String> {
    let lines = place.blocks.iter().enumerate();
    let mut found: Vec<Vec<String>> = lines
        .filter(|(i, d)| d.chars <= LONGEST_SIGNED && !place.is_of_others(*i))
        .filter_map(|(_, d)| {
            let opening = WRITTEN.iter().find(|w| d.folded().starts_with(**w))?;
            let text = d.text.trim_start_matches(is_edge);
            let name: String = text.chars().skip(opening.chars().count()).collect();
            Some(clean_names(
                name.split([',', '.', '(']).next().unwrap_or_default(),
            ))
        })
        .filter(|names| !names.is_empty() && names.iter().all(|n| is_full_name(n)))
        .collect();
    found.extend(posted(place));
    found.dedup();
    match found.as_slice() {
        [one] => one.clone(),
        _ => Vec::new(),
    }
}

/// "Posted by Jane at March 20, 2026 6:40 PM": blogs sign so below an entry, often with a given name.
fn posted<'p>(place: &'p Place<'_>) -> impl Iterator<Item = Vec<String>> + 'p {
    let lines = place.blocks.iter().enumerate();
    lines
        .filter(|(i, d)| d.chars <= LONGEST_SIGNED && !place.is_of_others(*i))
        .filter_map(|(_, d)| {
            let rest = d.text.strip_prefix("Posted by ")?;
            let (name, date) = rest.split_once(" at ").or_else(|| rest.split_once(" on "))?;
            (labelled(date, Order::DayFirst).len() == 1).then(|| clean_names(name))
        })
        .filter(|names| !names.is_empty())
}

/// A name in a line of its own by the headline, whose bearer the page tells of elsewhere: a line that begins with the name
/// and goes on with a verb, or the name again and a text about whoever bears it.
pub(super) fn introduced(place: &Place<'_>) -> Vec<String> {
    let title = place.blocks.get(place.headline).map_or("", |d| d.folded());
    // Entries of a table of contents are links.
    let lines = place
        .near()
        .filter(|d| d.linked == 0 && d.words <= LONGEST_INTRODUCED);
    let mut names: Vec<String> = lines
        .filter(|d| is_name_alone(&d.text) && !title.contains(d.folded()) && is_told_of(place, &d.text))
        .flat_map(|d| clean_names(&d.text))
        .filter(|n| is_full_name(n))
        .collect();
    names.dedup();
    // Two are headings of sections.
    if names.len() > 1 {
        names.clear();
    }
    names
}

/// The longest name of somebody whom the page tells of, in words: more are a label.
const LONGEST_INTRODUCED: usize = 3;

/// Whether the page tells of somebody, apart from its text.
fn is_told_of(place: &Place<'_>, name: &str) -> bool {
    const VERBS: [&str; 8] = ["is", "has", "works", "writes", "covers", "joined", "lives", "ist"];
    const FIRST: [&str; 6] = ["i'm", "i am", "my", "i've", "i have", "ich bin"];
    let folded = fold_phrase(name);
    let given = folded.split(' ').next().unwrap_or_default();
    // Whom the text itself speaks of is its subject.
    let apart = |d: &&Draft| !(d.is_kept() && d.kind.is_body());
    let mut named = false;
    for draft in place.blocks.iter().skip(place.prose + 1).filter(apart) {
        let text = draft.folded();
        let behind = text
            .strip_prefix(folded.as_str())
            .or_else(|| text.strip_prefix(given).filter(|_| named));
        let verb = behind.is_some_and(|rest| {
            rest.starts_with(' ') && VERBS.contains(&rest.split(' ').nth(1).unwrap_or_default())
        });
        let speaks = || {
            let words = format!(" {text} ");
            FIRST.iter().any(|f| words.contains(&format!(" {f} ")))
        };
        if draft.is_prose() && (verb || named && speaks()) {
            return true;
        }
        named = text == folded;
    }
    false
}

/// The longest line that says who wrote an article, in characters.
const LONGEST_SIGNED: usize = 100;
