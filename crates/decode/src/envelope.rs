//! The JSON envelope: one pass over the object, known fields into their places, unknown ones kept.
//!
//! The keys and their meaning are docs/messages.md; its JSON Schema is docs/message.schema.json. A test
//! holds the two and this file together.

use std::fmt;

use copydesk_article::{RawArticle, RawBody, Reason, Reject};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::fields::{self, Fields};
use crate::values::{AnyValue, Key, Notes, insert};
use crate::warnings::Warnings;
use crate::{Limits, form, json_error, reject};

/// Reads an envelope.
pub(crate) fn read(json: &str, limits: &Limits, warnings: &mut Warnings) -> Result<RawArticle, Reject> {
    let mut notes = Notes {
        warnings: &mut *warnings,
        limits,
        values: 0,
        refusal: None,
    };
    let mut parser = serde_json::Deserializer::from_str(json);
    let read = Object(&mut notes)
        .deserialize(&mut parser)
        .and_then(|e| parser.end().map(|()| e));
    let refusal = notes.refusal.take();
    let mut envelope = read.map_err(|error| match refusal {
        Some((reason, detail)) => reject(reason, detail),
        None => json_error::explain(&error, json),
    })?;
    if !envelope.extra.is_empty() {
        envelope.take_aliases(limits);
    }
    let body = envelope.body()?;
    let mut article = RawArticle::from_body(body);
    article.extra = envelope.extra;
    envelope.fields.fill(&mut article, limits, warnings);
    Ok(article)
}

/// The fields of an envelope as they were written.
#[derive(Default)]
struct Envelope {
    fields: Fields,
    html: Option<String>,
    text: Option<String>,
    extra: Map<String, Value>,
}

impl Envelope {
    /// Where a field is missing, another name for it that widespread tools use: schema.org (Zyte), news-please,
    /// trafilatura, RSS. A value of a wrong type is no alias and stays an extra field.
    fn take_aliases(&mut self, limits: &Limits) {
        let Self {
            fields,
            html,
            text,
            extra,
        } = self;
        let filled = |s: &Option<String>| s.as_ref().is_some_and(|s| !s.trim().is_empty());
        if !filled(html) && !filled(text) {
            *text = take_text(extra, &["articleBody", "maintext"]);
            if text.is_none() {
                // These two hold markup with some producers and text with others.
                match take_text(extra, &["body", "content"]) {
                    Some(body) if form::looks_like_html(body.as_bytes()) => *html = Some(body),
                    body => *text = body,
                }
            }
        }
        if fields.title.is_none() {
            fields.title = take_text(extra, &["headline"]);
        }
        if fields.authors.is_empty()
            && let Some(author) = take_text(extra, &["author"])
        {
            fields.authors = fields::split_authors(&author, limits.max_authors + 1);
        }
        if fields.published_at.is_none() {
            let names = ["datePublished", "date_publish", "published", "pubDate", "date"];
            fields.published_at = take(extra, &names, |v| fields::timestamp(v).is_some());
        }
        if fields.fetched_at.is_none() {
            fields.fetched_at = take(extra, &["date_download"], |v| fields::timestamp(v).is_some());
        }
        if fields.language.is_none() {
            let good = |v: &Value| v.as_str().is_some_and(fields::is_language_tag);
            fields.language = take(extra, &["inLanguage", "lang"], good).and_then(into_text);
        }
        if fields.site.is_none() {
            fields.site = take_text(extra, &["source_domain", "hostname"]);
        }
    }

    /// The one body.
    fn body(&mut self) -> Result<RawBody, Reject> {
        let filled = |s: Option<String>| s.filter(|s| !s.trim().is_empty());
        match (filled(self.html.take()), filled(self.text.take())) {
            (Some(html), None) => Ok(RawBody::Html(html)),
            (None, Some(text)) => Ok(RawBody::Text(text)),
            (Some(_), Some(_)) => Err(reject(
                Reason::AmbiguousBody,
                "both html and text are given: send the one that the article is to be read from",
            )),
            (None, None) if self.extra.contains_key("schema") && self.extra.contains_key("payload") => {
                Err(reject(
                    Reason::NoBody,
                    "the article is inside `payload`: set schemas.enable=false on Kafka Connect's JSON converter",
                ))
            }
            (None, None) => Err(reject(Reason::NoBody, "neither html nor text has anything in it")),
        }
    }
}

fn take(extra: &mut Map<String, Value>, names: &[&str], good: impl Fn(&Value) -> bool) -> Option<Value> {
    let name = names.iter().find(|n| extra.get(**n).is_some_and(&good))?;
    extra.remove(*name)
}

fn take_text(extra: &mut Map<String, Value>, names: &[&str]) -> Option<String> {
    take(extra, names, |v| v.as_str().is_some_and(|s| !s.trim().is_empty())).and_then(into_text)
}

fn into_text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        _ => None,
    }
}

/// Reads the object itself.
struct Object<'n, 'w>(&'n mut Notes<'w>);

