//! Puts on Kafka topics what the outbox holds: at least once, in order, one publisher at a time for each output.
//!
//! It runs in every worker that has the output configured, beside the pipeline and never waited for by it: a
//! worker is what runs all the time, knows the brokers, and has just written the rows. The workers take turns
//! by a lock that lasts as long as the transaction in which a batch is read, sent and deleted. Killed between
//! the broker's word and the commit, it leaves the rows, and they are sent a second time; nothing is left
//! out.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use copydesk_store::{OutboxBatch, OutboxContent, OutboxEntry, Output, Store, StoreError};
use copydesk_stream::{Producer, Record, SendError, StreamConfig, StreamError};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing::{info, warn};

use crate::dead_letter;
use crate::monitor::Monitor;

/// Messages in one transaction.
const MESSAGES: i64 = 500;
/// Bytes of values in one transaction; one larger message goes alone.
const BYTES: i64 = 4 << 20;
/// Between two looks at an outbox that was empty.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// The longest wait between two tries when something is away.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// The number of partitions is asked for again after this.
const ASK_PARTITIONS_EVERY: Duration = Duration::from_secs(60);
/// The same trouble is said again after this.
const SAY_EVERY: Duration = Duration::from_secs(30);

/// Where the outputs go. `None`: they are off.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutputTopics {
    /// Refused messages.
    pub dead_letters: Option<String>,
    /// Stored articles and versions.
    pub articles: Option<String>,
}

impl OutputTopics {
    /// Names of the outputs that are on.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        let on = [
            (Output::DeadLetters, self.dead_letters.is_some()),
            (Output::Articles, self.articles.is_some()),
        ];
        let on = on.into_iter().filter(|(_, on)| *on);
        on.map(|(output, _)| output.as_str()).collect()
    }
}

/// Why a round did not publish everything that it took.
#[derive(Debug, thiserror::Error)]
enum RoundError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Stream(#[from] StreamError),
    #[error(transparent)]
    Send(#[from] SendError),
}

/// What a round found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Round {
    /// Nothing was there, or another worker is at it.
    Idle,
    /// So many were published; there may be more.
    Published(usize),
}

/// The publisher of one output.
pub(crate) struct Publisher {
    output: Output,
    topic: String,
    group: String,
    store: Store,
    producer: Producer,
    monitor: Arc<Monitor>,
    partitions: Option<(i32, Instant)>,
}

/// Starts a publisher for each output that is on.
///
/// # Errors
/// Settings that Kafka's client refuses.
pub(crate) fn start(
    topics: &OutputTopics,
    stream: &StreamConfig,
    store: &Store,
    monitor: &Arc<Monitor>,
    stop: &watch::Receiver<Phase>,
) -> Result<Vec<JoinHandle<()>>> {
    let wanted = [
        (Output::DeadLetters, &topics.dead_letters),
        (Output::Articles, &topics.articles),
    ];
    let mut tasks = Vec::new();
    for (output, topic) in wanted {
        let Some(topic) = topic else { continue };
        let publisher = Publisher {
            output,
            topic: topic.clone(),
            group: stream.group.clone(),
            store: store.clone(),
            producer: Producer::new(stream, topic)
                .with_context(|| format!("cannot make a producer for {topic}"))?,
            monitor: Arc::clone(monitor),
            partitions: None,
        };
        info!(output = output.as_str(), topic, "publishes");
        tasks.push(tokio::spawn(publisher.run(stop.clone())));
    }
    Ok(tasks)
}

/// What a publisher is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Publish as it comes.
    Run,
    /// Nothing more is written here: publish what is there, then end.
    Empty,
    /// End after the round under way.
    Stop,
}

