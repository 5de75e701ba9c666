use super::*;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/metrics.md");

const HEAD: &str = "# Metrics and health

<!-- Written from crates/telemetry/src/metrics/catalogue.rs by `UPDATE_DOCS=1 cargo test -p copydesk-telemetry`; a test holds it to the code. -->

A worker answers over HTTP where `metrics.listen` says, such as `127.0.0.1:9464`; by default nowhere. There is no password and no TLS: let only
monitoring reach it. One answer a connection, GET and HEAD only. A request has two seconds and 8 KiB for its head; of more than 64 connections the
oldest is closed, so that silent ones keep no probe out. All numbers in `/statusz` are JSON numbers.

| path | answer | for |
|---|---|---|
| `/livez` | 200 while the Kafka thread turns; 503 if it has stood still for two and a half minutes | restart the process on 503. It does not depend on Postgres: a restart heals no database |
| `/readyz` | 200 if Postgres answered in the last half minute, the consumer runs, the breaker stopped no partition and no message has been with a cleaning thread for half a minute; else 503 and why. Names each message that takes longer than a second | alerts and roll-outs |
| `/metrics` | the metrics below, Prometheus' text format | Prometheus |
| `/statusz` | JSON: version, partitions with epoch and offsets, health | people |

The labels have few values. Counters begin at zero with the process; a metric without labels is there from the start, and so is
every series of outcomes, retries and rebalances, so that a rate sees the first one. deploy/prometheus/ has alert
rules, deploy/grafana/ a dashboard; [operations.md](operations.md) says what to do about each alert.

| metric | kind | labels | meaning |
|---|---|---|---|
";

#[test]
fn the_page_says_what_the_catalogue_says() {
    let mut page = HEAD.to_owned();
    for metric in catalogue::ALL {
        let labels: Vec<_> = metric.labels.iter().map(|l| format!("`{l}`")).collect();
        page.push_str(&format!(
            "| `{}` | {} | {} | {} |\n",
            metric.name,
            metric.kind.as_str(),
            labels.join(", "),
            metric.help.trim()
        ));
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(PAGE, &page).unwrap();
    }
    let written = std::fs::read_to_string(PAGE).unwrap_or_default();
    assert!(
        written == page,
        "docs/metrics.md is out of date: UPDATE_DOCS=1 cargo test -p copydesk-telemetry"
    );
}

#[test]
fn names_follow_the_rules() {
    let mut seen = std::collections::BTreeSet::new();
    for metric in catalogue::ALL {
        let name = metric.name;
        assert!(seen.insert(name), "{name} is there twice");
        // Two names are not ours: every dashboard knows them.
        assert!(
            name.starts_with("copydesk_") || name.starts_with("process_"),
            "{name}"
        );
        assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '_'));
        assert_eq!(metric.kind == Kind::Counter, name.ends_with("_total"), "{name}");
        assert!(
            metric.help.trim().ends_with('.') && !metric.help.contains('|'),
            "{name}"
        );
        if let Kind::Histogram(ends) = metric.kind {
            assert!(ends.is_sorted() && !ends.is_empty(), "{name}");
        }
    }
}

#[test]
fn the_text_is_what_prometheus_reads() {
    let registry = Registry::default();
    let text = registry.to_text();
    assert!(
        text.contains("# TYPE copydesk_fenced_total counter\ncopydesk_fenced_total 0\n"),
        "{text}"
    );
    assert!(text.contains("copydesk_batch_rows_count 0\n"));
    registry.add(&catalogue::OUTCOMES, &["new\"article\\\n"], 3);
    registry.add(&catalogue::OUTCOMES, &["new\"article\\\n"], 2);
    registry.set(&catalogue::CONSUMER_LAG, &["t", "0"], 7.0);
    registry.observe(&catalogue::BATCH_ROWS, &[], 10.0, 2);
    let mut elsewhere = Tally::new(&catalogue::BATCH_ROWS);
    elsewhere.observe(1e9);
    registry.merge(&elsewhere, &[]);
    let text = registry.to_text();
    for line in [
        "copydesk_outcomes_total{outcome=\"new\\\"article\\\\\\n\"} 5",
        "copydesk_consumer_lag_messages{topic=\"t\",partition=\"0\"} 7",
        "copydesk_batch_rows_bucket{le=\"3\"} 0",
        "copydesk_batch_rows_bucket{le=\"10\"} 2",
        "copydesk_batch_rows_bucket{le=\"3000\"} 2",
        "copydesk_batch_rows_bucket{le=\"+Inf\"} 3",
        "copydesk_batch_rows_sum 1000000020",
        "copydesk_batch_rows_count 3",
    ] {
        assert!(text.lines().any(|l| l == line), "{line}\n{text}");
    }
    registry.clear(&catalogue::CONSUMER_LAG);
    assert!(!registry.to_text().contains("copydesk_consumer_lag_messages{"));
}

#[test]
fn labels_without_bound_do_not_eat_the_memory() {
    let registry = Registry::default();
    for n in 0..SERIES + 100 {
        registry.add(&catalogue::OUTCOMES, &[&n.to_string()], 1);
    }
    let lines = registry
        .to_text()
        .lines()
        .filter(|l| l.starts_with("copydesk_outcomes_total{"))
        .count();
    assert_eq!(lines, SERIES);
}
