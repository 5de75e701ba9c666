//! Sends records and counts what Kafka acknowledges.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Result, anyhow};
use copydesk_secret::Scrubber;
use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::config::{FromClientConfigAndContext as _, RDKafkaLogLevel};
use rdkafka::error::KafkaError;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer as _, ProducerContext};
use rdkafka::types::RDKafkaErrorCode;
use tokio::sync::watch;

use crate::report::FeedReport;
use crate::resume::Tracker;
use crate::{FeedOptions, Origin, Outgoing};

/// Failed records that are named in the report.
const NAMED: usize = 20;

/// Headers, key and framing of the largest record.
const OVERHEAD: usize = 1 << 20;

/// The largest message that a topic of ours must take.
pub(crate) const fn max_message_bytes(options: &FeedOptions) -> usize {
    options.limits.max_record_bytes + OVERHEAD
}

/// The client's settings: every record acknowledged by all replicas, none twice, in order.
pub(crate) fn settings(options: &FeedOptions) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", &options.brokers)
        .set("client.id", "copydesk-feed")
        // A topic must not come into being by accident, with the broker's number of partitions.
        .set("allow.auto.create.topics", "false")
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("compression.type", "zstd")
        .set("linger.ms", "50")
        .set("batch.size", "1000000")
        .set("message.max.bytes", max_message_bytes(options).to_string())
        .set("message.timeout.ms", "120000")
        // What waits for a broker: the memory of a run, whatever the size of its sources.
        .set("queue.buffering.max.messages", "50000")
        .set("queue.buffering.max.kbytes", "65536")
        // Java's hash: producers in other languages put the same site into the same partition.
        .set("partitioner", "murmur2_random");
    options.properties.apply(&mut config);
    config
}

/// Counts deliveries. The callbacks run where the producer is polled: on the feeding thread.
#[derive(Default)]
struct Deliveries {
    scrubber: Scrubber,
    tracker: Arc<Mutex<Tracker>>,
    acknowledged: AtomicU64,
    failed: AtomicU64,
    hopeless: AtomicBool,
    named: Mutex<Vec<String>>,
}

impl Deliveries {
    fn fail(&self, sent: &Sent, error: &KafkaError) {
        let origin = &sent.origin;
        self.failed.fetch_add(1, Ordering::Relaxed);
        let code = error.rdkafka_error_code();
        let mut tracker = self.tracker.lock().unwrap_or_else(PoisonError::into_inner);
        match (code, sent.ticket) {
            // It is named, and would be refused another time: what comes after it must not be sent again for it.
            (Some(RDKafkaErrorCode::MessageSizeTooLarge), Some(ticket)) => tracker.settled(ticket),
            (_, Some(_)) => tracker.lost(),
            (_, None) => {}
        }
        drop(tracker);
        if code == Some(RDKafkaErrorCode::MessageTimedOut) {
            self.hopeless.store(true, Ordering::Relaxed);
        }
        let mut named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
        if named.len() < NAMED {
            let hint = match code {
                Some(RDKafkaErrorCode::MessageSizeTooLarge) => "; raise max.message.bytes of the topic",
                Some(RDKafkaErrorCode::MessageTimedOut) => "; Kafka is out of reach",
                _ => "",
            };
            named.push(format!("{origin}: not acknowledged: {error}{hint}"));
        }
    }
}

/// What is known of a record on its way.
struct Sent {
    origin: Origin,
    /// Its number with the tracker.
    ticket: Option<u64>,
}

impl ClientContext for Deliveries {
    fn error(&self, error: KafkaError, reason: &str) {
        tracing::warn!(%error, reason = self.scrubber.scrub(reason), "kafka");
    }

