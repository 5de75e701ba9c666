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

/// Reads one paragraph after the other with the same buffers.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    folded: Vec<u8>,
    lower: Vec<u8>,
}

impl Reader {
    /// Reads one paragraph. Returns its block hash: letters folded, digit runs as one zero, so that "12 minutes
    /// ago" and "3 minutes ago" are one block; 0 for a block that is too short to be known.
    pub(crate) fn read(&mut self, text: &str, sink: &mut impl Sink) -> i64 {
        let Self { folded, lower } = self;
        if text.is_ascii() {
            return read_bytes::<false>(text.as_bytes(), lower, sink);
        }
        folded.clear();
        fold_into(text, folded);
        read_bytes::<true>(folded, lower, sink)
    }
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x80 * ONES;

/// Eight bytes, the first one lowest: in lower case, and one bit for each that belongs to a word.
#[inline]
fn eight(x: u64) -> (u64, u64) {
    // No byte of `low` exceeds 0x7f, so that adding up to 0x80 to each carries into its own high bit only.
    let low = x & !HIGH;
    let from = |v: u64, byte: u8| v + (0x80 - u64::from(byte)) * ONES;
    let upper = low | (0x20 * ONES);
    let letter = from(upper, b'a') & !from(upper, b'z' + 1) & !x & HIGH;
    let digit = from(low, b'0') & !from(low, b'9' + 1) & !x & HIGH;
    let word = letter | digit | (x & HIGH);
    // The product gathers the high bits in the top byte.
    (
        x | (letter >> 2),
        ((word >> 7).wrapping_mul(0x0102_0408_1020_4080)) >> 56,
    )
}

/// Whether one of eight bytes of a word in lower case is a digit (0x30 to 0x39: bit 4, but neither 6 nor 7).
const fn has_digit(word: u64) -> bool {
    (word << 2) & !word & !(word >> 1) & (0x40 * ONES) != 0
}

/// Whether a byte that parts words ends a sentence or opens a quotation.
const fn opens_sentence(byte: u8) -> bool {
    const OPENERS: u64 = 1 << b'.' | 1 << b'!' | 1 << b'?' | 1 << b':' | 1 << b'"';
    byte < 64 && (OPENERS >> byte) & 1 != 0
}

/// `FOLDED`: the bytes come from [`fold_into`] and may hold its markers. Bytes from 0x80 are letters.
///
/// Looks at 64 bytes at a time: one bit for each that belongs to a word; words begin and end where the bits change.
/// A test holds the result against a reading byte by byte.
fn read_bytes<const FOLDED: bool>(bytes: &[u8], lower: &mut Vec<u8>, sink: &mut impl Sink) -> i64 {
    // Words are hashed from here, and the last one is read beyond its end. The zeros of a last, perhaps empty,
    // block end a word that ends with the text.
    let blocks = bytes.len() / 64 + 1;
    lower.clear();
    lower.extend_from_slice(bytes);
    lower.resize(blocks * 64 + 8, 0);
    let mut walk = Walk::<'_, _, FOLDED> {
        bytes,
        sink,
        last: 0,
        block: 0,
        letters: 0,
    };
    let mut start = 0;
    let mut within = 0;
    for base in (0..blocks).map(|number| number * 64) {
        let Some(block) = lower.get_mut(base..).and_then(<[u8]>::first_chunk_mut) else {
            break;
        };
        let words = to_lower(block);
        let mut edges = words ^ (words << 1 | within);
        if within != 0 && edges != 0 {
            let end = base + edges.trailing_zeros() as usize;
            edges &= edges - 1;
            walk.long_word(lower, start, end);
        }
        let Some(block) = lower.get(base..).and_then(<[u8]>::first_chunk) else {
            break;
        };
        while edges != 0 {
            let from = edges.trailing_zeros() as usize;
            edges &= edges - 1;
            if edges == 0 {
                start = base + from;
                break;
            }
            let to = edges.trailing_zeros() as usize;
            edges &= edges - 1;
            walk.word(block, base, from, to);
        }
        within = words >> 63;
    }
    if walk.letters < MIN_BLOCK_LETTERS {
        0
    } else {
        hash::finalise(walk.block) as i64
    }
}

