//! What the worker hands over: a batch of one partition's messages, each prepared or refused.

use chrono::{DateTime, Utc};
use copydesk_article::{CleanArticle, Fingerprint, Message, NextOffset, Reject};

/// One message and what became of it in the stages before.
#[derive(Debug, Clone)]
pub struct Item {
    /// The message as it came: kept in quarantine if a stage or the database refuses it.
    pub message: Message,
    /// The article, or why there is none.
    pub outcome: Result<Box<Prepared>, Reject>,
}

/// An article that is ready to be stored.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// Blocks and metadata.
    pub clean: CleanArticle,
    /// Its hashes.
    pub fingerprint: Fingerprint,
    /// When the producer fetched it, if it said so.
    pub fetched_at: Option<DateTime<Utc>>,
    /// The envelope's other fields, kept as they came.
    pub extra: serde_json::Map<String, serde_json::Value>,
}

/// Consecutive messages of one partition: all that Kafka delivered of the offsets in `[from, to)`.
///
/// Offsets in that range without an item are recorded as a gap: Kafka skipped them.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Where the batch before ended.
    pub from: NextOffset,
    /// Where this one ends.
    pub to: NextOffset,
    /// The messages in ascending order of offsets.
    pub items: Vec<Item>,
}
