//! What two blocks have in common when a site shows the same thing twice.

use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;

use copydesk_article::CleanArticle;

/// 32-bit hash of a block's letters, case folded, dates, times and a lone number taken as 0: "12 minutes
/// ago" is "3 minutes ago".
///
/// 32 bits are enough because blocks of one site are compared only: some 6,000 stored ones against 20 of an article
/// meet by chance once in 35,000 articles, and twice in the same block practically never.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockKey(pub u32);

/// Written as eight hexadecimal digits, as `copydesk site show` prints it.
impl fmt::Display for BlockKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl FromStr for BlockKey {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        u32::from_str_radix(text, 16).map(Self)
    }
}

/// Letters and runs of digits that a block needs to be known.
const FEWEST: usize = 2;
/// A block with fewer is *short*: a label, or a word of an interview.
const SHORT: usize = 10;

/// The key of a block and whether it is short. `None`: there is next to nothing in it.
pub fn block_key(text: &str) -> Option<BlockKey> {
    measure(text).map(|(key, _)| key)
}

/// [`block_key`], and whether the block is short.
pub(crate) fn measure(text: &str) -> Option<(BlockKey, bool)> {
    let hash = if is_letters(text) {
        let mut letters = Vec::new();
        put_letters(text, &mut letters);
        Hash::of_letters(&letters)
    } else if text.is_ascii() {
        Hash::of_ascii(text.as_bytes(), folds_numbers(text))
    } else {
        Hash::of_any(text, folds_numbers(text))
    };
    hash.key()
}

/// Whether there is nothing but letters that make its hash: ASCII, and no digit. Most blocks are so, and that is seen sixteen
/// bytes at a time.
fn is_letters(text: &str) -> bool {
    text.is_ascii() && !text.bytes().fold(false, |found, b| found | b.is_ascii_digit())
}

/// Appends the letters of a block that [has no others](is_letters) in lower case: where a word ends need not be guessed then.
fn put_letters(text: &str, letters: &mut Vec<u8>) {
    let mut count = letters.len();
    letters.resize(count + text.len(), 0);
    for byte in text.bytes() {
        let class = CLASSES[usize::from(byte)];
        if let Some(place) = letters.get_mut(count) {
            *place = class;
        }
        count += usize::from(class > DIGIT);
    }
    letters.truncate(count);
}

/// The running hash of a block's letters and numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Hash {
    state: u64,
    /// Letters and runs of digits.
    count: usize,
}

impl Hash {
    const EMPTY: Self = Self {
        state: 0xcbf2_9ce4_8422_2325,
        count: 0,
    };

