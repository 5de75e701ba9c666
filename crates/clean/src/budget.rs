//! What one article may cost.

use std::cell::Cell;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// The most that one article may cost: an article over it is refused. The limits hold while a page is parsed.
/// See docs/cleaning.md, "What a page may cost".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// Bytes of HTML. Over it: [`copydesk_article::Reason::TooLarge`].
    pub max_html_bytes: usize,
    /// Nodes of the parsed page, and lines of a scraped text; a page may have twice as many attributes. Over it:
    /// [`copydesk_article::Reason::TooManyNodes`].
    pub max_nodes: usize,
    /// Levels of the parsed page; twice as many elements may be open at once. Over it:
    /// [`copydesk_article::Reason::TooDeep`].
    pub max_depth: usize,
    /// Characters of a scraped text. Over it: [`copydesk_article::Reason::TooLarge`].
    pub max_text_chars: usize,
    /// CPU time of the thread, for parsing and reading the page; parsing may take half of it. What comes after
    /// that is bounded by the page's nodes. Over it: [`copydesk_article::Reason::TooSlow`].
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

impl Budget {
    /// The most memory that cleaning one article takes, in bytes, with the article itself: what a thread that
    /// cleans needs beside the program. Measured with pages made to take much: see
    /// `crates/clean/tests/hostile.rs`. With the default budget 190 MiB; ordinary pages take a few.
    pub const fn peak_memory(&self) -> usize {
        // The page, as it came, as text, in the tree, and as blocks.
        let text = 4 * self.max_html_bytes;
        // A node with two attributes, and what is noted of it.
        let nodes = 450 * self.max_nodes;
        // JSON, bounded by constants of its own, and what an allocator keeps for later.
        let others = 72 << 20;
        text + nodes + others
    }
}

/// A thread's CPU clock, started.
#[derive(Debug)]
pub(crate) struct Clock {
    start: Duration,
    budget: Duration,
    /// When the CPU clock was looked at last. A thread takes no more CPU time than time passes, and asking for
    /// the time is cheap: CPU time is asked for only when enough has passed.
    looked: Cell<Option<Instant>>,
    over: Cell<bool>,
}

/// How much time passes between two looks at the CPU clock, at least.
const BETWEEN_LOOKS: Duration = Duration::from_millis(2);

impl Clock {
    pub(crate) fn start(budget: Duration) -> Self {
        Self::of(cpu_time(), budget)
    }

    /// A clock that started with this one, and is over when half of its time is.
    pub(crate) fn half(&self) -> Self {
        Self::of(self.start, self.budget / 2)
    }

    /// A clock that is never over, for work that its input bounds.
    pub(crate) const fn endless() -> Self {
        Self::of(Duration::ZERO, Duration::MAX)
    }

    const fn of(start: Duration, budget: Duration) -> Self {
        Self {
            start,
            budget,
            looked: Cell::new(None),
            over: Cell::new(false),
        }
    }

    /// Whether the time is used up, to some milliseconds.
    pub(crate) fn is_over(&self) -> bool {
        if self.over.get() {
            return true;
        }
        let now = Instant::now();
        if self
            .looked
            .get()
            .is_some_and(|at| now.duration_since(at) < BETWEEN_LOOKS)
        {
            return false;
        }
        self.looked.set(Some(now));
        self.over
            .set(cpu_time().saturating_sub(self.start) >= self.budget);
        self.over.get()
    }
}

fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanos = u32::try_from(time.tv_nsec).unwrap_or(0);
    Duration::new(seconds, nanos)
}
