//! Puts records on a topic and waits for the broker's word on each.

use std::time::Duration;

use copydesk_article::Header;
use rdkafka::config::FromClientConfigAndContext as _;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header as KafkaHeader, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord, Producer as _};

use crate::{Quiet, StreamConfig, StreamError};

/// How long the broker may take to acknowledge a record before it is given back as failed.
const ACKNOWLEDGED_WITHIN: Duration = Duration::from_secs(20);
/// The largest record that is sent at all; the topic's own limit is mostly smaller.
const MAX_RECORD: usize = 100 << 20;
/// How long the topic's partitions may take to come.
const PATIENCE: Duration = Duration::from_secs(5);

/// One record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// Where to; `None` leaves it to the key (Java's hash).
    pub partition: Option<i32>,
    /// The key.
    pub key: Option<Vec<u8>>,
    /// The value; `None` is a tombstone.
    pub value: Option<Vec<u8>>,
    /// Headers in order.
    pub headers: Vec<Header>,
}

/// Why a record was not acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The topic does not take a record of this size. Of several that were sent together, others may be told the same.
    #[error("the record is too large for the topic (its max.message.bytes)")]
    TooLarge,
    /// The broker is away, the topic is missing, the right to write is: whatever passes or is mended.
    #[error("{0}")]
    Refused(String),
}

/// An idempotent producer for one topic: each record is acknowledged by all replicas, in order, and never doubled by a
/// repeat of librdkafka's own.
#[derive(Clone)]
pub struct Producer {
    inner: FutureProducer<Quiet>,
    topic: String,
}

impl Producer {
    /// Makes a producer. Nothing is asked of Kafka yet.
    ///
    /// # Errors
    /// Settings that Kafka's client refuses.
    pub fn new(config: &StreamConfig, topic: &str) -> Result<Self, StreamError> {
        let settings = config.producer(ACKNOWLEDGED_WITHIN, MAX_RECORD)?;
        let inner = FutureProducer::from_config_and_context(&settings, Quiet::new(config.extra.scrubber()))
            .map_err(|e| config.extra.refused(&e))?;
        Ok(Self {
            inner,
            topic: topic.to_owned(),
        })
    }

    /// Sends the records in this order and waits for all of them; the answers are in the same order. A record
    /// that failed may be on the topic all the same.
    pub async fn send(&self, records: &[Record]) -> Vec<Result<(), SendError>> {
        let mut waiting = Vec::with_capacity(records.len());
        for record in records {
            waiting.push(self.enqueue(record).await);
        }
        let mut answers = Vec::with_capacity(waiting.len());
        for delivery in waiting {
            answers.push(match delivery {
                Err(error) => Err(error),
                Ok(delivery) => match delivery.await {
                    Ok(Ok(_)) => Ok(()),
                    Ok(Err((error, _))) => Err(reason(&error)),
                    Err(_) => Err(SendError::Refused("the producer is going down".to_owned())),
                },
            });
        }
        answers
    }

    async fn enqueue(
        &self,
        record: &Record,
    ) -> Result<rdkafka::producer::future_producer::DeliveryFuture, SendError> {
        let mut headers = OwnedHeaders::new_with_capacity(record.headers.len());
        for header in &record.headers {
            headers = headers.insert(KafkaHeader {
                key: &header.name,
                value: Some(&header.value),
            });
        }
        let mut outgoing: FutureRecord<'_, [u8], [u8]> = FutureRecord::to(&self.topic).headers(headers);
        outgoing.partition = record.partition;
        outgoing.key = record.key.as_deref();
        outgoing.payload = record.value.as_deref();
        loop {
            match self.inner.send_result(outgoing) {
                Ok(delivery) => return Ok(delivery),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), again)) => {
                    outgoing = again;
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                Err((error, _)) => return Err(reason(&error)),
            }
        }
    }

    /// How many partitions the topic has. Blocks for some seconds if Kafka is away.
    ///
    /// # Errors
    /// No answer, or [`StreamError::TopicMissing`].
    pub fn partitions(&self) -> Result<i32, StreamError> {
        let refused = |reason: String| StreamError::Request {
            what: format!("cannot look at the topic {}", self.topic),
            reason,
        };
        let metadata = self
            .inner
            .client()
            .fetch_metadata(Some(&self.topic), PATIENCE)
            .map_err(|e| refused(e.to_string()))?;
        let partitions = metadata
            .topics()
            .iter()
            .find(|t| t.name() == self.topic)
            .map_or(0, |t| t.partitions().len());
        match i32::try_from(partitions) {
            Ok(partitions) if partitions > 0 => Ok(partitions),
            _ => Err(StreamError::TopicMissing(self.topic.clone())),
        }
    }
}

fn reason(error: &KafkaError) -> SendError {
    match error.rdkafka_error_code() {
        Some(RDKafkaErrorCode::MessageSizeTooLarge | RDKafkaErrorCode::InvalidMessageSize) => {
            SendError::TooLarge
        }
        Some(RDKafkaErrorCode::MessageTimedOut) => SendError::Refused(format!(
            "kafka has not acknowledged it within {} s",
            ACKNOWLEDGED_WITHIN.as_secs()
        )),
        Some(code) => SendError::Refused(code.to_string()),
        None => SendError::Refused(error.to_string()),
    }
}
