//! From a paragraph to tokens: one hash per word, or per character where a script has no spaces.
//!
//! A word is a run of letters and digits after folding; digits stay, because they tell slot-filled
//! templates apart. On the way the numbers and names of the paragraph are noted and its block hash is made.

use copydesk_article::{MarkKind, ParagraphMark, block_of};

use crate::block::{has_marker, to_lower};
use crate::fold::{CAPITAL, DENSE, fold_into};
use crate::hash::{self, Token, WordHash};

/// The tokens of one paragraph after the other, and what was seen on the way.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    pub(crate) hashes: Vec<Token>,
    /// Which tokens are characters of a script without spaces, ascending.
    pub(crate) dense: Vec<usize>,
    /// Numbers and names: hash, paragraph and kind in one number, so that its order is theirs.
    marks: Vec<u64>,
    /// The number of the paragraph that is read.
    pub(crate) paragraph: u8,
}

impl Tokens {
    pub(crate) fn clear(&mut self) {
        self.hashes.clear();
        self.dense.clear();
        self.marks.clear();
    }

    fn mark(&mut self, hash: u64, kind: MarkKind) {
        let is_name = u64::from(kind == MarkKind::Name);
        self.marks
            .push(u64::from(hash::short(hash)) << 9 | u64::from(self.paragraph) << 1 | is_name);
    }

    /// The distinct numbers and names of each paragraph, ascending.
    pub(crate) fn marks(&mut self) -> Vec<ParagraphMark> {
        self.marks.sort_unstable();
        self.marks.dedup();
        let unpack = |m: &u64| ParagraphMark {
            hash: (m >> 9) as u32,
            paragraph: (m >> 1) as u8,
            kind: if m & 1 == 0 {
                MarkKind::Number
            } else {
                MarkKind::Name
            },
        };
        self.marks.iter().map(unpack).collect()
    }
}

/// A block (paragraph, line) is known by its hash only if it has this many letters: "Share" or "Photo"
/// stands in every article of every site and says nothing.
const MIN_BLOCK_LETTERS: usize = 8;

/// Reads one paragraph after the other with the same buffers.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    folded: Vec<u8>,
}

impl Reader {
    /// Appends the tokens of one paragraph. Returns its block hash: letters folded, digit runs as one zero, so that
    /// "12 minutes ago" and "3 minutes ago" are one block; 0 for a block that is too short to be known.
    pub(crate) fn read(&mut self, text: &str, tokens: &mut Tokens) -> i64 {
        // Plain are ASCII and what cannot be taken for a marker of folding: 3 to 0x7f.
        if text.bytes().fold(0, |most, b| b.wrapping_sub(3).max(most)) <= 0x7f - 3 {
            return read_bytes::<false>(text.as_bytes(), tokens);
        }
        self.folded.clear();
        fold_into(text, &mut self.folded);
        read_bytes::<true>(&self.folded, tokens)
    }
}

/// Whether a byte that parts words ends a sentence or opens a quotation.
const fn opens_sentence(byte: u8) -> bool {
    matches!(byte, b'.' | b'!' | b'?' | b':' | b'"')
}

