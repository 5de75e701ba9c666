//! The metadata that a producer gives, by envelope or by headers, brought into its types.

use chrono::{DateTime, Utc};
use copydesk_article::{RawArticle, Timestamp, sentinel};
use serde_json::Value;

use crate::nothing::is_nothing;
use crate::warnings::{
    AUTHORS_CUT, FETCHED_DOUBTED, FETCHED_UNREADABLE, LANGUAGE_UNREADABLE, NULL_TEXT, PUBLISHED_DOUBTED,
    PUBLISHED_UNREADABLE, SITE_UNREADABLE, TITLE_CUT, Warnings,
};
use crate::{Limits, dates, repair};

/// Metadata as it was written. Times are strings or numbers.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    pub(crate) url: Option<String>,
    pub(crate) title: Option<String>,
    pub(crate) authors: Vec<String>,
    pub(crate) published_at: Option<Value>,
    pub(crate) fetched_at: Option<Value>,
    pub(crate) language: Option<String>,
    pub(crate) site: Option<String>,
}

impl Fields {
    /// Fills what the article lacks.
    ///
    /// What cannot be read costs no article: it is kept in the extra fields under its name, with a warning.
    pub(crate) fn fill(self, article: &mut RawArticle, limits: &Limits, warnings: &mut Warnings) {
        if article.url.is_none() {
            article.url = present(self.url, warnings);
        }
        if article.title.is_none() {
            article.title = present(self.title, warnings);
            if let Some(title) = &mut article.title
                && repair::cut(title, limits.max_title_bytes)
            {
                warnings.add(TITLE_CUT);
            }
        }
        if article.authors.is_empty() {
            article.authors = authors(self.authors, limits, warnings);
        }
        if article.fetched_at.is_none()
            && let Some(value) = self.fetched_at
        {
            let time = timestamp(&value).map(|t| t.instant());
            article.fetched_at = time.filter(|t| !is_doubted(*t, article.sent_at));
            if article.fetched_at.is_none() {
                let why = time.map_or(FETCHED_UNREADABLE, |_| FETCHED_DOUBTED);
                set_aside("fetched_at", value, why, article, warnings);
            }
        }
        if article.published_at.is_none()
            && let Some(value) = self.published_at
        {
            let time = timestamp(&value);
            let seen = article.seen_at();
            article.published_at = time.filter(|t| !is_doubted(t.instant(), seen));
            if article.published_at.is_none() {
                let why = time.map_or(PUBLISHED_UNREADABLE, |_| PUBLISHED_DOUBTED);
                set_aside("published_at", value, why, article, warnings);
            }
        }
        if article.language.is_none()
            && let Some(language) = present(self.language, warnings)
        {
            if is_language_tag(&language) {
                article.language = Some(language);
            } else {
                set_aside(
                    "language",
                    Value::String(language),
                    LANGUAGE_UNREADABLE,
                    article,
                    warnings,
                );
            }
        }
        if article.site.is_none()
            && let Some(site) = present(self.site, warnings)
        {
            if site.len() <= limits.max_name_bytes {
                article.site = Some(site);
            } else {
                set_aside("site", Value::String(site), SITE_UNREADABLE, article, warnings);
            }
        }
    }
}

/// A string with something in it, repaired.
fn present(value: Option<String>, warnings: &mut Warnings) -> Option<String> {
    value
        .map(|v| repair::field(v, warnings))
        .filter(|v| !v.is_empty())
        .filter(|v| {
            let nothing = is_nothing(v);
            if nothing {
                warnings.add(NULL_TEXT);
            }
            !nothing
        })
}

fn set_aside(
    name: &str,
    mut value: Value,
    warning: &'static str,
    article: &mut RawArticle,
    warnings: &mut Warnings,
) {
    if let Value::String(text) = &mut value {
        repair::extra(text, warnings);
        if text.trim().is_empty() {
            return;
        }
        if is_nothing(text) {
            warnings.add(NULL_TEXT);
            return;
        }
    }
    article.extra.entry(name).or_insert(value);
    warnings.add(warning);
}

fn authors(names: Vec<String>, limits: &Limits, warnings: &mut Warnings) -> Vec<String> {
    let mut kept = Vec::with_capacity(names.len().min(limits.max_authors));
    for name in names {
        let Some(mut name) = present(Some(name), warnings) else {
            continue;
        };
        if kept.len() == limits.max_authors {
            warnings.add(AUTHORS_CUT);
            break;
        }
        if repair::cut(&mut name, limits.max_name_bytes) {
            warnings.add(AUTHORS_CUT);
        }
        kept.push(name);
    }
    kept
}

/// The names in one string of authors: semicolons always part them; commas only where each part has a space
/// and so looks like a whole name ("Doe, Jane" is one author). At most `max` of them.
pub(crate) fn split_authors(names: &str, max: usize) -> Vec<String> {
    let whole = || names.split(',').all(|part| part.trim().contains(' '));
    let separator = if names.contains([';', '\n']) {
        &[';', '\n'][..]
    } else if names.contains(',') && whole() {
        &[',']
    } else {
        return vec![names.to_owned()];
    };
    names
        .split(separator)
        .map(|n| n.trim().to_owned())
        .filter(|n| !n.is_empty())
        .take(max)
        .collect()
}

/// Whether a time rules nothing: a sentinel, or more than a day ahead of the moment at which the article was seen.
fn is_doubted(time: DateTime<Utc>, seen: Option<DateTime<Utc>>) -> bool {
    sentinel::is_doubted(time.timestamp(), seen.map(|t| t.timestamp()))
}

/// A time from a string or a number.
pub(crate) fn timestamp(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => dates::parse_timestamp(text),
        Value::Number(number) => number.as_f64().and_then(dates::from_unix),
        _ => None,
    }
}

/// Whether it has the shape of a BCP 47 tag ("de", "zh-Hant-TW"); underscores are common and meant well.
pub(crate) fn is_language_tag(tag: &str) -> bool {
    let mut parts = tag.split(['-', '_']);
    let primary = parts.next().unwrap_or_default();
    (2..=8).contains(&primary.len())
        && primary.bytes().all(|b| b.is_ascii_alphabetic())
        && tag.len() <= 35
        && parts.all(|p| (1..=8).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_string_may_hold_several_authors() {
        for (names, expected) in [
            ("Jane Doe", &["Jane Doe"][..]),
            ("Doe, Jane", &["Doe, Jane"]),
            ("Jane Doe, John Roe", &["Jane Doe", "John Roe"]),
            ("Doe, Jane; Roe, John;", &["Doe, Jane", "Roe, John"]),
            ("Jane Doe\nJohn Roe", &["Jane Doe", "John Roe"]),
        ] {
            assert_eq!(split_authors(names, 64), expected);
        }
        assert_eq!(split_authors("a;b;c", 2), ["a", "b"]);
    }

    #[test]
    fn language_tags_have_a_shape() {
        for tag in ["de", "EN", "pt-BR", "zh_Hant_TW", "fil", "es-419"] {
            assert!(is_language_tag(tag), "{tag}");
        }
        for tag in ["", "d", "the English language", "12", "de-", "日本", "en-"] {
            assert!(!is_language_tag(tag), "{tag}");
        }
    }
}
