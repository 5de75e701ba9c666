//! What a line of ASCII holds. Most lines are ASCII, and all their bytes can be looked at alike: the loops decide nothing
//! on the way, so that the compiler makes them take sixteen bytes at a time.

use copydesk_article::{block_of, gather_bits, gather_sixteen};

/// What one look at the bytes of a line tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) is_ascii: bool,
    /// Letters and digits of ASCII.
    pub(crate) letters: usize,
    /// Runs without a space that have one of them.
    pub(crate) words: usize,
    /// No control characters of ASCII, no two spaces in a row.
    pub(crate) is_folded: bool,
    /// There is a backtick, which stands for an apostrophe.
    pub(crate) has_backtick: bool,
}

impl Facts {
    pub(crate) fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut facts = Self {
            is_ascii: true,
            is_folded: true,
            ..Self::default()
        };
        let mut has_odd_words = false;
        // What follows a space begins a word, and so does the first byte.
        let mut after_space = 1;
        for base in (0..bytes.len()).step_by(AT_ONCE) {
            let rest = bytes.get(base..).unwrap_or_default();
            let mut tail = None;
            let block = block_of(rest, FILL, &mut tail);
            let Classes {
                letters,
                spaces,
                unusual,
            } = classes(block);
            let begins = spaces << 1 | after_space;
            after_space = spaces >> (AT_ONCE - 1);
            facts.letters += letters.count_ones() as usize;
            facts.words += (begins & letters).count_ones() as usize;
            facts.is_folded &= begins & spaces == 0;
            has_odd_words |= begins & !letters & !spaces != 0;
            if unusual != 0 {
                facts.is_ascii &= block.is_ascii();
                facts.is_folded &= !block.iter().any(u8::is_ascii_control);
                facts.has_backtick |= block.contains(&b'`');
            }
        }
        if has_odd_words {
            facts.words += odd_words(bytes);
        }
        facts
    }

    /// Whether nothing but the case and the ends of the line keeps it from being what phrases are compared with.
    pub(crate) const fn is_phrase(self) -> bool {
        self.is_ascii && self.is_folded && !self.has_backtick
    }
}

const AT_ONCE: usize = 64;

/// Full stops at the end change nothing.
const FILL: u8 = b'.';

/// What 64 bytes are, one bit for each, the first one lowest.
struct Classes {
    letters: u64,
    spaces: u64,
    /// Control characters, backticks and what is beyond ASCII.
    unusual: u64,
}

#[inline]
fn classes(block: &[u8; AT_ONCE]) -> Classes {
    Classes {
        letters: those(block, is_letter),
        spaces: those(block, |byte| u8::from(byte == b' ')),
        // Neither control characters nor what is beyond them is within 0x20 to 0x7e.
        unusual: those(block, |byte| {
            u8::from(byte.wrapping_sub(b' ') > b'~' - b' ') | u8::from(byte == b'`')
        }),
    }
}

/// One bit for each of 64 bytes that is said to be one. Always within its caller: as a call it is not made of whole vectors.
#[inline(always)]
#[allow(
    clippy::needless_range_loop,
    reason = "over arrays of one length, this is what the compiler joins best"
)]
fn those(block: &[u8; AT_ONCE], is_one: impl Fn(u8) -> u8 + Copy) -> u64 {
    let mut ones = [0; AT_ONCE];
    for at in 0..AT_ONCE {
        ones[at] = is_one(block[at]);
    }
    gather_bits(&ones)
}

/// 1 for a letter or digit, else 0.
#[inline(always)]
const fn is_letter(byte: u8) -> u8 {
    is_alphabetic(byte) | (byte.wrapping_sub(b'0') < 10) as u8
}

/// 1 for a letter, else 0.
#[inline(always)]
const fn is_alphabetic(byte: u8) -> u8 {
    ((byte | 0x20).wrapping_sub(b'a') < 26) as u8
}

/// Calls `is_it` with the sixteen bytes from each place where a run of letters and digits begins (full stops follow the
/// text), until it says yes.
#[inline(always)]
pub(crate) fn any_word(bytes: &[u8], mut is_it: impl FnMut(&[u8; 16]) -> bool) -> bool {
    any_run(bytes, is_letter, |sixteen, _| is_it(sixteen))
}

/// [`any_word`] of runs of letters; beside the bytes the length of the run, at most sixteen.
pub(crate) fn any_run_of_letters(bytes: &[u8], mut is_it: impl FnMut(&[u8; 16], usize) -> bool) -> bool {
    any_run(bytes, is_alphabetic, |sixteen, known| {
        let length = known.map_or_else(|| letters_before(sixteen), |n| n.min(16));
        is_it(sixteen, length)
    })
}

