//! The metrics of a running worker: the catalogue and nothing else, with numbers that add up.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use copydesk_telemetry::catalogue::{self, Kind};
use copydesk_tests::{Pipeline, http_get as ask};

/// Every sample line: its name with labels, and its number.
fn samples(text: &str) -> BTreeMap<String, f64> {
    text.lines()
        .filter(|l| !l.starts_with('#'))
        .map(|line| {
            let (series, number) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line}"));
            (
                series.to_owned(),
                number.parse().unwrap_or_else(|_| panic!("{line}")),
            )
        })
        .collect()
}

fn sum(samples: &BTreeMap<String, f64>, name: &str) -> f64 {
    let of = |series: &str| series == name || series.starts_with(&format!("{name}{{"));
    samples.iter().filter(|(s, _)| of(s)).map(|(_, n)| n).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_tells_the_catalogue_and_its_numbers_add_up() {
    let pipeline = Pipeline::new("metrics", 2).await;
    pipeline.produce_articles(3, 60, 2).await;
    pipeline.copydesk.ok(&["feed", "--samples"]);
    let (copydesk, address) = pipeline.listening();
    let copydesk = copydesk.with("COPYDESK_LOG_FORMAT", "json");
    let worker = copydesk.start(&["worker"]);

    let started = Instant::now();
    let all = loop {
        let all = ask(address, "/metrics").map(|(_, text)| text).unwrap_or_default();
        let lag = samples(&all)
            .keys()
            .filter(|s| s.starts_with("copydesk_consumer_lag"))
            .count();
        let waiting = sum(&samples(&all), "copydesk_inflight_messages");
        if sum(&samples(&all), "copydesk_outcomes_total") >= 78.0 && lag == 2 && waiting == 0.0 {
            break all;
        }
        assert!(started.elapsed() < Duration::from_secs(90), "{all}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let numbers = samples(&all);
    let is = |name: &str, number: f64| {
        assert!(
            (sum(&numbers, name) - number).abs() < 1e-9,
            "{name} is not {number}:\n{all}"
        );
    };
    is("copydesk_outcomes_total", 78.0);
    is("copydesk_messages_received_total", 78.0);
    is("copydesk_quarantined_total", 3.0);
    is("copydesk_outcomes_total{outcome=\"quarantined\"}", 3.0);
    is(
        "copydesk_quarantined_total{stage=\"decode\",reason=\"bad_json\"}",
        1.0,
    );
    is("copydesk_assigned_partitions", 2.0);
    is("copydesk_rebalances_total{kind=\"claimed\"}", 2.0);
    is("copydesk_batch_rows_sum", 78.0);
    is("copydesk_stage_duration_seconds_count{stage=\"decode\"}", 78.0);
    // The three are refused while they are decoded: they have no later stage.
    is("copydesk_stage_duration_seconds_count{stage=\"clean\"}", 75.0);
    is(
        "copydesk_stage_duration_seconds_count{stage=\"fingerprint\"}",
        75.0,
    );
    is("copydesk_topic_partitions", 2.0);
    is("copydesk_kafka_up", 1.0);
    is("copydesk_database_up", 1.0);
    is("copydesk_paused_partitions", 0.0);
    assert!(sum(&numbers, "copydesk_db_pool_connections") >= 1.0, "{all}");
    is("copydesk_build_info", 1.0);

    let shown: BTreeSet<&str> = all
        .lines()
        .filter_map(|l| l.strip_prefix("# TYPE ")?.split(' ').next())
        .collect();
    let known: BTreeSet<&str> = catalogue::ALL.iter().map(|m| m.name).collect();
    assert_eq!(shown, known);
    for series in numbers.keys() {
        let name = series.split('{').next().unwrap();
        let whole = catalogue::ALL.iter().any(|m| match m.kind {
            Kind::Histogram(_) => ["_bucket", "_sum", "_count"]
                .iter()
                .any(|end| name == format!("{}{end}", m.name)),
            Kind::Counter | Kind::Gauge => name == m.name,
        });
        assert!(whole, "{series} is in no catalogue");
    }

    assert_eq!(ask(address, "/livez"), Some((200, "alive\n".into())));
    assert_eq!(ask(address, "/readyz"), Some((200, "ready\n".into())));
    let (_, status) = ask(address, "/statusz").unwrap();
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    let partitions = status["partitions"].as_object().unwrap();
    assert_eq!(partitions.len(), 2, "{status}");
    for key in ["epoch", "claimed_at_offset", "next_offset"] {
        assert!(partitions.values().all(|p| p[key].is_i64()), "{key}: {status}");
    }
    assert_eq!(ask(address, "/").unwrap().0, 404);
    let logged: Vec<serde_json::Value> = worker
        .log()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
        .collect();
    assert!(
        logged
            .iter()
            .any(|l| l["message"] == "claimed" && l["epoch"] == 1)
    );
    for field in logged.iter().flat_map(|l| l.as_object().unwrap()) {
        let is_number = field.1.as_str().is_some_and(|text| text.parse::<f64>().is_ok());
        assert!(!is_number, "a number as text: {field:?}");
    }
    drop(worker);
}
