//! The callbacks of the consumer: claims, drains, and what librdkafka has to say.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use copydesk_article::{NextOffset, Offset, Partition, Topic, TopicPartition};
use copydesk_secret::Scrubber;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::topic_partition_list::{Offset as KafkaOffset, TopicPartitionList};
use rdkafka::types::RDKafkaRespErr;
use tracing::{debug, error, info, warn};

use crate::coordinator::{Coordinator, Start, Wanted};
use crate::intake::Intake;
use crate::locked;
use crate::rebalance::Roster;
use crate::shared::Shared;

/// How long the watermarks of one claim may take before it is put off.
const WATERMARK_PATIENCE: Duration = Duration::from_secs(10);
/// How long one question for watermarks may take: leaders move, and a new question finds the new one.
const WATERMARK_QUESTION: Duration = Duration::from_secs(3);
/// The wait between two tries of a claim. The coordinator itself has waited longer than this.
const CLAIM_AGAIN: Duration = Duration::from_secs(1);

/// What the poll thread knows. Behind a lock only because the crate hands out the context by shared
/// reference; nobody else takes it.
pub(crate) struct State {
    pub(crate) roster: Roster,
    pub(crate) intake: Intake,
    claim_at: Option<Instant>,
}

/// When a claim is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// In the callback of an assignment: librdkafka waits for its assign to be called, with an empty list if
    /// nothing can start.
    Callback,
    /// From the poll loop, after an earlier try failed: librdkafka waits for nothing.
    Later,
}

/// The consumer's context.
pub(crate) struct Callbacks {
    coordinator: Arc<dyn Coordinator>,
    shared: Arc<Shared>,
    drain_timeout: Duration,
    state: Mutex<State>,
    /// What librdkafka said with the error that the poll is about to return: the crate passes only its code.
    reason: Mutex<String>,
    scrubber: Scrubber,
}

impl Callbacks {
    pub(crate) fn new(
        coordinator: Arc<dyn Coordinator>,
        shared: Arc<Shared>,
        drain_timeout: Duration,
        scrubber: Scrubber,
        intake: Intake,
    ) -> Self {
        Self {
            coordinator,
            shared,
            drain_timeout,
            state: Mutex::new(State {
                roster: Roster::default(),
                intake,
                claim_at: None,
            }),
            reason: Mutex::default(),
            scrubber,
        }
    }

