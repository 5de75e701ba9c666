//! `COPYDESK_<SECTION>_<KEY>` variables laid over the settings; a section may have one in it
//! (`COPYDESK_KAFKA_SCHEMA_REGISTRY_URL`).

use std::collections::BTreeMap;

use copydesk_stream::{is_property, nearest_property};
use toml::{Table, Value};

use super::file::explain;
use super::{Config, ConfigError};

const PREFIX: &str = "COPYDESK_";
/// Variables with our prefix that are no settings: the file's own path, and what scripts and tests use.
const NOT_SETTINGS: [&str; 3] = ["COPYDESK_CONFIG", "COPYDESK_TEST_", "COPYDESK_LOCAL_"];
/// Settings that are absent by default, so that the defaults alone do not show them.
const OPTIONAL: [&[&str]; 12] = [
    &["database", "url_file"],
    &["database", "read_url"],
    &["database", "read_url_file"],
    &["clean", "rules_file"],
    &["console", "url_file"],
    &["console", "write_url"],
    &["console", "write_url_file"],
    &["kafka", "schema_registry", "password"],
    &["kafka", "schema_registry", "token"],
    &["kafka", "schema_registry", "ca_file"],
    &["kafka", "schema_registry", "certificate_file"],
    &["kafka", "schema_registry", "key_file"],
];

/// An address and the file that may hold it instead. A variable for the address takes the place of the file
/// that a settings file names: `COPYDESK_DATABASE_URL=… copydesk migrate` means that login.
const ADDRESSES: [[&str; 3]; 4] = [
    ["database", "url", "url_file"],
    ["database", "read_url", "read_url_file"],
    ["console", "url", "url_file"],
    ["console", "write_url", "write_url_file"],
];

/// Lays the variables over `table`, the settings of a file.
pub(super) fn overlay(
    mut table: Table,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<Config, ConfigError> {
    let known = known_variables();
    let mut set = Vec::new();
    for (name, text) in variables {
        if !name.starts_with(PREFIX)
            || NOT_SETTINGS
                .iter()
                .any(|n| name == *n || (n.ends_with('_') && name.starts_with(n)))
        {
            continue;
        }
        let Some((path, shape)) = known.get(&name) else {
            let hint = nearest(&name, known.keys())
                .map(|n| format!("; did you mean {n}?"))
                .unwrap_or_default();
            return Err(ConfigError::UnknownVariable { name, hint });
        };
        let value = read_as(shape, &text).map_err(|reason| ConfigError::BadVariable {
            name: name.clone(),
            reason,
        })?;
        let Some((key, sections)) = path.split_last() else {
            continue;
        };
        let Some(section) = within(&mut table, sections) else {
            continue;
        };
        set.push(path.clone());
        match (section.get_mut(key), value) {
            // A table is laid over the file's, name by name: the file has the addresses, the variable the password.
            (Some(Value::Table(there)), Value::Table(more)) => there.extend(more),
            (_, value) => {
                section.insert(key.clone(), value);
            }
        }
    }
    for [section, address, file] in ADDRESSES {
        let is_set = |key: &str| set.iter().any(|path| path.iter().eq([section, key]));
        if is_set(address)
            && !is_set(file)
            && let Some(section) = table.get_mut(section).and_then(Value::as_table_mut)
        {
            section.remove(file);
        }
    }
    table
        .try_into()
        .map_err(|e: toml::de::Error| ConfigError::Invalid(explain("", &e)))
}

/// The table at a path, made where it is missing. `None`: something else is there.
fn within<'t>(table: &'t mut Table, path: &[String]) -> Option<&'t mut Table> {
    path.iter().try_fold(table, |table, name| {
        let inner = table
            .entry(name.clone())
            .or_insert_with(|| Value::Table(Table::new()));
        inner.as_table_mut()
    })
}

/// Variable name -> (its path, a value of the right shape). A table without keys of its own
/// (`kafka.properties`) is one setting.
pub(super) fn known_variables() -> BTreeMap<String, (Vec<String>, Value)> {
    fn add(known: &mut BTreeMap<String, (Vec<String>, Value)>, path: Vec<String>, shape: Value) {
        match shape {
            Value::Table(keys) if !keys.is_empty() => {
                for (key, value) in keys {
                    let path = path.iter().cloned().chain([key]).collect();
                    add(known, path, value);
                }
            }
            shape => {
                let name = format!("{PREFIX}{}", path.join("_")).to_uppercase();
                known.insert(name, (path, shape));
            }
        }
    }
    let mut known = BTreeMap::new();
    for (section, keys) in Table::try_from(Config::default()).unwrap_or_default() {
        add(&mut known, vec![section], keys);
    }
    for path in OPTIONAL {
        let path = path.iter().map(|p| (*p).to_owned()).collect();
        add(&mut known, path, Value::String(String::new()));
    }
    known
}

/// Reads a variable's text as the kind of value that the setting has.
fn read_as(shape: &Value, text: &str) -> Result<Value, String> {
    match shape {
        Value::Integer(_) => text
            .trim()
            .parse()
            .map(Value::Integer)
            .map_err(|_| "the value is no whole number".to_owned()),
        Value::Float(_) => text
            .trim()
            .parse()
            .map(Value::Float)
            .map_err(|_| "the value is no number".to_owned()),
        Value::Boolean(_) => text
            .trim()
            .parse()
            .map(Value::Boolean)
            .map_err(|_| "the value is neither true nor false".to_owned()),
        Value::Table(_) => properties(text).map(Value::Table),
        _ => Ok(Value::String(text.to_owned())),
    }
}

/// `property=value,property=value`. A comma within a value is written `\,`, a backslash before a comma `\\`.
/// Nothing of the text is quoted: it may be half of a password.
fn properties(text: &str) -> Result<Table, String> {
    let mut table = Table::new();
    let pairs = parts(text).into_iter().filter(|pair| !pair.trim().is_empty());
    for (number, pair) in pairs.enumerate() {
        let which = format!("part {} of the list", number + 1);
        let hint = "a comma within a value is written \\,";
        let Some((name, value)) = pair.split_once('=') else {
            return Err(format!("{which} is not of the form property=value; {hint}"));
        };
        let name = name.trim();
        if !is_property(name) {
            let meant = nearest_property(name).map_or_else(String::new, |n| format!(" (is {n} meant?)"));
            return Err(format!(
                "{which} begins with no property that Kafka's client knows{meant}; {hint}"
            ));
        }
        table.insert(name.to_owned(), Value::String(value.trim().to_owned()));
    }
    Ok(table)
}

/// The parts between commas, without the backslashes that say that a comma is none of these.
fn parts(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let escaped = (c == '\\')
            .then(|| chars.next_if(|next| matches!(next, ',' | '\\')))
            .flatten();
        match (escaped, parts.last_mut()) {
            (None, _) if c == ',' => parts.push(String::new()),
            (escaped, Some(part)) => part.push(escaped.unwrap_or(c)),
            (_, None) => {}
        }
    }
    parts
}

/// The known name that shares the longest beginning: good enough for a forgotten `S`.
fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a String>) -> Option<&'a String> {
    let shared = |other: &str| {
        name.chars()
            .zip(other.chars())
            .take_while(|(a, b)| a == b)
            .count()
    };
    known
        .max_by_key(|k| shared(k))
        .filter(|k| shared(k) > PREFIX.len() + 2)
}
