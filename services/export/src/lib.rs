//! Exports articles or stories to a file: JSON Lines or Parquet.
//!
//! **In**: the database, [`ExportOptions`]. **Out**: one file that is whole or not there at all: it is written beside its
//! place under another name, and moved there at the end. All rows are of one moment, memory holds one row group at the most.
//! **What may fail**: Postgres or the disk; then nothing is left behind, and nothing that was there before is touched.
//!
//! The files: `target` opens and moves the output, `columns` makes Parquet of rows, `content` reads them back, [`archive`] is `copydesk janitor archive`.

pub mod archive;
mod columns;
mod content;
mod target;

use std::io::IsTerminal as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use copydesk_store::{ExportQuery, ExportView, Store, StoreError};
use tokio::sync::watch;

use columns::ParquetSink;
use target::Target;

/// What kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line.
    JsonLines(Compression),
    /// Apache Parquet, compressed with zstd.
    Parquet,
}

/// How JSON Lines are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// gzip.
    Gzip,
    /// zstd.
    Zstd,
}

impl Format {
    /// What a file's name says. `None`: it says nothing known.
    pub fn of_name(name: &str) -> Option<Self> {
        let lower = name.to_lowercase();
        let (stem, compression) = if let Some(stem) = lower.strip_suffix(".gz") {
            (stem, Compression::Gzip)
        } else if let Some(stem) = lower.strip_suffix(".zst") {
            (stem, Compression::Zstd)
        } else {
            (lower.as_str(), Compression::None)
        };
        if [".jsonl", ".ndjson", ".json"].iter().any(|e| stem.ends_with(e)) {
            return Some(Self::JsonLines(compression));
        }
        (stem.ends_with(".parquet") && compression == Compression::None).then_some(Self::Parquet)
    }
}

/// What to export, and where to.
#[derive(Debug, Clone)]
pub struct ExportOptions {
    /// Articles or stories.
    pub view: ExportView,
    /// Which of them.
    pub query: ExportQuery,
    /// The file; `None`: standard output.
    pub output: Option<PathBuf>,
    /// What kind of file.
    pub format: Format,
}

/// What was exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exported {
    /// Rows.
    pub rows: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// Rows with a value that the format cannot hold, which was written as null.
    pub odd_rows: u64,
}

/// The output of one format.
trait Sink {
    /// Takes a row as a JSON object.
    fn row(&mut self, json: &str) -> Result<()>;
    /// Rows with a value that was written as null.
    fn odd_rows(&self) -> u64 {
        0
    }
    /// Writes what is left, and the end of the file.
    fn finish(self: Box<Self>) -> Result<Target>;
}

/// Why a run of rows ended early.
enum Stop {
    Asked,
    Store(StoreError),
    Output(anyhow::Error),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Exports. When `stop` turns true, nothing is left behind.
///
/// # Errors
/// Postgres does not answer or breaks off, the file cannot be written, or it was told to stop.
pub async fn run(store: &Store, options: &ExportOptions, stop: watch::Receiver<bool>) -> Result<Exported> {
    let terminal = options.output.is_none() && std::io::stdout().is_terminal();
    if terminal && options.format != Format::JsonLines(Compression::None) {
        bail!(
            "this format is not for a terminal; name a file with --output, or lead it into another program"
        );
    }
    let target = Target::create(options.output.as_deref())?;
    let mut sink: Box<dyn Sink> = match options.format {
        Format::JsonLines(compression) => Box::new(target::Lines::new(target, compression, terminal)?),
        Format::Parquet => {
            let columns = store.export_columns(options.view).await?;
            Box::new(ParquetSink::new(target, options.view.as_str(), &columns, &[])?)
        }
    };
    let mut rows_out = false;
    let outcome = store
        .export(options.view, &options.query, |json| {
            if *stop.borrow() {
                return Err(Stop::Asked);
            }
            rows_out = true;
            sink.row(json).map_err(Stop::Output)
        })
        .await;
    let rows = match outcome {
        Ok(rows) => rows,
        Err(Stop::Asked) => bail!("stopped before the end; nothing was written"),
        // No StoreError: whoever reads once more where that helps would send the same rows again.
        Err(Stop::Store(error)) if rows_out && options.output.is_none() => {
            bail!("the export broke off, and what went to standard output is not whole: {error}")
        }
        Err(Stop::Store(error)) => return Err(error).context("the export broke off; nothing was written"),
        Err(Stop::Output(error)) => return Err(error),
    };
    let odd_rows = sink.odd_rows();
    let bytes = sink.finish()?.keep()?;
    Ok(Exported {
        rows,
        bytes,
        odd_rows,
    })
}
