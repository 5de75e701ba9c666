//! The article as data: pages that are drawn in the reader's browser carry their text in JSON-LD (`articleBody`, the posts
//! of a live blog) or in the state of their application (`__NEXT_DATA__` and its kin). Looked for only on pages that hold
//! next to no text themselves.

use std::collections::HashMap;

use serde_json::Value;

use crate::metadata::facts::Facts;
use crate::metadata::json_ld::{MOST_MEMORY, memory_of};
use crate::metadata::stated_paragraphs;

/// The fewest words of a text in JSON-LD, and of one in an application's state.
const FEWEST_STATED: usize = 30;
const FEWEST_IN_STATE: usize = 60;
/// The longest script that is read, in bytes, and the most of them.
const LONGEST_SCRIPT: usize = 4 << 20;
const MOST_SCRIPTS: usize = 60;
/// How deep values are looked for.
const DEEPEST: usize = 40;
/// The longest name of a kind of place, in bytes: it is kept for each string.
const LONGEST_PLACE: usize = 1_000;
/// The most strings that are looked at.
const MOST_STRINGS: usize = 20_000;

/// The article that the page's data holds, as HTML. `visible`: words of prose on the page itself.
pub(crate) fn find(html: &str, facts: &Facts, visible: usize) -> Option<String> {
    let stated = stated_paragraphs(facts);
    let words = count_words(&stated);
    if words >= FEWEST_STATED && words > 2 * visible {
        return Some(as_page(&stated));
    }
    let lines = in_state(html)?;
    let words = count_words(&lines);
    (words >= FEWEST_IN_STATE && words > 2 * visible).then(|| as_page(&lines))
}

fn count_words(lines: &[String]) -> usize {
    lines.iter().map(|l| words_of(l)).sum()
}

fn words_of(line: &str) -> usize {
    let spaces = line.split_whitespace().count();
    spaces
        + line
            .chars()
            .filter(|c| crate::normalise::is_dense_script(*c))
            .count()
            / 2
}

/// Lines as paragraphs; what is HTML already stays so.
fn as_page(lines: &[String]) -> String {
    let mut out = String::from("<article>");
    for line in lines {
        let is_markup = line.contains("</") || line.contains("<br");
        let parts: Vec<&str> = if is_markup {
            vec![line]
        } else {
            line.lines().collect()
        };
        for part in parts {
            out.push_str("<p>");
            if is_markup {
                out.push_str(part);
            } else {
                for c in part.chars() {
                    match c {
                        '&' => out.push_str("&amp;"),
                        '<' => out.push_str("&lt;"),
                        '>' => out.push_str("&gt;"),
                        c => out.push(c),
                    }
                }
            }
            out.push_str("</p>");
        }
    }
    out.push_str("</article>");
    out
}

/// The strings that stand at one kind of place in a script's data and read most like prose: `article.blocks[].text`.
fn in_state(html: &str) -> Option<Vec<String>> {
    let mut places: HashMap<String, (usize, Vec<String>)> = HashMap::new();
    let mut left = MOST_STRINGS;
    let mut flight = String::new();
    for script in scripts(html) {
        let Some(start) = script.find(['{', '[']) else {
            continue;
        };
        let Some(data) = script.get(start..).filter(|d| memory_of(d) <= MOST_MEMORY) else {
            continue;
        };
        let mut values = serde_json::Deserializer::from_str(data).into_iter::<Value>();
        if let Some(Ok(value)) = values.next() {
            match value.get(1) {
                Some(Value::String(piece)) if script.contains("__next_f") => {
                    if flight.len() + piece.len() <= LONGEST_SCRIPT {
                        flight.push_str(piece);
                    }
                }
                _ => collect(&value, &mut String::new(), 0, &mut left, &mut places),
            }
        }
    }
    for row in rows(&flight) {
        collect(&row, &mut String::new(), 0, &mut left, &mut places);
    }
    places
        .into_values()
        .max_by_key(|(prose, lines)| (*prose, lines.len()))
        .map(|(_, lines)| lines)
}

