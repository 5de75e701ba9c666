use copydesk_article::{Coordinates, Header, Offset, Partition, Topic, TopicPartition};
use copydesk_clean::{Budget, Cleaner, Rules};
use copydesk_decode::Limits;

use super::*;
use crate::pool::Pool;

fn message(offset: i64) -> Message {
    let text = "The ferry sails again on Monday, the harbour master said, after four days of storm.";
    Message {
        coordinates: Coordinates {
            source: TopicPartition {
                topic: Topic::new("articles"),
                partition: Partition::new(3),
            },
            offset: Offset::new(offset),
        },
        timestamp: chrono::DateTime::from_timestamp_millis(1_700_000_000_123),
        key: Some(b"k".to_vec()),
        payload: Some(format!("{{\"text\": \"{text}\"}}").into_bytes()),
        headers: vec![Header {
            name: "x".into(),
            value: vec![0, 255],
        }],
    }
}

/// The outcomes of two messages if the process that tries them is this shell script.
async fn tried_by(program: &str, script: &str) -> Vec<Result<(), Reject>> {
    let command = IsolatedCommand {
        program: program.into(),
        args: vec!["-c".into(), script.into()],
        variables: Vec::new(),
    };
    let cleaner = Cleaner::new(Rules::builtin(), Budget::default());
    let stages = Arc::new(Stages::new(Limits::default(), cleaner, None, None));
    let isolation = Isolation::new(command, stages, Workspace::unbounded());
    let messages = vec![message(7), message(8)];
    let source = messages[0].coordinates.source.clone();
    let pool = Pool::start(1, 0, move |messages, hand| isolation.prepare(messages, hand).0).unwrap();
    let items = pool.submit(&source, messages).await.unwrap();
    items
        .into_iter()
        .map(|(item, _)| item.outcome.map(drop))
        .collect()
}

#[test]
fn a_message_crosses_the_pipe_as_it_is() {
    let bare = Message {
        timestamp: None,
        key: None,
        payload: None,
        headers: Vec::new(),
        ..message(9)
    };
    let mut pipe = Vec::new();
    for message in [message(8), bare.clone()] {
        frame::write(&mut pipe, &message).unwrap();
    }
    let mut pipe = pipe.as_slice();
    assert_eq!(frame::read(&mut pipe).unwrap(), Some(message(8)));
    assert_eq!(frame::read(&mut pipe).unwrap(), Some(bare));
    assert_eq!(frame::read(&mut pipe).unwrap(), None);
}

#[tokio::test]
async fn what_ends_two_processes_is_refused_with_the_stage_and_the_signal() {
    for outcome in tried_by("/bin/sh", "printf rdc; kill -6 $$").await {
        let reject = outcome.unwrap_err();
        assert_eq!((reject.stage, reject.reason), (Stage::Clean, Reason::KillsWorker));
        assert!(reject.detail.contains("signal: 6"), "{}", reject.detail);
    }
}

#[tokio::test]
async fn what_survives_is_prepared_like_any_other() {
    let outcomes = tried_by("/bin/sh", "printf 'rdcf.dcf.'; exec cat >/dev/null").await;
    assert_eq!(outcomes, [Ok(()), Ok(())]);
}

#[tokio::test]
async fn a_process_that_dies_once_costs_its_message_nothing() {
    // Each process tries one message and is killed when the next comes.
    let outcomes = tried_by("/bin/sh", "printf 'rd.'; head -c 60 >/dev/null; kill -9 $$").await;
    assert_eq!(outcomes, [Ok(()), Ok(())]);
}

#[tokio::test]
async fn where_no_process_can_be_started_messages_are_prepared_without() {
    for (program, script) in [("/nowhere", ""), ("/bin/sh", "exit 3")] {
        assert_eq!(tried_by(program, script).await, [Ok(()), Ok(())]);
    }
}
