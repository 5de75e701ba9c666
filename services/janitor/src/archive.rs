//! The archive as a part of the janitor's rounds.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Result, bail};
use copydesk_export::archive::{self, ArchiveOptions, Archived};
use copydesk_store::{ReadRouter, Store, StoreError};
use tokio::sync::watch;
use tracing::{info, warn};

use crate::old_before;

/// Where old articles go.
#[derive(Debug, Clone)]
pub struct Archive {
    /// The folder, or the address of a bucket.
    pub folder: PathBuf,
    /// Articles whose latest version was stored so many days ago.
    pub after_days: u32,
    /// A file is ended when it has so many bytes.
    pub file_bytes: u64,
    /// Where the articles are read.
    pub reads: Arc<ReadRouter>,
}

impl Archive {
    /// Whether new articles are compared with some that would go.
    pub(crate) async fn check(&self, store: &Store, keep_windows: u32) -> Result<(), StoreError> {
        store.check_archive(self.after_days, keep_windows).await
    }
}

/// Archives all that is old. Ends early, with an error, when `stop` turns true; the next call goes on.
///
/// # Errors
/// As [`archive::run`]; a limit that is shorter than the windows of keys that are kept.
pub async fn archive_once(
    store: &Store,
    settings: &Archive,
    keep_windows: u32,
    stop: &watch::Receiver<bool>,
) -> Result<Archived> {
    settings.check(store, keep_windows).await?;
    let options = ArchiveOptions {
        folder: settings.folder.clone(),
        before: old_before(settings.after_days),
        file_bytes: settings.file_bytes,
    };
    archive::run(store, &settings.reads, &options, |_| {
        if *stop.borrow() {
            bail!("stopped before the end; nothing is lost, and the same command goes on");
        }
        Ok(())
    })
    .await
}

/// The archive's part of a round. Whatever stops it, a full disk or a second janitor that is at it, is looked
/// at by the next one.
pub(crate) async fn round(
    store: &Store,
    settings: &Archive,
    keep_windows: u32,
    stop: &watch::Receiver<bool>,
) {
    match archive_once(store, settings, keep_windows, stop).await {
        Ok(done) if done == Archived::default() => {}
        Ok(done) => info!(
            articles = done.articles,
            batches = done.batches,
            bytes = done.bytes,
            ranges_dropped = done.ranges,
            changed = done.changed,
            taken_down = done.taken_down,
            takedowns_due = done.takedowns_due,
            "archived"
        ),
        Err(_) if *stop.borrow() => info!("the archive stops; the next janitor goes on with it"),
        Err(error) => warn!(
            error = format!("{error:#}"),
            "the archive did not go on; the next round does"
        ),
    }
}
