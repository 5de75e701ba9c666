//! Dates as feeds hold them, and people write them.
//!
//! No crate of those that were tried reads them without a mistake (docs/decisions/009-feeds.md): one takes
//! CET for UTC, another fills in the time of the reading. Here a date is read part by part, and what is
//! ambiguous stays unread.

mod words;

use chrono::{DateTime, Days, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime};
use copydesk_article::Timestamp;

use crate::dates::YEARS;
use words::{Zone, is_weekday, month, named_zone, offset};

/// What became of a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WrittenDate {
    /// A time, or a day without one.
    Read(Timestamp),
    /// The day is sure. The time is not: its zone is one of several, or of none that is known.
    Day(NaiveDate),
    /// No date, or an ambiguous one.
    Unreadable,
}

/// The longest text that may be a date.
const LONGEST: usize = 80;

/// What is known of a date so far.
#[derive(Default)]
struct Parts {
    day: Option<NaiveDate>,
    /// A number that may be the day of a month, a month by its name, a year.
    of_month: Option<u32>,
    month: Option<u32>,
    /// The month was the first word: it may be a weekday after all, as in French `mar., 10 mars`.
    month_first: bool,
    year: Option<i32>,
    time: Option<Clock>,
    afternoon: Option<bool>,
    zone: Zone,
}

#[derive(Clone, Copy)]
struct Clock {
    hour: u32,
    minute: u32,
    second: u32,
    nano: u32,
}

/// Reads a date that is not a number alone. A time without a zone is taken as UTC.
pub fn read_written_date(text: &str) -> WrittenDate {
    let text = text.trim();
    let is_number = text.bytes().all(|b| b.is_ascii_digit());
    if is_number || text.len() > LONGEST {
        return WrittenDate::Unreadable;
    }
    parts(text)
        .as_ref()
        .and_then(finish)
        .unwrap_or(WrittenDate::Unreadable)
}

fn parts(text: &str) -> Option<Parts> {
    // Java appends the zone's name to its offset in brackets, mail programs in parentheses.
    let text = text.split(['[', '(']).next().unwrap_or_default();
    let text = text.to_lowercase().replace([',', '\u{a0}'], " ");
    let mut parts = Parts::default();
    for (number, word) in text.split_whitespace().enumerate() {
        parts.word(word, number == 0)?;
    }
    Some(parts)
}

impl Parts {
    /// Takes one word; `None` where it makes the date ambiguous or is none of a date.
    fn word(&mut self, word: &str, first: bool) -> Option<()> {
        if word.contains(':') || (self.has_day() && self.time.is_none() && is_bare_time(word)) {
            return self.time_and_zone(word);
        }
        if let Some(minutes) = offset(word)
            && self.time.is_some()
        {
            return self.zone(Zone::Minutes(minutes));
        }
        if word.starts_with(|c: char| c.is_ascii_digit()) {
            return self.numbers(word);
        }
        let bare = word.trim_matches('.');
        let month_open = self.day.is_none() && (self.month.is_none() || self.month_first);
        if let Some(month) = month(bare).filter(|_| month_open) {
            self.month = Some(month);
            self.month_first = first;
            return Some(());
        }
        match bare {
            "am" | "a.m" => self.afternoon = Some(false),
            "pm" | "p.m" => self.afternoon = Some(true),
            "at" | "um" | "uhr" | "de" | "à" | "-" | "|" | "" => {}
            // A weekday, in whatever language. Whether it is the right one does not matter.
            _ if first => {}
            _ if self.time.is_some() => return self.zone(named_zone(bare)),
            // 20 March 2026 Friday; anything else is no date.
            _ if is_weekday(bare) => {}
            _ => return None,
        }
        Some(())
    }

    fn has_day(&self) -> bool {
        self.day.is_some() || (self.month.is_some() && self.year.is_some())
    }

    /// An offset wins over a name that stands beside it, and the first over a second.
    fn zone(&mut self, zone: Zone) -> Option<()> {
        self.zone = match (self.zone, zone) {
            (Zone::None | Zone::Unknown, new) => new,
            // GMT +0300, UTC+3: the name only says from where the offset counts.
            (Zone::Minutes(0), Zone::Minutes(new)) => Zone::Minutes(new),
            (old, _) => old,
        };
        Some(())
    }

    /// `18:05:00`, with a date before it and a zone behind it where they are not set apart.
    fn time_and_zone(&mut self, word: &str) -> Option<()> {
        let colon = word.find(':').unwrap_or(word.len());
        let before = word.get(..colon)?;
        // Only an offset has a colon and a sign before it.
        if let Some(minutes) = offset(word)
            && self.time.is_some()
        {
            return self.zone(Zone::Minutes(minutes));
        }
        if let Some(t) = before.rfind('t').or_else(|| before.rfind('_')) {
            self.numbers(word.get(..t)?)?;
            return self.time_and_zone(word.get(t + 1..)?);
        }
        if self.time.is_some() {
            return None;
        }
        let end = word
            .find(|c: char| !c.is_ascii_digit() && !matches!(c, ':' | '.'))
            .unwrap_or(word.len());
        self.time = Some(clock(word.get(..end)?)?);
        match word.get(end..)? {
            "" => Some(()),
            "am" => {
                self.afternoon = Some(false);
                Some(())
            }
            "pm" => {
                self.afternoon = Some(true);
                Some(())
            }
            rest => {
                let zone = offset(rest).map_or_else(|| named_zone(rest), Zone::Minutes);
                self.zone(zone)
            }
        }
    }

