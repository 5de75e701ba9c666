//! What two blocks have in common when a site shows the same thing twice.

use std::fmt;
use std::num::ParseIntError;
use std::ops::Range;
use std::str::FromStr;

use copydesk_article::{CleanArticle, gather_bits};

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

/// The states of the hash after several rows of symbols. A state needs the one before it, and so a row for itself leaves the
/// processor waiting; rows of about one length are done in the time of one.
fn states<const N: usize>(rows: [&[u32]; N]) -> [u64; N] {
    let shortest = rows.iter().map(|row| row.len()).min().unwrap_or(0);
    let parted = rows.map(|row| row.split_at(shortest));
    let mut states = [EMPTY; N];
    for at in 0..shortest {
        for (state, (row, _)) in states.iter_mut().zip(&parted) {
            *state = step(*state, row.get(at).copied().unwrap_or_default());
        }
    }
    for (state, (_, rest)) in states.iter_mut().zip(&parted) {
        *state = rest.iter().fold(*state, |state, c| step(state, *c));
    }
    states
}

const fn step(state: u64, c: u32) -> u64 {
    (state ^ c as u64)
        .wrapping_mul(0x0000_0100_0000_01b3)
        .rotate_left(23)
}

/// Appends what a block's key is made of: its letters in lower case and its digits, or a zero for each run of them. Returns how
/// many letters and runs of digits there are.
fn put_symbols(text: &str, symbols: &mut Vec<u32>) -> usize {
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
    /// Where the bytes behind those begin that `digits` tells of.
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
            let mut block = [0; 64];
            match (bytes.first_chunk(), block.get_mut(..bytes.len())) {
                (Some(whole), _) => block = *whole,
                (None, Some(front)) => front.copy_from_slice(bytes),
                (None, None) => {}
            }
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
fn each_symbol(text: &str, fold: bool, mut say: impl FnMut(u32)) -> usize {
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
fn folds_numbers(text: &[u8]) -> bool {
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

    fn article(texts: &[&str]) -> CleanArticle {
        CleanArticle {
            metadata: Metadata::default(),
            blocks: texts.iter().map(|t| Block::kept(BlockKind::Body, *t)).collect(),
            warnings: Vec::new(),
            rules_version: String::new(),
        }
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
        fn many_blocks_are_hashed_as_each_is(texts in prop::collection::vec("[a-zA-Z ,]{0,60}|[a-z0-9]{0,5}|[a-zé ]{0,9}", 0..14)) {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let article = article(&texts);
            let each: Vec<_> = texts.iter().map(|t| measure(t)).collect();
            prop_assert_eq!(BlockKeys::of(&article).0, each);
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
