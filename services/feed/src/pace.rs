//! Keeps to a rate.

use std::time::{Duration, Instant};

/// How long one wait may be, so that a stop is noticed.
const SLICE: Duration = Duration::from_millis(100);

/// At most so many a second, evenly, counted from the start.
pub(crate) struct Pace {
    per_second: Option<u32>,
    started: Instant,
    sent: u64,
}

impl Pace {
    pub(crate) fn new(per_second: Option<u32>) -> Self {
        Self {
            per_second: per_second.filter(|r| *r > 0),
            started: Instant::now(),
            sent: 0,
        }
    }

    /// How long to wait before the next one, or `None` if it is due. Ask again after waiting.
    pub(crate) fn wait(&self) -> Option<Duration> {
        let due = Duration::from_secs_f64(self.sent as f64 / f64::from(self.per_second?));
        let wait = due.checked_sub(self.started.elapsed())?;
        (!wait.is_zero()).then_some(wait.min(SLICE))
    }

    pub(crate) fn sent(&mut self) {
        self.sent += 1;
    }
}
