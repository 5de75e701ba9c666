//! White space, invisible characters and the keys that lines are compared by.

use crate::ascii::Facts;

/// One paragraph of readable text: white space of any kind becomes one space, none at the ends; control
/// characters (NUL among them) and invisible marks without meaning are dropped. The joiners of Persian and
/// Indic scripts (U+200C, U+200D) and the marks of direction have meaning and stay.
pub(crate) fn fold_space(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    fold_space_into(text, &mut out);
    out
}

/// [`fold_space`], appended to what `out` holds. A space is put between the two only if `text` has one.
pub(crate) fn fold_space_into(text: &str, out: &mut String) {
    if out.is_empty() && is_folded(text) {
        out.push_str(text.trim_matches(' '));
    } else {
        fold_space_slowly(text, out);
    }
}

fn fold_space_slowly(text: &str, out: &mut String) {
    let mut gap = false;
    for c in text.chars() {
        if c == ' ' || c.is_whitespace() || c == '\u{2028}' || c == '\u{2029}' {
            gap = true;
            continue;
        }
        if c < ' ' || is_invisible(c) {
            continue;
        }
        if gap && !out.is_empty() && !out.ends_with(' ') {
            out.push(' ');
        }
        gap = false;
        out.push(c);
    }
}

/// Whether a text holds no white space but single spaces, and nothing invisible: most lines do.
fn is_folded(text: &str) -> bool {
    let facts = Facts::of(text);
    let invisible = |c: char| !c.is_ascii() && (c.is_whitespace() || is_invisible(c));
    facts.is_folded && (facts.is_ascii || !text.chars().any(invisible))
}

/// Characters that show nothing and mean nothing in running text.
const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{200b}' | '\u{2060}' | '\u{feff}' | '\u{fffc}' | '\u{fff9}'..='\u{fffb}')
}

/// What two lines have in common when they say the same: lower-case letters and digits only, hashed.
/// `None` for a line without any.
pub(crate) fn key(text: &str) -> Option<u64> {
    let mut hash = Hasher::new();
    for c in text.chars() {
        hash.push(c);
    }
    hash.finish()
}

/// The running form of [`key`]: lines are compared by letters and digits, case folded. Takes eight bytes at a time.
#[derive(Clone, Copy)]
pub(crate) struct Hasher {
    state: u64,
    eight: u64,
    length: u32,
}

/// ASCII letters in lower case and digits; 0 for everything else.
const LETTERS: [u8; 256] = {
    let mut table = [0; 256];
    let mut b = 0_u8;
    while b < 0x80 {
        if b.is_ascii_alphanumeric() {
            table[b as usize] = b.to_ascii_lowercase();
        }
        b += 1;
    }
    table
};

impl Hasher {
    pub(crate) const fn new() -> Self {
        Self {
            state: 0xcbf2_9ce4_8422_2325,
            eight: 0,
            length: 0,
        }
    }

    pub(crate) fn push(&mut self, c: char) {
        if c.is_ascii() {
            let low = LETTERS[usize::from(c as u8)];
            if low != 0 {
                self.step(low);
            }
        } else if c.is_alphanumeric() {
            for low in c.to_lowercase() {
                for byte in low.encode_utf8(&mut [0; 4]).bytes() {
                    self.step(byte);
                }
            }
        }
    }

    #[inline]
    const fn step(&mut self, byte: u8) {
        self.eight = self.eight << 8 | byte as u64;
        self.length = self.length.wrapping_add(1);
        if self.length & 7 == 0 {
            self.mix();
        }
    }

    const fn mix(&mut self) {
        self.state = (self.state ^ self.eight)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(29);
        self.eight = 0;
    }

    pub(crate) const fn finish(mut self) -> Option<u64> {
        if self.length == 0 {
            return None;
        }
        self.mix();
        Some((self.state ^ self.length as u64).wrapping_mul(0x0000_0100_0000_01b3))
    }
}

