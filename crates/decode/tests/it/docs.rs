//! The documents say what the code does: docs/messages.md, docs/message.schema.json, docs/quarantine.md.

use std::fs;
use std::path::{Path, PathBuf};

use copydesk_article::Reason;
use copydesk_decode::Limits;
use serde_json::{Value, json};

use crate::read;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn file(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

fn schema() -> Value {
    serde_json::from_str(&file("docs/message.schema.json")).unwrap()
}

/// Whether `value` is valid. Knows the keywords that our schema uses, and refuses to guess at others.
fn valid(root: &Value, schema: &Value, value: &Value) -> bool {
    schema
        .as_object()
        .unwrap()
        .iter()
        .all(|(keyword, rule)| match keyword.as_str() {
            "$schema" | "$id" | "$defs" | "title" | "description" | "format" => true,
            "additionalProperties" => rule == &json!(true),
            "type" => {
                let kind = match value {
                    Value::Null => "null",
                    Value::Bool(_) => "boolean",
                    Value::Number(_) => "number",
                    Value::String(_) => "string",
                    Value::Array(_) => "array",
                    Value::Object(_) => "object",
                };
                rule == kind || rule.as_array().is_some_and(|kinds| kinds.contains(&json!(kind)))
            }
            "maxLength" => value
                .as_str()
                .is_none_or(|s| s.chars().count() as u64 <= rule.as_u64().unwrap()),
            "const" => value == rule,
            "pattern" => {
                assert_eq!(rule, "\\S");
                value.as_str().is_none_or(|s| !s.trim().is_empty())
            }
            "required" => value.as_object().is_none_or(|object| {
                rule.as_array()
                    .unwrap()
                    .iter()
                    .all(|name| object.contains_key(name.as_str().unwrap()))
            }),
            "properties" => value.as_object().is_none_or(|object| {
                rule.as_object()
                    .unwrap()
                    .iter()
                    .all(|(name, rule)| object.get(name).is_none_or(|v| valid(root, rule, v)))
            }),
            "items" => value
                .as_array()
                .is_none_or(|items| items.iter().all(|i| valid(root, rule, i))),
            "maxItems" => value
                .as_array()
                .is_none_or(|items| items.len() as u64 <= rule.as_u64().unwrap()),
            "minItems" => value
                .as_array()
                .is_none_or(|items| items.len() as u64 >= rule.as_u64().unwrap()),
            "anyOf" => rule
                .as_array()
                .unwrap()
                .iter()
                .any(|rule| valid(root, rule, value)),
            "oneOf" => {
                rule.as_array()
                    .unwrap()
                    .iter()
                    .filter(|rule| valid(root, rule, value))
                    .count()
                    == 1
            }
            "$ref" => {
                let pointer = rule.as_str().unwrap().strip_prefix('#').unwrap();
                valid(root, root.pointer(pointer).unwrap(), value)
            }
            other => panic!("the schema uses {other}, which this test does not know"),
        })
}

fn is_valid(value: &Value) -> bool {
    let schema = schema();
    valid(&schema, &schema, value)
}

const FIELDS: [&str; 9] = [
    "url",
    "html",
    "text",
    "title",
    "authors",
    "published_at",
    "fetched_at",
    "language",
    "site",
];

#[test]
fn the_schema_and_the_decoder_agree_on_every_field() {
    let schema = schema();
    let mut names: Vec<_> = schema["properties"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let mut fields = FIELDS;
    names.sort_unstable();
    fields.sort_unstable();
    assert_eq!(names, fields);
    let values = [
        json!(null),
        json!(true),
        json!(1_774_029_900),
        json!(1.5),
        json!("https://a.example/"),
        json!([]),
        json!(["x", null]),
        json!([5]),
        json!([["x"]]),
        json!({}),
        json!({"name": "x"}),
        json!({"name": null}),
        json!([{"name": "x", "more": 1}, "y"]),
        json!([{"name": 5}]),
    ];
    for field in FIELDS {
        for value in &values {
            let body = if field == "text" { "html" } else { "text" };
            let mut envelope = json!({body: "<p>Ships</p>", "more": [1]});
            // Two bodies are another matter: see below.
            if field == "html" && value.is_string() {
                envelope = json!({});
            }
            // A text in paragraphs beside a page is two bodies as well.
            if field == "text" && value == &json!(["x", null]) {
                envelope = json!({});
            }
            envelope[field] = value.clone();
            if field == "text" && value.is_string() {
                envelope["html"] = json!(null);
            }
            let decoded = read(envelope.to_string().as_bytes(), &[]);
            let accepted = decoded.as_ref().is_ok_and(|raw| !raw.extra.contains_key(field))
                || decoded.as_ref().is_ok_and(|raw| {
                    raw.warnings
                        .iter()
                        .any(|w| w.ends_with("-unreadable") || w.ends_with("-doubted"))
                });
            assert_eq!(accepted, is_valid(&envelope), "{envelope}: {decoded:?}");
            if !accepted {
                assert_eq!(decoded.unwrap_err().reason, Reason::BadEnvelope, "{envelope}");
            }
        }
    }
}

#[test]
fn the_schema_and_the_decoder_agree_on_bodies() {
    for body in [
        json!({"html": "a"}),
        json!({"text": "a"}),
        json!({"text": "a", "html": " "}),
        json!({"text": null, "html": "a"}),
        json!({"text": "a", "html": "a"}),
        json!({"text": "", "html": "\n"}),
        json!({"url": "https://a.example/"}),
        json!({}),
        json!([{"text": "a"}]),
    ] {
        assert_eq!(
            read(body.to_string().as_bytes(), &[]).is_ok(),
            is_valid(&body),
            "{body}"
        );
    }
}

#[test]
fn a_tombstone_is_valid() {
    let tombstone = json!({"url": "https://a.example/ferry", "deleted": true});
    assert!(is_valid(&tombstone));
    assert!(!is_valid(
        &json!({"url": "https://a.example/ferry", "deleted": false})
    ));
    assert!(!is_valid(&json!({"deleted": true})));
}

#[test]
fn samples_are_valid_as_far_as_they_decode() {
    let mut seen = 0;
    for entry in fs::read_dir(root().join("services/feed/samples")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "json") {
            let bytes = fs::read(&path).unwrap();
            let by_schema = serde_json::from_slice(&bytes).is_ok_and(|v: Value| is_valid(&v));
            assert_eq!(by_schema, read(&bytes, &[]).is_ok(), "{}", path.display());
            seen += 1;
        }
    }
    assert!(seen >= 10, "only {seen} envelopes among the samples");
}

#[test]
fn the_examples_of_the_contract_decode() {
    let text = file("docs/messages.md");
    let examples: Vec<_> = text
        .split("```json\n")
        .skip(1)
        .filter_map(|part| part.split("```").next())
        .collect();
    assert_eq!(examples.len(), 2);
    for example in examples {
        let raw = read(example.as_bytes(), &[]).unwrap_or_else(|e| panic!("{e}: {example}"));
        assert!(raw.warnings.is_empty() && raw.url.is_some());
        assert!(is_valid(&serde_json::from_str(example).unwrap()));
    }
}

#[test]
fn the_contract_names_every_field_warning_and_limit() {
    let text = file("docs/messages.md");
    for field in FIELDS {
        assert!(text.contains(&format!("`{field}`")), "{field} is not documented");
    }
    // The codes stand in one file, as literals.
    let warnings = include_str!("../../src/warnings.rs");
    let codes: Vec<_> = warnings
        .split("&str = \"")
        .skip(1)
        .filter_map(|part| part.split('"').next())
        .collect();
    assert_eq!(codes.len(), 21);
    for code in codes {
        assert!(
            text.contains(&format!("| `{code}` |")),
            "{code} is not documented"
        );
    }
    let aliases = include_str!("../../src/aliases.rs");
    let lists = aliases
        .split("/// The fields that have other names.")
        .next()
        .unwrap();
    let names: Vec<_> = lists.split('"').skip(1).step_by(2).collect();
    assert!(names.len() >= 60, "{names:?}");
    for name in names {
        assert!(
            text.contains(&format!("`{name}`")),
            "the alias {name} is not documented"
        );
    }
    let limits = Limits::default();
    for shown in [
        format!("{} MiB | `too_large`", limits.max_record_bytes >> 20),
        format!("{} MiB | `too_large`", limits.max_decompressed_bytes >> 20),
        format!(
            "over {} MiB | {} : 1",
            limits.ratio_free_bytes >> 20,
            limits.max_ratio
        ),
        format!("| HTML | {} MiB", limits.max_html_bytes >> 20),
        format!("| text | {} MiB", limits.max_text_bytes >> 20),
        format!(
            "| `url` | {},{:03} bytes",
            limits.max_url_bytes / 1000,
            limits.max_url_bytes % 1000
        ),
        format!(
            "| `title` | {},{:03} bytes",
            limits.max_title_bytes / 1000,
            limits.max_title_bytes % 1000
        ),
        format!(
            "| authors | {}, each {} bytes",
            limits.max_authors, limits.max_name_bytes
        ),
        format!(
            "{},{:03}, nested",
            limits.max_extra_values / 1000,
            limits.max_extra_values % 1000
        ),
    ] {
        assert!(
            text.contains(&shown),
            "the limits in docs/messages.md do not say: {shown}"
        );
    }
}

#[test]
fn every_reason_has_its_entry_and_no_other_has() {
    let text = file("docs/quarantine.md");
    let entries: Vec<_> = text
        .lines()
        .filter_map(|l| l.strip_prefix("### `"))
        .filter_map(|l| l.strip_suffix('`'))
        .collect();
    let reasons: Vec<_> = Reason::ALL.iter().map(|r| r.as_str()).collect();
    assert_eq!(entries, reasons);
    assert_eq!(text.matches("**Do:**").count(), reasons.len());
}
