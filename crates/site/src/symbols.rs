//! What the text of a block is reduced to before it is hashed: its letters and its numbers.
//!
//! Nothing here knows of keys. The same symbols must come of the same text for ever: keys are stored.

use std::ops::Range;

use copydesk_article::{block_of, gather_bits};

/// Appends what a block's key is made of: its letters in lower case and its digits, or a zero for each run of
/// them. Returns how many letters and runs of digits there are.
pub(crate) fn put_symbols(text: &str, symbols: &mut Vec<u32>) -> usize {
    let bytes = text.as_bytes();
    // Most blocks are ASCII without a digit.
    let digits = bytes.iter().fold(false, |found, b| found | b.is_ascii_digit());
    match (text.is_ascii(), digits) {
        (true, false) => put_letters(bytes, symbols),
        (true, true) => put_ascii(bytes, folds_numbers(bytes), symbols),
        (false, _) => each_symbol(text, folds_numbers(bytes), |symbol| symbols.push(symbol)),
    }
}

/// Where digits of ASCII stand in a row: nowhere in most blocks, and that is seen sixteen bytes at a time.
struct DigitRuns<'a> {
    text: &'a [u8],
    /// Where the bytes behind those begin that `digits` describes.
    next: usize,
    digits: u64,
}

impl<'a> DigitRuns<'a> {
    const fn of(text: &'a [u8]) -> Self {
        Self {
            text,
            next: 0,
            digits: 0,
        }
    }

    /// Goes on to the first 64 bytes that have a digit.
    fn find(&mut self) -> Option<()> {
        while self.digits == 0 {
            let bytes = self.text.get(self.next..).filter(|rest| !rest.is_empty())?;
            let mut tail = None;
            let block: &[u8; 64] = block_of(bytes, b' ', &mut tail);
            self.digits = gather_bits(&block.map(|byte| u8::from(byte.is_ascii_digit())));
            self.next += 64;
        }
        Some(())
    }
}

impl Iterator for DigitRuns<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        self.find()?;
        let start = self.next - 64 + self.digits.trailing_zeros() as usize;
        let rest = self.text.get(start..).unwrap_or_default();
        let length = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        let end = start + length;
        // What is left is behind the run, which may go on behind these 64 bytes.
        if end < self.next {
            self.digits &= u64::MAX << (end + 64 - self.next);
        } else {
            (self.next, self.digits) = (end, 0);
        }
        Some(start..end)
    }
}

/// [`put_symbols`] of ASCII: what is between the numbers, and the numbers.
fn put_ascii(text: &[u8], fold: bool, symbols: &mut Vec<u32>) -> usize {
    let (mut count, mut last) = (0, 0);
    for run in DigitRuns::of(text) {
        let between = text.get(last..run.start).unwrap_or_default();
        count += put_letters(between, symbols);
        let goes_on = last > 0 && between.iter().all(|b| is_joint(char::from(*b)));
        count += usize::from(!goes_on);
        last = run.end;
        if !fold {
            symbols.extend(text.get(run).unwrap_or_default().iter().map(|b| u32::from(*b)));
        } else if !goes_on {
            symbols.push(u32::from('0'));
        }
    }
    count + put_letters(text.get(last..).unwrap_or_default(), symbols)
}

/// The letters of ASCII. Every byte is written, and what is no letter is written over: where a word ends need
/// not be guessed then.
fn put_letters(text: &[u8], symbols: &mut Vec<u32>) -> usize {
    let before = symbols.len();
    let mut at = before;
    symbols.resize(before + text.len(), 0);
    for byte in text {
        let class = CLASSES[usize::from(*byte)];
        if let Some(place) = symbols.get_mut(at) {
            *place = u32::from(class);
        }
        at += usize::from(class > DIGIT);
    }
    symbols.truncate(at);
    at - before
}

/// Tells of the symbols of any text, one after the other. Returns how many letters and runs of digits there are.
pub(crate) fn each_symbol(text: &str, fold: bool, mut say: impl FnMut(u32)) -> usize {
    let (mut count, mut in_digits) = (0, false);
    for c in text.chars() {
        let class = u8::try_from(c).map_or(OTHER, |byte| CLASSES[usize::from(byte)]);
        if c.is_numeric() {
            if !fold {
                say(u32::from(c));
            } else if !in_digits {
                say(u32::from('0'));
            }
            count += usize::from(!in_digits);
            in_digits = true;
        } else if class > DIGIT {
            say(u32::from(class));
            count += 1;
            in_digits = false;
        } else if c.is_ascii() {
            in_digits &= class == JOINT;
        } else if c.is_alphabetic() {
            c.to_lowercase().map(u32::from).for_each(&mut say);
            count += 1;
            in_digits = false;
        }
    }
    count
}

const OTHER: u8 = 0;
const JOINT: u8 = 1;
const DIGIT: u8 = 2;
/// Of each byte: what it is, or the lower-case letter.
const CLASSES: [u8; 256] = {
    let mut table = [OTHER; 256];
    let mut b = 0_u8;
    while b < 0x80 {
        table[b as usize] = if b.is_ascii_alphabetic() {
            b | 0x20
        } else if b.is_ascii_digit() {
            DIGIT
        } else if is_joint(b as char) {
            JOINT
        } else {
            OTHER
        };
        b += 1;
    }
    table
};

