//! The files of a folder, in a fixed order.

use std::io;
use std::path::{Path, PathBuf};

/// What the walk comes upon.
pub(crate) enum Found {
    /// A file, with its path below the folder where the walk began.
    File { path: PathBuf, relative: PathBuf },
    /// A folder that cannot be listed.
    Unreadable(PathBuf, io::Error),
}

/// A file alone, or all files below a folder: depth first, by name within each folder, so that a second run
/// sends in the same order. Names that start with a dot are passed over, and folders behind symbolic
/// links are not entered: they can form a circle.
pub(crate) fn walk(start: &Path) -> impl Iterator<Item = Found> + use<> {
    let root = if start.is_dir() {
        start
    } else {
        start.parent().unwrap_or(Path::new(""))
    }
    .to_owned();
    let mut waiting = vec![start.to_owned()];
    let start = start.to_owned();
    std::iter::from_fn(move || {
        loop {
            let path = waiting.pop()?;
            let is_folder = if path == start {
                path.is_dir()
            } else {
                path.is_dir() && !path.is_symlink()
            };
            if is_folder {
                match list(&path) {
                    // The last is popped first.
                    Ok(names) => waiting.extend(names.into_iter().rev()),
                    Err(e) => return Some(Found::Unreadable(path, e)),
                }
            } else if !path.is_dir() {
                let relative = path.strip_prefix(&root).unwrap_or(&path).to_owned();
                return Some(Found::File { path, relative });
            }
        }
    })
}

fn list(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            entries.push(entry.path());
        }
    }
    entries.sort_unstable();
    Ok(entries)
}

/// Bytes of all files below `start` as far as they can be known: for showing how far a run has come.
pub(crate) fn size(start: &Path) -> u64 {
    walk(start)
        .filter_map(|found| match found {
            Found::File { path, .. } => std::fs::metadata(path).ok(),
            Found::Unreadable(..) => None,
        })
        .map(|m| m.len())
        .sum()
}
