//! Where an export goes: a file that appears when it is whole, or standard output; and JSON Lines into it.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use anyhow::{Context as _, Result};
use copydesk_files::NewFile;
use copydesk_terminal::escape_json;
use flate2::write::GzEncoder;

use crate::{Compression, Sink};

/// The output, counted. Dropped before [`Target::keep`], it leaves nothing behind.
pub(crate) struct Target {
    out: BufWriter<Output>,
    bytes: u64,
}

const LAST: &str = "cannot write the last of the output";

enum Output {
    File(NewFile),
    /// A file without a name, of which somebody else makes one with a name.
    #[cfg(feature = "object-storage")]
    Scratch(std::fs::File),
    Standard(io::Stdout),
}

impl Target {
    /// Begins a file beside the one that it becomes, or opens standard output.
    pub(crate) fn create(path: Option<&Path>) -> Result<Self> {
        let output = match path {
            None => Output::Standard(io::stdout()),
            Some(path) => Output::File(
                NewFile::create(path).with_context(|| format!("cannot write {}", path.display()))?,
            ),
        };
        Ok(Self::into(output))
    }

    /// Begins a file without a name: see [`Target::into_scratch`].
    #[cfg(feature = "object-storage")]
    pub(crate) fn scratch(file: std::fs::File) -> Self {
        Self::into(Output::Scratch(file))
    }

    fn into(output: Output) -> Self {
        Self {
            out: BufWriter::with_capacity(1 << 16, output),
            bytes: 0,
        }
    }

    /// Everything to the disk, then the file to its place. Answers with its size in bytes.
    pub(crate) fn keep(self) -> Result<u64> {
        match self
            .out
            .into_inner()
            .map_err(io::IntoInnerError::into_error)
            .context(LAST)?
        {
            Output::Standard(mut out) => out.flush().context("cannot write to standard output")?,
            Output::File(file) => file.keep().context("cannot move the file to its place")?,
            #[cfg(feature = "object-storage")]
            Output::Scratch(_) => {}
        }
        Ok(self.bytes)
    }

    /// The file that was begun without a name, and its size in bytes.
    #[cfg(feature = "object-storage")]
    pub(crate) fn into_scratch(self) -> Result<(std::fs::File, u64)> {
        match self
            .out
            .into_inner()
            .map_err(io::IntoInnerError::into_error)
            .context(LAST)?
        {
            Output::Scratch(file) => Ok((file, self.bytes)),
            Output::Standard(_) | Output::File(_) => anyhow::bail!("this file has a name already"),
        }
    }
}

impl Write for Target {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let n = self.out.write(data)?;
        self.bytes += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Write for Output {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.write(data),
            #[cfg(feature = "object-storage")]
            Self::Scratch(file) => file.write(data),
            Self::Standard(out) => out.write(data),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File(file) => file.flush(),
            #[cfg(feature = "object-storage")]
            Self::Scratch(file) => file.flush(),
            Self::Standard(out) => out.flush(),
        }
    }
}

/// JSON Lines.
pub(crate) enum Lines {
    /// For a terminal: with escapes for whatever could steer it.
    Shown(Target),
    Plain(Target),
    Gzip(GzEncoder<Target>),
    Zstd(zstd::Encoder<'static, Target>),
}

impl Lines {
    /// Lines into `target`, which is a terminal or is none.
    pub(crate) fn new(target: Target, compression: Compression, terminal: bool) -> Result<Self> {
        Ok(match compression {
            Compression::None if terminal => Self::Shown(target),
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
            Self::Shown(out) => out
                .write_all(escape_json(json).as_bytes())
                .and_then(|()| out.write_all(b"\n")),
            Self::Plain(out) => write(out),
            Self::Gzip(out) => write(out),
            Self::Zstd(out) => write(out),
        }
        .context("cannot write the output")
    }

    fn finish(self: Box<Self>) -> Result<Target> {
        match *self {
            Self::Shown(out) | Self::Plain(out) => Ok(out),
            Self::Gzip(out) => out.finish().context("cannot write the end of the output"),
            Self::Zstd(out) => out.finish().context("cannot write the end of the output"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(terminal: bool, json: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        let target = Target::create(Some(&path)).unwrap();
        let mut lines = Box::new(Lines::new(target, Compression::None, terminal).unwrap());
        lines.row(json).unwrap();
        lines.finish().unwrap().keep().unwrap();
        std::fs::read_to_string(path).unwrap()
    }

    #[test]
    fn a_terminal_is_not_steered_and_a_file_has_every_byte() {
        let json = "{\"title\":\"a\u{9b}2J\u{202e}b\"}";
        assert_eq!(written(true, json), "{\"title\":\"a\\u009b2J\\u202eb\"}\n");
        assert_eq!(written(false, json), format!("{json}\n"));
    }
}
