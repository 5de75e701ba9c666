//! The CPU threads: a fixed number, fed through one queue, each answer sent back to who asked.
//!
//! Cleaning a page takes milliseconds, which a tokio worker may not be kept from its other tasks for
//! (quickwit's rule of thumb is 500 microseconds), and tokio's blocking pool has hundreds of threads and
//! no order. So: as many plain threads as cores, jobs of some dozen messages each, and the asker keeps the
//! answers' futures in the order of the offsets ([`crate::partition`]).

use std::sync::Arc;
use std::thread;

use crossbeam_channel::{Sender, unbounded};
use tokio::sync::oneshot;

type Job<I, O> = (I, oneshot::Sender<O>);

/// A pool that turns `I` into `O` on its own threads.
///
/// The threads end when the last clone of the pool is dropped.
pub(crate) struct Pool<I, O> {
    jobs: Sender<Job<I, O>>,
    /// Instead of threads: the simulation must not depend on the system's scheduler.
    #[cfg(test)]
    inline: Option<Arc<dyn Fn(I) -> O + Send + Sync>>,
}

impl<I, O> Clone for Pool<I, O> {
    fn clone(&self) -> Self {
        Self {
            jobs: self.jobs.clone(),
            #[cfg(test)]
            inline: self.inline.clone(),
        }
    }
}

impl<I: Send + 'static, O: Send + 'static> Pool<I, O> {
    /// Starts `threads` threads (at least one) that each run `work`.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub(crate) fn start(
        threads: usize,
        work: impl Fn(I) -> O + Send + Sync + 'static,
    ) -> std::io::Result<Self> {
        let (jobs, queue) = unbounded::<Job<I, O>>();
        let work = Arc::new(work);
        for n in 0..threads.max(1) {
            let (queue, work) = (queue.clone(), Arc::clone(&work));
            thread::Builder::new()
                .name(format!("clean-{n}"))
                // Parsers recurse; the depth limit of the cleaner is set with this in mind.
                .stack_size(16 << 20)
                .spawn(move || {
                    for (input, answer) in queue {
                        // The asker may be gone (a lost partition): then nobody wants the answer.
                        let _ = answer.send(work(input));
                    }
                })?;
        }
        Ok(Self {
            jobs,
            #[cfg(test)]
            inline: None,
        })
    }

    /// A pool that does the work at once, on the asker's own thread.
    #[cfg(test)]
    pub(crate) fn inline(work: impl Fn(I) -> O + Send + Sync + 'static) -> Self {
        Self {
            jobs: unbounded().0,
            inline: Some(Arc::new(work)),
        }
    }

    /// Hands a job to the pool. Never blocks: the asker bounds how many jobs it has out.
    ///
    /// The receiver fails only if `work` panicked.
    pub(crate) fn submit(&self, input: I) -> oneshot::Receiver<O> {
        let (answer, receiver) = oneshot::channel();
        #[cfg(test)]
        if let Some(work) = &self.inline {
            let _ = answer.send(work(input));
            return receiver;
        }
        // Cannot fail while `self` holds a sender and the threads hold the receiver; if every thread has
        // died by panic the answer is dropped here and the asker sees the closed channel.
        let _ = self.jobs.send((input, answer));
        receiver
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_job_is_answered_to_its_own_asker() {
        let pool = Pool::start(3, |n: u64| n * n).unwrap();
        let answers: Vec<_> = (0..1_000).map(|n| (n, pool.submit(n))).collect();
        for (n, answer) in answers {
            assert_eq!(answer.await.unwrap(), n * n);
        }
    }
}
