//! Where messages go from the poll: into the queue of their partition, or into its hand while it is paused.
//!
//! No I/O: the poll thread carries out the pauses and resumes that come back from here. The rules:
//!
//! - A message is admitted when its partition's queue has room and the worker's budget has.
//! - Otherwise it stays in the partition's hand and the partition is paused.
//! - Paused partitions wait in one line. One whose queue is full lets others pass. One that waits for the
//!   budget does not: until it is served nobody else is, or a large message would starve behind small ones.
//! - The line moves when a queue is half empty, or the budget half unused: each pause throws away what
//!   librdkafka has fetched ahead, so it must not happen for every message.

use std::collections::VecDeque;

use copydesk_article::{Message, NextOffset, Offset, TopicPartition};

use crate::budget::Budget;
use crate::ledger::Position;
use crate::queue::{Delivery, PartitionStream, QueueSender, channel};
use crate::vitals::Usage;

/// What may wait in the queue of one partition.
#[derive(Debug, Clone, Copy)]
pub(crate) struct QueueLimits {
    pub(crate) messages: usize,
    pub(crate) bytes: usize,
    /// Counted for each message besides its own bytes.
    pub(crate) overhead: usize,
}

impl QueueLimits {
    /// What a message counts.
    fn cost(&self, message: &Message) -> usize {
        message.size().saturating_add(self.overhead)
    }
}

/// What waits in a partition's hand.
#[derive(Debug)]
enum Held {
    Message(Message),
    End(NextOffset),
}

#[derive(Debug)]
struct Slot {
    source: TopicPartition,
    queue: QueueSender,
    position: Position,
    hand: VecDeque<Held>,
    paused: bool,
}

/// The queues of all partitions, and the budget that they share.
#[derive(Debug)]
pub(crate) struct Intake {
    limits: QueueLimits,
    budget: Budget,
    // Few (the partitions of one worker), so a search beats hashing topic names.
    slots: Vec<Slot>,
    line: VecDeque<TopicPartition>,
    /// Somebody in the line waits for the budget.
    budget_is_contended: bool,
}

/// A message that is expected: proof that [`Intake::expect`] was asked before it was copied.
#[derive(Debug)]
pub(crate) struct Expected {
    slot: usize,
    pub(crate) source: TopicPartition,
}

/// What to do about a message that arrived.
#[derive(Debug)]
pub(crate) enum Arrival {
    /// Copy it and offer it.
    New(Expected),
    /// It was delivered before in this claim.
    Repeat,
    /// Its partition is not ours any more.
    NotOurs,
}

impl Intake {
    pub(crate) fn new(limits: QueueLimits, total_bytes: usize) -> Self {
        Self {
            limits,
            budget: Budget::new(total_bytes),
            slots: Vec::new(),
            line: VecDeque::new(),
            budget_is_contended: false,
        }
    }

    /// Opens the queue of a partition.
    pub(crate) fn open(&mut self, source: &TopicPartition, start: NextOffset) -> PartitionStream {
        // A queue of an earlier claim cannot be left over; if it is, its messages must not mix with the new ones.
        self.remove(std::slice::from_ref(source), QueueSender::discard);
        let (queue, stream) = channel(source.clone());
        self.slots.push(Slot {
            source: source.clone(),
            queue,
            position: Position::starting_at(start),
            hand: VecDeque::new(),
            paused: false,
        });
        stream
    }

    /// Stops the intake of these partitions; what is queued can still be taken.
    pub(crate) fn close(&mut self, sources: &[TopicPartition]) {
        self.remove(sources, QueueSender::close);
    }

    /// Stops the intake of these partitions and takes back what is queued.
    pub(crate) fn discard(&mut self, sources: &[TopicPartition]) {
        self.remove(sources, QueueSender::discard);
    }

    fn remove(&mut self, sources: &[TopicPartition], end: impl Fn(&QueueSender)) {
        self.slots.retain(|slot| {
            let stays = !sources.contains(&slot.source);
            if !stays {
                end(&slot.queue);
            }
            stays
        });
        self.line.retain(|s| !sources.contains(s));
    }

    /// Whether a message is wanted, before the cost of copying it.
    pub(crate) fn expect(&mut self, topic: &str, partition: i32, offset: i64) -> Arrival {
        let found = self
            .slots
            .iter()
            .position(|s| s.source.partition.get() == partition && s.source.topic.as_str() == topic);
        let Some(slot) = found else {
            return Arrival::NotOurs;
        };
        let Some(entry) = self.slots.get_mut(slot) else {
            return Arrival::NotOurs;
        };
        if entry.position.take(Offset::new(offset)) {
            Arrival::New(Expected {
                slot,
                source: entry.source.clone(),
            })
        } else {
            Arrival::Repeat
        }
    }

