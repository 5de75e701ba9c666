//! The CPU threads: a fixed number, fed through one queue, each answer sent back to who asked.
//!
//! Cleaning a page takes milliseconds, which a tokio worker may not be kept from its other tasks for
//! (quickwit's rule of thumb is 500 microseconds), and tokio's blocking pool has hundreds of threads and
//! no order. So: as many plain threads as cores, jobs of some dozen messages each, and the asker keeps the
//! answers' futures in the order of the offsets ([`crate::partition`]).
//!
//! Partitions take turns. A thread that is long at one message no longer counts: a spare thread takes its
//! place, so that heavy pages on two partitions do not hold up the others. Spare threads are for partitions
//! without such a message only; otherwise one partition of heavy pages would take them all.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use copydesk_article::{Offset, TopicPartition};
use tokio::sync::oneshot;

use crate::desks::Desks;

/// From here on a message is slow. A page of 1 MB takes about a third of it.
const SLOW_AFTER: Duration = Duration::from_millis(100);

struct Job<I, O> {
    input: I,
    answer: oneshot::Sender<O>,
}

/// A pool that turns `I` into `O` on its own threads, which end when it is dropped.
pub(crate) struct Pool<I, O> {
    shared: Arc<Shared<I, O>>,
    /// Instead of threads: the simulation must not depend on the system's scheduler.
    #[cfg(test)]
    inline: Option<Inline<I, O>>,
}

#[cfg(test)]
type Inline<I, O> = Box<dyn Fn(I) -> O + Send + Sync>;

struct Shared<I, O> {
    queue: Mutex<Queue<I, O>>,
    filled: Condvar,
    desks: Arc<Desks>,
    /// Threads that may be busy at once, those with a slow message not counted.
    threads: usize,
}

struct Queue<I, O> {
    /// Jobs that wait, by partition. The partition whose turn is next comes first.
    turns: VecDeque<(TopicPartition, VecDeque<Job<I, O>>)>,
    closed: bool,
}

/// Where the work notes which message it has in progress.
#[derive(Clone, Copy)]
pub(crate) struct Hand<'d> {
    desks: &'d Desks,
    thread: usize,
}

impl Hand<'_> {
    pub(crate) fn begin(self, offset: Offset) {
        self.desks.begin(self.thread, offset);
    }
}

impl<I: Send + 'static, O: Send + 'static> Pool<I, O> {
    /// Starts `threads` threads (at least one) and `spare` ones that each run `work`.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub(crate) fn start(
        threads: usize,
        spare: usize,
        work: impl Fn(I, Hand<'_>) -> O + Send + Sync + 'static,
    ) -> std::io::Result<Self> {
        let threads = threads.max(1);
        let pool = Self::without_threads(threads, threads + spare);
        let work = Arc::new(work);
        for thread in 0..threads + spare {
            let (shared, work) = (Arc::clone(&pool.shared), Arc::clone(&work));
            thread::Builder::new()
                .name(format!("clean-{thread}"))
                .stack_size(STACK)
                .spawn(move || shared.serve(thread, &*work))?;
        }
        Ok(pool)
    }

    fn without_threads(threads: usize, desks: usize) -> Self {
        Self {
            shared: Arc::new(Shared {
                queue: Mutex::new(Queue {
                    turns: VecDeque::new(),
                    closed: false,
                }),
                filled: Condvar::new(),
                desks: Arc::new(Desks::new(desks)),
                threads,
            }),
            #[cfg(test)]
            inline: None,
        }
    }

    /// A pool that does the work at once, on the asker's own thread.
    #[cfg(test)]
    pub(crate) fn inline(work: impl Fn(I) -> O + Send + Sync + 'static) -> Self {
        let mut pool = Self::without_threads(1, 0);
        pool.inline = Some(Box::new(work));
        pool
    }

    /// What its threads are at.
    pub(crate) fn desks(&self) -> Arc<Desks> {
        Arc::clone(&self.shared.desks)
    }

    /// Hands a partition's job to the pool. Never blocks: the asker bounds how many jobs it has out.
    ///
    /// The receiver fails only if `work` panicked.
    pub(crate) fn submit(&self, source: &TopicPartition, input: I) -> oneshot::Receiver<O> {
        let (answer, receiver) = oneshot::channel();
        #[cfg(test)]
        if let Some(work) = &self.inline {
            let _ = answer.send(work(input));
            return receiver;
        }
        let job = Job { input, answer };
        let mut queue = self.shared.lock();
        match queue.turns.iter_mut().find(|(of, _)| of == source) {
            Some((_, jobs)) => jobs.push_back(job),
            None => queue.turns.push_back((source.clone(), VecDeque::from([job]))),
        }
        drop(queue);
        self.shared.filled.notify_one();
        receiver
    }
}

/// Parsers recurse; the depth limit of the cleaner is set with this in mind.
pub(crate) const STACK: usize = 16 << 20;

impl<I, O> Drop for Pool<I, O> {
    fn drop(&mut self) {
        // Whoever could wait for an answer holds the pool.
        self.shared.lock().closed = true;
        self.shared.filled.notify_all();
    }
}

