//! docs/configuration.md is written from the settings' own doc comments and defaults, and held to them.
//!
//! `UPDATE_DOCS=1 cargo test -p copydesk configuration` writes it anew.

use std::fmt::Write as _;

use toml::{Table, Value};

use super::Config;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");

const HEAD: &str = "# Configuration

<!-- Written from services/cli/src/config/ by `UPDATE_DOCS=1 cargo test -p copydesk configuration`; a test \
holds it to the code. -->

Every setting has a default, so that nothing need be set on one machine. A setting is taken from, the later \
winning over the earlier:

1. its default,
2. the TOML file that `--config FILE` or `COPYDESK_CONFIG` names,
3. its environment variable, `COPYDESK_<SECTION>_<KEY>`, in the table of its section,
4. its flag, if it has one (`copydesk COMMAND --help`).

A key or a `COPYDESK_` variable that names no setting is an error. Sizes are bytes or text such as `\"64 MiB\"`. A table
(`kafka.properties`) is written `name=value,name=value` in its variable, a comma within a value as `\\,` and \
a backslash before a comma as
`\\\\`; it is laid over the file's table name by name. `copydesk config print` shows what is in force, \
secrets blotted out,
and `copydesk config check` says what is wrong; it connects to nothing and loads no library.

No message quotes a setting that may hold a secret. Of `kafka.properties` only the values of properties that \
are known to hold none are
shown, of a database's URL and a collector's address only the parts that are none.

Secrets belong into a file (`database.url_file`) or the environment, never on the command line, where every \
user of the machine sees them.
Kafka with SASL and TLS is set by librdkafka's own names:

```toml
[kafka]
brokers = \"broker-1.example:9093,broker-2.example:9093\"

[kafka.properties]
\"security.protocol\" = \"SASL_SSL\"
\"sasl.mechanism\" = \"SCRAM-SHA-512\"
\"sasl.username\" = \"copydesk\"
```

with `COPYDESK_KAFKA_PROPERTIES=sasl.password=…` in the environment. [operations.md](operations.md), \"TLS \
and SASL\", has whole examples, for
Postgres too.
";

/// A struct or a field, with its doc comment as one line.
struct Documented {
    name: String,
    kind: String,
    meaning: String,
}

/// The structs of the source with their fields, in order.
fn structs(source: &str) -> Vec<(Documented, Vec<Documented>)> {
    let mut all: Vec<(Documented, Vec<Documented>)> = Vec::new();
    let mut docs: Vec<&str> = Vec::new();
    let mut inside = false;
    for line in source.lines() {
        let text = line.trim();
        let take = |docs: &mut Vec<&str>, name: &str, kind: &str| Documented {
            name: name.to_owned(),
            kind: kind.to_owned(),
            meaning: std::mem::take(docs).join(" "),
        };
        if let Some(doc) = text.strip_prefix("///") {
            docs.push(doc.trim());
        } else if let Some(name) = text
            .strip_prefix("pub(crate) struct ")
            .and_then(|t| t.strip_suffix(" {"))
        {
            all.push((take(&mut docs, name, ""), Vec::new()));
            inside = true;
        } else if line == "}" {
            inside = false;
            docs.clear();
        } else if inside
            && let Some((name, kind)) = text.strip_prefix("pub(crate) ").and_then(|t| t.split_once(": "))
        {
            let field = take(&mut docs, name, kind.trim_end_matches(','));
            all.last_mut().unwrap().1.push(field);
        } else if !text.starts_with("#[") {
            docs.clear();
        }
    }
    all
}

fn page() -> String {
    let structs = structs(concat!(
        include_str!("mod.rs"),
        include_str!("archive.rs"),
        include_str!("console.rs"),
        include_str!("database.rs"),
        include_str!("registry.rs")
    ));
    let of_kind = |kind: &str| structs.iter().find(|(s, _)| s.name == kind);
    let defaults = Table::try_from(Config::default()).unwrap();
    let mut page = HEAD.to_owned();
    let (_, sections) = of_kind("Config").unwrap();
    let mut open: Vec<(String, &str, &Table)> = Vec::new();
    for section in sections.iter().rev() {
        let keys = defaults[&section.name].as_table().unwrap();
        open.push((section.name.clone(), &section.kind, keys));
    }
    while let Some((name, kind, defaults)) = open.pop() {
        let (about, fields) = of_kind(kind).unwrap();
        assert!(!about.meaning.is_empty(), "[{name}] has no doc comment");
        write!(
            page,
            "\n## [{name}]\n\n{}\n\n| key | default | variable | meaning |\n|---|---|---|---|\n",
            about.meaning
        )
        .unwrap();
        for field in fields {
            let key = &field.name;
            assert!(!field.meaning.is_empty(), "{name}.{key} has no doc comment");
            if of_kind(&field.kind).is_some() {
                let keys = defaults[key].as_table().unwrap();
                if !keys.is_empty() {
                    open.push((format!("{name}.{key}"), &field.kind, keys));
                    continue;
                }
            }
            let default = match defaults.get(key) {
                None => "none".to_owned(),
                Some(Value::String(s)) if s.is_empty() => "empty".to_owned(),
                Some(Value::Table(t)) if t.is_empty() => "none".to_owned(),
                Some(value) => format!("`{value}`"),
            };
            let variable = format!("COPYDESK_{name}_{key}").replace('.', "_").to_uppercase();
            writeln!(
                page,
                "| `{key}` | {default} | `{variable}` | {} |",
                field.meaning.replace('|', "\\|")
            )
            .unwrap();
        }
    }
    page
}

#[test]
fn the_configuration_page_says_what_the_code_says() {
    let page = page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(PAGE, &page).unwrap();
    }
    let written = std::fs::read_to_string(PAGE).unwrap_or_default();
    assert!(
        written == page,
        "docs/configuration.md is out of date: UPDATE_DOCS=1 cargo test -p copydesk configuration"
    );
}

#[test]
fn the_configuration_page_has_every_variable_and_no_other() {
    let page = page();
    let on_page: std::collections::BTreeSet<_> = page
        .lines()
        .filter(|l| l.starts_with("| `"))
        .filter_map(|l| l.split('|').nth(3))
        .map(|cell| cell.trim().trim_matches('`').to_owned())
        .collect();
    assert_eq!(on_page, super::env::known_variables().into_keys().collect());
}
