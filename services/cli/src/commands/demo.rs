//! `copydesk demo`: the bundled samples from a broker within this process to Postgres.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, bail};
use copydesk_store::Store;
use copydesk_stream::MemoryBroker;

use super::{Outcome, feed, note, store, summary, worker};
use crate::args::{FeedArgs, SummaryArgs, WorkerArgs};
use crate::config::{Config, SchemaRegistry};

/// What the topics of demonstrations begin with.
const TOPIC: &str = "copydesk-demo-";
const PARTITIONS: i32 = 3;

pub(crate) async fn run(config: &Config) -> anyhow::Result<Outcome> {
    let store = store(config).await?;
    if store.schema().await?.pending.is_empty() {
        refuse_other_topics(&store).await?;
    } else {
        store.migrate().await?;
    }
    // A topic of its own each time: the ledger knows how far the last one was read.
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let topic = format!("{TOPIC}{}", now.as_millis());
    let broker = MemoryBroker::start(&topic, PARTITIONS)?;
    let config = for_broker(config, &broker, topic);
    note(
        "a demonstration: the eighteen bundled messages go through a broker within this process, which is no Kafka, \
         and are stored by a worker as they would be from Kafka",
    );
    let fed = FeedArgs {
        samples: true,
        ..FeedArgs::default()
    };
    feed::run(&config, fed).await?;
    let until_end = WorkerArgs {
        until_end: true,
        threads: None,
    };
    worker::run(&config, &until_end).await?;
    summary::run(&config, &SummaryArgs { stories: 30 })
        .await
        .context("the articles are stored, and cannot be shown")
}

/// The settings with the broker in Kafka's place, and without what would meet a worker on this machine.
fn for_broker(config: &Config, broker: &MemoryBroker, topic: String) -> Config {
    let mut config = config.clone();
    config.kafka.brokers = broker.brokers();
    config.kafka.topic = topic;
    config.kafka.partitions = PARTITIONS;
    config.kafka.properties = BTreeMap::new();
    config.kafka.schema_registry = SchemaRegistry::default();
    config.outputs.articles_topic.clear();
    config.outputs.dead_letter_topic.clear();
    config.metrics.listen.clear();
    config
}

/// Invented articles do not belong beside real ones.
async fn refuse_other_topics(store: &Store) -> anyhow::Result<()> {
    let progress = store.progress().await?;
    let other = progress
        .iter()
        .find(|p| !p.source.topic.as_str().starts_with(TOPIC));
    if let Some(other) = other {
        bail!(
            "this database has articles of the topic {}: a demonstration belongs in a database of its own \
             (createdb copydesk_demo, then COPYDESK_DATABASE_URL=postgres://…/copydesk_demo copydesk demo)",
            other.source.topic
        );
    }
    Ok(())
}
