//! Copies a record out of librdkafka's buffers.

use std::panic::{AssertUnwindSafe, catch_unwind};

use chrono::DateTime;
use copydesk_article::{Coordinates, Header, Message, Offset, TopicPartition};
use rdkafka::message::{BorrowedMessage, Headers, Message as _};
use tracing::warn;

/// One copy of everything; the original must not outlive the poll, or closing the consumer hangs.
pub(crate) fn copied(source: &TopicPartition, record: &BorrowedMessage<'_>) -> Message {
    let coordinates = Coordinates {
        source: source.clone(),
        offset: Offset::new(record.offset()),
    };
    let headers = record
        .headers()
        .map(|h| copied_headers(h, &coordinates))
        .unwrap_or_default();
    Message {
        timestamp: record
            .timestamp()
            .to_millis()
            .and_then(DateTime::from_timestamp_millis),
        key: record.key().map(<[u8]>::to_vec),
        payload: record.payload().map(<[u8]>::to_vec),
        headers,
        coordinates,
    }
}

/// The headers, without those whose name is not UTF-8: the crate's accessor panics on them, and a record of
/// a stranger must not end the poll thread.
fn copied_headers(headers: &impl Headers, at: &Coordinates) -> Vec<Header> {
    let mut copied = Vec::with_capacity(headers.count());
    for index in 0..headers.count() {
        let header = catch_unwind(AssertUnwindSafe(|| {
            headers.try_get(index).map(|h| Header {
                name: h.key.to_owned(),
                value: h.value.map(<[u8]>::to_vec).unwrap_or_default(),
            })
        }));
        match header {
            Ok(header) => copied.extend(header),
            Err(_) => warn!(message = %at, index, "a header's name is not UTF-8; the header is left out"),
        }
    }
    copied
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use copydesk_article::{Partition, Topic};
    use rdkafka::message::Header as KafkaHeader;

    /// A message of partition 0 whose payload has this many bytes.
    pub(crate) fn message(offset: i64, payload: usize) -> Message {
        Message {
            coordinates: Coordinates {
                source: TopicPartition {
                    topic: Topic::new("t"),
                    partition: Partition::new(0),
                },
                offset: Offset::new(offset),
            },
            timestamp: None,
            key: None,
            payload: Some(vec![0; payload]),
            headers: Vec::new(),
        }
    }

    /// Behaves like the crate's headers with an unreadable name in the middle.
    struct Hostile;

    impl Headers for Hostile {
        fn count(&self) -> usize {
            3
        }

        fn try_get(&self, index: usize) -> Option<KafkaHeader<'_, &[u8]>> {
            assert_ne!(index, 1, "this is what rdkafka does with such a name");
            Some(KafkaHeader {
                key: "name",
                value: (index == 0).then_some(b"value".as_slice()),
            })
        }
    }

    #[test]
    fn an_unreadable_header_costs_only_itself() {
        let headers = copied_headers(&Hostile, &message(1, 0).coordinates);
        let values: Vec<_> = headers.iter().map(|h| h.value.as_slice()).collect();
        assert_eq!(values, [b"value".as_slice(), b""]);
    }
}
