//! Configuration: one TOML file, overridden by `COPYDESK_…` variables, overridden by flags.
//!
//! Every key has a default, so a new user sets nothing. Unknown keys are errors: a misspelt limit that is
//! silently ignored is worse than no limit.

mod archive;
mod check;
mod console;
mod database;
mod env;
mod file;
mod registry;
mod size;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use copydesk_secret::Secret;
use copydesk_stream::{Allowed, Properties};
use copydesk_telemetry::Endpoint;
use serde::{Deserialize, Serialize};

pub(crate) use archive::Archive;
pub(crate) use console::Console;
pub(crate) use database::Database;
pub(crate) use file::UrlFile;
pub(crate) use registry::SchemaRegistry;
pub(crate) use size::ByteSize;

/// All settings.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) kafka: Kafka,
    pub(crate) database: Database,
    pub(crate) worker: Worker,
    pub(crate) clean: Clean,
    pub(crate) janitor: Janitor,
    pub(crate) quarantine: Quarantine,
    pub(crate) log: Log,
    pub(crate) metrics: Metrics,
    pub(crate) traces: Traces,
    pub(crate) outputs: Outputs,
    pub(crate) console: Console,
}

/// Where the raw articles come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Kafka {
    /// Bootstrap brokers, `host:port` with commas between.
    pub(crate) brokers: String,
    /// The topic of raw articles.
    pub(crate) topic: String,
    /// The consumer group. Offsets live in Postgres; the group only shares out partitions.
    pub(crate) group: String,
    /// Static membership: a name that is unique per worker and stays over restarts. Empty: none.
    pub(crate) instance_id: String,
    /// Partitions that `feed` and `doctor --fix` give a topic they create.
    pub(crate) partitions: i32,
    /// How long a silent worker stays in the group, in milliseconds.
    pub(crate) session_timeout_ms: u64,
    /// Any other librdkafka property, passed through.
    pub(crate) properties: BTreeMap<String, Secret>,
    /// Let a property turn off the check that a broker is the one that was named
    /// (`ssl.endpoint.identification.algorithm`, `enable.ssl.certificate.verification`, ciphers without
    /// certificates). Whoever stands between can then read and change the articles, and has the password.
    pub(crate) allow_unverified_brokers: bool,
    /// Let a property load a library or run a command with the rights of this process (`plugin.library.paths`,
    /// `ssl.engine.location`, `ssl.providers`, `sasl.kerberos.kinit.cmd`).
    pub(crate) allow_foreign_code: bool,
    /// Where schemas are of values in Confluent's wire format.
    pub(crate) schema_registry: SchemaRegistry,
}

impl Default for Kafka {
    fn default() -> Self {
        Self {
            brokers: "127.0.0.1:39092".into(),
            topic: "articles.raw".into(),
            group: "copydesk".into(),
            instance_id: String::new(),
            partitions: 6,
            session_timeout_ms: 45_000,
            properties: BTreeMap::new(),
            allow_unverified_brokers: false,
            allow_foreign_code: false,
            schema_registry: SchemaRegistry::default(),
        }
    }
}

impl Kafka {
    /// The properties with what they may do.
    pub(crate) fn properties(&self) -> Properties {
        let allowed = Allowed {
            unverified_brokers: self.allow_unverified_brokers,
            foreign_code: self.allow_foreign_code,
        };
        Properties::new(self.properties.clone(), allowed)
    }
}

