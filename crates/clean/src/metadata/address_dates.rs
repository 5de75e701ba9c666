//! Dates in the addresses of articles.

use chrono::Datelike;
use copydesk_article::Timestamp;

use crate::dates::{Order, parse_date_as};

/// The month in an address that has no day: "/2026/03/harbour".
pub(super) fn month_in_path(url: &str) -> Option<(i32, u32)> {
    let path = url.split(['?', '#']).next()?;
    let parts: Vec<&str> = path.split('/').skip(3).collect();
    let number = |s: &str, digits: usize| (s.len() == digits).then(|| s.parse::<u32>().ok()).flatten();
    parts.windows(2).find_map(|pair| match pair {
        [year, month] => {
            let year = number(year, 4).filter(|y| (1990..=2060).contains(y))?;
            let month = number(month, 2).filter(|m| (1..=12).contains(m))?;
            Some((i32::try_from(year).ok()?, month))
        }
        _ => None,
    })
}

/// Whether a day is of a month, or beside it in another zone.
pub(super) fn is_within(t: Timestamp, (year, month): (i32, u32)) -> bool {
    let days = [
        t.local_day().pred_opt(),
        Some(t.local_day()),
        t.local_day().succ_opt(),
    ];
    days.into_iter()
        .flatten()
        .any(|d| d.year() == year && d.month() == month)
}

/// A date in the path of an address: `/2026/03/20/` or `/20260320/`.
pub(super) fn in_path(url: &str) -> Option<Timestamp> {
    let path = url.split(['?', '#']).next()?;
    let parts: Vec<&str> = path.split('/').skip(3).collect();
    let number = |s: &str, len: usize| -> Option<u32> {
        (s.len() <= len && !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit()))
            .then(|| s.parse().ok())
            .flatten()
    };
    for window in parts.windows(3) {
        if let [y, m, d] = window
            && y.len() == 4
            && let (Some(y), Some(m), Some(d)) = (number(y, 4), number(m, 2), number(d, 2))
            && let Some(day) = parse_date_as(&format!("{y}-{m:02}-{d:02}"), Order::DayFirst)
        {
            return Some(day);
        }
    }
    parts
        .iter()
        .flat_map(|p| p.split(['-', '_', '.']))
        .filter(|p| p.len() == 8 && p.starts_with("20"))
        .find_map(|p| parse_date_as(p, Order::DayFirst))
        .or_else(|| parts.iter().find_map(|p| in_number(p)))
        .or_else(|| {
            parts
                .iter()
                .filter_map(|p| p.get(..10))
                .filter(|p| p.bytes().filter(|b| *b == b'-').count() == 2 && p.starts_with("20"))
                .find_map(|p| parse_date_as(p, Order::DayFirst))
        })
}

/// The day in an article's number that is made of its time: `A202603201805123456`.
pub(super) fn in_number(part: &str) -> Option<Timestamp> {
    let digits = part.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let time = digits
        .get(..12)
        .filter(|d| d.bytes().all(|b| b.is_ascii_digit()))?;
    let hour: u32 = time.get(8..10)?.parse().ok()?;
    let minute: u32 = time.get(10..12)?.parse().ok()?;
    (time.starts_with("20") && hour < 24 && minute < 60)
        .then(|| parse_date_as(time.get(..8)?, Order::DayFirst))
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(t: Option<Timestamp>) -> String {
        t.map_or(String::new(), |t| t.local_day().to_string())
    }

    #[test]
    fn addresses_hold_dates() {
        assert_eq!(
            day(in_path("https://n.example/2026/03/20/harbour/")),
            "2026-03-20"
        );
        assert_eq!(
            day(in_path("https://n.example/news/20260320/harbour")),
            "2026-03-20"
        );
        assert_eq!(
            day(in_path("https://n.example/harbour-reopens-20260320")),
            "2026-03-20"
        );
        assert_eq!(
            day(in_path("https://n.example/news/A202603201805123456")),
            "2026-03-20"
        );
        assert_eq!(day(in_path("https://n.example/a/12345678")), "");
    }

    #[test]
    fn addresses_hold_months() {
        assert_eq!(
            month_in_path("https://n.example/2026/03/harbour"),
            Some((2026, 3))
        );
        assert_eq!(month_in_path("https://n.example/2026/harbour/03"), None);
        let april_first = parse_date_as("2026-04-01", Order::DayFirst).unwrap();
        assert!(is_within(april_first, (2026, 3)) && !is_within(april_first, (2026, 2)));
    }
}
