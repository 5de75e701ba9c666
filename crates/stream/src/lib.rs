//! Kafka's side of a worker: bounded queues of messages, rebalance callbacks in the right order. And a
//! [`Producer`] for what a worker tells other topics.
//!
//! **In**: a [`StreamConfig`] and a [`Coordinator`], which says where each partition starts. **Out**: one
//! [`PartitionStream`] per partition, in the order of the offsets, and [`Coordinator`] calls when partitions
//! come and go. **May fail**: settings that Kafka's client refuses ([`StreamError::Config`]); while it runs
//! only what waiting cannot mend ([`ConsumerHandle::wait_fatal`]): a position that Kafka no longer has, a
//! fenced instance id. Brokers that are away, a topic that does not exist yet, a coordinator that cannot
//! claim: logged, waited for.
//!
//! # The contract
//!
//! Kafka's committed offsets decide nothing here. Each assignment asks the coordinator (which asks Postgres)
//! for the position, and librdkafka starts exactly there; `auto.offset.reset` is `error`, so there is no
//! second opinion. What a partition's stream delivers during one claim has strictly rising offsets: a
//! message below the expected position is dropped. Nothing else is ever dropped, except at the end of a
//! claim, where what was not delivered is read again by the next owner.
//!
//! # The thread
//!
//! One plain thread, `kafka-poll`, owns the consumer and runs everything of this crate that moves (`poll`,
//! `client`). Callbacks run on it and may block it: the coordinator's claim waits for Postgres, its drain for
//! the last flush. On a tokio worker that deadlocks. The other direction never waits: [`ConsumerHandle`]
//! leaves hints and a stop flag, the thread looks at them at its own pace.
//!
//! # A rebalance
//!
//! The protocol is cooperative-sticky: only what moves is touched.
//!
//! 1. *Assigned*: watermarks are read, [`Coordinator::claim`] gives the positions, queues are made,
//!    librdkafka is told to start there, [`Coordinator::assigned`] hands the streams over. A claim that fails
//!    assigns nothing and is tried again from the poll loop.
//! 2. *Revoked*: the queues are closed, [`Coordinator::drain`] stores what is in them, its positions are
//!    committed as a hint, and only then librdkafka gives the partitions up.
//! 3. *Lost* (no heartbeat for longer than the session timeout): [`Coordinator::lost`], queues are emptied, nothing
//!    is committed.
//!
//! `rebalance` holds this as a pure state machine.
//!
//! # Back-pressure
//!
//! Messages are counted twice. A partition's queue is bounded by count and bytes. The worker as a whole is
//! bounded by bytes, from the poll until the [`Charge`] of the message is dropped, which the worker does
//! when the message is stored. A message that does not fit is held (one per partition) and its
//! partition is paused; `intake` holds the rules, which are fair: who waited first is served first, so a
//! large message cannot starve behind small ones. The poll thread itself never stops polling, so
//! back-pressure never looks like a dead member to Kafka.

pub mod admin;
mod budget;
mod client;
mod config;
mod consumer;
mod coordinator;
mod error;
mod hints;
mod intake;
mod ledger;
mod memory_broker;
mod message;
mod poll;
mod producer;
mod properties;
mod queue;
mod quiet;
mod rebalance;
mod shared;
#[cfg(feature = "testing")]
pub mod testing;
mod throttle;
mod vitals;

pub use budget::Charge;
pub use config::StreamConfig;
pub use consumer::{Consumer, ConsumerHandle};
pub use coordinator::{Coordinator, Start, Wanted};
pub use error::{CoordinatorError, StreamError};
pub use memory_broker::MemoryBroker;
pub use producer::{Producer, Record, SendError};
pub use properties::{Allowed, Properties, is_property, nearest_property};
pub use queue::{Delivery, PartitionStream};
pub use quiet::Quiet;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Takes a lock whatever happened to its last holder: a panic elsewhere is reported there, and the data
/// behind our locks is whole at every point where code that may panic runs.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