    /// The block's key and whether it is short.
    fn key(self) -> Option<(BlockKey, bool)> {
        // Stafford's variant 13: the bits of the running state alone are not good enough.
        let mut h = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        h = (h ^ (h >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (self.count >= FEWEST).then_some((BlockKey((h >> 32) as u32), self.count < SHORT))
    }

    const fn step(&mut self, c: u32) {
        self.state = (self.state ^ c as u64)
            .wrapping_mul(0x0000_0100_0000_01b3)
            .rotate_left(23);
    }

    fn of_any(text: &str, fold: bool) -> Self {
        let (mut hash, mut in_digits) = (Self::EMPTY, false);
        for c in text.chars() {
            if let Ok(byte) = u8::try_from(c)
                && byte.is_ascii()
            {
                hash.ascii(byte, fold, &mut in_digits);
            } else if c.is_numeric() {
                hash.number(u32::from(c), fold, &mut in_digits);
            } else if c.is_alphabetic() {
                c.to_lowercase().for_each(|low| hash.step(u32::from(low)));
                hash.count += 1;
                in_digits = false;
            }
        }
        hash
    }

    /// The same without decoding: most blocks are ASCII, and every article's are hashed.
    fn of_ascii(text: &[u8], fold: bool) -> Self {
        let (mut hash, mut in_digits) = (Self::EMPTY, false);
        for byte in text {
            hash.ascii(*byte, fold, &mut in_digits);
        }
        hash
    }

    /// The same of the [`letters`] of ASCII without a digit.
    fn of_letters(letters: &[u8]) -> Self {
        let [state] = Self::states([letters]);
        Self {
            state,
            count: letters.len(),
        }
    }

    /// The states after several rows of letters. A state needs the one before it, and so a row for itself leaves the processor
    /// waiting; rows of about one length are done in the time of one.
    fn states<const N: usize>(rows: [&[u8]; N]) -> [u64; N] {
        let shortest = rows.iter().map(|row| row.len()).min().unwrap_or(0);
        let parted = rows.map(|row| row.split_at(shortest));
        let mut hashes = [Self::EMPTY; N];
        for at in 0..shortest {
            for (hash, (row, _)) in hashes.iter_mut().zip(&parted) {
                hash.step(row.get(at).copied().map_or(0, u32::from));
            }
        }
        for (hash, (_, rest)) in hashes.iter_mut().zip(&parted) {
            rest.iter().for_each(|c| hash.step(u32::from(*c)));
        }
        hashes.map(|hash| hash.state)
    }

    #[inline]
    fn ascii(&mut self, byte: u8, fold: bool, in_digits: &mut bool) {
        match CLASSES[usize::from(byte)] {
            OTHER => *in_digits = false,
            JOINT => {}
            DIGIT => self.number(u32::from(byte), fold, in_digits),
            letter => {
                self.step(u32::from(letter));
                self.count += 1;
                *in_digits = false;
            }
        }
    }

    fn number(&mut self, c: u32, fold: bool, in_digits: &mut bool) {
        if !fold {
            self.step(c);
        } else if !*in_digits {
            self.step(u32::from('0'));
        }
        self.count += usize::from(!*in_digits);
        *in_digits = true;
    }
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
fn folds_numbers(text: &str) -> bool {
    let (mut runs, mut dated, mut digits, mut value) = (0, false, 0_u32, 0_u32);
    let mut joined = false;
    // Digits and joints are ASCII: no byte of another character is taken for one.
    for byte in text.bytes().chain(std::iter::once(b' ')) {
        if byte.is_ascii_digit() {
            digits += 1;
            value = value.wrapping_mul(10).wrapping_add(u32::from(byte - b'0'));
            continue;
        }
        if digits > 0 {
            runs += usize::from(!joined);
            dated = dated || (digits == 4 && (1900..2100).contains(&value)) || (digits <= 2 && byte == b':');
            joined = CLASSES[usize::from(byte)] == JOINT;
        } else {
            joined = false;
        }
        (digits, value) = (0, 0);
    }
    dated || runs <= 1
}

/// Blocks that are hashed at once.
const AT_ONCE: usize = 4;

/// What is known of the text of each block of an article: made once, asked for by [`crate::PageBlocks::of_keys`] and
/// [`crate::decide_keyed`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlockKeys(pub(crate) Vec<Option<(BlockKey, bool)>>);

impl BlockKeys {
    /// Hashes every block, kept and removed.
    pub fn of(article: &CleanArticle) -> Self {
        let mut keys = vec![None; article.blocks.len()];
        let mut letters = Vec::with_capacity(article.blocks.iter().map(|b| b.text.len()).sum());
        // Of each block that is nothing but letters: how many, where they begin, and the block's place.
        let mut rows: Vec<(usize, usize, usize)> = Vec::with_capacity(keys.len());
        for (position, (block, key)) in article.blocks.iter().zip(&mut keys).enumerate() {
            if is_letters(&block.text) {
                let from = letters.len();
                put_letters(&block.text, &mut letters);
                rows.push((letters.len() - from, from, position));
            } else {
                *key = measure(&block.text);
            }
        }
        // Those of about one length beside each other.
        rows.sort_unstable();
        for rows in rows.chunks(AT_ONCE) {
            // Where they are fewer, the first one is done several times.
            let row = |n: usize| rows.get(n).or(rows.first()).copied().unwrap_or_default();
            let states = Hash::states(std::array::from_fn::<_, AT_ONCE, _>(|n| {
                let (count, from, _) = row(n);
                letters.get(from..from + count).unwrap_or_default()
            }));
            for ((count, _, position), state) in rows.iter().zip(states) {
                if let Some(key) = keys.get_mut(*position) {
                    *key = Hash { state, count: *count }.key();
                }
            }
        }
        Self(keys)
    }

    /// The key of a block and whether it is short. `None`: there is next to nothing in it, or no such block.
    pub(crate) fn get(&self, position: usize) -> Option<(BlockKey, bool)> {
        self.0.get(position).copied().flatten()
    }
}

#[cfg(test)]
mod tests {
    use copydesk_article::{Block, BlockKind, Metadata};
    use proptest::prelude::*;

    use super::*;

    /// What a key is made of, without a table.
    fn plainly(text: &str, fold: bool) -> Hash {
        let (mut hash, mut in_digits) = (Hash::EMPTY, false);
        for c in text.chars() {
            if c.is_numeric() {
                if !fold {
                    hash.step(u32::from(c));
                } else if !in_digits {
                    hash.step(u32::from('0'));
                }
                hash.count += usize::from(!in_digits);
                in_digits = true;
            } else if c.is_ascii() {
                in_digits = in_digits && is_joint(c);
                if c.is_ascii_alphabetic() {
                    hash.step(u32::from(c) | 0x20);
                    hash.count += 1;
                }
            } else if c.is_alphabetic() {
                c.to_lowercase().for_each(|low| hash.step(u32::from(low)));
                hash.count += 1;
                in_digits = false;
            }
        }
        hash
    }

    proptest! {
        #[test]
        fn ascii_is_hashed_as_anything_else(text in "[ -~]{0,80}|[0-9.,:a-c ]{0,30}", fold: bool) {
            prop_assert_eq!(Hash::of_ascii(text.as_bytes(), fold), plainly(&text, fold));
        }

        #[test]
        fn letters_are_hashed_as_anything_else(text in "[ -/:-~]{0,80}|[a-z ]{240,270}|[-a-c ]{500,530}") {
            prop_assert!(is_letters(&text));
            let mut letters = b"of the block before".to_vec();
            let before = letters.len();
            put_letters(&text, &mut letters);
            prop_assert_eq!(Hash::of_letters(&letters[before..]), plainly(&text, true));
        }

        #[test]
        fn many_blocks_are_hashed_as_each_is(texts in prop::collection::vec("[a-zA-Z ,]{0,60}|[a-z0-9]{0,5}|[a-zé ]{0,9}", 0..14)) {
            let article = CleanArticle {
                metadata: Metadata::default(),
                blocks: texts.iter().map(|t| Block::kept(BlockKind::Body, t.as_str())).collect(),
                warnings: Vec::new(),
                rules_version: String::new(),
            };
            let each: Vec<_> = texts.iter().map(|t| measure(t)).collect();
            prop_assert_eq!(BlockKeys::of(&article).0, each);
        }

        #[test]
        fn any_text_is_hashed_as_it_is_said(text in "[ -~äßЖ٣²港’…]{0,40}|\\PC{0,40}", fold: bool) {
            prop_assert_eq!(Hash::of_any(&text, fold), plainly(&text, fold));
        }

        #[test]
        fn without_digits_numbers_are_folded(text in "[^0-9]{0,40}") {
            prop_assert!(folds_numbers(&text));
        }
    }

    #[test]
    fn keys_meet_over_case_punctuation_and_numbers() {
        assert_eq!(
            block_key("Posted 12 minutes ago"),
            block_key("posted: 3 MINUTES ago.")
        );
        assert_eq!(
            block_key("Published 11:54 PM, 19 Nov 2019"),
            block_key("Published 7:02 PM, 3 Nov 2026")
        );
        assert_ne!(
            block_key("Profit 12 million against 9 million"),
            block_key("Profit 8 million against 11 million")
        );
        assert_ne!(
            block_key("Posted 12 minutes ago"),
            block_key("Posted minutes ago")
        );
        assert_ne!(block_key("Größe zählt hier"), block_key("Grosse zahlt hier"));
        assert_eq!(block_key("** –"), None);
        assert!(measure("Sport").is_some_and(|(_, short)| short));
        assert!(measure("Sign up for more").is_some_and(|(_, short)| !short));
    }

    #[test]
    fn keys_are_stored_and_must_not_change() {
        assert_eq!(
            block_key("Sign up for the letter of 2 towns")
                .unwrap()
                .to_string(),
            "502eed46"
        );
        assert_eq!(block_key("港が再開した").unwrap().to_string(), "f6217efd");
        let key = BlockKey(0x0a1);
        assert_eq!(key.to_string().parse(), Ok(key));
    }
}
