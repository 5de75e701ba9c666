//! Which errors are fatal, which are not, and their messages.

use std::sync::Arc;
use std::time::{Duration, Instant};

use copydesk_stream::{Consumer, StreamConfig, StreamError, admin};

use crate::ledger::{Habits, Ledger, Worker};
use crate::support::{Mock, TOPIC, in_time, start, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_position_that_kafka_does_not_have_is_fatal_and_says_which() {
    let mock = Mock::new(2);
    mock.produce(0, 10, 100).await;
    let ledger = Arc::new(Ledger::default());
    *ledger.starts.lock().unwrap() = [(0, 500), (1, 0)].into();
    let (_, handle) = start("a", mock.config(), &ledger, Habits::default());
    let waiting = in_time("it fails", Duration::from_secs(30), handle.wait_fatal());
    let StreamError::OutOfRange { partitions, .. } = waiting.await else {
        panic!("another error");
    };
    assert_eq!(partitions, "articles[0]@500 (kafka holds 0 to 10)");
    // It can be asked again, and stopping still works.
    assert!(matches!(
        handle.wait_fatal().await,
        StreamError::OutOfRange { .. }
    ));
    in_time("stop", Duration::from_secs(10), handle.stop()).await;
    assert_eq!(ledger.stored(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_topic_is_waited_for() {
    let mock = Mock::new(1);
    let mut config = mock.config();
    config.topics = vec!["later".to_owned()];
    config.extra.insert("topic.metadata.refresh.interval.ms", "200");
    mock.cluster
        .topic_error(
            "later",
            rdkafka::types::RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART,
        )
        .unwrap();
    let ledger = Arc::new(Ledger::default());
    let (worker, handle) = start("a", config, &ledger, Habits::default());
    let started = Instant::now();
    tokio::select! {
        error = handle.wait_fatal() => panic!("{error}"),
        () = until("a while", || started.elapsed() > Duration::from_millis(600)) => {}
    }
    mock.cluster
        .topic_error(
            "later",
            rdkafka::types::RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR,
        )
        .unwrap();
    until("it is found", || !worker.partitions().is_empty()).await;
    handle.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_delivery_depends_on_are_refused() {
    let ledger = Arc::new(Ledger::default());
    let mut config = StreamConfig::new("127.0.0.1:9", TOPIC, "desk");
    config.extra.insert("enable.auto.commit", "true");
    let worker = Worker::new("a", &ledger, Habits::default());
    let error = Consumer::start(config, worker).unwrap_err();
    assert!(error.to_string().contains("enable.auto.commit"), "{error}");
    let mut config = StreamConfig::new("127.0.0.1:9", TOPIC, "desk");
    config.extra.insert("no.such.thing", "1");
    let worker = Worker::new("a", &ledger, Habits::default());
    let error = Consumer::start(config, worker).unwrap_err();
    assert!(error.to_string().contains("no.such.thing"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn admin_sees_what_is_there() {
    let mock = Mock::new(2);
    mock.produce(1, 7, 10).await;
    let config = mock.config();
    let looked = tokio::task::spawn_blocking(move || (admin::ping(&config), admin::watermarks(&config)));
    let (cluster, marks) = looked.await.unwrap();
    assert_eq!(cluster.unwrap().brokers, 3);
    let marks: Vec<_> = marks
        .unwrap()
        .into_iter()
        .map(|m| (m.source.to_string(), m.low.get(), m.high.get()))
        .collect();
    assert_eq!(
        marks,
        [("articles[0]".to_owned(), 0, 0), ("articles[1]".to_owned(), 0, 7)]
    );
}
