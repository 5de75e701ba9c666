//! The day among the tokens of a text.

use chrono::NaiveDate;

use super::Order;
use super::calendars::{day_of, era, persian};
use super::months::{month_at, persian_month};
use super::tokens::Token;

/// The first date among the tokens from `start` on, and the tokens that it takes.
pub(super) fn find_date(tokens: &[Token], start: usize, order: Order) -> Option<(NaiveDate, usize, usize)> {
    (start..tokens.len()).find_map(|i| {
        let rest = tokens.get(i..)?;
        let (date, used) = year_first(rest)
            .or_else(|| of_era(rest))
            .or_else(|| words(rest))
            .or_else(|| numbers(rest, order))?;
        Some((date, i, i + used))
    })
}

/// `2026-03-20`, `2026/3/20`, `2026.03.20`, `2026年3月20日`, `2026년 3월 20일`, `2026. március 20.`, `2026 m. kovo 20 d.`
fn year_first(tokens: &[Token]) -> Option<(NaiveDate, usize)> {
    let [Token::Number(y, 4), rest @ ..] = tokens else {
        return None;
    };
    let y = i32::try_from(*y).ok()?;
    let Some((date, used)) = month_and_day(y, rest) else {
        return year_then_words(y, rest).map(|(date, used)| (date, used + 1));
    };
    Some((date, used + 1))
}

/// `令和8年3月20日`, `民國115年3月20日`.
fn of_era(tokens: &[Token]) -> Option<(NaiveDate, usize)> {
    let [Token::Word(word), rest @ ..] = tokens else {
        return None;
    };
    let first = era(word)?;
    let (rest, gap) = match rest {
        [Token::Mark(' '), rest @ ..] => (rest, 1),
        _ => (rest, 0),
    };
    let [Token::Number(y, 1..=3), rest @ ..] = rest else {
        return None;
    };
    let (date, used) = month_and_day(first + i32::try_from(*y).ok()?, rest)?;
    Some((date, 2 + gap + used))
}

/// The month and the day behind a year, in numbers.
fn month_and_day(year: i32, tokens: &[Token]) -> Option<(NaiveDate, usize)> {
    let (rest, a) = skip(tokens, &["-", "/", ".", "年", "년", "–"])?;
    let [Token::Number(m, _), rest @ ..] = rest else {
        return None;
    };
    let (rest, b) = skip(rest, &["-", "/", ".", "月", "월", "–"])?;
    let [Token::Number(d, 1 | 2), ..] = rest else {
        return None;
    };
    Some((day_of(year, *m, *d)?, 2 + a + b))
}

/// Hungarian, Baltic and Basque dates: the year, the month as a word, the day, or the day and the month.
fn year_then_words(year: i32, tokens: &[Token]) -> Option<(NaiveDate, usize)> {
    let (mut month, mut day) = (None, None);
    let mut i = 0;
    while i < 10 {
        match tokens.get(i)? {
            Token::Mark(' ' | '.' | '-' | ',') => {}
            Token::Number(n @ 1..=31, 1 | 2) if day.is_none() => day = Some(*n),
            Token::Word(w) if matches!(w.as_str(), "m" | "gada" | "ko" | "eko" | "mėn" | "d") => {}
            Token::Word(_) if month.is_none() => {
                let (found, used) = month_at(tokens.get(i..)?)?;
                month = Some(found);
                i += used - 1;
            }
            _ => return None,
        }
        i += 1;
        if let (Some(month), Some(day)) = (month, day) {
            return Some((day_of(year, month, day)?, i));
        }
    }
    None
}

