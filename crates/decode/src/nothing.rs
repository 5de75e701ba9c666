//! Words that serialisers write where there is no value.

/// What programs write for nothing: JSON, JavaScript, Python, Ruby, Go, SQL dumps.
const NOTHINGS: &[&str] = &[
    "null",
    "NULL",
    "Null",
    "None",
    "nil",
    "<nil>",
    "undefined",
    "NaN",
    "nan",
    "[object Object]",
    "[object Undefined]",
    "[object Null]",
    "\\N",
    "(null)",
    "<null>",
    "NoneType",
    "\"\"",
    "''",
    "[]",
    "\"null\"",
    "\"undefined\"",
    "[null]",
    "<NA>",
    "NaT",
];

/// Whether a text is nothing but such a word.
pub(crate) fn is_nothing(text: &str) -> bool {
    // Longer than the longest of them, white space aside: no text is looked at twice.
    text.len() <= 64 && NOTHINGS.contains(&text.trim())
}

/// The word, or the lone number or truth value, that a whole value is. A record or a body of that is no article.
pub(crate) fn named(bytes: &[u8]) -> Option<&str> {
    if bytes.len() > 64 {
        return None;
    }
    let text = std::str::from_utf8(bytes).ok()?.trim();
    let is_scalar = matches!(text, "true" | "false" | "True" | "False") || text.parse::<f64>().is_ok();
    (is_nothing(text) || is_scalar).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_nothing_are_known_and_short_texts_are_none() {
        for text in [
            "null",
            " None\n",
            "0",
            "-1",
            "[object Object]",
            "\\N",
            "NaN",
            "false",
        ] {
            assert_eq!(named(text.as_bytes()), Some(text.trim()), "{text}");
        }
        for text in ["Nothing", "nullify", "2026 begins", "None of the ships came in."] {
            assert_eq!(named(text.as_bytes()), None, "{text}");
        }
    }
}
