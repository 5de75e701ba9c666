//! Where an export goes: a file that appears when it is whole, or standard output; and JSON Lines into it.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use flate2::write::GzEncoder;

use crate::{Compression, Sink};

/// The output, counted. Dropped before [`Target::keep`], it leaves nothing behind.
pub(crate) struct Target {
    out: Option<BufWriter<Output>>,
    bytes: u64,
    moves: Option<(PathBuf, PathBuf)>,
}

enum Output {
    File(File),
    Standard(io::Stdout),
}

impl Target {
    /// Opens `.NAME.partial` beside the file, or standard output.
    pub(crate) fn create(path: Option<&Path>) -> Result<Self> {
        let (output, moves) = match path {
            None => (Output::Standard(io::stdout()), None),
            Some(path) => {
                let name = path
                    .file_name()
                    .with_context(|| format!("{} is no name of a file", path.display()))?;
                let mut partial = std::ffi::OsString::from(".");
                partial.push(name);
                partial.push(".partial");
                let partial = path.with_file_name(partial);
                let file =
                    File::create(&partial).with_context(|| format!("cannot write {}", partial.display()))?;
                (Output::File(file), Some((partial, path.to_owned())))
            }
        };
        Ok(Self {
            out: Some(BufWriter::with_capacity(1 << 16, output)),
            bytes: 0,
            moves,
        })
    }

    /// Everything to the disk, then the file to its place. Answers with its size in bytes.
    pub(crate) fn keep(mut self) -> Result<u64> {
        let out = self.out.take().context("the output is closed")?;
        let output = out
            .into_inner()
            .map_err(io::IntoInnerError::into_error)
            .context("cannot write the last of the output")?;
        match output {
            Output::Standard(mut out) => out.flush().context("cannot write to standard output")?,
            Output::File(file) => {
                file.sync_all().context("cannot write the file to the disk")?;
                if let Some((partial, path)) = self.moves.take() {
                    std::fs::rename(&partial, &path).with_context(|| {
                        format!("cannot move {} to {}", partial.display(), path.display())
                    })?;
                }
            }
        }
        Ok(self.bytes)
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if let Some((partial, _)) = &self.moves {
            // Nothing more can be done about it here; the next export of this name writes over it.
            let _ = std::fs::remove_file(partial);
        }
    }
}

impl Write for Target {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let Some(out) = &mut self.out else {
            return Err(io::Error::other("the output is closed"));
        };
        let n = out.write(data)?;
        self.bytes += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl Write for Output {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.write(data),
            Self::Standard(out) => out.write(data),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File(file) => file.flush(),
            Self::Standard(out) => out.flush(),
        }
    }
}

/// JSON Lines.
pub(crate) enum Lines {
    Plain(Target),
    Gzip(GzEncoder<Target>),
    Zstd(zstd::Encoder<'static, Target>),
}

impl Lines {
    pub(crate) fn new(target: Target, compression: Compression) -> Result<Self> {
        Ok(match compression {
            Compression::None => Self::Plain(target),
            Compression::Gzip => Self::Gzip(GzEncoder::new(target, flate2::Compression::default())),
            Compression::Zstd => Self::Zstd(zstd::Encoder::new(target, 3).context("cannot start zstd")?),
        })
    }
}

impl Sink for Lines {
    fn row(&mut self, json: &str) -> Result<()> {
        // Postgres writes a zero byte as no JSON reader would: none can be in there. A line feed would be escaped.
        let write = |out: &mut dyn Write| {
            out.write_all(json.as_bytes())?;
            out.write_all(b"\n")
        };
        match self {
            Self::Plain(out) => write(out),
            Self::Gzip(out) => write(out),
            Self::Zstd(out) => write(out),
        }
        .context("cannot write the output")
    }

    fn finish(self: Box<Self>) -> Result<Target> {
        match *self {
            Self::Plain(out) => Ok(out),
            Self::Gzip(out) => out.finish().context("cannot write the end of the output"),
            Self::Zstd(out) => out.finish().context("cannot write the end of the output"),
        }
    }
}
