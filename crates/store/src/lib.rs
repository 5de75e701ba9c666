//! Stage 5, and the only crate with SQL: the ledger, the articles and everything that is known about them.
//!
//! **In:** batches of messages of one partition, each prepared (cleaned and fingerprinted) or refused. **Out:** rows in
//! Postgres, and the partition's offset advanced, in one transaction. **What may fail:** see [`StoreError`]; its
//! [`RetryClass`] says what to do about it. An outage never loses and never quarantines anything: the same batch is
//! flushed again until it is in.
//!
//! Folders, each importing from those before it and from none behind: `rows` (rows to Postgres and back), `keys` (windows of near-copy keys), `caches`,
//! `connect` (URL, settings, the [`Store`] itself), [`ledger`], `flush`, `admin` (operators, console and janitor), and [`reads`] beside the last three.
//!
//! The way of a batch through [`Store::flush`]:
//!
//! 1. `progress`: the partition's row is advanced, only where its epoch is still the worker's own and the ledger is where
//!    the batch begins.
//! 2. `identity`: the articles' identities are claimed; a known one makes the message a version, an older
//!    version or a repeat (`versions`, `dispositions`).
//! 3. `evidence`: what is stored of the sites' last articles is read, as far as it is not at hand (`sites_at_hand`); `keys`: the owners of the
//!    same shingle hashes are looked up in neighbouring windows where the batch claims nothing. `site_memory`: what the sites repeat is left out of the
//!    evidence and taken out of the articles. `write_articles`: rows are laid out; metadata, texts and evidence of new articles go in.
//! 4. `keys`: the windows where it claims are locked, until the commit. Owners are looked up there, and absent keys go in.
//!    Whoever owns a key is a candidate. Of two flushes with near-copies the second finds the first's keys. What does not depend on the database
//!    has been laid out with the article (`ready`), so that the lock is held for as short as possible.
//! 5. `evidence`: what is stored of the candidates is read. `plan`: in memory and in the order of offsets, every article is decided on
//!    (`copydesk_dedup::decide_at_site`).
//! 6. `stories`: links become stories; re-links are carried out.
//! 7. `write_articles`, `write_ledger`, `story_rows`: memberships of new articles and all other rows, one statement a table (`columns`; `copy` for
//!    those that are certainly new). Commit.
//!
//! Whoever changes articles takes row locks in this order: the ledger, addresses, windows of keys, memberships, articles, what belongs to
//! an article, stories; within each in ascending order. So two do not deadlock; where they do all the same, Postgres ends one of them and it
//! is tried again.
//! A row that Postgres refuses is found by halving the batch ([`ledger`]) and goes to quarantine alone.
//!
//! The schema is in `migrations/`; its views are the public contract. How the promises are kept: docs/delivery.md.

mod admin;
mod caches;
mod connect;
mod error;
mod flush;
mod keys;
pub mod ledger;
pub mod reads;
mod rows;

/// Queries whose plans are looked at by a test. No part of the interface.
#[doc(hidden)]
pub mod plans {
    /// See `evidence::SITES`.
    pub const SITES: &str = crate::flush::evidence::SITES;
    /// See `reclean::YOUNG_SITES`.
    pub const YOUNG_SITES: &str = crate::admin::site::reclean::YOUNG_SITES;
}

pub use admin::archive::{
    ArchiveBatch, ArchiveCounts, ArchiveLock, ArchiveReader, ArchiveStep, ArchiveTable, ArchiveTakedown,
    TakedownMatch,
};
pub use admin::audit::{AuditReport, Finding, PartitionAudit};
pub use admin::common::BuiltList;
pub use admin::export::{ExportColumn, ExportQuery, ExportTime, ExportView};
pub use admin::lock_waits::{LOOK_EVERY, LockWait, LockWatch};
pub use admin::migrations::Schema;
pub use admin::quarantine::{QuarantineEntry, QuarantineFilter, Replayed};
pub use admin::retention::retire::Retirable;
pub use admin::rewind::{RewindTo, Rewound};
pub use admin::search::{Found, MARK_END, MARK_START, SearchQuery, SearchStatus};
pub use admin::site::clean_by_rules::CleanedAgain;
pub use admin::site::clean_events::CleanEvent;
pub use admin::site::reclean::RecleanStep;
pub use admin::site::site_by_hand::{Saying, SiteBlock, SiteExplanation, SiteMemoryBlock, SiteOverview};
pub use admin::status::{IngestStatus, Server, UnusualSources};
pub use admin::story::explain::{ExplainedCandidate, Explanation};
pub use admin::story::redecide::RedecideStep;
pub use admin::story::refingerprint::RefingerprintStep;
pub use admin::story::story_by_hand::{StoryArticle, StoryDetail};
pub use admin::summary::{ArticleSummary, HeldMessage, RemovedCount, StorySummary, Summary};
pub use connect::config::Store;
pub use connect::database_url::DatabaseUrl;
pub use connect::fitness::{Fault, Limit};
pub use connect::read_router::ReadRouter;
pub use connect::replica::ReplicaStatus;
pub use connect::settings::{Outputs, StoreConfig};
pub use error::{FlushError, RetryClass, StoreError, try_again};
pub use flush::outbox::{CHANNEL, DeadLetter, OutboxBatch, OutboxContent, OutboxEntry, Output, Waiting};
pub use flush::story_moves::{LARGEST_MERGE, StoryEvent};
pub use flush::takedown::{TakedownTarget, TakenDown};
pub use ledger::claimed::Claimed;
pub use ledger::item::{Batch, Content, Item, Prepared, Tombstone};
pub use ledger::progress::{OnLostRange, Progress, Wanted};
pub use ledger::quarantine_content::{Dropped, DroppedFor, QuarantineUsage};
pub use ledger::report::{FlushReport, Verdict};
