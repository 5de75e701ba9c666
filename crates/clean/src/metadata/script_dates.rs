//! The time of publication in the data of a page's scripts.
//!
//! Scripts hold other stories as well: what stands in an object that has another title or address is theirs, and where a
//! key gives several days none of them is taken.

use copydesk_article::{MetadataSource, Sourced, Timestamp};

use super::title_parts::shared;
use crate::dates::{Order, parse_date_as};

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

/// An object of a script is looked through for so many bytes to either side.
const REACH: usize = 1_500;
/// Occurrences of a key that are looked at.
const MOST: usize = 12;

/// The date that the scripts of a page give for its article. `shown` is the day in its address.
pub(super) fn find(
    html: &str,
    url: Option<&str>,
    title: Option<&str>,
    shown: Option<Timestamp>,
    order: Order,
) -> Option<Sourced<Timestamp>> {
    for name in SCRIPT_KEYS {
        let mut days: Vec<Timestamp> = Vec::new();
        for (at, _) in html.match_indices(name).take(MOST) {
            let value = value_after(html, at + name.len()).and_then(|v| parse_date_as(v, order));
            let Some(t) = value.filter(|_| !is_of_another(html, at, url, title)) else {
                continue;
            };
            if !days.iter().any(|d| d.local_day() == t.local_day()) {
                days.push(t);
            }
        }
        if let Some(shown) = shown {
            // Of several the one that the address has, or its neighbour in another zone.
            let near = |t: &&Timestamp| (t.local_day() - shown.local_day()).num_days().abs() <= 1;
            if let Some(t) = days.iter().find(near) {
                return Some(Sourced::new(*t, MetadataSource::Engine));
            }
        } else if let [t] = days.as_slice() {
            return Some(Sourced::new(*t, MetadataSource::Engine));
        }
    }
    of_own_entry(html, url?, order)
}

/// The plain "date" of the object that has the end of the page's address as its own: as systems for sites store an entry.
fn of_own_entry(html: &str, url: &str, order: Order) -> Option<Sourced<Timestamp>> {
    const DATE: &str = "\"date\"";
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let end = path.rsplit('/').find(|s| !s.is_empty())?;
    let mut days = html.match_indices(DATE).take(MOST).filter_map(|(at, _)| {
        let value = value_after(html, at + DATE.len()).and_then(|v| parse_date_as(v, order))?;
        let object = without_nested(object_around(html, at));
        (string_of(&object, "slug") == Some(end)).then_some(value)
    });
    let first = days.next()?;
    let same = days.all(|t| t.local_day() == first.local_day());
    same.then(|| Sourced::new(first, MetadataSource::Engine))
}

/// Whether the object around a place has a title or an address that is not the page's.
fn is_of_another(html: &str, at: usize, url: Option<&str>, title: Option<&str>) -> bool {
    let object = without_nested(object_around(html, at));
    let object = object.as_str();
    if let Some(title) = title {
        let named = ["title", "headline", "name"]
            .iter()
            .find_map(|k| string_of(object, k));
        let titled = ["title", "headline"].iter().find_map(|k| string_of(object, k));
        let is_other = |n: &str| shared(n, title) < 0.34;
        if named.is_some_and(|n| n.chars().count() >= 12 && is_other(n))
            || titled.is_some_and(|n| n.chars().count() >= 4 && is_other(n))
        {
            return true;
        }
    }
    let own = url
        .and_then(|u| u.split_once("://"))
        .map(|(_, rest)| rest.trim_end_matches('/'));
    let linked = ["url", "link", "href", "canonical", "path"]
        .iter()
        .find_map(|k| string_of(object, k));
    match (own, linked) {
        (Some(own), Some(linked)) if linked.contains('/') && linked.len() > 12 => {
            let end = linked.rsplit('/').find(|s| !s.is_empty()).unwrap_or_default();
            !end.is_empty() && !own.contains(end.split(['?', '#']).next().unwrap_or(end))
        }
        _ => false,
    }
}

