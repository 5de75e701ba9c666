//! `copydesk console`: pages over the views, until told to stop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use copydesk_console::{Access, Console, ConsoleOptions, TopicEnd, TopicEnds};
use copydesk_decode::Limits;
use copydesk_store::{DatabaseUrl, StoreConfig};
use copydesk_stream::admin;

use super::{Outcome, cleaner, isolated, note, stop_on_signal, stream};
use crate::args::ConsoleArgs;
use crate::config::Config;

/// How long a page waits for a connection before it says that the database is away.
const ACQUIRE: Duration = Duration::from_secs(3);

pub(crate) async fn run(config: &Config, args: &ConsoleArgs) -> anyhow::Result<Outcome> {
    let stop = stop_on_signal()?;
    let console = Console::bind(options(config, args)?).await?;
    note(&format!("the console is at http://{}", console.address()?));
    console.serve(stop).await;
    Ok(Outcome::Done)
}

fn options(config: &Config, args: &ConsoleArgs) -> anyhow::Result<ConsoleOptions> {
    let settings = &config.console;
    let listen: SocketAddr = match args.listen {
        Some(address) => address,
        None => settings
            .listen
            .parse()
            .context("console.listen is no address and port; write it as 127.0.0.1:8088")?,
    };
    let access = Access::new(listen, &settings.user_header, &settings.proxies, &settings.hosts)?;
    let for_cleaner = config.clone();
    Ok(ConsoleOptions {
        listen,
        access,
        reads: connection(config, config.console_url()?),
        replica: config.read_url()?.map(|url| connection(config, url)),
        read_fallback: config.database.read_fallback,
        writes: config.console_write_url()?.map(|url| connection(config, url)),
        cleaner: Arc::new(move || cleaner(&for_cleaner)),
        limits: Limits::default(),
        isolated: isolated::command(config)?,
        registry: config.kafka.schema_registry.registry()?.map(Arc::new),
        keep_raw: config.worker.keep_raw_days > 0,
        cleaning: isolated::command_for_one(config)?,
        ends: ends(config),
    })
}

/// Asks Kafka for the ends of the topic; librdkafka's own patience bounds it.
fn ends(config: &Config) -> TopicEnds {
    let settings = stream(config);
    Arc::new(move || {
        let marks = admin::watermarks(&settings)?;
        Ok(marks
            .into_iter()
            .map(|mark| TopicEnd {
                topic: mark.source.topic.as_str().to_owned(),
                partition: mark.source.partition.get().into(),
                low: mark.low.get(),
                end: mark.end.get(),
                behind_transaction: mark.behind_transaction(),
            })
            .collect())
    })
}

fn connection(config: &Config, url: DatabaseUrl) -> StoreConfig {
    StoreConfig {
        connections: config.console.connections,
        application_name: "copydesk console".into(),
        statement_timeout: Duration::from_millis(config.console.statement_timeout_ms),
        acquire_timeout: ACQUIRE,
        ..super::store_config(config, url)
    }
}
