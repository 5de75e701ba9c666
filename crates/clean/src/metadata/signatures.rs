//! Who signs where no element says that it names an author: a name beside its portrait, "Written by" somewhere on the page.

use super::Place;
use super::authors::clean_names;
use super::facts::Facts;
use super::name::is_name_alone;
use super::roles::is_full_name;
use crate::normalise::fold_phrase;

/// A name in a line of its own by the headline, beside a portrait of whoever is called so.
pub(super) fn portrayed(facts: &Facts, place: &Place<'_>) -> Vec<String> {
    let title = place.blocks.get(place.headline).map_or("", |d| d.folded());
    let named = |text: &str| {
        let folded = fold_phrase(text);
        // A section has pictures as well, and is named in headlines.
        let in_title = folded.split(' ').any(|w| w.len() > 3 && title.contains(w));
        !in_title && facts.portraits.iter().any(|alt| is_portrait(alt, &folded))
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

/// The name in a line that says who wrote the article, wherever it stands: "Written by Jane Doe" above a portrait.
pub(super) fn signed(place: &Place<'_>) -> Vec<String> {
    const WRITTEN: [&str; 12] = [
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
    ];
    let lines = place.blocks.iter().enumerate();
    let mut found: Vec<Vec<String>> = lines
        .filter(|(i, d)| d.chars <= LONGEST_SIGNED && !place.is_of_others(*i))
        .filter(|(_, d)| WRITTEN.iter().any(|w| d.folded().starts_with(w)))
        .map(|(_, d)| {
            let text = d.text.trim_start_matches("This post was ");
            let text = text.trim_start_matches("This article was ");
            clean_names(text.split([',', '.', '(']).next().unwrap_or_default())
        })
        .filter(|names| !names.is_empty() && names.iter().all(|n| is_full_name(n)))
        .collect();
    found.dedup();
    match found.as_slice() {
        [one] => one.clone(),
        _ => Vec::new(),
    }
}

/// The longest line that says who wrote an article, in characters.
const LONGEST_SIGNED: usize = 100;
