//! What one article may cost.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// The most that one article may cost. An article over a hard limit is refused; one that runs out of CPU
/// time gets a result without the slower opinions, marked by a warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// Bytes of HTML. Over it: [`copydesk_article::Reason::TooLarge`].
    pub max_html_bytes: usize,
    /// Nodes of the parsed page. Over it: [`copydesk_article::Reason::TooManyNodes`].
    pub max_nodes: usize,
    /// Depth of the parsed page. Over it: [`copydesk_article::Reason::TooDeep`].
    pub max_depth: usize,
    /// Characters of a scraped text. Over it: [`copydesk_article::Reason::TooLarge`].
    pub max_text_chars: usize,
    /// CPU time of the thread after which no further engine is asked (warning `engine-budget`). Engines
    /// cannot be interrupted: the limits above bound what a single one may take.
    pub cpu_time: Duration,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            max_html_bytes: 8 << 20,
            max_nodes: 200_000,
            max_depth: 512,
            max_text_chars: 4_000_000,
            cpu_time: Duration::from_secs(2),
        }
    }
}

/// A thread's CPU clock, started.
pub(crate) struct Clock {
    end: Duration,
}

impl Clock {
    pub(crate) fn start(budget: Duration) -> Self {
        Self {
            end: now().saturating_add(budget),
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        now() >= self.end
    }
}

fn now() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanos = u32::try_from(time.tv_nsec).unwrap_or(0);
    Duration::new(seconds, nanos)
}