/// Reads ASCII, or (`FOLDED`) what [`fold_into`] wrote: there may be its markers, and bytes from 0x80 are letters.
///
/// Looks at 64 bytes at a time: one bit for each that belongs to a word; words begin and end where the bits change. The
/// next 64 begin where a word does that these do not hold as a whole. A test holds the result against a reading byte by
/// byte.
fn read_bytes<const FOLDED: bool>(bytes: &[u8], tokens: &mut Tokens) -> i64 {
    let (mut chain, mut letters) = (0, 0);
    // Where the word before ended.
    let mut last = 0;
    // The tokens of 64 bytes go to the others all at once; at most every second byte begins a word.
    let mut found = [Token::default(); 64];
    let mut base = 0;
    while base < bytes.len() {
        let rest = bytes.get(base..).unwrap_or_default();
        let mut tail = None;
        let block = block_of(rest, b' ', &mut tail);
        let (low, classes) = to_lower(block);
        let words = classes.words;
        let mut starts = words & !(words << 1);
        let mut ends = words << 1 & !words;
        // Added to its beginning, a word of plain letters carries a bit to its end.
        let mut plain = (words & !classes.odd).wrapping_add(starts);
        // The marker of the first word is the byte before it.
        let block_and_before = base.saturating_sub(1)..bytes.len().min(base + 64);
        if FOLDED && has_marker(bytes.get(block_and_before).unwrap_or_default()) {
            plain = 0;
        }
        let mut count = 0;
        while ends != 0 {
            let (from, to) = (starts.trailing_zeros() as usize, ends.trailing_zeros() as usize);
            starts &= starts - 1;
            ends &= ends - 1;
            let length = to - from;
            let hash = hash_word(&low, from, to);
            let (mut said, mut weight) = (hash, length);
            if plain >> to & 1 == 0 {
                let word = Word {
                    hash,
                    low: &low[from & 63..],
                    length,
                    gap: bytes.get(last..=base + from).unwrap_or_default(),
                    first: last == 0,
                };
                (said, weight) = tokens.note(&word, count);
            }
            found[count & 63] = hash.to_le_bytes();
            count += 1;
            chain = hash::chain(chain, said);
            letters += weight;
            last = base + to;
        }
        tokens
            .hashes
            .extend_from_slice(found.get(..count).unwrap_or_default());
        base += match starts.trailing_zeros() as usize {
            // A word that 64 bytes do not hold, at their beginning.
            0 => {
                let length = word_length(rest);
                let mut low = rest.get(..length).unwrap_or_default().to_ascii_lowercase();
                let hash = hash_any(&low);
                low.extend([0; 8]);
                let word = Word {
                    hash,
                    low: &low,
                    length,
                    gap: bytes.get(last..=base).unwrap_or_default(),
                    first: last == 0,
                };
                let (said, weight) = tokens.note(&word, 0);
                tokens.hashes.push(word.hash.to_le_bytes());
                chain = hash::chain(chain, said);
                letters += weight;
                last = base + length;
                length
            }
            unfinished => unfinished,
        };
    }
    if letters < MIN_BLOCK_LETTERS {
        0
    } else {
        hash::finalise(chain) as i64
    }
}

/// The length of the word that bytes begin with.
fn word_length(bytes: &[u8]) -> usize {
    let parts = |b: &u8| b.is_ascii() && !b.is_ascii_alphanumeric();
    bytes.iter().position(parts).unwrap_or(bytes.len())
}

/// A word that may be more than its letters.
struct Word<'a> {
    hash: u64,
    /// Begins with the word in lower case and goes on for eight bytes at least.
    low: &'a [u8],
    length: usize,
    /// From the end of the word before to the first byte of this one.
    gap: &'a [u8],
    /// Whether it is the first one of its paragraph.
    first: bool,
}

impl Tokens {
    /// Notes what a word is besides its letters; `ahead` tokens are not among the others yet. Gives the hash and the
    /// number of letters that it has for its block.
    #[inline(never)]
    fn note(&mut self, word: &Word<'_>, ahead: usize) -> (u64, usize) {
        let (capital, marker) = match word.gap {
            [.., marker, first] => (first.is_ascii_uppercase(), *marker),
            [first] => (first.is_ascii_uppercase(), b' '),
            [] => (false, b' '),
        };
        let mut letters = word.length;
        if marker == DENSE {
            self.dense.push(self.hashes.len() + ahead);
            letters = 2;
        }
        if has_digits(word.low, word.length) {
            self.mark(word.hash, MarkKind::Number);
            return (
                without_digits(word.low.get(..word.length).unwrap_or_default()),
                letters,
            );
        }
        if (capital || marker == CAPITAL) && word.length > 1 {
            // The first word of a sentence or quotation has its capital from that.
            let opens = word.first || word.gap.iter().any(|b| opens_sentence(*b));
            if !opens {
                self.mark(word.hash, MarkKind::Name);
            }
        }
        (word.hash, letters)
    }
}

/// Hash of the word from here to there.
#[inline(always)]
fn hash_word(low: &[u8; 72], from: usize, to: usize) -> u64 {
    let mut hash = WordHash::default();
    let mut at = from;
    // The mask changes nothing, but shows the compiler that the eight bytes are there.
    while at + 8 < to {
        hash = hash.push(load(&low[at & 63..]));
        at += 8;
    }
    hash.push(load(&low[at & 63..]) & lowest(to - at)).finish()
}

/// Hash of any word.
fn hash_any(low: &[u8]) -> u64 {
    let mut hash = WordHash::default();
    for chunk in low.chunks(8) {
        let eight = chunk.iter().rev().fold(0, |eight, b| eight << 8 | u64::from(*b));
        hash = hash.push(eight);
    }
    hash.finish()
}