/// The text of the innermost object around a place, as far as it reaches.
fn object_around(html: &str, at: usize) -> &str {
    let bytes = html.as_bytes();
    let mut depth = 0_u32;
    let mut from = at;
    for i in (at.saturating_sub(REACH)..at).rev() {
        match bytes.get(i) {
            Some(b'}') => depth += 1,
            Some(b'{') if depth == 0 => break,
            Some(b'{') => depth -= 1,
            Some(b'<' | b'>') => break,
            _ => {}
        }
        from = i;
    }
    let (mut depth, mut to) = (0_u32, at);
    for i in at..(at + REACH).min(html.len()) {
        match bytes.get(i) {
            Some(b'{') => depth += 1,
            Some(b'}') if depth == 0 => break,
            Some(b'}') => depth -= 1,
            Some(b'<' | b'>') => break,
            _ => {}
        }
        to = i;
    }
    let up = |mut i: usize| {
        while !html.is_char_boundary(i) {
            i += 1;
        }
        i
    };
    html.get(up(from)..up(to)).unwrap_or_default()
}

/// An object without what is nested in it.
fn without_nested(object: &str) -> String {
    let mut depth = 0_u32;
    let own = object.chars().filter(|c| {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => return depth == 0,
        }
        false
    });
    own.collect()
}

/// The value of a key of an object.
fn string_of<'h>(object: &'h str, name: &str) -> Option<&'h str> {
    object.match_indices(name).find_map(|(at, _)| {
        let before = object.get(..at)?.chars().next_back()?;
        let quoted = matches!(before, '"' | '\'' | '{' | ',' | ' ' | ';');
        quoted.then(|| quoted_after(object, at + name.len(), 1..=400))?
    })
}

/// The quoted date that follows a key: `"key": "value"`, `key = 'value'`, `key="value"`.
fn value_after(html: &str, at: usize) -> Option<&str> {
    quoted_after(html, at, 8..=50)
}

/// The quote of data that stands in an attribute.
const QUOTE: &str = "&quot;";

fn quoted_after(html: &str, at: usize, lengths: std::ops::RangeInclusive<usize>) -> Option<&str> {
    let rest = html.get(at..)?;
    if let Some(escaped) = rest.strip_prefix(QUOTE) {
        let value = escaped
            .trim_start()
            .strip_prefix(':')?
            .trim_start()
            .strip_prefix(QUOTE)?;
        let end = value.find(QUOTE).filter(|e| lengths.contains(e))?;
        return value.get(..end);
    }
    let rest = rest.trim_start_matches(['"', '\'', '\\', ' ']);
    let rest = rest.strip_prefix([':', '='])?;
    let rest = rest.trim_start_matches([' ', '\n', '\t', '\\']);
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let rest = rest.get(1..)?;
    let end = rest.find(quote).filter(|e| lengths.contains(e))?;
    rest.get(..end).map(|v| v.trim_end_matches('\\'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(html: &str) -> String {
        let title = Some("Harbour reopens after storm");
        let url = Some("https://news.example/sea/harbour-reopens");
        find(html, url, title, None, Order::DayFirst)
            .map_or(String::new(), |t| t.value.local_day().to_string())
    }

    #[test]
    fn scripts_hold_dates() {
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

    #[test]
    fn an_entry_is_known_by_the_end_of_the_address() {
        assert_eq!(
            found(r#"{"slug":"harbour-reopens","title":"A harbour","date":"2026-03-20T18:05:00"}"#),
            "2026-03-20"
        );
        assert_eq!(
            found(r#"{"slug":"tram-strike","date":"2026-04-02T10:00:00"}"#),
            ""
        );
        assert_eq!(found(r#"{"date":"2026-04-02T10:00:00"}"#), "");
    }

    #[test]
    fn dates_of_other_stories_are_left() {
        assert_eq!(
            found(r#"{"title":"Tram strike enters second day","publishedAt":"2026-04-02T10:00:00Z"}"#),
            ""
        );
        assert_eq!(
            found(r#"{"url":"/city/tram-strike","publishedAt":"2026-04-02T10:00:00Z"}"#),
            ""
        );
        assert_eq!(
            found(
                r#"[{"title":"Harbour reopens after storm","publishedAt":"2026-03-20"},{"title":"Tram strike goes on","publishedAt":"2026-04-02"}]"#
            ),
            "2026-03-20"
        );
        assert_eq!(
            found(r#"[{"publishedAt":"2026-03-20"},{"publishedAt":"2026-04-02"}]"#),
            ""
        );
    }
}
