//! One Kafka record as the pipeline sees it, and the numbers that name rows in Postgres.

use std::fmt;

use chrono::{DateTime, Utc};

use crate::Coordinates;

/// One record of the raw topic, copied out of Kafka's buffers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Where it stands.
    pub coordinates: Coordinates,
    /// The record's own time (create or append time, as the topic is set up). Absent in very old formats.
    pub timestamp: Option<DateTime<Utc>>,
    /// The record's key.
    pub key: Option<Vec<u8>>,
    /// The record's value. `None` is a tombstone.
    pub payload: Option<Vec<u8>>,
    /// Record headers in order; names are compared without regard to case.
    pub headers: Vec<Header>,
}

impl Message {
    /// The value of the last header of that name (Kafka's rule: the last one wins), as raw bytes.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers
            .iter()
            .rev()
            .find(|h| h.name.eq_ignore_ascii_case(name))
            .map(|h| h.value.as_slice())
    }

    /// Bytes that this message holds in memory: what the budget counts.
    pub fn size(&self) -> usize {
        let headers: usize = self.headers.iter().map(|h| h.name.len() + h.value.len()).sum();
        self.payload.as_ref().map_or(0, Vec::len) + self.key.as_ref().map_or(0, Vec::len) + headers + 128
    }
}

/// One record header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Its name as sent.
    pub name: String,
    /// Its bytes; empty for a header without value.
    pub value: Vec<u8>,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id! {
    /// Names one article (one address, over all its versions). Ascending in the order of arrival within
    /// a partition; gaps are normal.
    ArticleId
}
id! {
    /// Names one story: the id of the article that founded it. Never changes, never re-used.
    StoryId
}
