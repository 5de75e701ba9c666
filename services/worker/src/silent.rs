//! Ends what another worker has left in the middle of a statement: frozen, or its machine gone. Postgres does not by itself.

use std::time::Duration;

use copydesk_store::Store;
use tracing::{debug, warn};

const EVERY: Duration = Duration::from_secs(5);

/// For ever.
pub(crate) async fn run(store: Store) {
    loop {
        tokio::time::sleep(EVERY).await;
        match store.end_silent_sessions().await {
            Ok(0) => {}
            Ok(sessions) => warn!(
                sessions,
                "ended transactions whose worker fell silent in the middle of a statement; nothing is lost, their messages are read again"
            ),
            // The flushes meet and report the same outage.
            Err(error) => debug!(%error, "cannot look for silent sessions"),
        }
    }
}
