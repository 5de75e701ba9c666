//! Files of a batch: written, verified, written anew without some rows, deleted.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use copydesk_store::{ArchiveBatch, ArchiveTable, ExportColumn};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::ArchiveOptions;
use crate::columns::ParquetSink;
use crate::content::{Content, content, read_rows};
use crate::target::Target;

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
    pub(super) fn verify(&mut self, folder: &Path, columns: &[ExportColumn]) -> Result<()> {
        let path = folder.join(&self.path);
        let shown = path.display();
        let open = || copydesk_files::open(&path).with_context(|| format!("cannot open {shown} again"));
        let (sha256, bytes) = sha256(open()?).with_context(|| format!("cannot read {shown}"))?;
        let read = content(open()?, columns).with_context(|| format!("cannot read {shown}"))?;
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

    /// Writes it anew with those rows that `keep` keeps, as `keep` leaves them, if that changes anything. It takes the place of the old one
    /// at once. Answers whether anything changed.
    pub(super) fn rewrite(
        &mut self,
        folder: &Path,
        columns: &[ExportColumn],
        mut keep: impl FnMut(&mut Map<String, Value>) -> bool,
    ) -> Result<bool> {
        let path = folder.join(&self.path);
        let shown = path.display();
        let open = || copydesk_files::open(&path).with_context(|| format!("cannot open {shown}"));
        let mut changes = false;
        read_rows(open()?, columns, |mut row, _| {
            let before = row.clone();
            changes |= !keep(&mut row) || row != before;
            Ok(())
        })
        .with_context(|| format!("cannot read {shown}"))?;
        if !changes {
            return Ok(false);
        }
        let mut sink = begin(&path, self.table, columns)?;
        read_rows(open()?, columns, |mut row, _| {
            if keep(&mut row) {
                let size = Value::Object(row.clone()).to_string().len();
                sink.push(row, size)?;
            }
            Ok(())
        })
        .with_context(|| format!("cannot write {shown} anew"))?;
        (self.content, self.bytes) = end(sink)?;
        self.verify(folder, columns)?;
        Ok(true)
    }
}

/// Writes the rows of a table, into as many files as they need.
pub(super) struct Writer<'a> {
    options: &'a ArchiveOptions,
    batch: &'a ArchiveBatch,
    table: ArchiveTable,
    columns: &'a [ExportColumn],
    open: Option<(String, ParquetSink)>,
    files: Vec<ArchiveFile>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(
        options: &'a ArchiveOptions,
        batch: &'a ArchiveBatch,
        table: ArchiveTable,
        columns: &'a [ExportColumn],
    ) -> Self {
        Self {
            options,
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
            let place = day_folder(self.table, self.batch);
            let folder = self.options.folder.join(&place);
            fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
            let path = format!(
                "{place}/batch-{}-{}.parquet",
                self.batch.batch_id,
                self.files.len()
            );
            let sink = begin(&self.options.folder.join(&path), self.table, self.columns)?;
            self.open = Some((path, sink));
        }
        if let Some((_, sink)) = &mut self.open {
            sink.push(row, json.len())?;
            if sink.written() >= self.options.file_bytes {
                self.end_file()?;
            }
        }
        Ok(())
    }

    fn end_file(&mut self) -> Result<()> {
        if let Some((path, sink)) = self.open.take() {
            let (content, bytes) = end(sink)?;
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

fn begin(path: &Path, table: ArchiveTable, columns: &[ExportColumn]) -> Result<ParquetSink> {
    ParquetSink::new(
        Target::create(Some(path))?,
        table.as_str(),
        columns,
        table.sorted_by(),
    )
}

/// A value that Parquet cannot hold must not be dropped from Postgres as null.
fn end(sink: ParquetSink) -> Result<(Content, u64)> {
    let (odd, (target, content)) = (sink.odd(), sink.end()?);
    ensure!(
        odd == 0,
        "{odd} rows have a value that Parquet cannot hold, a time before year 1 or after 9999 as a rule: mend them in Postgres (article.published_at, modified_at, fetched_at); nothing was dropped"
    );
    Ok((content, target.keep()?))
}

fn day_folder(table: ArchiveTable, batch: &ArchiveBatch) -> String {
    format!("{}/day={}", table.as_str(), batch.day)
}

fn sha256(mut file: File) -> Result<(String, u64)> {
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
pub(super) fn delete_batch(folder: &Path, batch: &ArchiveBatch) -> Result<()> {
    let whole = format!("batch-{}-", batch.batch_id);
    for table in ArchiveTable::ALL {
        for path in entries(&folder.join(day_folder(table, batch)))? {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let partial = name.starts_with(".copydesk-") && name.ends_with(".partial");
            if name.starts_with(&whole) || partial {
                fs::remove_file(&path).with_context(|| format!("cannot delete {}", path.display()))?;
            }
        }
    }
    super::manifest::delete(folder, batch.batch_id)
}

/// What is in a folder; nothing where there is none.
pub(super) fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let read = || {
        fs::read_dir(folder)?
            .map(|e| Ok(e?.path()))
            .collect::<std::io::Result<_>>()
    };
    read().with_context(|| format!("cannot read {}", folder.display()))
}
