//! What the record headers say. Names are compared without regard to case, and `-` is `_`.

use copydesk_article::{Header, RawArticle};
use serde_json::Value;

use crate::fields::{self, Fields};
use crate::warnings::{HEADER_UNREADABLE, Warnings};
use crate::{Limits, repair};

/// Headers of this prefix are kept, without it, among the extra fields. All other unknown headers belong to
/// the transport (trace context, serialisers) and not to the article.
const EXTRA: &str = "extra_";

/// The headers that mean something, as text.
#[derive(Debug, Default)]
pub(crate) struct Headers {
    pub(crate) content_type: Option<String>,
    pub(crate) content_encoding: Option<String>,
    pub(crate) fields: Fields,
    extra: Vec<(String, String)>,
}

impl Headers {
    /// Reads them in order: of a repeated one the last wins (Kafka's rule), but authors add up.
    pub(crate) fn read(headers: &[Header], limits: &Limits, warnings: &mut Warnings) -> Self {
        let mut read = Self::default();
        for header in headers {
            let name = Name(&header.name);
            let fields = &mut read.fields;
            let slot = if name.is("content_type") || name.is("contenttype") {
                &mut read.content_type
            } else if name.is("content_encoding") {
                &mut read.content_encoding
            } else if name.is("url") {
                &mut fields.url
            } else if name.is("title") {
                &mut fields.title
            } else if name.is("language") {
                &mut fields.language
            } else if name.is("site") {
                &mut fields.site
            } else if name.is("authors") || name.is("author") {
                if let Some(names) = text(header, warnings) {
                    let room = (limits.max_authors + 1).saturating_sub(fields.authors.len());
                    fields
                        .authors
                        .extend(fields::split_authors(&names, room).into_iter().take(room));
                }
                continue;
            } else if name.is("published_at") {
                fields.published_at = text(header, warnings)
                    .map(Value::String)
                    .or(fields.published_at.take());
                continue;
            } else if name.is("fetched_at") {
                fields.fetched_at = text(header, warnings)
                    .map(Value::String)
                    .or(fields.fetched_at.take());
                continue;
            } else {
                if let Some(key) = name.after(EXTRA)
                    && read.extra.len() < limits.max_extra_values
                    && let Some(value) = text(header, warnings)
                {
                    read.extra.push((key.to_owned(), value));
                }
                continue;
            };
            *slot = text(header, warnings).or(slot.take());
        }
        read
    }

    /// Fills what the body left open: an envelope's own fields win over headers.
    pub(crate) fn fill(self, article: &mut RawArticle, limits: &Limits, warnings: &mut Warnings) {
        self.fields.fill(article, limits, warnings);
        for (mut key, mut value) in self.extra.into_iter().rev() {
            repair::extra(&mut key, warnings);
            repair::extra(&mut value, warnings);
            article.extra.entry(key).or_insert(Value::String(value));
        }
    }
}

fn text(header: &Header, warnings: &mut Warnings) -> Option<String> {
    match std::str::from_utf8(&header.value) {
        Ok(value) => Some(value.trim().to_owned()).filter(|v| !v.is_empty()),
        Err(_) => {
            warnings.add(HEADER_UNREADABLE);
            None
        }
    }
}

/// A header's name, compared with lower-case names in which `_` stands for `-` as well.
struct Name<'h>(&'h str);

impl<'h> Name<'h> {
    fn is(&self, known: &str) -> bool {
        self.0.len() == known.len() && self.after(known).is_some()
    }

    /// What follows `start`, if the name starts with it.
    fn after(&self, start: &str) -> Option<&'h str> {
        let (head, rest) = self.0.split_at_checked(start.len())?;
        let same = |(a, b): (u8, u8)| {
            if a == b'-' {
                b == b'_'
            } else {
                a.to_ascii_lowercase() == b
            }
        };
        head.bytes().zip(start.bytes()).all(same).then_some(rest)
    }
}
