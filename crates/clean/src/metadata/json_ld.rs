//! JSON-LD: schema.org's article in a page's scripts.

use std::collections::HashMap;

use copydesk_article::Timestamp;
use serde_json::{Map, Value};

use crate::dates::{Order, parse_stated};

/// The most memory that a page's JSON may take once it is read, in bytes: what is over it is not read.
pub(crate) const MOST_MEMORY: usize = 32 << 20;

/// JSON-LD objects by their `@id`.
pub(crate) type Ids<'v> = HashMap<&'v str, &'v Map<String, Value>>;

/// The objects that say more than their `@id`.
pub(crate) fn ids<'v>(all: &[&'v Map<String, Value>]) -> Ids<'v> {
    let with_id = |o: &&'v Map<String, Value>| Some((o.get("@id")?.as_str()?, *o));
    all.iter().filter(|o| o.len() > 1).filter_map(with_id).collect()
}

/// What a text takes once it is read as JSON, in bytes, by its brackets and commas: an object of one field has room for
/// eleven, an array of one value for four. Those within strings count as well.
pub(crate) fn memory_of(text: &str) -> usize {
    let of = |b: u8| match b {
        b'{' => 640,
        b'[' => 160,
        b',' => 32,
        _ => 1,
    };
    text.bytes().map(of).sum()
}

/// Reads a script. Broken JSON is mended in the ways that pages break it: raw line breaks within strings,
/// comments of CDATA around it, a comma too many.
pub(crate) fn parse(text: &str) -> Option<Value> {
    let text = text
        .trim()
        .trim_start_matches("<!--")
        .trim_start_matches("//<![CDATA[")
        .trim_start_matches("<![CDATA[");
    let text = text
        .trim_end()
        .trim_end_matches("-->")
        .trim_end_matches("//]]>")
        .trim_end_matches("]]>")
        .trim()
        .trim_end_matches(';');
    if let Ok(value) = serde_json::from_str(text) {
        return Some(value);
    }
    let mut mended = String::with_capacity(text.len());
    let mut in_string = false;
    let mut escaped = false;
    for c in text.chars() {
        if in_string && c < ' ' {
            mended.push(' ');
            escaped = false;
            continue;
        }
        if !in_string && matches!(c, '}' | ']') {
            let kept = mended.trim_end();
            if let Some(before) = kept.strip_suffix(',') {
                mended.truncate(before.len());
            }
        }
        if c == '"' && !escaped {
            in_string = !in_string;
        }
        escaped = c == '\\' && !escaped;
        mended.push(c);
    }
    serde_json::from_str(&mended).ok()
}

/// Every object in a value, outer before inner, down to a depth at which nobody nests articles.
pub(crate) fn objects<'v>(value: &'v Value, out: &mut Vec<&'v Map<String, Value>>, depth: usize) {
    if depth > 6 || out.len() > 400 {
        return;
    }
    match value {
        Value::Array(values) => {
            for v in values {
                objects(v, out, depth + 1);
            }
        }
        Value::Object(map) => {
            out.push(map);
            for key in [
                "@graph",
                "mainEntity",
                "mainEntityOfPage",
                "hasPart",
                "liveBlogUpdate",
                "itemListElement",
                "item",
            ] {
                if let Some(v) = map.get(key) {
                    objects(v, out, depth + 1);
                }
            }
        }
        _ => {}
    }
}

/// Whether an object's type is an article's.
pub(crate) fn is_article(map: &Map<String, Value>) -> bool {
    types(map).any(|t| {
        t.ends_with("Article")
            || t.ends_with("BlogPosting")
            || t.ends_with("Report")
            || t.ends_with("ReportageNewsArticle")
            || t == "Review"
    })
}

/// Whether an object says that it is news.
pub(crate) fn is_news(map: &Map<String, Value>) -> bool {
    types(map).any(|t| t.contains("News") || t.contains("Reportage"))
}

/// The types of an object.
pub(crate) fn types(map: &Map<String, Value>) -> impl Iterator<Item = &str> {
    let (one, many) = match map.get("@type") {
        Some(Value::String(s)) => (Some(s.as_str()), None),
        Some(Value::Array(a)) => (None, Some(a.iter().filter_map(Value::as_str))),
        _ => (None, None),
    };
    one.into_iter().chain(many.into_iter().flatten())
}

/// A property that is a date: a string, or a number of digits or of seconds.
pub(crate) fn date(map: &Map<String, Value>, key: &str, order: Order) -> Option<Timestamp> {
    match map.get(key) {
        Some(Value::Number(n)) => parse_stated(&n.to_string(), order),
        _ => parse_stated(string(map, key)?, order),
    }
}

/// A string property; of a list the first.
pub(crate) fn string<'v>(map: &'v Map<String, Value>, key: &str) -> Option<&'v str> {
    match map.get(key)? {
        Value::String(s) => Some(s.as_str()).filter(|s| !s.trim().is_empty()),
        Value::Array(a) => a.first().and_then(Value::as_str).filter(|s| !s.trim().is_empty()),
        Value::Object(o) => o.get("@value").or_else(|| o.get("name")).and_then(Value::as_str),
        _ => None,
    }
}
