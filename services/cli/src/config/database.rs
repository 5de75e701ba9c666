//! The settings of Postgres: the primary, and a replica for those who only read.

use copydesk_store::DatabaseUrl;
use serde::{Deserialize, Serialize};

use super::file::{self, UrlFile};
use super::{Config, ConfigError};

/// Where the records go.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Database {
    /// Postgres URL. Prefer `url_file` where the URL holds a password.
    pub(crate) url: DatabaseUrl,
    /// A file that holds the URL; wins over `url`. A variable for `url` wins over a file that a settings file
    /// names.
    pub(crate) url_file: Option<UrlFile>,
    /// Postgres URL of a streaming replica, with a login that has copydesk_reader. The console, `search`,
    /// `export` and the archive read there. None: they read where they did.
    pub(crate) read_url: Option<DatabaseUrl>,
    /// A file that holds that URL; wins over `read_url`, as `url_file` does.
    pub(crate) read_url_file: Option<UrlFile>,
    /// While the replica is away, read from the primary, with a warning. `false`: the command ends with exit
    /// code 4, and pages say so.
    pub(crate) read_fallback: bool,
    /// Connections of one worker at the most.
    pub(crate) connections: u32,
}

impl Default for Database {
    fn default() -> Self {
        Self {
            url: "postgres://copydesk_worker@127.0.0.1:35432/copydesk".into(),
            url_file: None,
            read_url: None,
            read_url_file: None,
            read_fallback: true,
            connections: 8,
        }
    }
}

impl Config {
    /// The database URL, from the file if one is named.
    pub(crate) fn database_url(&self) -> Result<DatabaseUrl, ConfigError> {
        file::url_or_file(&self.database.url, self.database.url_file.as_ref())
    }

    /// The URL of the replica that reads go to. `None`: there is none.
    pub(crate) fn read_url(&self) -> Result<Option<DatabaseUrl>, ConfigError> {
        file::url_or_file(&self.database.read_url, self.database.read_url_file.as_ref())
    }
}
