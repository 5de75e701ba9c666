//! Times of day and their offsets.

use chrono::NaiveTime;

use super::tokens::Token;

/// Tokens behind a date, and before it, among which its time of day stands.
const NEAR: usize = 14;

/// The time of day that stands nearest behind a date, or else before it, with its offset in minutes if one is stated.
/// `is_iso`: the date is one of ISO 8601, behind whose time a minus opens an offset and no second time.
pub(super) fn time_beside(
    before: &[Token],
    after: &[Token],
    is_iso: bool,
) -> Option<(NaiveTime, Option<i32>)> {
    let behind = after.get(..NEAR.min(after.len())).unwrap_or_default();
    (0..behind.len())
        .find_map(|i| time_at(after.get(..i)?, after.get(i..)?, is_iso))
        .or_else(|| {
            let from = before.len().saturating_sub(NEAR);
            (from..before.len()).find_map(|i| time_at(before.get(..i)?, before.get(i..)?, is_iso))
        })
}

/// The time of day that begins here: `18:05`, `18.05`, `18h05`, `6:05 pm`, `6 p.m.`, `18時05分`, `下午6:05`.
fn time_at(before: &[Token], tokens: &[Token], is_iso: bool) -> Option<(NaiveTime, Option<i32>)> {
    let [Token::Number(hour, 1 | 2), rest @ ..] = tokens else {
        return None;
    };
    if matches!(before.last(), Some(Token::Mark(':' | '.' | '/' | '-'))) {
        return None;
    }
    let (minute, mut rest) = match rest {
        [Token::Mark(':' | '.' | '：'), Token::Number(m, 2), rest @ ..] => (*m, rest),
        [Token::Word(h), Token::Number(m, 2), rest @ ..] if is_hour(h) => (*m, rest),
        [
            Token::Mark(' '),
            Token::Word(h),
            Token::Mark(' '),
            Token::Number(m, 2),
            rest @ ..,
        ] if is_hour(h) => (*m, rest),
        [Token::Word(h), ..] if is_hour(h) && h != "u" => (0, rest),
        _ if half_of_day(rest).is_some() => (0, rest),
        _ => return None,
    };
    let mut second = 0;
    let mut to_another = matches!(
        rest,
        [Token::Mark('-'), Token::Number(..), Token::Mark(':' | '.'), ..]
    );
    if let [Token::Mark(':'), Token::Number(s, 2), tail @ ..] = rest {
        second = (*s).min(59);
        rest = tail;
        to_another = false;
    }
    if let [Token::Mark('.' | ','), Token::Number(..), tail @ ..] = rest {
        rest = tail;
    }
    let half = half_of_day(rest).or_else(|| {
        let last = before.iter().rev().find_map(Token::word);
        last.and_then(half_before)
    });
    let hour = match half {
        Some(Half::Afternoon) if *hour < 12 => *hour + 12,
        Some(Half::Morning) if *hour == 12 => 0,
        _ => *hour,
    };
    // "10:00-11:30" says how long something lasts.
    let offset = if to_another && !is_iso { None } else { offset(rest) };
    Some((NaiveTime::from_hms_opt(hour, minute, second)?, offset))
}

