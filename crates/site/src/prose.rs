//! What reads as running text, and what as a label.

/// Words; in scripts without spaces two characters count as a word.
pub(crate) fn words(text: &str) -> usize {
    let (mut words, mut dense, mut inside) = (0, 0, false);
    for c in text.chars() {
        if is_dense(c) {
            dense += 1;
            inside = false;
        } else if c.is_alphanumeric() {
            words += usize::from(!inside);
            inside = true;
        } else if c == ' ' {
            inside = false;
        }
    }
    words + dense / 2
}

const fn is_dense(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{e00}'..='\u{e7f}' | '\u{20000}'..='\u{2ffff}')
}

/// Running text: a sentence of some length, or very long.
pub(crate) fn is_prose(text: &str) -> bool {
    let words = words(text);
    (words >= 12 && ends_sentence(text)) || words >= 28
}

/// A headline or a label: not long, and no sentence.
pub(crate) fn is_label(text: &str) -> bool {
    !ends_sentence(text) && words(text) <= 24
}

fn ends_sentence(text: &str) -> bool {
    let end = text.chars().rev().find(|c| {
        !matches!(
            c,
            '"' | '\'' | '”' | '’' | '»' | '›' | '“' | '‘' | ')' | ']' | '」' | '』' | '）' | '】' | ' '
        )
    });
    end.is_some_and(|c| {
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
                | ':'
                | '：'
        )
    })
}
