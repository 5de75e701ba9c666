//! What people see: text from strangers made harmless, styles only where they help.

use std::fmt;
use std::io::IsTerminal as _;

use copydesk_terminal::{escape_json, is_trick, safe as harmless};

/// The beginnings of styles within a text that is to be printed, and the end of all of them, with what a terminal
/// is told. They are noncharacters: [`safe`] takes them out of the text of others, and what slipped by could
/// do no more than be bold.
const STYLES: [(char, &str); 6] = [
    (BOLD, "\u{1b}[1m"),
    (DIM, "\u{1b}[2m"),
    (REMOVED, "\u{1b}[2;9m"),
    (GOOD, "\u{1b}[32m"),
    (BAD, "\u{1b}[31m"),
    (END, "\u{1b}[0m"),
];
const BOLD: char = '\u{fdd0}';
const DIM: char = '\u{fdd1}';
const REMOVED: char = '\u{fdd2}';
const GOOD: char = '\u{fdd3}';
const BAD: char = '\u{fdd4}';
const END: char = '\u{fdd5}';

/// `text` with everything that could steer a terminal or reorder a line replaced by a visible mark.
///
/// Escape sequences in stored text could otherwise rewrite the screen of whoever looks at it, and
/// bidirectional overrides could show a line in another order than it is stored.
pub(crate) fn safe(text: &str) -> String {
    harmless(text).into_owned()
}

/// The last step of everything that is printed: styles become what a terminal understands, and nothing else
/// that steers one passes, whoever forgot to call [`safe`].
pub(crate) fn printed(text: &str) -> String {
    if !text.contains(is_trick) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match STYLES.iter().find(|(mark, _)| *mark == c) {
            Some((_, sequence)) => out.push_str(sequence),
            None if is_trick(c) => out.push(copydesk_terminal::MARK),
            None => out.push(c),
        }
    }
    out
}

/// A JSON value as it is printed: on a terminal with escapes for whatever could steer it, for a program as it is.
pub(crate) fn json(value: impl fmt::Display) -> String {
    json_for(value, std::io::stdout().is_terminal())
}

fn json_for(value: impl fmt::Display, terminal: bool) -> String {
    let json = value.to_string();
    if terminal {
        escape_json(&json).into_owned()
    } else {
        json
    }
}

/// [`safe`], on one line and cut to `width` characters with an ellipsis.
pub(crate) fn line(text: &str, width: usize) -> String {
    let one = safe(text).split_whitespace().collect::<Vec<_>>().join(" ");
    if one.chars().count() <= width {
        return one;
    }
    let mut cut: String = one.chars().take(width.saturating_sub(1)).collect();
    cut.truncate(cut.trim_end().len());
    cut.push('…');
    cut
}

/// Styles for standard output, or none of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    on: bool,
}

impl Style {
    /// Styles if standard output is a terminal and NO_COLOR is not set (no-color.org).
    pub(crate) fn detect() -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
        Self {
            on: std::io::stdout().is_terminal() && !plain,
        }
    }

    pub(crate) const fn is_on(self) -> bool {
        self.on
    }

    fn wrap(self, style: char, text: &str) -> String {
        if self.on {
            format!("{style}{text}{END}")
        } else {
            text.to_owned()
        }
    }

    pub(crate) fn bold(self, text: &str) -> String {
        self.wrap(BOLD, text)
    }

    pub(crate) fn dim(self, text: &str) -> String {
        self.wrap(DIM, text)
    }

    pub(crate) fn removed(self, text: &str) -> String {
        self.wrap(REMOVED, text)
    }

    pub(crate) fn good(self, text: &str) -> String {
        self.wrap(GOOD, text)
    }

    pub(crate) fn bad(self, text: &str) -> String {
        self.wrap(BAD, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_and_overrides_lose_their_power() {
        let shown = safe("a\u{1b}[2Jb\u{202e}c\u{9b}d\r");
        assert_eq!(shown, "a\u{fffd}[2Jb\u{fffd}c\u{fffd}d\u{fffd}");
    }

    #[test]
    fn only_our_own_styles_are_printed() {
        let style = Style { on: true };
        let text = style.bold(&safe("x\u{fdd4}\u{1b}[8m"));
        assert_eq!(printed(&text), "\u{1b}[1mx\u{fffd}\u{fffd}[8m\u{1b}[0m");
        // Even where nobody made the text safe.
        assert_eq!(printed("a\u{1b}[2J\u{202e}b"), "a\u{fffd}[2J\u{fffd}b");
        assert_eq!(Style { on: false }.bold("x"), "x");
    }

    #[test]
    fn json_is_escaped_on_a_terminal_only() {
        let value = serde_json::json!({"title": "a\u{9b}2J\u{202e}b"});
        let shown = json_for(&value, true);
        assert_eq!(shown, r#"{"title":"a\u009b2J\u202eb"}"#);
        assert_eq!(json_for(&value, false), value.to_string());
    }

    #[test]
    fn lines_are_cut_by_characters() {
        assert_eq!(line("日本語のニュース", 4), "日本語…");
        assert_eq!(line("  two \n words ", 20), "two words");
    }
}
