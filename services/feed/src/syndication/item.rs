//! One entry of a feed, whatever kind of feed: what it says, and the record that it becomes.

use chrono::SecondsFormat;
use copydesk_article::Timestamp;
use copydesk_decode::{WrittenDate, parse_timestamp, read_written_date};
use serde_json::{Map, Value};
use url::Url;

use super::plain::plain;
use crate::key::{self, Address};
use crate::outgoing::{Note, Origin, Outgoing, Step};

/// Why an entry is passed over.
pub(super) const NO_BODY: &str = "feed entries without content or summary";

/// An article as a feed has it.
#[derive(Debug)]
pub(super) enum Body {
    Html(String),
    Text(String),
}

/// What an entry says.
#[derive(Debug, Default)]
pub(super) struct Item {
    pub(super) url: Option<Url>,
    /// The link as it stands, where no address came of it.
    pub(super) link: Option<String>,
    pub(super) title: Option<String>,
    pub(super) id: Option<String>,
    /// The best first.
    pub(super) dates: Vec<String>,
    pub(super) authors: Vec<String>,
    pub(super) language: Option<String>,
    pub(super) content: Option<Body>,
    /// As HTML or text.
    pub(super) summary: Option<String>,
    /// What of the entry is not sent.
    pub(super) notes: Vec<Note>,
}

impl Item {
    /// The record; an envelope of more than `max` bytes is refused.
    pub(super) fn into_step(mut self, origin: Origin, max: usize) -> Step {
        let mut notes = std::mem::take(&mut self.notes);
        let url = self.url.clone();
        if let Some(link) = self.link.as_ref().filter(|_| url.is_none()) {
            notes.push(Note {
                kind: "the link is no address: give --base-url if it is relative",
                detail: link.clone(),
            });
        }
        let Some(envelope) = self.into_envelope(&mut notes) else {
            return Step::PassedOver(NO_BODY);
        };
        let payload = envelope.to_string().into_bytes();
        if payload.len() > max {
            return Step::Refused {
                origin,
                why: format!("over the limit of {max} bytes"),
            };
        }
        Step::Article(Outgoing {
            key: url.as_ref().and_then(key::of_url),
            payload,
            headers: Vec::new(),
            origin,
            odd: false,
            address: if url.is_some() {
                Address::Known
            } else {
                Address::Missing
            },
            notes,
        })
    }

    /// The envelope; `None` where there is no body.
    fn into_envelope(self, notes: &mut Vec<Note>) -> Option<Value> {
        let mut envelope = Map::new();
        let mut put = |name: &str, value: Option<String>| {
            if let Some(value) = value.map(|v| v.trim().to_owned()).filter(|v| !v.is_empty()) {
                envelope.insert(name.to_owned(), Value::String(value));
            }
        };
        let (published, as_it_stood) = published(&self.dates, notes);
        if self.url.is_none() {
            put("feed_link", self.link);
        }
        put("url", self.url.map(String::from));
        put("title", self.title);
        put("published_at", published);
        put("feed_date", as_it_stood);
        put("language", self.language);
        put("feed_id", self.id);
        match self.content {
            Some(Body::Html(html)) if html.contains('<') => put("html", Some(html)),
            Some(Body::Html(text)) => put("text", Some(text_of(&text))),
            Some(Body::Text(text)) => put("text", Some(text)),
            None => {
                put("text", self.summary.map(|s| text_of(&s)));
                put("feed_body", Some("summary".into()));
            }
        }
        let authors: Vec<Value> = self.authors.into_iter().map(Value::String).collect();
        if !authors.is_empty() {
            envelope.insert("authors".into(), Value::Array(authors));
        }
        let has_body = envelope.contains_key("html") || envelope.contains_key("text");
        has_body.then_some(Value::Object(envelope))
    }
}

/// The text of a fragment of HTML; where it has no tags, blank lines part its paragraphs.
fn text_of(fragment: &str) -> String {
    if fragment.contains('<') {
        return plain(fragment);
    }
    let unix = fragment.replace("\r\n", "\n");
    let paragraphs = unix.split("\n\n").map(plain).filter(|p| !p.is_empty());
    paragraphs.collect::<Vec<_>>().join("\n\n")
}

/// The date of publication, and the text that it was made from where that says more.
fn published(dates: &[String], notes: &mut Vec<Note>) -> (Option<String>, Option<String>) {
    let mut day = None;
    for text in dates {
        match read_written_date(text) {
            WrittenDate::Read(Timestamp::Zoned(time)) => {
                let time = time.to_rfc3339_opts(SecondsFormat::AutoSi, true);
                return (Some(time), None);
            }
            WrittenDate::Read(Timestamp::Day(day)) => return (Some(day.to_string()), None),
            WrittenDate::Day(found) if day.is_none() => day = Some((found.to_string(), text)),
            // A number may be Unix time.
            _ if parse_timestamp(text).is_some() && day.is_none() => return (Some(text.clone()), None),
            WrittenDate::Day(_) | WrittenDate::Unreadable => {}
        }
    }
    if let Some((found, text)) = day {
        notes.push(Note {
            kind: "the date has a time zone that is not known, or means several: the day alone is sent",
            detail: text.clone(),
        });
        return (Some(found), Some(text.clone()));
    }
    let Some(text) = dates.first() else {
        return (None, None);
    };
    notes.push(Note {
        kind: "the date cannot be read: it is sent as it stands, the article has none",
        detail: text.clone(),
    });
    (Some(text.clone()), None)
}