impl Publisher {
    async fn run(mut self, mut phase: watch::Receiver<Phase>) {
        let mut failures: u32 = 0;
        let mut said: Option<(String, Instant)> = None;
        loop {
            let now = *phase.borrow_and_update();
            if now == Phase::Stop {
                return;
            }
            let pause = match self.round().await {
                Ok(Round::Published(_)) => {
                    failures = 0;
                    continue;
                }
                Ok(Round::Idle) if now == Phase::Empty => return,
                Ok(Round::Idle) => {
                    failures = 0;
                    LOOK_EVERY
                }
                Err(error) => {
                    failures += 1;
                    self.monitor.publishing_failed(self.output.as_str());
                    let text = error.to_string();
                    if said
                        .as_ref()
                        .is_none_or(|(before, at)| *before != text || at.elapsed() > SAY_EVERY)
                    {
                        let (output, topic) = (self.output.as_str(), self.topic.as_str());
                        warn!(
                            output,
                            topic,
                            error = text,
                            hint = hint(&error),
                            "cannot publish; the messages wait in the outbox"
                        );
                        said = Some((text, Instant::now()));
                    }
                    self.partitions = None;
                    Duration::from_millis(200)
                        .saturating_mul(1 << failures.min(8))
                        .min(LONGEST_WAIT)
                }
            };
            tokio::select! {
                _ = phase.changed() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Takes a batch, sends it, deletes what was acknowledged up to the first that was not: what is behind
    /// that one is sent again, so that the last time a reader sees each message they stand in their order.
    async fn round(&mut self) -> Result<Round, RoundError> {
        let Some(batch) = self.store.outbox_take(self.output, MESSAGES, BYTES).await? else {
            return Ok(Round::Idle);
        };
        if batch.is_empty() {
            return Ok(Round::Idle);
        }
        let partitions = self.partitions().await?;
        let records: Vec<Record> = batch
            .entries
            .iter()
            .map(|entry| self.record(entry, partitions))
            .collect();
        let mut answers = self.producer.send(&records).await;
        self.send_singly(&batch, records, &mut answers).await;
        let acknowledged = answers.iter().take_while(|a| a.is_ok()).count();
        let ids = batch.entries.iter().take(acknowledged).map(|e| e.id).collect();
        batch.delivered(ids).await?;
        self.monitor.published(self.output.as_str(), acknowledged as u64);
        match answers.into_iter().find_map(Result::err) {
            None => Ok(Round::Published(acknowledged)),
            Some(error) => Err(error.into()),
        }
    }

    /// A record that is too large takes its neighbours along, which were sent in one piece with it: each goes
    /// again alone, and the one that is too large by itself goes without what makes it so.
    async fn send_singly(
        &self,
        batch: &OutboxBatch,
        records: Vec<Record>,
        answers: &mut [Result<(), SendError>],
    ) {
        let Some(first) = answers.iter().position(|a| *a == Err(SendError::TooLarge)) else {
            return;
        };
        if answers.iter().take(first).any(Result::is_err) {
            return;
        }
        for ((entry, record), answer) in batch.entries.iter().zip(records).zip(answers).skip(first) {
            *answer = self.send_one(record.clone()).await;
            if *answer == Err(SendError::TooLarge) {
                warn!(
                    topic = self.topic,
                    outbox_id = entry.id,
                    "larger than the topic takes (max.message.bytes); published without its value or body"
                );
                *answer = self.send_one(smaller(entry, record)).await;
            }
            if answer.is_err() {
                return;
            }
        }
    }

    async fn send_one(&self, record: Record) -> Result<(), SendError> {
        let answers = self.producer.send(&[record]).await;
        answers.into_iter().next().unwrap_or(Ok(()))
    }

    fn record(&self, entry: &OutboxEntry, partitions: i32) -> Record {
        match &entry.content {
            OutboxContent::DeadLetter(letter) => dead_letter::record(letter, &self.group, partitions),
            OutboxContent::Article { story_id, payload } => Record {
                key: Some(story_id.to_string().into_bytes()),
                value: Some(payload.clone().into_bytes()),
                ..Record::default()
            },
        }
    }

    async fn partitions(&mut self) -> Result<i32, StreamError> {
        if let Some((partitions, at)) = self.partitions
            && at.elapsed() < ASK_PARTITIONS_EVERY
        {
            return Ok(partitions);
        }
        let producer = self.producer.clone();
        let partitions = tokio::task::spawn_blocking(move || producer.partitions())
            .await
            .unwrap_or_else(|_| Err(StreamError::Fatal("the question for partitions panicked".into())))?;
        self.partitions = Some((partitions, Instant::now()));
        Ok(partitions)
    }
}

/// The fields that make the record of an article large.
const LARGE: [&str; 6] = ["body", "body_markdown", "links", "images", "captions", "extra"];

/// The record without what makes it large. An article must not become a tombstone: a compacted topic would
/// forget its story.
fn smaller(entry: &OutboxEntry, record: Record) -> Record {
    match &entry.content {
        OutboxContent::DeadLetter(_) => dead_letter::without_value(record),
        OutboxContent::Article { payload, .. } => {
            let mut value: serde_json::Value = serde_json::from_str(payload).unwrap_or_default();
            if let Some(fields) = value.as_object_mut() {
                for large in LARGE {
                    fields.insert(large.to_owned(), serde_json::Value::Null);
                }
                fields.insert("omitted".to_owned(), serde_json::json!(LARGE));
            }
            Record {
                value: Some(value.to_string().into_bytes()),
                ..record
            }
        }
    }
}

fn hint(error: &RoundError) -> &'static str {
    match error {
        RoundError::Stream(StreamError::TopicMissing(_)) => {
            "create the topic, or let `copydesk doctor --fix` do it"
        }
        RoundError::Store(_) => "postgres is away or refuses",
        RoundError::Stream(_) | RoundError::Send(_) => "is Kafka up, and may this user write to the topic?",
    }
}
