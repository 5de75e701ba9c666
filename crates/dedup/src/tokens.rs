//! From a paragraph to tokens: one hash per word, or per character where a script has no spaces.
//!
//! A word is a run of letters and digits after folding; digits stay, because they tell slot-filled
//! templates apart. On the way the numbers and names of the paragraph are noted and its block hash is made.

use crate::fold::{CAPITAL, DENSE, fold_into};
use crate::hash::{self, WordHash};

/// What the tokeniser saw besides the token's hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trait {
    /// A word with a digit in it.
    Number,
    /// A capitalised word that does not open a sentence.
    Name,
}

/// Receives the tokens of a paragraph in order.
pub(crate) trait Sink {
    /// A token. `dense`: one character of a script without spaces.
    fn token(&mut self, hash: u64, dense: bool);
    /// A note on the token that was given last.
    fn note(&mut self, hash: u64, what: Trait);
}

/// A block (paragraph, line) is known by its hash only if it has this many letters: "Share" or "Photo"
/// stands in every article of every site and says nothing.
const MIN_BLOCK_LETTERS: u32 = 8;

/// Reads one paragraph. Returns its block hash: letters folded, digit runs as one zero, so that "12 minutes
/// ago" and "3 minutes ago" are one block; 0 for a block that is too short to be known.
pub(crate) fn read_paragraph(text: &str, scratch: &mut Vec<u8>, sink: &mut impl Sink) -> i64 {
    if text.is_ascii() {
        return read_bytes::<false>(text.as_bytes(), sink);
    }
    scratch.clear();
    fold_into(text, scratch);
    read_bytes::<true>(scratch, sink)
}

/// Eight bytes of text looked at as one number, the first one lowest. The lower-case fold and what each byte is, in
/// the high bit of its place.
struct Eight {
    folded: u64,
    word: u64,
    digit: u64,
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x80 * ONES;

impl Eight {
    #[inline]
    fn of(bytes: &[u8]) -> Self {
        let x = match bytes.first_chunk::<8>() {
            Some(eight) => u64::from_le_bytes(*eight),
            None => padded(bytes),
        };
        // No byte of `low` exceeds 0x7f, so that adding up to 0x80 to each carries into its own high bit only.
        let low = x & !HIGH;
        let from = |v: u64, byte: u8| v + (0x80 - u64::from(byte)) * ONES;
        let upper = low | (0x20 * ONES);
        let letter = from(upper, b'a') & !from(upper, b'z' + 1) & !x & HIGH;
        let digit = from(low, b'0') & !from(low, b'9' + 1) & !x & HIGH;
        Self {
            folded: x | (letter >> 2),
            word: letter | digit | (x & HIGH),
            digit,
        }
    }

