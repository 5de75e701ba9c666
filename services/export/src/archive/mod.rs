//! The archive: old articles as Parquet files by day, and gone from Postgres once the files are verified.
//!
//! **In**: the database, [`ArchiveOptions`]. **Out**: in the folder `TABLE/day=YYYY-MM-DD/batch-N-M.parquet` for `articles`, `article_versions`,
//! `removed_blocks` and `stories`, `manifest/batch-N.json` for each batch, and the batch's articles dropped as retention drops them.
//! **What may fail**: Postgres, the disk, a file that reads back otherwise than it was written. A run that ends at any point is made up for by
//! the next one: files of a batch that was not written to its end are deleted and written again, articles of one that was are dropped.
//!
//! The files: `files` writes, verifies and rewrites them, `manifest` says what is in them.

mod files;
mod manifest;

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail, ensure};
use chrono::{DateTime, NaiveDate, Utc};
use copydesk_store::{
    ArchiveBatch, ArchiveCounts, ArchiveTable, ExportColumn, RetryClass, Store, StoreError, try_again,
};
use serde_json::{Map, Value};
use tracing::{info, warn};

use files::Writer;
use manifest::Manifest;

/// Articles that are read in one query.
const READ: usize = 500;
/// Articles dropped in one transaction: short enough not to hold up a worker.
const DROP: i64 = 500;

/// What to archive, and where to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveOptions {
    /// The archive. Made if it is not there.
    pub folder: PathBuf,
    /// Articles whose latest version was stored before this time.
    pub before: DateTime<Utc>,
    /// A file is ended when it has so many bytes; the next rows go into another one.
    pub file_bytes: u64,
}

/// What a run did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Archived {
    /// Batches that were written.
    pub batches: u64,
    /// Articles that are in the archive and gone from Postgres.
    pub articles: u64,
    /// Articles that changed while they were archived: they stay in Postgres and were taken out of the files again.
    pub changed: u64,
    /// Bytes of the files that were written.
    pub bytes: u64,
    /// Ranges of articles whose partitions were dropped whole.
    pub ranges: u64,
}

/// Steps of a run, reported to the caller, which may end the run there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A batch is noted; nothing of it is written.
    Begun,
    /// Some of its files are there.
    Writing,
    /// All its files are there.
    FilesWritten,
    /// They read back as they were written.
    Verified,
    /// The manifest has them.
    InManifest,
    /// Postgres knows that the batch is written.
    Noted,
    /// Some of its articles are gone from Postgres.
    Dropping,
    /// Those that changed meanwhile are no more in its files.
    Rewritten,
}

/// The columns of each table: asked for once a run, in which the schema does not change.
struct Columns(BTreeMap<ArchiveTable, Vec<ExportColumn>>);

impl Columns {
    async fn read(store: &Store) -> Result<Self> {
        let mut columns = BTreeMap::new();
        for table in ArchiveTable::ALL {
            columns.insert(table, store.archive_columns(table).await?);
        }
        Ok(Self(columns))
    }

    fn of(&self, table: ArchiveTable) -> &[ExportColumn] {
        self.0.get(&table).map_or(&[], Vec::as_slice)
    }
}

/// Archives all that is old. `at` is called at every step, and ends the run by an error; the next run goes on.
///
/// # Errors
/// Postgres does not answer, a role that may not delete, the disk, what `at` answers, another run that is under way.
pub async fn run(
    store: &Store,
    options: &ArchiveOptions,
    mut at: impl FnMut(Step) -> Result<()>,
) -> Result<Archived> {
    let _lock = lock(options)?;
    let columns = Columns::read(store).await?;
    let mut done = Archived::default();
    recover(store, options, &columns, &mut at, &mut done).await?;
    store.mark_ranges(options.before).await?;
    loop {
        let days = store.archive_days(options.before).await?;
        if days.is_empty() {
            break;
        }
        let before = done.articles;
        for (day, articles) in days {
            info!(%day, articles, "archiving");
            archive_day(store, options, &columns, day, &mut at, &mut done).await?;
        }
        if done.articles == before {
            // All that is left changes faster than it is written.
            break;
        }
    }
    match store.drop_ranges().await {
        Ok(ranges) => done.ranges = ranges,
        Err(error) if error.class() == RetryClass::RetryNow => {
            warn!(%error, "somebody reads old articles; their range is dropped in the next run");
        }
        Err(error) => return Err(error.into()),
    }
    Ok(done)
}

/// Takes an article out of all files of the archive. Answers with the number of files that had something of it.
///
/// # Errors
/// The article is not in the archive; Postgres or the disk; another run that is under way.
pub async fn remove(store: &Store, options: &ArchiveOptions, article: i64) -> Result<u64> {
    let _lock = lock(options)?;
    let Some(day) = store.archived_day(article).await? else {
        bail!(
            "article {article} is not in the archive: retired_articles.archive_day says of which articles it has which day"
        );
    };
    let columns = Columns::read(store).await?;
    let mut rewritten = 0;
    for manifest in Manifest::all(&options.folder)? {
        // Stories of any day may show the article.
        rewritten += take_out(options, &columns, manifest, &[article], Some(day))?;
    }
    store.unarchived(article).await?;
    Ok(rewritten)
}

/// One run at a time: another one would take the files of a batch under way for those of a run that was stopped.
fn lock(options: &ArchiveOptions) -> Result<File> {
    let folder = &options.folder;
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let path = folder.join(".lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .with_context(|| format!("cannot open {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            bail!("another run of the archive is under way in {}", folder.display())
        }
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock {}", path.display()))
        }
    }
}

