//! Asking a registry: three calls of Confluent's interface.

use std::collections::HashSet;
use std::io::Read as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use copydesk_secret::Secret;
use serde::Deserialize;
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig, TlsProvider, parse_pem};

/// How long one call may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// A schema is smaller.
const MOST_BYTES: u64 = 4 << 20;
/// Schemas that one schema may refer to, in all.
const MOST_REFERENCES: usize = 100;

/// Where a registry is and how it is asked.
#[derive(Debug, Clone, Default)]
pub struct RegistryConfig {
    /// Its address, `http://` or `https://`, with the path before `/schemas`, if any. Without user and password.
    pub url: String,
    /// Who asks.
    pub login: Login,
    /// Certificates that are trusted, as PEM, instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// Own certificate and key, as PEM.
    pub certificate: Option<(PathBuf, PathBuf)>,
}

/// Who asks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Login {
    /// Nobody in particular.
    #[default]
    None,
    /// A user with a password (Basic).
    Password(String, Secret),
    /// Whoever has this token (Bearer).
    Token(Secret),
}

/// A registry that cannot be asked as it is set.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// No address of one.
    #[error("kafka.schema_registry.url is no http or https address without user and password")]
    Url,
    /// A file of a certificate or key.
    #[error("{path} cannot be used as {what}: {why}")]
    File {
        /// The file.
        path: PathBuf,
        /// What it is for.
        what: &'static str,
        /// Why not.
        why: String,
    },
}

/// The answer to a call.
#[derive(Debug)]
pub(crate) enum Asked {
    Found(FetchedSchema),
    /// There is no such schema.
    Unknown,
    /// There is no answer, or one that a registry does not give. Why, for people.
    Away(String),
}

/// A schema with those that it refers to, which come before it.
#[derive(Debug)]
pub(crate) struct FetchedSchema {
    pub(crate) kind: SchemaType,
    pub(crate) text: String,
    /// By the name under which they are referred to, those that others need first.
    pub(crate) references: Vec<(String, String)>,
}

/// The language of a schema. Without a word it is Avro.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum SchemaType {
    #[default]
    Avro,
    Protobuf,
    Json,
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct SchemaAnswer {
    schema: String,
    #[serde(default, rename = "schemaType")]
    kind: Option<SchemaType>,
    #[serde(default)]
    references: Option<Vec<Reference>>,
}

#[derive(Deserialize)]
struct Reference {
    name: String,
    subject: String,
    version: i64,
}

#[derive(Deserialize)]
struct ErrorAnswer {
    error_code: i64,
}

#[derive(Debug)]
pub(crate) struct Client {
    agent: ureq::Agent,
    url: String,
    authorization: Option<Secret>,
}

impl Client {
    pub(crate) fn new(config: &RegistryConfig) -> Result<Self, SetupError> {
        let url = config.url.trim().trim_end_matches('/');
        let (scheme, rest) = url.split_once("://").ok_or(SetupError::Url)?;
        if !matches!(scheme, "http" | "https") || rest.is_empty() || rest.contains(['@', '?', '#']) {
            return Err(SetupError::Url);
        }
        let roots = match &config.ca_file {
            None => RootCerts::PlatformVerifier,
            Some(path) => RootCerts::Specific(Arc::new(certificates(path)?)),
        };
        let own = config.certificate.as_ref().map(|(certificate, key)| {
            let chain = certificates(certificate)?;
            let key_file = file(key, "a private key")?;
            let key = PrivateKey::from_pem(&key_file).map_err(|e| unusable(key, "a private key", e))?;
            Ok(ClientCert::new_with_certs(&chain, key))
        });
        let tls = TlsConfig::builder()
            .provider(TlsProvider::NativeTls)
            .root_certs(roots)
            .client_cert(own.transpose()?)
            .build();
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .max_redirects(0)
            .tls_config(tls)
            .build();
        Ok(Self {
            agent: agent.into(),
            url: url.to_owned(),
            authorization: match &config.login {
                Login::None => None,
                Login::Password(user, password) => {
                    let pair = STANDARD.encode(format!("{user}:{}", password.expose()));
                    Some(format!("Basic {pair}").into())
                }
                Login::Token(token) => Some(format!("Bearer {}", token.expose()).into()),
            },
        })
    }

    pub(crate) fn check(&self) -> Result<(), String> {
        match self.get("/subjects") {
            Ok((200, body)) if serde_json::from_slice::<Vec<String>>(&body).is_ok() => Ok(()),
            Ok((status, _)) => Err(odd(status)),
            Err(why) => Err(why),
        }
    }

