//! What tells of most lines that no rule knows them: before they are folded, and without a search for every phrase.
//!
//! Only lines of ASCII are asked about, so that only phrases of ASCII count. A line that a rule knows begins with bytes
//! that some phrase begins with, or has a word from which some phrase that may stand anywhere goes on: phrases begin and
//! end where words do. A wrong yes costs the time that was to be saved, a wrong no would be a rule that is not applied: a test holds the answers against [`Rules::find`](super::Rules).

use crate::ascii::any_word;
use crate::normalise::is_edge;

/// The phrases of all rules, as far as the question goes.
#[derive(Debug, Default)]
pub(super) struct Quick {
    /// The first eight bytes of whole lines and of beginnings.
    openings: Set,
    /// Beginnings with fewer bytes: by their first four, and those that have not even these.
    short: Set,
    shortest: Vec<String>,
    /// Bytes of phrases that may stand anywhere, from the beginning of a word of theirs.
    words: Set,
    /// How many bytes those are, at most eight: as many as every such phrase has.
    word_bytes: usize,
}

/// Bytes of an opening.
const LONG: usize = 8;
const SHORT: usize = 4;

impl Quick {
    /// From whole lines, from beginnings and from what may stand anywhere, all folded.
    pub(super) fn new<'p>(
        lines: impl Iterator<Item = &'p str>,
        starts: impl Iterator<Item = &'p str>,
        within: &[&str],
    ) -> Self {
        let mut quick = Self::default();
        // A line as short as the shorter ones is not asked about.
        for line in lines.filter(|p| p.is_ascii() && p.len() >= LONG) {
            quick.openings.insert(word(line.as_bytes(), LONG));
        }
        for start in starts.filter(|p| p.is_ascii()) {
            match start.len() {
                LONG.. => quick.openings.insert(word(start.as_bytes(), LONG)),
                SHORT.. => quick.short.insert(word(start.as_bytes(), SHORT)),
                _ => quick.shortest.push(start.to_owned()),
            }
        }
        let within: Vec<&[u8]> = within
            .iter()
            .filter(|p| p.is_ascii())
            .map(|p| p.as_bytes())
            .collect();
        let longest = |phrase: &&[u8]| starts_of(phrase).map(|s| phrase.len() - s).max().unwrap_or(0);
        quick.word_bytes = within.iter().map(longest).min().unwrap_or(8).min(8);
        for phrase in within {
            // Of several beginnings the longest word is the least common one.
            let suffixes = starts_of(phrase).filter_map(|s| phrase.get(s..));
            let fit = suffixes.filter(|s| s.len() >= quick.word_bytes);
            let length = |s: &&[u8]| s.iter().take_while(|b| b.is_ascii_alphanumeric()).count();
            if let Some(best) = fit.max_by_key(length) {
                quick.words.insert(word(best, quick.word_bytes));
            }
        }
        quick
    }

    /// Whether a rule may know a line, which [is a phrase](crate::ascii::Facts::is_phrase) but for its ends and its case.
    pub(super) fn may_know(&self, line: &str) -> bool {
        let line = line.trim_matches(is_edge).as_bytes();
        line.len() < LONG
            || self.openings.contains(word(line, LONG))
            || self.short.contains(word(line, SHORT))
            || self.shortest.iter().any(|start| begins_with(line, start))
            || self.may_hold_phrase(line)
    }

    fn may_hold_phrase(&self, line: &[u8]) -> bool {
        // A phrase that ends with the line needs no bytes after it.
        any_word(line, |sixteen| {
            self.words.contains(word(sixteen, self.word_bytes))
        })
    }
}

/// Where words begin.
fn starts_of(phrase: &[u8]) -> impl Iterator<Item = usize> {
    let letter = |at: usize| phrase.get(at).is_some_and(u8::is_ascii_alphanumeric);
    (0..phrase.len()).filter(move |at| letter(*at) && (*at == 0 || !letter(at - 1)))
}

fn begins_with(line: &[u8], phrase: &str) -> bool {
    line.get(..phrase.len())
        .is_some_and(|front| front.eq_ignore_ascii_case(phrase.as_bytes()))
}

/// The bit that tells small letters from capitals, and makes equals of a few other bytes.
const CASE: u64 = 0x2020_2020_2020_2020;

/// The first bytes, at most eight, as if zeros followed the text.
fn word(bytes: &[u8], length: usize) -> u64 {
    let eight = match bytes.first_chunk() {
        Some(eight) => u64::from_le_bytes(*eight),
        None => bytes.iter().rev().fold(0, |eight, b| eight << 8 | u64::from(*b)),
    };
    (eight | CASE) & mask(length)
}

fn mask(length: usize) -> u64 {
    u64::MAX >> (64 - 8 * length.clamp(1, 8))
}

/// A set of numbers that is nearly always asked for one that it has not: one bit says so.
#[derive(Debug)]
struct Set {
    bits: [u64; 1 << (SET_BITS - 6)],
    /// Ascending.
    numbers: Vec<u64>,
}

const SET_BITS: u32 = 16;

impl Default for Set {
    fn default() -> Self {
        Self {
            bits: [0; 1 << (SET_BITS - 6)],
            numbers: Vec::new(),
        }
    }
}

impl Set {
    fn insert(&mut self, number: u64) {
        let (place, bit) = Self::place(number);
        if let Some(bits) = self.bits.get_mut(place) {
            *bits |= 1 << bit;
        }
        if let Err(at) = self.numbers.binary_search(&number) {
            self.numbers.insert(at, number);
        }
    }

    #[inline]
    fn contains(&self, number: u64) -> bool {
        let (place, bit) = Self::place(number);
        let may = self.bits.get(place).is_some_and(|bits| bits >> bit & 1 != 0);
        may && self.numbers.binary_search(&number).is_ok()
    }

    const fn place(number: u64) -> (usize, u32) {
        let hash = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - SET_BITS);
        ((hash >> 6) as usize, (hash & 63) as u32)
    }
}
