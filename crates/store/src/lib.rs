//! Stage 5, and the only crate with SQL: the ledger, the articles and everything that is known about them.
//!
//! **In:** batches of messages of one partition, each prepared (cleaned and fingerprinted) or refused. **Out:** rows in
//! Postgres, and the partition's offset advanced, in one transaction. **What may fail:** see [`StoreError`]; its
//! [`RetryClass`] says what to do about it. An outage never loses and never quarantines anything: the same batch is
//! flushed again until it is in.
//!
//! The way of a batch through [`Store::flush`]:
//!
//! 1. `progress`: the partition's row is advanced, only where its epoch is still the worker's own and the ledger is where
//!    the batch begins.
//! 2. `identity`: the articles' identities are claimed; a known one makes the message a version, an older
//!    version or a repeat (`versions`, `dispositions`).
//! 3. `evidence`: what is stored of the sites' last articles is read, as far as it is not at hand (`sites_at_hand`); `keys`:
//!    the owners of the same shingle hashes in neighbouring windows are looked up (`quiet_windows`), then the hashes are claimed in `near_key`
//!    (without a question where a worker that is alone knows them to be new: `present_windows`);
//!    whoever owns one of them already is a candidate. The unique row makes two workers with near-copies wait for each
//!    other, so that one of them sees the other; flushes know what those under way want (`turns` in a process, `announced` between several), and only the articles that
//!    want something of an earlier one wait: they go through the steps that follow when the others are through them. From here to the commit others may be waiting: what does not depend
//!    on the database has been laid out with the article (`ready`), what can be read before has been read.
//! 4. `evidence`: what is stored of the candidates is read.
//! 5. `plan`: in memory and in the order of offsets (first those that need not wait, then the others), every article is decided on (`copydesk_dedup::decide`).
//! 6. `stories`: links become stories; re-links are carried out.
//! 7. `site_memory`: what the sites repeat is taken out of the articles.
//! 8. `write_articles`, `write_ledger`: rows, one statement a table (`columns`; `copy` for those that are certainly new). Commit.
//!
//! Every flush takes its locks in that order, and within a step in the order of keys (those first that no earlier flush
//! wants), so that two flushes do not deadlock, and a flush that has yet to wait for others locks no article that was there before; where they do all the same, Postgres ends one of them and it is tried again.
//! A row that Postgres refuses is found by halving the batch ([`ledger`]) and goes to quarantine alone.
//!
//! The schema is in `migrations/`; its views are the public contract. How the promises are kept: docs/delivery.md.

mod announced;
mod audit;
mod blocks;
mod canonical;
mod clean_events;
mod columns;
mod common;
mod config;
mod content_hash;
mod copy;
mod database_url;
mod decision_inputs;
mod dispositions;
mod error;
mod evidence;
mod explain;
mod export;
mod fitness;
mod flush;
mod identity;
mod item;
mod key_filter;
mod keys;
mod late_merges;
pub mod ledger;
mod lock_waits;
mod migrations;
mod outbox;
mod plan;
mod present_windows;
mod progress;
mod quarantine;
mod quarantine_content;
mod quiet_windows;
pub mod reads;
mod ready;
mod reclean;
mod refingerprint;
mod report;
mod retire;
mod rewind;
mod search;
mod silent;
mod site;
mod site_backfill;
mod site_memory;
mod sites_at_hand;
mod status;
mod stored_article;
mod stories;
mod story;
mod story_rows;
mod summary;
mod takedown;
mod travelling;
mod turns;
mod versions;
mod windows;
mod work;
mod write_articles;
mod write_ledger;

/// Queries whose plans are looked at by a test. No part of the interface.
#[doc(hidden)]
pub mod plans {
    /// See `evidence::SITES`.
    pub const SITES: &str = crate::evidence::SITES;
    /// See `reclean::YOUNG_SITES`.
    pub const YOUNG_SITES: &str = crate::reclean::YOUNG_SITES;
}

pub use audit::{AuditReport, Finding, PartitionAudit};
pub use clean_events::CleanEvent;
pub use common::BuiltList;
pub use config::{Store, StoreConfig};
pub use database_url::DatabaseUrl;
pub use error::{FlushError, RetryClass, StoreError, try_again};
pub use explain::{ExplainedCandidate, Explanation};
pub use export::{ExportColumn, ExportQuery, ExportTime, ExportView};
pub use fitness::{Fault, Limit};
pub use item::{Batch, Item, Prepared};
pub use late_merges::MERGE_FROM;
pub use lock_waits::{LOOK_EVERY, LockWait, LockWatch};
pub use migrations::Schema;
pub use outbox::{CHANNEL, DeadLetter, OutboxBatch, OutboxContent, OutboxEntry, Output, Outputs, Waiting};
pub use progress::{Claimed, OnLostRange, Progress, Wanted};
pub use quarantine::{QuarantineEntry, QuarantineFilter, Replayed};
pub use quarantine_content::{Dropped, DroppedFor, QuarantineUsage};
pub use reclean::RecleanStep;
pub use refingerprint::RefingerprintStep;
pub use report::{FlushReport, Verdict};
pub use retire::Retirable;
pub use rewind::{RewindTo, Rewound};
pub use search::{Found, MARK_END, MARK_START, SearchQuery, SearchStatus};
pub use site::{Saying, SiteBlock, SiteExplanation, SiteMemoryBlock, SiteOverview};
pub use status::{IngestStatus, Server, UnusualSources};
pub use story::{LARGEST_MERGE, StoryArticle, StoryDetail, StoryEvent};
pub use summary::{ArticleSummary, HeldMessage, RemovedCount, StorySummary, Summary};
pub use takedown::{TakedownTarget, TakenDown};
