//! When to cut a batch: a pure rule over count, bytes and age.

use std::time::{Duration, Instant};

/// Limits of one batch, that is of one transaction.
#[derive(Debug, Clone, Copy)]
pub struct BatchLimits {
    /// Articles at the most; at least 1.
    pub articles: usize,
    /// Bytes of messages at the most (one larger message still makes a batch of its own).
    pub bytes: usize,
    /// How long the oldest message may wait for company.
    pub linger: Duration,
}

/// What a batch holds so far.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Fill {
    /// Articles in it.
    pub(crate) articles: usize,
    /// Bytes of their messages.
    pub(crate) bytes: usize,
    /// When the first came in. `None`: nothing is in it.
    pub(crate) since: Option<Instant>,
}

impl Fill {
    /// Counts one message in.
    pub(crate) fn add(&mut self, bytes: usize, now: Instant) {
        self.articles += 1;
        self.bytes += bytes;
        self.since.get_or_insert(now);
    }

    /// Starts the clock without a message: the position alone has moved (a hole in the log).
    pub(crate) fn touch(&mut self, now: Instant) {
        self.since.get_or_insert(now);
    }

    /// Whether the batch is to be stored now. An empty batch never is.
    ///
    /// `closing`: nothing more will come (revoke, shutdown, end of the topic).
    pub(crate) fn is_due(&self, limits: &BatchLimits, now: Instant, closing: bool) -> bool {
        let Some(since) = self.since else { return false };
        closing
            || self.articles >= limits.articles
            || self.bytes >= limits.bytes
            || now.saturating_duration_since(since) >= limits.linger
    }

    /// When it becomes due by age alone.
    pub(crate) fn due_at(&self, limits: &BatchLimits) -> Option<Instant> {
        self.since.map(|s| s + limits.linger)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: BatchLimits = BatchLimits {
        articles: 3,
        bytes: 100,
        linger: Duration::from_millis(250),
    };

    fn fill(sizes: &[usize], at: Instant) -> Fill {
        let mut fill = Fill::default();
        for size in sizes {
            fill.add(*size, at);
        }
        fill
    }

    #[test]
    fn nothing_is_never_due() {
        let now = Instant::now();
        assert!(!Fill::default().is_due(&LIMITS, now, true));
        assert_eq!(Fill::default().due_at(&LIMITS), None);
    }

    #[test]
    fn count_bytes_age_and_closing_each_cut() {
        let now = Instant::now();
        assert!(!fill(&[10, 10], now).is_due(&LIMITS, now, false));
        assert!(fill(&[10, 10, 10], now).is_due(&LIMITS, now, false), "count");
        assert!(fill(&[100], now).is_due(&LIMITS, now, false), "bytes");
        assert!(
            fill(&[10], now).is_due(&LIMITS, now + LIMITS.linger, false),
            "age"
        );
        assert!(fill(&[10], now).is_due(&LIMITS, now, true), "closing");
    }

    #[test]
    fn age_counts_from_the_first_message() {
        let now = Instant::now();
        let mut fill = fill(&[10], now);
        fill.add(10, now + Duration::from_millis(200));
        assert_eq!(fill.due_at(&LIMITS), Some(now + LIMITS.linger));
    }
}
