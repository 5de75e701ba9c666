//! The marks that services put behind an article that they cut: "[+2145 chars]", "[…]".

use std::borrow::Cow;

use copydesk_article::BlockKind;

use super::markers::CUT_MARK;
use crate::draft::Draft;

/// The longest mark, in bytes.
const LONGEST: usize = 40;

/// A text with its marks in lines of their own. `line_end` is what ends a line.
pub(crate) fn set_apart<'t>(text: &'t str, line_end: &str) -> Cow<'t, str> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, mark, after)) = next(rest) {
        out.push_str(before);
        out.push_str(line_end);
        out.push_str(mark);
        out.push_str(line_end);
        rest = after;
    }
    if out.is_empty() {
        return Cow::Borrowed(text);
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Takes the mark "[…]" from the end of the last line, as a block of its own: within a text it stands for what somebody
/// left out, at its end for what a feed did. It counts for an ellipsis until the rules are through with the line.
pub(crate) fn part_ellipsis(drafts: &mut Vec<Draft>) {
    const MARKS: [&str; 4] = ["[…]", "[...]", "[&hellip;]", "[&#8230;]"];
    let last = drafts.iter().rposition(|d| d.is_kept() && d.kind.is_body());
    let Some((at, draft)) = last.and_then(|at| Some((at, drafts.get_mut(at)?))) else {
        return;
    };
    let cut = MARKS
        .iter()
        .find_map(|m| Some((draft.text.strip_suffix(m)?.trim_end().len(), *m)));
    let Some((length, mark)) = cut.filter(|(length, _)| *length > 0) else {
        return;
    };
    draft.text.truncate(length);
    let mut mark = Draft::new(BlockKind::Body, mark.to_owned());
    mark.remove(&CUT_MARK, None);
    drafts.insert(at + 1, mark);
}

/// Whether a block is nothing but such a mark.
pub(super) fn is_cut_mark(draft: &Draft) -> bool {
    draft.chars <= LONGEST && draft.text.starts_with('[') && is_mark(&draft.text)
}

/// The first mark of a text, with what stands before and behind it.
fn next(text: &str) -> Option<(&str, &str, &str)> {
    // Sought by whole vectors: nearly every text has none.
    memchr::memmem::find_iter(text.as_bytes(), b"[+").find_map(|at| {
        let (before, rest) = text.split_at_checked(at)?;
        // No further than a mark reaches: a page may hold a million beginnings.
        let end = rest.bytes().take(LONGEST).position(|b| b == b']')? + 1;
        let (mark, after) = rest.split_at_checked(end)?;
        is_mark(mark).then_some((before, mark, after))
    })
}

/// "[+2145 chars]", "[+ 2,145 characters]".
fn is_mark(mark: &str) -> bool {
    let inside = mark
        .strip_prefix("[+")
        .and_then(|m| m.strip_suffix(']'))
        .unwrap_or_default()
        .trim();
    let (number, unit) = inside.split_once(' ').unwrap_or_default();
    mark.len() <= LONGEST
        && !number.is_empty()
        && number.chars().all(|c| c.is_ascii_digit() || c == ',' || c == '.')
        && matches!(unit.trim(), "chars" | "char" | "characters" | "words" | "more")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_set_apart() {
        assert_eq!(
            set_apart("Ships came in at … [+2145 chars]", "\n"),
            "Ships came in at … \n[+2145 chars]\n"
        );
        assert_eq!(
            set_apart("Ships [+2 tugs] came [in].", "\n"),
            "Ships [+2 tugs] came [in]."
        );
        let is = |text: &str| is_cut_mark(&Draft::new(BlockKind::Body, text.to_owned()));
        assert!(is("[+2145 chars]") && is("[+ 2,145 characters]"));
        assert!(!is("[+2 tugs]") && !is("[2145 chars]"));
    }
}
