//! Reports messages that take long.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use copydesk_article::Coordinates;
use copydesk_telemetry::catalogue;
use tracing::warn;

use super::{Monitor, locked};
use crate::desks::{Desks, Slow};

/// From here on a message is reported. Ordinary ones take some milliseconds.
const LONG: Duration = Duration::from_secs(1);
/// From here on the worker is not ready: the cleaner's budget should have ended it long before, and its
/// partition stands still.
pub(super) const STUCK: Duration = Duration::from_secs(30);
/// Between two looks, for the log.
const LOOK_EVERY: Duration = Duration::from_millis(500);

impl Monitor {
    /// Watches the messages that these threads have in progress.
    pub(crate) fn watch(&self, desks: Arc<Desks>) {
        locked(&self.desks).push(desks);
    }

    /// Messages that have been in progress for long, the longest first.
    pub(super) fn slow(&self) -> Vec<Slow> {
        let desks = locked(&self.desks).clone();
        let mut slow: Vec<Slow> = desks.iter().flat_map(|d| d.slow(LONG)).collect();
        slow.sort_by_key(|s| std::cmp::Reverse(s.since));
        slow
    }

    /// The metric.
    pub(super) fn set_slow(&self, slow: &[Slow]) {
        self.registry.clear(&catalogue::SLOW_MESSAGE);
        // The longest of a partition is set last.
        for Slow { at, since } in slow.iter().rev() {
            let labels = [at.source.topic.as_str(), &at.source.partition.to_string()];
            self.registry
                .set(&catalogue::SLOW_MESSAGE, &labels, since.as_secs_f64());
        }
    }
}

/// For people: which message, for how long.
pub(super) fn sentence(slow: &Slow) -> String {
    format!(
        "{} has been with a cleaning thread for {:.1} s",
        slow.at,
        slow.since.as_secs_f64()
    )
}

/// Logs each message that takes long, once. For ever.
pub(crate) async fn log(monitor: Arc<Monitor>) {
    let mut logged: BTreeSet<Coordinates> = BTreeSet::new();
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let slow = monitor.slow();
        logged.retain(|at| slow.iter().any(|s| s.at == *at));
        for slow in slow {
            if !logged.contains(&slow.at) {
                warn!(message = %slow.at, seconds = slow.since.as_secs_f32(), "this message takes long to \
                    prepare; its partition waits for it, the others go on");
                logged.insert(slow.at);
            }
        }
    }
}
