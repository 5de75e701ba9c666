//! Times that nobody meant: what programs write where they know none.
//!
//! In: seconds since 1970. Out: whether to doubt them. The one place that says so; decoding, cleaning's
//! limits and the comparison of articles all ask here.

const DAY: i64 = 86_400;

/// How far a publisher's clock and time zone may be ahead of ours, in seconds: a day.
pub const MOST_AHEAD: i64 = DAY;

/// 1500-01-01: before the first newspapers. Zero dates of many programs (0000-00-00, 0001-01-01) are before it.
const FIRST: i64 = -14_831_769_600;

/// Midnights at which the calendars of databases, spreadsheets and file systems begin: 1601, 1753, the 30th
/// and 31st of December 1899, 1900, 1904, 1980.
const EPOCHS: [i64; 7] = [
    -11_644_473_600,
    -6_847_804_800,
    -2_209_161_600,
    -2_209_075_200,
    -2_208_988_800,
    -2_082_844_800,
    315_532_800,
];

/// Whether programs write this moment for a time that they do not know: within a day of 1970-01-01 (zero, or
/// minus one, in some time zone), the midnight at which a calendar begins in any time zone, or before 1500.
/// An archive's real 1887 or 1987 is none.
pub fn is_sentinel(seconds: i64) -> bool {
    // A midnight of some zone is within 14 hours of that of UTC, at a quarter of an hour.
    let is_midnight_of = |epoch: i64| (seconds - epoch).abs() <= 14 * 3_600 && (seconds - epoch) % 900 == 0;
    seconds < FIRST || seconds.abs() <= DAY || EPOCHS.into_iter().any(is_midnight_of)
}

/// Whether a time is to be doubted: a sentinel, or more than a day ahead of the moment at which the article
/// was seen, where that is known.
pub fn is_doubted(seconds: i64, seen: Option<i64>) -> bool {
    is_sentinel(seconds) || seen.is_some_and(|seen| seconds > seen.saturating_add(MOST_AHEAD))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp()
    }

    #[test]
    fn sentinels_are_known_and_real_times_are_none() {
        for nobody in [
            "1970-01-01T00:00:00Z",
            "1970-01-01T01:00:00+01:00",
            "1969-12-31T23:59:59Z",
            "1969-12-31T19:00:00-05:00",
            "1899-12-30T00:00:00Z",
            "1899-12-30T00:00:00+05:30",
            "1900-01-01T00:00:00Z",
            "1601-01-01T00:00:00Z",
            "1753-01-01T00:00:00Z",
            "1904-01-01T00:00:00Z",
            "1980-01-01T00:00:00Z",
            "0001-01-01T00:00:00Z",
        ] {
            assert!(is_sentinel(at(nobody)), "{nobody}");
        }
        for real in [
            "1987-02-26T09:31:00Z",
            "1887-06-21T00:00:00Z",
            "1970-06-01T00:00:00Z",
            "1980-01-01T09:31:07Z",
            "2000-01-01T00:00:00Z",
            "2026-03-20T18:05:00Z",
        ] {
            assert!(!is_sentinel(at(real)), "{real}");
        }
        let seen = at("2026-03-20T12:00:00Z");
        assert!(is_doubted(at("2026-03-22T12:00:00Z"), Some(seen)));
        assert!(!is_doubted(at("2026-03-21T11:59:00Z"), Some(seen)));
        assert!(!is_doubted(at("2999-03-21T11:59:00Z"), None));
    }
}
