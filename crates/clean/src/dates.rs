//! Reading dates as news pages write them.
//!
//! ISO 8601 in its many careless forms, RFC 2822, Unix times, and dates in words in some 60 languages. A
//! time without a zone is taken as UTC; a date without a time stays a day. Of `03/04/2026` the first number
//! is the day, unless it or the language says otherwise. Persian and Buddhist years are understood; of other
//! calendars there is no date.

use std::ops::RangeInclusive;

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeZone};
use copydesk_article::Timestamp;

mod calendars;
mod clock;
mod day;
mod months;
mod tokens;

use clock::time_beside;
use day::find_date;
use tokens::{Token, tokens};

/// The years that a page of today can be of. Anything else is a number that looks like a date, or a year of another
/// calendar (2082 in Nepal).
const YEARS: RangeInclusive<i32> = 1990..=2060;
/// The years that a digitised archive can be of as well.
const ARCHIVE_YEARS: RangeInclusive<i32> = 1600..=2060;

/// How a date of bare numbers with slashes is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// Day first: nearly everywhere.
    DayFirst,
    /// Month first: the United States.
    MonthFirst,
}

/// The date (and time) that a text holds, if it holds one.
pub(crate) fn parse_date_as(text: &str, order: Order) -> Option<Timestamp> {
    parse(text, order, &YEARS)
}

/// [`parse_date_as`] of a value that states nothing but a date: there the years of archives are read as well.
pub(crate) fn parse_stated(text: &str, order: Order) -> Option<Timestamp> {
    parse(text, order, &ARCHIVE_YEARS)
}

/// Whether a lower-case word names a month in some language.
pub(crate) fn is_month(word: &str) -> bool {
    months::month_of(word).is_some()
}

fn parse(text: &str, order: Order, years: &RangeInclusive<i32>) -> Option<Timestamp> {
    let text = text.trim();
    if text.len() < 6 || text.len() > 400 {
        return None;
    }
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return digits_only(text).filter(|t| years.contains(&t.local_day().year()));
    }
    let spelt = basic_form(text);
    let tokens = tokens(spelt.as_deref().unwrap_or(text));
    let (date, from, to) = find_date(&tokens, 0, order)?;
    years
        .contains(&date.year())
        .then(|| with_time(date, &tokens, 0, from, to, tokens.len()))
}

/// The basic form of ISO 8601 in the extended one: "20260320T180500Z".
fn basic_form(text: &str) -> Option<String> {
    let (day, time) = text.split_once('T')?;
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if day.len() != 8 || !digits(day) {
        return None;
    }
    let end = time.find(|c: char| !c.is_ascii_digit()).unwrap_or(time.len());
    let (clock, zone) = time.split_at_checked(end)?;
    let (hour, minute) = clock.split_at_checked(2)?;
    let (minute, second) = minute.split_at_checked(2)?;
    let second = if second.is_empty() { "00" } else { second };
    let (year, rest) = day.split_at_checked(4)?;
    let (month, day) = rest.split_at_checked(2)?;
    Some(format!("{year}-{month}-{day}T{hour}:{minute}:{second}{zone}"))
}

/// A date of a line and the words that stand between the date before it and it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Labelled {
    /// Lower case, one space between words.
    pub(crate) label: String,
    pub(crate) date: Timestamp,
}

/// Every date of a line, each with its label: of "19 Mar 2026 – 18:40 Updated 21 Mar 2026" the first has none, the second
/// one says what it is.
pub(crate) fn labelled(text: &str, order: Order) -> Vec<Labelled> {
    let none = text.is_ascii() && !text.bytes().any(|b| b.is_ascii_digit());
    if none || text.len() < 6 || text.len() > 800 {
        return Vec::new();
    }
    let tokens = tokens(text);
    let mut found = Vec::new();
    let mut at = 0;
    while let Some((date, from, to)) = find_date(&tokens, at, order) {
        found.push((date, at, from, to));
        at = to;
        if found.len() == 4 {
            break;
        }
    }
    let ends = found
        .iter()
        .skip(1)
        .map(|(_, _, from, _)| *from)
        .chain([tokens.len()]);
    found
        .iter()
        .zip(ends)
        .filter(|((date, ..), _)| YEARS.contains(&date.year()))
        .map(|((date, start, from, to), end)| {
            let words = tokens
                .get(*start..*from)
                .unwrap_or_default()
                .iter()
                .filter_map(Token::word);
            Labelled {
                label: words.collect::<Vec<_>>().join(" "),
                date: with_time(*date, &tokens, *start, *from, *to, end),
            }
        })
        .collect()
}