impl<I, O> Shared<I, O> {
    fn lock(&self) -> MutexGuard<'_, Queue<I, O>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, thread: usize, work: &dyn Fn(I, Hand<'_>) -> O) {
        let hand = Hand {
            desks: &self.desks,
            thread,
        };
        while let Some(Job { input, answer }) = self.take(thread) {
            // The asker may be gone (a lost partition): then nobody wants the answer.
            if !answer.is_closed()
                && let Ok(output) = catch_unwind(AssertUnwindSafe(|| work(input, hand)))
            {
                let _ = answer.send(output);
            }
            self.desks.assign(thread, None);
        }
    }

    /// Waits for a job. `None`: the pool is gone.
    fn take(&self, thread: usize) -> Option<Job<I, O>> {
        let mut queue = self.lock();
        loop {
            if queue.closed {
                return None;
            }
            if let Some((source, job)) = self.next(&mut queue) {
                self.desks.assign(thread, Some(source));
                return Some(job);
            }
            queue = if queue.turns.is_empty() {
                self.filled.wait(queue).unwrap_or_else(PoisonError::into_inner)
            } else {
                // Nobody calls when a message turns slow.
                let waited = self.filled.wait_timeout(queue, SLOW_AFTER);
                waited.unwrap_or_else(PoisonError::into_inner).0
            };
        }
    }

    /// The next job that may begin now.
    fn next(&self, queue: &mut Queue<I, O>) -> Option<(TopicPartition, Job<I, O>)> {
        let place = queue.turns.iter().position(|(source, _)| {
            let (all, own) = self.desks.load(source, SLOW_AFTER);
            if own.brisk < own.running {
                all.running < self.threads
            } else {
                all.brisk < self.threads
            }
        })?;
        let (source, mut jobs) = queue.turns.remove(place)?;
        let job = jobs.pop_front()?;
        if !jobs.is_empty() {
            queue.turns.push_back((source.clone(), jobs));
        }
        Some((source, job))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use copydesk_article::{Partition, Topic};

    use super::*;

    fn source(partition: i32) -> TopicPartition {
        TopicPartition {
            topic: Topic::new("t"),
            partition: Partition::new(partition),
        }
    }

    /// A pool whose jobs are messages: each says on a channel that it has begun, and ends when it is told to.
    struct Slow {
        pool: Pool<(i64, mpsc::Receiver<()>), i64>,
        begun: mpsc::Receiver<i64>,
    }

    impl Slow {
        fn new(threads: usize, spare: usize) -> Self {
            let (begin, begun) = mpsc::channel();
            let pool = Pool::start(
                threads,
                spare,
                move |(n, end): (i64, mpsc::Receiver<()>), hand| {
                    hand.begin(Offset::new(n));
                    begin.send(n).unwrap();
                    let _ = end.recv();
                    n
                },
            );
            Self {
                pool: pool.unwrap(),
                begun,
            }
        }

        /// Dropping the sender ends the message.
        fn submit(&self, partition: i32, n: i64) -> (mpsc::Sender<()>, oneshot::Receiver<i64>) {
            let (end, ends) = mpsc::channel();
            (end, self.pool.submit(&source(partition), (n, ends)))
        }
    }

    #[tokio::test]
    async fn every_job_is_answered_to_its_own_asker() {
        let pool = Pool::start(3, 2, |n: u64, _| n * n).unwrap();
        let answers: Vec<_> = (0..1_000)
            .map(|n| (n, pool.submit(&source((n % 7) as i32), n)))
            .collect();
        for (n, answer) in answers {
            assert_eq!(answer.await.unwrap(), n * n);
        }
    }

    #[tokio::test]
    async fn a_panic_costs_its_own_job_only() {
        let pool = Pool::start(1, 0, |n: u64, _| {
            assert!(n > 0);
            n
        })
        .unwrap();
        let (bad, good) = (pool.submit(&source(0), 0), pool.submit(&source(0), 1));
        assert!(bad.await.is_err());
        assert_eq!(good.await.unwrap(), 1);
    }

    #[tokio::test]
    async fn two_slow_messages_on_two_partitions_do_not_hold_up_the_others() {
        let slow = Slow::new(2, 2);
        let (end_0, answer_0) = slow.submit(0, 0);
        let (end_1, answer_1) = slow.submit(1, 1);
        assert_eq!(slow.begun.recv().unwrap() + slow.begun.recv().unwrap(), 1);
        for n in 2..50 {
            let (end, answer) = slow.submit(2 + (n % 3) as i32, n);
            drop(end);
            assert_eq!(answer.await.unwrap(), n);
        }
        let found = slow.pool.desks().slow(SLOW_AFTER);
        let mut at: Vec<_> = found.iter().map(|s| s.at.to_string()).collect();
        at.sort();
        assert_eq!(at, ["t[0]@0", "t[1]@1"]);
        drop((end_0, end_1));
        assert_eq!((answer_0.await.unwrap(), answer_1.await.unwrap()), (0, 1));
    }

    #[tokio::test]
    async fn a_partition_of_slow_messages_does_not_take_the_spare_threads() {
        let slow = Slow::new(1, 2);
        let mut all: Vec<_> = (0..5).map(|n| slow.submit(0, n)).collect();
        assert_eq!(slow.begun.recv().unwrap(), 0);
        for n in 10..20 {
            let (end, answer) = slow.submit(1, n);
            drop(end);
            assert_eq!(answer.await.unwrap(), n);
            assert_eq!(slow.begun.recv().unwrap(), n, "nothing else has begun");
        }
        while !all.is_empty() {
            let (end, answer) = all.remove(0);
            drop(end);
            answer.await.unwrap();
        }
    }
}
