//! Quarantined messages through the pipeline again, each under its own offset.

use std::sync::Arc;

use anyhow::Result;
use copydesk_article::{Coordinates, Reason};
use copydesk_clean::Cleaner;
use copydesk_decode::Limits;
use copydesk_registry::Registry;
use copydesk_store::{QuarantineEntry, QuarantineFilter, Replayed, RetryClass, Store, StoreError, try_again};
use tracing::{info, warn};

use crate::isolated::{IsolatedCommand, Isolation};
use crate::prepare::{self, Stages};
use crate::workspace::Workspace;

/// Messages listed at once.
const PAGE: u32 = 200;

/// What a replay did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReplayReport {
    /// Messages that are articles now.
    pub stored: u64,
    /// Messages that were refused again; they stay, with the new reason.
    pub refused_again: u64,
    /// Messages that somebody else replayed or discarded at the same time.
    pub settled_meanwhile: u64,
    /// Messages whose bytes are not whole, so that they cannot be tried.
    pub truncated: u64,
    /// Messages whose bytes were dropped, for their age or for the bound.
    pub dropped: u64,
}

/// What messages go through again.
pub struct ReplayStages {
    /// Rules and budget of the cleaning.
    pub cleaner: Cleaner,
    /// Limits of one message.
    pub limits: Limits,
    /// Starts a process for what has ended processes before.
    pub isolated: IsolatedCommand,
    /// Where schemas are of values that name one.
    pub registry: Option<Arc<Registry>>,
    /// Whether messages are kept with their articles.
    pub keep_raw: bool,
}

/// Runs everything that matches through decode, clean and fingerprint again, and settles it. What has ended
/// processes before is tried in a process of its own first.
///
/// # Errors
/// Postgres is away, or a bug; what was settled before stays settled, and a second call goes on.
pub async fn replay(store: &Store, stages: ReplayStages, filter: &QuarantineFilter) -> Result<ReplayReport> {
    let mut replayer = Replayer::new(store, stages);
    let mut after = None;
    loop {
        let page = store.quarantine_list(filter, after.as_ref(), PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.coordinates.clone());
        replayer.replay(&page).await?;
    }
    Ok(replayer.report)
}

/// The same with these messages and no others; those that are not held any more are passed over. Each is
/// tried in a process of its own first: this is for a service that must outlive them.
///
/// # Errors
/// As [`replay`].
pub async fn replay_messages(
    store: &Store,
    stages: ReplayStages,
    messages: &[Coordinates],
) -> Result<ReplayReport> {
    let mut replayer = Replayer::new(store, stages);
    replayer.all_alone = true;
    for message in messages {
        let held = store
            .quarantine_list(&QuarantineFilter::of(message), None, 1)
            .await?;
        replayer.replay(&held).await?;
    }
    Ok(replayer.report)
}

/// What replays messages, and has counted them.
struct Replayer<'s> {
    store: &'s Store,
    stages: Arc<Stages>,
    isolation: Arc<Isolation>,
    /// Every message is tried in a process of its own, not those alone that have ended one.
    all_alone: bool,
    report: ReplayReport,
}

impl<'s> Replayer<'s> {
    fn new(store: &'s Store, given: ReplayStages) -> Self {
        prepare::quiet_panics();
        let stages = Arc::new(Stages::new(
            given.limits,
            given.cleaner,
            given.registry,
            given.keep_raw,
            None,
        ));
        let isolation = Isolation::new(given.isolated, Arc::clone(&stages), Workspace::unbounded());
        Self {
            store,
            stages,
            isolation: Arc::new(isolation),
            all_alone: false,
            report: ReplayReport::default(),
        }
    }

    async fn replay(&mut self, entries: &[QuarantineEntry]) -> Result<()> {
        let report = &mut self.report;
        for entry in entries {
            if entry.truncated {
                report.truncated += 1;
                continue;
            }
            if entry.content_dropped_at.is_some() {
                report.dropped += 1;
                continue;
            }
            let Some(message) = self.store.quarantine_message(&entry.coordinates).await? else {
                report.settled_meanwhile += 1;
                continue;
            };
            let (stages, isolation) = (Arc::clone(&self.stages), Arc::clone(&self.isolation));
            let suspect = self.all_alone || entry.reason == Reason::KillsWorker.as_str();
            // Cleaning a page takes milliseconds: not on a thread that drives connections.
            let item = tokio::task::spawn_blocking(move || match suspect {
                true => isolation.prepare_one(message),
                false => stages.prepare(message, &mut Workspace::unbounded().space()).0,
            })
            .await?;
            let outcome = item.outcome.as_ref();
            match settle(self.store, &item.message, outcome).await? {
                Replayed::Stored(_) => report.stored += 1,
                Replayed::RefusedAgain(_) => report.refused_again += 1,
                Replayed::SettledMeanwhile => report.settled_meanwhile += 1,
            }
        }
        info!(
            stored = report.stored,
            refused_again = report.refused_again,
            "replaying"
        );
        Ok(())
    }
}

/// Tries again what two transactions that met cause; gives data that Postgres refuses its reason.
async fn settle(
    store: &Store,
    message: &copydesk_article::Message,
    outcome: Result<&copydesk_store::Content, &copydesk_article::Reject>,
) -> Result<Replayed, StoreError> {
    match try_again(|| store.quarantine_settle(message, outcome)).await {
        Err(error) if error.class() == RetryClass::DataError && outcome.is_ok() => {
            warn!(message = %message.coordinates, %error, "postgres refuses this message still");
            let reject = error.as_reject();
            store.quarantine_settle(message, Err(&reject)).await
        }
        other => other,
    }
}