/// Makes up for runs that were stopped.
async fn recover(
    store: &Store,
    options: &ArchiveOptions,
    columns: &Columns,
    at: &mut impl FnMut(Step) -> Result<()>,
    done: &mut Archived,
) -> Result<()> {
    for batch in store.unfinished_archive_batches().await? {
        ensure!(
            fs::canonicalize(&batch.folder).ok() == fs::canonicalize(&options.folder).ok(),
            "batch {} of {} is not finished; run the archive with that folder first",
            batch.batch_id,
            batch.folder
        );
        if batch.written {
            info!(batch = batch.batch_id, "going on with a batch that is written");
            drop_batch(store, options, columns, &batch, at, done).await?;
        } else {
            warn!(
                batch = batch.batch_id,
                "deleting the files of a batch that was not written to its end"
            );
            files::delete_batch(&options.folder, &batch)?;
            store.abandon_archive_batch(&batch).await?;
        }
    }
    Ok(())
}

async fn archive_day(
    store: &Store,
    options: &ArchiveOptions,
    columns: &Columns,
    day: NaiveDate,
    at: &mut impl FnMut(Step) -> Result<()>,
    done: &mut Archived,
) -> Result<()> {
    let folder = fs::canonicalize(&options.folder)?.display().to_string();
    let mut batch = store.begin_archive_batch(day, &folder).await?;
    at(Step::Begun)?;
    let mut reader = store.read_for_archive(day, options.before).await?;
    let articles = reader.articles().to_vec();
    if articles.is_empty() {
        return Ok(store.abandon_archive_batch(&batch).await?);
    }
    let stories = reader.stories().await?;
    let mut manifest = Manifest::new(&batch);
    let mut counts = ArchiveCounts::default();
    for (table, count) in ArchiveTable::ALL.into_iter().zip(&mut counts.rows) {
        let mut writer = Writer::new(options, &batch, table, columns.of(table));
        let ids = if table == ArchiveTable::Stories {
            &stories
        } else {
            &articles
        };
        for some in ids.chunks(READ) {
            *count += reader
                .rows(table, some, |json| writer.row(json).map_err(Stop::Output))
                .await?;
            at(Step::Writing)?;
        }
        manifest.files.extend(writer.end()?);
    }
    ensure!(
        counts.rows[0] == articles.len() as u64,
        "{} articles of {day} were to be written and {} were; run it again",
        articles.len(),
        counts.rows[0]
    );
    at(Step::FilesWritten)?;
    for file in &mut manifest.files {
        let columns = columns.of(file.table);
        file.verify(&options.folder, columns)?;
    }
    counts.bytes = manifest.files.iter().map(|f| f.bytes).sum();
    at(Step::Verified)?;
    manifest.write(&options.folder)?;
    at(Step::InManifest)?;
    let stamps = reader.stamps().await?;
    store.archive_written(&batch, &counts, stamps).await?;
    batch.written = true;
    done.batches += 1;
    done.bytes += counts.bytes;
    at(Step::Noted)?;
    drop_batch(store, options, columns, &batch, at, done).await
}

/// Drops the articles of a written batch from Postgres.
async fn drop_batch(
    store: &Store,
    options: &ArchiveOptions,
    columns: &Columns,
    batch: &ArchiveBatch,
    at: &mut impl FnMut(Step) -> Result<()>,
    done: &mut Archived,
) -> Result<()> {
    let (mut after, mut changed) = (i64::MIN, Vec::new());
    while let Some(step) = try_again(|| store.drop_archived(batch, after, DROP)).await? {
        after = step.after;
        done.articles += step.dropped;
        changed.extend(step.changed);
        at(Step::Dropping)?;
    }
    if !changed.is_empty() {
        done.changed += changed.len() as u64;
        let manifest = Manifest::of(&options.folder, batch.batch_id)?;
        take_out(options, columns, manifest, &changed, None)?;
    }
    at(Step::Rewritten)?;
    store.archive_done(batch).await?;
    Ok(())
}

/// Takes articles out of the files of a batch: their rows, and what its stories show of them. `of_day`: articles of another day's batch
/// can be in its stories alone. Answers with the number of files that were written anew.
fn take_out(
    options: &ArchiveOptions,
    columns: &Columns,
    mut manifest: Manifest,
    articles: &[i64],
    of_day: Option<NaiveDate>,
) -> Result<u64> {
    let has = |row: &Map<String, Value>, column: &str| {
        row.get(column)
            .and_then(Value::as_i64)
            .is_some_and(|id| articles.contains(&id))
    };
    let mut rewritten = 0;
    for file in &mut manifest.files {
        let table = file.table;
        if table != ArchiveTable::Stories && of_day.is_some_and(|day| day != manifest.day) {
            continue;
        }
        let done = file.rewrite(&options.folder, columns.of(table), |row| {
            if table != ArchiveTable::Stories {
                return !has(row, "article_id");
            }
            if has(row, "canonical_article") {
                for shown in ["title", "url", "site"] {
                    row.insert(shown.to_owned(), Value::Null);
                }
            }
            true
        })?;
        rewritten += u64::from(done);
    }
    if rewritten > 0 {
        manifest.write(&options.folder)?;
    }
    Ok(rewritten)
}

/// Why reading ended early.
enum Stop {
    Store(StoreError),
    Output(anyhow::Error),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Stop> for anyhow::Error {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Store(error) => error.into(),
            Stop::Output(error) => error,
        }
    }
}