    /// The schema of a number, with all that it refers to.
    pub(crate) fn schema(&self, id: u32) -> Asked {
        let answer = match self.ask(&format!("/schemas/ids/{id}")) {
            Ok(Some(answer)) => answer,
            Ok(None) => return Asked::Unknown,
            Err(why) => return Asked::Away(why),
        };
        let mut references = Vec::new();
        let mut seen = HashSet::new();
        let mut open: Vec<Step> = Vec::new();
        open.extend(answer.references.into_iter().flatten().map(Step::Fetch));
        // Depth first: what a reference needs comes before it.
        while let Some(step) = open.pop() {
            let reference = match step {
                Step::Add(name, text) => {
                    references.push((name, text));
                    continue;
                }
                Step::Fetch(reference) => reference,
            };
            if !seen.insert(reference.name.clone()) {
                continue;
            }
            if seen.len() > MOST_REFERENCES {
                return Asked::Unknown;
            }
            let subject = percent_encoded(&reference.subject);
            let path = format!("/subjects/{subject}/versions/{}", reference.version);
            match self.ask(&path) {
                Ok(Some(answer)) => {
                    open.push(Step::Add(reference.name, answer.schema));
                    open.extend(answer.references.into_iter().flatten().map(Step::Fetch));
                }
                Ok(None) => return Asked::Unknown,
                Err(why) => return Asked::Away(why),
            }
        }
        Asked::Found(FetchedSchema {
            kind: answer.kind.unwrap_or_default(),
            text: answer.schema,
            references,
        })
    }

    /// `None`: the registry says that it does not have it. A 404 of anything else (a wrong path, a proxy) is
    /// no such word.
    fn ask(&self, path: &str) -> Result<Option<SchemaAnswer>, String> {
        let (status, body) = self.get(path)?;
        match status {
            200 => serde_json::from_slice(&body).map(Some).map_err(|_| odd(status)),
            404 => match serde_json::from_slice::<ErrorAnswer>(&body) {
                Ok(error) if (40_401..=40_403).contains(&error.error_code) => Ok(None),
                _ => Err(odd(status)),
            },
            401 | 403 => Err(format!("it refuses this login (HTTP {status})")),
            _ => Err(odd(status)),
        }
    }

    fn get(&self, path: &str) -> Result<(u16, Vec<u8>), String> {
        let mut request = self.agent.get(format!("{}{path}", self.url));
        request = request.header(
            "accept",
            "application/vnd.schemaregistry.v1+json, application/json",
        );
        if let Some(authorization) = &self.authorization {
            request = request.header("authorization", authorization.expose());
        }
        // Errors of the client name hosts and certificates, and no header.
        let answer = request.call().map_err(|e| e.to_string())?;
        let status = answer.status().as_u16();
        let mut body = Vec::new();
        answer
            .into_body()
            .into_reader()
            .take(MOST_BYTES)
            .read_to_end(&mut body)
            .map_err(|e| e.to_string())?;
        Ok((status, body))
    }
}

enum Step {
    Fetch(Reference),
    Add(String, String),
}

fn odd(status: u16) -> String {
    format!(
        "it answers HTTP {status}, not as a registry does; is kafka.schema_registry.url its whole address?"
    )
}

fn unusable(path: &std::path::Path, what: &'static str, why: impl std::fmt::Display) -> SetupError {
    SetupError::File {
        path: path.to_owned(),
        what,
        why: why.to_string(),
    }
}

fn file(path: &std::path::Path, what: &'static str) -> Result<Vec<u8>, SetupError> {
    std::fs::read(path).map_err(|e| unusable(path, what, e))
}

fn certificates(path: &std::path::Path) -> Result<Vec<Certificate<'static>>, SetupError> {
    const WHAT: &str = "certificates";
    let mut found = Vec::new();
    for item in parse_pem(&file(path, WHAT)?) {
        if let ureq::tls::PemItem::Certificate(certificate) = item.map_err(|e| unusable(path, WHAT, e))? {
            found.push(certificate);
        }
    }
    if found.is_empty() {
        return Err(unusable(path, WHAT, "there is none in it"));
    }
    Ok(found)
}

/// A subject as one part of a path.
fn percent_encoded(subject: &str) -> String {
    let mut encoded = String::new();
    for byte in subject.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
