//! Where the files of an archive are: a folder, or a bucket of object storage (docs/decisions/018 and 021).

mod address;
#[cfg(feature = "object-storage")]
mod bucket;
mod folder;

use std::fmt::Debug;
use std::fs::File;
use std::path::Path;

use anyhow::Result;

use crate::target::Target;
use address::Address;
pub use address::check_address;
use folder::Folder;

/// Where the files of an archive are. Paths are below it, with `/` between the parts.
pub(super) trait Place: Debug + Send + Sync {
    /// As Postgres notes it. All programs that use this archive have the same name for it.
    fn name(&self) -> &str;

    /// Begins a file that [`Self::put`] brings to its place. Nothing is left of one that is dropped before.
    fn begin(&self, path: &str) -> Result<Target>;

    /// Brings a file to its place, where it appears whole, instead of one that is there. Answers with its bytes.
    fn put(&self, path: &str, file: Target) -> Result<u64>;

    /// Opens a file, for reading anywhere in it.
    fn open(&self, path: &str) -> Result<File>;

    /// The names of the files in a folder; none where there is no such folder.
    fn list(&self, folder: &str) -> Result<Vec<String>>;

    /// Deletes a file, if it is there.
    fn delete(&self, path: &str) -> Result<()>;
}

/// The archive in this folder, which is made if it is not there, or in this bucket, which must be.
///
/// # Errors
/// The folder cannot be made; the bucket cannot be listed; no such address.
pub(super) fn make(folder: &Path) -> Result<Box<dyn Place>> {
    Ok(match Address::parse(folder)? {
        Address::Folder(path) => Box::new(Folder::make(path)?),
        Address::Bucket { .. } => {
            let place = existing(folder)?;
            // Before anything is noted in Postgres.
            place.list(super::manifest::FOLDER)?;
            place
        }
    })
}

/// The archive that has this name.
///
/// # Errors
/// The folder is not on this machine; this program has no object storage.
pub(super) fn existing(name: &Path) -> Result<Box<dyn Place>> {
    Ok(match Address::parse(name)? {
        Address::Folder(path) => Box::new(Folder::existing(path)?),
        #[cfg(feature = "object-storage")]
        Address::Bucket {
            scheme,
            bucket,
            prefix,
        } => Box::new(bucket::InBucket::open(scheme, bucket, prefix)?),
        #[cfg(not(feature = "object-storage"))]
        Address::Bucket { scheme, bucket, .. } => anyhow::bail!(
            "{scheme}://{bucket}: this copydesk was built without object storage; packages and release builds have it, and \
             `cargo build --features object-storage` makes one"
        ),
    })
}