    /// The state, for a moment: never across a call to the coordinator or to librdkafka.
    pub(crate) fn state(&self) -> std::sync::MutexGuard<'_, State> {
        locked(&self.state)
    }

    /// librdkafka's words on the error that was polled last.
    pub(crate) fn reason(&self) -> String {
        locked(&self.reason).clone()
    }

    /// Claims what is wanted and starts it.
    fn claim_and_start(&self, consumer: &BaseConsumer<Self>, at: Moment) {
        let wanted = self.state().roster.wanted();
        let starts = match self.claim(consumer, &wanted) {
            Ok(starts) => starts,
            Err(reason) => {
                warn!(partitions = %names(&wanted), reason, "cannot claim; nothing of these is read until a \
                    claim succeeds");
                self.state().claim_at = Some(Instant::now() + CLAIM_AGAIN);
                Vec::new()
            }
        };
        let (mut streams, mut list) = (Vec::new(), TopicPartitionList::new());
        {
            let mut state = self.state();
            for start in &starts {
                let at = KafkaOffset::Offset(start.next_offset.get());
                let source = &start.source;
                let added = state.roster.claimed(source)
                    && list
                        .add_partition_offset(source.topic.as_str(), source.partition.get(), at)
                        .is_ok();
                if added {
                    // The queue is there before librdkafka can deliver.
                    streams.push(state.intake.open(source, start.next_offset));
                }
            }
            if !state.roster.wanted().is_empty() {
                state.claim_at = Some(Instant::now() + CLAIM_AGAIN);
            }
        }
        let opened: Vec<TopicPartition> = streams.iter().map(|s| s.source().clone()).collect();
        if opened.is_empty() && at == Moment::Later {
            return;
        }
        match consumer.incremental_assign(&list) {
            Ok(()) => {
                let mut state = self.state();
                for source in &opened {
                    state.roster.started(source);
                }
                drop(state);
                if !streams.is_empty() {
                    info!(partitions = %names(&opened), "partitions start");
                    self.coordinator.assigned(streams);
                }
            }
            Err(refused) => {
                error!(partitions = %names(&opened), error = %refused, "kafka's client refuses to start \
                    these partitions; tried again");
                {
                    let mut state = self.state();
                    state.intake.discard(&opened);
                    for source in &opened {
                        state.roster.unclaimed(source);
                    }
                    state.claim_at = Some(Instant::now() + CLAIM_AGAIN);
                }
                if !opened.is_empty() {
                    self.coordinator.lost(&opened);
                }
            }
        }
    }

    fn claim(&self, consumer: &BaseConsumer<Self>, sources: &[TopicPartition]) -> Result<Vec<Start>, String> {
        if sources.is_empty() || self.shared.is_stopping() {
            return Ok(Vec::new());
        }
        let until = Instant::now() + WATERMARK_PATIENCE;
        let mut wanted = Vec::with_capacity(sources.len());
        for source in sources {
            let (low, high) = watermarks(consumer, source, until)?;
            wanted.push(Wanted {
                source: source.clone(),
                low,
                high,
            });
        }
        self.coordinator.claim(wanted).map_err(|e| e.to_string())
    }

    /// Tries again what could not be claimed, if it is time.
    pub(crate) fn claim_again(&self, consumer: &BaseConsumer<Self>) {
        {
            let mut state = self.state();
            match state.claim_at {
                Some(at) if at <= Instant::now() => state.claim_at = None,
                _ => return,
            }
            if state.roster.wanted().is_empty() {
                return;
            }
        }
        self.claim_and_start(consumer, Moment::Later);
    }

    /// Drops these partitions and wants them again, without the group taking part.
    pub(crate) fn start_over(&self, consumer: &BaseConsumer<Self>, sources: &[TopicPartition]) {
        let ours = self.state().roster.release(sources);
        if ours.is_empty() {
            return;
        }
        self.coordinator.lost(&ours);
        locked(&self.shared.hints).forget(&ours);
        let known = {
            let mut state = self.state();
            state.intake.discard(&ours);
            state.roster.released(&ours);
            state.roster.unassign(&ours)
        };
        give_up(consumer, &known);
        let mut state = self.state();
        state.roster.assign(&ours);
        state.claim_at = Some(Instant::now());
    }

    fn revoke(&self, consumer: &BaseConsumer<Self>, list: &TopicPartitionList) {
        let sources = sources(list);
        if consumer.assignment_lost() {
            let lost = self.state().roster.release(&sources);
            if !lost.is_empty() {
                warn!(partitions = %names(&lost), "partitions lost: this worker was silent for longer than \
                    the session timeout, or Kafka was");
                self.coordinator.lost(&lost);
                locked(&self.shared.hints).forget(&lost);
                let mut state = self.state();
                state.intake.discard(&lost);
                state.roster.released(&lost);
            }
        } else {
            self.drain(consumer, &sources);
        }
        let known = self.state().roster.unassign(&sources);
        give_up(consumer, &known);
    }

    /// Stops intake, lets the coordinator store what it has, commits that as a hint. In this order: whoever
    /// comes next must find everything in the ledger that we still write.
    pub(crate) fn drain(&self, consumer: &BaseConsumer<Self>, sources: &[TopicPartition]) {
        let drained = {
            let mut state = self.state();
            let drained = state.roster.release(sources);
            state.intake.close(&drained);
            drained
        };
        if drained.is_empty() {
            return;
        }
        let started = Instant::now();
        let mut reached = self.coordinator.drain(&drained, self.drain_timeout);
        reached.retain(|(source, _)| drained.contains(source));
        locked(&self.shared.hints).forget(&drained);
        // Asynchronous, and yet in order: librdkafka sends it before it leaves or joins again and waits for
        // the answer there. A synchronous one would block this thread for a session timeout when the group's
        // coordinator is away, for a hint.
        self.commit(consumer, &reached);
        self.state().roster.released(&drained);
        info!(partitions = %names(&drained), took_ms = started.elapsed().as_millis() as u64, "partitions given up");
    }

    /// Commits positions as hints.
    pub(crate) fn commit(&self, consumer: &BaseConsumer<Self>, reached: &[(TopicPartition, NextOffset)]) {
        if reached.is_empty() {
            return;
        }
        let list = listed(reached.iter().map(|(source, next)| (source, Some(*next))));
        if let Err(refused) = consumer.commit(&list, CommitMode::Async) {
            debug!(error = %refused, "cannot commit positions; nothing depends on them");
        }
    }
}

