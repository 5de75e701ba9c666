//! The queue of one partition: filled by the poll thread, emptied by one task.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use copydesk_article::{Message, NextOffset, TopicPartition};
use tokio::sync::Notify;

use crate::budget::Charge;
use crate::locked;

/// What a partition delivers.
#[derive(Debug)]
pub enum Delivery {
    /// The next message, and its share of the memory budget.
    Message(Message, Charge),
    /// The end of the partition was reached here: everything below was delivered or was skipped by Kafka
    /// (compaction, transaction markers). More may follow.
    End(NextOffset),
}

#[derive(Debug, Default)]
struct State {
    items: VecDeque<Delivery>,
    messages: usize,
    bytes: usize,
    closed: bool,
    abandoned: bool,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    filled: Notify,
}

/// How full a queue is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Load {
    pub(crate) messages: usize,
    pub(crate) bytes: usize,
}

/// The poll thread's end.
#[derive(Debug)]
pub(crate) struct QueueSender(Arc<Shared>);

/// Messages of one partition, in the order of their offsets, during one claim.
///
/// Dropping it means that nobody wants the partition's messages any more: it stays paused until it is
/// revoked.
#[derive(Debug)]
pub struct PartitionStream {
    source: TopicPartition,
    shared: Arc<Shared>,
}

pub(crate) fn channel(source: TopicPartition) -> (QueueSender, PartitionStream) {
    let shared = Arc::new(Shared::default());
    (
        QueueSender(Arc::clone(&shared)),
        PartitionStream { source, shared },
    )
}

impl QueueSender {
    pub(crate) fn load(&self) -> Load {
        let state = locked(&self.0.state);
        Load {
            messages: state.messages,
            bytes: state.bytes,
        }
    }

    /// Whether the stream was dropped.
    pub(crate) fn is_abandoned(&self) -> bool {
        locked(&self.0.state).abandoned
    }

    pub(crate) fn push(&self, delivery: Delivery) {
        let mut state = locked(&self.0.state);
        if state.closed || state.abandoned {
            return;
        }
        match (&delivery, state.items.back_mut()) {
            // Only the newest end says anything: a partition of nothing but markers must not fill the queue.
            (Delivery::End(next), Some(Delivery::End(last))) => *last = *next,
            (Delivery::End(_), _) => state.items.push_back(delivery),
            (Delivery::Message(_, charge), _) => {
                state.messages += 1;
                state.bytes += charge.bytes();
                state.items.push_back(delivery);
            }
        }
        drop(state);
        self.0.filled.notify_one();
    }

    /// No more will come. What is in the queue can still be taken.
    pub(crate) fn close(&self) {
        locked(&self.0.state).closed = true;
        self.0.filled.notify_one();
    }

    /// No more will come, and what is in the queue is taken back.
    pub(crate) fn discard(&self) {
        let taken_back = {
            let mut state = locked(&self.0.state);
            state.closed = true;
            state.empty()
        };
        drop(taken_back);
        self.0.filled.notify_one();
    }
}

impl Drop for QueueSender {
    fn drop(&mut self) {
        self.close();
    }
}

impl State {
    fn empty(&mut self) -> VecDeque<Delivery> {
        self.messages = 0;
        self.bytes = 0;
        std::mem::take(&mut self.items)
    }

    fn take(&mut self, max_messages: usize, max_bytes: usize) -> Vec<Delivery> {
        let mut taken = Vec::new();
        let (mut messages, mut bytes) = (0, 0usize);
        while let Some(front) = self.items.front() {
            let size = match front {
                Delivery::Message(_, charge) => charge.bytes(),
                Delivery::End(_) => 0,
            };
            let full = messages >= max_messages || bytes.saturating_add(size) > max_bytes;
            if full && !taken.is_empty() {
                break;
            }
            if let Delivery::Message(..) = front {
                messages += 1;
                bytes = bytes.saturating_add(size);
            }
            taken.extend(self.items.pop_front());
        }
        self.messages -= messages;
        self.bytes -= bytes;
        taken
    }
}

impl PartitionStream {
    /// The partition.
    pub fn source(&self) -> &TopicPartition {
        &self.source
    }

