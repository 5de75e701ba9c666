//! Cutting a text into blocks.
//!
//! Blank lines and line ends both end a paragraph, as scrapers write either; but lines that were wrapped at
//! a fixed width are joined again. A long text without line ends is cut into sentences, which are joined
//! after cleaning, so that a "Check Also" glued to the end can still be told from the body.

use copydesk_article::BlockKind;

use crate::ascii::Facts;
use crate::draft::{Draft, End};
use crate::normalise::{fold_space, is_closer, is_dense_script};

/// A text without line ends longer than this (bytes) is cut into sentences.
const ONE_LINE_TEXT: usize = 600;

/// As many as most texts have: beyond that, room for more is made as they come.
const USUAL_LINES: usize = 32;

/// The text has more lines or sentences than the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooManyLines;

/// Cuts a text into blocks. The flag says that they are sentences, to be joined again at the end.
///
/// # Errors
/// It would be more than `most` blocks.
pub(crate) fn segment(text: &str, most: usize) -> Result<(Vec<Draft>, bool), TooManyLines> {
    let width = wrap_width(text);
    let mut drafts = Vec::with_capacity(USUAL_LINES);
    let mut pending = String::new();
    for line in lines(text) {
        let Some(width) = width else {
            if !push_plain(line, &mut drafts, most)? {
                for line in split_rare(line).map(str::trim).filter(|l| !l.is_empty()) {
                    push(line, &mut drafts, most)?;
                }
            }
            continue;
        };
        for line in split_rare(line).map(str::trim) {
            if line.is_empty() {
                flush(&mut pending, &mut drafts, most)?;
                continue;
            }
            if !pending.is_empty() {
                pending.push(' ');
            }
            pending.push_str(line);
            // A line that ends early ends its paragraph.
            if line.chars().count() + 15 < width {
                flush(&mut pending, &mut drafts, most)?;
            }
        }
    }
    flush(&mut pending, &mut drafts, most)?;
    if drafts.len() <= 2 && drafts.iter().any(|d| d.text.len() > ONE_LINE_TEXT) {
        let mut cut = Vec::new();
        for draft in &drafts {
            for (n, sentence) in sentences(&draft.text).into_iter().enumerate() {
                let mut sentence = Draft::new(BlockKind::Body, sentence);
                sentence.continues = n > 0;
                add(sentence, &mut cut, most)?;
            }
        }
        return Ok((cut, true));
    }
    Ok((drafts, false))
}

/// `text.split('\n')`, by whole vectors.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut from = 0;
    memchr::memchr_iter(b'\n', text.as_bytes())
        .chain(std::iter::once(text.len()))
        .filter_map(move |end| text.get(std::mem::replace(&mut from, end + 1)..end))
}

/// Cuts a line at the rarer line ends, if it has any: the first look is at many bytes at once.
fn split_rare(line: &str) -> impl Iterator<Item = &str> {
    // 0xe2 opens U+2028 and U+2029, and curly quotes as well.
    let rare = |b: u8| matches!(b, b'\r' | 0xb | 0xc | 0xe2);
    let any = line.bytes().fold(false, |any, b| any | rare(b));
    let (whole, cut) = if any {
        (None, Some(line))
    } else {
        (Some(line), None)
    };
    let ends = ['\r', '\u{2028}', '\u{2029}', '\u{b}', '\u{c}'];
    whole
        .into_iter()
        .chain(cut.into_iter().flat_map(move |l| l.split(ends)))
}

fn flush(pending: &mut String, drafts: &mut Vec<Draft>, most: usize) -> Result<(), TooManyLines> {
    if !pending.is_empty() {
        push(pending, drafts, most)?;
        pending.clear();
    }
    Ok(())
}

fn push(line: &str, drafts: &mut Vec<Draft>, most: usize) -> Result<(), TooManyLines> {
    let text = fold_space(line);
    if text.is_empty() {
        return Ok(());
    }
    add(Draft::new(BlockKind::Body, text), drafts, most)
}

