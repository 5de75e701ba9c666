//! `--until-end`: stop when everything that was on the topic at the start is in the ledger.
//!
//! The ledger is asked, not this worker's own memory: with several workers each stops when all of them
//! together are done, and a worker that got no partition stops as well.
//!
//! Messages behind an open transaction of a producer were on the topic, too: they are waited for, and that is
//! said. The broker ends a transaction whose producer is gone (`transaction.timeout.ms`, a minute as a rule).

use std::time::Duration;

use anyhow::Result;
use copydesk_article::{NextOffset, TopicPartition};
use copydesk_store::Store;
use copydesk_stream::{StreamConfig, admin};

/// How often the ledger is asked.
const ASK_EVERY: Duration = Duration::from_millis(200);

/// The end of every partition that had messages at the start.
#[derive(Debug)]
pub(crate) struct Targets(Vec<(TopicPartition, NextOffset)>);

impl Targets {
    /// Reads the ends from Kafka. Blocks for at most some seconds, on tokio's threads for that.
    pub(crate) async fn read(config: &StreamConfig) -> Result<Self> {
        let config = config.clone();
        let marks = tokio::task::spawn_blocking(move || admin::watermarks(&config)).await??;
        let behind: i64 = marks.iter().map(admin::Watermarks::behind_transaction).sum();
        if behind > 0 {
            tracing::warn!(
                messages = behind,
                "messages stand behind an open transaction of a producer; the worker waits until it is \
                    committed or taken back"
            );
        }
        Ok(Self(
            marks
                .into_iter()
                .filter(|m| m.low < m.end)
                .map(|m| (m.source, NextOffset::new(m.end.get())))
                .collect(),
        ))
    }
}

/// Resolves when every target is in the ledger; never without targets.
pub(crate) async fn reached(store: Store, targets: Option<Targets>) {
    let Some(Targets(targets)) = targets else {
        return std::future::pending().await;
    };
    loop {
        match store.progress().await {
            Ok(progress) => {
                let done = |(source, end): &(TopicPartition, NextOffset)| {
                    progress
                        .iter()
                        .any(|p| p.source == *source && p.next_offset >= *end)
                };
                if targets.iter().all(done) {
                    return;
                }
            }
            // An outage is waited out here as everywhere; the partitions log it.
            Err(error) => tracing::debug!(%error, "cannot read the ledger"),
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
}
