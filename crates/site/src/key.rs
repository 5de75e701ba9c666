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

/// The keys of all blocks of one article, in order: made once, used for its [`crate::PageBlocks`] and for its decision.
#[derive(Debug, Clone, Default)]
pub struct BlockKeys(Vec<Option<(BlockKey, bool)>>);

impl BlockKeys {
    /// Reads every block, kept and removed.
    pub fn of(article: &CleanArticle) -> Self {
        Self(article.blocks.iter().map(|b| measure(&b.text)).collect())
    }

    /// The key of the block at this place, and whether the block is short.
    pub(crate) fn at(&self, position: usize) -> Option<(BlockKey, bool)> {
        self.0.get(position).copied().flatten()
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
    let fold = folds_numbers(text);
    let (mut state, mut count, mut in_digits) = (0xcbf2_9ce4_8422_2325_u64, 0_usize, false);
    let mut step = |c: u32| {
        state = (state ^ u64::from(c))
            .wrapping_mul(0x0000_0100_0000_01b3)
            .rotate_left(23);
    };
    for c in text.chars() {
        if c.is_numeric() {
            if !fold {
                step(u32::from(c));
            } else if !in_digits {
                step(u32::from('0'));
            }
            count += usize::from(!in_digits);
            in_digits = true;
        } else if c.is_ascii() {
            in_digits = in_digits && is_joint(c);
            if c.is_ascii_alphabetic() {
                step(u32::from(c) | 0x20);
                count += 1;
            }
        } else if c.is_alphabetic() {
            c.to_lowercase().for_each(|low| step(u32::from(low)));
            count += 1;
            in_digits = false;
        }
    }
    // Stafford's variant 13: the bits of the running state alone are not good enough.
    let mut h = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    h = (h ^ (h >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (count >= FEWEST).then_some((BlockKey((h >> 32) as u32), count < SHORT))
}

/// Within a number, a date or a time.
const fn is_joint(c: char) -> bool {
    matches!(c, '.' | ',' | ':' | '-' | '/')
}

/// Whether the numbers of a block say nothing: one number ("12 minutes ago"), or a date or a time among them. A line
/// of a table of results has several and is another line with other numbers.
fn folds_numbers(text: &str) -> bool {
    // Most blocks hold none, and that is seen sixteen bytes at a time.
    if !text.bytes().fold(false, |found, b| found | b.is_ascii_digit()) {
        return true;
    }
    let (mut runs, mut dated, mut digits, mut value) = (0, false, 0_u32, 0_u32);
    let mut joined = false;
    for c in text.chars().chain(std::iter::once(' ')) {
        if let Some(digit) = c.to_digit(10) {
            digits += 1;
            value = value.wrapping_mul(10).wrapping_add(digit);
            continue;
        }
        if digits > 0 {
            runs += usize::from(!joined);
            dated = dated || (digits == 4 && (1900..2100).contains(&value)) || (digits <= 2 && c == ':');
            joined = is_joint(c);
        } else {
            joined = false;
        }
        (digits, value) = (0, 0);
    }
    dated || runs <= 1
}

#[cfg(test)]
mod tests {
    use super::*;

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
