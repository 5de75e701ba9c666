//! One run of the archive at a time, on whatever machines.

use std::time::{Duration, Instant};

use sqlx::PgConnection;

use crate::connect::config::Store;
use crate::error::{Context as _, StoreError};
use crate::rows::fetch_one;

/// Held while a run is under way; Postgres takes it from a program that is gone.
#[derive(Debug)]
pub struct ArchiveLock {
    _connection: PgConnection,
}

/// How long the lock of a program that has just ended may be seen.
const PATIENCE: Duration = Duration::from_secs(3);
const LOOK_EVERY: Duration = Duration::from_millis(100);

impl Store {
    /// Locks the archive of this name. `None`: another run is under way.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn lock_archive(&self, name: &str) -> Result<Option<ArchiveLock>, StoreError> {
        const CONTEXT: &str = "cannot lock the archive";
        // A connection of its own, which no pool hands to others: the lock ends with it.
        let mut connection = self.pool.acquire().await.context(CONTEXT)?.detach();
        let until = Instant::now() + PATIENCE;
        loop {
            let locked: bool = fetch_one!(&mut connection, CONTEXT;
                "SELECT pg_try_advisory_lock(hashtextextended('copydesk archive ' || $1, 0))", name
            )?;
            if locked {
                return Ok(Some(ArchiveLock {
                    _connection: connection,
                }));
            }
            if Instant::now() > until {
                return Ok(None);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}