/// How a worker paces itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Worker {
    /// Threads that clean and fingerprint. 0: one per core.
    pub(crate) threads: usize,
    /// Articles in one transaction at the most.
    pub(crate) batch_articles: usize,
    /// Bytes of messages in one transaction at the most.
    pub(crate) batch_bytes: ByteSize,
    /// How long a message may wait for company, in milliseconds.
    pub(crate) linger_ms: u64,
    /// Messages waiting per partition at the most; a partition over it is paused.
    pub(crate) queue_messages: usize,
    /// Bytes of messages between Kafka and Postgres at the most, over all partitions of this worker. Each
    /// counts 4 KiB more than it has, for what is made of it.
    pub(crate) memory: ByteSize,
    /// Bytes that all threads together may take for decoding and cleaning, and for articles that wait to be
    /// stored, by an estimate. Large pages wait for each other; one that needs more passes alone.
    pub(crate) cleaning_memory: ByteSize,
    /// How long a revoked partition may take to finish what it has, in milliseconds.
    pub(crate) drain_ms: u64,
    /// What to do when Kafka has deleted messages before they were read: `stop` or `skip` (recorded).
    pub(crate) on_lost_range: OnLostRange,
    /// A partition is stopped when more than this share of its last 200 messages was refused. 0: never.
    pub(crate) breaker_share: f64,
    /// A partition is stopped when more than so many of its messages in a row were refused. 0: never.
    pub(crate) breaker_run: usize,
    /// Make stored articles searchable by their words, behind the storing. One session of all workers does it
    /// at a time. `copydesk janitor search off` switches search off for good.
    pub(crate) index_search: bool,
    /// Days for which the message of each article's shown version is kept in Postgres, compressed, so that
    /// `copydesk janitor reclean --rules` can clean it again without Kafka. A page takes several times the
    /// room of its article. 0: none is kept.
    pub(crate) keep_raw_days: u32,
}

impl Default for Worker {
    fn default() -> Self {
        Self {
            threads: 0,
            batch_articles: 500,
            batch_bytes: ByteSize::mebi(8),
            linger_ms: 250,
            queue_messages: 2_000,
            memory: ByteSize::mebi(64),
            cleaning_memory: ByteSize::mebi(256),
            drain_ms: 20_000,
            on_lost_range: OnLostRange::Stop,
            breaker_share: 0.5,
            breaker_run: 100,
            index_search: true,
            keep_raw_days: 0,
        }
    }
}

/// See [`Worker::on_lost_range`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OnLostRange {
    Stop,
    Skip,
}

/// How articles are cleaned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Clean {
    /// A rules file (TOML) that extends or replaces the built-in rules. See docs/cleaning.md.
    pub(crate) rules_file: Option<PathBuf>,
    /// Take out what a site repeats in its articles, besides what the rules know. The same for all workers
    /// and janitors of a database. See docs/site-memory.md.
    pub(crate) site_memory: bool,
    /// Keep headings, tables, links and pictures of articles, of which `articles` has `body_markdown`,
    /// `links` and `images`. See docs/cleaning.md for what it costs.
    pub(crate) markup: bool,
}

impl Default for Clean {
    fn default() -> Self {
        Self {
            rules_file: None,
            site_memory: true,
            markup: true,
        }
    }
}

/// Upkeep.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Janitor {
    /// Minutes between two rounds.
    pub(crate) every_minutes: u64,
    /// Windows of near-copy keys that are kept, the present one among them; at least 2. 0: all.
    pub(crate) keep_windows: u32,
    /// Articles whose latest version was stored so many days ago are dropped; at least two windows. 0: none
    /// ever. Needs the role copydesk_owner. See docs/retention.md.
    pub(crate) retention_days: u32,
    /// Old articles in files instead of in Postgres.
    pub(crate) archive: Archive,
}

impl Default for Janitor {
    fn default() -> Self {
        Self {
            every_minutes: 60,
            keep_windows: 3,
            retention_days: 0,
            archive: Archive::default(),
        }
    }
}

/// How much of refused messages is kept. Their rows always are, with reason, size and hash. The same for all
/// workers and janitors of a database. See docs/quarantine.md.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Quarantine {
    /// Bytes of all refused messages at the most, compressed. At nine tenths a janitor drops the oldest; at
    /// the whole a worker keeps a message's row alone. 0: no bound.
    pub(crate) max_bytes: ByteSize,
    /// Days for which their bytes are kept. 0: for ever.
    pub(crate) keep_days: u32,
}

