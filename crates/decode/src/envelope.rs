//! The JSON envelope: one pass over the object, known fields into their places, unknown ones kept.
//!
//! The keys and their meaning are docs/messages.md; its JSON Schema is docs/message.schema.json. A test
//! holds the two and this file together.

use std::fmt;

use chrono::{DateTime, Utc};
use copydesk_article::{RawArticle, RawBody, Reason, Reject};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::aliases::Filled;
use crate::fields::Fields;
use crate::known_values::{Authors, Text, Time};
use crate::values::{AnyValue, Key, Notes, insert};
use crate::warnings::{NULL_TEXT, UNWRAPPED, Warnings};
use crate::{Limits, json_error, nothing, reject, tombstone};

/// What an envelope holds.
pub(crate) enum Enveloped {
    Article(Box<RawArticle>),
    /// It says that its article was deleted. With the address, if it has one.
    Deleted(Option<String>),
}

/// Reads an envelope. `sent_at`: the message's own time.
pub(crate) fn read(
    json: &str,
    sent_at: Option<DateTime<Utc>>,
    limits: &Limits,
    warnings: &mut Warnings,
) -> Result<Enveloped, Reject> {
    read_once(json, sent_at, limits, warnings, false)
}

/// `unwrapped`: it was inside another one, and nothing more is looked for in it.
fn read_once(
    json: &str,
    sent_at: Option<DateTime<Utc>>,
    limits: &Limits,
    warnings: &mut Warnings,
    unwrapped: bool,
) -> Result<Enveloped, Reject> {
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
    if !unwrapped && let Some(inner) = envelope.inside() {
        warnings.add(UNWRAPPED);
        return read_once(&inner, sent_at, limits, warnings, true);
    }
    let filled = Filled {
        fields: &mut envelope.fields,
        html: &mut envelope.html,
        text: &mut envelope.text,
        extra: &mut envelope.extra,
    };
    filled.take(limits, warnings);
    if tombstone::is_deleted(&envelope.extra) {
        return Ok(Enveloped::Deleted(envelope.fields.url));
    }
    let body = envelope.body(warnings)?;
    let mut article = RawArticle::from_body(body);
    article.extra = envelope.extra;
    article.sent_at = sent_at;
    envelope.fields.fill(&mut article, limits, warnings);
    Ok(Enveloped::Article(Box::new(article)))
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
    /// The article inside of what Kafka Connect's JSON converter writes with schemas.enable.
    fn inside(&self) -> Option<String> {
        let has_body = self.html.is_some() || self.text.is_some();
        let payload = self.extra.get("payload")?;
        let wraps = self.extra.contains_key("schema") && payload.is_object() && !has_body;
        wraps.then(|| payload.to_string())
    }

    /// The one body.
    fn body(&mut self, warnings: &mut Warnings) -> Result<RawBody, Reject> {
        let mut word = None;
        let mut filled = |s: Option<String>| {
            let s = s.filter(|s| !s.trim().is_empty())?;
            if let Some(nothing) = nothing::named(s.as_bytes()) {
                word = Some(nothing.to_owned());
                return None;
            }
            Some(s)
        };
        let bodies = (filled(self.html.take()), filled(self.text.take()));
        match (&bodies, word) {
            ((Some(_), None) | (None, Some(_)), Some(_)) => warnings.add(NULL_TEXT),
            ((None, None), Some(word)) => {
                let detail =
                    format!("the body is {word}, which a program writes for a value that it does not have");
                return Err(reject(Reason::NullText, detail));
            }
            _ => {}
        }
        match bodies {
            (Some(html), None) => Ok(RawBody::Html(html)),
            (None, Some(text)) => Ok(RawBody::Text(text)),
            (Some(_), Some(_)) => Err(reject(
                Reason::AmbiguousBody,
                "both html and text are given: send the one that the article is to be read from",
            )),
            (None, None) => Err(reject(Reason::NoBody, "neither html nor text has anything in it")),
        }
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