fn add(draft: Draft, drafts: &mut Vec<Draft>, most: usize) -> Result<(), TooManyLines> {
    if drafts.len() >= most {
        return Err(TooManyLines);
    }
    drafts.push(draft);
    Ok(())
}

/// [`push`] of a line in which there is nothing to fold and nowhere to cut: most are so, and are looked at once. Whether
/// it was one, or empty.
fn push_plain(line: &str, drafts: &mut Vec<Draft>, most: usize) -> Result<bool, TooManyLines> {
    let (Some(first), Some(last)) = (line.bytes().next(), line.bytes().next_back()) else {
        return Ok(true);
    };
    let facts = Facts::of(line);
    let plain = facts.is_ascii && facts.is_folded && first != b' ' && last != b' ';
    if plain {
        let draft = Draft::measured(BlockKind::Body, line.to_owned(), facts);
        add(draft, drafts, most)?;
    }
    Ok(plain)
}

/// The width that a text was wrapped at, if it was: most of its lines end within a few columns of each
/// other, between 55 and 100, and in the middle of a sentence.
fn wrap_width(text: &str) -> Option<usize> {
    let (mut lines, mut near, mut open, mut longest) = (0_usize, 0_usize, 0_usize, 0_usize);
    for line in text.lines().map(str::trim).filter(|l| !l.is_empty()).take(200) {
        // A single longer line settles it: nobody wrapped this.
        if line.len() > 400 {
            return None;
        }
        let chars = line.chars().count();
        if chars > 100 {
            return None;
        }
        lines += 1;
        longest = longest.max(chars);
        near += usize::from(chars >= 55);
        open += usize::from(line.ends_with(|c: char| c.is_alphanumeric() || c == ',' || c == '-'));
    }
    (lines >= 8 && near * 10 >= lines * 6 && open * 10 >= lines * 6).then_some(longest)
}

/// Cuts a paragraph into sentences: a full stop (and closing quotes) before white space and something that
/// can open a sentence. Abbreviations of up to three letters ("Mr.", "U.S.", "p.m.") do not end one.
fn sentences(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut current = String::new();
    let mut chars = text.chars().peekable();
    let mut ended = false;
    while let Some(c) = chars.next() {
        if ended && c == ' ' {
            let opens = chars.peek().is_some_and(|&n| !n.is_lowercase());
            if opens {
                out.push(std::mem::take(&mut current));
                ended = false;
                continue;
            }
        }
        current.push(c);
        ended = match c {
            '.' => !is_abbreviation(&current),
            '!' | '?' | '…' | '。' | '！' | '？' | '।' | '؟' | '۔' => true,
            // A bracket that stands alone is no part of the sentence after it: "(Agency/Jane Doe) The …".
            ')' if current.starts_with('(') && !ended => true,
            c if is_closer(c) => ended,
            _ => false,
        };
        if ended && chars.peek().is_some_and(|&n| is_dense_script(n)) && is_dense_end(c) {
            out.push(std::mem::take(&mut current));
            ended = false;
        }
    }
    if !current.trim().is_empty() {
        out.push(current);
    }
    out
}

const fn is_dense_end(c: char) -> bool {
    matches!(c, '。' | '！' | '？' | '」' | '』')
}

/// Whether the text ends in an abbreviation rather than in a sentence: "U.S.", "Mr.", "p.m.", "J.".
fn is_abbreviation(text: &str) -> bool {
    // The last word, or the end of it: whatever is longer is no abbreviation.
    let word: String = text.chars().rev().take(24).take_while(|c| *c != ' ').collect();
    let word: String = word.chars().rev().collect();
    let word = word.trim_end_matches('.');
    let letters = word.chars().filter(|c| c.is_alphabetic()).count();
    let dotted = word.contains('.');
    let capital = word.chars().next().is_some_and(char::is_uppercase);
    (dotted && letters <= 4)
        || (capital && letters <= 2)
        || matches!(
            word,
            "Mrs" | "Gen" | "Sen" | "Gov" | "Rep" | "Lt" | "vs" | "Prof" | "bzw" | "Nr" | "ca"
        )
}

