//! Questions to Kafka outside of a running consumer. All of them block, for at most some seconds: call them
//! from a thread that may.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

use copydesk_article::{Offset, Partition, Topic, TopicPartition};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset as KafkaOffset, TopicPartitionList};

use crate::{Quiet, StreamConfig, StreamError, client};

/// How long Kafka may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// What a topic that we create accepts as one message: the largest record that `copydesk feed` sends (8 MiB)
/// and what Kafka adds. Kafka's own default is 1 MiB.
const MAX_MESSAGE_BYTES: usize = 9 << 20;

/// The cluster that answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cluster {
    /// Brokers that are up.
    pub brokers: usize,
}

/// What Kafka holds of one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watermarks {
    /// The partition.
    pub source: TopicPartition,
    /// The oldest message still there.
    pub low: Offset,
    /// The first message that cannot be read: where the next one will go, or where the first open transaction
    /// begins, unless `isolation.level` says otherwise.
    pub high: Offset,
    /// Where the next message will go, whatever transactions are open.
    pub end: Offset,
}

impl Watermarks {
    /// Messages that wait for a producer to end its transaction: its own, and those of others behind it.
    pub fn behind_transaction(&self) -> i64 {
        (self.end.get() - self.high.get()).max(0)
    }
}

/// Whether anybody answers.
///
/// # Errors
/// Bad settings, or no answer within ten seconds.
pub fn ping(config: &StreamConfig) -> Result<Cluster, StreamError> {
    let client = questioner(config)?;
    let all = client
        .fetch_metadata(None, PATIENCE)
        .map_err(|e| no_answer(config, &e))?;
    Ok(Cluster {
        brokers: all.brokers().len(),
    })
}

/// Makes sure that the topic exists; says whether it was created now.
///
/// # Errors
/// Bad settings, no answer, or Kafka's refusal.
pub fn ensure_topic(config: &StreamConfig, topic: &str, partitions: i32) -> Result<bool, StreamError> {
    let client = questioner(config)?;
    match partitions_of(config, &client, topic) {
        Ok(_) => return Ok(false),
        Err(StreamError::TopicMissing(_)) => {}
        Err(error) => return Err(error),
    }
    let refused = |reason: String| StreamError::Request {
        what: format!("cannot create the topic {topic}"),
        reason,
    };
    let admin: AdminClient<Quiet> = config
        .questions()?
        .create_with_context(Quiet::new(config.extra.scrubber()))
        .map_err(|e| config.extra.refused(&e))?;
    let max_bytes = MAX_MESSAGE_BYTES.to_string();
    // As many replicas as the cluster's administrator thinks right.
    let wanted =
        NewTopic::new(topic, partitions, TopicReplication::Fixed(-1)).set("max.message.bytes", &max_bytes);
    let options = AdminOptions::new().operation_timeout(Some(PATIENCE));
    let results = wait_for(admin.create_topics([&wanted], &options)).map_err(|e| refused(e.to_string()))?;
    match results.into_iter().next() {
        Some(Ok(_)) => Ok(true),
        // Somebody else was faster.
        Some(Err((_, RDKafkaErrorCode::TopicAlreadyExists))) => Ok(false),
        Some(Err((_, code))) => Err(refused(code.to_string())),
        None => Err(refused("kafka did not say".to_owned())),
    }
}

/// What Kafka holds of all partitions of the topics.
///
/// # Errors
/// Bad settings, no answer, or [`StreamError::TopicMissing`].
pub fn watermarks(config: &StreamConfig) -> Result<Vec<Watermarks>, StreamError> {
    let client = questioner(config)?;
    let mut everything = config.questions()?;
    everything.set("isolation.level", "read_uncommitted");
    let everything: BaseConsumer<Quiet> = everything
        .create_with_context(Quiet::new(config.extra.scrubber()))
        .map_err(|e| config.extra.refused(&e))?;
    let mut all = Vec::new();
    for topic in &config.topics {
        let name = Topic::new(topic);
        let until = Instant::now() + PATIENCE;
        for partition in partitions_of(config, &client, topic)? {
            let source = TopicPartition {
                topic: name.clone(),
                partition: Partition::new(partition),
            };
            let refused = |reason| StreamError::Request {
                what: format!("cannot read the ends of the topic {topic}"),
                reason,
            };
            // First, so that what is put on the topic meanwhile does not look like a transaction.
            let (_, end) = client::watermarks(&everything, &source, until).map_err(refused)?;
            let (low, high) = client::watermarks(&client, &source, until).map_err(refused)?;
            let end = end.max(high);
            all.push(Watermarks {
                source,
                low,
                high,
                end,
            });
        }
    }
    Ok(all)
}

/// The first offset of every partition whose message has this time (milliseconds since 1970) or a later one; the
/// end of the partition where there is none.
///
/// # Errors
/// Bad settings, no answer, or [`StreamError::TopicMissing`].
pub fn offsets_at(config: &StreamConfig, millis: i64) -> Result<Vec<(TopicPartition, Offset)>, StreamError> {
    let marks = watermarks(config)?;
    let refused = |reason: String| StreamError::Request {
        what: "cannot look up offsets by time".to_owned(),
        reason,
    };
    let mut list = TopicPartitionList::new();
    for mark in &marks {
        list.add_partition_offset(
            mark.source.topic.as_str(),
            mark.source.partition.get(),
            KafkaOffset::Offset(millis),
        )
        .map_err(|e| refused(e.to_string()))?;
    }
    let found = questioner(config)?
        .offsets_for_times(list, PATIENCE)
        .map_err(|e| no_answer(config, &e))?;
    Ok(marks
        .into_iter()
        .map(|mark| {
            let (topic, partition) = (mark.source.topic.as_str(), mark.source.partition.get());
            let at = match found.find_partition(topic, partition).map(|e| e.offset()) {
                Some(KafkaOffset::Offset(at)) => Offset::new(at),
                _ => mark.high,
            };
            (mark.source, at)
        })
        .collect())
}

fn partitions_of(
    config: &StreamConfig,
    client: &BaseConsumer<Quiet>,
    topic: &str,
) -> Result<Vec<i32>, StreamError> {
    let metadata = client
        .fetch_metadata(Some(topic), PATIENCE)
        .map_err(|e| no_answer(config, &e))?;
    let missing = || StreamError::TopicMissing(topic.to_owned());
    let found = metadata
        .topics()
        .iter()
        .find(|t| t.name() == topic)
        .ok_or_else(missing)?;
    if let Some(error) = found.error() {
        return Err(match RDKafkaErrorCode::from(error) {
            RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic => missing(),
            code => StreamError::Request {
                what: format!("cannot look at the topic {topic}"),
                reason: code.to_string(),
            },
        });
    }
    if found.partitions().is_empty() {
        return Err(missing());
    }
    Ok(found
        .partitions()
        .iter()
        .map(rdkafka::metadata::MetadataPartition::id)
        .collect())
}

fn no_answer(config: &StreamConfig, error: &KafkaError) -> StreamError {
    StreamError::Request {
        what: format!(
            "no answer from kafka at {} within {} s",
            config.brokers,
            PATIENCE.as_secs()
        ),
        reason: error.to_string(),
    }
}

fn questioner(config: &StreamConfig) -> Result<BaseConsumer<Quiet>, StreamError> {
    config
        .questions()?
        .create_with_context(Quiet::new(config.extra.scrubber()))
        .map_err(|e| config.extra.refused(&e))
}

/// Waits for a future on this thread. Not tokio's: its `block_on` panics inside of tokio, where callers are.
fn wait_for<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(value) => return value,
            Poll::Pending => std::thread::park(),
        }
    }
}
