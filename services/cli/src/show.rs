//! Text from strangers on a terminal: control characters made harmless, styles only where they help.

use std::io::IsTerminal;

/// `text` with everything that could steer a terminal or reorder a line replaced by a visible mark.
///
/// Escape sequences in stored text could otherwise rewrite the screen of whoever looks at it, and
/// bidirectional overrides could show a line in another order than it is stored.
pub(crate) fn safe(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\t' => c,
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
            c if c.is_control() => '\u{fffd}',
            c => c,
        })
        .collect()
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

    fn wrap(self, code: &str, text: &str) -> String {
        if self.on {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    pub(crate) fn bold(self, text: &str) -> String {
        self.wrap("1", text)
    }

    pub(crate) fn dim(self, text: &str) -> String {
        self.wrap("2", text)
    }

    pub(crate) fn removed(self, text: &str) -> String {
        self.wrap("2;9", text)
    }

    pub(crate) fn good(self, text: &str) -> String {
        self.wrap("32", text)
    }

    pub(crate) fn bad(self, text: &str) -> String {
        self.wrap("31", text)
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
    fn lines_are_cut_by_characters() {
        assert_eq!(line("日本語のニュース", 4), "日本語…");
        assert_eq!(line("  two \n words ", 20), "two words");
    }
}
