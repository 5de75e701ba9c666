//! How far a standby is behind its primary.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::connect::config::Store;
use crate::error::StoreError;
use crate::rows::{fetch_one, fetch_optional, record};

const CONTEXT: &str = "cannot look how far the replica is";

record! {
    /// How a standby stands to its primary, by its own account.
    #[derive(Debug, Clone, Copy, PartialEq, Serialize)]
    pub struct ReplicaStatus {
        /// Whether a receiver of the primary's log runs. A cut that neither side was told of shows after
        /// `wal_receiver_timeout` (60 s).
        pub receiving: bool,
        /// Seconds between now and the last commit that it has replayed; 0 where all that it received is
        /// replayed and it is receiving.
        /// `None`: it has replayed no commit since it was started.
        pub behind_seconds: Option<f64>,
        /// The time of the last commit that it has replayed, by the primary's clock.
        pub last_commit: Option<DateTime<Utc>>,
    }
}

impl fmt::Display for ReplicaStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.receiving, self.behind_seconds) {
            (_, None) => f.write_str(
                "how far it is behind is not known: it has replayed no commit since it was started",
            )?,
            (_, Some(seconds)) => write!(f, "{seconds:.1} s behind")?,
        }
        if !self.receiving {
            f.write_str(", and it receives nothing from the primary")?;
        }
        Ok(())
    }
}

impl Store {
    /// How far this server is behind its primary. `None`: it is no standby.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn replica_status(&self) -> Result<Option<ReplicaStatus>, StoreError> {
        // On an idle primary the time since the last commit grows though nothing is missing.
        fetch_optional!(&self.pool, CONTEXT;
            "SELECT w.receiving,
                    CASE WHEN w.receiving AND pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
                         WHEN pg_last_xact_replay_timestamp() IS NOT NULL
                             THEN greatest(extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()), 0) END::float8
                        AS behind_seconds,
                    pg_last_xact_replay_timestamp() AS last_commit
             FROM (SELECT EXISTS (SELECT FROM pg_stat_wal_receiver) AS receiving) w WHERE pg_is_in_recovery()"
        )
    }

    /// Waits until this server has replayed all that `primary` has committed by now. Answers with false where
    /// it has not in this time. What is no standby has nothing to replay.
    ///
    /// # Errors
    /// One of both does not answer.
    pub async fn catches_up_with(&self, primary: &Self, patience: Duration) -> Result<bool, StoreError> {
        const LOOK_EVERY: Duration = Duration::from_millis(100);
        let position: String = fetch_one!(&primary.pool, CONTEXT; "SELECT pg_current_wal_lsn()::text")?;
        let until = tokio::time::Instant::now() + patience;
        loop {
            let there: bool = fetch_one!(&self.pool, CONTEXT;
                "SELECT NOT pg_is_in_recovery() OR coalesce(pg_last_wal_replay_lsn() >= $1::pg_lsn, FALSE)",
                &position
            )?;
            if there || tokio::time::Instant::now() >= until {
                return Ok(there);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_is_named() {
        let status = |receiving, behind_seconds| ReplicaStatus {
            receiving,
            behind_seconds,
            last_commit: None,
        };
        assert_eq!(status(true, Some(0.04)).to_string(), "0.0 s behind");
        assert_eq!(
            status(false, Some(61.0)).to_string(),
            "61.0 s behind, and it receives nothing from the primary"
        );
        assert!(status(true, None).to_string().contains("not known"));
    }
}
