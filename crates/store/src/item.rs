//! What the worker hands over: a batch of one partition's messages, each prepared or refused.

use chrono::{DateTime, Utc};
use copydesk_article::{Block, CleanArticle, Fingerprint, Message, NextOffset, Reject};

use crate::ready::Ready;

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
    pub(crate) clean: CleanArticle,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) fetched_at: Option<DateTime<Utc>>,
    pub(crate) extra: serde_json::Map<String, serde_json::Value>,
    pub(crate) ready: Ready,
}

impl Prepared {
    /// Lays out all that depends on the article alone: on a thread of the pool, not in the flush.
    ///
    /// `fetched_at`: when the producer fetched it, if it said so. `extra`: the envelope's other fields, kept as they came.
    pub fn new(
        clean: CleanArticle,
        fingerprint: Fingerprint,
        fetched_at: Option<DateTime<Utc>>,
        extra: serde_json::Map<String, serde_json::Value>,
    ) -> Self {
        Self {
            ready: Ready::of(&clean, &fingerprint),
            clean,
            fingerprint,
            fetched_at,
            extra,
        }
    }

    /// The article's blocks, kept and removed.
    pub fn blocks(&self) -> &[Block] {
        &self.clean.blocks
    }
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
