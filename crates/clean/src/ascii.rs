//! What a line of ASCII holds. Most lines are ASCII, and all their bytes can be looked at alike: the loops decide nothing
//! on the way, so that the compiler makes them take sixteen bytes at a time.

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
        /// No sum of so many ones exceeds a byte.
        const AT_ONCE: usize = 128;
        let bytes = text.as_bytes();
        let Some((first, rest)) = bytes.split_first() else {
            return Self {
                is_ascii: true,
                is_folded: true,
                ..Self::default()
            };
        };
        let (mut letters, mut words) = (usize::from(is_letter(*first)), usize::from(is_letter(*first)));
        let mut seen = Seen {
            odd_starts: u8::from(*first != b' ') & !is_letter(*first),
            ..Seen::of(*first)
        };
        for (before, these) in bytes.chunks(AT_ONCE).zip(rest.chunks(AT_ONCE)) {
            let (mut some_letters, mut starts) = (0_u8, 0_u8);
            for (before, byte) in before.iter().zip(these) {
                let letter = is_letter(*byte);
                let gap = u8::from(*before == b' ');
                let space = u8::from(*byte == b' ');
                some_letters = some_letters.wrapping_add(letter);
                starts = starts.wrapping_add(gap & letter);
                seen.odd_starts |= gap & !(letter | space);
                seen.gaps |= gap & space;
                let byte = Seen::of(*byte);
                seen.high |= byte.high;
                seen.control |= byte.control;
                seen.backticks |= byte.backticks;
            }
            letters += usize::from(some_letters);
            words += usize::from(starts);
        }
        // Bit 0 is the answer; the bits above it are of no meaning.
        if seen.odd_starts & 1 != 0 {
            words += odd_words(bytes);
        }
        Self {
            is_ascii: seen.high < 0x80,
            letters,
            words,
            is_folded: seen.control | seen.gaps == 0,
            has_backtick: seen.backticks != 0,
        }
    }
}

impl Facts {
    /// Whether nothing but the case and the ends of the line keeps it from being what phrases are compared with.
    pub(crate) const fn is_phrase(self) -> bool {
        self.is_ascii && self.is_folded && !self.has_backtick
    }
}

/// What was seen of bytes, as numbers that can be joined without a question.
#[derive(Debug, Clone, Copy)]
struct Seen {
    /// All bytes, joined.
    high: u8,
    control: u8,
    backticks: u8,
    /// Two spaces in a row.
    gaps: u8,
    /// Something else than a letter after a space.
    odd_starts: u8,
}

impl Seen {
    const fn of(byte: u8) -> Self {
        Self {
            high: byte,
            control: (byte < b' ') as u8 | (byte == 0x7f) as u8,
            backticks: (byte == b'`') as u8,
            gaps: 0,
            odd_starts: 0,
        }
    }
}

/// 1 for a letter or digit, else 0.
const fn is_letter(byte: u8) -> u8 {
    ((byte | 0x20).wrapping_sub(b'a') < 26) as u8 | (byte.wrapping_sub(b'0') < 10) as u8
}

/// Words that begin with something else than a letter: a quote, a bracket, a sign.
fn odd_words(bytes: &[u8]) -> usize {
    let is_odd = |word: &&[u8]| match word {
        [first, rest @ ..] => is_letter(*first) == 0 && rest.iter().any(|b| is_letter(*b) != 0),
        [] => false,
    };
    bytes.split(|b| *b == b' ').filter(is_odd).count()
}
