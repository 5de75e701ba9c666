//! Other names that widespread tools use for the fields of an envelope.
//!
//! In: the fields of the contract as they were written, and all others. Out: where a field is missing, the
//! first of its other names that has a usable value. Names are compared without case and punctuation:
//! `publish_date`, `publishDate` and `publish-date` are one. A name of the list whose value cannot be used
//! stays an extra field, with a warning.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde_json::{Map, Value};

use crate::fields::{self, Fields};
use crate::nothing::is_nothing;
use crate::warnings::{ALIAS_UNUSABLE, BODY_IS_SUMMARY, Warnings};
use crate::{Limits, form};

/// Other names, the surest first. Those of newspaper4k, trafilatura, fundus, news-please, feedparser,
/// rss-parser, JSON Feed, NewsAPI, schema.org (Zyte, Diffbot) and of hand-written crawlers.
const TEXT: &[&str] = &[
    "text",
    "articleBody",
    "maintext",
    "plaintext",
    "content_text",
    "full_text",
    "article_text",
    "raw_text",
];
const HTML: &[&str] = &[
    "html",
    "content_html",
    "content:encoded",
    "article_html",
    "raw_html",
    "body_html",
    "page_html",
];
/// These hold markup with some producers and text with others.
const EITHER: &[&str] = &["body", "content", "article"];
/// What a feed gives away of an article, where it gives no more.
const SUMMARY: &[&str] = &["summary", "description", "contentSnippet", "excerpt"];
const TITLE: &[&str] = &["title", "headline", "title_text"];
const AUTHORS: &[&str] = &[
    "authors",
    "author",
    "creator",
    "dc:creator",
    "byline",
    "author_name",
];
const PUBLISHED: &[&str] = &[
    "published_at",
    "datePublished",
    "date_publish",
    "publish_date",
    "publishing_date",
    "published",
    "published_date",
    "published_on",
    "publish_time",
    "publication_date",
    "pubDate",
    "isoDate",
    "date",
];
const FETCHED: &[&str] = &[
    "fetched_at",
    "date_download",
    "crawled_at",
    "crawl_date",
    "scraped_at",
    "scrape_date",
    "downloaded_at",
    "retrieved_at",
    "fetch_time",
    "filedate",
];
const LANGUAGE: &[&str] = &["language", "inLanguage", "lang", "meta_lang", "language_code"];
const SITE: &[&str] = &["site", "source_domain", "hostname", "domain"];
/// Taken only if they are http or https addresses.
const URL: &[&str] = &[
    "url",
    "link",
    "permalink",
    "page_url",
    "article_url",
    "requested_url",
    "responded_url",
    "final_url",
    "response_url",
    "mainEntityOfPage",
    "canonical_link",
    "canonical_url",
    "source_url",
    "source",
    "uri",
    "guid",
    "@id",
    "id",
];

/// The fields that have other names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Text,
    Html,
    Either,
    Summary,
    Title,
    Authors,
    Published,
    Fetched,
    Language,
    Site,
    Url,
}

/// The longest name of the lists, folded.
const LONGEST: usize = 24;

/// Folded names, each with its field and its place in the list: one look for each extra field, and most have none.
static NAMES: LazyLock<HashMap<Folded, (Field, usize)>> = LazyLock::new(|| {
    let lists = [
        (Field::Text, TEXT),
        (Field::Html, HTML),
        (Field::Either, EITHER),
        (Field::Summary, SUMMARY),
        (Field::Title, TITLE),
        (Field::Authors, AUTHORS),
        (Field::Published, PUBLISHED),
        (Field::Fetched, FETCHED),
        (Field::Language, LANGUAGE),
        (Field::Site, SITE),
        (Field::Url, URL),
    ];
    let mut names = HashMap::new();
    for (field, list) in lists {
        for (rank, name) in list.iter().enumerate() {
            names.extend(fold(name).map(|folded| (folded, (field, rank))));
        }
    }
    names
});

/// The address of an article among the fields of its envelope, by whichever name.
pub fn address_of(fields: &Map<String, Value>) -> Option<String> {
    let named = fields.iter().filter_map(|(name, value)| {
        let (field, rank) = NAMES.get(&fold(name)?).copied()?;
        Some((rank, address(value).filter(|_| field == Field::Url)?))
    });
    named.min().map(|(_, address)| address)
}

/// What of an envelope may be filled.
pub(crate) struct Filled<'e> {
    pub(crate) fields: &'e mut Fields,
    pub(crate) html: &'e mut Option<String>,
    pub(crate) text: &'e mut Option<String>,
    pub(crate) extra: &'e mut Map<String, Value>,
}

impl Filled<'_> {
    /// Fills what is missing.
    pub(crate) fn take(self, limits: &Limits, warnings: &mut Warnings) {
        let Self {
            fields,
            html,
            text,
            extra,
        } = self;
        if extra.is_empty() {
            return;
        }
        let mut others = Others::of(extra, warnings);
        if others.named.is_empty() {
            return;
        }
        let missing = |s: &Option<String>| s.as_ref().is_none_or(|s| s.trim().is_empty() || is_nothing(s));
        if missing(&fields.url) {
            let found = others.take(Field::Url, address);
            fields.url = found.or(fields.url.take());
        }
        if missing(html) && missing(text) {
            body(&mut others, html, text);
        }
        if missing(&fields.title) {
            let found = others.take(Field::Title, string);
            fields.title = found.or(fields.title.take());
        }
        if fields.authors.iter().all(|a| a.trim().is_empty()) {
            let found = others.take(Field::Authors, |v| names(v, limits.max_authors + 1));
            fields.authors = found.unwrap_or_else(|| std::mem::take(&mut fields.authors));
        }
        let time = |v: &Value| fields::timestamp(only(v)).map(|_| only(v).clone());
        if no_time(fields.published_at.as_ref()) {
            let found = others.take(Field::Published, time);
            fields.published_at = found.or(fields.published_at.take());
        }
        if no_time(fields.fetched_at.as_ref()) {
            let found = others.take(Field::Fetched, time);
            fields.fetched_at = found.or(fields.fetched_at.take());
        }
        if missing(&fields.language) {
            let found = others.take(Field::Language, |v| {
                string(v).filter(|s| fields::is_language_tag(s))
            });
            fields.language = found.or(fields.language.take());
        }
        if missing(&fields.site) {
            let found = others.take(Field::Site, string);
            fields.site = found.or(fields.site.take());
        }
    }
}

