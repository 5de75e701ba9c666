//! What the examples share: reading a stream of articles.
#![allow(dead_code, reason = "shared by several programs")]

use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};

use copydesk_dedup::Times;
use serde_json::Value;

pub(crate) type Fallible<T> = Result<T, Box<dyn Error>>;

/// Opens a file, unpacked if its name ends in `.gz`.
pub(crate) fn open(path: &str) -> Fallible<Box<dyn BufRead>> {
    let file = File::open(path).map_err(|e| format!("cannot read {path}: {e}"))?;
    let read: Box<dyn Read> = if path.ends_with(".gz") {
        #[allow(
            clippy::disallowed_types,
            reason = "a file of our own choosing, read line by line"
        )]
        Box::new(flate2::read::GzDecoder::new(file))
    } else {
        Box::new(file)
    };
    Ok(Box::new(BufReader::new(read)))
}

/// One object a line.
pub(crate) fn lines(path: &str) -> Fallible<impl Iterator<Item = Fallible<Value>>> {
    Ok(open(path)?.lines().map(|line| Ok(serde_json::from_str(&line?)?)))
}

/// An article of a stream: id, title, text (paragraphs are its lines), and host, time, cluster and kind where it has them.
pub(crate) struct Article {
    pub(crate) id: String,
    pub(crate) site: String,
    pub(crate) title: Option<String>,
    pub(crate) paragraphs: Vec<String>,
    pub(crate) times: Times,
    pub(crate) cluster: String,
    pub(crate) kind: String,
}

impl Article {
    /// Articles without a host are of one of `sites` sites.
    pub(crate) fn of(record: &Value, sites: u64) -> Self {
        let id = record["id"].to_string();
        let published = record["time"].as_str().and_then(seconds);
        let site = match &record["host"] {
            Value::Null => {
                let hash = id
                    .bytes()
                    .fold(5_381_u64, |h, b| h.wrapping_mul(33) ^ u64::from(b));
                format!(
                    "site{}",
                    (hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) % sites.max(1)
                )
            }
            host => host.to_string(),
        };
        Self {
            id,
            site,
            title: record["title"].as_str().map(str::to_owned),
            paragraphs: record["text"]
                .as_str()
                .unwrap_or_default()
                .lines()
                .filter(|p| !p.trim().is_empty())
                .map(str::to_owned)
                .collect(),
            times: Times {
                published,
                seen: published,
            },
            cluster: record["cluster"].to_string(),
            kind: record["kind"].as_str().unwrap_or_default().to_owned(),
        }
    }
}

/// Seconds since 1970 of a time such as 1987-02-26T15:01:00Z.
fn seconds(time: &str) -> Option<i64> {
    let mut fields = time.split(['-', 'T', ':', 'Z']).map(str::parse::<i64>);
    let mut next = || fields.next()?.ok();
    let (year, month, day) = (next()?, next()?, next()?);
    let (hour, minute, second) = (next()?, next()?, next()?);
    // Days from the civil calendar; years begin in March.
    let (y, m) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = y * 365 + y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400) + (153 * m + 2) / 5 + day
        - 1
        - 719_468;
    Some(days * 86_400 + hour * 3_600 + minute * 60 + second)
}
