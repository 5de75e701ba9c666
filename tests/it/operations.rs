//! What deploy/prometheus and deploy/grafana ask for is what a running worker exposes, and every alert has its entry in
//! docs/operations.md.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use copydesk_tests::{Pipeline, http_get};

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The metrics that a PromQL expression reads: names of ours and the two standard ones. Text in quotes, label names in
/// braces and what stands after `by`, `on` and the like never begins so.
fn metrics(expression: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut quoted = false;
    for part in expression.split_inclusive('"') {
        if !quoted {
            let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
            names.extend(
                part.split(|c| !word(c))
                    .filter(|w| w.starts_with("copydesk") || w.starts_with("process_"))
                    .map(str::to_owned),
            );
        }
        quoted ^= part.ends_with('"');
    }
    names
}

/// A rule: its kind (`alert` or `record`), its name, its expression.
struct Rule {
    kind: String,
    name: String,
    expression: String,
}

/// The rules of the file. Not a YAML parser: promtool is one, and reads the same file in `make lint`.
fn rules() -> Vec<Rule> {
    let text = read("deploy/prometheus/copydesk.rules.yml");
    let mut rules: Vec<Rule> = Vec::new();
    let mut folded = false;
    for line in text.lines() {
        let line = line.trim();
        if let Some((kind, name)) = line.strip_prefix("- ").and_then(|l| l.split_once(": "))
            && ["alert", "record"].contains(&kind)
        {
            rules.push(Rule {
                kind: kind.to_owned(),
                name: name.to_owned(),
                expression: String::new(),
            });
            folded = false;
        } else if let Some(rest) = line.strip_prefix("expr: ") {
            folded = rest == ">-";
            if !folded {
                rules.last_mut().unwrap().expression = rest.to_owned();
            }
        } else if ["for: ", "labels: ", "annotations:"]
            .iter()
            .any(|k| line.starts_with(k))
        {
            folded = false;
        } else if folded {
            let expression = &mut rules.last_mut().unwrap().expression;
            expression.push(' ');
            expression.push_str(line);
        }
    }
    assert!(rules.iter().all(|r| !r.expression.is_empty()));
    rules
}

/// Every expression of the dashboard, with the title of its panel.
fn panels() -> Vec<(String, String)> {
    let board: serde_json::Value = serde_json::from_str(&read("deploy/grafana/copydesk.json")).unwrap();
    let mut all = Vec::new();
    let mut ids = BTreeSet::new();
    for panel in board["panels"].as_array().unwrap() {
        let title = panel["title"].as_str().unwrap();
        assert!(
            ids.insert(panel["id"].as_u64().unwrap()),
            "{title}: its id is there twice"
        );
        let at = |key: &str| {
            panel["gridPos"][key]
                .as_u64()
                .unwrap_or_else(|| panic!("{title}: no {key}"))
        };
        assert!(
            at("x") + at("w") <= 24 && at("w") > 0 && at("h") > 0,
            "{title} is off the grid"
        );
        if panel["type"] == "row" {
            continue;
        }
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{title}");
        let targets = panel["targets"].as_array().unwrap();
        assert!(!targets.is_empty(), "{title} shows nothing");
        let refs: BTreeSet<_> = targets.iter().map(|t| t["refId"].as_str().unwrap()).collect();
        assert_eq!(refs.len(), targets.len(), "{title}: a refId is there twice");
        all.extend(
            targets
                .iter()
                .map(|t| (title.to_owned(), t["expr"].as_str().unwrap().to_owned())),
        );
    }
    for variable in board["templating"]["list"].as_array().unwrap() {
        if let Some(definition) = variable["definition"].as_str() {
            all.push(("a variable".to_owned(), definition.to_owned()));
        }
    }
    all
}

