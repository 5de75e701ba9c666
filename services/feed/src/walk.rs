//! The files of a folder, in a fixed order.

use std::collections::HashSet;
use std::fs::{self, FileType, Metadata};
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

/// What becomes of symbolic links within a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Links {
    /// A link to a file of the same folder, or of one below it, is read. Any other is passed over: whoever
    /// may write to the folder could have any file of this machine put on the topic.
    Inside,
    /// All are followed, those to folders too.
    Follow,
}

/// What the walk comes upon.
#[derive(Debug)]
pub(crate) enum Found {
    /// What was named itself, whatever it is: a file, a FIFO, a device.
    Named(PathBuf),
    /// A regular file, with its path below the folder where the walk began.
    File {
        path: PathBuf,
        relative: PathBuf,
        /// Where it is, all links resolved; `None` where `path` has no link in its last place.
        target: Option<PathBuf>,
    },
    /// A folder that cannot be listed, a link that leads nowhere.
    Unreadable(PathBuf, io::Error),
    /// What is no file, by its kind, in the plural.
    PassedOver(&'static str),
}

pub(crate) const LEADS_OUT: &str = "symbolic links that lead out of the folder (--follow-links feeds them)";
const LINKED_FOLDERS: &str = "symbolic links to folders (--follow-links enters them)";
const ENTERED_BEFORE: &str = "folders that a link leads to a second time";

/// A file alone, or all files below a folder: depth first, by name within each folder, so that a second run
/// sends in the same order. Names that start with a dot are passed over. FIFOs, devices and sockets are
/// reported and not touched: opening one may block for ever.
pub(crate) struct Walk {
    waiting: Vec<PathBuf>,
    start: PathBuf,
    links: Links,
    /// The folder itself, all links resolved.
    inside: Option<PathBuf>,
    /// Folders that were entered, where links could lead to them again.
    entered: HashSet<(u64, u64)>,
}

impl Walk {
    pub(crate) fn new(start: &Path, links: Links) -> Self {
        Self {
            waiting: vec![start.to_owned()],
            start: start.to_owned(),
            links,
            inside: fs::canonicalize(start).ok(),
            entered: HashSet::new(),
        }
    }

    /// The folder's own path, without links.
    pub(crate) fn inside(&self) -> Option<&Path> {
        self.inside.as_deref()
    }

    /// What is at `path`. `None`: a folder, which is entered now.
    fn look_at(&mut self, path: PathBuf) -> Option<Found> {
        if path == self.start {
            return match fs::metadata(&path) {
                Ok(there) if there.is_dir() => self.enter(path, &there),
                // What is wrong with it is seen when it is opened.
                _ => Some(Found::Named(path)),
            };
        }
        let there = match fs::symlink_metadata(&path) {
            Ok(there) => there,
            Err(e) => return Some(Found::Unreadable(path, e)),
        };
        if there.is_dir() {
            return self.enter(path, &there);
        }
        if !there.is_symlink() {
            return Some(self.file(path, None, there.file_type()));
        }
        let (target, there) = match fs::canonicalize(&path).and_then(|t| Ok((fs::metadata(&t)?, t))) {
            Ok((there, target)) => (target, there),
            Err(e) => return Some(Found::Unreadable(path, e)),
        };
        if self.links == Links::Inside {
            if !self.inside.as_ref().is_some_and(|i| target.starts_with(i)) {
                return Some(Found::PassedOver(LEADS_OUT));
            }
            if there.is_dir() {
                return Some(Found::PassedOver(LINKED_FOLDERS));
            }
        } else if there.is_dir() {
            return self.enter(path, &there);
        }
        Some(self.file(path, Some(target), there.file_type()))
    }

    fn file(&self, path: PathBuf, target: Option<PathBuf>, kind: FileType) -> Found {
        if !kind.is_file() {
            return Found::PassedOver(match kind {
                _ if kind.is_fifo() => "FIFOs",
                _ if kind.is_socket() => "sockets",
                _ => "devices",
            });
        }
        let relative = path.strip_prefix(&self.start).unwrap_or(&path).to_owned();
        Found::File {
            path,
            relative,
            target,
        }
    }

