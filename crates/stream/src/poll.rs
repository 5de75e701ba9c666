//! The poll thread: polls, hands messages to the intake, resumes and pauses partitions, closes.

use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use copydesk_article::NextOffset;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Message as _};
use rdkafka::topic_partition_list::{Offset as KafkaOffset, TopicPartitionList};
use tracing::{debug, info, trace, warn};

use crate::client::{Callbacks, listed, watermarks};
use crate::intake::Arrival;
use crate::shared::Shared;
use crate::throttle::Throttle;
use crate::{StreamError, locked, message};

/// How long a poll waits when nothing else is to do; also how soon a stop is noticed.
const IDLE_POLL: Duration = Duration::from_millis(50);
/// How long a poll waits while paused partitions wait for room.
const BUSY_POLL: Duration = Duration::from_millis(10);
/// How long the goodbye to the group may take. Closing can hang when brokers are away; Kafka then notices by
/// the session timeout.
const CLOSE_PATIENCE: Duration = Duration::from_secs(5);
/// How long questions for a better error text may take.
const EXPLAIN_PATIENCE: Duration = Duration::from_secs(2);

/// How long the poll waits for an answer that nobody wants. Behind a fetch that waits for messages it takes
/// up to a tenth of a second. Not less: a request that librdkafka gives up counts as a failure of the broker.
const WAKING_PATIENCE: Duration = Duration::from_secs(1);

/// Makes the brokers of these partitions be asked for messages at once. A thread of librdkafka whose broker
/// has only paused partitions sleeps for up to a second, and a resume does not wake it (seen with 2.12; a
/// worker with all its partitions paused then stood still for
/// 0.4 s at a time). Any request to the broker does: here for the partitions' ends. The answer is of no use.
/// Only for a worker that has nothing else to do: others lose nothing by the sleep.
fn wake_fetchers(consumer: &BaseConsumer<Callbacks>, mut resumed: TopicPartitionList) {
    let asked = resumed
        .set_all_offsets(KafkaOffset::End)
        .and_then(|()| consumer.offsets_for_times(resumed, WAKING_PATIENCE));
    if let Err(error) = asked {
        trace!(%error, "no answer in time, or no broker");
    }
}

/// What the poll thread owns.
pub(crate) struct Poll {
    consumer: Arc<BaseConsumer<Callbacks>>,
    shared: Arc<Shared>,
    throttle: Throttle,
    topics: Vec<String>,
}

impl Poll {
    pub(crate) fn new(consumer: BaseConsumer<Callbacks>, shared: Arc<Shared>, topics: Vec<String>) -> Self {
        Self {
            consumer: Arc::new(consumer),
            shared,
            throttle: Throttle::default(),
            topics,
        }
    }

    /// Runs until the handle stops it, then closes.
    pub(crate) fn run(mut self) {
        let topics: Vec<&str> = self.topics.iter().map(String::as_str).collect();
        // Here and not in `start`: it runs callbacks.
        if let Err(error) = self.consumer.subscribe(&topics) {
            self.shared.fail(StreamError::Fatal(error.to_string()));
        }
        let consumer = Arc::clone(&self.consumer);
        let callbacks = consumer.context();
        let mut waiting = false;
        while !self.shared.is_stopping() {
            match consumer.poll(if waiting { BUSY_POLL } else { IDLE_POLL }) {
                Some(Ok(record)) => self.take(&record),
                Some(Err(error)) => self.fail_or_wait(&error),
                // Also after a rebalance or a commit: not the same as "no messages".
                None => {}
            }
            let (starving, resumed) = {
                let mut state = callbacks.state();
                let starving = state.intake.is_starving();
                let resumed = state.intake.pump();
                waiting = state.intake.is_waiting();
                self.shared.vitals.turn(state.intake.usage());
                (starving, resumed)
            };
            if !resumed.is_empty() {
                let list = listed(resumed.iter().map(|s| (s, None)));
                if let Err(error) = consumer.resume(&list) {
                    // Only for partitions that are gone meanwhile.
                    debug!(%error, "cannot resume");
                }
                if starving {
                    wake_fetchers(&consumer, list);
                }
            }
            self.commit_hints();
            let start_over = std::mem::take(&mut *locked(&self.shared.start_over));
            if !start_over.is_empty() {
                callbacks.start_over(&consumer, &start_over);
            }
            callbacks.claim_again(&consumer);
        }
        drop(consumer);
        self.close();
    }

    fn take(&self, record: &BorrowedMessage<'_>) {
        let callbacks = self.consumer.context();
        let (partition, offset) = (record.partition(), record.offset());
        let arrival = callbacks.state().intake.expect(record.topic(), partition, offset);
        let paused = match arrival {
            Arrival::New(expected) => {
                let message = message::copied(&expected.source, record);
                callbacks.state().intake.offer(&expected, message)
            }
            Arrival::Repeat => {
                debug!(partition, offset, "a message came twice; the second is dropped");
                None
            }
            Arrival::NotOurs => {
                debug!(partition, offset, "a message of a partition that was given up");
                None
            }
        };
        if let Some(source) = paused {
            debug!(partition = %source, "paused: no room");
            if let Err(error) = self.consumer.pause(&listed([(&source, None)].into_iter())) {
                // What still comes goes to the hand: nothing is lost, only memory.
                warn!(partition = %source, %error, "cannot pause");
            }
        }
    }