#[test]
fn names_are_found_in_expressions() {
    let found = metrics(
        r#"sum by (le) (rate(copydesk_a_bucket{outcome!~"copydesk_no|x", job="y"}[5m])) / copydesk:b:sum and on (job) process_c"#,
    );
    let names: Vec<_> = found.iter().map(String::as_str).collect();
    assert_eq!(names, ["copydesk:b:sum", "copydesk_a_bucket", "process_c"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_rules_and_dashboard_read_is_exposed_by_a_running_worker() {
    let pipeline = Pipeline::new("operations", 2).await;
    pipeline.produce_articles(5, 20, 2).await;
    pipeline.copydesk.ok(&["feed", "--samples"]);
    let (copydesk, address) = pipeline.listening();
    // An output that is on has its series, though nobody has made its topic.
    let copydesk = copydesk.with("COPYDESK_OUTPUTS_ARTICLES_TOPIC", "test-operations-missing");
    let worker = copydesk.start(&["worker"]);
    let rules = rules();
    let recorded: BTreeSet<&str> = rules
        .iter()
        .filter(|r| r.kind == "record")
        .map(|r| r.name.as_str())
        .collect();
    let mut wanted: BTreeMap<String, String> = BTreeMap::new();
    let expressions = rules.iter().map(|r| (r.name.clone(), r.expression.clone()));
    for (place, expression) in expressions.chain(panels()) {
        let names = metrics(&expression);
        assert!(!names.is_empty(), "{place} reads no metric: {expression}");
        for name in names {
            wanted.insert(name, place.clone());
        }
    }
    wanted.retain(|name, place| {
        let ours = name.contains(':');
        assert!(
            !ours || recorded.contains(name.as_str()),
            "{place}: no rule records {name}"
        );
        !ours
    });
    assert!(wanted.len() > 15, "{wanted:?}");

    // Series, not the catalogue's names: a metric with labels is only there once it was counted.
    let started = Instant::now();
    loop {
        let text = http_get(address, "/metrics")
            .map(|(_, text)| text)
            .unwrap_or_default();
        let exposed: BTreeSet<&str> = text
            .lines()
            .filter(|l| !l.starts_with('#'))
            .filter_map(|l| l.split(['{', ' ']).next())
            .collect();
        let missing: Vec<_> = wanted
            .iter()
            .filter(|(name, _)| !exposed.contains(name.as_str()))
            .collect();
        if missing.is_empty() {
            break;
        }
        assert!(
            started.elapsed() < Duration::from_secs(90),
            "no running worker exposes {missing:?}\n{text}"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    drop(worker);
}

#[test]
fn every_alert_has_its_entry_and_every_entry_its_alert() {
    let rules = rules();
    let alerts: Vec<&str> = rules
        .iter()
        .filter(|r| r.kind == "alert")
        .map(|r| r.name.as_str())
        .collect();
    let page = read("docs/operations.md");
    let (_, entries) = page.split_once("\n## Alerts\n").unwrap();
    let headings: Vec<&str> = entries.lines().filter_map(|l| l.strip_prefix("### ")).collect();
    assert_eq!(
        headings, alerts,
        "docs/operations.md has other alerts than the rules, or in another order"
    );
    for entry in entries.split("\n### ").skip(1) {
        for part in ["**Means:**", "**Look at:**", "**Do:**"] {
            assert!(entry.contains(part), "{part} is missing in the entry {entry}");
        }
    }
    let (rules, tests) = (
        read("deploy/prometheus/copydesk.rules.yml"),
        read("deploy/prometheus/copydesk.rules.test.yml"),
    );
    for alert in alerts {
        let anchor = format!("/operations.md#{}'\n", alert.to_lowercase());
        assert!(rules.contains(&anchor), "{alert} does not point to its entry");
        let fires = format!("alertname: {alert}\n        exp_alerts:\n          - exp_labels");
        assert!(tests.contains(&fires), "no promtool test sees {alert} fire");
        let rests = format!("alertname: {alert}, exp_alerts: []");
        assert!(tests.contains(&rests), "no promtool test sees {alert} rest");
    }
}
