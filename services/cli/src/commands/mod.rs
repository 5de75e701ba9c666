//! One file a command: each reads its arguments, calls one library, and prints.

pub(crate) mod audit;
pub(crate) mod clean;
pub(crate) mod config;
pub(crate) mod console;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod export;
pub(crate) mod feed;
pub(crate) mod isolated;
pub(crate) mod janitor;
pub(crate) mod migrate;
pub(crate) mod pages;
pub(crate) mod quarantine;
pub(crate) mod rewind;
pub(crate) mod search;
pub(crate) mod site;
pub(crate) mod story;
pub(crate) mod summary;
pub(crate) mod takedown;
pub(crate) mod worker;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use copydesk_clean::{Budget, Cleaner, Rules};
use copydesk_decode::Limits;
use copydesk_store::{DatabaseUrl, Outputs, ReadRouter, Store, StoreConfig, StoreError};
use copydesk_stream::StreamConfig;
use copydesk_worker::ReplayStages;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tracing::warn;

use crate::config::Config;
use crate::show;

/// How a command ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All is well: exit code 0.
    Done,
    /// It did its work and found or refused something: exit code 3.
    Found,
}

/// Prints text for people on standard output; a closed pipe (`| head`) ends the program quietly.
pub(crate) fn print(text: &str) {
    write(&show::printed(text));
}

/// Prints a JSON value on a line of its own.
pub(crate) fn print_json(value: impl std::fmt::Display) {
    write(&show::json(value));
}

/// Says something beside the output, on standard error and in words: an answer is no line of a log, whoever reads it.
pub(crate) fn note(text: &str) {
    use std::io::Write as _;
    // Nobody is left to be told where this fails.
    let _ = writeln!(std::io::stderr().lock(), "{}", show::safe(text));
}

fn write(line: &str) {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    if writeln!(out, "{line}").is_err() {
        std::process::exit(0);
    }
}

/// The store that the settings name.
pub(crate) async fn store(config: &Config) -> anyhow::Result<Store> {
    let url = config.database_url()?;
    Store::connect(&store_config(config, url.clone()))
        .await
        .with_context(|| format!("cannot use the database {url}; `copydesk doctor` says more"))
}

/// How long a command waits for a connection to the replica before it takes it for away.
const REPLICA_ACQUIRE: Duration = Duration::from_secs(5);

/// Where the settings say that commands read.
pub(crate) fn read_router(config: &Config) -> anyhow::Result<ReadRouter> {
    let replica = config.read_url()?.map(|url| StoreConfig {
        acquire_timeout: REPLICA_ACQUIRE,
        ..store_config(config, url)
    });
    let primary = store_config(config, config.database_url()?);
    Ok(ReadRouter::new(primary, replica, config.database.read_fallback))
}

/// Reads from where the settings say, once more where a replica went away or ended the query. Says how far a
/// replica is behind.
pub(crate) async fn read<T>(
    config: &Config,
    read: impl AsyncFn(&Store) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let router = read_router(config)?;
    let mut tries = 0;
    loop {
        let store = router
            .store()
            .await
            .context("cannot use the database; `copydesk doctor` says more")?;
        let once = async {
            let status = store.replica_status().await?;
            anyhow::Ok((status, read(store).await?))
        };
        match once.await {
            Ok((status, done)) => {
                if let Some(status) = status {
                    note(&format!("read from a replica, {status}"));
                }
                return Ok(done);
            }
            Err(error) => {
                router
                    .read_again(error.downcast::<StoreError>()?, &mut tries)
                    .await?;
            }
        }
    }
}

/// A connection as the settings of all that write to a database have it.
fn store_config(config: &Config, url: DatabaseUrl) -> StoreConfig {
    StoreConfig {
        url,
        connections: config.database.connections,
        outputs: Outputs {
            dead_letters: !config.outputs.dead_letter_topic.is_empty(),
            articles: !config.outputs.articles_topic.is_empty(),
            notify: config.outputs.notify,
        },
        site_memory: config.clean.site_memory,
        markup: config.clean.markup,
        quarantine_max_bytes: config.quarantine.max_bytes.bytes(),
        ..StoreConfig::default()
    }
}

/// What a message counts in `worker.memory` besides its bytes: its blocks, hashes and columns take as much,
/// however short it is.
const MADE_OF_A_MESSAGE: usize = 4 << 10;

/// The consumer's settings.
pub(crate) fn stream(config: &Config) -> StreamConfig {
    let mut stream = StreamConfig::new(&config.kafka.brokers, &config.kafka.topic, &config.kafka.group);
    stream.session_timeout = Duration::from_millis(config.kafka.session_timeout_ms);
    stream.drain_timeout = Duration::from_millis(config.worker.drain_ms);
    stream.queue_messages = config.worker.queue_messages;
    stream.queue_bytes = config.worker.memory.as_len() / 4;
    stream.total_bytes = config.worker.memory.as_len();
    stream.message_overhead = MADE_OF_A_MESSAGE;
    if !config.kafka.instance_id.is_empty() {
        stream.group_instance_id = Some(config.kafka.instance_id.clone());
    }
    stream.extra = config.kafka.properties();
    stream
}

/// The cleaner with the rules that the settings name.
pub(crate) fn cleaner(config: &Config) -> anyhow::Result<Cleaner> {
    let rules = match &config.clean.rules_file {
        None => Rules::builtin(),
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("cannot read the rules file {}", path.display()))?;
            Rules::from_toml(&text).with_context(|| format!("in the rules file {}", path.display()))?
        }
    };
    Ok(Cleaner::new(rules, Budget::default()))
}

/// What messages go through again that were stored or refused before.
pub(crate) fn stages(config: &Config) -> anyhow::Result<ReplayStages> {
    Ok(ReplayStages {
        cleaner: cleaner(config)?,
        limits: Limits::default(),
        isolated: isolated::command(config)?,
        registry: config.kafka.schema_registry.registry()?.map(Arc::new),
        keep_raw: config.worker.keep_raw_days > 0,
    })
}

/// Turns true at the first SIGTERM or SIGINT; the second ends the process at once, which is safe as well:
/// what was not stored is read again, what was not acknowledged is reported as such.
pub(crate) fn stop_on_signal() -> anyhow::Result<watch::Receiver<bool>> {
    let (stop, stopped) = watch::channel(false);
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        for again in [false, true] {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if again {
                warn!("second signal: ending at once");
                std::process::exit(1);
            }
            stop.send_replace(true);
        }
    });
    Ok(stopped)
}
