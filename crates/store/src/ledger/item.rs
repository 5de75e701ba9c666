//! The input of a flush: a batch of one partition's messages, each an article, a tombstone, or refused.

use chrono::{DateTime, Utc};
use copydesk_article::{Block, CleanArticle, Fingerprint, Message, NextOffset, Reject};

use crate::ledger::ready::Ready;
use crate::rows::headers_to_bytes;

/// One message, with its outcome in the stages before.
#[derive(Debug, Clone)]
pub struct Item {
    /// The message as it came: kept in quarantine if a stage or the database refuses it.
    pub message: Message,
    /// Its content, or the reason why it was refused.
    pub outcome: Result<Content, Reject>,
}

impl Item {
    /// Whether it takes an article down.
    pub(crate) const fn is_tombstone(&self) -> bool {
        matches!(self.outcome, Ok(Content::Tombstone(_)))
    }
}

/// The content of a message.
#[derive(Debug, Clone)]
pub enum Content {
    /// An article.
    Article(Box<Prepared>),
    /// The end of one.
    Tombstone(Tombstone),
}

/// The article at an address is to be taken down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tombstone {
    /// The address in canonical form.
    pub address: String,
}

impl Content {
    /// The article, if it is one.
    pub fn article(&self) -> Option<&Prepared> {
        match self {
            Self::Article(article) => Some(article),
            Self::Tombstone(_) => None,
        }
    }
}

impl From<Prepared> for Content {
    fn from(article: Prepared) -> Self {
        Self::Article(Box::new(article))
    }
}

/// An article that is ready to be stored.
#[derive(Debug, Clone)]
pub struct Prepared {
    pub(crate) clean: CleanArticle,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) fetched_at: Option<DateTime<Utc>>,
    pub(crate) extra: serde_json::Map<String, serde_json::Value>,
    pub(crate) ready: Ready,
    /// Its message, if that is to be kept.
    pub(crate) raw: Option<RawInput>,
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
            raw: None,
        }
    }

    /// Keeps the message itself as well, compressed: on a thread of the pool, not in the flush.
    #[must_use]
    pub fn keeping(mut self, message: &Message) -> Self {
        self.raw = RawInput::of(message);
        self
    }

    /// The article's blocks, kept and removed.
    pub fn blocks(&self) -> &[Block] {
        &self.clean.blocks
    }
}

/// zstd's usual level: a page is written once and read seldom.
const ZSTD_LEVEL: i32 = 3;

/// A message's value and headers, ready to be kept.
#[derive(Debug, Clone)]
pub(crate) struct RawInput {
    pub(crate) size: i32,
    pub(crate) headers: Option<Vec<u8>>,
    pub(crate) compressed: Vec<u8>,
}

impl RawInput {
    /// `None`: there is nothing to keep.
    pub(crate) fn of(message: &Message) -> Option<Self> {
        let payload = message.payload.as_deref()?;
        Some(Self {
            size: i32::try_from(payload.len()).ok()?,
            headers: (!message.headers.is_empty()).then(|| headers_to_bytes(&message.headers)),
            compressed: zstd::bulk::compress(payload, ZSTD_LEVEL).ok()?,
        })
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

/// The ranges within `[from, to)` that brought no message.
pub(crate) fn gaps_between(from: NextOffset, to: NextOffset, items: &[Item]) -> Vec<(i64, i64)> {
    let mut gaps = Vec::new();
    let mut next = from.get();
    for item in items {
        let offset = item.message.coordinates.offset.get();
        if offset > next {
            gaps.push((next, offset));
        }
        next = offset + 1;
    }
    if to.get() > next {
        gaps.push((next, to.get()));
    }
    gaps
}
