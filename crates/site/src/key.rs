//! What two blocks have in common when a site shows the same thing twice.

use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;

use copydesk_article::CleanArticle;

use crate::symbols::{each_symbol, folds_numbers, put_symbols};

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
    let fold = folds_numbers(text.as_bytes());
    let mut state = EMPTY;
    let count = each_symbol(text, fold, |symbol| state = step(state, symbol));
    key(state, count)
}

/// The key of a block with so many letters and runs of digits, and whether it is short.
fn key(state: u64, count: usize) -> Option<(BlockKey, bool)> {
    // Stafford's variant 13: the bits of the running state alone are not good enough.
    let mut h = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    h = (h ^ (h >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (count >= FEWEST).then_some((BlockKey((h >> 32) as u32), count < SHORT))
}

/// The state of the hash before the first symbol.
const EMPTY: u64 = 0xcbf2_9ce4_8422_2325;

/// The states of the hash after several rows of symbols. A state needs the one before it, and so a row for
/// itself leaves the processor waiting; rows of about one length are done in the time of one.
fn states<const N: usize>(rows: [&[u32]; N]) -> [u64; N] {
    let shortest = rows.iter().map(|row| row.len()).min().unwrap_or(0);
    let split_rows = rows.map(|row| row.split_at(shortest));
    let mut states = [EMPTY; N];
    for at in 0..shortest {
        for (state, (row, _)) in states.iter_mut().zip(&split_rows) {
            *state = step(*state, row.get(at).copied().unwrap_or_default());
        }
    }
    for (state, (_, rest)) in states.iter_mut().zip(&split_rows) {
        *state = rest.iter().fold(*state, |state, c| step(state, *c));
    }
    states
}

const fn step(state: u64, c: u32) -> u64 {
    (state ^ c as u64)
        .wrapping_mul(0x0000_0100_0000_01b3)
        .rotate_left(23)
}

/// Blocks that are hashed at once.
const AT_ONCE: usize = 4;

/// Symbols that are put together at most before they are hashed, and bytes of the longest block that is among them.
const MOST_SYMBOLS: usize = 1 << 16;

/// What is known of the text of each block of an article: made once, asked for by [`crate::PageBlocks::of_keys`] and
/// [`crate::decide_keyed`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlockKeys(pub(crate) Vec<Option<(BlockKey, bool)>>);

/// Blocks that are to be hashed together.
struct Rows {
    symbols: Vec<u32>,
    rows: Vec<Row>,
}

/// One of them.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    /// Its symbols.
    length: usize,
    from: usize,
    /// Its letters and runs of digits.
    count: usize,
    /// Its place among the article's blocks.
    position: usize,
}

impl Rows {
    fn add(&mut self, position: usize, text: &str) {
        let from = self.symbols.len();
        let count = put_symbols(text, &mut self.symbols);
        self.rows.push(Row {
            length: self.symbols.len() - from,
            from,
            count,
            position,
        });
    }

    /// Hashes them, and has room for others.
    fn hash(&mut self, keys: &mut [Option<(BlockKey, bool)>]) {
        // Those of about one length beside each other.
        self.rows.sort_unstable();
        for rows in self.rows.chunks(AT_ONCE) {
            // Where they are fewer, the first one is done several times.
            let row = |n: usize| rows.get(n).or(rows.first()).copied().unwrap_or_default();
            let states = states(std::array::from_fn::<_, AT_ONCE, _>(|n| {
                let row = row(n);
                self.symbols
                    .get(row.from..row.from + row.length)
                    .unwrap_or_default()
            }));
            for (row, state) in rows.iter().zip(states) {
                if let Some(place) = keys.get_mut(row.position) {
                    *place = key(state, row.count);
                }
            }
        }
        self.rows.clear();
        self.symbols.clear();
    }
}

impl BlockKeys {
    /// Hashes every block, kept and removed.
    pub fn of(article: &CleanArticle) -> Self {
        let mut keys = vec![None; article.blocks.len()];
        let symbols = article.blocks.iter().map(|b| b.text.len()).sum::<usize>();
        let mut rows = Rows {
            symbols: Vec::with_capacity(symbols.min(MOST_SYMBOLS)),
            rows: Vec::with_capacity(article.blocks.len().min(MOST_SYMBOLS)),
        };
        for (position, block) in article.blocks.iter().enumerate() {
            if block.text.len() > MOST_SYMBOLS {
                if let Some(place) = keys.get_mut(position) {
                    *place = measure(&block.text);
                }
                continue;
            }
            if rows.symbols.len() + block.text.len() > MOST_SYMBOLS {
                rows.hash(&mut keys);
            }
            rows.add(position, &block.text);
        }
        rows.hash(&mut keys);
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

    fn article(texts: &[&str]) -> CleanArticle {
        CleanArticle {
            metadata: Metadata::default(),
            blocks: texts.iter().map(|t| Block::kept(BlockKind::Body, *t)).collect(),
            warnings: Vec::new(),
            rules_version: String::new(),
        }
    }

    proptest! {
        #[test]
        fn many_blocks_are_hashed_as_each_is(texts in prop::collection::vec("[a-zA-Z ,]{0,60}|[a-z0-9]{0,5}|[a-zé ]{0,9}", 0..14)) {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let article = article(&texts);
            let each: Vec<_> = texts.iter().map(|t| measure(t)).collect();
            prop_assert_eq!(BlockKeys::of(&article).0, each);
        }
    }

    #[test]
    fn long_blocks_and_many_are_hashed_as_each_is() {
        let long = "The ferry of 1999, and 2 more. ".repeat(MOST_SYMBOLS / 20);
        let half = "Größe zählt. ".repeat(MOST_SYMBOLS / 24);
        let texts = [half.as_str(), "short one", &long, &half, &half, "another"];
        let article = article(&texts);
        let each: Vec<_> = texts.iter().map(|t| measure(t)).collect();
        assert_eq!(BlockKeys::of(&article).0, each);
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