/// The form that phrases of the rules are compared in: folded case, straight quotes, no punctuation at the
/// ends, one space between words. A colon at the end is dropped as well; see [`crate::rules`].
pub(crate) fn fold_phrase(text: &str) -> String {
    if Facts::of(text).is_phrase() {
        fold_ascii_phrase(text)
    } else {
        fold_phrase_slowly(text)
    }
}

/// [`fold_phrase`] of a text that [is a phrase](Facts::is_phrase) but for its ends and its case.
pub(crate) fn fold_ascii_phrase(text: &str) -> String {
    let mut out = text.trim_matches(is_edge).to_owned();
    out.make_ascii_lowercase();
    out
}

fn fold_phrase_slowly(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut gap = false;
    for c in text.chars() {
        let c = match c {
            '’' | '‘' | 'ʼ' | '`' | '´' => '\'',
            '“' | '”' | '„' | '«' | '»' | '‹' | '›' => '"',
            '–' | '—' | '‐' | '‑' | '−' => '-',
            '…' => '.',
            c if c < '\u{600}' => c,
            c => match fold_spelling(c) {
                Some(c) => c,
                None => continue,
            },
        };
        if c.is_whitespace() {
            gap = true;
            continue;
        }
        if gap && !out.is_empty() {
            out.push(' ');
        }
        gap = false;
        if c.is_ascii() {
            out.push(char::from(c as u8).to_ascii_lowercase());
        } else if c == 'ı' {
            // Turkish capitals lose the difference, and İ becomes an i with a dot of its own.
            out.push('i');
        } else {
            out.extend(c.to_lowercase().filter(|c| *c != '\u{307}'));
        }
    }
    let trimmed = out.trim_matches(is_edge);
    if trimmed.len() != out.len() {
        out = trimmed.to_owned();
    }
    out
}

/// A letter in the one spelling that phrases are compared in, where pages write it in several ways: Arabic
/// letters with and without hamza, Persian and Arabic forms, Indic letters with and without a nukta, as one
/// character or two. `None`: a mark that careful pages alone write.
const fn fold_spelling(c: char) -> Option<char> {
    Some(match c {
        'أ' | 'إ' | 'آ' | 'ٱ' => 'ا',
        'ى' | 'ی' => 'ي',
        'ک' => 'ك',
        '\u{958}' => 'क',
        '\u{959}' => 'ख',
        '\u{95a}' => 'ग',
        '\u{95b}' => 'ज',
        '\u{95c}' => 'ड',
        '\u{95d}' => 'ढ',
        '\u{95e}' => 'फ',
        '\u{95f}' => 'य',
        '\u{9dc}' => 'ড',
        '\u{9dd}' => 'ঢ',
        '\u{9df}' => 'য',
        '\u{640}' | '\u{64b}'..='\u{652}' | '\u{93c}' | '\u{9bc}' | '\u{a3c}' | '\u{200c}'..='\u{200f}' => {
            return None;
        }
        c => c,
    })
}

/// Punctuation and signs that stand at the ends of a line without being part of its words.
pub(crate) fn is_edge(c: char) -> bool {
    // Most characters that are asked about are letters of ASCII.
    if c.is_ascii_alphanumeric() {
        return false;
    }
    !c.is_alphanumeric()
        && !matches!(c, '\'' | '©' | '+' | '(' | ')' | '%' | '\u{200c}' | '\u{200d}')
        && !is_combining(c)
}

/// Vowel signs and other marks that belong to the letter before them in Indic, Thai and Hebrew script.
pub(crate) const fn is_combining(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5c7}' | '\u{64b}'..='\u{65f}' | '\u{900}'..='\u{903}' | '\u{93a}'..='\u{94f}' | '\u{981}'..='\u{983}'
        | '\u{9bc}'..='\u{9d7}' | '\u{a3c}'..='\u{a4d}' | '\u{abc}'..='\u{acd}' | '\u{b3c}'..='\u{b57}' | '\u{bbe}'..='\u{bcd}' | '\u{c3e}'..='\u{c4d}'
        | '\u{cbc}'..='\u{ccd}' | '\u{d3e}'..='\u{d4d}' | '\u{e31}' | '\u{e34}'..='\u{e3a}' | '\u{e47}'..='\u{e4e}')
}

