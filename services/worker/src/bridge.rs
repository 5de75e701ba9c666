//! The poll thread's end of the [`PartitionManager`](crate::partition_manager::PartitionManager): it sends a
//! request and waits for the answer with a deadline.

use std::sync::mpsc as blocking;
use std::time::{Duration, Instant};

use copydesk_article::{Epoch, NextOffset, TopicPartition};
use copydesk_store::{Progress, StoreError};
use copydesk_stream::{Coordinator, CoordinatorError, PartitionStream, Start, Wanted};
use tokio::sync::mpsc;

/// How long an assignment may wait for Postgres before the poll thread gives up and tries again.
pub(crate) const CLAIM_DEADLINE: Duration = Duration::from_secs(30);

/// What the poll thread, the partitions and the watch of the ledger ask of the manager.
pub(crate) enum Request {
    Claim {
        wanted: Vec<Wanted>,
        until: Instant,
        answer: blocking::SyncSender<Result<Vec<Start>, StoreError>>,
    },
    Assigned(Vec<PartitionStream>),
    Drain {
        revoked: Vec<TopicPartition>,
        until: Instant,
        answer: blocking::SyncSender<Vec<(TopicPartition, NextOffset)>>,
    },
    Lost(Vec<TopicPartition>),
    /// The ledger, read every few seconds.
    Ledger(Vec<Progress>),
    /// A flush was refused: the claim of this epoch is over.
    Fenced(TopicPartition, Epoch),
    /// The breaker stopped a partition.
    Tripped(TopicPartition, Epoch, String),
}

/// The poll thread's end.
pub(crate) struct Bridge {
    pub(crate) requests: mpsc::UnboundedSender<Request>,
}

impl Coordinator for Bridge {
    fn claim(&self, wanted: Vec<Wanted>) -> Result<Vec<Start>, CoordinatorError> {
        let (answer, received) = blocking::sync_channel(1);
        let until = Instant::now() + CLAIM_DEADLINE;
        self.send(Request::Claim {
            wanted,
            until,
            answer,
        })?;
        // A little more than the manager takes, so that its own error arrives rather than a bare time-out.
        match received.recv_timeout(CLAIM_DEADLINE + Duration::from_secs(5)) {
            Ok(Ok(starts)) => Ok(starts),
            Ok(Err(StoreError::TopicRecreated {
                partition,
                next_offset,
                high,
            })) => Err(CoordinatorError::new(format!(
                "{partition}: the ledger is at {next_offset}, beyond the {high} that Kafka named before; \
                    Kafka is asked again"
            ))),
            Ok(Err(error)) => Err(CoordinatorError::new(error.to_string())),
            Err(_) => Err(CoordinatorError::new("the worker did not answer a claim in time")),
        }
    }

    fn assigned(&self, streams: Vec<PartitionStream>) {
        // Fails only while the worker is going down; then the streams are dropped and the queues with them.
        let _ = self.send(Request::Assigned(streams));
    }

    fn drain(&self, revoked: &[TopicPartition], deadline: Duration) -> Vec<(TopicPartition, NextOffset)> {
        let (answer, received) = blocking::sync_channel(1);
        let until = Instant::now() + deadline;
        if self
            .send(Request::Drain {
                revoked: revoked.to_vec(),
                until,
                answer,
            })
            .is_err()
        {
            return Vec::new();
        }
        received
            .recv_timeout(deadline + Duration::from_secs(2))
            .unwrap_or_default()
    }

    fn lost(&self, partitions: &[TopicPartition]) {
        let _ = self.send(Request::Lost(partitions.to_vec()));
    }
}

impl Bridge {
    fn send(&self, request: Request) -> Result<(), CoordinatorError> {
        self.requests
            .send(request)
            .map_err(|_| CoordinatorError::new("the worker is going down"))
    }
}
