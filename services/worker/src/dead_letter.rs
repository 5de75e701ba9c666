//! A refused message as a record of the dead-letter topic: as it came, with the headers that Kafka Connect
//! and Spring write.
//!
//! Both families name the same facts and encode them differently: Connect writes numbers as decimal text, Spring as
//! big-endian bytes. Each is written as that project does it, down to what happens to a header that is there already
//! (a message that was dead once before): Connect leaves the old one, Spring adds one behind it and replaces those
//! about the exception. docs/outputs.md lists them.

use copydesk_article::Header;
use copydesk_store::DeadLetter;
use copydesk_stream::Record;

/// The name that takes the place of a connector's, and of the class that was at work.
const WHO: &str = "copydesk";

/// The record for a topic of so many partitions. `group` is the consumer group that read the message.
pub(crate) fn record(letter: &DeadLetter, group: &str, partitions: i32) -> Record {
    let source = &letter.message.coordinates.source;
    Record {
        // Spring's convention where the two topics have as many; and always the order of the source's partition.
        partition: Some(source.partition.get().rem_euclid(partitions.max(1))),
        key: letter.message.key.clone(),
        value: letter.message.payload.clone(),
        headers: headers(letter, group),
    }
}

/// The same without its value, for a topic that does not take it: it stays in quarantine.
pub(crate) fn without_value(mut record: Record) -> Record {
    let bytes = record.value.take().map_or(0, |v| v.len());
    record.headers.push(header(
        "copydesk.value-omitted",
        format!("{bytes} bytes are more than the topic takes (max.message.bytes); they are in the table quarantine"),
    ));
    record
}

fn headers(letter: &DeadLetter, group: &str) -> Vec<Header> {
    let at = &letter.message.coordinates;
    let topic = at.source.topic.as_str();
    let class = format!("{WHO}.{}.{}", letter.stage, letter.reason);
    let mut all = letter.message.headers.clone();
    let connect = [
        ("topic", topic.to_owned()),
        ("partition", at.source.partition.get().to_string()),
        ("offset", at.offset.get().to_string()),
        ("connector.name", WHO.to_owned()),
        ("task.id", "0".to_owned()),
        ("stage", connect_stage(&letter.stage).to_owned()),
        ("class.name", WHO.to_owned()),
        ("exception.class.name", class.clone()),
        ("exception.message", letter.detail.clone()),
    ];
    for (name, value) in connect {
        let name = format!("__connect.errors.{name}");
        if all.iter().all(|h| h.name != name) {
            all.push(header(&name, value));
        }
    }
    all.push(header("kafka_dlt-original-topic", topic));
    all.push(header(
        "kafka_dlt-original-partition",
        at.source.partition.get().to_be_bytes(),
    ));
    all.push(header("kafka_dlt-original-offset", at.offset.get().to_be_bytes()));
    // Kafka's own word for a record without one is -1.
    let millis = letter.message.timestamp.map_or(-1, |t| t.timestamp_millis());
    all.push(header("kafka_dlt-original-timestamp", millis.to_be_bytes()));
    all.push(header("kafka_dlt-original-consumer-group", group));
    for (name, value) in [
        ("kafka_dlt-exception-fqcn", class),
        ("kafka_dlt-exception-message", letter.detail.clone()),
    ] {
        all.retain(|h| h.name != name);
        all.push(header(name, value));
    }
    // Our own words last: they are about this refusal, whatever was there before.
    for (name, value) in [
        ("copydesk.stage", letter.stage.as_str()),
        ("copydesk.reason", letter.reason.as_str()),
    ] {
        all.retain(|h| h.name != name);
        all.push(header(name, value));
    }
    if let Some(why) = &letter.dropped_for {
        all.retain(|h| h.name != "copydesk.content-dropped");
        all.push(header("copydesk.content-dropped", why));
    }
    if letter.truncated {
        all.push(header("copydesk.value-truncated", "true"));
    }
    all
}

/// Connect's closed list of stages has no such words as ours; tools read it as an enum.
fn connect_stage(stage: &str) -> &'static str {
    match stage {
        "decode" => "VALUE_CONVERTER",
        "store" => "TASK_PUT",
        _ => "TRANSFORMATION",
    }
}

