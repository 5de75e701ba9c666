//! Programs and data on a page.

use super::page::PageBlock;
use super::prose::ratio;
use super::tags::Flags;

/// The share of signs in data and programs that stand where text should.
const LEAST_SIGNS: f64 = 0.25;
/// Shorter text is not told from prose by its signs, in characters.
const SHORTEST_CODE: usize = 40;

/// Whether a block is data or a program that a page shows by mistake: nothing but signs, and not shown as it was typed. What is
/// shown so is part of an article about programs.
pub(super) fn is_code(block: &PageBlock) -> bool {
    let text = block.draft.text.as_str();
    if block.draft.chars < SHORTEST_CODE || block.flags.has(Flags::PRE) || !text.contains(['{', ';', '=']) {
        return false;
    }
    if is_style(text) || is_script(text) {
        return true;
    }
    let sign = |b: &u8| {
        matches!(
            b,
            b'{' | b'}'
                | b'('
                | b')'
                | b'['
                | b']'
                | b';'
                | b'='
                | b'<'
                | b'>'
                | b'_'
                | b'$'
                | b'\\'
                | b'|'
                | b'#'
                | b'&'
                | b'+'
                | b'*'
                | b'/'
                | b'"'
                | b':'
        )
    };
    ratio(text.bytes().filter(|b| sign(b)).count(), block.draft.chars) >= LEAST_SIGNS
}

/// Whether a text is a style sheet and nothing else: names in front of braces, properties in them.
fn is_style(text: &str) -> bool {
    for (rules, piece) in text.split('}').enumerate() {
        let Some((selector, properties)) = piece.split_once('{') else {
            return rules > 0 && piece.trim().is_empty();
        };
        let named = selector.trim_start().starts_with(['.', '#', '@', '*'])
            || !selector.trim().contains(' ') && !selector.trim().is_empty();
        let property =
            |p: &str| p.trim().is_empty() || p.split_once(':').is_some_and(|(n, _)| is_property(n));
        // A rule within another one: "@media (…) { .box {".
        let properties = properties.rsplit('{').next().unwrap_or(properties);
        if rules == 0 && !named || !properties.split(';').all(property) {
            return false;
        }
    }
    false
}

fn is_property(name: &str) -> bool {
    let name = name.trim();
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
}

/// How programs of pages begin.
const OPENINGS: [&str; 12] = [
    "window.",
    "document.",
    "(function(",
    "(function (",
    "!function(",
    "function(",
    "jQuery(",
    "$(document)",
    "$(function",
    "(() =>",
    "googletag.",
    "dataLayer.",
];

/// Whether a text is a program of the page: it begins as one, and ends a statement.
fn is_script(text: &str) -> bool {
    let declared = ["var ", "let ", "const "].iter().any(|d| {
        text.strip_prefix(d)
            .and_then(|rest| rest.split_once('='))
            .is_some_and(|(name, _)| !name.trim().is_empty() && !name.trim().contains(' '))
    });
    (declared || OPENINGS.iter().any(|o| text.starts_with(o)))
        && text.contains([';', '}'])
        && text.contains('(')
}

#[cfg(test)]
mod tests {
    use copydesk_article::BlockKind;

    use super::*;
    use crate::draft::Draft;
    use crate::html::tags::Tag;

    fn block(text: &str, flags: Flags) -> PageBlock {
        PageBlock {
            draft: Draft::new(BlockKind::Body, text.to_owned()),
            elem: 0,
            tag: Tag::Div,
            flags,
            widget: None,
            sure: false,
            links: Vec::new(),
        }
    }

    #[test]
    fn programs_are_told_from_prose() {
        let program =
            "for ship in harbour.ships(): if ship.name.endswith(\"-gull\"): ship.enter(quay=[1, 2])";
        let poem = "The ships came in at dawn, (so they say) and nobody knew why; they left again at noon.";
        let data = r#"{"name":"Gull","ships":[1,2,3],"open":true,"at":{"quay":7,"port":"Brenmark"}}"#;
        let style = ".box-7{margin:0 auto;padding:4px} .box-7 p{color:#333;font-size:14px}";
        let script = "window.layer = window.layer || []; function tag(){layer.push(arguments);} tag(\"js\", new Date());";
        let notes = "The crew sang {chorus}; then it went to sleep; the mate kept watch (alone) until the morning came.";
        for (text, shown, expected) in [
            (program, true, false),
            (program, false, false),
            (poem, true, false),
            (poem, false, false),
            (style, false, true),
            (style, true, false),
            (script, false, true),
            (script, true, false),
            (notes, false, false),
            (data, false, true),
            (data, true, false),
        ] {
            let flags = if shown { Flags::PRE } else { Flags::default() };
            assert_eq!(is_code(&block(text, flags)), expected, "{text}");
        }
    }
}
