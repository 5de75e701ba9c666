//! What was mended: short, stable codes, each documented in docs/messages.md.

/// Codes in the order of their first use, each once.
#[derive(Debug, Default)]
pub(crate) struct Warnings(Vec<&'static str>);

impl Warnings {
    pub(crate) fn add(&mut self, code: &'static str) {
        if !self.0.contains(&code) {
            self.0.push(code);
        }
    }

    pub(crate) fn into_codes(self) -> Vec<String> {
        self.0.into_iter().map(str::to_owned).collect()
    }
}

/// NULs were taken out of a string: Postgres stores none.
pub(crate) const NUL_REMOVED: &str = "nul-removed";
/// Other control characters were taken out.
pub(crate) const CONTROLS_REMOVED: &str = "controls-removed";
/// The declared charset is not the real one.
pub(crate) const CHARSET_MISMATCH: &str = "charset-mismatch";
/// No charset was declared; it was guessed from the bytes.
pub(crate) const CHARSET_GUESSED: &str = "charset-guessed";
/// Some bytes mean nothing in the charset and became U+FFFD.
pub(crate) const CHARSET_ERRORS: &str = "charset-errors";
/// The content-encoding header does not fit the bytes, which are not compressed.
pub(crate) const ENCODING_IGNORED: &str = "content-encoding-ignored";
/// The time of publication cannot be read; it is kept in the extra fields.
pub(crate) const PUBLISHED_UNREADABLE: &str = "published-at-unreadable";
/// The time of fetching cannot be read; it is kept in the extra fields.
pub(crate) const FETCHED_UNREADABLE: &str = "fetched-at-unreadable";
/// The time of publication is a sentinel or in the future; it is kept in the extra fields.
pub(crate) const PUBLISHED_DOUBTED: &str = "published-at-doubted";
/// The time of fetching is a sentinel or in the future; it is kept in the extra fields.
pub(crate) const FETCHED_DOUBTED: &str = "fetched-at-doubted";
/// A field held a word that serialisers write for nothing; it counts as missing.
pub(crate) const NULL_TEXT: &str = "null-text-ignored";
/// A field that other tools fill has a value that cannot be used; it stays an extra field.
pub(crate) const ALIAS_UNUSABLE: &str = "alias-unusable";
/// The message has no body but a summary, which is taken for it.
pub(crate) const BODY_IS_SUMMARY: &str = "body-is-summary";
/// The article was inside the `payload` of Kafka Connect's JSON converter.
pub(crate) const UNWRAPPED: &str = "connect-unwrapped";
/// The language is no BCP 47 tag; it is kept in the extra fields.
pub(crate) const LANGUAGE_UNREADABLE: &str = "language-unreadable";
/// The site is too long to be a name; it is kept in the extra fields.
pub(crate) const SITE_UNREADABLE: &str = "site-unreadable";
/// User and password were taken out of the url.
pub(crate) const LOGIN_REMOVED: &str = "url-login-removed";
/// The title was cut to its limit.
pub(crate) const TITLE_CUT: &str = "title-cut";
/// Authors over the limit, or the ends of their names, were left out.
pub(crate) const AUTHORS_CUT: &str = "authors-cut";
/// An extra field is given twice; the last one is kept.
pub(crate) const DUPLICATE_FIELD: &str = "duplicate-field";
/// A record header is not valid UTF-8; it is left out.
pub(crate) const HEADER_UNREADABLE: &str = "header-unreadable";
