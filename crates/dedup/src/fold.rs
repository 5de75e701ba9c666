//! Folding: which characters of which scripts count as equal.
//!
//! In: a paragraph as it was published. Out: bytes in which only word characters, ASCII punctuation and
//! two markers are left, so that the tokeniser needs no Unicode. A pure ASCII paragraph skips this step.
//!
//! What is folded, and why: agencies and content systems change quotes, dashes, ligatures, soft hyphens and
//! no-break spaces freely; many write names without their accents (Nicolás, Nicolas; ё, е); Arabic vowel
//! marks and Hebrew points are optional; digits have several sets; one Chinese text appears in traditional and in simplified
//! characters. Case is folded by the tokeniser for
//! ASCII and here for the rest. Nothing else is: stemming or stop words would make different texts equal.

use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use crate::han::simplified;

/// Marker before a word that begins with a capital which is no longer visible after folding.
pub(crate) const CAPITAL: u8 = 0x01;
/// Marker before one character of a script that is written without spaces.
pub(crate) const DENSE: u8 = 0x02;

/// What becomes of one character, packed into 32 bits: the tag in the top byte, a code point below.
#[derive(Clone, Copy)]
struct Fold(u32);

const SEPARATOR: u32 = 0; // below: the ASCII byte that stands for it
const DROP: u32 = 1 << 24;
const LETTER: u32 = 2 << 24; // below: the folded character
const UPPER: u32 = 3 << 24; // the same, and it was a capital
const WIDE: u32 = 4 << 24; // below: one character of a script without spaces
const LONG: u32 = 5 << 24; // several characters: ask `decompose`

/// Folds of the first 0xa000 code points: every script with letters but Yi, Hangul and the rarest Chinese characters.
static TABLE: LazyLock<Vec<Fold>> = LazyLock::new(|| {
    (0..0xa000)
        .map(|c| char::from_u32(c).map_or(Fold(DROP), classify))
        .collect()
});

/// Appends the folded form of `text` to `out`. ASCII is copied, with control characters as spaces.
pub(crate) fn fold_into(text: &str, out: &mut Vec<u8>) {
    let table = TABLE.as_slice();
    for c in text.chars() {
        if c.is_ascii() {
            out.push(if c < ' ' { b' ' } else { c as u8 });
            continue;
        }
        let fold = match table.get(c as usize) {
            Some(fold) => *fold,
            None => classify(c),
        };
        put(fold, c, out);
    }
}

fn put(fold: Fold, original: char, out: &mut Vec<u8>) {
    match fold.0 & 0xff00_0000 {
        SEPARATOR => out.push(fold.0 as u8),
        LETTER => push_char(fold.char(), out),
        UPPER => {
            if !out
                .last()
                .is_some_and(|b| b.is_ascii_alphanumeric() || *b >= 0x80)
            {
                out.push(CAPITAL);
            }
            push_char(fold.char(), out);
        }
        WIDE => {
            out.push(DENSE);
            push_char(fold.char(), out);
            out.push(b' ');
        }
        LONG => {
            if is_vulgar_fraction(original) {
                out.push(b' ');
            }
            decompose(original, |f, c| put(f, c, out));
        }
        _ => {}
    }
}

impl Fold {
    fn char(self) -> char {
        char::from_u32(self.0 & 0x00ff_ffff).unwrap_or(' ')
    }
}

fn push_char(c: char, out: &mut Vec<u8>) {
    let mut buffer = [0; 4];
    out.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
}

/// The fold of a character, through its compatibility decomposition.
fn classify(c: char) -> Fold {
    let mut first = None;
    let mut count = 0;
    decompose(c, |fold, _| {
        if fold.0 != DROP {
            first = Some(fold);
            count += 1;
        }
    });
    match (first, count) {
        (None, _) => Fold(DROP),
        (Some(fold), 1) => fold,
        _ => Fold(LONG),
    }
}

/// Calls `each` with the fold of every character that `c` stands for.
fn decompose(c: char, mut each: impl FnMut(Fold, char)) {
    let expansion = match c {
        'ß' => "ss",
        'ẞ' => "SS",
        'æ' => "ae",
        'Æ' => "AE",
        'œ' => "oe",
        'Œ' => "OE",
        'ø' => "o",
        'Ø' => "O",
        'ł' => "l",
        'Ł' => "L",
        'đ' | 'ð' => "d",
        'Đ' | 'Ð' => "D",
        'þ' => "th",
        'Þ' => "TH",
        'ı' => "i",
        '™' | '®' | '©' | '℠' => " ",
        _ => "",
    };
    if expansion.is_empty() {
        for d in std::iter::once(c).nfkd() {
            each(simple(d), d);
        }
    } else {
        for d in expansion.chars() {
            each(simple(d), d);
        }
    }
}

