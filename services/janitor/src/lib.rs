//! The janitor: upkeep that no worker should do in passing.
//!
//! In: the database, [`JanitorOptions`]. Out: window partitions of the key table created ahead and dropped
//! whole; the oldest bytes of the quarantine dropped at its bounds; stories that turned out to be one, merged
//! by an event that can be taken back; articles of sites that were too new when they came, cleaned again, by
//! events that can be taken back. What may fail: [`run_once`] says what; [`run`] waits out an outage of
//! Postgres and ends only when it is told to; what stops the archive ([`Archive`]) stops nothing else. Any
//! number may run at once, and none at all for months: what is late is made up for, and keys without a window
//! of their own are kept in `near_key_other`.

use std::time::Duration;

use anyhow::{Context as _, Result};
use chrono::{DateTime, TimeDelta, Utc};
use copydesk_article::ArticleId;
use copydesk_store::{RetryClass, Store, StoreError};
use tokio::sync::watch;
use tracing::{info, warn};

mod archive;

pub use archive::{Archive, archive_once};

/// Articles looked at in one step for stories that are one.
const LATE_MERGES: i64 = 200;

/// Articles dropped in one transaction: short enough not to hold up a worker.
const RETIRE: i64 = 500;
/// Articles made searchable in one step.
const SEARCHABLE: u32 = 200;
/// Sites looked at in one step for articles to be cleaned again.
const SITES_AT_ONCE: i64 = 1_000;
/// The latest copies that are looked at for blocks that travel with stories.
const COPIES: i64 = 5_000;

/// What the janitor is told.
#[derive(Debug, Clone)]
pub struct JanitorOptions {
    /// Time between two rounds.
    pub every: Duration,
    /// Windows of keys that are kept, the present one among them; 0 keeps all.
    pub keep_windows: u32,
    /// Articles are dropped when their latest version is so many days old; 0 keeps all.
    pub retention_days: u32,
    /// Bytes of quarantined messages are dropped when they were refused so many days ago; 0 keeps all.
    pub quarantine_days: u32,
    /// Bytes of quarantined messages at the most, as stored. The oldest are dropped at nine tenths of it: the
    /// rest is for what workers add until the next round. 0: no bound.
    pub quarantine_bytes: u64,
    /// Days for which messages are kept with their articles.
    pub raw_days: u32,
    /// Old articles in files. `None`: there is no archive.
    pub archive: Option<Archive>,
}

/// What a round did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Round {
    /// Window partitions created.
    pub windows_created: u32,
    /// Window partitions dropped.
    pub windows_dropped: u32,
    /// Stories that turned out to be one with another.
    pub stories_merged: u64,
    /// Articles made searchable that no worker had come to.
    pub made_searchable: u64,
    /// Articles dropped for their age.
    pub articles_dropped: u64,
    /// Ranges of articles that went whole, with their partitions.
    pub ranges_dropped: u64,
    /// Quarantined messages whose bytes were dropped, for their age or for the bound.
    pub quarantine_dropped: u64,
    /// Stored articles that were cleaned again because more is known of their site, and whose text changed by it.
    pub articles_recleaned: u64,
}

/// One round.
///
/// # Errors
/// Postgres does not answer, or this role may not call the functions.
pub async fn run_once(store: &Store, options: &JanitorOptions) -> Result<Round, StoreError> {
    let windows_created = store.create_windows().await?;
    store.create_ranges().await?;
    store.analyze_ranges().await?;
    let windows_dropped = match options.keep_windows {
        0 => 0,
        keep => store.drop_windows(keep).await?,
    };
    let mut stories_merged = 0;
    loop {
        let (looked_at, merged) = store.merge_late(LATE_MERGES).await?;
        stories_merged += merged;
        if looked_at == 0 {
            break;
        }
    }
    // No more than is due now: workers may be at it all the time.
    let due = store.search_status().await?.due.unsigned_abs();
    let mut made_searchable = 0;
    while made_searchable < due {
        match store.index_search(SEARCHABLE).await? {
            0 => break,
            taken => made_searchable += u64::from(taken),
        }
    }
    // Also what is left of a time when messages were kept.
    store.drop_raw_input(old_before(options.raw_days)).await?;
    let (articles_dropped, ranges_dropped) = match options.retention_days {
        0 => (0, 0),
        days => retire(store, days).await?,
    };
    Ok(Round {
        articles_dropped,
        ranges_dropped,
        quarantine_dropped: quarantine(store, options).await?,
        windows_created,
        windows_dropped,
        stories_merged,
        articles_recleaned: site_memory(store).await?,
        made_searchable,
    })
}

