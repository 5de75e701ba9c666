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

/// 0 for bytes that part words, else the byte in lower case.
static WORD_BYTE: [u8; 256] = {
    let mut table = [0; 256];
    let mut b = 0;
    while b < 256 {
        let byte = b as u8;
        table[b] = if byte.is_ascii_alphanumeric() || byte >= 0x80 {
            byte.to_ascii_lowercase()
        } else {
            0
        };
        b += 1;
    }
    table
};

/// `FOLDED`: the bytes come from [`fold_into`] and may hold its markers.
fn read_bytes<const FOLDED: bool>(bytes: &[u8], sink: &mut impl Sink) -> i64 {
    let mut block = 0;
    let mut letters = 0;
    let mut opens = true;
    let mut gap = b' ';
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        if WORD_BYTE[*first as usize] == 0 {
            opens |= matches!(first, b'.' | b'!' | b'?' | b':' | b'"');
            gap = *first;
            rest = after;
            continue;
        }
        let length = rest.iter().take_while(|b| WORD_BYTE[**b as usize] != 0).count();
        let (word, after) = rest.split_at(length);
        rest = after;
        let mut has_digit = false;
        let mut hash = WordHash::default();
        for chunk in word.chunks(8) {
            let mut eight = [0; 8];
            for (to, from) in eight.iter_mut().zip(chunk) {
                *to = WORD_BYTE[*from as usize];
                has_digit |= from.is_ascii_digit();
            }
            hash = hash.push(u64::from_le_bytes(eight));
        }
        let token = hash.finish();
        let dense = FOLDED && gap == DENSE;
        sink.token(token, dense);
        if has_digit {
            sink.note(token, Trait::Number);
            block = hash::chain(block, without_digits(word));
        } else {
            if !opens && word.len() > 1 && (first.is_ascii_uppercase() || (FOLDED && gap == CAPITAL)) {
                sink.note(token, Trait::Name);
            }
            block = hash::chain(block, token);
        }
        letters += if dense { 2 } else { word.len() as u32 };
        opens = false;
        gap = b' ';
    }
    if letters < MIN_BLOCK_LETTERS {
        0
    } else {
        hash::finalise(block) as i64
    }
}

/// Hash of a word with every run of digits as one zero.
fn without_digits(word: &[u8]) -> u64 {
    let mut short = Vec::with_capacity(word.len());
    for byte in word {
        if byte.is_ascii_digit() {
            if short.last() != Some(&b'0') {
                short.push(b'0');
            }
        } else {
            short.push(WORD_BYTE[*byte as usize]);
        }
    }
    hash::word(&short)
}
