//! Files whose folders others may write to: opened and written without following what stands in their place.
//!
//! **In**: paths. **Out**: [`open`] gives a file that can be read without waiting for anybody, [`NewFile`] a file that
//! appears under its name when it is whole. **May fail**: whatever the file system refuses, and a FIFO, a
//! device, a socket or a symbolic link where a file should be.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// Opens a regular file for reading. Whatever else stands there is an error, and never waited for: a FIFO
/// without a writer would block for ever, a device may do something by being opened. A symbolic link in the
/// last place is not followed.
///
/// # Errors
/// Those of the file system; [`io::ErrorKind::InvalidInput`] for what is no regular file.
pub fn open(path: &Path) -> io::Result<File> {
    open_with(path, libc::O_NOFOLLOW)
}

/// As [`open`], but a link is followed.
///
/// # Errors
/// As [`open`].
pub fn open_linked(path: &Path) -> io::Result<File> {
    open_with(path, 0)
}

fn open_with(path: &Path, flags: i32) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags | libc::O_NONBLOCK | libc::O_NOCTTY)
        .open(path)
        .map_err(|e| match e.raw_os_error() {
            Some(libc::ELOOP) => not_a_file("it is a symbolic link"),
            // A socket, or a FIFO that nobody reads.
            Some(libc::ENXIO) => not_a_file("it is no regular file"),
            _ => e,
        })?;
    // What was opened, not what stands there by now.
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(not_a_file("it is no regular file"))
    }
}

/// Whether an open file is below `folder` (a path without links), whatever has been moved about since its
/// path was read. Where the system does not say (no `/proc`), it is taken to be.
pub fn is_below(file: &File, folder: &Path) -> bool {
    std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd()))
        .map_or(true, |at| at.starts_with(folder))
}

fn not_a_file(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}

/// A file under way: written beside its place under a name that nobody can foresee, moved there by [`NewFile::keep`].
/// Dropped before that, it leaves nothing behind.
#[derive(Debug)]
pub struct NewFile {
    file: NamedTempFile,
    path: PathBuf,
}

impl NewFile {
    /// Begins a file. One that is there already stays as it is until [`NewFile::keep`].
    ///
    /// # Errors
    /// The folder cannot be written to; or what stands in the place is no regular file: a symbolic link (writing to it
    /// would write somewhere else), a device, a FIFO, a folder.
    pub fn create(path: &Path) -> io::Result<Self> {
        check_place(path)?;
        let file = tempfile::Builder::new()
            .prefix(".copydesk-")
            .suffix(".partial")
            // As of any other new file: the umask takes away what it takes away.
            .permissions(Permissions::from_mode(0o666))
            .tempfile_in(folder(path))?;
        Ok(Self {
            file,
            path: path.to_owned(),
        })
    }

    /// Everything to the disk, then the file to its place. A link that has come to stand there meanwhile is
    /// replaced, not followed.
    ///
    /// # Errors
    /// The disk is full or gone.
    pub fn keep(self) -> io::Result<()> {
        self.file.as_file().sync_all()?;
        self.file.persist(&self.path).map_err(|e| e.error)?;
        File::open(folder(&self.path))?.sync_all()
    }
}

impl Write for NewFile {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.file.write(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Writes a whole file.
///
/// # Errors
/// As [`NewFile::create`] and [`NewFile::keep`].
pub fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = NewFile::create(path)?;
    file.write_all(content)?;
    file.keep()
}

fn check_place(path: &Path) -> io::Result<()> {
    match std::fs::symlink_metadata(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(e),
        Ok(there) if there.is_symlink() => Err(not_a_file(
            "a symbolic link is there; give the path of the file itself",
        )),
        Ok(there) if there.is_dir() => Err(not_a_file("a folder is there")),
        Ok(there) if !there.is_file() => Err(not_a_file(
            "what is there is no regular file; - is standard output",
        )),
        Ok(_) => Ok(()),
    }
}

fn folder(path: &Path) -> &Path {
    path.parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;
    use std::process::Command;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn a_file_appears_when_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        fs::write(&path, "before").unwrap();
        let mut file = NewFile::create(&path).unwrap();
        file.write_all(b"after").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "before");
        file.keep().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "after");
        drop(NewFile::create(&path).unwrap());
        assert_eq!(names(folder.path()), ["out"]);
    }

    #[test]
    fn nothing_is_written_through_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (victim, path) = (folder.path().join("victim"), folder.path().join("out"));
        fs::write(&victim, "precious").unwrap();
        symlink(&victim, &path).unwrap();
        assert!(
            write(&path, b"x")
                .unwrap_err()
                .to_string()
                .contains("symbolic link")
        );
        fs::remove_file(&path).unwrap();
        // A link that comes meanwhile.
        let mut file = NewFile::create(&path).unwrap();
        file.write_all(b"x").unwrap();
        symlink(&victim, &path).unwrap();
        file.keep().unwrap();
        assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
        assert!(path.symlink_metadata().unwrap().is_file());
        // A link to nowhere is no free place either.
        let dangling = folder.path().join("dangling");
        symlink(folder.path().join("nowhere"), &dangling).unwrap();
        write(&dangling, b"x").unwrap_err();
        assert!(!folder.path().join("nowhere").exists());
    }

    #[test]
    fn links_that_wait_at_foreseeable_names_are_not_written_through() {
        let folder = tempfile::tempdir().unwrap();
        let victim = folder.path().join("victim");
        fs::write(&victim, "precious").unwrap();
        for name in [".out.partial", "out.new", "out.tmp"] {
            symlink(&victim, folder.path().join(name)).unwrap();
        }
        write(&folder.path().join("out"), b"x").unwrap();
        assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    }

    #[test]
    fn only_regular_files_are_opened_and_nobody_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        assert!(Command::new("mkfifo").arg(at("fifo")).status().unwrap().success());
        let _socket = UnixListener::bind(at("socket")).unwrap();
        fs::write(at("file"), "x").unwrap();
        symlink(at("file"), at("link")).unwrap();
        let file = open(&at("file")).unwrap();
        let folder_itself = folder.path().canonicalize().unwrap();
        assert!(is_below(&file, &folder_itself) && !is_below(&file, &folder_itself.join("sub")));
        open_linked(&at("link")).unwrap();
        open_linked(&at("fifo")).unwrap_err();
        for bad in [
            at("fifo"),
            at("socket"),
            at("link"),
            folder.path().to_owned(),
            "/dev/null".into(),
        ] {
            let error = open(&bad).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{bad:?}: {error}");
            write(&bad, b"x").unwrap_err();
        }
    }
}
