//! The settings of the archive.

use std::path::PathBuf;

use copydesk_export::archive::check_address;
use serde::{Deserialize, Serialize};

use super::{ByteSize, ConfigError};

/// Old articles as Parquet files in a folder or in object storage, instead of in Postgres: rounds of the
/// janitor, `copydesk janitor archive`. See docs/archive.md.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Archive {
    /// The folder, or the address of a bucket without credentials: `s3://BUCKET/PREFIX`, `gs://BUCKET/PREFIX`,
    /// `az://CONTAINER/PREFIX`. Empty: there is no archive.
    pub(crate) folder: PathBuf,
    /// Articles whose latest version was stored so many days ago go to the archive; at least as many as the windows of near-copy keys that
    /// are kept. Needs the role copydesk_owner.
    pub(crate) after_days: u32,
    /// A file is ended when it has so many bytes.
    pub(crate) file_bytes: ByteSize,
}

impl Default for Archive {
    fn default() -> Self {
        Self {
            folder: PathBuf::new(),
            after_days: 365,
            file_bytes: ByteSize::mebi(128),
        }
    }
}

impl Archive {
    /// What no single key can tell.
    pub(super) fn check(&self, retention_days: u32) -> Result<(), ConfigError> {
        let bad = |text: &str| Err(ConfigError::Invalid(text.into()));
        if self.file_bytes.bytes() < 1 << 20 {
            return bad("janitor.archive.file_bytes must be at least 1 MiB");
        }
        if let Err(why) = check_address(&self.folder) {
            return Err(ConfigError::Invalid(format!("janitor.archive.folder: {why}")));
        }
        if retention_days > 0 && !self.folder.as_os_str().is_empty() {
            return bad(
                "janitor.retention_days drops articles that janitor.archive would keep; set janitor.retention_days to 0, or no \
                 janitor.archive.folder",
            );
        }
        Ok(())
    }
}
