//! UTF-8 that was read as Windows-1252 or Latin-1 and written as UTF-8 again: "Ã¤" for "ä", "â€™" for "’".
//!
//! Mended only where it is certain: sequences that decode are there, and next to nothing else that is not
//! ASCII. A text that merely mentions such letters has other ones as well, and is left alone.

use std::borrow::Cow;

/// Sequences that decode before a text is taken for garbled.
const FEWEST: usize = 2;
/// A text with so many other letters outside ASCII before the first sequence is read no further.
const SOUND: usize = 300;

/// Mends a text, if it is garbled for certain.
pub(crate) fn repair(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let (mut garbled, mut other) = (0, 0);
    let mut rest = text;
    while let Some((_, tail)) = next_beyond_ascii(rest) {
        if let Some((_, used)) = decode(tail) {
            garbled += 1;
            rest = tail.get(used..).unwrap_or_default();
        } else {
            other += 1;
            let mut chars = tail.chars();
            chars.next();
            rest = chars.as_str();
        }
        if garbled == 0 && other >= SOUND {
            return Cow::Borrowed(text);
        }
    }
    if garbled < FEWEST || other * 10 > garbled {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, tail)) = next_beyond_ascii(rest) {
        out.push_str(before);
        if let Some((c, used)) = decode(tail) {
            out.push(c);
            rest = tail.get(used..).unwrap_or_default();
        } else {
            let mut chars = tail.chars();
            out.extend(chars.next());
            rest = chars.as_str();
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// A text cut before its first character outside ASCII.
fn next_beyond_ascii(text: &str) -> Option<(&str, &str)> {
    let at = text.bytes().position(|b| !b.is_ascii())?;
    text.split_at_checked(at)
}

/// The character that the beginning of a text stands for if it is garbled, and its length here in bytes.
fn decode(text: &str) -> Option<(char, usize)> {
    let mut bytes = [0_u8; 4];
    let mut chars = text.chars();
    let first = chars.next()?;
    let mut used = first.len_utf8();
    let lead = to_byte(first)?;
    let length = match lead {
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => return None,
    };
    *bytes.first_mut()? = lead;
    for slot in bytes.iter_mut().take(length).skip(1) {
        let c = chars.next()?;
        used += c.len_utf8();
        *slot = to_byte(c).filter(|b| (0x80..=0xBF).contains(b))?;
    }
    let c = std::str::from_utf8(bytes.get(..length)?).ok()?.chars().next()?;
    // A control character is nobody's letter.
    (!c.is_control()).then_some((c, used))
}

/// The byte of a character in Windows-1252, its undefined bytes taken as Latin-1.
const fn to_byte(c: char) -> Option<u8> {
    Some(match c {
        '\u{80}'..='\u{ff}' => c as u8,
        '€' => 0x80,
        '‚' => 0x82,
        'ƒ' => 0x83,
        '„' => 0x84,
        '…' => 0x85,
        '†' => 0x86,
        '‡' => 0x87,
        'ˆ' => 0x88,
        '‰' => 0x89,
        'Š' => 0x8A,
        '‹' => 0x8B,
        'Œ' => 0x8C,
        'Ž' => 0x8E,
        '‘' => 0x91,
        '’' => 0x92,
        '“' => 0x93,
        '”' => 0x94,
        '•' => 0x95,
        '–' => 0x96,
        '—' => 0x97,
        '˜' => 0x98,
        '™' => 0x99,
        'š' => 0x9A,
        '›' => 0x9B,
        'œ' => 0x9C,
        'ž' => 0x9E,
        'Ÿ' => 0x9F,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn garbled_text_is_mended() {
        assert_eq!(repair("MÃ¼ller sagte: â€žJa.â€œ"), "Müller sagte: „Ja.“");
        assert_eq!(repair("itâ€™s the cafÃ©â€™s fault"), "it’s the café’s fault");
        assert_eq!(repair("ÐŸÐ¾Ñ€Ñ‚ Ð¾Ñ‚ÐºÑ€Ñ‹Ñ‚"), "Порт открыт");
    }

    #[test]
    fn sound_text_is_left_alone() {
        for text in [
            "Müller sagte: „Ja.“",
            "São João, Ângela e Ñandú",
            "The garbled form of ä is Ã¤, that of ü is Ã¼; müde, böse, süß.",
            "one Ã¤ only",
            "港が再開した。",
            "",
        ] {
            assert_eq!(repair(text), text);
            assert!(matches!(repair(text), Cow::Borrowed(_)));
        }
    }
}
