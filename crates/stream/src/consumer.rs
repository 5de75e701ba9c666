//! Starting a consumer, and the handle on it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use copydesk_article::{NextOffset, TopicPartition};
use rdkafka::consumer::BaseConsumer;

use crate::client::Callbacks;
use crate::intake::{Intake, QueueLimits};
use crate::poll::Poll;
use crate::shared::Shared;
use crate::{Coordinator, StreamConfig, StreamError, locked};

/// Starts consumers.
#[derive(Debug)]
pub struct Consumer;

impl Consumer {
    /// Starts the poll thread, which joins the group. Does not wait for Kafka: brokers that are away and topics
    /// that do not exist are waited for, with a warning every ten seconds.
    ///
    /// # Errors
    /// [`StreamError::Config`] for settings that contradict each other, that Kafka's client does not know or
    /// that delivery depends on; [`StreamError::Thread`].
    pub fn start(
        config: StreamConfig,
        coordinator: Arc<dyn Coordinator>,
    ) -> Result<ConsumerHandle, StreamError> {
        let shared = Arc::new(Shared::new());
        let limits = QueueLimits {
            messages: config.queue_messages,
            bytes: config.queue_bytes,
            overhead: config.message_overhead,
        };
        let callbacks = Callbacks::new(
            coordinator,
            Arc::clone(&shared),
            config.drain_timeout,
            config.extra.scrubber(),
            Intake::new(limits, config.total_bytes),
        );
        let consumer: BaseConsumer<Callbacks> = config
            .consumer()?
            .create_with_context(callbacks)
            .map_err(|e| config.extra.refused(&e))?;
        let poll = Poll::new(consumer, Arc::clone(&shared), config.topics);
        let thread_shared = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("kafka-poll".to_owned())
            .spawn(move || {
                if catch_unwind(AssertUnwindSafe(|| poll.run())).is_err() {
                    thread_shared.fail(StreamError::Fatal("the poll thread panicked".to_owned()));
                }
                thread_shared.ended.send_replace(true);
            })
            .map_err(|e| StreamError::Thread {
                name: "kafka-poll",
                reason: e.to_string(),
            })?;
        Ok(ConsumerHandle(Arc::new(StopOnDrop(shared))))
    }
}

/// A hold on a running consumer. Cheap to clone; when the last one is dropped, the consumer stops by itself.
#[derive(Clone)]
pub struct ConsumerHandle(Arc<StopOnDrop>);

struct StopOnDrop(Arc<Shared>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.stop.store(true, Ordering::Release);
    }
}

impl std::fmt::Debug for ConsumerHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConsumerHandle").finish_non_exhaustive()
    }
}

impl ConsumerHandle {
    /// Resolves when the consumer cannot go on; never otherwise. Can be asked again and again.
    pub async fn wait_fatal(&self) -> StreamError {
        let mut fatal = self.0.0.fatal.subscribe();
        let failed = match fatal.wait_for(Option::is_some).await {
            Ok(known) => known.clone(),
            Err(_) => None,
        };
        match failed {
            Some(error) => error,
            None => std::future::pending().await,
        }
    }

    /// How long ago the poll thread last went round: milliseconds, unless it hangs. A rebalance takes as long
    /// as its claims and drains.
    pub fn silent_for(&self) -> Duration {
        self.0.0.vitals.silent_for()
    }

    /// Bytes of messages between Kafka and the database, as of the last round.
    pub fn bytes_in_flight(&self) -> usize {
        self.0.0.vitals.bytes()
    }

    /// Messages between Kafka and the database, as of the last round.
    pub fn messages_in_flight(&self) -> usize {
        self.0.0.vitals.messages()
    }

    /// Partitions that are paused because their queue or the budget is full, as of the last round.
    pub fn paused_partitions(&self) -> usize {
        self.0.0.vitals.paused()
    }

    /// Whether the consumer can go on.
    pub fn is_running(&self) -> bool {
        self.0.0.fatal.borrow().is_none() && !*self.0.0.ended.borrow()
    }

    /// Says how far a partition is stored, for lag tools. Never blocks; committed every few seconds, and
    /// nothing depends on it.
    pub fn commit_hint(&self, source: &TopicPartition, next: NextOffset) {
        locked(&self.0.0.hints).note(source, next);
    }

    /// Gives up what was read of these partitions and claims them anew: for a position that was changed by
    /// somebody else in the database. Never blocks; partitions that are not ours any more are left alone.
    pub fn start_over(&self, sources: &[TopicPartition]) {
        locked(&self.0.0.start_over).extend_from_slice(sources);
    }

    /// Drains all partitions through the coordinator, commits their positions, leaves the group. Takes at most
    /// the drain timeout and some seconds (and what is left of a claim that is under way). Safe to call twice.
    pub async fn stop(&self) {
        self.0.0.stop.store(true, Ordering::Release);
        let mut ended = self.0.0.ended.subscribe();
        // An error means that the thread is gone, which is what we wait for.
        let _ = ended.wait_for(|ended| *ended).await;
    }
}
