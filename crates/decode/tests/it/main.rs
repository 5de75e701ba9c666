//! Decoding as producers and the pipeline see it: whole messages in, articles or refusals out.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests are tests"
)]

mod bare;
mod docs;
mod envelope;
mod hostile;
mod reasons;
mod tombstones;

use copydesk_article::{
    Coordinates, Header, Message, Offset, Partition, RawArticle, Reject, Topic, TopicPartition,
};
use copydesk_decode::{Limits, decode};

/// A message as Kafka would give it.
fn message(payload: &[u8], headers: &[(&str, &str)]) -> Message {
    Message {
        coordinates: Coordinates {
            source: TopicPartition {
                topic: Topic::new("articles.raw"),
                partition: Partition::new(0),
            },
            offset: Offset::new(0),
        },
        timestamp: None,
        key: None,
        payload: Some(payload.to_vec()),
        headers: headers
            .iter()
            .map(|(name, value)| Header {
                name: (*name).to_owned(),
                value: value.as_bytes().to_vec(),
            })
            .collect(),
    }
}

fn read(payload: &[u8], headers: &[(&str, &str)]) -> Result<RawArticle, Reject> {
    decode(&message(payload, headers), &Limits::default())
}

/// An envelope that must be accepted.
fn article(json: &str) -> RawArticle {
    read(json.as_bytes(), &[]).unwrap_or_else(|e| panic!("{e}: {json}"))
}