    /// Takes a message; gives back the partition if it has to be paused.
    pub(crate) fn offer(&mut self, expected: &Expected, message: Message) -> Option<TopicPartition> {
        let limits = self.limits;
        let slot = self
            .slots
            .get_mut(expected.slot)
            .filter(|s| s.source == expected.source)?;
        let message = if slot.paused {
            // Fetched before the pause took hold.
            message
        } else {
            let size = limits.cost(&message);
            let charge =
                if slot.queue.is_abandoned() || !slot.has_room(limits, size) || self.budget_is_contended {
                    None
                } else {
                    let charge = self.budget.charge(size);
                    self.budget_is_contended = charge.is_none();
                    charge
                };
            match charge {
                Some(charge) => {
                    slot.queue.push(Delivery::Message(message, charge));
                    return None;
                }
                None => message,
            }
        };
        if !slot.queue.is_abandoned() {
            slot.hand.push_back(Held::Message(message));
        }
        if slot.paused {
            return None;
        }
        slot.paused = true;
        self.line.push_back(slot.source.clone());
        Some(slot.source.clone())
    }

    /// The end of a partition was reached. Kafka's client does not say of which topic: with several topics
    /// that have such a partition here, nothing is told.
    pub(crate) fn end(&mut self, partition: i32, at: Option<NextOffset>) {
        let mut candidates = self
            .slots
            .iter_mut()
            .filter(|s| s.source.partition.get() == partition);
        let (Some(slot), None) = (candidates.next(), candidates.next()) else {
            return;
        };
        let at = at.unwrap_or(slot.position.next());
        if !slot.position.end(at) {
            return;
        }
        if slot.hand.is_empty() {
            slot.queue.push(Delivery::End(at));
        } else {
            slot.hand.push_back(Held::End(at));
        }
    }

    /// Moves the line; gives back the partitions to resume.
    pub(crate) fn pump(&mut self) -> Vec<TopicPartition> {
        let mut resumed = Vec::new();
        if self.line.is_empty() {
            self.budget_is_contended = false;
            return resumed;
        }
        self.budget_is_contended = false;
        for source in std::mem::take(&mut self.line) {
            let Some(slot) = self.slots.iter_mut().find(|s| s.source == source) else {
                continue;
            };
            if slot.queue.is_abandoned() {
                // Nobody wants it: paused until it is revoked.
                slot.hand.clear();
                continue;
            }
            let emptied = !self.budget_is_contended
                && slot.queue_is_low(self.limits)
                && slot.empty_hand(self.limits, &self.budget, &mut self.budget_is_contended);
            if emptied {
                slot.paused = false;
                resumed.push(source);
            } else {
                self.line.push_back(source);
            }
        }
        resumed
    }

    /// What is between the poll and the database, and partitions that are paused.
    pub(crate) fn usage(&self) -> Usage {
        Usage {
            bytes: self.budget.used(),
            messages: self.budget.messages(),
            paused: self.slots.iter().filter(|s| s.paused).count(),
        }
    }

    /// Whether no message can come soon: each partition is paused, or has nothing queued.
    pub(crate) fn is_starving(&self) -> bool {
        self.slots
            .iter()
            .all(|s| s.paused || s.queue.load().messages == 0)
    }

    /// Whether something waits for room: the poll thread should look again soon.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.line.is_empty()
    }

    /// Where each partition stands, for messages to people.
    pub(crate) fn positions(&self) -> Vec<(TopicPartition, NextOffset)> {
        self.slots
            .iter()
            .map(|s| (s.source.clone(), s.position.next()))
            .collect()
    }
}

impl Slot {
    fn has_room(&self, limits: QueueLimits, size: usize) -> bool {
        let load = self.queue.load();
        load.messages == 0
            || (load.messages < limits.messages && load.bytes.saturating_add(size) <= limits.bytes)
    }

    fn queue_is_low(&self, limits: QueueLimits) -> bool {
        let load = self.queue.load();
        load.messages <= limits.messages / 2 && load.bytes <= limits.bytes / 2
    }

    /// Queues the held messages; false if some of them still have to wait, `contended` if for the budget.
    fn empty_hand(&mut self, limits: QueueLimits, budget: &Budget, contended: &mut bool) -> bool {
        while let Some(held) = self.hand.pop_front() {
            match held {
                Held::End(at) => self.queue.push(Delivery::End(at)),
                Held::Message(message) => {
                    let size = limits.cost(&message);
                    if !self.has_room(limits, size) {
                        self.hand.push_front(Held::Message(message));
                        return false;
                    }
                    let charge = if budget.is_low() {
                        budget.charge(size)
                    } else {
                        None
                    };
                    let Some(charge) = charge else {
                        self.hand.push_front(Held::Message(message));
                        *contended = true;
                        return false;
                    };
                    self.queue.push(Delivery::Message(message, charge));
                }
            }
        }
        true
    }
}

#[cfg(test)]
#[path = "intake_tests.rs"]
mod tests;
