//! What is in the files of a batch: `manifest/batch-N.json`, which appears whole, once all its files are verified.

use std::io::{Read as _, Write as _};

use anyhow::{Context as _, Result};
use chrono::NaiveDate;
use copydesk_store::{ArchiveBatch, ArchiveTable};
use serde_json::{Value, json};

use super::files::ArchiveFile;
use super::place::Place;
use crate::content::Content;

/// Where manifests are.
pub(super) const FOLDER: &str = "manifest";

/// The files of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Manifest {
    pub(super) batch_id: i64,
    pub(super) day: NaiveDate,
    pub(super) files: Vec<ArchiveFile>,
}

impl Manifest {
    pub(super) fn new(batch: &ArchiveBatch) -> Self {
        Self {
            batch_id: batch.batch_id,
            day: batch.day,
            files: Vec::new(),
        }
    }

    /// The manifests of all batches.
    pub(super) fn all(place: &dyn Place) -> Result<Vec<Self>> {
        let mut names = place.list(FOLDER)?;
        names.retain(|name| name.ends_with(".json") && !name.starts_with('.'));
        names.sort();
        names
            .iter()
            .map(|name| read(place, &format!("{FOLDER}/{name}")))
            .collect()
    }

    /// The manifest of a batch.
    pub(super) fn of(place: &dyn Place, batch_id: i64) -> Result<Self> {
        read(place, &path(batch_id))
    }

    /// Writes it: it is there whole, or as it was.
    pub(super) fn write(&self, place: &dyn Place) -> Result<()> {
        let files: Vec<Value> = self
            .files
            .iter()
            .map(|f| {
                json!({
                    "table": f.table.as_str(), "path": f.path, "rows": f.content.rows, "bytes": f.bytes, "sha256": f.sha256,
                    "content_xxh3": format!("{:032x}", f.content.hash),
                })
            })
            .collect();
        let text = serde_json::to_string_pretty(&json!({
            "batch": self.batch_id, "day": self.day.to_string(), "program": concat!("copydesk ", env!("CARGO_PKG_VERSION")), "files": files,
        }))?;
        let path = path(self.batch_id);
        let mut file = place.begin(&path)?;
        file.write_all(text.as_bytes())
            .with_context(|| format!("cannot write {path} of {}", place.name()))?;
        place.put(&path, file)?;
        Ok(())
    }
}

fn path(batch_id: i64) -> String {
    format!("{FOLDER}/batch-{batch_id}.json")
}

fn read(place: &dyn Place, path: &str) -> Result<Manifest> {
    let mut text = String::new();
    place
        .open(path)?
        .read_to_string(&mut text)
        .with_context(|| format!("cannot read {path} of {}", place.name()))?;
    parse(&text).with_context(|| format!("{path} of {} is no manifest of the archive", place.name()))
}

fn parse(text: &str) -> Result<Manifest> {
    let value: Value = serde_json::from_str(text)?;
    let files = value["files"].as_array().context("it has no files")?;
    let file = |f: &Value| {
        let text = |key: &str| f[key].as_str().with_context(|| format!("a file has no {key}"));
        let number = |key: &str| f[key].as_u64().with_context(|| format!("a file has no {key}"));
        let table = text("table")?;
        Ok(ArchiveFile {
            table: ArchiveTable::ALL
                .into_iter()
                .find(|t| t.as_str() == table)
                .context("a file is of no table of the archive")?,
            path: text("path")?.to_owned(),
            content: Content {
                rows: number("rows")?,
                hash: u128::from_str_radix(text("content_xxh3")?, 16)?,
            },
            bytes: number("bytes")?,
            sha256: text("sha256")?.to_owned(),
        })
    };
    Ok(Manifest {
        batch_id: value["batch"].as_i64().context("it has no batch")?,
        day: value["day"].as_str().context("it has no day")?.parse()?,
        files: files.iter().map(file).collect::<Result<_>>()?,
    })
}

/// Deletes the manifest of a batch, if there is one.
pub(super) fn delete(place: &dyn Place, batch_id: i64) -> Result<()> {
    place.delete(&path(batch_id))
}
