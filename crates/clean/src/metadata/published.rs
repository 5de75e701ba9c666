//! When an article was published.
//!
//! Sources in fixed order, each nearly always right where it exists. A date of change is never taken.

use copydesk_article::{MetadataSource, Sourced, Timestamp};
use serde_json::{Map, Value};

use super::facts::Facts;
use super::json_ld::string;
use crate::dates::{Order, parse_date_as};
use crate::draft::Draft;
use crate::normalise::fold_phrase;

/// `<meta>` names of the time of publication, the surest first.
const METAS: &[&str] = &[
    "article:published_time",
    "article:published:time",
    "og:published_time",
    "og:article:published_time",
    "datepublished",
    "date",
    "pubdate",
    "publishdate",
    "publish-date",
    "publish_date",
    "published_date",
    "publication_date",
    "publication-date",
    "parsely-pub-date",
    "sailthru.date",
    "article.published",
    "article:publicationdate",
    "cxenseparse:recs:publishtime",
    "article_date_original",
    "originalpublicationdate",
    "shareaholic:article_published_time",
    "dc.date.issued",
    "dc.date",
    "dc:date",
    "dcterms.created",
    "dcterms.date",
    "dcterms.issued",
    "citation_publication_date",
    "citation_date",
    "creation_date",
    "date_published",
    "rnews:datepublished",
    "buildtime",
    "displaydate",
    "pub_date",
    "datecreated",
];

/// Words that say that a date is one of a change.
const CHANGE: &[&str] = &[
    "updated",
    "modified",
    "update",
    "last-modified",
    "aktualisiert",
    "geändert",
    "mis à jour",
    "actualizado",
    "atualizado",
    "aggiornato",
    "bijgewerkt",
    "oppdatert",
    "uppdaterad",
    "opdateret",
    "zaktualizowano",
    "обновлено",
    "оновлено",
    "aktualizováno",
    "güncelleme",
    "diperbarui",
    "cập nhật",
    "ενημερώθηκε",
];

/// Keys of scripts' data that hold the time of publication.
const SCRIPT_KEYS: &[&str] = &[
    "datePublished",
    "date_published",
    "publishedDate",
    "published_date",
    "publishedAt",
    "published_at",
    "publishDate",
    "publish_date",
    "publishedFirst",
    "firstPublicationDate",
    "first-publication",
    "first_publication",
    "publicationDate",
    "publication_date",
    "article_publication_date",
    "articlePublicationDate",
    "pubDate",
    "pub_date",
    "pubdate",
    "publishTime",
    "publish_time",
    "dc:date",
    "yyyy-mm-dd hh:mm:ss",
    "yyyy-mm-dd",
    "originalPubDate",
    "dateCreated",
];

/// What the parts of the page that are made for machines say.
pub(crate) fn stated(
    facts: &Facts,
    article: Option<&Map<String, Value>>,
    order: Order,
) -> Option<Sourced<Timestamp>> {
    let ld = article
        .and_then(|a| string(a, "datePublished").or_else(|| string(a, "dateCreated")))
        .and_then(|d| parse_date_as(d, order));
    if let Some(t) = ld {
        return Some(Sourced::new(t, MetadataSource::JsonLd));
    }
    let by_meta = METAS.iter().find_map(|name| {
        facts
            .metas
            .iter()
            .filter(|(k, _)| k == name)
            .find_map(|(_, v)| parse_date_as(v, order))
    });
    if let Some(t) = by_meta {
        return Some(Sourced::new(t, MetadataSource::Meta));
    }
    let item = facts
        .items
        .iter()
        .filter(|(k, _)| k.split(' ').any(|k| k == "datepublished"))
        .find_map(|(_, v)| parse_date_as(v, order));
    item.map(|t| Sourced::new(t, MetadataSource::Microdata))
}

/// What readers see: a `<time>` element or a line with a date near the headline. `near` are the blocks around
/// it, `from..to` their positions.
pub(crate) fn shown(
    facts: &Facts,
    near: &[&Draft],
    from: usize,
    to: usize,
    order: Order,
) -> Option<Sourced<Timestamp>> {
    let time = |inside: bool, marked: bool| {
        facts
            .times
            .iter()
            .filter(|t| !inside || (from..=to).contains(&t.at))
            .filter(|t| !is_change(&t.names) && (!marked || t.names.contains("publi")))
            .find_map(|t| parse_date_as(&t.value, order))
    };
    if let Some(t) = time(true, true).or_else(|| time(true, false)) {
        return Some(Sourced::new(t, MetadataSource::TimeElement));
    }
    for draft in near {
        if draft.words <= 18 && draft.chars <= 140 && !is_change(&draft.text) {
            if let Some(t) = parse_date_as(&draft.text, order) {
                return Some(Sourced::new(t, MetadataSource::Element));
            }
        } else if let Some((before, _)) = draft.text.split_once(['|', '•', '·'])
            && draft.chars <= 200
            && let Some(t) = parse_date_as(before, order)
        {
            return Some(Sourced::new(t, MetadataSource::Element));
        }
    }
    time(false, false).map(|t| Sourced::new(t, MetadataSource::TimeElement))
}