/// Within a number, a date or a time.
const fn is_joint(c: char) -> bool {
    matches!(c, '.' | ',' | ':' | '-' | '/')
}

/// Whether the numbers of a block say nothing: one number ("12 minutes ago"), or a date or a time among them. A line
/// of a table of results has several and is another line with other numbers.
pub(crate) fn folds_numbers(text: &[u8]) -> bool {
    let (mut numbers, mut dated, mut last) = (0, false, None);
    for run in DigitRuns::of(text) {
        let behind = text.get(run.end).copied().unwrap_or(b' ');
        let joined = last == Some(run.start);
        numbers += usize::from(!joined);
        // Where a number goes on behind its joint.
        last = (CLASSES[usize::from(behind)] == JOINT).then_some(run.end + 1);
        let digits = text.get(run).unwrap_or_default();
        dated |= matches!(digits, [b'1', b'9', _, _] | [b'2', b'0', _, _])
            || (digits.len() <= 2 && behind == b':');
    }
    dated || numbers <= 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a key is made of, without a table, and how many letters and runs of digits.
    fn plainly(text: &str, fold: bool) -> (Vec<u32>, usize) {
        let (mut symbols, mut count, mut in_digits) = (Vec::new(), 0, false);
        for c in text.chars() {
            if c.is_numeric() {
                if !fold {
                    symbols.push(u32::from(c));
                } else if !in_digits {
                    symbols.push(u32::from('0'));
                }
                count += usize::from(!in_digits);
                in_digits = true;
            } else if c.is_ascii() {
                in_digits = in_digits && is_joint(c);
                if c.is_ascii_alphabetic() {
                    symbols.push(u32::from(c) | 0x20);
                    count += 1;
                }
            } else if c.is_alphabetic() {
                symbols.extend(c.to_lowercase().map(u32::from));
                count += 1;
                in_digits = false;
            }
        }
        (symbols, count)
    }

    /// Whether numbers are folded, one byte after the other.
    fn plainly_folds(text: &str) -> bool {
        let (mut runs, mut dated, mut digits, mut value) = (0, false, 0_u32, 0_u32);
        let mut joined = false;
        for byte in text.bytes().chain(std::iter::once(b' ')) {
            if byte.is_ascii_digit() {
                digits += 1;
                value = value.wrapping_mul(10).wrapping_add(u32::from(byte - b'0'));
                continue;
            }
            if digits > 0 {
                runs += usize::from(!joined);
                dated =
                    dated || (digits == 4 && (1900..2100).contains(&value)) || (digits <= 2 && byte == b':');
                joined = is_joint(char::from(byte));
            } else {
                joined = false;
            }
            (digits, value) = (0, 0);
        }
        dated || runs <= 1
    }

    /// What is put behind what is there.
    fn put(put: impl Fn(&mut Vec<u32>) -> usize) -> (Vec<u32>, usize) {
        let mut symbols = vec![1, 2, 3];
        let count = put(&mut symbols);
        assert_eq!(symbols[..3], [1, 2, 3]);
        (symbols.split_off(3), count)
    }

    proptest! {
        #[test]
        fn ascii_has_the_symbols_of_anything_else(text in "[ -~]{0,80}|[0-9.,:a-c ]{0,30}", fold: bool) {
            prop_assert_eq!(put(|s| put_ascii(text.as_bytes(), fold, s)), plainly(&text, fold));
        }

        #[test]
        fn letters_are_the_symbols_of_anything_else(text in "[ -/:-~]{0,80}|[a-z ]{240,270}") {
            prop_assert_eq!(put(|s| put_letters(text.as_bytes(), s)), plainly(&text, true));
        }

        #[test]
        fn any_text_has_its_symbols(text in "[ -~äßЖ٣²港’…]{0,40}|\\PC{0,40}", fold: bool) {
            prop_assert_eq!(put(|s| each_symbol(&text, fold, |c| s.push(c))), plainly(&text, fold));
            prop_assert_eq!(put(|s| put_symbols(&text, s)), plainly(&text, plainly_folds(&text)));
        }

        #[test]
        fn numbers_are_folded_as_it_is_said(
            text in "([a-z ]{55,66})?([0-9:./, a]{0,24}|((19|20|1|21)[0-9]{2}[ .]?|[0-9]{1,2}[:, ]|é){0,4})",
        ) {
            prop_assert_eq!(folds_numbers(text.as_bytes()), plainly_folds(&text));
        }

        #[test]
        fn runs_of_digits_are_found_as_a_whole(text in "([a-z ]{55,66})?([0-9a ]{0,150}|([0-9]{1,70}[a ]){0,4}|[0-9]{190,200})") {
            let mut expected: Vec<Range<usize>> = Vec::new();
            for at in (0..text.len()).filter(|at| text.as_bytes()[*at].is_ascii_digit()) {
                match expected.last_mut() {
                    Some(run) if run.end == at => run.end += 1,
                    _ => expected.push(at..at + 1),
                }
            }
            prop_assert_eq!(DigitRuns::of(text.as_bytes()).collect::<Vec<_>>(), expected);
        }
    }
}
