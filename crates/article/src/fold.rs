//! Case folding for text in any language. Never compare by ASCII case.

/// Lower case by Unicode's rules, with the sharp s and the final sigma folded so that both cases meet.
///
/// This is a fold for comparing, not for showing.
pub fn fold_case(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            'ß' | 'ẞ' => folded.push_str("ss"),
            'ς' => folded.push('σ'),
            // Turkish dotted capital I lower-cases to two code points; the dot is noise for comparing.
            'İ' => folded.push('i'),
            _ => folded.extend(c.to_lowercase()),
        }
    }
    folded
}

/// [`fold_case`], and every run of white space becomes one space, none at the ends.
pub fn fold_for_compare(text: &str) -> String {
    let folded = fold_case(text);
    let mut out = String::with_capacity(folded.len());
    for word in folded.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_meet_in_every_script() {
        for (a, b) in [
            ("STRASSE", "straße"),
            ("ΟΔΟΣ", "οδος"),
            ("İSTANBUL", "istanbul"),
            ("МОСКВА", "москва"),
        ] {
            assert_eq!(fold_case(a), fold_case(b));
        }
    }

    #[test]
    fn white_space_is_one_space() {
        assert_eq!(fold_for_compare("  Check\u{a0}Also \n"), "check also");
    }
}
