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
    let stages = Arc::new(Stages::new(Limits::default(), cleaner, None, false, None));
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

/// What comes of a message if the process that cleans it is this shell script.
fn cleaned_by(script: &str, patience: std::time::Duration) -> CleanedAlone {
    let command = IsolatedCommand {
        program: "/bin/sh".into(),
        args: vec!["-c".into(), script.into()],
        variables: Vec::new(),
    };
    clean_alone(&command, message(7), patience).unwrap()
}

#[test]
fn a_process_that_cleans_one_message_is_ended_when_its_time_is_over() {
    let ended = |script: &str, millis: u64| match cleaned_by(script, std::time::Duration::from_millis(millis))
    {
        CleanedAlone::Ended(how) => how,
        other => panic!("{other:?}"),
    };
    let begun = Instant::now();
    assert!(ended("exec sleep 600", 50).contains("not done within"));
    assert!(begun.elapsed().as_secs() < 60, "the sleeper was waited for");
    assert!(ended("cat >/dev/null; exit 3", 60_000).contains("exit status: 3"));
    assert!(ended("kill -9 $$", 60_000).contains("signal: 9"));
    assert!(ended("echo this is no JSON; cat >/dev/null", 60_000).contains("ended"));
}

#[test]
fn what_came_of_one_message_crosses_the_pipe() {
    let cleaner = || Cleaner::new(Rules::builtin(), Budget::default());
    let mut pipe = Vec::new();
    frame::write(&mut pipe, &message(7)).unwrap();
    let mut answer = Vec::new();
    alone::answer(Limits::default(), cleaner(), pipe.as_slice(), &mut answer).unwrap();
    match serde_json::from_slice(&answer).unwrap() {
        CleanedAlone::Article(article) => assert!(article.body().contains("The ferry sails again")),
        other => panic!("{other:?}"),
    }
    let bad = Message {
        payload: Some(b"{".to_vec()),
        ..message(8)
    };
    let (mut pipe, mut answer) = (Vec::new(), Vec::new());
    frame::write(&mut pipe, &bad).unwrap();
    alone::answer(Limits::default(), cleaner(), pipe.as_slice(), &mut answer).unwrap();
    let said: CleanedAlone = serde_json::from_slice(&answer).unwrap();
    assert!(matches!(said, CleanedAlone::Refused(why) if why.contains("bad_json")));
}
