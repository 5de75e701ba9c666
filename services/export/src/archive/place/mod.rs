//! Where the files of an archive are: a folder. Object storage would be another place: docs/decisions/018.

mod folder;

use std::fmt::Debug;
use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::Result;

use folder::Folder;

/// Where the files of an archive are. Paths are below it, with `/` between the parts.
pub(super) trait Place: Debug + Send + Sync {
    /// As Postgres notes it. All programs that use this archive have the same name for it.
    fn name(&self) -> &str;

    /// The path on this machine at which a file is made; [`Self::put`] brings it to its place.
    fn draft(&self, path: &str) -> Result<PathBuf>;

    /// Brings a file from its draft to its place, where it appears whole, instead of one that is there.
    fn put(&self, path: &str) -> Result<()>;

    /// Opens a file, for reading anywhere in it.
    fn open(&self, path: &str) -> Result<File>;

    /// The names of the files in a folder; none where there is no such folder.
    fn list(&self, folder: &str) -> Result<Vec<String>>;

    /// Deletes a file, if it is there.
    fn delete(&self, path: &str) -> Result<()>;
}

/// The archive in this folder, which is made if it is not there.
///
/// # Errors
/// The folder cannot be made.
pub(super) fn make(folder: &Path) -> Result<Box<dyn Place>> {
    Ok(Box::new(Folder::make(folder)?))
}

/// The archive that has this name.
///
/// # Errors
/// The folder is not on this machine.
pub(super) fn existing(name: &str) -> Result<Box<dyn Place>> {
    Ok(Box::new(Folder::existing(Path::new(name))?))
}
