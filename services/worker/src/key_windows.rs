//! Reads the keys of windows now and then, beside the flushes, so that these need not ask for every key.

use std::time::{Duration, Instant};

use copydesk_store::Store;
use tracing::debug;

/// Between two looks, if nothing is due before: nearly all find nothing to do, and do not ask the database.
const EVERY: Duration = Duration::from_secs(5);

/// After one that found something to do or failed, before the next.
const PAUSE: Duration = Duration::from_millis(500);

/// For ever. Errors are left to the flushes, which meet and report the same outage: nothing depends on this.
pub(crate) async fn run(store: Store) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = store.windows_due() => {}
        }
        let begun = Instant::now();
        match store.read_windows().await {
            Ok(0) => continue,
            Ok(windows) => debug!(
                windows,
                took_ms = begun.elapsed().as_millis() as u64,
                "keys of windows are at hand"
            ),
            Err(error) => debug!(%error, "keys of windows cannot be read; they are looked up"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}
