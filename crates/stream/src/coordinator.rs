//! Who decides where partitions start and stores what they deliver.

use std::time::Duration;

use copydesk_article::{NextOffset, Offset, TopicPartition};

use crate::{CoordinatorError, PartitionStream};

/// A partition that the group gave to this worker, and what Kafka holds of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The partition.
    pub source: TopicPartition,
    /// The oldest message that Kafka still has (or will have, in an empty partition).
    pub low: Offset,
    /// Where the next message will go. With `isolation.level=read_committed` (the default) this stops at the
    /// first open transaction.
    pub high: Offset,
}

/// Where to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// The partition.
    pub source: TopicPartition,
    /// The first message to deliver.
    pub next_offset: NextOffset,
}

/// The owner of partitions: claims them, works on them, gives them back.
///
/// All calls come from the poll thread, one after the other, and may block it: no messages arrive meanwhile,
/// heartbeats go on. The sum of one rebalance's waits must stay below `max.poll.interval.ms` (five minutes).
/// An implementation must never wait for the poll thread in turn.
pub trait Coordinator: Send + Sync + 'static {
    /// Takes these partitions and says where each starts. After an error, or for a partition that is missing
    /// in the answer, nothing is read and the claim is tried again in a moment.
    ///
    /// # Errors
    /// Whatever keeps the partitions from being claimed now.
    fn claim(&self, wanted: Vec<Wanted>) -> Result<Vec<Start>, CoordinatorError>;

    /// Hands over the streams of partitions that were claimed just before.
    fn assigned(&self, streams: Vec<PartitionStream>);

    /// Finishes these partitions within `deadline`: their streams are closed already, what is left in them is
    /// still to be stored. Gives back how far each one got; when it returns, nothing of them may be written
    /// any more.
    fn drain(&self, revoked: &[TopicPartition], deadline: Duration) -> Vec<(TopicPartition, NextOffset)>;

    /// Drops these partitions at once: another worker has them already.
    fn lost(&self, partitions: &[TopicPartition]);
}
