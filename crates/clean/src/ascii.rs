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
        let Some((first, rest)) = bytes.split_first() else {
            return Self {
                is_ascii: true,
                is_folded: true,
                ..Self::default()
            };
        };
        // Each byte is seen after the one before it, the first one after a space.
        let begins = is_letter(*first);
        let mut sum = Sum {
            letters: usize::from(begins),
            starts: usize::from(begins),
            flags: flags(b' ', *first, begins),
        };
        let (before, _) = bytes.as_chunks();
        let (these, last) = rest.as_chunks();
        for (before, these) in before.iter().zip(these) {
            sum.add(before, these);
        }
        if !last.is_empty() {
            let tail: [u8; AT_ONCE + 1] = padded(bytes.get(rest.len() - last.len()..).unwrap_or_default());
            if let (Some(before), Some(these)) = (tail.first_chunk(), tail.last_chunk()) {
                sum.add(before, these);
            }
        }
        let has = |flag| sum.flags & flag != 0;
        let odd_words = if has(ODD_START) { odd_words(bytes) } else { 0 };
        Self {
            is_ascii: !has(BEYOND),
            letters: sum.letters,
            words: sum.starts + odd_words,
            is_folded: !has(CONTROL | GAP),
            has_backtick: has(BACKTICK),
        }
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

impl Facts {
    /// Whether nothing but the case and the ends of the line keeps it from being what phrases are compared with.
    pub(crate) const fn is_phrase(self) -> bool {
        self.is_ascii && self.is_folded && !self.has_backtick
    }
}

/// Something else than a letter or a space after a space.
const ODD_START: u8 = 1;
/// A space after a space.
const GAP: u8 = 2;
const CONTROL: u8 = 4;
const BACKTICK: u8 = 8;
/// Beyond ASCII.
const BEYOND: u8 = 0x80;

/// What is to be said of a byte after another one. `letter`: of [`is_letter`].
#[inline(always)]
const fn flags(before: u8, byte: u8, letter: u8) -> u8 {
    let gap = (before == b' ') as u8;
    let space = (byte == b' ') as u8;
    let control = (byte < b' ') as u8 | (byte == 0x7f) as u8;
    let backtick = (byte == b'`') as u8;
    let odd_start = gap & (letter ^ 1) & (space ^ 1);
    (odd_start * ODD_START)
        | ((gap & space) * GAP)
        | (control * CONTROL)
        | (backtick * BACKTICK)
        | (byte & BEYOND)
}

/// What was seen of bytes.
struct Sum {
    letters: usize,
    /// Letters after a space.
    starts: usize,
    /// All [`flags`].
    flags: u8,
}

impl Sum {
    #[inline]
    #[allow(
        clippy::needless_range_loop,
        reason = "over arrays of one length, this is what the compiler joins best"
    )]
    fn add(&mut self, before: &[u8; AT_ONCE], these: &[u8; AT_ONCE]) {
        let (mut letters, mut starts, mut all) = (0_u8, 0_u8, 0_u8);
        for at in 0..AT_ONCE {
            let letter = is_letter(these[at]);
            letters = letters.wrapping_add(letter);
            starts = starts.wrapping_add(letter & u8::from(before[at] == b' '));
            all |= flags(before[at], these[at], letter);
        }
        self.letters += usize::from(letters);
        self.starts += usize::from(starts);
        self.flags |= all;
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
        let letters = block.first_chunk().map_or(0, letters);
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

/// One bit for each letter or digit.
#[inline]
#[allow(
    clippy::needless_range_loop,
    reason = "over arrays of one length, this is what the compiler joins best"
)]
fn letters(block: &[u8; AT_ONCE]) -> u64 {
    let mut ones = [0; AT_ONCE];
    for at in 0..AT_ONCE {
        ones[at] = is_letter(block[at]);
    }
    gather_bits(&ones)
}

/// Words that begin with something else than a letter: a quote, a bracket, a sign.
fn odd_words(bytes: &[u8]) -> usize {
    let is_odd = |word: &&[u8]| match word {
        [first, rest @ ..] => is_letter(*first) == 0 && rest.iter().any(|b| is_letter(*b) != 0),
        [] => false,
    };
    bytes.split(|b| *b == b' ').filter(is_odd).count()
}