fn body(others: &mut Others<'_>, html: &mut Option<String>, text: &mut Option<String>) {
    if let Some(page) = others.take(Field::Html, markup) {
        *html = Some(page);
        return;
    }
    if let Some(found) = others.take(Field::Text, paragraphs) {
        *text = Some(found);
        return;
    }
    let mut found = others.take(Field::Either, markup);
    if found.is_none() {
        found = others.take(Field::Summary, markup);
        if found.is_some() {
            others.warnings.add(BODY_IS_SUMMARY);
        }
    }
    match found {
        Some(body) if form::looks_like_html(body.as_bytes()) => *html = Some(body),
        found => *text = found.or(text.take()),
    }
}

/// The extra fields that have a name of the lists.
struct Others<'e> {
    extra: &'e mut Map<String, Value>,
    /// The surest names first.
    named: Vec<(usize, Field, String)>,
    warnings: &'e mut Warnings,
}

impl<'e> Others<'e> {
    fn of(extra: &'e mut Map<String, Value>, warnings: &'e mut Warnings) -> Self {
        let known = |name: &String| {
            let (field, rank) = NAMES.get(&fold(name)?).copied()?;
            Some((rank, field, name.clone()))
        };
        let mut named: Vec<_> = extra.keys().filter_map(known).collect();
        named.sort_by_key(|(rank, ..)| *rank);
        Self {
            extra,
            named,
            warnings,
        }
    }

    /// The first value of a field that can be used, which is taken out.
    fn take<T>(&mut self, field: Field, usable: impl Fn(&Value) -> Option<T>) -> Option<T> {
        let mut unusable = false;
        for (_, _, name) in self.named.iter().filter(|(_, f, _)| *f == field) {
            let Some(value) = self.extra.get(name) else {
                continue;
            };
            if let Some(found) = usable(value) {
                self.extra.remove(name);
                return Some(found);
            }
            unusable |= !is_empty(value);
        }
        // Most identifiers are no addresses, which is nothing to wonder about.
        if unusable && field != Field::Url {
            self.warnings.add(ALIAS_UNUSABLE);
        }
        None
    }
}

type Folded = [u8; LONGEST];

/// A name without case and punctuation. `None`: it is longer than any of the lists.
fn fold(name: &str) -> Option<Folded> {
    let mut folded = [0; LONGEST];
    let mut letters = name.bytes().filter(u8::is_ascii_alphanumeric);
    for (slot, letter) in folded.iter_mut().zip(&mut letters) {
        *slot = letter.to_ascii_lowercase();
    }
    letters.next().is_none().then_some(folded)
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(s) => s.trim().is_empty() || is_nothing(s),
        Value::Array(list) => list.is_empty(),
        Value::Object(object) => object.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Whether a field of time has nothing that can be read.
fn no_time(value: Option<&Value>) -> bool {
    value.is_none_or(is_empty)
}

/// The one element of a list of one: Scrapy's selectors make such lists.
fn only(value: &Value) -> &Value {
    match value.as_array().map(Vec::as_slice) {
        Some([one]) => one,
        _ => value,
    }
}

fn string(value: &Value) -> Option<String> {
    let text = only(value).as_str()?;
    (!text.trim().is_empty() && !is_nothing(text)).then(|| text.to_owned())
}

/// An address, or an object that has one as its `@id`.
fn address(value: &Value) -> Option<String> {
    let value = only(value);
    let text = value.as_str().or_else(|| value.get("@id")?.as_str())?.trim();
    let scheme = text.split_once("://").map(|(scheme, _)| scheme)?;
    let is_web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    is_web.then(|| text.to_owned())
}

/// A text, or a list of its paragraphs.
fn paragraphs(value: &Value) -> Option<String> {
    let Some(list) = value.as_array() else {
        return string(value);
    };
    let parts: Option<Vec<&str>> = list.iter().map(Value::as_str).collect();
    Some(parts?.join("\n\n")).filter(|t| !t.trim().is_empty())
}

/// Text or markup, or what feedparser makes of it: a list of objects with a `value`. Fundus' `html` has the
/// page as `content`.
fn markup(value: &Value) -> Option<String> {
    let of_object = |o: &Value| {
        let inner = o
            .get("value")
            .or_else(|| o.get("content"))
            .or_else(|| o.get("#text"));
        inner.and_then(string)
    };
    match value {
        Value::Array(list) if list.iter().any(Value::is_object) => list.iter().find_map(of_object),
        Value::Object(_) => of_object(value),
        _ => paragraphs(value),
    }
}

/// Names of authors: a string, an object with a name, or a list of these.
fn names(value: &Value, most: usize) -> Option<Vec<String>> {
    let one = |v: &Value| string(v).or_else(|| v.get("name").and_then(string));
    let found = match value {
        Value::String(_) => fields::split_authors(&string(value)?, most),
        Value::Array(list) => list.iter().filter_map(one).take(most).collect(),
        _ => one(value).into_iter().collect(),
    };
    (!found.is_empty()).then_some(found)
}
