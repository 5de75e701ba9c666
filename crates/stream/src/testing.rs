//! The way from the poll to a partition's task without Kafka, for tests of what comes behind it.

use copydesk_article::{Message, NextOffset, TopicPartition};

use crate::PartitionStream;
use crate::intake::{Arrival, Intake, QueueLimits};

/// The queues of a worker's partitions, filled by the test: the same that the poll thread fills.
#[derive(Debug)]
pub struct Feed(Intake);

impl Default for Feed {
    fn default() -> Self {
        let limits = QueueLimits {
            messages: 10_000,
            bytes: 1 << 30,
            overhead: 0,
        };
        Self(Intake::new(limits, 1 << 30))
    }
}

impl Feed {
    /// Opens the queue of a partition that was claimed.
    pub fn open(&mut self, source: &TopicPartition, start: NextOffset) -> PartitionStream {
        self.0.open(source, start)
    }

    /// Delivers a message; says whether it was wanted.
    pub fn deliver(&mut self, message: Message) -> bool {
        let at = &message.coordinates;
        let (topic, partition) = (at.source.topic.clone(), at.source.partition.get());
        match self.0.expect(topic.as_str(), partition, at.offset.get()) {
            Arrival::New(expected) => {
                self.0.offer(&expected, message);
                true
            }
            Arrival::Repeat | Arrival::NotOurs => false,
        }
    }

    /// The partition's end was reached.
    pub fn end(&mut self, source: &TopicPartition, at: NextOffset) {
        self.0.end(source.partition.get(), Some(at));
    }

    /// No more comes; what is queued can be taken.
    pub fn close(&mut self, sources: &[TopicPartition]) {
        self.0.close(sources);
    }

    /// No more comes, and what is queued is taken back.
    pub fn discard(&mut self, sources: &[TopicPartition]) {
        self.0.discard(sources);
    }
}
