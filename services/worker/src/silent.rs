//! Ends what another worker has left in the middle of a statement: frozen, or its machine gone. Postgres does not by itself. And reports locks
//! that are waited for, with who holds them.

use copydesk_store::{LOOK_EVERY, LockWatch, Store};
use tracing::{debug, warn};

/// For ever.
pub(crate) async fn run(store: Store) {
    let mut watch = LockWatch::default();
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        watch.report(&store).await;
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