/// A date that takes the tokens `from..to`, with the time of day that stands beside it within `start..end`.
fn with_time(
    date: NaiveDate,
    tokens: &[Token],
    start: usize,
    from: usize,
    to: usize,
    end: usize,
) -> Timestamp {
    let before = tokens.get(start..from).unwrap_or_default();
    let after = tokens.get(to..end).unwrap_or_default();
    let is_iso = matches!(tokens.get(from), Some(Token::Number(_, 4)));
    match time_beside(before, after, is_iso) {
        None => Timestamp::Day(date),
        Some((time, offset)) => {
            zoned(date.and_time(time), offset.unwrap_or(0)).unwrap_or(Timestamp::Day(date))
        }
    }
}

fn zoned(naive: NaiveDateTime, offset_minutes: i32) -> Option<Timestamp> {
    let offset = FixedOffset::east_opt(offset_minutes.checked_mul(60)?)?;
    offset.from_local_datetime(&naive).single().map(Timestamp::Zoned)
}

/// `20260320`, `20260320180500`, or a Unix time in seconds or milliseconds.
fn digits_only(text: &str) -> Option<Timestamp> {
    let number: i64 = text.parse().ok()?;
    match text.len() {
        8 => day(text.get(..4)?, text.get(4..6)?, text.get(6..8)?).map(Timestamp::Day),
        14 => {
            let date = day(text.get(..4)?, text.get(4..6)?, text.get(6..8)?)?;
            let time = NaiveTime::from_hms_opt(
                text.get(8..10)?.parse().ok()?,
                text.get(10..12)?.parse().ok()?,
                text.get(12..14)?.parse().ok()?,
            )?;
            zoned(date.and_time(time), 0)
        }
        10 => unix(number),
        13 => unix(number / 1000),
        _ => None,
    }
}

fn day(year: &str, month: &str, day: &str) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
}

