//! Makes stored articles searchable, behind the flushes and never in their way.

use std::sync::Arc;
use std::time::{Duration, Instant};

use copydesk_store::{Store, StoreError};
use tokio::sync::watch;
use tracing::{debug, info};

use crate::counters::Counters;

/// Articles in one transaction: a fraction of a second.
const STEP: u32 = 200;
/// Between two looks when nothing was due.
const IDLE: Duration = Duration::from_secs(1);

/// Steps between two counts of what is due.
const STEPS: u32 = 10;
/// How long an end waits for it at the most.
const PATIENCE: Duration = Duration::from_secs(600);

/// After a step beside a backlog, so many times as long for the flushes alone: search costs Postgres as much
/// as storing does.
const BESIDE_BACKLOG: u32 = 3;
/// The longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// For ever. Errors are waited out: flushes meet and report the same outage, and what is due stays due.
pub(crate) async fn run(store: Store, counters: Arc<Counters>) {
    let mut before = counters.tally().stored;
    loop {
        let begun = Instant::now();
        match store.index_search(STEP).await {
            Ok(0) => tokio::time::sleep(IDLE).await,
            Ok(made) => {
                let stored = counters.tally().stored;
                tokio::time::sleep(pause(begun.elapsed(), u64::from(made), stored - before)).await;
            }
            Err(error) => {
                debug!(%error, "cannot make articles searchable; trying again");
                tokio::time::sleep(IDLE).await;
            }
        }
        before = counters.tally().stored;
    }
}

/// How long to leave Postgres to the flushes after a step that took so long. `stored`: by this worker in the
/// meantime; more than were `made` searchable is a backlog that is being worked off, and search makes up for
/// it afterwards.
fn pause(took: Duration, made: u64, stored: u64) -> Duration {
    if stored > made {
        (took * BESIDE_BACKLOG).min(LONGEST_PAUSE)
    } else {
        Duration::ZERO
    }
}

/// Until what is due now is done: who waits for the end of the topic wants to search right after.
pub(crate) async fn to_the_end(store: &Store, stop: &watch::Receiver<bool>) {
    let begun = Instant::now();
    let mut made = 0;
    while !*stop.borrow() {
        let status = match store.search_status().await {
            Ok(status) => status,
            Err(error) => return later(&error),
        };
        // Other workers may store and index all the time; this one ends.
        if !status.on || status.due == 0 || begun.elapsed() > PATIENCE {
            break;
        }
        for _ in 0..STEPS {
            match store.index_search(STEP).await {
                // Another session is at it.
                Ok(0) => {
                    tokio::time::sleep(IDLE / 5).await;
                    break;
                }
                Ok(taken) => made += taken,
                Err(error) => return later(&error),
            }
        }
    }
    debug!(made, "articles were made searchable at the end");
}

fn later(error: &StoreError) {
    info!(%error, "some articles are not searchable yet; the next worker or `copydesk janitor` makes up for it");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backlog_goes_first_and_a_trickle_does_not_wait() {
        let took = Duration::from_millis(200);
        assert_eq!(pause(took, 200, 600), Duration::from_millis(600));
        assert_eq!(pause(took, 200, 200), Duration::ZERO);
        assert_eq!(pause(took, 3, 0), Duration::ZERO);
        assert_eq!(pause(Duration::from_secs(60), 200, 600), LONGEST_PAUSE);
    }
}