    /// `2026-03-20`, `20.03.2026`, `20-Mar-26`, `20.`, `20th`, `2026`.
    fn numbers(&mut self, word: &str) -> Option<()> {
        let word = word.trim_end_matches('.');
        let fields: Vec<&str> = word.split(['-', '/', '.']).collect();
        match fields[..] {
            [one] => self.number(one),
            [a, b, c] => {
                if self.day.is_some() {
                    return None;
                }
                self.day = Some(day_of(word, a, b, c)?);
                Some(())
            }
            _ => None,
        }
    }

    fn number(&mut self, word: &str) -> Option<()> {
        let digits = word.trim_end_matches(|c: char| c.is_alphabetic());
        let suffix = word.get(digits.len()..)?;
        if !matches!(suffix, "" | "st" | "nd" | "rd" | "th" | "er") {
            return None;
        }
        let number: u32 = digits.parse().ok()?;
        if digits.len() == 8 && self.day.is_none() {
            let day = NaiveDate::parse_from_str(digits, "%Y%m%d").ok()?;
            self.day = Some(day);
        } else if self.of_month.is_none() && digits.len() <= 2 {
            self.of_month = Some(number);
        } else if self.year.is_none() && matches!(digits.len(), 2 | 4) {
            self.year = Some(year(digits)?);
        } else {
            return None;
        }
        Some(())
    }
}

/// The day in three fields. Where the day may as well be the month, neither is.
fn day_of(word: &str, a: &str, b: &str, c: &str) -> Option<NaiveDate> {
    if a.len() == 4 {
        return NaiveDate::from_ymd_opt(year(a)?, b.parse().ok().or_else(|| month(b))?, c.parse().ok()?);
    }
    let year = year(c)?;
    let first: u32 = a.parse().ok()?;
    let Ok(second) = b.parse::<u32>() else {
        return NaiveDate::from_ymd_opt(year, month(b)?, first);
    };
    // Points are written where the day comes first.
    if word.contains('.') || first > 12 || first == second {
        NaiveDate::from_ymd_opt(year, second, first)
    } else if second > 12 {
        NaiveDate::from_ymd_opt(year, first, second)
    } else {
        None
    }
}

fn year(digits: &str) -> Option<i32> {
    let number: i32 = digits.parse().ok()?;
    match digits.len() {
        // RFC 2822: two digits up to 49 are of this century.
        2 if number < 50 => Some(2000 + number),
        2 => Some(1900 + number),
        4 => Some(number),
        _ => None,
    }
}

fn is_bare_time(word: &str) -> bool {
    matches!(word.len(), 5 | 6) && word.as_bytes().get(2) == Some(&b'h')
}

fn clock(text: &str) -> Option<Clock> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut fields = whole.split(':').map(|f| f.parse::<u32>().ok());
    let (hour, minute) = (fields.next()??, fields.next()??);
    let second = fields.next().map_or(Some(0), |s| s)?;
    if fields.next().is_some() {
        return None;
    }
    let nano = match fraction.len() {
        0 => 0,
        n @ 1..=9 => fraction.parse::<u32>().ok()? * 10_u32.pow(u32::try_from(9 - n).ok()?),
        _ => fraction.get(..9)?.parse().ok()?,
    };
    Some(Clock {
        hour,
        minute,
        second,
        nano,
    })
}

fn finish(parts: &Parts) -> Option<WrittenDate> {
    let day = match parts.day {
        Some(day) => day,
        None => NaiveDate::from_ymd_opt(parts.year?, parts.month?, parts.of_month?)?,
    };
    if !YEARS.contains(&chrono::Datelike::year(&day)) {
        return None;
    }
    let Some(clock) = parts.time else {
        return Some(WrittenDate::Read(Timestamp::Day(day)));
    };
    let Zone::Minutes(minutes) = (match parts.zone {
        // As the pipeline takes it.
        Zone::None => Zone::Minutes(0),
        other => other,
    }) else {
        return Some(WrittenDate::Day(day));
    };
    let local = local(day, clock, parts.afternoon)?;
    let zone = FixedOffset::east_opt(minutes * 60)?;
    let time: DateTime<FixedOffset> = local.and_local_timezone(zone).single()?;
    Some(WrittenDate::Read(Timestamp::Zoned(time)))
}

fn local(day: NaiveDate, clock: Clock, afternoon: Option<bool>) -> Option<NaiveDateTime> {
    let hour = match (afternoon, clock.hour) {
        (Some(_), 0 | 13..) => return None,
        (Some(false), 12) => 0,
        (Some(true), hour @ 1..=11) => hour + 12,
        (_, hour) => hour,
    };
    // The end of a day is the beginning of the next.
    if hour == 24 && clock.minute == 0 && clock.second == 0 {
        return Some(day.checked_add_days(Days::new(1))?.and_time(NaiveTime::MIN));
    }
    // A leap second, which most clocks never show.
    let second = if clock.second == 60 { 59 } else { clock.second };
    day.and_hms_nano_opt(hour, clock.minute, second, clock.nano)
}

#[cfg(test)]
mod tests;
