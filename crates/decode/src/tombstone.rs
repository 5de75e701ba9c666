//! Tombstones: messages that take an article down instead of bringing one.
//!
//! Two forms: a record without a value whose key is the article's address (as compaction has them), and an
//! envelope that says `"deleted": true` (or Debezium's `"__deleted": "true"`), whatever else it holds.

use copydesk_article::{Reason, Reject};
use serde_json::{Map, Value};

use crate::{Limits, address, reject};

/// The article at an address is to be taken down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tombstone {
    /// Its http(s) address, as the producer gave it, without login.
    pub url: String,
}

impl Tombstone {
    /// That of an address.
    pub(crate) fn of(url: &str, limits: &Limits) -> Result<Self, Reject> {
        if url.trim().is_empty() {
            let detail = "a tombstone needs the url of the article that it takes down";
            return Err(reject(Reason::BadUrl, detail));
        }
        let parsed = address::parse(url.trim(), limits)?;
        let url = address::without_login(parsed).unwrap_or_else(|| url.trim().to_owned());
        Ok(Self { url })
    }
}

/// Whether an envelope with these extra fields is one.
pub(crate) fn is_deleted(extra: &Map<String, Value>) -> bool {
    ["deleted", "__deleted"]
        .iter()
        .any(|name| match extra.get(*name) {
            Some(Value::Bool(deleted)) => *deleted,
            Some(Value::String(deleted)) => deleted == "true",
            _ => false,
        })
}

/// The http(s) address that a key is, also as a JSON string.
pub(crate) fn address_in_key(key: Option<&[u8]>) -> Option<String> {
    let key = std::str::from_utf8(key?).ok()?.trim().trim_matches('"');
    let (scheme, _) = key.split_once("://")?;
    let is_web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    is_web.then(|| key.to_owned())
}
