//! What the poll thread says of itself, for monitoring. Written by it alone, once a round; read by anybody.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// What is on its way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    pub(crate) bytes: usize,
    pub(crate) messages: usize,
    /// Partitions that are paused.
    pub(crate) paused: usize,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Vitals {
    started: Instant,
    /// When the loop last turned, in milliseconds after `started`.
    turned: AtomicU64,
    bytes: AtomicUsize,
    messages: AtomicUsize,
    paused: AtomicUsize,
}

impl Vitals {
    pub(crate) fn new() -> Self {
        Self {
            started: Instant::now(),
            turned: AtomicU64::new(0),
            bytes: AtomicUsize::new(0),
            messages: AtomicUsize::new(0),
            paused: AtomicUsize::new(0),
        }
    }

    /// Another round begins, with so much on its way.
    pub(crate) fn turn(&self, usage: Usage) {
        let now = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.turned.store(now, Ordering::Relaxed);
        self.bytes.store(usage.bytes, Ordering::Relaxed);
        self.messages.store(usage.messages, Ordering::Relaxed);
        self.paused.store(usage.paused, Ordering::Relaxed);
    }

    pub(crate) fn silent_for(&self) -> Duration {
        let turned = Duration::from_millis(self.turned.load(Ordering::Relaxed));
        self.started.elapsed().saturating_sub(turned)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(crate) fn messages(&self) -> usize {
        self.messages.load(Ordering::Relaxed)
    }

    pub(crate) fn paused(&self) -> usize {
        self.paused.load(Ordering::Relaxed)
    }
}
