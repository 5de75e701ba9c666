//! `copydesk worker`: settings to options, signals to a graceful stop.

use std::time::Duration;

use copydesk_decode::Limits;
use copydesk_store::OnLostRange;
use copydesk_worker::{BatchLimits, WorkerOptions};

use super::{Outcome, cleaner, stop_on_signal, store, stream};
use crate::args::WorkerArgs;
use crate::config::{self, Config};

pub(crate) async fn run(config: &Config, args: &WorkerArgs) -> anyhow::Result<Outcome> {
    let options = WorkerOptions {
        stream: stream(config),
        store: store(config).await?,
        threads: args.threads.unwrap_or(config.worker.threads),
        batch: BatchLimits {
            articles: config.worker.batch_articles,
            bytes: config.worker.batch_bytes.as_len(),
            linger: Duration::from_millis(config.worker.linger_ms),
        },
        on_lost_range: match config.worker.on_lost_range {
            config::OnLostRange::Stop => OnLostRange::Stop,
            config::OnLostRange::Skip => OnLostRange::Skip,
        },
        limits: Limits::default(),
        cleaner: cleaner(config)?,
        until_end: args.until_end,
    };
    copydesk_worker::run(options, stop_on_signal()?).await?;
    Ok(Outcome::Done)
}