impl<'de> DeserializeSeed<'de> for Object<'_, '_> {
    type Value = Envelope;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Envelope, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Object<'_, '_> {
    type Value = Envelope;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("one article as a JSON object")
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Envelope, E> {
        // Serde's own message would quote the string, which holds the article.
        Err(E::custom(
            "a JSON string instead of one article as a JSON object: it was encoded twice",
        ))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<Envelope, A::Error> {
        Err(A::Error::custom(
            "a JSON array instead of one article as a JSON object: send a record for each article",
        ))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Envelope, A::Error> {
        let mut envelope = Envelope::default();
        // A field that is given twice would silently lose one of its values.
        let mut seen = 0_u16;
        while let Some(key) = map.next_key_seed(Key)? {
            let fields = &mut envelope.fields;
            let bit = match &*key {
                "url" => text(&mut map, "url", &mut fields.url, 1)?,
                "html" => text(&mut map, "html", &mut envelope.html, 1 << 1)?,
                "text" => text(&mut map, "text", &mut envelope.text, 1 << 2)?,
                "title" => text(&mut map, "title", &mut fields.title, 1 << 3)?,
                "language" => text(&mut map, "language", &mut fields.language, 1 << 4)?,
                "site" => text(&mut map, "site", &mut fields.site, 1 << 5)?,
                "authors" => {
                    fields.authors = map.next_value_seed(Authors {
                        max: self.0.limits.max_authors + 1,
                        inner: false,
                    })?;
                    1 << 6
                }
                "published_at" => {
                    fields.published_at = map.next_value_seed(Time("published_at"))?;
                    1 << 7
                }
                "fetched_at" => {
                    fields.fetched_at = map.next_value_seed(Time("fetched_at"))?;
                    1 << 8
                }
                _ => {
                    let value = map.next_value_seed(AnyValue(&mut *self.0))?;
                    insert(&mut envelope.extra, key, value, self.0.warnings);
                    continue;
                }
            };
            if seen & bit != 0 {
                return Err(A::Error::custom(format_args!("the field {key} is given twice")));
            }
            seen |= bit;
        }
        Ok(envelope)
    }
}

fn text<'de, A: MapAccess<'de>>(
    map: &mut A,
    name: &'static str,
    slot: &mut Option<String>,
    bit: u16,
) -> Result<u16, A::Error> {
    *slot = map.next_value_seed(Text(name))?;
    Ok(bit)
}

/// A string or null, in the field of that name.
struct Text(&'static str);

impl<'de> DeserializeSeed<'de> for Text {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<String>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Text {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a string in the field {}", self.0)
    }

    fn visit_unit<E: Error>(self) -> Result<Option<String>, E> {
        Ok(None)
    }

    fn visit_str<E: Error>(self, v: &str) -> Result<Option<String>, E> {
        Ok(Some(v.to_owned()))
    }
}

/// A time in the field of that name: a string, a number, or null. Whether it can be read is seen later.
struct Time(&'static str);

impl<'de> DeserializeSeed<'de> for Time {
    type Value = Option<Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<Value>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Time {
    type Value = Option<Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a time, as a string or a number, in the field {}", self.0)
    }

    fn visit_unit<E: Error>(self) -> Result<Option<Value>, E> {
        Ok(None)
    }

    fn visit_str<E: Error>(self, v: &str) -> Result<Option<Value>, E> {
        Ok(Some(Value::String(v.to_owned())))
    }

    fn visit_i64<E: Error>(self, v: i64) -> Result<Option<Value>, E> {
        Ok(Some(v.into()))
    }

    fn visit_u64<E: Error>(self, v: u64) -> Result<Option<Value>, E> {
        Ok(Some(v.into()))
    }

    fn visit_f64<E: Error>(self, v: f64) -> Result<Option<Value>, E> {
        Ok(Some(v.into()))
    }
}

/// Authors: a string, an object with a name, or a list of these. Names after the first `max` are passed over.
struct Authors {
    max: usize,
    /// Whether this is one element of the list already.
    inner: bool,
}

impl<'de> DeserializeSeed<'de> for Authors {
    type Value = Vec<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<String>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Authors {
    type Value = Vec<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or a list of strings in the field authors")
    }

    fn visit_unit<E: Error>(self) -> Result<Vec<String>, E> {
        Ok(Vec::new())
    }

    fn visit_str<E: Error>(self, v: &str) -> Result<Vec<String>, E> {
        Ok(if self.inner {
            vec![v.to_owned()]
        } else {
            fields::split_authors(v, self.max)
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<String>, A::Error> {
        if self.inner {
            return Err(A::Error::custom("a list within the list in the field authors"));
        }
        let mut names = Vec::new();
        while names.len() < self.max {
            match seq.next_element_seed(Authors {
                max: self.max,
                inner: true,
            })? {
                Some(name) => names.extend(name.into_iter().filter(|n| !n.trim().is_empty())),
                None => return Ok(names),
            }
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(names)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<String>, A::Error> {
        let mut name = None;
        while let Some(key) = map.next_key_seed(Key)? {
            if key == "name" {
                name = map.next_value_seed(Text("authors.name"))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        match name {
            Some(name) => Ok(vec![name]),
            None => Err(A::Error::custom("an author without a name in the field authors")),
        }
    }
}
