//! The words of dates: months, weekdays, zones.

/// The beginnings of months: English, German, French, Spanish, Italian, Portuguese, Dutch.
const MONTHS: [&[&str]; 12] = [
    &["jan", "jän", "ene", "gen"],
    &["feb", "fév", "fev"],
    &["mar", "mär", "mrz", "maa", "mrt"],
    &["apr", "avr", "abr"],
    &["may", "mai", "mei", "mag"],
    &["jun", "juin", "giu"],
    &["jul", "juil", "lug"],
    &["aug", "aoû", "aou", "ago"],
    &["sep", "set"],
    &["oct", "okt", "ott", "out"],
    &["nov"],
    &["dec", "dez", "déc", "dic"],
];

/// Names of zones that mean one thing, in minutes from UTC. Those that mean several (IST: India, Israel, Ireland)
/// are not here; EST to PDT mean what RFC 822 says of them.
const ZONES: [(&str, i32); 46] = [
    ("z", 0),
    ("ut", 0),
    ("utc", 0),
    ("gmt", 0),
    ("wet", 0),
    ("west", 60),
    ("bst", 60),
    ("cet", 60),
    ("mez", 60),
    ("met", 60),
    ("cest", 120),
    ("mesz", 120),
    ("mest", 120),
    ("eet", 120),
    ("sast", 120),
    ("cat", 120),
    ("eest", 180),
    ("msk", 180),
    ("eat", 180),
    ("trt", 180),
    ("pkt", 300),
    ("wib", 420),
    ("hkt", 480),
    ("sgt", 480),
    ("awst", 480),
    ("jst", 540),
    ("kst", 540),
    ("acst", 570),
    ("aest", 600),
    ("acdt", 630),
    ("aedt", 660),
    ("nzst", 720),
    ("nzdt", 780),
    ("est", -300),
    ("edt", -240),
    ("cdt", -300),
    ("mst", -420),
    ("mdt", -360),
    ("pst", -480),
    ("pdt", -420),
    ("cst", -360),
    ("akst", -540),
    ("akdt", -480),
    ("hst", -600),
    ("nst", -210),
    ("brt", -180),
];
/// Where a time is.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Zone {
    #[default]
    None,
    Minutes(i32),
    Unknown,
}

/// The number of a month, by the beginning of its name.
pub(super) fn month(word: &str) -> Option<u32> {
    let long = word.chars().count() >= 3 && word.chars().all(char::is_alphabetic);
    // "mardi" and "martes" are days; "marzo" is none.
    if !long || is_weekday(word) {
        return None;
    }
    let found = MONTHS
        .iter()
        .position(|names| names.iter().any(|n| word.starts_with(n)));
    found.and_then(|at| u32::try_from(at + 1).ok())
}

/// The weekdays whose names begin like a month's, and the English ones.
pub(super) fn is_weekday(word: &str) -> bool {
    const DAYS: [&str; 9] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun", "mardi", "martes"];
    DAYS.iter().any(|d| word.starts_with(d)) || word == "martedì"
}

/// `+0300`, `-03:00`, `+3`, `gmt+0300`: minutes from UTC.
pub(super) fn offset(word: &str) -> Option<i32> {
    let word = word
        .strip_prefix("gmt")
        .or_else(|| word.strip_prefix("utc"))
        .unwrap_or(word);
    let (sign, rest) = match word.strip_prefix('+') {
        Some(rest) => (1, rest),
        None => (-1, word.strip_prefix(['-', '\u{2212}'])?),
    };
    let digits = rest.replace(':', "");
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number: i32 = digits.parse().ok()?;
    let minutes = match digits.len() {
        1 | 2 => number * 60,
        3 | 4 => number / 100 * 60 + number % 100,
        _ => return None,
    };
    (minutes <= 14 * 60).then_some(sign * minutes)
}

/// The zone of a name.
pub(super) fn named_zone(word: &str) -> Zone {
    if let Some(minutes) = offset(word) {
        return Zone::Minutes(minutes);
    }
    ZONES
        .iter()
        .find(|(name, _)| *name == word)
        .map_or(Zone::Unknown, |(_, m)| Zone::Minutes(*m))
}