/// How many letters these bytes begin with.
fn letters_before(sixteen: &[u8; 16]) -> usize {
    // A loop and no `map`, which the compiler makes a call for each byte of.
    let mut letters = [0; 16];
    for (letter, byte) in letters.iter_mut().zip(sixteen) {
        *letter = is_alphabetic(*byte);
    }
    gather_sixteen(&letters).trailing_ones() as usize
}

/// Calls `is_it` with the sixteen bytes from each place where a run begins, and the length of the run, unless it goes beyond the
/// bytes that are looked at together.
#[inline(always)]
fn any_run(
    bytes: &[u8],
    is_part: impl Fn(u8) -> u8 + Copy,
    mut is_it: impl FnMut(&[u8; 16], Option<usize>) -> bool,
) -> bool {
    const AHEAD: usize = AT_ONCE + 16;
    let mut within = 0;
    for base in (0..bytes.len()).step_by(AT_ONCE) {
        let rest = bytes.get(base..).unwrap_or_default();
        let mut tail = None;
        let block: &[u8; AHEAD] = block_of(rest, FILL, &mut tail);
        let parts = block.first_chunk().map_or(0, |block| those(block, is_part));
        let mut starts = parts & !(parts << 1 | within);
        within = parts >> (AT_ONCE - 1);
        while starts != 0 {
            // The mask changes nothing, but shows the compiler that sixteen bytes are there.
            let at = starts.trailing_zeros() as usize & (AT_ONCE - 1);
            let length = (parts >> at).trailing_ones() as usize;
            let known = (at + length < AT_ONCE).then_some(length);
            if let Some(sixteen) = block[at..].first_chunk()
                && is_it(sixteen, known)
            {
                return true;
            }
            starts &= starts - 1;
        }
    }
    false
}

/// Words that begin with something else than a letter: a quote, a bracket, a sign.
fn odd_words(bytes: &[u8]) -> usize {
    let is_odd = |word: &&[u8]| match word {
        [first, rest @ ..] => is_letter(*first) == 0 && rest.iter().any(|b| is_letter(*b) != 0),
        [] => false,
    };
    bytes.split(|b| *b == b' ').filter(is_odd).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// By the words of [`Facts`]' fields, one byte after the other.
    fn by_bytes(text: &str) -> Facts {
        let bytes = text.as_bytes();
        let letters = |bytes: &[u8]| bytes.iter().filter(|b| b.is_ascii_alphanumeric()).count();
        Facts {
            is_ascii: text.is_ascii(),
            letters: letters(bytes),
            words: bytes.split(|b| *b == b' ').filter(|run| letters(run) > 0).count(),
            is_folded: !bytes.iter().any(u8::is_ascii_control)
                && !text.starts_with(' ')
                && !text.contains("  "),
            has_backtick: text.contains('`'),
        }
    }

    proptest! {
        #[test]
        fn many_bytes_are_seen_as_each_is(
            text in prop_oneof!["[ -~]{0,200}", "([a-zA-Z0-9]{1,9}[ ,.]){0,40}", "[a-z `\"\u{1}\u{7f}é字]{0,150}", ".{0,150}"],
        ) {
            prop_assert_eq!(Facts::of(&text), by_bytes(&text));
        }

        #[test]
        fn words_are_shown_from_their_beginnings(text in "([a-zA-Z0-9]{1,70}|[a-zA-Z0-9]{1,3}|[ .,é-]{1,3}){0,30}") {
            let padded = format!("{text}................").into_bytes();
            let runs = |is_part: fn(&u8) -> bool| -> Vec<([u8; 16], usize)> {
                (0..text.len())
                    .filter(|at| is_part(&padded[*at]) && (*at == 0 || !is_part(&padded[at - 1])))
                    .map(|at| {
                        let sixteen: [u8; 16] = padded[at..at + 16].try_into().unwrap();
                        (sixteen, sixteen.iter().take_while(|b| is_part(b)).count())
                    })
                    .collect()
            };
            let mut shown = Vec::new();
            any_run_of_letters(text.as_bytes(), |sixteen, length| { shown.push((*sixteen, length)); false });
            prop_assert_eq!(shown, runs(u8::is_ascii_alphabetic));
            let mut shown = Vec::new();
            any_word(text.as_bytes(), |sixteen| { shown.push(*sixteen); false });
            let expected: Vec<[u8; 16]> = runs(u8::is_ascii_alphanumeric).into_iter().map(|(s, _)| s).collect();
            prop_assert_eq!(shown, expected);
        }
    }
}
