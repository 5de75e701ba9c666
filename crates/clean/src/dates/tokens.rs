//! Cutting a date into numbers, words and marks.

/// One token of a date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A number and how many digits it was written with.
    Number(u32, usize),
    /// Letters, lower case.
    Word(String),
    /// Any other character; runs of white space are one space.
    Mark(char),
}

impl Token {
    pub(super) fn word(&self) -> Option<&str> {
        match self {
            Self::Word(w) => Some(w),
            _ => None,
        }
    }
}

/// The tokens of a text. Digits of any script count.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut out = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(&c) = chars.peek() {
        if let Some(first) = digit(c) {
            let (mut value, mut len) = (first, 1);
            chars.next();
            while let Some(d) = chars.peek().and_then(|&c| digit(c)) {
                value = value.saturating_mul(10).saturating_add(d);
                len += 1;
                chars.next();
            }
            out.push(Token::Number(value, len));
        } else if c.is_alphabetic() || is_vowel_sign(c) {
            let mut word = String::new();
            while let Some(&c) = chars.peek() {
                if !(c.is_alphabetic() || is_vowel_sign(c)) {
                    break;
                }
                word.extend(c.to_lowercase());
                chars.next();
            }
            // The T of ISO 8601 stands between numbers and is no word.
            if word == "t" && matches!(out.last(), Some(Token::Number(..))) {
                out.push(Token::Mark(' '));
            } else {
                out.push(Token::Word(word));
            }
        } else {
            chars.next();
            if c.is_whitespace() {
                if out.last() != Some(&Token::Mark(' ')) {
                    out.push(Token::Mark(' '));
                }
            } else {
                out.push(Token::Mark(c));
            }
        }
    }
    out
}

/// Decimal digits of the scripts that news is written in.
fn digit(c: char) -> Option<u32> {
    let zero = match c {
        '0'..='9' => '0',
        '٠'..='٩' => '٠',
        '۰'..='۹' => '۰',
        '०'..='९' => '०',
        '০'..='৯' => '০',
        '੦'..='੯' => '੦',
        '૦'..='૯' => '૦',
        '୦'..='୯' => '୦',
        '௦'..='௯' => '௦',
        '౦'..='౯' => '౦',
        '೦'..='೯' => '೦',
        '൦'..='൯' => '൦',
        '๐'..='๙' => '๐',
        '၀'..='၉' => '၀',
        '០'..='៩' => '០',
        '０'..='９' => '０',
        _ => return None,
    };
    Some(u32::from(c) - u32::from(zero))
}

/// Marks and joiners within words that are no letters of their own.
const fn is_vowel_sign(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5c7}' | '\u{64b}'..='\u{65f}' | '\u{900}'..='\u{903}' | '\u{93a}'..='\u{94f}' | '\u{981}'..='\u{983}'
        | '\u{9bc}'..='\u{9cd}' | '\u{a3c}'..='\u{a4d}' | '\u{abc}'..='\u{acd}' | '\u{b3c}'..='\u{b57}' | '\u{bbe}'..='\u{bcd}' | '\u{c3e}'..='\u{c4d}'
        | '\u{cbc}'..='\u{ccd}' | '\u{d3e}'..='\u{d4d}' | '\u{dca}'..='\u{ddf}' | '\u{e31}' | '\u{e34}'..='\u{e3a}' | '\u{e47}'..='\u{e4e}'
        | '\u{200c}' | '\u{200d}')
}