    /// Waits for at least one delivery and takes what is there, up to these limits (the first one always).
    /// Empty when the partition was revoked and everything was taken. Safe to cancel: nothing is taken before
    /// it returns.
    pub async fn recv_many(&mut self, max_messages: usize, max_bytes: usize) -> Vec<Delivery> {
        loop {
            {
                let mut state = locked(&self.shared.state);
                let taken = state.take(max_messages, max_bytes);
                if !taken.is_empty() || state.closed {
                    return taken;
                }
            }
            // A push between the look and the wait leaves a permit behind.
            self.shared.filled.notified().await;
        }
    }
}

impl Drop for PartitionStream {
    fn drop(&mut self) {
        let given_back = {
            let mut state = locked(&self.shared.state);
            state.abandoned = true;
            state.empty()
        };
        drop(given_back);
    }
}

#[cfg(test)]
impl PartitionStream {
    /// The sizes of the messages that wait.
    pub(crate) fn sizes(&self) -> Vec<usize> {
        let state = locked(&self.shared.state);
        let size = |delivery: &Delivery| match delivery {
            Delivery::Message(_, charge) => Some(charge.bytes()),
            Delivery::End(_) => None,
        };
        state.items.iter().filter_map(size).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Budget;
    use crate::message::tests::message;

    fn stream() -> (QueueSender, PartitionStream) {
        channel(message(0, 0).coordinates.source)
    }

    fn offsets(deliveries: &[Delivery]) -> Vec<i64> {
        deliveries
            .iter()
            .map(|d| match d {
                Delivery::Message(m, _) => m.coordinates.offset.get(),
                Delivery::End(next) => -next.get(),
            })
            .collect()
    }

    fn push(queue: &QueueSender, budget: &Budget, offset: i64, payload: usize) {
        let message = message(offset, payload);
        let charge = budget.charge(message.size()).unwrap();
        queue.push(Delivery::Message(message, charge));
    }

    #[tokio::test]
    async fn takes_in_order_within_the_limits_but_at_least_one() {
        let (queue, mut stream) = stream();
        let budget = Budget::new(1 << 20);
        for offset in 0..5 {
            push(&queue, &budget, offset, 1_000);
        }
        queue.push(Delivery::End(NextOffset::new(5)));
        queue.push(Delivery::End(NextOffset::new(7)));
        assert_eq!(queue.load().messages, 5);
        assert_eq!(offsets(&stream.recv_many(2, usize::MAX).await), [0, 1]);
        assert_eq!(offsets(&stream.recv_many(9, 10).await), [2]);
        assert_eq!(offsets(&stream.recv_many(9, 2_500).await), [3, 4, -7]);
        assert_eq!(
            queue.load(),
            Load {
                messages: 0,
                bytes: 0
            }
        );
        assert_eq!(budget.used(), 0);
        queue.close();
        assert!(stream.recv_many(1, 1).await.is_empty());
    }

    #[tokio::test]
    async fn a_closed_queue_is_emptied_a_discarded_one_is_not() {
        let budget = Budget::new(1 << 20);
        let (queue, mut stream) = stream();
        push(&queue, &budget, 1, 10);
        queue.close();
        push(&queue, &budget, 2, 10);
        assert_eq!(offsets(&stream.recv_many(9, 9_999).await), [1]);
        assert!(stream.recv_many(9, 9_999).await.is_empty());
        let (queue, mut stream) = channel(stream.source().clone());
        push(&queue, &budget, 1, 10);
        queue.discard();
        assert!(stream.recv_many(9, 9_999).await.is_empty());
        assert_eq!(budget.used(), 0);
    }

    #[tokio::test]
    async fn a_dropped_stream_gives_its_bytes_back() {
        let budget = Budget::new(1 << 20);
        let (queue, stream) = stream();
        push(&queue, &budget, 1, 10);
        drop(stream);
        assert!(queue.is_abandoned());
        push(&queue, &budget, 2, 10);
        assert_eq!(budget.used(), 0);
    }

    #[tokio::test]
    async fn a_cancelled_wait_loses_nothing() {
        let budget = Budget::new(1 << 20);
        let (queue, mut stream) = stream();
        for offset in 0..50 {
            tokio::select! {
                biased;
                got = stream.recv_many(9, 9_999) => panic!("nothing was sent yet: {got:?}"),
                () = tokio::task::yield_now() => {}
            }
            push(&queue, &budget, offset, 10);
            assert_eq!(offsets(&stream.recv_many(9, 9_999).await), [offset]);
        }
    }
}
