//! Pages whose article stands in a script: applications that draw their page in the reader's browser send it
//! as a JSON string of HTML. Looked for only on pages that hold next to no text themselves.

use std::borrow::Cow;

use crate::budget::Clock;

/// Opens declarative shadow roots: the browser shows what `<template shadowrootmode>` holds, so it is read like any other
/// element.
pub(crate) fn open_shadow_roots(html: &str) -> Cow<'_, str> {
    const OPENING: &str = "<template";
    const SHADOW: &str = " shadowroot";
    const CLOSING: &str = "</template>";
    let is_shadow = |at: usize| {
        html.get(at + OPENING.len()..)
            .is_some_and(|rest| rest.starts_with(SHADOW))
    };
    let opens = || memchr::memmem::find_iter(html.as_bytes(), OPENING);
    if !opens().any(is_shadow) {
        return Cow::Borrowed(html);
    }
    let mut tags: Vec<(usize, bool)> = opens().map(|at| (at, true)).collect();
    tags.extend(memchr::memmem::find_iter(html.as_bytes(), CLOSING).map(|at| (at, false)));
    tags.sort_unstable();
    // Which of the open templates are shadow roots.
    let mut open: Vec<bool> = Vec::new();
    let (mut out, mut from) = (String::with_capacity(html.len()), 0);
    for (at, opening) in tags {
        let (shadow, old, new) = if opening {
            open.push(is_shadow(at));
            (is_shadow(at), OPENING, "<div")
        } else {
            (open.pop() == Some(true), CLOSING, "</div>")
        };
        if shadow {
            out.push_str(html.get(from..at).unwrap_or_default());
            out.push_str(new);
            from = at + old.len();
        }
    }
    out.push_str(html.get(from..).unwrap_or_default());
    Cow::Owned(out)
}

/// The fewest paragraphs that make a string an article.
const FEWEST_PARAGRAPHS: usize = 3;
/// The longest string that is unescaped, in bytes.
const LONGEST: usize = 1 << 20;
/// The most strings that are looked at.
const MOST_STRINGS: usize = 60;

/// The longest string of HTML in the page's scripts that holds several paragraphs.
pub(crate) fn find(html: &str, clock: &Clock) -> Option<String> {
    let mut best: Option<String> = None;
    let mut from = 0;
    for _ in 0..MOST_STRINGS {
        if clock.is_over() {
            break;
        }
        let Some((at, depth)) = next_paragraph(html, from) else {
            break;
        };
        let (start, end) = string_around(html, at, depth);
        from = end.max(at + 1);
        let Some(raw) = html.get(start..end).filter(|r| r.len() <= LONGEST) else {
            continue;
        };
        if best.as_ref().is_some_and(|b| b.len() >= raw.len()) {
            continue;
        }
        let text = unescape(&unescape(raw));
        if text.matches("<p").count() >= FEWEST_PARAGRAPHS {
            best = Some(text);
        }
    }
    best
}

/// Where the next paragraph within a string begins, and how often the string is escaped: `\u003cp` once,
/// `\\u003cp` in a string within a string.
fn next_paragraph(html: &str, from: usize) -> Option<(usize, usize)> {
    let rest = html.get(from..)?;
    ["\\u003cp", "\\u003Cp", "\"<p"]
        .iter()
        .filter_map(|mark| rest.find(mark).map(|i| (from + i, mark.starts_with('"'))))
        .min()
        .map(|(at, literal)| {
            let before = slashes(html.as_bytes(), at);
            if literal {
                (at + 1, before + 1)
            } else {
                (at, before + 1)
            }
        })
}

/// Backslashes directly before a byte.
fn slashes(bytes: &[u8], at: usize) -> usize {
    bytes.iter().take(at).rev().take_while(|b| **b == b'\\').count()
}

/// The string around a position: its own quotes are escaped less often than those within it.
fn string_around(html: &str, at: usize, depth: usize) -> (usize, usize) {
    let bytes = html.as_bytes();
    let is_end = |i: usize| bytes.get(i) == Some(&b'"') && slashes(bytes, i) < depth;
    let mut start = at;
    while start > 0 && at - start < LONGEST && !is_end(start - 1) {
        start -= 1;
    }
    let mut end = at;
    while end < bytes.len() && end - at < LONGEST && !is_end(end) {
        end += 1;
    }
    (start, end.saturating_sub(depth - 1))
}

/// Undoes one layer of JSON's escapes; anything that is none is left as it is.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    let mut high: Option<u32> = None;
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n' | 'r' | 't') => out.push('\n'),
            Some('u') => {
                let digits: String = chars.by_ref().take(4).collect();
                let Ok(unit) = u32::from_str_radix(&digits, 16) else {
                    out.push_str(&digits);
                    continue;
                };
                match (high.take(), unit) {
                    (_, 0xD800..=0xDBFF) => high = Some(unit),
                    (Some(h), 0xDC00..=0xDFFF) => {
                        out.extend(char::from_u32(0x10000 + ((h - 0xD800) << 10) + (unit - 0xDC00)));
                    }
                    _ => out.extend(char::from_u32(unit)),
                }
            }
            Some(other) => out.push(other),
            None => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_article_in_a_script_is_found() {
        let plain =
            r#"{"a":"x","body":"<p>Ships came \"in\".</p><p>Two.</p><p>Three.</p>","z":"<p>short</p>"}"#;
        assert_eq!(
            find(plain, &Clock::endless()).as_deref(),
            Some("<p>Ships came \"in\".</p><p>Two.</p><p>Three.</p>")
        );
        let nested = r#"push([1,"{\"html\":\"\\u003cdiv class=\\\"x\\\"\\u003e\\u003cp\\u003eEins.\\u003c/p\\u003e\\u003cp\\u003eZwei.\\u003c/p\\u003e\\u003cp\\u003eDrei\\u003c/p\\u003e\",\"b\":1}"])"#;
        let found = find(nested, &Clock::endless()).unwrap_or_default();
        assert!(
            found.contains("<p>Eins.</p>") && !found.contains("\"b\""),
            "{found}"
        );
        assert_eq!(find("<p>No script.</p>", &Clock::endless()), None);
    }

    #[test]
    fn escapes_are_undone() {
        assert_eq!(unescape(r"a\u003cb \ud83d\ude00 \q"), "a<b 😀 q");
    }
}
