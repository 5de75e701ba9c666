//! Ends sessions whose worker stopped in the middle of a statement (it froze, or its machine is gone), which
//! Postgres does not end by itself. Reports locks that the pipeline waits for, with who holds them.

use copydesk_store::{LOOK_EVERY, LockWatch, Store};
use tracing::{debug, warn};

/// For ever.
pub(crate) async fn run(store: Store) {
    let mut watch = LockWatch::default();
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        watch.report(&store).await;
        match store.end_stalled_sessions().await {
            Ok(0) => {}
            Ok(sessions) => warn!(
                sessions,
                "ended transactions whose worker stopped answering in the middle of a statement; nothing is \
                    lost, their messages are read again"
            ),
            // The flushes meet and report the same outage.
            Err(error) => debug!(%error, "cannot look for stalled sessions"),
        }
    }
}