/// The time before which articles are old.
pub fn old_before(days: u32) -> DateTime<Utc> {
    Utc::now() - TimeDelta::days(i64::from(days))
}

/// Drops what is older than so many days, in short transactions, and the ranges that are old as a whole.
/// Answers with the number of articles and of ranges. Stopped at any point, the next round goes on.
///
/// # Errors
/// A limit shorter than what new articles are compared with; a role that may not delete; Postgres does not answer.
pub async fn retire(store: &Store, days: u32) -> Result<(u64, u64), StoreError> {
    store.check_retention(days).await?;
    let before = old_before(days);
    store.mark_ranges(before).await?;
    let mut dropped = 0;
    if let Some(last) = store.last_before(before).await? {
        let mut after = ArticleId(i64::MIN);
        while let Some((end, some)) = store.retire(before, after, last, RETIRE).await? {
            after = end;
            dropped += some;
        }
    }
    match store.drop_ranges().await {
        Ok(ranges) => Ok((dropped, ranges)),
        Err(error) if error.class() == RetryClass::RetryNow => {
            warn!(%error, "somebody reads old articles; their range is dropped in the next round");
            Ok((dropped, 0))
        }
        Err(error) => Err(error),
    }
}

/// Keeps the quarantine within its bounds. Answers with the messages whose bytes were dropped.
async fn quarantine(store: &Store, options: &JanitorOptions) -> Result<u64, StoreError> {
    let mended = store.quarantine_recount().await?;
    if mended > 0 {
        info!(partitions = mended, "bytes in quarantine counted anew");
    }
    let old = match options.quarantine_days {
        0 => 0,
        days => store.quarantine_drop_older(old_before(days)).await?.messages,
    };
    let beyond = match options.quarantine_bytes {
        0 => 0,
        bytes => store.quarantine_drop_beyond(bytes - bytes / 10).await?.messages,
    };
    if old + beyond > 0 {
        warn!(
            for_age = old,
            for_the_bound = beyond,
            "bytes of quarantined messages were dropped (docs/quarantine.md, \"How much is kept\")"
        );
    }
    Ok(old + beyond)
}

/// Cleans articles again that came when too little was known of their sites. Answers with those whose text changed.
async fn site_memory(store: &Store) -> Result<u64, StoreError> {
    store.find_syndicated_blocks(COPIES).await?;
    let (mut after, mut changed) = (i64::MIN, 0);
    while let Some((last, step)) = store.reclean_provisional(after, SITES_AT_ONCE).await? {
        after = last;
        changed += step.changed;
    }
    Ok(changed)
}

/// Rounds until `stop` turns true.
///
/// # Errors
/// What no waiting mends: a missing schema, a role that may not.
pub async fn run(store: &Store, options: &JanitorOptions, mut stop: watch::Receiver<bool>) -> Result<()> {
    loop {
        if let Some(archive) = &options.archive {
            // Settings that cannot be are an error of the start; an outage is waited for below.
            match archive.check(store, options.keep_windows).await {
                Err(error) if error.class() == RetryClass::Fatal => return Err(error.into()),
                _ => {}
            }
        }
        match run_once(store, options).await {
            Ok(round) if round == Round::default() => {}
            Ok(round) => info!(
                windows_created = round.windows_created,
                windows_dropped = round.windows_dropped,
                stories_merged = round.stories_merged,
                made_searchable = round.made_searchable,
                articles_dropped = round.articles_dropped,
                ranges_dropped = round.ranges_dropped,
                quarantine_dropped = round.quarantine_dropped,
                articles_recleaned = round.articles_recleaned,
                "round done"
            ),
            Err(error) if matches!(error.class(), RetryClass::RetryNow | RetryClass::WaitForDatabase) => {
                warn!(%error, "postgres is away or busy; the next round makes up for it");
            }
            Err(error) => return Err(error).context("the janitor cannot do its work"),
        }
        if let Some(archive) = &options.archive {
            archive::round(store, archive, options.keep_windows, &stop).await;
        }
        tokio::select! {
            _ = stop.wait_for(|s| *s) => return Ok(()),
            () = tokio::time::sleep(options.every) => {}
        }
    }
}
