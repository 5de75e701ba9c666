//! What a request asks for: the parts of its path, its query, its form, read into types.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use url::form_urlencoded;

use crate::problem::Problem;

/// A request as the pages see it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ask {
    /// Who asks.
    pub(crate) user: String,
    /// Whether JSON is wanted in place of HTML.
    pub(crate) json: bool,
    /// Whether changes can be made at all.
    pub(crate) can_write: bool,
    /// The path as it came.
    pub(crate) path: String,
    /// The parts of the path that have a name.
    pub(crate) parts: HashMap<String, String>,
    query: Vec<(String, String)>,
    form: Vec<(String, String)>,
}

impl Ask {
    pub(crate) fn new(path: &str, query: &str, form: &[u8]) -> Self {
        let pairs = |bytes: &[u8]| form_urlencoded::parse(bytes).into_owned().collect();
        Self {
            path: path.to_owned(),
            query: pairs(query.as_bytes()),
            form: pairs(form),
            ..Self::default()
        }
    }

    /// A part of the path. The router lets no request in without it.
    pub(crate) fn part(&self, name: &str) -> &str {
        self.parts.get(name).map_or("", String::as_str)
    }

    /// A part of the path that is a number.
    pub(crate) fn number(&self, name: &str) -> Result<i64, Problem> {
        let text = self.part(name);
        text.parse()
            .ok()
            .filter(|n| *n >= 0)
            .ok_or_else(|| Problem::NotFound(format!("{text:?} is no number")))
    }

    /// A value of the query that is not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        value(&self.query, name)
    }

    /// The same, in a type.
    pub(crate) fn parsed<T: FromStr>(&self, name: &str) -> Result<Option<T>, Problem> {
        self.get(name).map(|text| parse(name, text)).transpose()
    }

    /// A time or a day (its midnight in UTC).
    pub(crate) fn time(&self, name: &str) -> Result<Option<DateTime<Utc>>, Problem> {
        self.get(name).map(|text| parse_time(name, text)).transpose()
    }

    /// A value of the form that is not empty.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        value(&self.form, name)
    }

    /// A value of the form, in a type.
    pub(crate) fn parsed_field<T: FromStr>(&self, name: &str) -> Result<T, Problem> {
        let text = self
            .field(name)
            .ok_or_else(|| Problem::Bad(format!("{name} is missing")))?;
        parse(name, text)
    }

    /// All values of a field of the form, in a type.
    pub(crate) fn parsed_fields<T: FromStr>(&self, name: &str) -> Result<Vec<T>, Problem> {
        let named = self.form.iter().filter(|(n, _)| n == name);
        named.map(|(_, text)| parse(name, text)).collect()
    }

    /// All fields of the form, for a form that asks once more.
    pub(crate) fn fields(&self) -> &[(String, String)] {
        &self.form
    }

    /// The address of this page with other values in its query; an empty one is left out.
    pub(crate) fn with(&self, changes: &[(&str, &str)]) -> String {
        let mut pairs: Vec<(&str, &str)> = self
            .query
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_str()))
            .filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name))
            .collect();
        pairs.extend(changes);
        address(&self.path, &pairs)
    }
}

/// A path with a query; pairs without a value are left out.
pub(crate) fn address(path: &str, pairs: &[(&str, &str)]) -> String {
    let mut out = path.to_owned();
    for (number, (name, value)) in pairs.iter().filter(|(_, v)| !v.is_empty()).enumerate() {
        let sign = if number == 0 { '?' } else { '&' };
        // Writing to a string does not fail.
        let _ = write!(out, "{sign}{}={}", escaped(name), escaped(value));
    }
    out
}

/// Text as a part of a path or a query.
pub(crate) fn escaped(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

fn value<'p>(pairs: &'p [(String, String)], name: &str) -> Option<&'p str> {
    pairs
        .iter()
        .find(|(n, _)| n == name)
        .map(|(_, v)| v.trim())
        .filter(|v| !v.is_empty())
}

/// A time, or a day: its midnight in UTC.
pub(crate) fn parse_time(name: &str, text: &str) -> Result<DateTime<Utc>, Problem> {
    let day = || {
        text.parse::<NaiveDate>()
            .ok()
            .map(|d| d.and_time(NaiveTime::MIN).and_utc())
    };
    text.parse().ok().or_else(day).ok_or_else(|| {
        Problem::Bad(format!(
            "{name}: write a day as 2026-11-24, or a time as 2026-11-24T03:00:00Z"
        ))
    })
}

fn parse<T: FromStr>(name: &str, text: &str) -> Result<T, Problem> {
    text.trim()
        .parse()
        .map_err(|_| Problem::Bad(format!("{name}: {text:?} is not of the kind that is asked for")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_keep_what_was_asked() {
        let ask = Ask::new("/stories", "site=a%26b.example&order=largest&after=3", b"");
        assert_eq!(ask.get("site"), Some("a&b.example"));
        assert_eq!(
            ask.with(&[("after", "7")]),
            "/stories?site=a%26b%2Eexample&order=largest&after=7"
        );
        assert_eq!(
            ask.with(&[("after", ""), ("site", ""), ("order", "")]),
            "/stories"
        );
    }

    #[test]
    fn times_are_days_or_moments() {
        let ask = Ask::new(
            "/",
            "a=2026-11-24&b=2026-11-24T03:00:00%2B01:00&c=yesterday&d=",
            b"",
        );
        assert_eq!(
            ask.time("a").unwrap().unwrap().to_rfc3339(),
            "2026-11-24T00:00:00+00:00"
        );
        assert_eq!(
            ask.time("b").unwrap().unwrap().to_rfc3339(),
            "2026-11-24T02:00:00+00:00"
        );
        assert!(ask.time("c").is_err());
        assert_eq!(ask.time("d").unwrap(), None);
    }
}
