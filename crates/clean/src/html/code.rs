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
        for (text, shown, expected) in [
            (program, true, false),
            (program, false, false),
            (poem, true, false),
            (poem, false, false),
            (data, false, true),
            (data, true, false),
        ] {
            let flags = if shown { Flags::PRE } else { Flags::default() };
            assert_eq!(is_code(&block(text, flags)), expected, "{text}");
        }
    }
}
