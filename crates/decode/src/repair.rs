//! Characters that no article means: NUL and the other control characters.
//!
//! Postgres refuses NUL in text and in jsonb (SQLSTATE 22021, 22P05). The other C0 controls can be stored but
//! steer terminals and break XML exports.

use crate::warnings::{CONTROLS_REMOVED, NUL_REMOVED, Warnings};

/// Repairs HTML. Carriage returns and form feeds are white space to an HTML parser and stay.
pub(crate) fn html(text: &mut String, warnings: &mut Warnings) {
    if has(text, |b| is_control(b) && b != b'\r' && b != 0x0c) {
        retain(text, |c| c != '\r' && c != '\x0c', warnings);
    }
}

/// Repairs plain text: line ends become `\n` too (`\r\n`, `\r`, vertical tab and form feed), without a
/// warning, since no text is lost by it.
pub(crate) fn text(text: &mut String, warnings: &mut Warnings) {
    if !has(text, is_control) {
        return;
    }
    if has(text, |b| matches!(b, b'\r' | 0x0b | 0x0c)) {
        *text = text.replace("\r\n", "\n").replace(['\r', '\x0b', '\x0c'], "\n");
    }
    retain(text, |_| true, warnings);
}

/// Repairs a field: [`text`], and no white space at the ends.
pub(crate) fn field(mut value: String, warnings: &mut Warnings) -> String {
    text(&mut value, warnings);
    let trimmed = value.trim();
    if trimmed.len() != value.len() {
        value = trimmed.to_owned();
    }
    value
}

/// Takes NULs, and nothing else, out of a string of the extra fields.
pub(crate) fn extra(value: &mut String, warnings: &mut Warnings) {
    if has(value, |b| b == 0) {
        value.retain(|c| c != '\0');
        warnings.add(NUL_REMOVED);
    }
}

/// Cuts to at most `max` bytes at a character's border. Says whether anything was cut.
pub(crate) fn cut(value: &mut String, max: usize) -> bool {
    if value.len() <= max {
        return false;
    }
    value.truncate(value.floor_char_boundary(max));
    true
}

fn retain(text: &mut String, judge: impl Fn(char) -> bool, warnings: &mut Warnings) {
    let (mut nul, mut control) = (false, false);
    text.retain(|c| {
        let bad = u8::try_from(c).is_ok_and(is_control) && judge(c);
        nul |= c == '\0';
        control |= bad && c != '\0';
        !bad
    });
    if nul {
        warnings.add(NUL_REMOVED);
    }
    if control {
        warnings.add(CONTROLS_REMOVED);
    }
}

/// C0 controls and DEL, without tab and line feed.
pub(crate) const fn is_control(b: u8) -> bool {
    (b < 0x20 && b != b'\n' && b != b'\t') || b == 0x7f
}

/// Whether any byte is `bad`. In blocks without a branch per byte, so that the compiler uses vectors: every
/// byte of every article passes here.
fn has(text: &str, bad: impl Fn(u8) -> bool) -> bool {
    text.as_bytes()
        .chunks(256)
        .any(|block| block.iter().fold(false, |any, b| any | bad(*b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_go_and_leave_a_trace() {
        let mut warnings = Warnings::default();
        let mut value = "a\0b\u{1b}[31mc\td\ne\r\nf\rg\u{7f}é".to_owned();
        text(&mut value, &mut warnings);
        assert_eq!(value, "ab[31mc\td\ne\nf\ngé");
        assert_eq!(warnings.into_codes(), [NUL_REMOVED, CONTROLS_REMOVED]);
    }

    #[test]
    fn line_ends_alone_are_no_warning() {
        let mut warnings = Warnings::default();
        let mut value = "a\r\nb\u{c}c".to_owned();
        text(&mut value, &mut warnings);
        assert_eq!(value, "a\nb\nc");
        let mut page = "<p>a\r\n\u{c}b</p>".to_owned();
        html(&mut page, &mut warnings);
        assert_eq!(page, "<p>a\r\n\u{c}b</p>");
        assert!(warnings.into_codes().is_empty());
    }

    #[test]
    fn a_cut_respects_characters() {
        let mut value = "aé日".to_owned();
        assert!(cut(&mut value, 4));
        assert_eq!(value, "aé");
        assert!(!cut(&mut value, 3));
    }
}