/// Writes 64 bytes in lower case; one bit for each that belongs to a word.
#[inline]
fn to_lower(block: &mut [u8; 64]) -> u64 {
    let mut words = 0;
    let (eights, _) = block.as_chunks_mut::<8>();
    for (at, of) in eights.iter_mut().enumerate() {
        let (low, bits) = eight(u64::from_le_bytes(*of));
        *of = low.to_le_bytes();
        words |= bits << (8 * at);
    }
    words
}

/// What has been read of a paragraph.
struct Walk<'a, S, const FOLDED: bool> {
    bytes: &'a [u8],
    sink: &'a mut S,
    /// End of the last word; 0 before the first.
    last: usize,
    block: u64,
    letters: u32,
}

impl<S: Sink, const FOLDED: bool> Walk<'_, S, FOLDED> {
    /// A word that lies within 64 bytes in lower case; eight more can be read. `base`: where these begin.
    #[inline(always)]
    fn word(&mut self, block: &[u8; 72], base: usize, from: usize, to: usize) {
        // The mask changes nothing, but shows the compiler that the place is within the array.
        let (token, digits) = hash_word(from, to, |at| load(&block[at & 63..]));
        self.take(token, digits, base + from, base + to, &block[from & 63..]);
    }

    /// A word that begins in one block and ends in another.
    #[inline(never)]
    fn long_word(&mut self, lower: &[u8], from: usize, to: usize) {
        let (token, digits) = hash_word(from, to, |at| load(lower.get(at..).unwrap_or_default()));
        self.take(token, digits, from, to, lower.get(from..).unwrap_or_default());
    }

    /// `word`: begins with the word in lower case.
    #[inline(always)]
    fn take(&mut self, token: u64, digits: bool, from: usize, to: usize, word: &[u8]) {
        let length = to - from;
        // Only folding leaves markers, each directly before its word.
        let marker = match self.bytes.get(from.wrapping_sub(1)) {
            Some(byte) if FOLDED => *byte,
            _ => b' ',
        };
        let dense = marker == DENSE;
        self.sink.token(token, dense);
        if digits {
            self.sink.note(token, Trait::Number);
            let word = word.get(..length).unwrap_or_default();
            self.block = hash::chain(self.block, without_digits(word));
        } else {
            let capital = self.bytes.get(from).is_some_and(u8::is_ascii_uppercase);
            if (capital || marker == CAPITAL) && length > 1 && !self.opens_sentence(from) {
                self.sink.note(token, Trait::Name);
            }
            self.block = hash::chain(self.block, token);
        }
        self.letters += if dense { 2 } else { length as u32 };
        self.last = to;
    }

    /// Whether a word that begins here is the first one of its sentence or quotation.
    fn opens_sentence(&self, from: usize) -> bool {
        let between = self.bytes.get(self.last..from).unwrap_or_default();
        self.last == 0 || between.iter().any(|b| opens_sentence(*b))
    }
}

/// Hash of a word in lower case, and whether a digit is in it. `load`: the eight bytes from a place.
#[inline(always)]
fn hash_word(from: usize, to: usize, load: impl Fn(usize) -> u64) -> (u64, bool) {
    let mut hash = WordHash::default();
    let mut digits = false;
    let mut at = from;
    while at + 8 < to {
        let eight = load(at);
        digits |= has_digit(eight);
        hash = hash.push(eight);
        at += 8;
    }
    let eight = load(at) & (u64::MAX >> (64 - 8 * (to - at)));
    digits |= has_digit(eight);
    (hash.push(eight).finish(), digits)
}

/// The first eight bytes; there are always as many.
#[inline(always)]
fn load(bytes: &[u8]) -> u64 {
    let eight = bytes.first_chunk::<8>();
    eight.map_or(0, |eight| u64::from_le_bytes(*eight))
}

/// Hash of a word in lower case with every run of digits as one zero.
fn without_digits(word: &[u8]) -> u64 {
    let mut hash = WordHash::default();
    let (mut eight, mut held, mut last) = (0_u64, 0, 0);
    for byte in word {
        let byte = if byte.is_ascii_digit() { b'0' } else { *byte };
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
            let block = read_bytes::<false>(&bytes, &mut vec![7; 9], &mut plain);
            prop_assert_eq!((block, plain), by_bytes(&bytes, false));
            let mut folded = Seen::default();
            let block = read_bytes::<true>(&bytes, &mut Vec::new(), &mut folded);
            prop_assert_eq!((block, folded), by_bytes(&bytes, true));
        }
    }
}