/// Whether a digit is in the word that bytes in lower case begin with; they go on for eight.
fn has_digits(low: &[u8], length: usize) -> bool {
    // Digits are 0x30 to 0x39: bit 4, but neither 6 nor 7.
    let any = |eight: u64| (eight << 2) & !eight & !(eight >> 1) & 0x4040_4040_4040_4040 != 0;
    (0..length.div_ceil(8)).any(|n| {
        let eight = load(low.get(8 * n..).unwrap_or_default());
        any(eight & lowest((length - 8 * n).min(8)))
    })
}

/// The first eight bytes; there are always as many.
#[inline(always)]
fn load(bytes: &[u8]) -> u64 {
    bytes.first_chunk().map_or(0, |eight| u64::from_le_bytes(*eight))
}

/// A mask for the first bytes of eight, one to all of them.
const fn lowest(bytes: usize) -> u64 {
    u64::MAX >> (64 - 8 * bytes)
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
    struct Seen {
        tokens: Vec<Token>,
        dense: Vec<usize>,
        marks: Vec<(u32, MarkKind)>,
    }

    /// What `read_bytes` does, one byte after the other.
    fn by_bytes(bytes: &[u8]) -> (i64, Seen) {
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
            let token = hash_any(&word);
            if gap == DENSE {
                seen.dense.push(seen.tokens.len());
            }
            seen.tokens.push(token.to_le_bytes());
            if word.iter().any(u8::is_ascii_digit) {
                seen.marks.push((hash::short(token), MarkKind::Number));
                let mut brief = Vec::new();
                for byte in word.iter().map(|b| if b.is_ascii_digit() { b'0' } else { *b }) {
                    if byte != b'0' || brief.last() != Some(&b'0') {
                        brief.push(byte);
                    }
                }
                block = hash::chain(block, hash_any(&brief));
            } else {
                let capital = bytes[at].is_ascii_uppercase() || gap == CAPITAL;
                if !opens && word.len() > 1 && capital {
                    seen.marks.push((hash::short(token), MarkKind::Name));
                }
                block = hash::chain(block, token);
            }
            letters += if gap == DENSE { 2 } else { word.len() };
            (opens, gap, at) = (false, b' ', end);
        }
        let hash = if letters < 8 {
            0
        } else {
            hash::finalise(block) as i64
        };
        seen.marks.sort_unstable();
        seen.marks.dedup();
        (hash, seen)
    }

    proptest! {
        #[test]
        fn many_bytes_at_a_time_read_as_single_bytes_do(
            bytes in prop_oneof![
                prop::collection::vec(any::<u8>(), 0..200),
                "[A-Za-z0-9 .,\"]{0,200}".prop_map(String::into_bytes),
                "([a-zA-Z]{6,10}|[0-9]{1,20}|[ .-])*".prop_map(String::into_bytes),
                "([a-z]{1,9}[ ,.]|\x02[a-z]{3} |\x01[a-zé]{1,40} |[A-Z]){0,80}".prop_map(String::into_bytes),
                "[a-zé]{0,300}( [0-9a-zé]{50,200})?".prop_map(String::into_bytes),
            ],
        ) {
            let mut tokens = Tokens::default();
            let block = read_bytes::<true>(&bytes, &mut tokens);
            let marks = tokens.marks().into_iter().map(|m| (m.hash, m.kind)).collect();
            let seen = Seen { tokens: tokens.hashes, dense: tokens.dense, marks };
            prop_assert_eq!((block, &seen), (by_bytes(&bytes).0, &by_bytes(&bytes).1));
            if !has_marker(&bytes) {
                let mut tokens = Tokens::default();
                let plain = read_bytes::<false>(&bytes, &mut tokens);
                prop_assert_eq!((plain, tokens.hashes), (block, seen.tokens));
            }
        }

        /// Control characters are spaces, also those that folding uses as its markers.
        #[test]
        fn control_characters_part_words(text in "([a-z]{1,9}|[A-Z][a-z]{1,3}|[\x00-\x1f ]){0,50}") {
            let spaced: String = text.chars().map(|c| if c < ' ' { ' ' } else { c }).collect();
            let (mut tokens, mut expected) = (Tokens::default(), Tokens::default());
            let block = Reader::default().read(&text, &mut tokens);
            prop_assert_eq!(block, Reader::default().read(&spaced, &mut expected));
            prop_assert_eq!(&tokens.hashes, &expected.hashes);
            prop_assert_eq!(tokens.dense.len(), 0);
            prop_assert_eq!(tokens.marks(), expected.marks());
        }
    }
}
