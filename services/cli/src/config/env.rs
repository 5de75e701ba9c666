//! `COPYDESK_<SECTION>_<KEY>` variables laid over the settings.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::{Config, ConfigError};

const PREFIX: &str = "COPYDESK_";
/// Variables with our prefix that are no settings: the file's own path, and what scripts and tests use.
const NOT_SETTINGS: [&str; 3] = ["COPYDESK_CONFIG", "COPYDESK_TEST_", "COPYDESK_LOCAL_"];
/// Settings that are absent by default, so that the defaults alone do not show them.
const OPTIONAL: [(&str, &str); 2] = [("database", "url_file"), ("clean", "rules_file")];

/// Lays the variables over `base`.
pub(super) fn overlay(
    base: &Config,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<Config, ConfigError> {
    let internal = |e: &dyn std::fmt::Display| ConfigError::Invalid(e.to_string());
    let mut table = Table::try_from(base).map_err(|e| internal(&e))?;
    let known = known_variables();
    for (name, text) in variables {
        if !name.starts_with(PREFIX)
            || NOT_SETTINGS
                .iter()
                .any(|n| name == *n || (n.ends_with('_') && name.starts_with(n)))
        {
            continue;
        }
        let Some((section, key, shape)) = known.get(&name) else {
            let hint = nearest(&name, known.keys())
                .map(|n| format!("; did you mean {n}?"))
                .unwrap_or_default();
            return Err(ConfigError::UnknownVariable { name, hint });
        };
        let value = read_as(shape, &text).map_err(|reason| ConfigError::BadVariable {
            name: name.clone(),
            reason,
        })?;
        if let Some(Value::Table(section)) = table.get_mut(section) {
            section.insert(key.clone(), value);
        }
    }
    table.try_into().map_err(|e| ConfigError::Invalid(e.to_string()))
}

/// Variable name -> (section, key, a value of the right shape).
pub(super) fn known_variables() -> BTreeMap<String, (String, String, Value)> {
    let defaults = Table::try_from(Config::default()).unwrap_or_default();
    let mut known = BTreeMap::new();
    let mut add = |section: &str, key: &str, shape: Value| {
        let name = format!("{PREFIX}{section}_{key}").to_uppercase();
        known.insert(name, (section.to_owned(), key.to_owned(), shape));
    };
    for (section, keys) in &defaults {
        for (key, value) in keys.as_table().into_iter().flatten() {
            add(section, key, value.clone());
        }
    }
    for (section, key) in OPTIONAL {
        add(section, key, Value::String(String::new()));
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
            .map_err(|_| format!("{text:?} is no whole number")),
        Value::Float(_) => text
            .trim()
            .parse()
            .map(Value::Float)
            .map_err(|_| format!("{text:?} is no number")),
        Value::Boolean(_) => text
            .trim()
            .parse()
            .map(Value::Boolean)
            .map_err(|_| format!("{text:?} is neither true nor false")),
        Value::Table(_) => text
            .split(',')
            .filter(|pair| !pair.trim().is_empty())
            .map(|pair| match pair.split_once('=') {
                Some((key, value)) => Ok((key.trim().to_owned(), Value::String(value.trim().to_owned()))),
                None => Err(format!("{pair:?} is not of the form property=value")),
            })
            .collect::<Result<Table, _>>()
            .map(Value::Table),
        _ => Ok(Value::String(text.to_owned())),
    }
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
