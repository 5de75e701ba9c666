//! The article as data: pages that are drawn in the reader's browser carry their text in JSON-LD (`articleBody`, the posts
//! of a live blog) or in the state of their application (`__NEXT_DATA__` and its kin). Looked for only on pages that hold
//! next to no text themselves.

use std::borrow::Cow;
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
        let line = with_markup(line);
        let line = line.as_ref();
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
                for (at, c) in part.char_indices() {
                    match c {
                        '&' if is_entity(part.get(at + 1..).unwrap_or_default()) => out.push('&'),
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

/// Markup that was escaped once more ("&lt;p&gt;") as it is.
fn with_markup(line: &str) -> Cow<'_, str> {
    if ["&lt;p", "&lt;/p", "&lt;br"].iter().any(|m| line.contains(m)) {
        let shown = line.replace("&lt;", "<").replace("&gt;", ">");
        return Cow::Owned(shown.replace("&quot;", "\"").replace("&amp;", "&"));
    }
    Cow::Borrowed(line)
}

/// The longest name of a character, in bytes.
const LONGEST_ENTITY: usize = 8;

/// Whether what stands behind an ampersand names a character: "nbsp;".
fn is_entity(rest: &str) -> bool {
    rest.split_once(';').is_some_and(|(name, _)| {
        (2..=LONGEST_ENTITY).contains(&name.len())
            && name
                .trim_start_matches('#')
                .bytes()
                .all(|b| b.is_ascii_alphanumeric())
    })
}

/// The strings that stand at one kind of place in a script's data and read most like prose: `article.blocks[].text`.
fn in_state(html: &str) -> Option<Vec<String>> {
    let mut found = Found {
        places: HashMap::new(),
        left: MOST_STRINGS,
        arrays: 0,
    };
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
                _ => found.collect(&value, &mut String::new(), 0, 0),
            }
        }
    }
    for row in rows(&flight) {
        found.collect(&row, &mut String::new(), 0, 0);
    }
    let best = found
        .places
        .into_values()
        .max_by_key(|(prose, pieces)| (*prose, pieces.len()));
    best.map(|(_, pieces)| lines_of(&pieces))
}

/// A string of a script's data, and the list that it stands in.
struct Piece {
    text: String,
    array: usize,
}

/// The pieces of a text as its lines. Where each paragraph is a list of its own, its pieces are set apart by their looks
/// ("He said ", "no", "."), and are joined.
fn lines_of(pieces: &[Piece]) -> Vec<String> {
    let of_one = pieces
        .windows(2)
        .all(|p| matches!(p, [a, b] if a.array == b.array));
    let mut lines: Vec<String> = Vec::new();
    let mut before: Option<usize> = None;
    for piece in pieces {
        let last = lines
            .last_mut()
            .filter(|_| !of_one && before == Some(piece.array));
        before = Some(piece.array);
        let space = char::is_whitespace;
        let goes_on = |last: &&mut String| {
            let open = !last.trim_end().ends_with(ends_line);
            open || last.ends_with(space) || piece.text.starts_with(|c: char| space(c) || c.is_lowercase())
        };
        match last.filter(goes_on) {
            Some(last) => last.push_str(&piece.text),
            None => lines.push(piece.text.clone()),
        }
    }
    lines.iter().map(|l| l.trim().to_owned()).collect()
}

fn ends_line(c: char) -> bool {
    crate::normalise::is_terminal(c) || crate::normalise::is_closer(c)
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

/// What was found in the data of scripts.
struct Found {
    /// Words of prose and pieces of text by kind of place.
    places: HashMap<String, (usize, Vec<Piece>)>,
    /// Strings that may still be looked at.
    left: usize,
    /// Lists that were met.
    arrays: usize,
}

impl Found {
    /// `array`: the list that the value stands in.
    fn collect(&mut self, value: &Value, place: &mut String, depth: usize, array: usize) {
        if depth > DEEPEST || self.left == 0 {
            return;
        }
        match value {
            Value::String(text) => self.add(text, place, array),
            Value::Array(values) => {
                self.arrays += 1;
                let own = self.arrays;
                for v in values {
                    self.collect(v, place, depth + 1, own);
                }
            }
            Value::Object(map) => {
                for (key, v) in map {
                    let before = place.len();
                    place.push('.');
                    // Keys that are numbers or ids tell one object of a list from the next.
                    if place.len() + key.len() <= LONGEST_PLACE && !key.contains(|c: char| c.is_ascii_digit())
                    {
                        place.push_str(key);
                    }
                    self.collect(v, place, depth + 1, array);
                    place.truncate(before);
                }
            }
            _ => {}
        }
    }

    fn add(&mut self, text: &str, place: &str, array: usize) {
        self.left -= 1;
        // Addresses and code are no lines of a text.
        let short = text.trim();
        if short.is_empty() || short.starts_with("http") || short.contains('{') {
            return;
        }
        let words = words_of(short);
        let ends = short.ends_with(ends_line) || short.ends_with('>');
        let found = self.places.entry(place.to_owned()).or_default();
        if words >= 6 && ends {
            found.0 += words;
        }
        if found.1.last().is_none_or(|l| l.text.trim() != short) {
            found.1.push(Piece {
                text: text.to_owned(),
                array,
            });
        }
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

    #[test]
    fn pieces_of_a_paragraph_are_joined() {
        let paragraph = |n: usize| {
            format!(
                r#"{{"children":[{{"text":"Seven ships that had been waiting off the Grey Bank came in at dawn, pilot {n} said, "}},{{"text":"all of them"}},{{"text":" in a row."}}]}}"#
            )
        };
        let body = [1, 2, 3, 4].map(paragraph).join(",");
        let html =
            format!(r#"<script id="__NEXT_DATA__" type="application/json">{{"body":[{body}]}}</script>"#);
        let found = find(&html, &Facts::default(), 0).unwrap();
        assert_eq!(found.matches("<p>").count(), 4, "{found}");
        assert!(
            found.contains("pilot 2 said, all of them in a row.</p>"),
            "{found}"
        );
    }

    #[test]
    fn markup_that_was_escaped_twice_is_markup() {
        let lines = [
            "&lt;p&gt;Seven ships &amp;amp; a tug.&lt;/p&gt;".to_owned(),
            "Tugs &nbsp;& pilots".to_owned(),
        ];
        assert_eq!(
            as_page(&lines),
            "<article><p><p>Seven ships &amp; a tug.</p></p><p>Tugs &nbsp;&amp; pilots</p></article>"
        );
    }
}
