//! Why JSON could not be read: broken, too deep, half a character, or of another shape.

use copydesk_article::{Reason, Reject};
use serde_json::error::Category;

use crate::reject;

/// Arrays and objects within each other: serde_json refuses the 128th level, so that no input overflows the
/// stack.
const DEEPEST: usize = 127;

/// Turns the parser's error into a refusal. Its messages hold positions and kinds, never the text.
///
/// The parser tells kinds of syntax errors apart in its words only, so the place of the error is looked at
/// instead: it does not change when the words do.
pub(crate) fn explain(error: &serde_json::Error, json: &str) -> Reject {
    let place = format!("line {}, column {}", error.line(), error.column());
    match error.classify() {
        Category::Data => reject(Reason::BadEnvelope, error.to_string()),
        Category::Eof => reject(Reason::BadJson, format!("the JSON breaks off: {error}")),
        Category::Io | Category::Syntax => {
            let at = offset(json, error.line(), error.column());
            let seen = look(json.as_bytes(), at);
            if seen.lone_surrogate {
                let detail =
                    format!("a \\u escape near {place} is half of a surrogate pair, which is no character");
                reject(Reason::LoneSurrogate, detail)
            } else if seen.depth > DEEPEST {
                reject(
                    Reason::JsonTooDeep,
                    format!("more than {DEEPEST} levels of arrays and objects at {place}"),
                )
            } else if let Some(word) = python_number(json, at) {
                let detail = format!(
                    "{word} at {place}, which Python writes and JSON does not have: write null \
                        (json.dumps(…, allow_nan=False) finds it)"
                );
                reject(Reason::BadJson, detail)
            } else {
                reject(Reason::BadJson, error.to_string())
            }
        }
    }
}

/// The byte offset of a line and column, both counted from 1.
fn offset(json: &str, line: usize, column: usize) -> usize {
    let before: usize = json
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    (before + column).min(json.len())
}

/// The number that is none, if one stands where the parser gave up.
fn python_number(json: &str, at: usize) -> Option<&'static str> {
    let from = json.floor_char_boundary(at.saturating_sub(2));
    let near = json.get(from..)?.trim_start_matches([':', ',', '[', ' ']);
    ["NaN", "-Infinity", "Infinity"]
        .into_iter()
        .find(|word| near.starts_with(word))
}

struct Seen {
    depth: usize,
    lone_surrogate: bool,
}

/// Walks JSON that is valid up to `at` and says what is there.
fn look(json: &[u8], at: usize) -> Seen {
    let (mut depth, mut in_string, mut i) = (0_usize, false, 0);
    while i < at {
        match json.get(i) {
            Some(b'"') => in_string = !in_string,
            Some(b'\\') if in_string => match escape(json, i) {
                Some(0xd800..=0xdbff) if matches!(escape(json, i + 6), Some(0xdc00..=0xdfff)) => i += 11,
                // Before `at` all is valid, so a lone half can only be the one at `at`.
                Some(0xd800..=0xdfff) => {
                    return Seen {
                        depth,
                        lone_surrogate: true,
                    };
                }
                _ => i += 1,
            },
            Some(b'[' | b'{') if !in_string => depth += 1,
            Some(b']' | b'}') if !in_string => depth = depth.saturating_sub(1),
            Some(_) => {}
            None => break,
        }
        i += 1;
    }
    Seen {
        depth,
        lone_surrogate: false,
    }
}

/// The code unit of a `\uXXXX` escape at `i`.
fn escape(json: &[u8], i: usize) -> Option<u32> {
    let digits = json.get(i..i + 6)?.strip_prefix(b"\\u")?;
    digits
        .iter()
        .try_fold(0, |n, d| char::from(*d).to_digit(16).map(|d| n * 16 + d))
}
