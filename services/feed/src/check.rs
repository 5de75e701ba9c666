//! What the pipeline will say to a record, and what one looks like: for dry runs.

use std::fmt::Write as _;

use copydesk_article::{
    Coordinates, Header, Message, Offset, Partition, RawBody, Reject, Topic, TopicPartition,
};
use copydesk_decode::{Decoded, Limits};

use crate::Outgoing;

/// So much of a value is shown.
const SHOWN: usize = 600;

/// Decodes a record as the worker would.
pub(crate) fn decode(outgoing: &Outgoing, limits: &Limits) -> Result<Decoded, Reject> {
    let header = |(name, value): &(&str, String)| Header {
        name: (*name).to_owned(),
        value: value.as_bytes().to_vec(),
    };
    let message = Message {
        coordinates: Coordinates {
            source: TopicPartition {
                topic: Topic::new("dry-run"),
                partition: Partition::new(0),
            },
            offset: Offset::new(0),
        },
        timestamp: None,
        key: outgoing.key.as_ref().map(|k| k.as_bytes().to_vec()),
        payload: Some(outgoing.payload.clone()),
        headers: outgoing.headers.iter().map(header).collect(),
    };
    copydesk_decode::read(&message, limits)
}

/// A record as it would be on the topic, and what the pipeline reads of it.
pub(crate) fn shown(outgoing: &Outgoing, decoded: &Result<Decoded, Reject>) -> String {
    // A stranger's line break must not begin a line that reads as one of ours.
    let on_one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut out = format!(
        "the first message, from {}:",
        on_one_line(&outgoing.origin.to_string())
    );
    let mut line = |name: &str, value: &str| {
        let _ = write!(out, "\n  {name:<10} {}", on_one_line(value));
    };
    line("key", outgoing.key.as_deref().unwrap_or("(none)"));
    for (name, value) in &outgoing.headers {
        line("header", &format!("{name}: {value}"));
    }
    let text = String::from_utf8_lossy(&outgoing.payload);
    let start: String = text.chars().take(SHOWN).collect();
    let more = if text.chars().nth(SHOWN).is_some() {
        " …"
    } else {
        ""
    };
    line(
        "value",
        &format!("{start}{more} ({} bytes)", outgoing.payload.len()),
    );
    match decoded {
        Err(reject) => line("refused", &format!("{}: {}", reject.reason, reject.detail)),
        Ok(Decoded::Tombstone(tombstone)) => line("takes down", &tombstone.url),
        Ok(Decoded::Article(article)) => {
            let none = || "(none)".to_owned();
            line("url", &article.url.clone().unwrap_or_else(none));
            line("title", &article.title.clone().unwrap_or_else(none));
            line(
                "published",
                &article
                    .published_at
                    .map_or_else(none, |t| t.instant().to_rfc3339()),
            );
            line("language", &article.language.clone().unwrap_or_else(none));
            line(
                "body",
                &match &article.body {
                    RawBody::Html(html) => format!("{} bytes of HTML", html.len()),
                    RawBody::Text(text) => format!("{} bytes of text", text.len()),
                },
            );
            if !article.warnings.is_empty() {
                line("warnings", &article.warnings.join(", "));
            }
        }
    }
    out
}
