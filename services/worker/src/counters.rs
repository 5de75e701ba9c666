//! What this worker has done since its start, for the log and the closing line.

use std::sync::atomic::{AtomicU64, Ordering};

use copydesk_store::FlushReport;

/// Sums over all flushes.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    stored: AtomicU64,
    quarantined: AtomicU64,
    copies: AtomicU64,
    flushes: AtomicU64,
}

/// A reading of [`Counters`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Messages stored as articles, versions or repeats.
    pub stored: u64,
    /// Messages in quarantine.
    pub quarantined: u64,
    /// Of the stored: exact copies, near-copies, excerpts of another article.
    pub copies: u64,
    /// Transactions.
    pub flushes: u64,
}

impl Counters {
    pub(crate) fn add(&self, report: &FlushReport) {
        let add = |counter: &AtomicU64, n: u64| {
            counter.fetch_add(n, Ordering::Relaxed);
        };
        add(&self.stored, report.stored());
        add(&self.quarantined, report.quarantined);
        add(&self.copies, report.copies());
        add(&self.flushes, 1);
    }

    pub(crate) fn tally(&self) -> Tally {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Tally {
            stored: read(&self.stored),
            quarantined: read(&self.quarantined),
            copies: read(&self.copies),
            flushes: read(&self.flushes),
        }
    }
}
