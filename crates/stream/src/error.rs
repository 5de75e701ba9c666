//! What can go wrong, and what to do about it.

use thiserror::Error;

/// Why the consumer, or a question to Kafka, failed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StreamError {
    /// A setting that contradicts another or that delivery depends on.
    #[error("kafka settings: {0}")]
    Config(String),
    /// The operating system did not give us a thread.
    #[error("cannot start the thread {name}: {reason}")]
    Thread {
        /// The thread.
        name: &'static str,
        /// What the system said.
        reason: String,
    },
    /// Kafka did not answer, or refused.
    #[error("{what}: {reason}")]
    Request {
        /// What was asked.
        what: String,
        /// What came back.
        reason: String,
    },
    /// The topic does not exist (or this user must not see it, which Kafka does not tell apart).
    #[error("the topic {0} does not exist, or this login may not see it; `copydesk doctor --fix` creates it")]
    TopicMissing(String),
    /// The position of a partition is outside of what Kafka holds.
    #[error(
        "kafka does not have the messages at {partitions} any more ({reason}): retention deleted them before \
         they were read, or the topic was created again. Start the worker again: it compares its position with \
         the topic and says which offsets are gone; worker.on_lost_range decides what happens to them"
    )]
    OutOfRange {
        /// Partitions with the position and what Kafka holds.
        partitions: String,
        /// Kafka's own words.
        reason: String,
    },
    /// The client gave up for good.
    #[error("kafka's client cannot go on: {0}")]
    Fatal(String),
}

/// Why a [`Coordinator`](crate::Coordinator) could not claim.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct CoordinatorError(String);

impl CoordinatorError {
    /// An error that says this.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}
