//! Text from strangers on a terminal.
//!
//! **In**: text. **Out**: the same text with everything that steers a terminal, hides text or turns its order
//! around made visible: as a mark ([`safe`]), or in JSON as the escape that means the same ([`escape_json`]);
//! numbers of things in words ([`counted`]). **Nothing fails.**

use std::borrow::Cow;
use std::fmt::Write as _;

/// Shown in place of a character that does something instead of showing something.
pub const MARK: char = '\u{fffd}';

/// Whether a character does something to a terminal or a line instead of standing in it: control characters
/// (C0 without tab and line feed, DEL, C1), marks and overrides of direction, line ends that are none for the
/// program that counts lines, characters without width, tags, noncharacters. The joiners of Persian, Indic
/// scripts and emoji are text.
pub const fn is_trick(c: char) -> bool {
    matches!(c,
        '\0'..='\u{8}' | '\u{b}'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        | '\u{ad}' | '\u{61c}' | '\u{180e}'
        | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
        || is_noncharacter(c)
}

/// Code points that will never be characters. Programs use them for themselves, this one too.
pub const fn is_noncharacter(c: char) -> bool {
    matches!(c, '\u{fdd0}'..='\u{fdef}') || (c as u32) & 0xfffe == 0xfffe
}

/// `text` with a mark in place of every trick. Tabs and line feeds stay.
pub fn safe(text: &str) -> Cow<'_, str> {
    if !text.contains(is_trick) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|c| if is_trick(c) { MARK } else { c }).collect())
}

/// A number of things in words: `1 record`, `2 records`.
pub fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// A JSON text with every trick written as `\uXXXX`: it means the same. In valid JSON such characters stand
/// in strings only, but for line ends between the values.
pub fn escape_json(json: &str) -> Cow<'_, str> {
    if !json.contains(is_trick) {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if is_trick(c) && c != '\r' {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a string does not fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRICKS: [&str; 14] = [
        "\u{1b}[2J\u{1b}]0;title\u{7}",
        "\u{9b}2J\u{90}q\u{9c}",
        "a\rb\u{8}\u{8}",
        "\u{202e}gnp.exe\u{202c}",
        "\u{2066}x\u{2069}",
        "\u{200f}x\u{200e}\u{61c}",
        "a\u{2028}b\u{2029}c\u{85}d",
        "a\u{200b}b\u{2060}c\u{feff}d\u{ad}e",
        "\u{e0041}\u{e007f}",
        "\u{fdd0}\u{fffe}\u{1ffff}",
        "\0",
        "\u{7f}",
        "\u{b}\u{c}",
        "\u{206a}\u{180e}",
    ];

    #[test]
    fn tricks_lose_their_power() {
        for trick in TRICKS {
            let shown = safe(trick);
            assert!(
                shown.contains(MARK) && !shown.contains(is_trick),
                "{trick:?}: {shown:?}"
            );
        }
        assert_eq!(safe("a\u{1b}[2Jb"), "a\u{fffd}[2Jb");
    }

    #[test]
    fn text_stays_as_it_is() {
        for text in [
            "two\tcolumns\nand lines",
            "日本語 ñ é e\u{301}",
            "می\u{200c}خواهم",
            "👨\u{200d}👩\u{200d}👧",
            "🏴",
        ] {
            assert_eq!(safe(text), text);
            assert_eq!(escape_json(text), text);
        }
    }

    #[test]
    fn escaped_json_means_the_same() {
        for trick in TRICKS {
            let value = serde_json::json!({ trick: [trick, 1] });
            let json = value.to_string();
            let escaped = escape_json(&json);
            assert!(!escaped.contains(is_trick), "{escaped:?}");
            assert_eq!(
                serde_json::from_str::<serde_json::Value>(&escaped).unwrap(),
                value
            );
        }
    }
}