/// The fold of a character that has no decomposition.
fn simple(c: char) -> Fold {
    if is_ignored(c) {
        return Fold(DROP);
    }
    let c = match c {
        '\u{2018}'..='\u{201b}' | '\u{2bc}' | '\u{2b9}' | '\u{2032}' | '\u{ff07}' => '\'',
        '\u{201c}'..='\u{201f}' | '«' | '»' | '‹' | '›' | '\u{2033}' | '「'..='』' => '"',
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        '…' | '。' | '\u{6d4}' | '।' | '॥' | '።' | '։' => '.',
        '\u{61f}' | '\u{37e}' => '?',
        // Persian and Urdu pages mix the Arabic and their own code points for the same two letters.
        'ك' => 'ک',
        'ي' | 'ى' => 'ی',
        'ς' => 'σ',
        c => c,
    };
    if c.is_ascii() {
        return match c {
            'A'..='Z' | 'a'..='z' | '0'..='9' => Fold(LETTER | u32::from(c)),
            ' '..='~' => Fold(SEPARATOR | u32::from(c)),
            _ => Fold(SEPARATOR | u32::from(b' ')),
        };
    }
    if let Some(digit) = decimal_digit(c) {
        return Fold(LETTER | u32::from(digit));
    }
    if is_dense(c) {
        return if c.is_alphanumeric() || is_combining_mark(c) {
            Fold(WIDE | u32::from(simplified(c)))
        } else {
            Fold(SEPARATOR | u32::from(b' '))
        };
    }
    if c.is_alphanumeric() {
        let mut lower = c.to_lowercase();
        let low = lower.next().unwrap_or(c);
        let low = if low == 'ς' { 'σ' } else { low };
        let tag = if c.is_uppercase() { UPPER } else { LETTER };
        return Fold(tag | u32::from(low));
    }
    if is_combining_mark(c) {
        // Viramas and the like belong to their word but are no letters of it.
        return Fold(DROP);
    }
    Fold(SEPARATOR | u32::from(b' '))
}

/// Characters without a trace in the folded text: they neither count nor part words.
const fn is_ignored(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180b}'..='\u{180e}' | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        // Accents.
        | '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}'
        | '\u{fe20}'..='\u{fe2f}'
        // Hebrew points, Arabic vowel marks and the stretching stroke.
        | '\u{591}'..='\u{5bd}' | '\u{5bf}' | '\u{5c1}' | '\u{5c2}' | '\u{5c4}' | '\u{5c5}' | '\u{5c7}'
        | '\u{610}'..='\u{61a}' | '\u{640}' | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{6d6}'..='\u{6dc}'
        | '\u{6df}'..='\u{6e4}' | '\u{6e7}' | '\u{6e8}' | '\u{6ea}'..='\u{6ed}'
        // Voicing marks of kana: present or part of the character, depending on the sender.
        | '\u{3099}' | '\u{309a}')
}

/// The scripts that are written without spaces: Han, kana, bopomofo, Yi, Thai, Lao, Myanmar, Khmer.
const fn is_dense(c: char) -> bool {
    matches!(c,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{19e0}'..='\u{19ff}'
        | '\u{2e80}'..='\u{2fdf}' | '\u{3005}'..='\u{3007}' | '\u{3021}'..='\u{3029}' | '\u{3040}'..='\u{312f}'
        | '\u{31a0}'..='\u{31bf}' | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{a4cf}'
        | '\u{a9e0}'..='\u{a9ff}' | '\u{aa60}'..='\u{aa7f}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

const fn is_vulgar_fraction(c: char) -> bool {
    matches!(c, '\u{bc}'..='\u{be}' | '\u{2150}'..='\u{215e}' | '\u{2189}')
}

/// The ASCII digit for a decimal digit of another script.
fn decimal_digit(c: char) -> Option<u8> {
    const ZEROS: [u32; 19] = [
        0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xe50, 0xed0,
        0xf20, 0x1040, 0x17e0, 0x1810, 0x1946,
    ];
    let c = u32::from(c);
    ZEROS
        .iter()
        .find(|zero| (**zero..**zero + 10).contains(&c))
        .map(|zero| b'0' + (c - zero) as u8)
}
