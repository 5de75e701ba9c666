//! The vocabulary of copydesk: the types that every stage speaks, and nothing else.
//!
//! An article travels through these types in this order:
//!
//! 1. [`RawArticle`]: what a producer sent, decoded and within limits (crate `copydesk-decode`).
//! 2. [`CleanArticle`]: blocks with kinds, the removed ones with their rule, and metadata with its
//!    sources (crate `copydesk-clean`).
//! 3. [`Fingerprint`]: hashes of the text that find and verify near-copies (crate `copydesk-dedup`).
//! 4. [`Relation`]: what the article is to its story (decided in `copydesk-dedup`, stored by
//!    `copydesk-store`).
//!
//! A message that cannot travel on becomes a [`Reject`]: a stage, a reason from a closed list and a
//! sentence for people. Where a message came from is its [`Coordinates`]; [`Offset`] (this message) and
//! [`NextOffset`] (the first message not yet done) are different types, because mixing the two loses or
//! repeats exactly one article per restart.
//!
//! Nothing here does I/O, allocates without bound or fails: constructors that can refuse return
//! `Option` or a small error of their own.

pub mod address;
mod bits;
mod clean;
mod coordinates;
mod fingerprint;
mod fold;
mod markup;
mod message;
mod raw;
mod reject;
mod relation;
pub mod sentinel;

pub use bits::{HashBits, block_of, gather_bits, gather_sixteen};
pub use clean::{
    Block, BlockKind, CleanArticle, Metadata, MetadataSource, Removal, RuleId, Sourced, Timestamp,
};
pub use coordinates::{
    Coordinates, Epoch, NextOffset, Offset, ParseCoordinatesError, Partition, Topic, TopicPartition,
};
pub use fingerprint::{
    BlockHash, BodyHash, Fingerprint, FingerprintVersion, MarkKind, ParagraphMark, ShingleAt, ShingleKey,
    jaccard_of_words,
};
pub use fold::{fold_case, fold_for_compare};
pub use markup::{Image, Link, MarkdownPart, Markup, PartKind, safe_address};
pub use message::{ArticleId, Header, Message, StoryId};
pub use raw::{RawArticle, RawBody};
pub use reject::{ParseReasonError, Reason, Reject, Stage};
pub use relation::{ParseRelationError, Relation};
