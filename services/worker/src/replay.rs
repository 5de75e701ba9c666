//! Quarantined messages through the pipeline again, each under its own offset.

use anyhow::Result;
use copydesk_clean::Cleaner;
use copydesk_decode::Limits;
use copydesk_store::{QuarantineFilter, Replayed, RetryClass, Store, StoreError, try_again};
use tracing::{info, warn};

use crate::prepare::{self, Stages};

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
}

/// Runs everything that matches through decode, clean and fingerprint again, and settles it.
///
/// # Errors
/// Postgres is away, or a bug; what was settled before stays settled, and a second call goes on.
pub async fn replay(
    store: &Store,
    cleaner: Cleaner,
    limits: Limits,
    filter: &QuarantineFilter,
) -> Result<ReplayReport> {
    prepare::quiet_panics();
    let stages = std::sync::Arc::new(Stages { limits, cleaner });
    let mut report = ReplayReport::default();
    let mut after = None;
    loop {
        let page = store.quarantine_list(filter, after.as_ref(), PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.coordinates.clone());
        for entry in &page {
            if entry.truncated {
                report.truncated += 1;
                continue;
            }
            let Some(message) = store.quarantine_message(&entry.coordinates).await? else {
                report.settled_meanwhile += 1;
                continue;
            };
            let stages = std::sync::Arc::clone(&stages);
            // Cleaning a page takes milliseconds: not on a thread that drives connections.
            let (item, _) = tokio::task::spawn_blocking(move || stages.prepare(message)).await?;
            let outcome = item.outcome.as_ref().map(AsRef::as_ref);
            match settle(store, &item.message, outcome).await? {
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
    }
    Ok(report)
}

/// Tries again what two transactions that met cause; gives data that Postgres refuses its reason.
async fn settle(
    store: &Store,
    message: &copydesk_article::Message,
    outcome: Result<&copydesk_store::Prepared, &copydesk_article::Reject>,
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