impl ClientContext for Callbacks {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        let text = self.scrubber.scrub(text);
        match level {
            RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => {
                error!(target: "librdkafka", facility, "{text}");
            }
            // Connection trouble comes a second time, as an error event, and is logged from there.
            RDKafkaLogLevel::Error => debug!(target: "librdkafka", facility, "{text}"),
            RDKafkaLogLevel::Warning => warn!(target: "librdkafka", facility, "{text}"),
            _ => debug!(target: "librdkafka", facility, "{text}"),
        }
    }

    fn error(&self, _: KafkaError, reason: &str) {
        // Called for the ends of partitions too, and always just before the poll returns the same error: it
        // is logged there.
        *locked(&self.reason) = self.scrubber.scrub(reason);
    }
}

impl ConsumerContext for Callbacks {
    /// Instead of the crate's own, which hands the list with whatever offsets it has to librdkafka even if
    /// the claim failed.
    fn rebalance(&self, consumer: &BaseConsumer<Self>, event: RDKafkaRespErr, list: &mut TopicPartitionList) {
        match event {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => {
                // Empty lists are normal: a cooperative rebalance takes two rounds.
                self.state().roster.assign(&sources(list));
                self.claim_and_start(consumer, Moment::Callback);
            }
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS => self.revoke(consumer, list),
            other => error!(?other, "unknown rebalance event"),
        }
    }

    fn commit_callback(&self, result: KafkaResult<()>, _: &TopicPartitionList) {
        // Errors of an old generation are normal around a rebalance.
        if let Err(refused) = result {
            debug!(error = %refused, "positions were not committed; nothing depends on them");
        }
    }
}

/// Unassigns. A pause outlives the assignment in librdkafka: a partition that was paused and comes back to this
/// worker would never deliver again. So it is taken back first, while the partition is still ours.
fn give_up(consumer: &BaseConsumer<Callbacks>, known: &[TopicPartition]) {
    let list = listed(known.iter().map(|s| (s, None)));
    if !known.is_empty()
        && let Err(refused) = consumer.resume(&list)
    {
        warn!(partitions = %names(known), error = %refused, "cannot take back the pause of these partitions");
    }
    if let Err(refused) = consumer.incremental_unassign(&list) {
        error!(partitions = %names(known), error = %refused, "kafka's client refuses to give up these partitions");
    }
}

/// Asks until the deadline; leaders move, brokers restart.
pub(crate) fn watermarks<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    source: &TopicPartition,
    until: Instant,
) -> Result<(Offset, Offset), String> {
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let question = left.clamp(Duration::from_millis(100), WATERMARK_QUESTION);
        match consumer.fetch_watermarks(source.topic.as_str(), source.partition.get(), question) {
            Ok((low, high)) if low >= 0 && high >= 0 => return Ok((Offset::new(low), Offset::new(high))),
            Ok(strange) => return Err(format!("{source}: kafka says that it holds {strange:?}")),
            Err(error) if left.is_zero() => return Err(format!("{source}: {error}")),
            Err(error) => {
                debug!(partition = %source, %error, "cannot read the watermarks yet");
                #[expect(
                    clippy::disallowed_methods,
                    reason = "a plain thread; errors can come back at once, and asking in a tight loop helps nobody"
                )]
                std::thread::sleep(Duration::from_millis(100).min(left));
            }
        }
    }
}

fn sources(list: &TopicPartitionList) -> Vec<TopicPartition> {
    list.elements()
        .iter()
        .map(|e| TopicPartition {
            topic: Topic::new(e.topic()),
            partition: Partition::new(e.partition()),
        })
        .collect()
}

/// A list for librdkafka.
pub(crate) fn listed<'a>(
    sources: impl Iterator<Item = (&'a TopicPartition, Option<NextOffset>)>,
) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    for (source, next) in sources {
        let (topic, partition) = (source.topic.as_str(), source.partition.get());
        list.add_partition(topic, partition);
        if let Some(next) = next
            && let Err(error) = list.set_partition_offset(topic, partition, KafkaOffset::Offset(next.get()))
        {
            debug!(partition = %source, %error, "not a position");
        }
    }
    list
}

/// `articles[0], articles[1]`, for log lines.
fn names(sources: &[TopicPartition]) -> String {
    let names: Vec<String> = sources.iter().map(ToString::to_string).collect();
    names.join(", ")
}
