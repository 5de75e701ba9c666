//! `copydesk worker`: settings to options, signals to a graceful stop.

use std::sync::Arc;
use std::time::Duration;

use copydesk_decode::Limits;
use copydesk_store::OnLostRange;
use copydesk_telemetry::Tracer;
use copydesk_worker::{BatchLimits, BreakerLimits, OutputTopics, WorkerOptions};

use super::{Outcome, cleaner, isolated, stop_on_signal, store, stream};
use crate::args::WorkerArgs;
use crate::config::{self, Config};

pub(crate) async fn run(config: &Config, args: &WorkerArgs) -> anyhow::Result<Outcome> {
    let mut stop = stop_on_signal()?;
    // A worker that starts before its database waits for it, as it does when the database goes away later.
    let connect = async || store(config).await;
    let Some(store) = copydesk_worker::while_away(&mut stop, connect).await? else {
        return Ok(Outcome::Done);
    };
    let options = WorkerOptions {
        stream: stream(config),
        store,
        threads: args.threads.unwrap_or(config.worker.threads),
        cleaning_memory: config.worker.cleaning_memory.as_len(),
        batch: BatchLimits {
            articles: config.worker.batch_articles,
            bytes: config.worker.batch_bytes.as_len(),
            linger: Duration::from_millis(config.worker.linger_ms),
        },
        breaker: BreakerLimits {
            share: config.worker.breaker_share,
            run: config.worker.breaker_run,
        },
        on_lost_range: match config.worker.on_lost_range {
            config::OnLostRange::Stop => OnLostRange::Stop,
            config::OnLostRange::Skip => OnLostRange::Skip,
        },
        limits: Limits::default(),
        cleaner: cleaner(config)?,
        registry: config.kafka.schema_registry.registry()?.map(Arc::new),
        keep_raw: config.worker.keep_raw_days > 0,
        isolated: isolated::command(config)?,
        abort_on: std::env::var(isolated::ABORT_ON).ok(),
        // The configuration's own check has seen that it is one.
        metrics: config.metrics.listen.parse().ok(),
        traces: tracer(config)?,
        index_search: config.worker.index_search,
        until_end: args.until_end,
        outputs: OutputTopics {
            dead_letters: named(&config.outputs.dead_letter_topic),
            articles: named(&config.outputs.articles_topic),
        },
    };
    copydesk_worker::run(options, stop).await?;
    Ok(Outcome::Done)
}

/// Where spans go, if they go anywhere.
fn tracer(config: &Config) -> anyhow::Result<Option<Tracer>> {
    let (endpoint, share) = (&config.traces.endpoint, config.traces.share);
    if endpoint.is_empty() {
        return Ok(None);
    }
    let instance = std::process::id().to_string();
    Ok(Some(Tracer::start(
        endpoint,
        share,
        &instance,
        env!("CARGO_PKG_VERSION"),
    )?))
}

/// A topic that is set; empty means none.
fn named(topic: &str) -> Option<String> {
    (!topic.is_empty()).then(|| topic.to_owned())
}