fn unix(seconds: i64) -> Option<Timestamp> {
    let time = DateTime::from_timestamp(seconds, 0)?;
    Some(Timestamp::Zoned(time.fixed_offset()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_date(text: &str) -> Option<Timestamp> {
        parse_date_as(text, Order::DayFirst)
    }

    fn read(text: &str) -> String {
        match parse_date(text) {
            Some(Timestamp::Zoned(t)) => t.to_rfc3339(),
            Some(Timestamp::Day(d)) => d.to_string(),
            None => "none".to_owned(),
        }
    }

    #[test]
    fn machine_dates() {
        for (text, expected) in [
            ("2026-03-20T18:05:00+03:00", "2026-03-20T18:05:00+03:00"),
            ("2026-03-20T18:05:00.123Z", "2026-03-20T18:05:00+00:00"),
            ("2026-03-20T18:05:00-0500", "2026-03-20T18:05:00-05:00"),
            ("2026-03-20 18:05", "2026-03-20T18:05:00+00:00"),
            ("2026-03-20", "2026-03-20"),
            ("Fri, 20 Mar 2026 18:05:00 +0100", "2026-03-20T18:05:00+01:00"),
            ("1774029900", "2026-03-20T18:05:00+00:00"),
            ("1774029900000", "2026-03-20T18:05:00+00:00"),
            ("20260320", "2026-03-20"),
            ("20260320T180500Z", "2026-03-20T18:05:00+00:00"),
            ("20260320T1805+0100", "2026-03-20T18:05:00+01:00"),
            ("2026-13-40", "none"),
            ("0001-01-01T00:00:00", "none"),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn dates_in_words() {
        for (text, expected) in [
            ("March 20, 2026", "2026-03-20"),
            (
                "Published: 20th of March 2026, 6:05 pm",
                "2026-03-20T18:05:00+00:00",
            ),
            ("20. März 2026, 18:05 Uhr", "2026-03-20T18:05:00+00:00"),
            ("20 de marzo de 2026", "2026-03-20"),
            ("vendredi 20 février 2026 à 18:05", "2026-02-20T18:05:00+00:00"),
            ("20 марта 2026", "2026-03-20"),
            ("20 marca 2026", "2026-03-20"),
            ("2026年3月20日 18:05", "2026-03-20T18:05:00+00:00"),
            ("20.03.2026", "2026-03-20"),
            ("Fri Mar 20 18:05:00 CET 2026", "2026-03-20T18:05:00+01:00"),
            ("03/20/2026", "2026-03-20"),
            ("Seven ships and 12 crew", "none"),
            ("5 marked 20 places", "none"),
            ("5 Mar 20 places", "none"),
            ("19-Mar-26", "2026-03-19"),
            ("19 במרץ 2026, 18:40", "2026-03-19T18:40:00+00:00"),
            ("19 آذار/مارس 2026", "2026-03-19"),
            ("١٩ كانون الأول ٢٠٢٥", "2025-12-19"),
            ("۲۸ اسفند ۱۴۰۴ - ۱۸:۴۰", "2026-03-19T18:40:00+00:00"),
            ("1404/12/28", "2026-03-19"),
            ("28 رمضان 1447", "none"),
            ("19 มี.ค. 2569 เวลา 18:40 น.", "2026-03-19T18:40:00+00:00"),
            ("19 มี.ค. 69", "2026-03-19"),
            ("५ चैत २०८२", "none"),
            ("2082-12-05", "none"),
            ("19 tháng 3 năm 2026", "2026-03-19"),
            ("2026. március 19., csütörtök 18:40", "2026-03-19T18:40:00+00:00"),
            ("2026 m. kovo 19 d.", "2026-03-19"),
            ("2026. gada 19. marts", "2026-03-19"),
            ("令和8年3月19日 18時40分", "2026-03-19T18:40:00+00:00"),
            ("१९ मार्च २०२६", "2026-03-19"),
            ("19 மார்ச் 2026", "2026-03-19"),
            ("19 марта 2026, 18:40 (МСК)", "2026-03-19T18:40:00+03:00"),
            ("19. marraskuuta 2026", "2026-11-19"),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn times_and_their_offsets() {
        for (text, expected) in [
            (
                "Thu Mar 19 2026 18:40:41 GMT+0100 (Central European Standard Time)",
                "2026-03-19T18:40:41+01:00",
            ),
            ("Thứ năm, 19/3/2026, 18:40 (GMT+7)", "2026-03-19T18:40:00+07:00"),
            ("2026-03-19 18:40 (UTC+8)", "2026-03-19T18:40:00+08:00"),
            ("19 Maret 2026 18:40 WIB", "2026-03-19T18:40:00+07:00"),
            ("19 March 2026 at 18:40 UTC +05:30", "2026-03-19T18:40:00+05:30"),
            ("19 mar 2026 - 18h40", "2026-03-19T18:40:00+00:00"),
            ("19 March 2026, 6 p.m.", "2026-03-19T18:00:00+00:00"),
            ("2026年3月19日 下午6:40", "2026-03-19T18:40:00+00:00"),
            ("6:40 PM EDT, Thu March 19, 2026", "2026-03-19T18:40:00-04:00"),
            ("March 19, 2026 10:00-11:30", "2026-03-19T10:00:00+00:00"),
            ("le 19 mars 2026 à 18:40 et", "2026-03-19T18:40:00-04:00"),
            (
                "le 19 mars 2026 à 18:40 et le lendemain",
                "2026-03-19T18:40:00+00:00",
            ),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn dates_of_a_line_have_their_labels() {
        let found = labelled(
            "19 mar 2026 - 18h40 Atualizado em 21 mar 2026 - 9h10",
            Order::DayFirst,
        );
        let read: Vec<_> = found
            .iter()
            .map(|l| (l.label.as_str(), l.date.local_day().to_string()))
            .collect();
        assert_eq!(
            read,
            [
                ("", "2026-03-19".to_owned()),
                ("h atualizado em", "2026-03-21".to_owned())
            ]
        );
        assert_eq!(found[0].date.instant().to_rfc3339(), "2026-03-19T18:40:00+00:00");
    }

    #[test]
    fn archives_go_further_back() {
        let day = |t: Option<Timestamp>| t.map(|t| t.local_day().to_string());
        assert_eq!(
            day(parse_stated("1914-06-28", Order::DayFirst)).as_deref(),
            Some("1914-06-28")
        );
        assert_eq!(day(parse_date("28 June 1914")), None);
        assert_eq!(day(parse_stated("0001-01-01", Order::DayFirst)), None);
    }

    #[test]
    fn the_order_of_slashes_can_be_told() {
        assert_eq!(
            parse_date("03/04/2026").unwrap().local_day().to_string(),
            "2026-04-03"
        );
        let us = parse_date_as("03/04/2026", Order::MonthFirst).unwrap();
        assert_eq!(us.local_day().to_string(), "2026-03-04");
    }
}