fn is_hour(word: &str) -> bool {
    matches!(word, "h" | "hs" | "u" | "時" | "时" | "시" | "点" | "點" | "giờ")
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Half {
    Morning,
    Afternoon,
}

/// "am", "p.m.", "م", "μμ" behind a time.
fn half_of_day(rest: &[Token]) -> Option<Half> {
    let rest = match rest {
        [Token::Mark(' '), rest @ ..] => rest,
        _ => rest,
    };
    let (first, second) = match rest {
        [Token::Word(a), Token::Mark('.'), Token::Word(b), ..] => (a.as_str(), b.as_str()),
        [Token::Word(a), ..] => (a.as_str(), ""),
        _ => return None,
    };
    match (first, second) {
        ("am", _) | ("a", "m") | ("ص" | "πμ", _) | ("π", "μ") => Some(Half::Morning),
        ("pm", _) | ("p", "m") | ("م" | "μμ", _) | ("μ", "μ") => Some(Half::Afternoon),
        _ => None,
    }
}

/// "下午" and its like before a time.
fn half_before(word: &str) -> Option<Half> {
    match word {
        "上午" | "午前" | "오전" | "早上" | "凌晨" => Some(Half::Morning),
        "下午" | "午後" | "오후" | "晚上" => Some(Half::Afternoon),
        _ => None,
    }
}

/// An offset right after a time: `Z`, `+03:00`, `-0500`, `GMT+0100`, `(UTC+8)`, `CET`, `WIB`.
fn offset(tokens: &[Token]) -> Option<i32> {
    let skipped = tokens.iter().take_while(|t| {
        matches!(t, Token::Mark(' ' | '.' | ',' | '(' | '['))
            || t.word().is_some_and(|w| {
                matches!(
                    w,
                    "am" | "pm"
                        | "p"
                        | "a"
                        | "m"
                        | "uhr"
                        | "h"
                        | "hs"
                        | "hrs"
                        | "น"
                        | "分"
                        | "분"
                        | "م"
                        | "ص"
                )
            })
    });
    let tokens = tokens.get(skipped.count()..).unwrap_or_default();
    match tokens {
        [Token::Word(word), rest @ ..] => {
            let rest_of_line = match rest {
                [Token::Mark(' '), rest @ ..] => rest,
                _ => rest,
            };
            match word.as_str() {
                "gmt" | "utc" => Some(signed(rest_of_line).unwrap_or(0)),
                // These are words of their own as well: they end the time.
                "et" | "ist" | "wit" | "cat" | "eat" | "art" | "pet"
                    if matches!(rest_of_line.first(), Some(Token::Word(_))) =>
                {
                    None
                }
                word => zone(word),
            }
        }
        _ => signed(tokens),
    }
}

/// `+03:00`, `-0500`, `+7`.
fn signed(tokens: &[Token]) -> Option<i32> {
    let [
        Token::Mark(sign @ ('+' | '-' | '−')),
        Token::Number(n, len),
        rest @ ..,
    ] = tokens
    else {
        return None;
    };
    let n = i32::try_from(*n).ok()?;
    let (hours, minutes) = match (len, rest) {
        (4, _) => (n / 100, n % 100),
        (1 | 2, [Token::Mark(':'), Token::Number(m, 2), ..]) => (n, i32::try_from(*m).ok()?),
        (1 | 2, _) => (n, 0),
        _ => return None,
    };
    let factor = if *sign == '+' { 1 } else { -1 };
    let whole = matches!(minutes, 0 | 30 | 45) && hours <= 14;
    whole.then_some(factor * (hours * 60 + minutes))
}

/// The offset in minutes that the abbreviation of a zone stands for. Of those with two meanings the one that more news
/// pages use.
fn zone(word: &str) -> Option<i32> {
    Some(match word {
        "z" | "wet" => 0,
        "bst" | "cet" | "mez" | "wat" | "west" => 60,
        "cest" | "mesz" | "eet" | "sast" | "cat" => 120,
        "eest" | "msk" | "мск" | "trt" | "tsi" | "eat" => 180,
        "gst" => 240,
        "pkt" => 300,
        "ist" => 330,
        "npt" => 345,
        "wib" | "ict" => 420,
        "wita" | "hkt" | "sgt" | "myt" | "awst" => 480,
        "jst" | "kst" | "wit" => 540,
        "acst" => 570,
        "aest" => 600,
        "acdt" => 630,
        "aedt" => 660,
        "nzst" => 720,
        "nzdt" => 780,
        "brt" | "art" => -180,
        "edt" | "et" => -240,
        "est" | "cdt" | "pet" => -300,
        "cst" | "mdt" => -360,
        "mst" | "pdt" => -420,
        "pst" | "akdt" => -480,
        "akst" => -540,
        "hst" => -600,
        _ => return None,
    })
}
