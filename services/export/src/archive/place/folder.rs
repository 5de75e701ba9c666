//! An archive in a folder of this machine, or one that is mounted.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::Place;
use crate::target::Target;

#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    name: String,
}

impl Folder {
    pub(super) fn make(path: &Path) -> Result<Self> {
        fs::create_dir_all(path).with_context(|| format!("cannot make the folder {}", path.display()))?;
        Self::existing(path)
    }

    pub(super) fn existing(path: &Path) -> Result<Self> {
        let path = fs::canonicalize(path)
            .with_context(|| format!("the archive in {} is not on this machine", path.display()))?;
        let name = path.display().to_string();
        Ok(Self { path, name })
    }
}

impl Place for Folder {
    fn name(&self) -> &str {
        &self.name
    }

    /// A file is made beside its place, and moved there when it is whole.
    fn begin(&self, path: &str) -> Result<Target> {
        let path = self.path.join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        Target::create(Some(&path))
    }

    fn put(&self, _path: &str, file: Target) -> Result<u64> {
        file.keep()
    }

    fn open(&self, path: &str) -> Result<File> {
        let path = self.path.join(path);
        copydesk_files::open(&path).with_context(|| format!("cannot open {}", path.display()))
    }

    fn list(&self, folder: &str) -> Result<Vec<String>> {
        let folder = self.path.join(folder);
        if !folder.exists() {
            return Ok(Vec::new());
        }
        let read = || {
            fs::read_dir(&folder)?
                .map(|e| Ok(e?.file_name().to_string_lossy().into_owned()))
                .collect::<io::Result<_>>()
        };
        read().with_context(|| format!("cannot read {}", folder.display()))
    }

    fn delete(&self, path: &str) -> Result<()> {
        let path = self.path.join(path);
        match fs::remove_file(&path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
            done => done.with_context(|| format!("cannot delete {}", path.display())),
        }
    }
}