/// `20 March 2026`, `20. März 2026`, `20 de marzo de 2026`, `March 20th, 2026`, `Mar-20-2026`, `20 tháng 3 năm 2026`,
/// `۲۹ اسفند ۱۴۰۴`.
fn words(tokens: &[Token]) -> Option<(NaiveDate, usize)> {
    let (mut day, mut month, mut is_persian) = (None, None, false);
    let mut month_end = 0;
    let mut i = 0;
    while i < 14 {
        match tokens.get(i)? {
            Token::Number(n @ 1..=31, 1 | 2) if day.is_none() && (month.is_none() || i <= month_end + 2) => {
                day = Some(*n);
            }
            Token::Number(n, 4) => {
                let year = i32::try_from(*n).ok()?;
                let date = if is_persian {
                    persian(year, month?, day?)?
                } else {
                    day_of(year, month?, day?)?
                };
                return Some((date, i + 1));
            }
            Token::Number(_, 2) if day.is_some() && month.is_some() && starts_time(tokens, i) => {
                let year = year_after_time(tokens, i)?;
                return Some((day_of(year, month?, day?)?, i));
            }
            Token::Number(n, 2) if !is_persian && ends_date(tokens, i) => {
                let (month, day) = (month?, day?);
                let year = i32::try_from(*n).ok()?;
                // Of two digits Thai pages write the last ones of the Buddhist year.
                let thai = tokens
                    .iter()
                    .take(i)
                    .filter_map(Token::word)
                    .any(|w| w.starts_with(is_thai));
                let date = day_of(if thai { 2500 + year } else { 2000 + year }, month, day)?;
                return Some((date, i + 1));
            }
            Token::Word(w) if month.is_none() => {
                if let Some((found, used)) = month_at(tokens.get(i..)?) {
                    month = Some(found);
                    i += used - 1;
                    month_end = i;
                } else if let Some(found) = persian_month(w) {
                    (month, is_persian) = (Some(found), true);
                    month_end = i;
                } else if i == 0 || !is_filler(w) {
                    return None;
                }
            }
            // The month again by another name: "20 آذار/مارس 2026".
            Token::Word(w) => match month_at(tokens.get(i..)?) {
                Some((again, used)) if Some(again) == month => i += used - 1,
                _ if is_filler(w) => {}
                _ => return None,
            },
            Token::Mark(' ' | ',' | '.' | '-' | '/' | '،' | '\'' | '’' | '(') => {}
            _ => return None,
        }
        i += 1;
    }
    None
}

const fn is_thai(c: char) -> bool {
    matches!(c, '\u{e01}'..='\u{e3a}')
}

/// Whether a year of two digits is one: nothing or a mark stands behind it, or a time of day.
fn ends_date(tokens: &[Token], i: usize) -> bool {
    match tokens.get(i + 1..).unwrap_or_default() {
        [
            Token::Mark(' '),
            Token::Number(_, 1 | 2),
            Token::Mark(':' | '.'),
            ..,
        ] => true,
        [] | [Token::Mark(' ')] => true,
        [Token::Mark(' '), Token::Mark(_), ..] => true,
        [Token::Mark(' '), ..] | [Token::Word(_), ..] | [Token::Mark('.'), Token::Number(..), ..] => false,
        [Token::Mark(_), ..] => true,
        _ => false,
    }
}

/// Whether a time of day begins at `i` ("18:05").
fn starts_time(tokens: &[Token], i: usize) -> bool {
    matches!(
        tokens.get(i + 1..i + 3),
        Some([Token::Mark(':'), Token::Number(_, 2)])
    )
}

/// The year behind a time of day, as `asctime` writes it ("Mar 20 18:05:00 CET 2026").
fn year_after_time(tokens: &[Token], i: usize) -> Option<i32> {
    tokens.iter().skip(i).take(12).find_map(|t| match t {
        Token::Number(n, 4) => i32::try_from(*n).ok(),
        _ => None,
    })
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
    day_of(year, first.1, first.0)
        .or_else(|| day_of(year, second.1, second.0))
        .map(|date| (date, 3 + s + t))
}

/// Words between the parts of a date that mean nothing to it.
fn is_filler(word: &str) -> bool {
    matches!(
        word,
        "de" | "del"
            | "d"
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
            | "рік"
            | "o"
            | "a"
            | "ה"
            | "ב"
            | "من"
            | "พ"
            | "ศ"
            | "वर्ष"
            | "সাল"
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
