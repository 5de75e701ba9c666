//! What is read from Postgres and Kafka now and then, beside the events that the partitions report.

use std::sync::Arc;
use std::time::{Duration, Instant};

use copydesk_store::Store;
use copydesk_stream::{StreamConfig, admin};
use copydesk_telemetry::catalogue;

use super::Monitor;

/// Between two looks at Postgres and at the ends of the topic.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// Between two looks at the sites and languages: their question reads two weeks of articles, and its answer is of days.
const SOURCES_EVERY: Duration = Duration::from_secs(3_600);

/// Looks at Postgres and at the ends of the topic, for ever. Outages show in what is answered, and are logged
/// elsewhere.
pub(crate) async fn look(monitor: Arc<Monitor>, store: Store, stream: StreamConfig, on: Vec<&'static str>) {
    let mut sources_looked_at: Option<Instant> = None;
    loop {
        // One worker is enough.
        if monitor.owns_first() && sources_looked_at.is_none_or(|at| at.elapsed() >= SOURCES_EVERY) {
            sources_looked_at = Some(Instant::now());
            match store.unusual_sources().await {
                Ok(unusual) => monitor.sources(&unusual),
                Err(error) => tracing::debug!(%error, "cannot look at the sites and languages"),
            }
        }
        match store.progress().await {
            Ok(progress) => {
                monitor.database_answered.note();
                let config = stream.clone();
                let ends = tokio::task::spawn_blocking(move || admin::watermarks(&config)).await;
                if let Ok(Ok(ends)) = ends {
                    let ledger: Vec<_> = progress.into_iter().map(|p| (p.source, p.next_offset)).collect();
                    monitor.lag(&ends, &ledger);
                }
            }
            Err(error) => tracing::debug!(%error, "cannot read the ledger"),
        }
        // A whole range lies ahead: weeks, mostly, to come to it in.
        if let Err(error) = store.create_ranges().await {
            tracing::warn!(%error, "cannot make the partitions of the coming articles");
        }
        match store.windows_ahead().await {
            Ok(ahead) => monitor.registry.set(&catalogue::WINDOWS_AHEAD, &[], ahead as f64),
            Err(error) => tracing::debug!(%error, "cannot count the windows of keys"),
        }
        match store.quarantine_usage().await {
            Ok(usage) => monitor.quarantine(usage, store.quarantine_max_bytes()),
            Err(error) => tracing::debug!(%error, "cannot read how large the quarantine is"),
        }
        match store.read_outputs().await {
            Ok(waiting) => monitor.outbox(&on, &waiting),
            Err(error) => tracing::debug!(%error, "cannot read the outbox"),
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
