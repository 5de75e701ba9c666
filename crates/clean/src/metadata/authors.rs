//! Names of authors, cleaned.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use crate::normalise::{fold_phrase, fold_space};

/// Words that open a byline. Compared folded, at the start of a name.
const OPENINGS: &[&str] = &[
    "by",
    "written by",
    "posted by",
    "reported by",
    "story by",
    "words by",
    "text by",
    "von",
    "par",
    "por",
    "di",
    "de",
    "door",
    "av",
    "af",
    "od",
    "oleh",
    "text",
    "tekst",
    "texte",
    "texto",
    "testo",
    "autor",
    "author",
    "author:",
    "auteur",
    "autore",
    "kirjoittaja",
    "foto",
    "автор",
    "автор:",
    "autor:",
    "text:",
    "από",
    "του",
    "της",
    "yazan",
    "bài",
    "a cura di",
    "scritto da",
    "escrito por",
    "publié par",
    "publicado por",
    "ein artikel von",
    "eine analyse von",
    "ein kommentar von",
    "aus",
    "přidal",
    "napsal",
];

/// Words that close a name: what its bearer does.
const CLOSINGS: &[&str] = &[
    " 기자",
    "기자",
    " 記者",
    "記者",
    " 记者",
    " staff writer",
    " Staff Writer",
    " Staff writer",
];

/// Splits what a page calls its author into names. Titles, places and addresses are dropped; the order of
/// the byline is kept; nothing is made up.
pub(crate) fn clean_names(text: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    if text.contains("://") {
        return names;
    }
    for part in split(text) {
        if let Some(name) = clean_name(&part)
            && !names.iter().any(|n| fold_phrase(n) == fold_phrase(&name))
        {
            names.push(name);
        }
    }
    names.truncate(20);
    names
}

/// What stands between two names.
const SEPARATORS: [&str; 22] = [
    ";", ",", " and ", " und ", " & ", " et ", " y ", " e ", " en ", " och ", " og ", " i ", " ve ", " и ",
    " та ", " και ", "|", "/", " · ", " • ", "、", "، ",
];

/// Whether any of them is there: most bylines are one name. Without it the long way is gone.
static ANY_SEPARATOR: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| AhoCorasick::new(SEPARATORS).ok());

fn split(text: &str) -> Vec<String> {
    let text = fold_space(text);
    if ANY_SEPARATOR.as_ref().is_some_and(|any| !any.is_match(&text)) {
        return vec![text];
    }
    let mut parts = vec![text];
    for separator in SEPARATORS {
        parts = parts
            .iter()
            .flat_map(|p| p.split(separator))
            .map(|p| p.trim().to_owned())
            .collect();
    }
    parts
}

/// One name, or `None` for something that is none.
pub(crate) fn clean_name(text: &str) -> Option<String> {
    let mut name = text.trim().trim_start_matches('@').to_owned();
    for _ in 0..2 {
        let folded = fold_phrase(&name);
        let opening = OPENINGS
            .iter()
            .filter(|o| o.bytes().next() == folded.bytes().next())
            .filter(|o| {
                folded
                    .strip_prefix(**o)
                    .is_some_and(|r| r.starts_with([' ', ':']))
            })
            .max_by_key(|o| o.len());
        let Some(opening) = opening else { break };
        let skip = opening.chars().count();
        name = name
            .chars()
            .skip(skip)
            .collect::<String>()
            .trim_start_matches([':', ' '])
            .to_owned();
    }
    let name = name
        .trim_matches(|c: char| {
            c.is_whitespace()
                || matches!(
                    c,
                    '.' | ',' | ':' | '-' | '–' | '—' | '|' | '"' | '“' | '”' | '*' | '•' | '·'
                )
        })
        .to_owned();
    // "Jane Doe (jdo)": a shorthand of the newsroom.
    let name = match name.strip_suffix(')').and_then(|n| n.rsplit_once(" (")) {
        Some((before, inside)) if inside.chars().count() <= 6 => before.trim().to_owned(),
        _ => name,
    };
    let name = CLOSINGS
        .iter()
        .find_map(|c| name.strip_suffix(c))
        .map_or(name.as_str(), str::trim)
        .to_owned();
    let words = name.split(' ').count();
    let letters = name.chars().filter(|c| c.is_alphabetic()).count();
    let folded = fold_phrase(&name);
    let label = OPENINGS.contains(&folded.as_str())
        || ["post author", "authors", "autoren", "autores"].contains(&folded.as_str());
    if label
        || letters < 2
        || words > 6
        || name.chars().count() > 60
        || name.contains("http")
        || name.contains('@')
        || name.contains('{')
    {
        return None;
    }
    // A date, an hour, a number of minutes.
    let number = |w: &str| w.chars().any(|c| c.is_ascii_digit()) && !w.chars().any(char::is_alphabetic);
    if name.split(' ').any(number) || name.chars().filter(char::is_ascii_digit).count() > 3 {
        return None;
    }
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bylines_become_names() {
        assert_eq!(clean_names("By Jane Doe and John Roe"), ["Jane Doe", "John Roe"]);
        assert_eq!(
            clean_names("Von Ilse Marrick, Dorin Halvek"),
            ["Ilse Marrick", "Dorin Halvek"]
        );
        assert_eq!(clean_names("Jane Doe; jane doe"), ["Jane Doe"]);
        assert!(clean_names("https://news.example/author/7").is_empty());
    }
}
