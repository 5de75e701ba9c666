//! Files of a batch: written, verified, written anew without some rows, deleted.

use std::fs::File;
use std::io::{Read as _, Seek as _};

use anyhow::{Context as _, Result, ensure};
use copydesk_store::{ArchiveBatch, ArchiveTable, ExportColumn};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::place::Place;
use crate::columns::ParquetSink;
use crate::content::{Content, content, read_rows};

/// A file that is in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ArchiveFile {
    pub(super) table: ArchiveTable,
    /// Below the folder of the archive.
    pub(super) path: String,
    pub(super) content: Content,
    pub(super) bytes: u64,
    /// Of its bytes. Empty: not verified yet.
    pub(super) sha256: String,
}

impl ArchiveFile {
    /// Reads it back and holds it against what was written.
    pub(super) fn verify(&mut self, place: &dyn Place, columns: &[ExportColumn]) -> Result<()> {
        let shown = format!("{} of {}", self.path, place.name());
        let mut file = place.open(&self.path)?;
        let (sha256, bytes) = sha256(&mut file).with_context(|| format!("cannot read {shown}"))?;
        file.rewind()?;
        let read = content(file, columns).with_context(|| format!("cannot read {shown}"))?;
        ensure!(
            read == self.content && bytes == self.bytes,
            "{shown} reads back otherwise than it was written ({} rows and {bytes} bytes instead of {} and {}): look at the disk; \
             nothing was dropped, and the next run writes it again",
            read.rows,
            self.content.rows,
            self.bytes
        );
        self.sha256 = sha256;
        Ok(())
    }

    /// Hands these columns of each row to `each`.
    pub(super) fn scan(
        &self,
        place: &dyn Place,
        columns: &[ExportColumn],
        only: &[&str],
        mut each: impl FnMut(Map<String, Value>),
    ) -> Result<()> {
        read_rows(place.open(&self.path)?, columns, Some(only), |row, _| {
            each(row);
            Ok(())
        })
        .with_context(|| format!("cannot read {} of {}", self.path, place.name()))
    }

    /// Writes it anew with those rows that `keep` keeps, as `keep` leaves them. It takes the place of the old
    /// one at once.
    pub(super) fn rewrite(
        &mut self,
        place: &dyn Place,
        columns: &[ExportColumn],
        mut keep: impl FnMut(&mut Map<String, Value>) -> bool,
    ) -> Result<()> {
        let file = place.open(&self.path)?;
        let mut sink = begin(place, &self.path, self.table, columns)?;
        read_rows(file, columns, None, |mut row, _| {
            if keep(&mut row) {
                let size = Value::Object(row.clone()).to_string().len();
                sink.push(row, size)?;
            }
            Ok(())
        })
        .with_context(|| format!("cannot write {} of {} anew", self.path, place.name()))?;
        (self.content, self.bytes) = end(place, &self.path, sink)?;
        self.verify(place, columns)
    }
}

/// Writes the rows of a table, into as many files as they need.
pub(super) struct Writer<'a> {
    place: &'a dyn Place,
    file_bytes: u64,
    batch: &'a ArchiveBatch,
    table: ArchiveTable,
    columns: &'a [ExportColumn],
    open: Option<(String, ParquetSink)>,
    files: Vec<ArchiveFile>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(
        place: &'a dyn Place,
        file_bytes: u64,
        batch: &'a ArchiveBatch,
        table: ArchiveTable,
        columns: &'a [ExportColumn],
    ) -> Self {
        Self {
            place,
            file_bytes,
            batch,
            table,
            columns,
            open: None,
            files: Vec::new(),
        }
    }

    /// Takes a row as a JSON object.
    pub(super) fn row(&mut self, json: &str) -> Result<()> {
        let row = serde_json::from_str(json).context("a row is no JSON object")?;
        if self.open.is_none() {
            let path = format!(
                "{}/batch-{}-{}.parquet",
                day_folder(self.table, self.batch),
                self.batch.batch_id,
                self.files.len()
            );
            let sink = begin(self.place, &path, self.table, self.columns)?;
            self.open = Some((path, sink));
        }
        if let Some((_, sink)) = &mut self.open {
            sink.push(row, json.len())?;
            if sink.written() >= self.file_bytes {
                self.end_file()?;
            }
        }
        Ok(())
    }

    fn end_file(&mut self) -> Result<()> {
        if let Some((path, sink)) = self.open.take() {
            let (content, bytes) = end(self.place, &path, sink)?;
            self.files.push(ArchiveFile {
                table: self.table,
                path,
                content,
                bytes,
                sha256: String::new(),
            });
        }
        Ok(())
    }

    /// Ends the last file. Answers with all of them.
    pub(super) fn end(mut self) -> Result<Vec<ArchiveFile>> {
        self.end_file()?;
        Ok(self.files)
    }
}

fn begin(
    place: &dyn Place,
    path: &str,
    table: ArchiveTable,
    columns: &[ExportColumn],
) -> Result<ParquetSink> {
    ParquetSink::new(place.begin(path)?, table.as_str(), columns, table.sorted_by())
}

/// Brings a file to its place. A value that Parquet cannot hold must not be dropped from Postgres as null.
fn end(place: &dyn Place, path: &str, sink: ParquetSink) -> Result<(Content, u64)> {
    let (odd, (target, content)) = (sink.odd(), sink.end()?);
    ensure!(
        odd == 0,
        "{odd} rows have a value that Parquet cannot hold, a time before year 1 or after 9999 as a rule: mend them in Postgres (article.published_at, modified_at, fetched_at); nothing was dropped"
    );
    Ok((content, place.put(path, target)?))
}

fn day_folder(table: ArchiveTable, batch: &ArchiveBatch) -> String {
    format!("{}/day={}", table.as_str(), batch.day)
}

fn sha256(file: &mut File) -> Result<(String, u64)> {
    let mut hash = Sha256::new();
    let (mut buffer, mut bytes) = (vec![0; 1 << 16], 0);
    loop {
        let read = file.read(&mut buffer)?;
        let Some(some) = buffer.get(..read).filter(|b| !b.is_empty()) else {
            break;
        };
        hash.update(some);
        bytes += read as u64;
    }
    let hex = hash.finalize().iter().map(|b| format!("{b:02x}")).collect();
    Ok((hex, bytes))
}

/// Deletes all files of a batch that was not written to its end, and what its files were before they were whole.
pub(super) fn delete_batch(place: &dyn Place, batch: &ArchiveBatch) -> Result<()> {
    let whole = format!("batch-{}-", batch.batch_id);
    let days = ArchiveTable::ALL.map(|table| day_folder(table, batch));
    for folder in days.iter().map(String::as_str).chain([super::manifest::FOLDER]) {
        for name in place.list(folder)? {
            let partial = name.starts_with(".copydesk-") && name.ends_with(".partial");
            if name.starts_with(&whole) || partial {
                place.delete(&format!("{folder}/{name}"))?;
            }
        }
    }
    super::manifest::delete(place, batch.batch_id)
}
