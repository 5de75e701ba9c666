//! What the pipeline will say to a record: for dry runs.

use copydesk_article::{Coordinates, Header, Message, Offset, Partition, Reject, Topic, TopicPartition};
use copydesk_decode::Limits;

use crate::Outgoing;

/// Decodes a record as the worker would; `Some` is its refusal.
pub(crate) fn decode(outgoing: &Outgoing, limits: &Limits) -> Option<Reject> {
    let header = |(name, value): &(&str, String)| Header {
        name: (*name).to_owned(),
        value: value.as_bytes().to_vec(),
    };
    let message = Message {
        coordinates: Coordinates {
            source: TopicPartition {
                topic: Topic::new("dry-run"),
                partition: Partition::new(0),
            },
            offset: Offset::new(0),
        },
        timestamp: None,
        key: outgoing.key.as_ref().map(|k| k.as_bytes().to_vec()),
        payload: Some(outgoing.payload.clone()),
        headers: outgoing.headers.iter().map(header).collect(),
    };
    copydesk_decode::decode(&message, limits).err()
}
