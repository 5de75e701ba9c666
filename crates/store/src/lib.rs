//! Stage 5, and the only crate with SQL: the ledger, the articles and everything that is known about them.
//!
//! **In:** batches of messages of one partition, each prepared (cleaned and fingerprinted) or refused. **Out:** rows in
//! Postgres, and the partition's offset advanced, in one transaction. **What may fail:** see [`StoreError`]; its
//! [`RetryClass`] says what to do about it. An outage never loses and never quarantines anything: the same batch is
//! flushed again until it is in.
//!
//! Folders, each importing from those before it and from none behind: `rows` (statements, and rows to
//! Postgres and back), `keys` (windows of near-copy keys), `caches`, `connect` (URL, settings, the [`Store`]
//! itself), [`ledger`], `flush`, [`reads`] (the console), and `admin` (operators and janitor).
//!
//! The way of a batch through [`Store::flush`]:
//!
//! 1. `progress`: the partition's row is advanced, if its epoch is still the worker's and the ledger is where the batch begins.
//! 2. `identity`: the articles' identities are claimed. A known identity makes the message a version, an older version or a repeat (`versions`,
//!    `dispositions`).
//! 3. `evidence`: the evidence of the sites' last articles is read, unless it is cached (`site_article_cache`). `site_memory`: what a site repeats is
//!    taken out of its articles, and left out of their evidence. `write_articles`: metadata, texts and evidence of new articles are written.
//!    `keys`: owners of keys are looked up in windows where the batch claims none.
//! 4. `keys`: the windows where the batch claims keys are locked until the commit. Owners are looked up there, and absent keys are inserted. The owner
//!    of a key is a candidate. Of two flushes with near-copies the second finds the keys of the first. The lock is held for as short as possible:
//!    what does not depend on the database was laid out with the article (`ready`), and what does not depend on the decision was written before.
//! 5. `evidence`: the evidence of the candidates is read. `plan`: each article is decided on, in memory and in the order of offsets
//!    (`copydesk_dedup::decide_at_site`).
//! 6. `stories`: links become stories; re-links are carried out.
//! 7. `write_articles`, `write_ledger`, `story_rows`: new versions, memberships of new articles, sightings and stories are written, one statement a
//!    table (`columns`; `copy` for rows that are certainly new). Commit.
//!
//! Whoever changes articles takes row locks in this order: the ledger, addresses, windows of keys,
//! memberships, articles, what belongs to an article, stories; within each in ascending order. So two
//! transactions do not deadlock. If they do all the same, Postgres ends one of them, and it is tried again. A
//! row that Postgres refuses is found by halving the batch ([`ledger`]); its message goes to quarantine
//! alone.
//!
//! The schema is in `migrations/`; its views are the public contract. docs/delivery.md has the promises and
//! how they are kept.

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
    /// See `reclean::PROVISIONAL_SITES`.
    pub const PROVISIONAL_SITES: &str = crate::admin::site::reclean::PROVISIONAL_SITES;
}

pub use admin::archive::{
    ArchiveBatch, ArchiveCounts, ArchiveLock, ArchiveReader, ArchiveStep, ArchiveTable, ArchiveTakedown,
    TakedownMatch,
};
pub use admin::audit::{AuditReport, PartitionAudit};
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
pub use admin::site::site_by_hand::{
    SiteBlock, SiteExplanation, SiteMemoryBlock, SiteOverride, SiteOverview,
};
pub use admin::status::{Server, UnusualSources};
pub use admin::story::explain::{ExplainedCandidate, Explanation};
pub use admin::story::redecide::RedecideStep;
pub use admin::story::refingerprint::RefingerprintStep;
pub use admin::story::story_by_hand::{StoryArticle, StoryDetail};
pub use admin::summary::{ArticleSummary, HeldMessage, RemovedCount, StorySummary, Summary, Totals};
pub use connect::config::Store;
pub use connect::database_url::DatabaseUrl;
pub use connect::fitness::{Fault, Limit};
pub use connect::read_router::ReadRouter;
pub use connect::replica::ReplicaStatus;
pub use connect::settings::{Outputs, StoreConfig};
pub use error::{FlushError, RetryClass, StoreError, try_again};
pub use flush::outbox::{CHANNEL, DeadLetter, OutboxBatch, OutboxContent, OutboxEntry, Output};
pub use flush::story_moves::{LARGEST_MERGE, StoryEvent};
pub use flush::takedown::{TakedownTarget, TakenDown};
pub use ledger::claimed::Claimed;
pub use ledger::item::{Batch, Content, Item, Prepared, Tombstone};
pub use ledger::progress::{OnLostRange, Progress, Wanted};
pub use ledger::quarantine_content::{Dropped, DroppedFor, QuarantineUsage};
pub use ledger::report::{FlushReport, Verdict};
