//! UTF-8 that was read as Windows-1252 or Latin-1 and written as UTF-8 again: "Ã¤" for "ä", "â€™" for "’".
//!
//! Mended only where it is certain, piece by piece (a line of text, the text between two tags): sequences that decode are
//! there, and next to nothing else that is not ASCII. A piece that merely mentions such letters has other ones as well,
//! and is left alone, as is one that lost more than a byte.

use std::borrow::Cow;

/// Sequences that decode before a piece is taken for garbled by itself.
const FEWEST: usize = 2;
/// A text with so many other letters outside ASCII before the first sequence is read no further.
const SOUND: usize = 300;

/// How many sequences of a text decode, and how many other characters outside ASCII it has.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    garbled: usize,
    other: usize,
}

impl Count {
    /// Reads a text up to its end, or until it is sure to be sound.
    fn of(text: &str) -> Self {
        let mut count = Self::default();
        let mut rest = text;
        while let Some((_, tail)) = next_beyond_ascii(rest) {
            // What lost a byte proves nothing: "IRMÃ E MANHÃ" is sound.
            let used = match decode(tail) {
                Some((_, used)) => {
                    count.garbled += 1;
                    used
                }
                None => match lost(tail) {
                    Some((_, used)) => used,
                    None => {
                        count.other += 1;
                        tail.chars().next().map_or(1, char::len_utf8)
                    }
                },
            };
            rest = tail.get(used..).unwrap_or_default();
            if count.garbled == 0 && count.other >= SOUND {
                break;
            }
        }
        count
    }

    const fn is_certain(self) -> bool {
        self.garbled >= FEWEST && self.is_pure()
    }

    /// Next to nothing that does not decode.
    const fn is_pure(self) -> bool {
        self.other * 10 <= self.garbled
    }
}

/// Mends a text where it is garbled for certain.
pub(crate) fn repair(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let whole = Count::of(text);
    if whole.garbled < FEWEST {
        return Cow::Borrowed(text);
    }
    if whole.is_pure() {
        return Cow::Owned(mend(text));
    }
    let each: Vec<(&str, Count)> = pieces(text).map(|piece| (piece, Count::of(piece))).collect();
    let certain: usize = each
        .iter()
        .filter(|(_, c)| c.is_certain())
        .map(|(_, c)| c.garbled)
        .sum();
    if certain == 0 {
        return Cow::Borrowed(text);
    }
    // A single sequence is one where most of the text is: where it is sound, somebody writes about such letters.
    // A line that lost bytes is not sound.
    let whole_lines = each.iter().filter(|(piece, _)| !piece.contains('\u{fffd}'));
    let mostly = whole_lines.map(|(_, c)| c.other).sum::<usize>() <= whole.garbled;
    let mut out = String::with_capacity(text.len());
    for (piece, count) in each {
        if count.is_certain() || mostly && count.garbled > 0 && count.is_pure() {
            out.push_str(&mend(piece));
        } else {
            out.push_str(piece);
        }
    }
    Cow::Owned(out)
}

/// Lines, and what stands between tags. Together they are the text.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive('\n')
        .flat_map(|line| line.split_inclusive('<'))
}

fn mend(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, tail)) = next_beyond_ascii(rest) {
        out.push_str(before);
        if let Some((c, used)) = decode(tail).or_else(|| lost(tail)) {
            out.push(c);
            rest = tail.get(used..).unwrap_or_default();
        } else {
            let mut chars = tail.chars();
            out.extend(chars.next());
            rest = chars.as_str();
        }
    }
    out.push_str(rest);
    out
}

/// A sequence that lost its last byte on the way, where only one character can have been meant: Windows-1252 has no
/// letter for the last byte of ”, and the no-break space that ends "à" is taken for a space.
fn lost(text: &str) -> Option<(char, usize)> {
    let replaced = |rest: &str| {
        if rest.starts_with('\u{fffd}') {
            '\u{fffd}'.len_utf8()
        } else {
            0
        }
    };
    if let Some(rest) = text.strip_prefix("â€") {
        return Some(('”', text.len() - rest.len() + replaced(rest)));
    }
    let rest = text.strip_prefix('Ã')?;
    if rest.starts_with('\u{fffd}') {
        return None;
    }
    let after = rest.strip_prefix(' ')?;
    // "déjà vu": the space is there once where it was folded, and stays; in "là-bas" it was none.
    let joined = after.starts_with([' ', '-', ',', '.', '\'', '’']);
    Some(('à', 'Ã'.len_utf8() + usize::from(joined)))
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
    fn lost_bytes_are_made_up_for() {
        assert_eq!(
            repair("â€œJa,â€ he said. Itâ€™s late."),
            "“Ja,” he said. It’s late."
        );
        assert_eq!(
            repair("â€œJa,â€\u{fffd} he said. Itâ€™s late."),
            "“Ja,” he said. It’s late."
        );
        assert_eq!(
            repair("dÃ©jÃ  vu Ã  Nice, lÃ -bas, cafÃ©"),
            "déjà vu à Nice, là-bas, café"
        );
    }

    #[test]
    fn a_line_is_mended_though_another_is_beyond_repair() {
        let text = "Ã\u{fffd}Å\u{fffd}Ã\u{fffd} Å\u{fffd}\nMÃ¼ller sagte: â€žJa.â€œ\nDas war spÃ¤t.";
        assert_eq!(
            repair(text),
            "Ã\u{fffd}Å\u{fffd}Ã\u{fffd} Å\u{fffd}\nMüller sagte: „Ja.“\nDas war spät."
        );
        let mixed =
            "Größe, Übung, Äpfel, schön, süß, böse\nMÃ¼ller sagte: â€žJa.â€œ\nDas mit dem Ã¤ ist alt.";
        assert_eq!(
            repair(mixed),
            "Größe, Übung, Äpfel, schön, süß, böse\nMüller sagte: „Ja.“\nDas mit dem Ã¤ ist alt."
        );
        let page = "<p>Größe, Übung, Äpfel, schön, süß, böse</p><p>MÃ¼ller sagte: â€žJa.â€œ</p>";
        assert_eq!(
            repair(page),
            "<p>Größe, Übung, Äpfel, schön, süß, böse</p><p>Müller sagte: „Ja.“</p>"
        );
    }

    #[test]
    fn sound_text_is_left_alone() {
        for text in [
            "Müller sagte: „Ja.“",
            "São João, Ângela e Ñandú",
            "The garbled form of ä is Ã¤, that of ü is Ã¼; müde, böse, süß.",
            "one Ã¤ only",
            "A MAÇÃ É BOA",
            "IRMÃ E MANHÃ",
            "港が再開した。",
            "",
        ] {
            assert_eq!(repair(text), text);
            assert!(matches!(repair(text), Cow::Borrowed(_)));
        }
    }
}