    /// Errors of the poll: most are weather.
    fn fail_or_wait(&mut self, error: &KafkaError) {
        let reason = self.consumer.context().reason();
        let code = match error {
            KafkaError::PartitionEOF(partition) => {
                let at = end_offset(&reason).map(NextOffset::new);
                self.consumer.context().state().intake.end(*partition, at);
                return;
            }
            KafkaError::MessageConsumptionFatal(code) => {
                return self.shared.fail(StreamError::Fatal(format!("{code}: {reason}")));
            }
            other => other.rdkafka_error_code(),
        };
        match code {
            Some(RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange) => {
                let partitions = self.out_of_range();
                self.shared.fail(StreamError::OutOfRange { partitions, reason });
            }
            Some(RDKafkaErrorCode::Fatal) => {
                let text = self
                    .consumer
                    .client()
                    .fatal_error()
                    .map_or(reason, |(code, text)| format!("{code}: {text}"));
                self.shared.fail(StreamError::Fatal(text));
            }
            Some(
                RDKafkaErrorCode::UnknownTopicOrPartition
                | RDKafkaErrorCode::UnknownTopic
                | RDKafkaErrorCode::UnknownPartition,
            ) => self.say(
                error,
                &reason,
                "waiting for the topic: it does not exist, `copydesk doctor --fix` creates it",
            ),
            Some(
                RDKafkaErrorCode::TopicAuthorizationFailed
                | RDKafkaErrorCode::GroupAuthorizationFailed
                | RDKafkaErrorCode::SaslAuthenticationFailed
                | RDKafkaErrorCode::Authentication,
            ) => self.say(
                error,
                &reason,
                "kafka refuses this user: see [kafka.properties] and the ACLs of topic and group",
            ),
            _ => self.say(
                error,
                &reason,
                "kafka is in trouble; the client tries again by itself",
            ),
        }
    }

    fn say(&mut self, error: &KafkaError, reason: &str, text: &str) {
        let kind = error.to_string();
        if let Some(left_out) = self.throttle.admit(&kind, Instant::now()) {
            warn!(%error, reason, left_out, "{text}");
        }
    }

    /// Which partitions stand outside of what Kafka holds: librdkafka does not say.
    fn out_of_range(&self) -> String {
        let positions = self.consumer.context().state().intake.positions();
        let until = Instant::now() + EXPLAIN_PATIENCE;
        let outside: Vec<String> = positions
            .into_iter()
            .filter_map(|(source, next)| {
                let (low, high) = watermarks(&self.consumer, &source, until).ok()?;
                let outside = next.get() < low.get() || next.get() > high.get();
                outside.then(|| format!("{source}@{next} (kafka holds {low} to {high})"))
            })
            .collect();
        if outside.is_empty() {
            "a partition of this worker".to_owned()
        } else {
            outside.join(", ")
        }
    }

    fn commit_hints(&self) {
        let due = locked(&self.shared.hints).take_due(Instant::now());
        if due.is_empty() {
            return;
        }
        let callbacks = self.consumer.context();
        let ours: Vec<_> = {
            let state = callbacks.state();
            due.into_iter()
                .filter(|(source, _)| state.roster.is_consuming(source))
                .collect()
        };
        callbacks.commit(&self.consumer, &ours);
    }

    /// Drains, then leaves the group. The consumer is dropped on a thread of its own, because that can hang.
    fn close(self) {
        let callbacks = self.consumer.context();
        let consuming = callbacks.state().roster.consuming();
        callbacks.drain(&self.consumer, &consuming);
        let (done, closed) = mpsc::channel();
        let consumer = self.consumer;
        let closing = std::thread::Builder::new()
            .name("kafka-close".to_owned())
            .spawn(move || {
                // The revocation runs in here; it finds everything drained.
                drop(consumer);
                let _ = done.send(());
            });
        if let Err(error) = closing {
            // The consumer went with the closure, which drops it: closed here and now.
            warn!(%error, "no thread to close the consumer on");
            return;
        }
        match closed.recv_timeout(CLOSE_PATIENCE) {
            Ok(()) => info!("left the consumer group"),
            Err(_) => {
                warn!("kafka did not answer the goodbye; it notices by the session timeout");
            }
        }
    }
}

/// The offset in `Fetch from broker 1 reached end of partition at offset 42 (HighwaterMark 42)`: the crate
/// passes only the partition's number. Should a later librdkafka word it differently, ends fall back to the
/// last delivered position and a test fails.
fn end_offset(reason: &str) -> Option<i64> {
    let (_, rest) = reason.split_once("end of partition at offset ")?;
    rest.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_offset_of_an_end() {
        let reason = "Fetch from broker 1 reached end of partition at offset 42 (HighwaterMark 43)";
        assert_eq!(end_offset(reason), Some(42));
        assert_eq!(end_offset("Broker: No more messages"), None);
    }
}
