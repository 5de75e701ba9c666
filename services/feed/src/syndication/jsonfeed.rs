//! JSON Feed, <https://www.jsonfeed.org/version/1.1/>.

use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::item::{Body, Item};
use super::unreadable;
use super::xml::Channel;
use crate::outgoing::{Origin, Step};

/// How every version of it is called.
const VERSION: &str = "jsonfeed.org/version/";

#[derive(Deserialize)]
struct Feed {
    version: Option<Value>,
    items: Option<Vec<Value>>,
    home_page_url: Option<Value>,
    feed_url: Option<Value>,
    language: Option<Value>,
}

/// Whether a JSON object is a JSON Feed.
pub(crate) fn is_feed(json: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Glance {
        version: Option<String>,
        items: Option<serde::de::IgnoredAny>,
    }
    let glance = serde_json::from_slice::<Glance>(json);
    glance.is_ok_and(|g| g.items.is_some() && g.version.is_some_and(|v| v.contains(VERSION)))
}

/// Whether a document begins like a JSON Feed: it names its version before its items.
pub(crate) fn begins_like_one(start: &[u8]) -> bool {
    let start = String::from_utf8_lossy(start.get(..start.len().min(1024)).unwrap_or_default());
    let Some((before, after)) = start.split_once("\"version\"") else {
        return false;
    };
    let value = after.trim_start().strip_prefix(':').map(str::trim_start);
    let named = value
        .and_then(|v| v.get(..60.min(v.len())))
        .is_some_and(|v| v.contains(VERSION));
    start.trim_start_matches('\u{feff}').trim_start().starts_with('{')
        && !before.contains("\"items\"")
        && named
}

/// The steps of a document.
pub(super) fn steps(document: &str, base: Option<&Url>, origin: &Origin, max: usize) -> Vec<Step> {
    let feed: Feed = match serde_json::from_str(document) {
        Ok(feed) => feed,
        Err(e) => return vec![unreadable(origin.clone(), format!("no JSON Feed: {e}"))],
    };
    let text = |value: Option<Value>| value.and_then(|v| v.as_str().map(str::to_owned));
    let is_named = feed
        .version
        .is_none_or(|v| v.as_str().is_some_and(|v| v.contains(VERSION)));
    let Some(items) = feed.items.filter(|_| is_named) else {
        let why = "no JSON Feed: its version or its items are missing";
        return vec![unreadable(origin.clone(), why.into())];
    };
    let page = [feed.home_page_url, feed.feed_url].into_iter().find_map(text);
    let channel = Channel {
        base: base.cloned().or_else(|| Url::parse(&page?).ok()),
        language: text(feed.language),
        ..Channel::default()
    };
    let step = |(number, value): (usize, Value)| {
        let origin = Origin {
            line: Some(number as u64 + 1),
            ..origin.clone()
        };
        match value {
            Value::Object(fields) => item(&fields, &channel).into_step(origin, max),
            _ => Step::Refused {
                origin,
                why: "an item of the feed is no object".into(),
            },
        }
    };
    items.into_iter().enumerate().map(step).collect()
}

fn item(fields: &serde_json::Map<String, Value>, channel: &Channel) -> Item {
    let text = |name: &str| {
        let value = fields.get(name)?.as_str()?;
        (!value.trim().is_empty()).then(|| value.to_owned())
    };
    // Version 1 let numbers pass for identifiers.
    let id = text("id").or_else(|| fields.get("id").filter(|v| v.is_number()).map(Value::to_string));
    let link = text("url").or_else(|| text("external_url"));
    let is_address = |id: &&String| id.starts_with("http://") || id.starts_with("https://");
    let url = link
        .as_ref()
        .or_else(|| id.as_ref().filter(is_address))
        .and_then(|l| channel.resolve(l));
    let one = fields.get("author").into_iter();
    let many = fields
        .get("authors")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let name = |person: &Value| {
        person
            .get("name")
            .or(Some(person))
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let mut authors: Vec<String> = many.filter_map(name).collect();
    if authors.is_empty() {
        authors = one.filter_map(name).collect();
    }
    Item {
        url,
        link,
        title: text("title"),
        id,
        dates: ["date_published", "date_modified"]
            .into_iter()
            .filter_map(text)
            .collect(),
        authors,
        language: text("language").or_else(|| channel.language.clone()),
        content: text("content_html")
            .map(Body::Html)
            .or_else(|| text("content_text").map(Body::Text)),
        summary: text("summary"),
        notes: Vec::new(),
    }
}
