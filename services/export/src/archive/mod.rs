//! The archive: old articles as Parquet files by day, and gone from Postgres once the files are verified.
//!
//! **In**: the database, [`ArchiveOptions`]. **Out**: in the folder or bucket `TABLE/day=YYYY-MM-DD/batch-N-M.parquet` for `articles`, `article_versions`,
//! `removed_blocks` and `stories`, `manifest/batch-N.json` for each batch, and the batch's articles dropped as retention drops them.
//! **What may fail**: Postgres, the disk, the object storage, a file that reads back otherwise than it was written. A run that ends at any point is made up for by
//! the next one: files of a batch that was not written to its end are deleted and written again, articles of one that was are dropped.
//!
//! The files: `place` is where they are, `files` writes, verifies and rewrites them, `manifest` says what is
//! in them, `take_out` takes articles out of them, `takedown` those that were taken down.

mod files;
mod manifest;
mod place;
mod take_out;
mod takedown;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use chrono::{DateTime, NaiveDate, Utc};
use copydesk_store::{
    ArchiveBatch, ArchiveCounts, ArchiveLock, ArchiveTable, ExportColumn, ReadRouter, RetryClass, Store,
    StoreError, try_again,
};
use tracing::{info, warn};

use files::Writer;
use manifest::Manifest;
use place::Place;
pub use place::check_address;
use take_out::take_out;
pub use takedown::{TakenOut, take_down};

/// Articles that are read in one query.
const READ: usize = 500;
/// Articles dropped in one transaction: short enough not to hold up a worker.
const DROP: i64 = 500;
/// How long a replica may take to catch up with the primary before a day is read from the primary.
const CATCH_UP: Duration = Duration::from_secs(60);

/// What to archive, and where to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveOptions {
    /// The archive: a folder, which is made if it is not there, or the address of a bucket.
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
    /// Articles that were taken down, and are out of the files now.
    pub taken_down: u64,
    /// Takedowns that have not reached the files: the log says why.
    pub takedowns_due: u64,
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

/// What all steps of a run need.
struct Run<'a> {
    store: &'a Store,
    reads: &'a ReadRouter,
    options: &'a ArchiveOptions,
    place: &'a dyn Place,
    columns: Columns,
}

/// Archives all that is old. Rows are read from where `reads` says, which may be a replica: what it shows of
/// an article must still hold on the primary when the article goes. `at` is called at every step, and ends
/// the run by an error; the next run goes on.
///
/// # Errors
/// Postgres does not answer, a role that may not delete, the disk, what `at` answers, another run that is under way.
pub async fn run(
    store: &Store,
    reads: &ReadRouter,
    options: &ArchiveOptions,
    mut at: impl FnMut(Step) -> Result<()>,
) -> Result<Archived> {
    let place = place::make(&options.folder)?;
    let place = place.as_ref();
    let _lock = lock(store, place).await?;
    let run = Run {
        store,
        reads,
        options,
        place,
        columns: Columns::read(store).await?,
    };
    let mut done = Archived::default();
    recover(&run, &mut at, &mut done).await?;
    match takedown::reach_files(store, Some(place.name())).await {
        Ok(out) => done.taken_down = out.articles,
        Err(error) => {
            warn!(
                error = format!("{error:#}"),
                "takedowns have not reached the archive's files"
            );
            done.takedowns_due = store.archive_takedowns().await?.len() as u64;
        }
    }
    store.mark_ranges(options.before).await?;
    loop {
        let days = store.archive_days(options.before).await?;
        if days.is_empty() {
            break;
        }
        let before = done.articles;
        for (day, articles) in days {
            info!(%day, articles, "archiving");
            let mut tries = 0;
            while let Err(error) = archive_day(&run, day, &mut at, &mut done).await {
                reads.read_again(error.downcast()?, &mut tries).await?;
                recover(&run, &mut at, &mut done).await?;
            }
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

/// One run at a time: another one would take the files of a batch under way for those of a run that was stopped.
async fn lock(store: &Store, place: &dyn Place) -> Result<ArchiveLock> {
    let locked = store.lock_archive(place.name()).await?;
    locked.with_context(|| format!("another run of the archive is under way in {}", place.name()))
}

/// Makes up for runs that were stopped.
async fn recover(run: &Run<'_>, at: &mut impl FnMut(Step) -> Result<()>, done: &mut Archived) -> Result<()> {
    let Run { store, place, .. } = *run;
    for batch in store.unfinished_archive_batches().await? {
        ensure!(
            batch.folder == place.name(),
            "batch {} of {} is not finished; run the archive with that folder first",
            batch.batch_id,
            batch.folder
        );
        if batch.written {
            info!(batch = batch.batch_id, "going on with a batch that is written");
            drop_batch(run, &batch, at, done).await?;
        } else {
            warn!(
                batch = batch.batch_id,
                "deleting the files of a batch that was not written to its end"
            );
            files::delete_batch(place, &batch)?;
            store.abandon_archive_batch(&batch).await?;
        }
    }
    Ok(())
}

async fn archive_day(
    run: &Run<'_>,
    day: NaiveDate,
    at: &mut impl FnMut(Step) -> Result<()>,
    done: &mut Archived,
) -> Result<()> {
    let Run {
        store,
        options,
        place,
        ..
    } = *run;
    let mut batch = store.begin_archive_batch(day, place.name()).await?;
    at(Step::Begun)?;
    let mut source = run.reads.store().await?;
    if !source.catches_up_with(store, CATCH_UP).await? {
        warn!(
            "the replica did not catch up in {} s: this day is read from the primary",
            CATCH_UP.as_secs()
        );
        source = store;
    }
    let mut reader = source.read_for_archive(day, options.before).await?;
    let articles = reader.articles().to_vec();
    if articles.is_empty() {
        return Ok(store.abandon_archive_batch(&batch).await?);
    }
    let stories = reader.stories().await?;
    let mut manifest = Manifest::new(&batch);
    let mut counts = ArchiveCounts::default();
    for (table, count) in ArchiveTable::ALL.into_iter().zip(&mut counts.rows) {
        let mut writer = Writer::new(place, options.file_bytes, &batch, table, run.columns.of(table));
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
        let columns = run.columns.of(file.table);
        file.verify(place, columns)?;
    }
    counts.bytes = manifest.files.iter().map(|f| f.bytes).sum();
    at(Step::Verified)?;
    manifest.write(place)?;
    at(Step::InManifest)?;
    let stamps = reader.stamps().await?;
    store.archive_written(&batch, &counts, stamps).await?;
    batch.written = true;
    done.batches += 1;
    done.bytes += counts.bytes;
    at(Step::Noted)?;
    drop_batch(run, &batch, at, done).await
}

/// Drops the articles of a written batch from Postgres.
async fn drop_batch(
    run: &Run<'_>,
    batch: &ArchiveBatch,
    at: &mut impl FnMut(Step) -> Result<()>,
    done: &mut Archived,
) -> Result<()> {
    let Run { store, place, .. } = *run;
    let (mut after, mut changed) = (i64::MIN, Vec::new());
    while let Some(step) = try_again(|| store.drop_archived(batch, after, DROP)).await? {
        after = step.after;
        done.articles += step.dropped;
        changed.extend(step.changed);
        at(Step::Dropping)?;
    }
    if !changed.is_empty() {
        done.changed += changed.len() as u64;
        let manifest = Manifest::of(place, batch.batch_id)?;
        let changed = BTreeSet::from_iter(changed);
        take_out(place, &run.columns, manifest, &changed, None)?;
    }
    at(Step::Rewritten)?;
    store.archive_done(batch).await?;
    Ok(())
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