impl Default for Quarantine {
    fn default() -> Self {
        Self {
            max_bytes: ByteSize::mebi(1_024),
            keep_days: 90,
        }
    }
}

/// What is logged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Log {
    /// `auto`, `human` or `json`.
    pub(crate) format: String,
    /// Levels in the syntax of RUST_LOG.
    pub(crate) filter: String,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            format: "auto".into(),
            // The parser of HTML warns of every page that is not tidy.
            filter: "info,html5ever=error".into(),
        }
    }
}

/// What a worker tells monitoring, over HTTP. See docs/metrics.md.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Metrics {
    /// Where `/metrics`, `/livez`, `/readyz` and `/statusz` are answered, as `127.0.0.1:9464`. Empty:
    /// nowhere. There is no password: let only monitoring reach it.
    pub(crate) listen: String,
}

/// Spans of single messages, sent by a worker to an OpenTelemetry collector (OTLP over HTTP). See docs/operations.md.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Traces {
    /// The collector's address, as `http://127.0.0.1:4318`. Empty: no traces. A user and password in it are
    /// sent as a header; other headers such as a token: `OTEL_EXPORTER_OTLP_HEADERS`.
    pub(crate) endpoint: Endpoint,
    /// Share of the messages without a `traceparent` header that are traced, 0 to 1. With one, the header decides.
    pub(crate) share: f64,
}

/// Topics and notifications, for consumers who do not want to query. All of it is off unless it is set here,
/// and all workers should have the same. See docs/outputs.md.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Outputs {
    /// A topic for messages that were refused, with the headers of Kafka Connect and Spring; `articles.dead`
    /// would be a name. Empty: none, quarantine has them all the same.
    pub(crate) dead_letter_topic: String,
    /// A topic for every stored article and version as JSON, keyed by story; `articles.clean` would be a
    /// name. Empty: none.
    pub(crate) articles_topic: String,
    /// Whether the Postgres channel `copydesk_articles` is notified behind each transaction that stored
    /// articles: a hint that something is new.
    pub(crate) notify: bool,
}

/// The configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error("cannot read the configuration file {path}: {reason}")]
    Read { path: PathBuf, reason: std::io::Error },
    #[error("{path} is not a valid configuration: {reason}")]
    File { path: PathBuf, reason: String },
    #[error("database.url_file ({file}) cannot be used: {reason}")]
    UrlFile { file: UrlFile, reason: String },
    #[error("environment variable {name} names no setting{hint}; `copydesk config print` lists them all")]
    UnknownVariable { name: String, hint: String },
    #[error("environment variable {name}: {reason}")]
    BadVariable { name: String, reason: String },
    #[error("configuration: {0}")]
    Invalid(String),
}

impl Config {
    /// Reads the file (if one is named), then lays `variables` over it, then checks the whole.
    pub(crate) fn load(
        file: Option<&Path>,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let table = file.map(file::read).transpose()?.unwrap_or_default();
        let config = env::overlay(table, variables)?;
        config.check()?;
        Ok(config)
    }

    /// The settings as TOML, with secrets blotted out.
    pub(crate) fn to_toml_without_secrets(&self) -> String {
        let mut table = match toml::Table::try_from(self) {
            Ok(table) => table,
            Err(e) => return format!("# cannot be shown: {e}\n"),
        };
        // By type every value is a secret; the names tell which may be shown all the same.
        let properties = self.kafka.properties();
        let shown: toml::Table = properties
            .shown()
            .map(|(name, value)| (name.to_owned(), value.to_owned().into()))
            .collect();
        if let Some(toml::Value::Table(kafka)) = table.get_mut("kafka") {
            kafka.insert("properties".to_owned(), shown.into());
        }
        toml::to_string_pretty(&table).unwrap_or_else(|e| format!("# cannot be shown: {e}\n"))
    }
}

#[cfg(test)]
mod page;
#[cfg(test)]
mod tests;