    fn enter(&mut self, folder: PathBuf, there: &Metadata) -> Option<Found> {
        if self.links == Links::Follow && !self.entered.insert((there.dev(), there.ino())) {
            return Some(Found::PassedOver(ENTERED_BEFORE));
        }
        match list(&folder) {
            // The last is popped first.
            Ok(names) => {
                self.waiting.extend(names.into_iter().rev());
                None
            }
            Err(e) => Some(Found::Unreadable(folder, e)),
        }
    }
}

impl Iterator for Walk {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        while let Some(path) = self.waiting.pop() {
            if let Some(found) = self.look_at(path) {
                return Some(found);
            }
        }
        None
    }
}

fn list(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            entries.push(entry.path());
        }
    }
    entries.sort_unstable();
    Ok(entries)
}

/// Bytes of all files below `start` as far as they can be known: for showing how far a run has come.
pub(crate) fn size(start: &Path, links: Links) -> u64 {
    Walk::new(start, links)
        .filter_map(|found| match found {
            Found::Named(path) => fs::metadata(path).ok(),
            Found::File { path, target, .. } => fs::metadata(target.unwrap_or(path)).ok(),
            Found::Unreadable(..) | Found::PassedOver(_) => None,
        })
        .map(|m| m.len())
        .sum()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;
    use std::process::Command;

    use super::*;

    fn found(start: &Path, links: Links) -> Vec<String> {
        Walk::new(start, links)
            .map(|found| match found {
                Found::Named(path) => format!("named {}", path.display()),
                Found::File { relative, .. } => relative.display().to_string(),
                Found::Unreadable(path, _) => format!("unreadable {}", path.file_name().unwrap().display()),
                Found::PassedOver(kind) => kind.split(' ').take(5).collect::<Vec<_>>().join(" "),
            })
            .collect()
    }

    #[test]
    fn what_is_no_file_is_told_of_and_not_touched() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        assert!(
            Command::new("mkfifo")
                .arg(at("a.jsonl"))
                .status()
                .unwrap()
                .success()
        );
        let _socket = UnixListener::bind(at("b.jsonl")).unwrap();
        fs::write(at("c.jsonl"), "").unwrap();
        symlink("/dev/null", at("d.jsonl")).unwrap();
        symlink(at("a.jsonl"), at("e.jsonl")).unwrap();
        assert_eq!(
            found(folder.path(), Links::Follow),
            ["FIFOs", "sockets", "c.jsonl", "devices", "FIFOs"]
        );
        assert_eq!(
            found(&at("a.jsonl"), Links::Inside),
            [format!("named {}", at("a.jsonl").display())]
        );
    }

    #[test]
    fn links_out_of_the_folder_are_followed_only_when_it_is_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        fs::write(elsewhere.path().join("secret.txt"), "x").unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("own")).unwrap();
        fs::write(at("own/file.txt"), "x").unwrap();
        symlink(elsewhere.path().join("secret.txt"), at("a.txt")).unwrap();
        symlink(elsewhere.path(), at("b")).unwrap();
        symlink("own/file.txt", at("c.txt")).unwrap();
        symlink("own", at("d")).unwrap();
        symlink("..", at("own/up")).unwrap();
        symlink("nowhere", at("z.txt")).unwrap();
        // A chain of links that leaves the folder at its end.
        symlink("a.txt", at("e.txt")).unwrap();
        let out = "symbolic links that lead out";
        let linked = "symbolic links to folders (--follow-links";
        assert_eq!(
            found(folder.path(), Links::Inside),
            [
                out,
                out,
                "c.txt",
                linked,
                out,
                "own/file.txt",
                linked,
                "unreadable z.txt"
            ]
        );
        let again = "folders that a link leads";
        assert_eq!(
            found(folder.path(), Links::Follow),
            [
                "a.txt",
                "b/secret.txt",
                "c.txt",
                "d/file.txt",
                again,
                "e.txt",
                again,
                "unreadable z.txt"
            ]
        );
    }

    #[test]
    fn a_folder_that_is_named_by_a_link_is_walked() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("real")).unwrap();
        fs::write(folder.path().join("real/a.txt"), "x").unwrap();
        let link = folder.path().join("link");
        symlink("real", &link).unwrap();
        assert_eq!(found(&link, Links::Inside), ["a.txt"]);
        assert_eq!(size(&link, Links::Inside), 1);
    }
}