    /// Bytes of the word that the first byte is in, and the mask that leaves only them.
    #[inline]
    fn word(&self) -> (usize, u64) {
        let length = (!self.word & HIGH).trailing_zeros() / 8;
        (
            length as usize,
            1_u64.checked_shl(8 * length).unwrap_or(0).wrapping_sub(1),
        )
    }
}

/// Fewer than eight bytes, with zeros after them.
fn padded(bytes: &[u8]) -> u64 {
    let mut eight = [0; 8];
    for (to, from) in eight.iter_mut().zip(bytes) {
        *to = *from;
    }
    u64::from_le_bytes(eight)
}

/// Whether a byte that parts words ends a sentence or opens a quotation.
const fn opens_sentence(byte: u8) -> bool {
    matches!(byte, b'.' | b'!' | b'?' | b':' | b'"')
}

/// `FOLDED`: the bytes come from [`fold_into`] and may hold its markers. Bytes from 0x80 are letters.
///
/// A word is hashed eight bytes at a time as it is found; a test holds the result against a reading by bytes.
fn read_bytes<const FOLDED: bool>(bytes: &[u8], sink: &mut impl Sink) -> i64 {
    let mut block = 0;
    let mut letters = 0;
    let mut opens = true;
    let mut gap = b' ';
    let mut rest = bytes;
    while let Some(first) = rest.first() {
        let mut eight = Eight::of(rest);
        let (mut length, mut mask) = eight.word();
        if length == 0 {
            opens |= opens_sentence(*first);
            gap = *first;
            rest = rest.get(1..).unwrap_or_default();
            continue;
        }
        let word = rest;
        let mut total = 0;
        let mut digits = 0;
        let mut hash = WordHash::default();
        loop {
            hash = hash.push(eight.folded & mask);
            digits |= eight.digit & mask;
            total += length;
            rest = rest.get(length..).unwrap_or_default();
            if length < 8 {
                break;
            }
            eight = Eight::of(rest);
            (length, mask) = eight.word();
            if length == 0 {
                break;
            }
        }
        let token = hash.finish();
        let dense = FOLDED && gap == DENSE;
        sink.token(token, dense);
        if digits != 0 {
            sink.note(token, Trait::Number);
            block = hash::chain(block, without_digits(word.get(..total).unwrap_or_default()));
        } else {
            if !opens && total > 1 && (first.is_ascii_uppercase() || (FOLDED && gap == CAPITAL)) {
                sink.note(token, Trait::Name);
            }
            block = hash::chain(block, token);
        }
        letters += if dense { 2 } else { total as u32 };
        opens = false;
        gap = b' ';
        // One byte parts most words.
        if let Some((next, after)) = rest.split_first() {
            opens |= opens_sentence(*next);
            gap = *next;
            rest = after;
        }
    }
    if letters < MIN_BLOCK_LETTERS {
        0
    } else {
        hash::finalise(block) as i64
    }
}

/// Hash of a word with every run of digits as one zero.
fn without_digits(word: &[u8]) -> u64 {
    let mut hash = WordHash::default();
    let (mut eight, mut held, mut last) = (0_u64, 0, 0);
    for byte in word {
        let byte = if byte.is_ascii_digit() {
            b'0'
        } else {
            byte.to_ascii_lowercase()
        };
        if byte == b'0' && last == b'0' {
            continue;
        }
        last = byte;
        eight |= u64::from(byte) << held;
        held += 8;
        if held == 64 {
            hash = hash.push(eight);
            (eight, held) = (0, 0);
        }
    }
    if held > 0 {
        hash = hash.push(eight);
    }
    hash.finish()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Default, PartialEq)]
    struct Seen(Vec<(u64, bool)>, Vec<(u64, Trait)>);

    impl Sink for Seen {
        fn token(&mut self, hash: u64, dense: bool) {
            self.0.push((hash, dense));
        }
        fn note(&mut self, hash: u64, what: Trait) {
            self.1.push((hash, what));
        }
    }

    /// What `read_bytes` does, one byte after the other.
    fn by_bytes(bytes: &[u8], folded: bool) -> (i64, Seen) {
        let is_word = |b: u8| b.is_ascii_alphanumeric() || b >= 0x80;
        let mut seen = Seen::default();
        let (mut block, mut letters, mut opens, mut gap, mut at) = (0, 0, true, b' ', 0);
        while at < bytes.len() {
            if !is_word(bytes[at]) {
                opens |= b".!?:\"".contains(&bytes[at]);
                gap = bytes[at];
                at += 1;
                continue;
            }
            let end = (at..bytes.len())
                .find(|i| !is_word(bytes[*i]))
                .unwrap_or(bytes.len());
            let word = bytes[at..end].to_ascii_lowercase();
            let token = hash::word(&word);
            let dense = folded && gap == DENSE;
            seen.token(token, dense);
            if word.iter().any(u8::is_ascii_digit) {
                seen.note(token, Trait::Number);
                let mut short = Vec::new();
                for byte in word.iter().map(|b| if b.is_ascii_digit() { b'0' } else { *b }) {
                    if byte != b'0' || short.last() != Some(&b'0') {
                        short.push(byte);
                    }
                }
                block = hash::chain(block, hash::word(&short));
            } else {
                let capital = bytes[at].is_ascii_uppercase() || (folded && gap == CAPITAL);
                if !opens && word.len() > 1 && capital {
                    seen.note(token, Trait::Name);
                }
                block = hash::chain(block, token);
            }
            letters += if dense { 2 } else { word.len() };
            (opens, gap, at) = (false, b' ', end);
        }
        let hash = if letters < 8 {
            0
        } else {
            hash::finalise(block) as i64
        };
        (hash, seen)
    }

    proptest! {
        #[test]
        fn eight_bytes_at_a_time_read_as_bytes_do(
            bytes in prop_oneof![
                prop::collection::vec(any::<u8>(), 0..200),
                "[A-Za-z0-9 .,\"]{0,200}".prop_map(String::into_bytes),
                "([a-zA-Z]{6,10}|[0-9]{1,20}|[ .-])*".prop_map(String::into_bytes),
            ],
        ) {
            let mut plain = Seen::default();
            let block = read_bytes::<false>(&bytes, &mut plain);
            prop_assert_eq!((block, plain), by_bytes(&bytes, false));
            let mut folded = Seen::default();
            let block = read_bytes::<true>(&bytes, &mut folded);
            prop_assert_eq!((block, folded), by_bytes(&bytes, true));
        }
    }
}