/// The rows of what React sends piece by piece: `5:["$","p",null,{"children":"…"}]`, or `6:T1f4,` and as many bytes of text
/// in hexadecimal.
fn rows(flight: &str) -> impl Iterator<Item = Value> {
    let mut rest = flight;
    std::iter::from_fn(move || {
        while let Some((_, row)) = rest.split_once(':') {
            if let Some((length, text)) = row.strip_prefix('T').and_then(|r| r.split_once(','))
                && let Ok(length) = usize::from_str_radix(length, 16)
                && let Some((text, behind)) = text.split_at_checked(length)
            {
                rest = behind;
                return Some(Value::String(text.to_owned()));
            }
            let (line, behind) = row.split_once('\n').unwrap_or((row, ""));
            rest = behind;
            let data = line.trim_start_matches(|c: char| !matches!(c, '[' | '{'));
            if memory_of(data) <= MOST_MEMORY
                && let Ok(value) = serde_json::from_str(data)
            {
                return Some(value);
            }
        }
        None
    })
}

/// The contents of the page's scripts that may be data, but for JSON-LD.
fn scripts(html: &str) -> impl Iterator<Item = &str> {
    html.split("<script")
        .skip(1)
        .take(MOST_SCRIPTS)
        .filter_map(|rest| {
            let (tag, rest) = rest.split_once('>')?;
            let (content, _) = rest.split_once("</script")?;
            let data = !tag.contains("ld+json") && content.len() <= LONGEST_SCRIPT && content.contains('{');
            data.then_some(content)
        })
}

fn collect(
    value: &Value,
    place: &mut String,
    depth: usize,
    left: &mut usize,
    places: &mut HashMap<String, (usize, Vec<String>)>,
) {
    if depth > DEEPEST || *left == 0 {
        return;
    }
    match value {
        Value::String(text) => {
            *left -= 1;
            let text = text.trim();
            // Addresses and code are no lines of a text.
            if text.is_empty() || text.starts_with("http") || text.contains('{') {
                return;
            }
            let words = words_of(text);
            let ends = text
                .ends_with(|c: char| crate::normalise::is_terminal(c) || crate::normalise::is_closer(c))
                || text.ends_with('>');
            let found = places.entry(place.clone()).or_default();
            if words >= 6 && ends {
                found.0 += words;
            }
            if found.1.last().is_none_or(|l| l != text) {
                found.1.push(text.to_owned());
            }
        }
        Value::Array(values) => {
            for v in values {
                collect(v, place, depth + 1, left, places);
            }
        }
        Value::Object(map) => {
            for (key, v) in map {
                let before = place.len();
                place.push('.');
                // Keys that are numbers or ids tell one object of a list from the next.
                if place.len() + key.len() <= LONGEST_PLACE && !key.contains(|c: char| c.is_ascii_digit()) {
                    place.push_str(key);
                }
                collect(v, place, depth + 1, left, places);
                place.truncate(before);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_are_found_in_the_state_of_an_application() {
        let line =
            "Seven ships that had been waiting off the Grey Bank came in at dawn, the harbour master said.";
        let html = format!(
            r#"<div id=app></div><script id="__NEXT_DATA__" type="application/json">{{"props":{{"menu":[{{"label":"Home"}}],
            "article":{{"title":"Ships","blocks":[{{"text":"{line}"}},{{"text":"{line} Again."}},{{"text":"One more & {line}"}},
            {{"text":"The last: {line}"}}]}}}}}}</script>"#
        );
        let found = find(&html, &Facts::default(), 0).unwrap();
        assert_eq!(found.matches("<p>").count(), 4);
        assert!(
            found.contains("One more &amp; Seven") && !found.contains("Home"),
            "{found}"
        );
        assert_eq!(
            find(&html, &Facts::default(), 60),
            None,
            "the page has a text of its own"
        );
    }
}