/// Joins neighbouring kept sentences into one paragraph again.
pub(crate) fn join_sentences(drafts: Vec<Draft>) -> Vec<Draft> {
    let mut out: Vec<Draft> = Vec::with_capacity(drafts.len());
    // A paragraph is measured once, when it is whole: it may have many sentences.
    let mut grown = false;
    for draft in drafts {
        let joins = draft.continues && draft.is_kept() && draft.kind == BlockKind::Body;
        match out.last_mut() {
            Some(last)
                if joins && last.is_kept() && last.kind == BlockKind::Body && last.end != End::Open =>
            {
                let dense = last.text.chars().next_back().is_some_and(is_dense_end);
                last.grow(if dense { "" } else { " " }, &draft.text);
                grown = true;
            }
            last => {
                if let Some(last) = last.filter(|_| grown) {
                    last.measure_again();
                }
                grown = false;
                out.push(draft);
            }
        }
    }
    if let Some(last) = out.last_mut().filter(|_| grown) {
        last.measure_again();
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn lines_are_what_is_between_line_ends(text in "[a\n\r é]{0,40}") {
            let plainly: Vec<&str> = text.split('\n').collect();
            prop_assert_eq!(lines(&text).collect::<Vec<_>>(), plainly);
        }

        #[test]
        fn a_plain_line_is_what_the_long_way_makes_of_it(
            line in "[a-zA-Z .,]{0,40}|( |  |a|B|é|\r|\x0b|\t|\u{2028}|\u{a0}|\u{ad}|\u{feff}|’){0,9}",
        ) {
            let mut long = Vec::new();
            for part in split_rare(&line).map(str::trim).filter(|l| !l.is_empty()) {
                push(part, &mut long, 9).unwrap();
            }
            let mut plain = Vec::new();
            if push_plain(&line, &mut plain, 9).unwrap() {
                let figures = |drafts: &[Draft]| -> Vec<_> {
                    drafts.iter().map(|d| (d.text.clone(), d.chars, d.words, d.letters, d.end)).collect()
                };
                prop_assert_eq!(figures(&plain), figures(&long));
            }
        }
    }

    #[test]
    fn lines_are_paragraphs() {
        let (drafts, joined) =
            segment("Harbour reopens\n\nShips came in.\nCranes moved.\r\n\r\n  \n", 9).unwrap();
        assert!(!joined);
        assert_eq!(
            drafts.iter().map(|d| d.text.as_str()).collect::<Vec<_>>(),
            ["Harbour reopens", "Ships came in.", "Cranes moved."]
        );
    }

    #[test]
    fn wrapped_lines_are_joined() {
        let words = "the harbour master said the channel was clear and ships could enter again after ";
        let mut text = String::new();
        for (i, word) in words.repeat(12).split_whitespace().enumerate() {
            text.push_str(word);
            text.push(if i % 13 == 12 { '\n' } else { ' ' });
        }
        let (drafts, _) = segment(&text, 9).unwrap();
        assert_eq!(drafts.len(), 1, "{drafts:?}");
    }

    #[test]
    fn sentences_end_where_they_end() {
        let found =
            sentences("Mr. Finch of the U.S. said no. “We will wait.” Then 3.5 tons fell! Nobody saw.");
        assert_eq!(
            found,
            [
                "Mr. Finch of the U.S. said no.",
                "“We will wait.”",
                "Then 3.5 tons fell!",
                "Nobody saw."
            ]
        );
        assert_eq!(
            sentences("港が再開した。船は入った。"),
            ["港が再開した。", "船は入った。"]
        );
    }
}
