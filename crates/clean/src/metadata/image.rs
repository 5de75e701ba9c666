//! The lead image: what `<meta>` states, else JSON-LD, as an address, an object or a list of these.

use copydesk_article::{MetadataSource, Sourced};
use serde_json::{Map, Value};

use super::facts::Facts;
use super::json_ld::{Ids, is_article};
use crate::url::is_web_address;

/// `<meta>` names of the image, the surest first.
const METAS: [&str; 9] = [
    "og:image",
    "og:image:url",
    "og:image:secure_url",
    "twitter:image",
    "twitter:image:src",
    "twitter:image0",
    "image",
    "thumbnail",
    "parsely-image-url",
];

/// The image that the page states for its article, as it writes the address.
pub(super) fn lead_image(
    facts: &Facts,
    all: &[&Map<String, Value>],
    article: Option<&Map<String, Value>>,
    ids: &Ids<'_>,
) -> Option<Sourced<String>> {
    let metas = METAS.iter().flat_map(|name| {
        let named = facts.metas.iter().filter(move |(k, _)| k == name);
        named.map(|(_, v)| super::plain(v))
    });
    if let Some(image) = metas.into_iter().find(|v| is_address(v)) {
        return Some(Sourced::new(image, MetadataSource::Meta));
    }
    // Other articles are looked at where the page's own is not told: but then only if there is one.
    let mut articles = all.iter().copied().filter(|o| is_article(o));
    let only = articles.next().filter(|_| articles.next().is_none());
    let page = all.iter().copied().find(|o| o.contains_key("primaryImageOfPage"));
    let stated = article.into_iter().chain(only).chain(page);
    let image = stated
        .flat_map(|o| ["image", "thumbnailUrl", "primaryImageOfPage"].map(|key| o.get(key)))
        .flatten()
        .find_map(|value| address(value, ids, 0))?;
    Some(Sourced::new(image, MetadataSource::JsonLd))
}

/// Whether a text may be the address of an image: whole, or relative to the page's.
fn is_address(text: &str) -> bool {
    let relative = !text.contains(':') && text.contains(['/', '.']);
    is_web_address(text) || relative && !text.contains(char::is_whitespace)
}

/// The address of a JSON-LD image: a string, an object with one, a reference to such an object, or the first of a list.
fn address(value: &Value, ids: &Ids<'_>, depth: usize) -> Option<String> {
    if depth > 4 {
        return None;
    }
    match value {
        Value::String(s) => Some(s.trim().to_owned()).filter(|s| is_address(s)),
        Value::Array(a) => a.iter().find_map(|v| address(v, ids, depth + 1)),
        Value::Object(o) => ["url", "contentUrl", "thumbnailUrl"]
            .iter()
            .filter_map(|key| o.get(*key))
            .find_map(|v| address(v, ids, depth + 1))
            .or_else(|| {
                let other = ids
                    .get(o.get("@id")?.as_str()?)
                    .filter(|other| !std::ptr::eq(**other, o))?;
                ["url", "contentUrl"]
                    .iter()
                    .filter_map(|key| other.get(*key))
                    .find_map(|v| address(v, ids, depth + 1))
            }),
        _ => None,
    }
}
