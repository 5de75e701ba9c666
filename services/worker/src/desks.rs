//! What the cleaning threads are at: each has a desk on which the message in progress is noted.
//!
//! Written by its thread for each message without a lock, read by the pool (a thread that is long at one
//! message does not count as busy) and by monitoring.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use copydesk_article::{Coordinates, Offset, TopicPartition};

/// A message that a thread has been at for long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Slow {
    /// The message.
    pub(crate) at: Coordinates,
    /// For how long.
    pub(crate) since: Duration,
}

/// The desks of one pool.
#[derive(Debug)]
pub(crate) struct Desks {
    opened: Instant,
    desks: Vec<Desk>,
}

/// The desk of one thread.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    /// Whose messages its thread has; `None`: the thread waits for work.
    source: Mutex<Option<TopicPartition>>,
    offset: AtomicI64,
    /// When the message in progress was begun, in microseconds after `opened`, plus one. 0: none is in progress.
    begun: AtomicU64,
}

/// How many threads work for whom.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Load {
    /// Threads with a job.
    pub(crate) running: usize,
    /// Those of them whose message was begun lately.
    pub(crate) brisk: usize,
}

impl Desks {
    pub(crate) fn new(threads: usize) -> Self {
        Self {
            opened: Instant::now(),
            desks: (0..threads).map(|_| Desk::default()).collect(),
        }
    }

    pub(crate) fn desk(&self, thread: usize) -> Option<&Desk> {
        self.desks.get(thread)
    }

    /// A thread begins a job of a partition, or (`None`) waits for the next.
    pub(crate) fn assign(&self, thread: usize, source: Option<TopicPartition>) {
        if let Some(desk) = self.desk(thread) {
            // Until its first message is in progress the thread counts as brisk.
            desk.begun.store(0, Ordering::Relaxed);
            *locked(&desk.source) = source;
        }
    }

    /// The next message is in progress.
    pub(crate) fn begin(&self, thread: usize, offset: Offset) {
        if let Some(desk) = self.desk(thread) {
            desk.offset.store(offset.get(), Ordering::Relaxed);
            desk.begun.store(self.now(), Ordering::Relaxed);
        }
    }

    /// The load of all threads, and that of one partition.
    pub(crate) fn load(&self, of: &TopicPartition, slow_after: Duration) -> (Load, Load) {
        let (mut all, mut own) = (Load::default(), Load::default());
        for desk in &self.desks {
            let source = locked(&desk.source);
            let Some(source) = source.as_ref() else { continue };
            let brisk = usize::from(self.age(desk).is_none_or(|age| age < slow_after));
            for load in std::iter::once(&mut all).chain((source == of).then_some(&mut own)) {
                load.running += 1;
                load.brisk += brisk;
            }
        }
        (all, own)
    }

    /// Messages that have been in progress for at least so long.
    pub(crate) fn slow(&self, after: Duration) -> Vec<Slow> {
        self.desks
            .iter()
            .filter_map(|desk| {
                let source = locked(&desk.source).clone()?;
                let offset = Offset::new(desk.offset.load(Ordering::Relaxed));
                let since = self.age(desk).filter(|age| *age >= after)?;
                Some(Slow {
                    at: Coordinates { source, offset },
                    since,
                })
            })
            .collect()
    }

    /// A thread that has been at a message for so long, for tests.
    #[cfg(test)]
    pub(crate) fn with_slow(source: TopicPartition, offset: Offset, since: Duration) -> Self {
        let mut desks = Self::new(1);
        desks.assign(0, Some(source));
        desks.begin(0, offset);
        desks.opened -= since;
        desks
    }

    fn age(&self, desk: &Desk) -> Option<Duration> {
        let begun = desk.begun.load(Ordering::Relaxed);
        (begun > 0).then(|| Duration::from_micros(self.now().saturating_sub(begun)))
    }

    fn now(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_micros())
            .unwrap_or(u64::MAX)
            .saturating_add(1)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
