//! Small things that every page draws: times, numbers, links, texts of strangers.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use maud::{Markup, html};
use url::Url;

/// A time in UTC: the server is not told the zone of whoever looks. Where scripts run, `assets/times.js` adds
/// the local time.
pub(crate) fn when(time: DateTime<Utc>) -> Markup {
    html! {
        time datetime=(time.to_rfc3339_opts(SecondsFormat::Secs, true)) { (time.format("%Y-%m-%d %H:%M")) }
    }
}

/// The same with how long ago that was, which is the same in every zone.
pub(crate) fn when_ago(time: DateTime<Utc>) -> Markup {
    html! { (when(time)) " " span.quiet { "(" (ago(time, Utc::now())) ")" } }
}

/// When it was published: a day where only that is known.
pub(crate) fn published(time: DateTime<Utc>, offset_minutes: Option<i64>) -> Markup {
    let Some(minutes) = offset_minutes else {
        let day = time.format("%Y-%m-%d").to_string();
        return html! { time datetime=(day) { (day) } };
    };
    let sign = if minutes < 0 { '−' } else { '+' };
    let (hours, rest) = (minutes.abs() / 60, minutes.abs() % 60);
    let there = TimeDelta::try_minutes(minutes).and_then(|m| time.checked_add_signed(m));
    html! {
        (when(time))
        @if let Some(there) = there.filter(|_| minutes != 0) {
            " " span.quiet { "(" (there.format("%H:%M")) " in UTC" (format!("{sign}{hours}:{rest:02}"))
                ", as stated)" }
        }
    }
}

/// How long ago, in the largest unit that says something.
pub(crate) fn ago(time: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let seconds = (now - time).num_seconds();
    if seconds < 0 {
        return format!("in {}", span(-seconds));
    }
    format!("{} ago", span(seconds))
}

/// A span of time, in the largest unit that says something.
pub(crate) fn span(seconds: i64) -> String {
    match seconds.abs() {
        s if s < 120 => format!("{s} s"),
        s if s < 7_200 => format!("{} min", s / 60),
        s if s < 172_800 => format!("{} h", s / 3_600),
        s => format!("{} days", s / 86_400),
    }
}

/// A count with its word.
pub(crate) fn counted(n: i64, one: &str, many: &str) -> String {
    format!("{} {}", number(n), if n == 1 { one } else { many })
}

/// A number with thin spaces between thousands.
pub(crate) fn number(n: i64) -> String {
    let digits = n.unsigned_abs().to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    if n < 0 { format!("−{out}") } else { out }
}

/// A share in percent.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

/// An address from a stranger: a link if it is of http or https, else text.
pub(crate) fn link(address: &str) -> Markup {
    let safe = Url::parse(address)
        .ok()
        .filter(|u| matches!(u.scheme(), "http" | "https") && u.has_host());
    html! {
        @if let Some(url) = safe {
            a.outside href=(url.as_str()) rel="noreferrer noopener nofollow" dir="auto" { (address) }
        } @else {
            span dir="auto" { (address) }
        }
    }
}

/// A language code that may stand in `lang`: what a stranger calls a language may be anything.
pub(crate) fn lang(code: Option<&str>) -> Option<&str> {
    code.filter(|c| (2..=12).contains(&c.len()) && c.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))
}

/// A headline, with what stands for one that is missing.
pub(crate) fn title(title: Option<&str>, language: Option<&str>) -> Markup {
    html! {
        @match title.filter(|t| !t.trim().is_empty()) {
            Some(title) => bdi lang=[lang(language)] dir="auto" { (title) },
            None => span.quiet { "(no title)" },
        }
    }
}

/// A site with a link to its page.
pub(crate) fn site(site: Option<&str>) -> Markup {
    html! {
        @match site {
            Some(site) => a href={ "/sites/" (crate::ask::escaped(site)) } dir="auto" { (site) },
            None => span.quiet { "–" },
        }
    }
}

/// The beginning of a text, at most so many characters.
pub(crate) fn beginning(text: &str, most: usize) -> String {
    let mut chars = text.chars();
    let mut out: String = chars.by_ref().take(most).collect();
    if chars.next().is_some() {
        out.push('…');
    }
    out
}

/// A relation in words.
pub(crate) fn relation(relation: &str) -> String {
    relation.replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_web_are_links() {
        for address in [
            "javascript:alert(1)",
            "JavaScript:alert(1)",
            "\u{1}javascript:alert(1)",
            "java\nscript:alert(1)",
            "data:text/html,<script>alert(1)</script>",
            "vbscript:x",
            "file:///etc/passwd",
            "//evil.example/x",
            "https:",
            "",
        ] {
            let drawn = link(address).into_string();
            assert!(!drawn.contains("href"), "{address}: {drawn}");
            assert!(!drawn.contains("<script"), "{drawn}");
        }
        let drawn = link("https://news.example/a?b=\"><img src=x>").into_string();
        assert!(
            drawn.contains("href=\"https://news.example/") && !drawn.contains("<img"),
            "{drawn}"
        );
    }

    #[test]
    fn a_language_that_is_none_is_left_out() {
        for (code, is) in [
            ("en", true),
            ("zh-hant", true),
            ("e", false),
            ("en\" onload=\"x", false),
            ("日本", false),
        ] {
            assert_eq!(lang(Some(code)).is_some(), is, "{code}");
        }
    }

    #[test]
    fn numbers_and_times_read_well() {
        assert_eq!(number(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(number(-12), "−12");
        assert_eq!(counted(1, "story", "stories"), "1 story");
        let now: DateTime<Utc> = "2026-11-28T12:00:00Z".parse().unwrap();
        assert_eq!(ago("2026-11-28T11:59:00Z".parse().unwrap(), now), "60 s ago");
        assert_eq!(ago("2026-11-25T12:00:00Z".parse().unwrap(), now), "3 days ago");
        assert_eq!(ago("2026-11-28T12:30:00Z".parse().unwrap(), now), "in 30 min");
        let day = published("2026-11-28T00:00:00Z".parse().unwrap(), None).into_string();
        assert!(day.contains(">2026-11-28<"), "{day}");
        let zoned = published(now, Some(-330)).into_string();
        assert!(zoned.contains("UTC−5:30"), "{zoned}");
        assert_eq!(beginning("東京都知事", 2), "東京…");
    }
}
