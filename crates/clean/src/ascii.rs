//! What a line of ASCII holds. Most lines are ASCII, and all their bytes can be looked at alike: the loops decide nothing
//! on the way, so that the compiler makes them take sixteen bytes at a time.

use copydesk_article::gather_bits;

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
            let tail: [u8; AT_ONCE];
            let block = match rest.first_chunk() {
                Some(block) => block,
                None => {
                    tail = padded(rest);
                    &tail
                }
            };
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
fn padded<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut all = [b'.'; N];
    if let Some(front) = all.get_mut(..bytes.len()) {
        front.copy_from_slice(bytes);
    }
    all
}

/// What 64 bytes are, one bit for each, the first one lowest.
struct Classes {
    letters: u64,
    spaces: u64,
    /// Control characters, backticks and what is beyond ASCII.
    unusual: u64,
}

#[inline]
#[allow(
    clippy::needless_range_loop,
    reason = "over arrays of one length, this is what the compiler joins best"
)]
fn classes(block: &[u8; AT_ONCE]) -> Classes {
    let (mut letters, mut spaces, mut unusual) = ([0; AT_ONCE], [0; AT_ONCE], [0; AT_ONCE]);
    for at in 0..AT_ONCE {
        let byte = block[at];
        letters[at] = is_letter(byte);
        spaces[at] = u8::from(byte == b' ');
        // Neither control characters nor what is beyond them is within 0x20 to 0x7e.
        unusual[at] = u8::from(byte.wrapping_sub(b' ') > b'~' - b' ') | u8::from(byte == b'`');
    }
    Classes {
        letters: gather_bits(&letters),
        spaces: gather_bits(&spaces),
        unusual: gather_bits(&unusual),
    }
}

/// 1 for a letter or digit, else 0.
const fn is_letter(byte: u8) -> u8 {
    ((byte | 0x20).wrapping_sub(b'a') < 26) as u8 | (byte.wrapping_sub(b'0') < 10) as u8
}

/// Calls `is_it` with the eight bytes from each place where a run of letters and digits begins (full stops follow the
/// text), until it says yes.
pub(crate) fn any_word(bytes: &[u8], mut is_it: impl FnMut(u64) -> bool) -> bool {
    const AHEAD: usize = AT_ONCE + 8;
    let mut within = 0;
    for base in (0..bytes.len()).step_by(AT_ONCE) {
        let rest = bytes.get(base..).unwrap_or_default();
        let tail: [u8; AHEAD];
        let block = match rest.first_chunk() {
            Some(block) => block,
            None => {
                tail = padded(rest);
                &tail
            }
        };
        let letters = block.first_chunk().map_or(0, |block| classes(block).letters);
        let mut starts = letters & !(letters << 1 | within);
        within = letters >> 63;
        while starts != 0 {
            // The mask changes nothing, but shows the compiler that eight bytes are there.
            let at = starts.trailing_zeros() as usize & (AT_ONCE - 1);
            let eight = block[at..].first_chunk().map_or(0, |e| u64::from_le_bytes(*e));
            if is_it(eight) {
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
        fn words_are_shown_from_their_beginnings(text in "([a-zA-Z0-9]{1,70}|[ .,é-]{1,3}){0,30}") {
            let mut shown = Vec::new();
            any_word(text.as_bytes(), |eight| { shown.push(eight.to_le_bytes()); false });
            let padded = format!("{text}........");
            let is_letter = |at: usize| padded.as_bytes()[at].is_ascii_alphanumeric();
            let begins = |at: &usize| is_letter(*at) && (*at == 0 || !is_letter(at - 1));
            let expected: Vec<[u8; 8]> = (0..text.len())
                .filter(begins)
                .map(|at| padded.as_bytes()[at..at + 8].try_into().unwrap())
                .collect();
            prop_assert_eq!(shown, expected);
        }
    }
}
