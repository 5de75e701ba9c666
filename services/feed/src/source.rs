//! What can be fed: sources, and the forms of files.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

/// Where articles come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The bundled samples.
    Samples,
    /// Standard input, compressed or not: JSON Lines, if nothing else is said.
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
    pub(crate) fn check(&self, form: Option<Form>) -> Result<()> {
        let Self::Path(path) = self else { return Ok(()) };
        let shown = path.display();
        match std::fs::metadata(path) {
            Err(e) => bail!("cannot read {shown}: {e}"),
            Ok(file) if !file.is_dir() && form.or_else(|| Form::of(path)).is_none() => bail!(
                "{shown}: the name does not tell what is in it; say so with --format, or let it end in one \
                    of {}, with or without .gz or .zst",
                Form::ENDINGS.map(|(ending, _)| format!(".{ending}")).join(" ")
            ),
            Ok(_) => Ok(()),
        }
    }
}

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// One envelope a line.
    Lines,
    /// One envelope; or lines of them after all.
    Json,
    /// One page.
    Html,
    /// One page that is XML.
    Xhtml,
    /// One text.
    Text,
    /// A web archive: many responses.
    Warc,
    /// RSS or Atom: many entries.
    Feed,
}

impl std::str::FromStr for Form {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Self::NAMES.into_iter().find(|(n, _)| *n == name);
        found.map(|(_, form)| form).ok_or_else(|| {
            let names = Self::NAMES.map(|(name, _)| name).join(", ");
            format!("{name:?} is none of {names}")
        })
    }
}

impl Form {
    /// What each form is called on the command line.
    pub const NAMES: [(&'static str, Self); 7] = [
        ("jsonl", Self::Lines),
        ("json", Self::Json),
        ("html", Self::Html),
        ("xhtml", Self::Xhtml),
        ("text", Self::Text),
        ("warc", Self::Warc),
        ("feed", Self::Feed),
    ];
    /// Every ending that tells a form.
    const ENDINGS: [(&'static str, Self); 12] = [
        ("jsonl", Self::Lines),
        ("ndjson", Self::Lines),
        ("json", Self::Json),
        ("html", Self::Html),
        ("htm", Self::Html),
        ("xhtml", Self::Xhtml),
        ("txt", Self::Text),
        ("text", Self::Text),
        ("warc", Self::Warc),
        ("rss", Self::Feed),
        ("atom", Self::Feed),
        ("xml", Self::Feed),
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
            Self::Lines | Self::Json | Self::Warc | Self::Feed => None,
            Self::Html => Some("text/html"),
            Self::Xhtml => Some("application/xhtml+xml"),
            Self::Text => Some("text/plain"),
        }
    }
}
