//! Any bytes as a message: decoding refuses with a reason or gives an article that can go through every stage.
#![no_main]

use std::sync::LazyLock;

use copydesk_article::{Coordinates, Header, Message, Offset, Partition, Topic, TopicPartition};
use copydesk_clean::{Budget, Cleaner, Rules};
use copydesk_decode::{Limits, decode};
use copydesk_dedup::evidence;
use libfuzzer_sys::fuzz_target;

static CLEANER: LazyLock<Cleaner> = LazyLock::new(|| Cleaner::new(Rules::builtin(), Budget::default()));

/// What the first byte says of the message's headers.
const CONTENT_TYPES: [Option<&str>; 6] = [
    None,
    Some("application/json"),
    Some("text/html"),
    Some("text/html; charset=windows-1252"),
    Some("text/plain; charset=utf-8"),
    Some("text/plain; charset=shift_jis"),
];
const ENCODINGS: [Option<&str>; 4] = [None, Some("gzip"), Some("zstd"), Some("deflate")];

fuzz_target!(|data: &[u8]| {
    let Some((first, payload)) = data.split_first() else { return };
    let header = |name: &str, value: Option<&str>| {
        value.map(|v| Header {
            name: name.to_owned(),
            value: v.as_bytes().to_vec(),
        })
    };
    let content_type = CONTENT_TYPES[usize::from(first & 15) % CONTENT_TYPES.len()];
    let encoding = ENCODINGS[usize::from(first >> 4) % ENCODINGS.len()];
    let message = Message {
        coordinates: Coordinates {
            source: TopicPartition {
                topic: Topic::new("fuzz"),
                partition: Partition::new(0),
            },
            offset: Offset::new(0),
        },
        timestamp: None,
        key: None,
        payload: Some(payload.to_vec()),
        headers: header("content-type", content_type).into_iter().chain(header("content-encoding", encoding)).collect(),
    };
    let Ok(raw) = decode(&message, &Limits::default()) else { return };
    assert!(!raw.body.as_str().contains('\0'));
    if let Ok(clean) = CLEANER.clean(&raw) {
        let fingerprint = copydesk_dedup::fingerprint(&clean);
        let stored = evidence::encode(&fingerprint, evidence::Sampling::Full);
        assert!(evidence::decode(&stored).is_ok());
    }
});
