//! Reads the keys of windows now and then, beside the flushes, so that these need not ask for every key.

use std::time::{Duration, Instant};

use copydesk_store::Store;
use tracing::debug;

/// Between two looks: nearly all find nothing to do, and do not ask the database.
const EVERY: Duration = Duration::from_secs(5);

/// For ever. Errors are left to the flushes, which meet and report the same outage: nothing depends on this.
pub(crate) async fn run(store: Store) {
    loop {
        tokio::time::sleep(EVERY).await;
        let begun = Instant::now();
        match store.read_windows().await {
            Ok(0) => {}
            Ok(windows) => debug!(
                windows,
                took_ms = begun.elapsed().as_millis() as u64,
                "keys of windows are cached"
            ),
            Err(error) => debug!(%error, "keys of windows cannot be read and cached; each key is looked up"),
        }
    }
}
