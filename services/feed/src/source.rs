//! What can be fed: sources, and the forms of files.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

/// Where articles come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The bundled samples.
    Samples,
    /// JSON Lines on standard input, compressed or not.
    Stdin,
    /// A file, or a folder with everything below it.
    Path(PathBuf),
}

impl Source {
    /// A source as people write it: `-` is standard input.
    pub fn from_argument(argument: PathBuf) -> Self {
        if argument.as_os_str() == "-" {
            Self::Stdin
        } else {
            Self::Path(argument)
        }
    }

    /// Complains about what can be known to fail before anything is sent.
    pub(crate) fn check(&self) -> Result<()> {
        let Self::Path(path) = self else { return Ok(()) };
        let shown = path.display();
        match std::fs::metadata(path) {
            Err(e) => bail!("cannot read {shown}: {e}"),
            Ok(file) if !file.is_dir() && Form::of(path).is_none() => bail!(
                "{shown}: the name does not tell what is in it; it must end in one of {}, with or without .gz or .zst",
                Form::ENDINGS.map(|(ending, _)| format!(".{ending}")).join(" ")
            ),
            Ok(_) => Ok(()),
        }
    }
}

/// What a file holds, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Lines,
    Json,
    Html,
    Xhtml,
    Text,
}

impl Form {
    /// Every ending that tells a form.
    const ENDINGS: [(&'static str, Self); 8] = [
        ("jsonl", Self::Lines),
        ("ndjson", Self::Lines),
        ("json", Self::Json),
        ("html", Self::Html),
        ("htm", Self::Html),
        ("xhtml", Self::Xhtml),
        ("txt", Self::Text),
        ("text", Self::Text),
    ];

    /// By the ending, whatever its case; an ending of `.gz` or `.zst` is looked past.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let mut name = Path::new(path.file_name()?);
        let is = |name: &Path, ending: &str| name.extension().is_some_and(|e| e.eq_ignore_ascii_case(ending));
        if is(name, "gz") || is(name, "zst") {
            name = Path::new(name.file_stem()?);
        }
        Self::ENDINGS
            .into_iter()
            .find(|(ending, _)| is(name, ending))
            .map(|(_, form)| form)
    }

    pub(crate) const fn content_type(self) -> Option<&'static str> {
        match self {
            // Envelopes are recognised by their first byte; what is sent is what is in the file, and no more.
            Self::Lines | Self::Json => None,
            Self::Html => Some("text/html"),
            Self::Xhtml => Some("application/xhtml+xml"),
            Self::Text => Some("text/plain"),
        }
    }
}
