use copydesk_article::{Partition, Topic};

use super::pages::View;
use super::*;
use crate::partition_manager::Stopped;
use copydesk_telemetry::Answer;

fn source(partition: i32) -> TopicPartition {
    TopicPartition {
        topic: Topic::new("t"),
        partition: Partition::new(partition),
    }
}

fn page(monitor: &Monitor, path: &str, stopped: &Stopped) -> Option<Answer> {
    let view = View {
        consumer: None,
        pool: (0, 0),
        stopped,
    };
    monitor.page(path, &view)
}

#[test]
fn a_worker_without_its_services_is_alive_and_not_ready() {
    let monitor = Monitor::new(&["t".to_owned()], None);
    let none = Stopped::new();
    let status = |path| page(&monitor, path, &none).map(|a| a.status);
    assert_eq!((status("/livez"), status("/readyz")), (Some(200), Some(503)));
    // Postgres alone is not enough.
    monitor.database_answered.note();
    let answer = page(&monitor, "/readyz", &none).unwrap();
    assert!(
        answer.status == 503 && answer.body.contains("consumer"),
        "{answer:?}"
    );
    assert_eq!(status("/else"), None);
}

#[test]
fn series_that_are_known_are_there_from_the_start() {
    let monitor = Monitor::new(&["t".to_owned()], None);
    let text = page(&monitor, "/metrics", &Stopped::new()).unwrap().body;
    for line in [
        "copydesk_outcomes_total{outcome=\"quarantined\"} 0",
        "copydesk_flush_retries_total{class=\"wait_for_database\"} 0",
        "copydesk_messages_received_total{topic=\"t\"} 0",
        "copydesk_rebalances_total{kind=\"lost\"} 0",
        "copydesk_kafka_up 0",
    ] {
        assert!(text.lines().any(|l| l == line), "{line}\n{text}");
    }
    let memory = text
        .lines()
        .find_map(|l| l.strip_prefix("process_resident_memory_bytes "))
        .unwrap();
    assert!(memory.parse::<f64>().unwrap() > 1e5, "{memory}");
}

#[test]
fn stopped_partitions_are_shown_with_their_reason() {
    let monitor = Monitor::new(&["t".to_owned()], None);
    let stopped = Stopped::from([(source(3), "too much is bad".to_owned())]);
    let body = |path| page(&monitor, path, &stopped).unwrap().body;
    assert!(body("/metrics").contains("copydesk_stopped_partitions 1\n"));
    assert!(body("/statusz").contains("too much is bad"));
}

#[test]
fn partitions_that_are_gone_have_no_lag_here() {
    let monitor = Monitor::new(&["t".to_owned()], None);
    let status = PartitionStatus {
        epoch: 1,
        claimed_at_offset: 0,
        next_offset: 0,
    };
    locked(&monitor.partitions).insert(source(0), status);
    let end = |partition| admin::Watermarks {
        source: source(partition),
        low: copydesk_article::Offset::new(5),
        high: copydesk_article::Offset::new(9),
        end: copydesk_article::Offset::new(12),
    };
    // Not yet in the ledger: everything that is there is to be read.
    monitor.lag(&[end(0), end(1)], &[]);
    let text = || page(&monitor, "/metrics", &Stopped::new()).unwrap().body;
    assert!(text().contains("copydesk_consumer_lag_messages{topic=\"t\",partition=\"0\"} 7\n"));
    assert!(text().contains("copydesk_behind_transaction_messages{topic=\"t\",partition=\"0\"} 3\n"));
    assert!(!text().contains("partition=\"1\""), "another worker's");
    assert!(text().contains("copydesk_topic_partitions{topic=\"t\"} 2\n"));
    assert!(text().contains("copydesk_kafka_up 1\n"));
    monitor.lost(&[source(0)]);
    assert!(!text().contains("copydesk_consumer_lag_messages{"));
    assert!(!text().contains("copydesk_behind_transaction_messages{"));
    assert!(text().contains("copydesk_rebalances_total{kind=\"lost\"} 1\n"));
}

#[test]
fn what_waits_in_the_outbox_is_shown_and_forgotten() {
    let monitor = Monitor::new(&[], None);
    let waiting = OutputRow {
        output: "articles".into(),
        waiting: 7,
        oldest: Some(chrono::DateTime::UNIX_EPOCH),
    };
    monitor.outbox(&["dead_letters"], &[waiting]);
    let text = || page(&monitor, "/metrics", &Stopped::new()).unwrap().body;
    assert!(text().contains("copydesk_outbox_rows{output=\"articles\"} 7\n"));
    assert!(text().contains("copydesk_outbox_rows{output=\"dead_letters\"} 0\n"));
    monitor.outbox(&[], &[]);
    assert!(
        !text().contains("copydesk_outbox_rows{"),
        "off, and nothing is left"
    );
}

#[test]
fn a_message_that_takes_long_is_reported_with_its_partition_offset_and_time() {
    let monitor = Monitor::new(&["t".to_owned()], None);
    let text = |path| page(&monitor, path, &Stopped::new()).unwrap().body;
    let offset = copydesk_article::Offset::new(1_207);
    let soon = Desks::with_slow(source(2), offset, Duration::from_millis(900));
    monitor.watch(Arc::new(soon));
    assert!(
        !text("/metrics").contains("copydesk_slow_message_seconds{"),
        "not yet"
    );
    let desks = Arc::new(Desks::with_slow(source(3), offset, Duration::from_secs(4)));
    monitor.watch(Arc::clone(&desks));
    assert!(text("/metrics").contains("copydesk_slow_message_seconds{topic=\"t\",partition=\"3\"} 4."));
    assert!(text("/statusz").contains("t[3]@1207 has been with a cleaning thread for 4."));
    desks.assign(0, None);
    assert!(
        !text("/metrics").contains("copydesk_slow_message_seconds{"),
        "it is done"
    );
}

#[test]
fn what_is_dropped_from_quarantine_is_counted_from_the_first_look_on() {
    let monitor = Monitor::new(&[], None);
    let text = || page(&monitor, "/metrics", &Stopped::new()).unwrap().body;
    for (dropped, counted) in [(40, 0), (40, 0), (42, 2), (45, 5)] {
        let usage = QuarantineUsage { bytes: 7, dropped };
        monitor.quarantine(usage, 100);
        let line = format!("copydesk_quarantine_dropped_total {counted}\n");
        assert!(text().contains(&line), "{}", text());
    }
    assert!(text().contains("copydesk_quarantine_bytes 7\n"));
    assert!(text().contains("copydesk_quarantine_max_bytes 100\n"));
}
