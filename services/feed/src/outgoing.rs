//! What a source yields: records with the place where they were read.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::key::Address;

/// Where a record was read: a file, and the place in it for files that hold several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The file's path, or what stands for one.
    pub file: Arc<str>,
    /// The line, the WARC record or the feed's entry, from 1.
    pub line: Option<u64>,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}", self.file),
            None => f.write_str(&self.file),
        }
    }
}

/// One record, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The site, if it is known.
    pub key: Option<String>,
    /// The record's value.
    pub payload: Vec<u8>,
    /// The record's headers.
    pub headers: Vec<(&'static str, String)>,
    /// Where it was read.
    pub origin: Origin,
    /// It should be a JSON object and is none: the pipeline takes it for a bare text, or quarantines it.
    pub odd: bool,
    /// Whether it has the address of its article.
    pub address: Address,
    /// What could not be read of it, though it is sent.
    pub notes: Vec<Note>,
}

/// Something about a record that its reader should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// What it is, as a sentence of one record.
    pub kind: &'static str,
    /// The value that it is about.
    pub detail: String,
}

/// What a source yields next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A record.
    Article(Outgoing),
    /// Something that cannot be sent: too large, or damaged.
    Refused {
        /// Where it is.
        origin: Origin,
        /// What is wrong with it.
        why: String,
    },
    /// A file or the rest of it that cannot be read.
    Unreadable {
        /// Where reading ended.
        origin: Origin,
        /// The system's reason.
        why: String,
    },
    /// A file in a folder that is of none of the known forms.
    Skipped(PathBuf),
    /// A part of a file that is whole but no article, with the kind of thing that it is, in the plural.
    PassedOver(&'static str),
    /// Nothing at the moment: ask again.
    Waiting,
}
