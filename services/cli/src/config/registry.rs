//! The settings of a schema registry.

use std::path::PathBuf;

use copydesk_registry::{Login, Registry, RegistryConfig};
use copydesk_secret::Secret;
use serde::{Deserialize, Serialize};

use super::ConfigError;

/// Where schemas are of values that a serialiser for a schema registry has written (Confluent's wire format,
/// with Avro, Protobuf or JSON Schema). Any registry with Confluent's calls. See docs/producers.md.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SchemaRegistry {
    /// Its address, as `https://registry.example:8081`, with the path before `/schemas/ids`, if it has one.
    /// Empty: none.
    pub(crate) url: String,
    /// A user, for Basic authentication. Empty: none.
    pub(crate) user: String,
    /// Its password.
    pub(crate) password: Option<Secret>,
    /// A token, for Bearer authentication. Wins over `user`.
    pub(crate) token: Option<Secret>,
    /// A file of certificates (PEM) that are trusted instead of the system's.
    pub(crate) ca_file: Option<PathBuf>,
    /// A file with the worker's own certificate (PEM), for TLS both ways. Needs `key_file`.
    pub(crate) certificate_file: Option<PathBuf>,
    /// A file with its key (PEM).
    pub(crate) key_file: Option<PathBuf>,
}

impl SchemaRegistry {
    /// What no single key can tell.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.certificate_file.is_some() != self.key_file.is_some() {
            let text = "kafka.schema_registry.certificate_file and key_file go together; give both";
            return Err(ConfigError::Invalid(text.into()));
        }
        self.registry().map(drop)
    }

    /// The registry. `None`: there is none.
    pub(crate) fn registry(&self) -> Result<Option<Registry>, ConfigError> {
        if self.url.trim().is_empty() {
            return Ok(None);
        }
        let login = match (&self.token, self.user.is_empty()) {
            (Some(token), _) => Login::Token(token.clone()),
            (None, false) => Login::Password(self.user.clone(), self.password.clone().unwrap_or_default()),
            (None, true) => Login::None,
        };
        let config = RegistryConfig {
            url: self.url.clone(),
            login,
            ca_file: self.ca_file.clone(),
            certificate: self.certificate_file.clone().zip(self.key_file.clone()),
        };
        Registry::new(&config)
            .map(Some)
            .map_err(|e| ConfigError::Invalid(e.to_string()))
    }
}
