//! The settings of `copydesk console`.

use copydesk_store::DatabaseUrl;
use serde::{Deserialize, Serialize};

use super::file::{self, UrlFile};
use super::{Config, ConfigError};

/// Pages for people, served by `copydesk console`. See docs/console.md.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Console {
    /// Where pages are answered. An address that others can reach needs `user_header`, `proxies` and `hosts`.
    pub(crate) listen: String,
    /// Postgres URL of a login with copydesk_reader. Prefer `url_file` where the URL holds a password.
    pub(crate) url: DatabaseUrl,
    /// A file that holds that URL; wins over `url`, as in `[database]`.
    pub(crate) url_file: Option<UrlFile>,
    /// Postgres URL of a login with copydesk_writer: switches changes on, and shows evidence and the bytes of refused messages. None:
    /// changes are off.
    pub(crate) write_url: Option<DatabaseUrl>,
    /// A file that holds that URL; wins over `write_url`, as in `[database]`.
    pub(crate) write_url_file: Option<UrlFile>,
    /// The header in which a proxy names the user, as `X-Forwarded-User`. Empty: whoever reaches the address is the user `local`.
    pub(crate) user_header: String,
    /// Networks of the proxies that may name users, as `10.0.0.0/8`, with commas between.
    pub(crate) proxies: String,
    /// Names besides localhost under which pages are asked for, with commas between.
    pub(crate) hosts: String,
    /// Connections to Postgres at the most.
    pub(crate) connections: u32,
    /// A statement of a page that takes longer is ended by Postgres, in milliseconds.
    pub(crate) statement_timeout_ms: u64,
}

impl Default for Console {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8088".into(),
            url: "postgres://copydesk_query@127.0.0.1:35432/copydesk".into(),
            url_file: None,
            write_url: None,
            write_url_file: None,
            user_header: String::new(),
            proxies: String::new(),
            hosts: String::new(),
            connections: 8,
            statement_timeout_ms: 5_000,
        }
    }
}

impl Config {
    /// The URL of the login that the console reads with.
    pub(crate) fn console_url(&self) -> Result<DatabaseUrl, ConfigError> {
        file::url_or_file(&self.console.url, self.console.url_file.as_ref())
    }

    /// The URL of the login that the console writes with. `None`: changes are off.
    pub(crate) fn console_write_url(&self) -> Result<Option<DatabaseUrl>, ConfigError> {
        file::url_or_file(&self.console.write_url, self.console.write_url_file.as_ref())
    }
}
