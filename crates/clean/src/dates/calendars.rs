//! Years of other calendars: the Buddhist one of Thailand, the solar one of Iran, the eras of Japan and Taiwan.
//!
//! What is not understood (lunar Islamic, Hebrew, Bengali, Nepali and Ethiopian years) gives no date: their years lie
//! outside the range that is read.

use chrono::{Datelike, Days, NaiveDate};

/// Buddhist years are ahead of Gregorian ones by so many.
const BUDDHIST: i32 = 543;

/// The day of a written year, month and day, whichever calendar the year is of.
pub(super) fn day_of(year: i32, month: u32, day: u32) -> Option<NaiveDate> {
    match year {
        2443..=2643 => NaiveDate::from_ymd_opt(year - BUDDHIST, month, day),
        // Lunar years are ahead of these by some forty: 1410 is the first that could be one of a recent page.
        1369..=1409 => persian(year, month, day),
        _ => NaiveDate::from_ymd_opt(year, month, day),
    }
}

/// The Gregorian day of a day of the Persian calendar, by its cycle of 33 years with 8 leap years: right from 1178 to
/// 1633 of that calendar (1799 to 2254).
pub(super) fn persian(year: i32, month: u32, day: u32) -> Option<NaiveDate> {
    let longest = if month <= 6 { 31 } else { 30 };
    if !(1178..=1633).contains(&year) || !(1..=12).contains(&month) || !(1..=longest).contains(&day) {
        return None;
    }
    let since = |year: i32| {
        let shifted = year + 1595;
        365 * shifted + shifted / 33 * 8 + (shifted % 33 + 3) / 4
    };
    let before = if month <= 6 {
        31 * (month - 1)
    } else {
        30 * (month - 1) + 6
    };
    // 1 Farvardin 1405 was 21 March 2026.
    let anchor = NaiveDate::from_ymd_opt(2026, 3, 21)?;
    let days = since(year) - since(1405) + i32::try_from(before + day - 1).ok()?;
    let forward = u64::try_from(days).ok();
    let found = match forward {
        Some(days) => anchor.checked_add_days(Days::new(days)),
        None => anchor.checked_sub_days(Days::new(u64::from(days.unsigned_abs()))),
    }?;
    // The thirtieth of the last month is there in leap years only: otherwise it is the new year's first day.
    let new_year = found.month() == 3 && found.day() >= 20 && since(year + 1) - since(year) == 365;
    (!(month == 12 && day == 30 && new_year)).then_some(found)
}

/// What to add to a year of an era to get a Gregorian one.
pub(super) fn era(word: &str) -> Option<i32> {
    match word {
        "令和" => Some(2018),
        "平成" => Some(1988),
        "昭和" => Some(1925),
        "民國" | "中華民國" | "民国" => Some(1911),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn persian_days() {
        for (year, month, day, expected) in [
            (1404, 12, 28, "2026-03-19"),
            (1405, 1, 1, "2026-03-21"),
            (1403, 12, 30, "2025-03-20"),
            (1399, 1, 1, "2020-03-20"),
            (1357, 11, 22, "1979-02-11"),
            (1400, 6, 31, "2021-09-22"),
        ] {
            assert_eq!(
                persian(year, month, day).unwrap().to_string(),
                expected,
                "{year}-{month}-{day}"
            );
        }
        assert_eq!(persian(1404, 12, 30), None);
        assert_eq!(persian(1404, 7, 31), None);
        assert_eq!(persian(1404, 13, 1), None);
    }

    #[test]
    fn years_tell_their_calendar() {
        let day = |y, m, d| day_of(y, m, d).map(|d| d.to_string()).unwrap_or_default();
        assert_eq!(day(2569, 3, 19), "2026-03-19");
        assert_eq!(day(1404, 12, 28), "2026-03-19");
        assert_eq!(day(2026, 3, 19), "2026-03-19");
    }
}
