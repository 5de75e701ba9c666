//! Reading dates as news pages write them.
//!
//! ISO 8601 in its many careless forms, RFC 2822, Unix times, and dates in words in some 25 languages. A
//! time without a zone is taken as UTC; a date without a time stays a day. Of `03/04/2026` the first number
//! is the day, unless it or the language says otherwise.

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeZone};
use copydesk_article::Timestamp;

mod months;
mod tokens;

use months::month_of;
use tokens::{Token, tokens};

/// The years that a news page can be of. Anything else is a number that looks like a date.
const YEARS: std::ops::RangeInclusive<i32> = 1990..=2099;

/// How a date of bare numbers with slashes is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// Day first: nearly everywhere.
    DayFirst,
    /// Month first: the United States.
    MonthFirst,
}

/// The date (and time) that a text holds, if it holds one.
pub(crate) fn parse_date(text: &str) -> Option<Timestamp> {
    parse_date_as(text, Order::DayFirst)
}

/// [`parse_date`], with the order of bare numbers given.
pub(crate) fn parse_date_as(text: &str, order: Order) -> Option<Timestamp> {
    let text = text.trim();
    if text.len() < 6 || text.len() > 400 {
        return None;
    }
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return digits_only(text);
    }
    let tokens = tokens(text);
    let (date, from, to) = find_date(&tokens, order)?;
    if !YEARS.contains(&chrono::Datelike::year(&date)) {
        return None;
    }
    let time = find_time(tokens.get(to..).unwrap_or_default())
        .or_else(|| find_time(tokens.get(..from).unwrap_or_default()));
    Some(match time {
        None => Timestamp::Day(date),
        Some((time, offset)) => {
            zoned(date.and_time(time), offset.unwrap_or(0)).unwrap_or(Timestamp::Day(date))
        }
    })
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
    let date = NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)?;
    YEARS.contains(&chrono::Datelike::year(&date)).then_some(date)
}

fn unix(seconds: i64) -> Option<Timestamp> {
    let time = DateTime::from_timestamp(seconds, 0)?;
    YEARS
        .contains(&chrono::Datelike::year(&time))
        .then(|| Timestamp::Zoned(time.fixed_offset()))
}

/// The first date among the tokens, and the tokens that it takes.
fn find_date(tokens: &[Token], order: Order) -> Option<(NaiveDate, usize, usize)> {
    for i in 0..tokens.len() {
        let rest = tokens.get(i..).unwrap_or_default();
        if let Some((date, used)) = year_first(rest)
            .or_else(|| words(rest))
            .or_else(|| numbers(rest, order))
        {
            return Some((date, i, i + used));
        }
    }
    None
}

/// `2026-03-20`, `2026/3/20`, `2026.03.20`, `2026年3月20日`, `2026년 3월 20일`.
fn year_first(tokens: &[Token]) -> Option<(NaiveDate, usize)> {
    let [Token::Number(y, 4), rest @ ..] = tokens else {
        return None;
    };
    let (rest, a) = skip(rest, &["-", "/", ".", "年", "년", "–"])?;
    let [Token::Number(m, _), rest @ ..] = rest else {
        return None;
    };
    let (rest, b) = skip(rest, &["-", "/", ".", "月", "월", "–"])?;
    let [Token::Number(d, len), ..] = rest else {
        return None;
    };
    if *len > 2 {
        return None;
    }
    NaiveDate::from_ymd_opt(i32::try_from(*y).ok()?, *m, *d).map(|date| (date, 3 + a + b))
}

/// `20 March 2026`, `20. März 2026`, `20 de marzo de 2026`, `March 20th, 2026`, `Mar-20-2026`.
fn words(tokens: &[Token]) -> Option<(NaiveDate, usize)> {
    let mut day = None;
    let mut month = None;
    for (i, token) in tokens.iter().enumerate().take(12) {
        match token {
            Token::Number(n, len)
                if *len <= 2 && day.is_none() && (1..=31).contains(n) && (month.is_none() || i <= 3) =>
            {
                day = Some(*n);
            }
            Token::Number(n, 4) => {
                let date = NaiveDate::from_ymd_opt(i32::try_from(*n).ok()?, month?, day?)?;
                return Some((date, i + 1));
            }
            Token::Number(_, 2) if day.is_some() && month.is_some() && starts_time(tokens, i) => {
                return year_after_time(tokens, i)
                    .and_then(|(year, used)| Some((NaiveDate::from_ymd_opt(year, month?, day?)?, used)));
            }
            Token::Number(n, 2) if day.is_some() && month.is_some() => {
                let date = NaiveDate::from_ymd_opt(2000 + i32::try_from(*n).ok()?, month?, day?)?;
                return Some((date, i + 1));
            }
            Token::Number(..) => return None,
            Token::Word(w) if month.is_none() => match month_of(w) {
                Some(m) => month = Some(m),
                None if i == 0 => return None,
                None if is_filler(w) => {}
                None => return None,
            },
            Token::Word(w) if is_filler(w) => {}
            Token::Word(_) => return None,
            Token::Mark(' ' | ',' | '.' | '-' | '/' | '،') => {}
            Token::Mark(_) => return None,
        }
    }
    None
}

/// Whether a time of day begins at `i` ("18:05").
fn starts_time(tokens: &[Token], i: usize) -> bool {
    matches!(
        tokens.get(i + 1..i + 3),
        Some([Token::Mark(':'), Token::Number(_, 2)])
    )
}