/// A time stated in UTC, beside the day that readers are shown: where the two are neighbouring days, the page
/// is of another zone. The instant stays; its offset becomes the smallest in whole hours that gives the shown
/// day.
pub(crate) fn with_shown_day(stated: Timestamp, shown: Option<Timestamp>) -> Timestamp {
    let (Timestamp::Zoned(instant), Some(shown)) = (stated, shown) else {
        return stated;
    };
    if instant.offset().local_minus_utc() != 0 {
        return stated;
    }
    let days = (shown.local_day() - instant.date_naive()).num_days();
    let hour = i32::try_from(chrono::Timelike::hour(&instant)).unwrap_or(0);
    let hours = match days {
        -1 if hour <= 11 => -(hour + 1),
        1 if hour >= 10 => 24 - hour,
        _ => return stated,
    };
    chrono::FixedOffset::east_opt(hours * 3_600)
        .map_or(stated, |zone| Timestamp::Zoned(instant.with_timezone(&zone)))
}

fn is_change(text: &str) -> bool {
    let folded = fold_phrase(text);
    CHANGE.iter().any(|w| folded.contains(w)) && !folded.contains("publi")
}

/// The last resorts: data in scripts, and the address.
pub(crate) fn hidden(html: &str, url: Option<&str>, order: Order) -> Option<Sourced<Timestamp>> {
    for name in SCRIPT_KEYS {
        for (at, _) in html.match_indices(name).take(4) {
            if let Some(t) = value_after(html, at + name.len()).and_then(|v| parse_date_as(v, order)) {
                return Some(Sourced::new(t, MetadataSource::Engine));
            }
        }
    }
    url.and_then(in_path)
        .map(|t| Sourced::new(t, MetadataSource::Url))
}

/// The quoted value that follows a key: `"key": "value"`, `key = 'value'`, `key="value"`.
fn value_after(html: &str, at: usize) -> Option<&str> {
    let rest = html.get(at..)?;
    let rest = rest.trim_start_matches(['"', '\'', '\\', ' ']);
    let rest = rest.strip_prefix([':', '='])?;
    let rest = rest.trim_start_matches([' ', '\n', '\t', '\\']);
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let rest = rest.get(1..)?;
    let end = rest.find(quote).filter(|e| (8..=50).contains(e))?;
    rest.get(..end).map(|v| v.trim_end_matches('\\'))
}

/// A date in the path of an address: `/2026/03/20/` or `/20260320/`.
pub(crate) fn in_path(url: &str) -> Option<Timestamp> {
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
fn in_number(part: &str) -> Option<Timestamp> {
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
    fn the_shown_day_tells_the_zone() {
        let time = |t: &str| parse_date_as(t, Order::DayFirst).unwrap();
        let zoned = with_shown_day(time("2026-03-21T03:10:00Z"), Some(time("2026-03-20")));
        assert_eq!(zoned.local_day().to_string(), "2026-03-20");
        assert_eq!(zoned.instant(), time("2026-03-21T03:10:00Z").instant());
        for other in ["2026-03-21", "2026-03-14"] {
            assert_eq!(
                with_shown_day(time("2026-03-21T03:10:00Z"), Some(time(other))).offset_minutes(),
                Some(0)
            );
        }
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
    fn scripts_hold_dates() {
        let found = |html: &str| day(hidden(html, None, Order::DayFirst).map(|t| t.value));
        assert_eq!(
            found(r#"var d = {"datePublished" : "2026-03-20T18:05:00Z"};"#),
            "2026-03-20"
        );
        assert_eq!(found("var publication_date = '20.03.2026 18:05';"), "2026-03-20");
        assert_eq!(
            found(r#"{\"publishedAt\":\"2026-03-20T01:00:00Z\"}"#),
            "2026-03-20"
        );
        assert_eq!(found("datePublished is missing"), "");
    }
}
