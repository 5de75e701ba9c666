//! Makes stored articles searchable, behind the flushes and never in their way.

use std::time::{Duration, Instant};

use copydesk_store::{Store, StoreError};
use tokio::sync::watch;
use tracing::{debug, info};

/// Articles in one transaction: a fraction of a second.
const STEP: u32 = 200;
/// Between two looks when nothing was due.
const IDLE: Duration = Duration::from_secs(1);

/// Steps between two counts of what is due.
const STEPS: u32 = 10;
/// How long an end waits for it at the most.
const PATIENCE: Duration = Duration::from_secs(600);

/// For ever. Errors are waited out: flushes meet and report the same outage, and what is due stays due.
pub(crate) async fn run(store: Store) {
    loop {
        match store.index_search(STEP).await {
            Ok(0) => tokio::time::sleep(IDLE).await,
            Ok(_) => {}
            Err(error) => {
                debug!(%error, "cannot make articles searchable; trying again");
                tokio::time::sleep(IDLE).await;
            }
        }
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