    fn log(&self, _: RDKafkaLogLevel, facility: &str, text: &str) {
        tracing::debug!(target: "librdkafka", facility, "{}", self.scrubber.scrub(text));
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = Box<Sent>;

    fn delivery(&self, result: &DeliveryResult<'_>, sent: Box<Sent>) {
        match result {
            Ok(_) => {
                self.acknowledged.fetch_add(1, Ordering::Relaxed);
                if let Some(ticket) = sent.ticket {
                    let mut tracker = self.tracker.lock().unwrap_or_else(PoisonError::into_inner);
                    tracker.settled(ticket);
                }
            }
            Err((error, _)) => self.fail(&sent, error),
        }
    }
}

/// Sends to one topic.
pub(crate) struct Sender {
    producer: BaseProducer<Deliveries>,
    topic: String,
    traceparent: Option<String>,
}

impl Sender {
    /// Tells `tracker` of every record that is sent with a ticket.
    pub(crate) fn new(options: &FeedOptions, tracker: Arc<Mutex<Tracker>>) -> Result<Self> {
        let deliveries = Deliveries {
            scrubber: options.properties.scrubber(),
            tracker,
            ..Deliveries::default()
        };
        let producer = BaseProducer::from_config_and_context(&settings(options), deliveries)
            .map_err(|e| options.properties.refused(&e))?;
        Ok(Self {
            producer,
            topic: options.topic.clone(),
            traceparent: options.traceparent.clone(),
        })
    }

    /// Queues a record; waits while the queue is full.
    ///
    /// # Errors
    /// The producer is broken for good. A record that Kafka will not take is counted instead.
    pub(crate) fn send(
        &self,
        outgoing: Outgoing,
        ticket: Option<u64>,
        stop: &watch::Receiver<bool>,
    ) -> Result<()> {
        let mut headers = OwnedHeaders::new_with_capacity(outgoing.headers.len() + 1);
        let trace = self.traceparent.iter().map(|value| ("traceparent", value));
        for (key, value) in outgoing.headers.iter().map(|(k, v)| (*k, v)).chain(trace) {
            headers = headers.insert(Header {
                key,
                value: Some(value),
            });
        }
        let sent = Sent {
            origin: outgoing.origin,
            ticket,
        };
        let mut record = BaseRecord::with_opaque_to(&self.topic, Box::new(sent))
            .payload(outgoing.payload.as_slice())
            .headers(headers);
        if let Some(key) = &outgoing.key {
            record = record.key(key.as_bytes());
        }
        loop {
            match self.producer.send(record) {
                Ok(()) => {
                    self.producer.poll(Duration::ZERO);
                    return Ok(());
                }
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                    if *stop.borrow() || self.is_hopeless() {
                        let why = KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull);
                        self.deliveries().fail(&back.delivery_opaque, &why);
                        return Ok(());
                    }
                    record = back;
                    self.producer.poll(Duration::from_millis(10));
                }
                Err((error @ KafkaError::MessageProduction(RDKafkaErrorCode::MessageSizeTooLarge), back)) => {
                    self.deliveries().fail(&back.delivery_opaque, &error);
                    return Ok(());
                }
                Err((error, back)) => {
                    return Err(
                        anyhow!(error).context(format!("cannot send {}", back.delivery_opaque.origin))
                    );
                }
            }
        }
    }

    /// Spends time usefully: delivers what waits.
    pub(crate) fn idle(&self, time: Duration) {
        self.producer.poll(time);
    }

    /// Records that Kafka has acknowledged so far.
    pub(crate) fn acknowledged(&self) -> u64 {
        self.deliveries().acknowledged.load(Ordering::Relaxed)
    }

    /// Kafka has been out of reach for so long that records were given up: sending more is no use.
    pub(crate) fn is_hopeless(&self) -> bool {
        self.deliveries().hopeless.load(Ordering::Relaxed)
    }

    /// Waits until everything is acknowledged or given up (message.timeout.ms), and writes the counts down.
    ///
    /// # Errors
    /// The producer broke for good on the way.
    pub(crate) fn finish(self, report: &mut FeedReport, mut each: impl FnMut(u64)) -> Result<()> {
        while self.producer.in_flight_count() > 0 {
            // A timeout means that it is not over yet, and nothing else.
            let _ = self.producer.flush(Duration::from_millis(200));
            each(self.acknowledged());
        }
        let deliveries = self.deliveries();
        let named = deliveries
            .named
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        report.delivered(
            self.acknowledged(),
            deliveries.failed.load(Ordering::Relaxed),
            &named,
        );
        match self.producer.client().fatal_error() {
            None => Ok(()),
            Some((code, reason)) => Err(anyhow!("the producer broke: {code}: {reason}\n{report}")),
        }
    }

    fn deliveries(&self) -> &Deliveries {
        self.producer.context()
    }
}