/// The year behind a time of day, as `asctime` writes it ("Mar 20 18:05:00 CET 2026"), and the tokens up to
/// the time.
fn year_after_time(tokens: &[Token], i: usize) -> Option<(i32, usize)> {
    let year = tokens.iter().skip(i).take(12).find_map(|t| match t {
        Token::Number(n, 4) => i32::try_from(*n).ok(),
        _ => None,
    })?;
    Some((year, i))
}

/// `20.03.2026`, `20/03/2026`, `3/20/2026`, `20-03-26`.
fn numbers(tokens: &[Token], order: Order) -> Option<(NaiveDate, usize)> {
    let [Token::Number(a, la), rest @ ..] = tokens else {
        return None;
    };
    let (rest, s) = skip(rest, &["/", ".", "-"])?;
    let [Token::Number(b, lb), rest @ ..] = rest else {
        return None;
    };
    let (rest, t) = skip(rest, &["/", ".", "-"])?;
    let [Token::Number(y, ly), ..] = rest else {
        return None;
    };
    if *la > 2 || *lb > 2 || !matches!(ly, 2 | 4) {
        return None;
    }
    let year = i32::try_from(*y).ok()? + if *ly == 2 { 2000 } else { 0 };
    let (first, second) = match order {
        Order::DayFirst => ((*a, *b), (*b, *a)),
        Order::MonthFirst => ((*b, *a), (*a, *b)),
    };
    NaiveDate::from_ymd_opt(year, first.1, first.0)
        .or_else(|| NaiveDate::from_ymd_opt(year, second.1, second.0))
        .map(|date| (date, 3 + s + t))
}

/// Words between the parts of a date that mean nothing to it.
fn is_filler(word: &str) -> bool {
    matches!(
        word,
        "de" | "del"
            | "of"
            | "the"
            | "st"
            | "nd"
            | "rd"
            | "th"
            | "er"
            | "ο"
            | "του"
            | "ngày"
            | "tháng"
            | "năm"
            | "г"
            | "року"
            | "року."
            | "o"
            | "a"
            | "ה"
            | "ב"
    )
}

/// Skips spaces and exactly one of the separators (spaces around it allowed). Tokens skipped.
fn skip<'t>(tokens: &'t [Token], separators: &[&str]) -> Option<(&'t [Token], usize)> {
    let mut seen = false;
    for (i, token) in tokens.iter().enumerate() {
        let is_separator = match token {
            Token::Mark(' ') => continue,
            Token::Mark(c) => separators.iter().any(|s| s.chars().eq([*c])),
            Token::Word(w) => separators.contains(&w.as_str()),
            Token::Number(..) => return seen.then(|| (tokens.get(i..).unwrap_or_default(), i)),
        };
        if !is_separator || seen {
            return None;
        }
        seen = true;
    }
    None
}

/// The first time of day among the tokens, with its offset in minutes if one is stated.
fn find_time(tokens: &[Token]) -> Option<(NaiveTime, Option<i32>)> {
    for i in 0..tokens.len() {
        let [
            Token::Number(h, hl),
            Token::Mark(':' | '.'),
            Token::Number(m, 2),
            rest @ ..,
        ] = tokens.get(i..)?
        else {
            continue;
        };
        if *hl > 2 || *m > 59 {
            continue;
        }
        let mut rest = rest;
        let mut second = 0;
        if let [Token::Mark(':'), Token::Number(s, 2), tail @ ..] = rest {
            second = (*s).min(59);
            rest = tail;
        }
        if let [Token::Mark('.' | ','), Token::Number(..), tail @ ..] = rest {
            rest = tail;
        }
        let mut hour = *h;
        let words: Vec<&str> = rest.iter().take(6).filter_map(Token::word).collect();
        match words.first() {
            Some(&"pm" | &"p") if hour < 12 => hour += 12,
            Some(&"am" | &"a") if hour == 12 => hour = 0,
            _ => {}
        }
        return Some((NaiveTime::from_hms_opt(hour, *m, second)?, offset(rest)));
    }
    None
}

/// An offset right after a time: `Z`, `+03:00`, `-0500`, `GMT`, `+03`, `CET`.
fn offset(tokens: &[Token]) -> Option<i32> {
    let mut tokens = tokens.iter().skip_while(|t| {
        matches!(t, Token::Mark(' ' | '.'))
            || t.word()
                .is_some_and(|w| matches!(w, "am" | "pm" | "p" | "a" | "m" | "uhr" | "h"))
    });
    match tokens.next()? {
        Token::Mark(sign @ ('+' | '-' | '−')) => {
            let factor = if *sign == '+' { 1 } else { -1 };
            let Token::Number(n, len) = tokens.next()? else {
                return None;
            };
            let n = i32::try_from(*n).ok()?;
            let minutes = match len {
                4 => n / 100 * 60 + n % 100,
                1 | 2 => {
                    let more = match (tokens.next(), tokens.next()) {
                        (Some(Token::Mark(':')), Some(Token::Number(m, 2))) => i32::try_from(*m).ok()?,
                        _ => 0,
                    };
                    n * 60 + more
                }
                _ => return None,
            };
            (minutes <= 14 * 60).then_some(factor * minutes)
        }
        Token::Word(w) => match w.as_str() {
            "z" | "utc" | "gmt" | "wet" => Some(0),
            "bst" | "cet" | "mez" => Some(60),
            "cest" | "mesz" | "eet" | "sast" => Some(120),
            "eest" | "msk" => Some(180),
            "ist" => Some(330),
            "jst" | "kst" => Some(540),
            "est" => Some(-300),
            "edt" | "et" => Some(-240),
            "cst" => Some(-360),
            "cdt" => Some(-300),
            "mst" => Some(-420),
            "mdt" => Some(-360),
            "pst" => Some(-480),
            "pdt" => Some(-420),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
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