fn header(name: &str, value: impl AsRef<[u8]>) -> Header {
    Header {
        name: name.to_owned(),
        value: value.as_ref().to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use copydesk_article::{Coordinates, Message, Offset, Partition, Topic, TopicPartition};

    use super::*;

    fn letter(headers: Vec<Header>) -> DeadLetter {
        DeadLetter {
            message: Message {
                coordinates: Coordinates {
                    source: TopicPartition {
                        topic: Topic::new("articles.raw"),
                        partition: Partition::new(7),
                    },
                    offset: Offset::new(258),
                },
                timestamp: chrono_millis(1_700_000_000_123),
                key: Some(b"k".to_vec()),
                payload: Some(b"{".to_vec()),
                headers,
            },
            stage: "decode".into(),
            reason: "bad_json".into(),
            detail: "it breaks off".into(),
            truncated: false,
            dropped_for: None,
        }
    }

    fn chrono_millis(millis: i64) -> Option<chrono::DateTime<chrono::Utc>> {
        chrono::DateTime::from_timestamp_millis(millis)
    }

    fn all<'r>(record: &'r Record, name: &str) -> Vec<&'r [u8]> {
        let named = record.headers.iter().filter(|h| h.name == name);
        named.map(|h| h.value.as_slice()).collect()
    }

    #[test]
    fn each_family_is_encoded_as_its_project_does_it() {
        let record = record(&letter(vec![header("x-crawl", [0, 255])]), "desk", 3);
        assert_eq!(record.partition, Some(1), "7 modulo 3");
        assert_eq!(
            (record.key.as_deref(), record.value.as_deref()),
            (Some(b"k".as_slice()), Some(b"{".as_slice()))
        );
        assert_eq!(record.headers[0], header("x-crawl", [0, 255]));
        let expected: [(&str, &[u8]); 16] = [
            ("__connect.errors.topic", b"articles.raw"),
            ("__connect.errors.partition", b"7"),
            ("__connect.errors.offset", b"258"),
            ("__connect.errors.connector.name", b"copydesk"),
            ("__connect.errors.task.id", b"0"),
            ("__connect.errors.stage", b"VALUE_CONVERTER"),
            ("__connect.errors.class.name", b"copydesk"),
            (
                "__connect.errors.exception.class.name",
                b"copydesk.decode.bad_json",
            ),
            ("__connect.errors.exception.message", b"it breaks off"),
            ("kafka_dlt-original-topic", b"articles.raw"),
            ("kafka_dlt-original-partition", &[0, 0, 0, 7]),
            ("kafka_dlt-original-offset", &[0, 0, 0, 0, 0, 0, 1, 2]),
            (
                "kafka_dlt-original-timestamp",
                &1_700_000_000_123_i64.to_be_bytes(),
            ),
            ("kafka_dlt-original-consumer-group", b"desk"),
            ("kafka_dlt-exception-fqcn", b"copydesk.decode.bad_json"),
            ("kafka_dlt-exception-message", b"it breaks off"),
        ];
        for (name, value) in expected {
            assert_eq!(all(&record, name), [value], "{name}");
        }
        assert_eq!(all(&record, "copydesk.reason"), [b"bad_json".as_slice()]);
    }

    #[test]
    fn what_was_dead_before_keeps_its_history_as_each_project_does_it() {
        let before = vec![
            header("__connect.errors.topic", "older"),
            header("kafka_dlt-original-topic", "older"),
            header("kafka_dlt-exception-message", "older"),
        ];
        let record = record(&letter(before), "desk", 1);
        assert_eq!(all(&record, "__connect.errors.topic"), [b"older".as_slice()]);
        assert_eq!(
            all(&record, "kafka_dlt-original-topic"),
            [b"older".as_slice(), b"articles.raw"]
        );
        assert_eq!(
            all(&record, "kafka_dlt-exception-message"),
            [b"it breaks off".as_slice()]
        );
    }

    #[test]
    fn a_record_without_time_says_so_in_kafkas_way() {
        let mut letter = letter(Vec::new());
        letter.message.timestamp = None;
        let record = record(&letter, "desk", 1);
        assert_eq!(
            all(&record, "kafka_dlt-original-timestamp"),
            [(-1_i64).to_be_bytes()]
        );
    }

    #[test]
    fn a_value_that_the_topic_does_not_take_is_left_out_and_said() {
        let record = without_value(record(&letter(Vec::new()), "desk", 1));
        assert_eq!(record.value, None);
        let said = String::from_utf8(all(&record, "copydesk.value-omitted")[0].to_vec()).unwrap();
        assert!(said.starts_with("1 bytes"), "{said}");
    }
}
