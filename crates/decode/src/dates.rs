//! Times as producers write them.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use copydesk_article::Timestamp;

use crate::written_date::{WrittenDate, read_written_date};

/// Years that a news article may have. Outside of it the number is a mistake (milliseconds taken for seconds, …).
pub(crate) const YEARS: std::ops::RangeInclusive<i32> = 1500..=2999;

/// Forms with a zone. `%#z` takes "+03", "+0300", "+03:00" and "Z".
const ZONED: [&str; 4] = [
    "%Y-%m-%dT%H:%M:%S%.f%#z",
    "%Y-%m-%dT%H:%M%#z",
    "%Y%m%dT%H%M%S%#z",
    "%Y%m%dT%H%M%#z",
];
/// Forms without one.
const LOCAL: [&str; 5] = [
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%dT%H:%M",
    "%Y%m%dT%H%M%S",
    "%Y%m%d%H%M%S",
    "%Y/%m/%dT%H:%M:%S",
];

/// Reads a time: RFC 3339 and its usual variants (a space for the T, no seconds, no zone, basic format), a
/// date alone, RFC 2822 ("Fri, 20 Mar 2026 18:05:00 GMT"), Unix time in seconds or milliseconds, and what feeds
/// and people write ([`crate::read_written_date`]).
///
/// A time without a zone is taken as UTC; one whose zone means several things is its day. `None` if it is
/// none of these, or far outside of 1500 to 2999.
pub fn parse_timestamp(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let parsed = match DateTime::parse_from_rfc3339(text) {
        Ok(t) => Some(Timestamp::Zoned(t)),
        // Nothing longer is a time, and nothing shorter a date.
        Err(_) if !(8..=64).contains(&text.len()) => None,
        Err(_) => unusual(text),
    };
    let parsed = parsed.or_else(|| match read_written_date(text) {
        WrittenDate::Read(time) => Some(time),
        WrittenDate::Day(day) => Some(Timestamp::Day(day)),
        WrittenDate::Unreadable => None,
    });
    parsed.filter(|t| YEARS.contains(&chrono::Datelike::year(&t.local_day())))
}

/// Reads Unix time: seconds, or milliseconds where seconds would be after the year 5138.
pub(crate) fn from_unix(number: f64) -> Option<Timestamp> {
    let millis = if number.abs() < 1e11 { number * 1e3 } else { number };
    // Zero is what an unset number looks like, not an article of 1970.
    if !millis.is_finite() || millis.abs() > 1e15 || millis == 0.0 {
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "checked to be far within the range"
    )]
    let time = DateTime::<Utc>::from_timestamp_millis(millis as i64)?;
    Some(Timestamp::Zoned(time.fixed_offset()))
        .filter(|t| YEARS.contains(&chrono::Datelike::year(&t.local_day())))
}

fn unusual(text: &str) -> Option<Timestamp> {
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return match text.len() {
            8 => NaiveDate::parse_from_str(text, "%Y%m%d").ok().map(Timestamp::Day),
            14 => local(text),
            9..=13 => text.parse().ok().and_then(from_unix),
            _ => None,
        };
    }
    if text.len() == 10 {
        return ["%Y-%m-%d", "%Y/%m/%d"]
            .iter()
            .find_map(|f| NaiveDate::parse_from_str(text, f).ok())
            .map(Timestamp::Day);
    }
    if text.starts_with(|c: char| c.is_ascii_alphabetic()) || text.get(1..3).is_some_and(|s| s.contains(' '))
    {
        return DateTime::parse_from_rfc2822(text).ok().map(Timestamp::Zoned);
    }
    let text = text
        .trim_end_matches(" UTC")
        .trim_end_matches(" GMT")
        .replacen(' ', "T", 1)
        .replace(' ', "");
    let zoned = ZONED.iter().find_map(|f| DateTime::parse_from_str(&text, f).ok());
    zoned.map(Timestamp::Zoned).or_else(|| local(&text))
}

fn local(text: &str) -> Option<Timestamp> {
    let time = LOCAL
        .iter()
        .find_map(|f| NaiveDateTime::parse_from_str(text, f).ok())?;
    Some(Timestamp::Zoned(time.and_utc().fixed_offset()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        match parse_timestamp(text) {
            None => "-".into(),
            Some(Timestamp::Day(d)) => d.to_string(),
            Some(Timestamp::Zoned(t)) => t.to_rfc3339(),
        }
    }

    #[test]
    fn usual_forms_are_read() {
        for (text, expected) in [
            ("2026-03-20T18:05:00+03:00", "2026-03-20T18:05:00+03:00"),
            ("2026-03-20T18:05:00Z", "2026-03-20T18:05:00+00:00"),
            ("2026-03-20T18:05:00.25Z", "2026-03-20T18:05:00.250+00:00"),
            (" 2026-03-20 18:05:00+03:00 ", "2026-03-20T18:05:00+03:00"),
            ("2026-03-20 18:05:00 +0300", "2026-03-20T18:05:00+03:00"),
            ("2026-03-20T18:05+03", "2026-03-20T18:05:00+03:00"),
            ("2026-03-20T18:05Z", "2026-03-20T18:05:00+00:00"),
            ("2026-03-20 18:05:00 UTC", "2026-03-20T18:05:00+00:00"),
            ("2026-03-20T18:05:00.123456", "2026-03-20T18:05:00.123456+00:00"),
            ("2026-03-20 18:05", "2026-03-20T18:05:00+00:00"),
            ("20260320T180500Z", "2026-03-20T18:05:00+00:00"),
            ("20260320180500", "2026-03-20T18:05:00+00:00"),
            ("2026/03/20 18:05:00", "2026-03-20T18:05:00+00:00"),
            ("2026-03-20", "2026-03-20"),
            ("2026/03/20", "2026-03-20"),
            ("20260320", "2026-03-20"),
            ("Fri, 20 Mar 2026 18:05:00 GMT", "2026-03-20T18:05:00+00:00"),
            ("Fri, 20 Mar 2026 18:05:00 +0300", "2026-03-20T18:05:00+03:00"),
            ("20 Mar 2026 18:05:00 +0300", "2026-03-20T18:05:00+03:00"),
            ("20 March 2026 18:05 EST", "2026-03-20T18:05:00-05:00"),
            (
                "Fri Mar 20 2026 18:05:00 GMT+0300 (MSK)",
                "2026-03-20T18:05:00+03:00",
            ),
            ("20. März 2026", "2026-03-20"),
            ("Fri, 20 Mar 2026 18:05:00 IST", "2026-03-20"),
            ("1774029900", "2026-03-20T18:05:00+00:00"),
            ("1774029900000", "2026-03-20T18:05:00+00:00"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "yesterday",
            "0",
            "2026",
            "2026-02-30",
            "2026-13-01T00:00:00Z",
            "0001-01-01T00:00:00Z",
            "0000-00-00 00:00:00",
            "9999-12-31",
            "20 March 2026, about noon",
            "日本語の日付です",
            "99999999999999",
            "03/04/2026",
            "1é26-03-20",
            "-",
        ] {
            assert_eq!(shown(text), "-", "{text}");
        }
    }

    #[test]
    fn unix_time_is_in_seconds_or_milliseconds() {
        for number in [1_774_029_900.0, 1_774_029_900_000.0] {
            assert_eq!(
                from_unix(number).map(|t| t.instant().to_rfc3339()),
                Some("2026-03-20T18:05:00+00:00".into())
            );
        }
        for number in [0.0, f64::NAN, f64::INFINITY, 1e15, -1e14, 1e300] {
            assert_eq!(from_unix(number), None, "{number}");
        }
    }
}