/// Whether a character ends a sentence in some script.
pub(crate) const fn is_terminal(c: char) -> bool {
    matches!(
        c,
        '.' | '!'
            | '?'
            | '…'
            | '。'
            | '！'
            | '？'
            | '．'
            | '।'
            | '॥'
            | '؟'
            | '۔'
            | '።'
            | '։'
            | ';'
            | '；'
            | '‽'
    )
}

/// Quotes and brackets that may close a sentence after its full stop.
pub(crate) const fn is_closer(c: char) -> bool {
    matches!(
        c,
        '"' | '\'' | '”' | '’' | '»' | '›' | '“' | '‘' | ')' | ']' | '」' | '』' | '）' | '】'
    )
}

/// Scripts that write words without spaces: a character stands for about half a word.
pub(crate) const fn is_dense_script(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{e00}'..='\u{e7f}' | '\u{20000}'..='\u{2ffff}')
}

/// Whether words take endings without a space: where one begins as a phrase ends, the phrase is a whole word for all that.
pub(crate) const fn takes_endings(c: char) -> bool {
    is_dense_script(c) || matches!(c, '\u{ac00}'..='\u{d7a3}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn white_space_and_invisible_marks_go() {
        assert_eq!(
            fold_space("\u{feff} Har\u{ad}bour\u{a0}\n re\0opens \u{200b}"),
            "Harbour reopens"
        );
        assert_eq!(fold_space("می\u{200c}خواهم"), "می\u{200c}خواهم");
    }

    proptest! {
        /// The quick ways give what the slow ones give, whatever the text.
        #[test]
        fn quick_ways_lead_to_the_same(
            text in prop_oneof![
                "[ a-zA-Z0-9.,'`\"-]{0,60}",
                "( |  |a|B|é|’|\u{a0}|\u{ad}|\u{200b}|\u{feff}|\n|\t|\u{7f}|\0|…|\\.){0,40}",
                any::<String>(),
            ],
        ) {
            let mut slow = String::new();
            fold_space_slowly(&text, &mut slow);
            prop_assert_eq!(fold_space(&text), slow);
            prop_assert_eq!(fold_phrase(&text), fold_phrase_slowly(&text));
        }

        /// Only letters and digits count, in any case; and those do count.
        #[test]
        fn keys_are_of_letters_and_digits(words in prop::collection::vec("[a-zé0-9]{1,9}", 1..9)) {
            let plain = words.join(" ");
            let loud = words.join(" – ").to_uppercase();
            prop_assert_eq!(key(&plain), key(&loud));
            prop_assert_ne!(key(&plain), key(&format!("{plain}x")));
        }
    }

    #[test]
    fn keys_meet_over_case_and_punctuation() {
        assert_eq!(key("Ships came in, at dawn."), key("ships came in at DAWN"));
        assert_ne!(key("Ships came in at dawn"), key("Ships came in at noon"));
        assert_eq!(key("***"), None);
    }

    #[test]
    fn phrases_lose_their_ends() {
        assert_eq!(fold_phrase("  » Check\u{a0}Also: "), "check also");
        assert_eq!(fold_phrase("Don’t Miss!"), "don't miss");
        assert_eq!(fold_phrase("İLGİLİ HABER"), fold_phrase("İlgili haber"));
        assert_eq!(fold_phrase("YAZDIR"), fold_phrase("Yazdır"));
        assert_eq!(fold_phrase("यह भी पढ\u{93c}ें:"), "यह भी पढें");
        assert_eq!(fold_phrase("यह भी प\u{95d}ें"), "यह भी पढें");
        assert_eq!(fold_phrase("إقرأ أيضًا"), fold_phrase("اقرا ايضا"));
    }
}
