//! Waits for locks that last, and who holds them: for the log.
//!
//! In: [`LockWatch::look`], called every few seconds. Out: what has been held, or waited for, for longer than a flush takes. What may fail: Postgres
//! does not answer. A role without `pg_read_all_stats` sees of sessions of other roles who they are, and not since when they are at it.

use std::collections::HashMap;
use std::fmt;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use tracing::{debug, warn};

use crate::connect::config::Store;
use crate::error::StoreError;
use crate::rows::{fetch_all, record};

/// Between two looks.
pub const LOOK_EVERY: Duration = Duration::from_secs(5);

/// A session that waits for so long is reported: flushes take some hundredths of a second.
const WAITED: Duration = Duration::from_secs(5);

/// A lock of the pipeline that one transaction has held for so long is reported.
const HELD: Duration = Duration::from_secs(15);

/// The same wait is reported again after this.
const REPORT_AGAIN: Duration = Duration::from_secs(30);

record! {
    /// A lock that somebody has waited for, or that a session has held, for too long.
    #[derive(Debug, Clone, PartialEq)]
    pub struct LockWait {
        /// What is locked: a lock of `pipeline_lock`, a table, or rows of a transaction.
        pub lock: String,
        /// The session that waits. `None`: nobody does, others pass it by and come again.
        pub waiting: Option<i32>,
        /// The session that holds it.
        pub holder: i32,
        /// The holder's role.
        pub user: Option<String>,
        /// The name that the holder gives itself.
        pub application: Option<String>,
        /// Since when the holder's transaction is open, as far as this role may know.
        pub since: Option<DateTime<Utc>>,
        /// The holder's transaction, where it names what is held.
        transaction: String,
    }
}

/// What was seen before, and reported.
#[derive(Debug, Default)]
pub struct LockWatch {
    seen: HashMap<Key, Seen>,
}

/// What is one wait from look to look: lock, holder, its transaction, who waits.
type Key = (String, i32, String, Option<i32>);

#[derive(Debug, Clone, Copy)]
struct Seen {
    first: Instant,
    reported: Option<Instant>,
}

/// Sessions of this role and name that wait, with those that hold them up.
const WAITING: &str = "
    SELECT coalesce(l.relation::regclass::text, l.locktype) AS lock, w.pid AS waiting, p.pid AS holder,
           b.usename::text AS user, b.application_name AS application, b.xact_start AS since,
           coalesce(l.virtualtransaction, '') AS transaction
    FROM pg_stat_activity w
    JOIN pg_locks l ON l.pid = w.pid AND NOT l.granted
    CROSS JOIN LATERAL (SELECT DISTINCT pid FROM unnest(pg_blocking_pids(w.pid)) AS blocking (pid)) AS p
    LEFT JOIN pg_stat_activity b ON b.pid = p.pid
    WHERE w.datname = current_database() AND w.usename = session_user AND w.application_name = $1
        AND l.waitstart < clock_timestamp() - make_interval(secs => $2)";

/// Whoever holds a lock of the pipeline: its row bears the holder's transaction.
const HOLDING: &str = "
    SELECT k.name AS lock, NULL::int4 AS waiting, h.pid AS holder, b.usename::text AS user, b.application_name AS application,
           b.xact_start AS since, k.xmax::text AS transaction
    FROM pipeline_lock k
    JOIN pg_locks h ON h.locktype = 'transactionid' AND h.transactionid = k.xmax AND h.granted
    LEFT JOIN pg_stat_activity b ON b.pid = h.pid";

impl LockWatch {
    /// What has lasted for too long, and was not reported within the last half minute.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn look(&mut self, store: &Store) -> Result<Vec<LockWait>, StoreError> {
        const CONTEXT: &str = "cannot look for locks that are waited for";
        let waiting = fetch_all!(&store.pool, CONTEXT; WAITING, store.session().0, WAITED.as_secs_f64())?;
        let holding = fetch_all!(&store.pool, CONTEXT; HOLDING)?;
        Ok(self.due(waiting, holding, Instant::now()))
    }

    /// Looks, and writes what is due to the log.
    pub async fn report(&mut self, store: &Store) {
        match self.look(store).await {
            Ok(waits) => {
                for wait in waits {
                    warn!(
                        lock = wait.lock,
                        waiting_pid = wait.waiting,
                        holder_pid = wait.holder,
                        holder_user = wait.user,
                        holder_application = wait.application,
                        holder_since = wait.since.map(|s| s.to_rfc3339()),
                        "{wait}"
                    );
                }
            }
            // Whoever works with the database meets and reports the same outage.
            Err(error) => debug!(%error, "cannot look for locks that are waited for"),
        }
    }

    fn due(&mut self, waiting: Vec<LockWait>, holding: Vec<LockWait>, now: Instant) -> Vec<LockWait> {
        let before = std::mem::take(&mut self.seen);
        let mut due = Vec::new();
        for wait in waiting.into_iter().chain(holding) {
            let key = (
                wait.lock.clone(),
                wait.holder,
                wait.transaction.clone(),
                wait.waiting,
            );
            let mut seen = before.get(&key).copied().unwrap_or(Seen {
                first: now,
                reported: None,
            });
            // A wait is known to have lasted; of a lock that is held nobody may know but from having seen it before.
            let lasts = wait.waiting.is_some() || now.duration_since(seen.first) >= HELD;
            let is_new = |at: Option<Instant>| at.is_none_or(|at| now.duration_since(at) >= REPORT_AGAIN);
            if lasts && is_new(seen.reported) {
                seen.reported = Some(now);
                due.push(wait);
            }
            self.seen.insert(key, seen);
        }
        due
    }
}

impl fmt::Display for LockWait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unknown = "unknown";
        match self.waiting {
            Some(pid) => write!(
                f,
                "session {pid} has waited for {} s and more for a lock ({})",
                WAITED.as_secs(),
                self.lock
            )?,
            None => write!(
                f,
                "the lock {} has been held for {} s and more",
                self.lock,
                HELD.as_secs()
            )?,
        }
        write!(
            f,
            "; session {} holds it ({}, {}",
            self.holder,
            self.user.as_deref().unwrap_or(unknown),
            self.application.as_deref().unwrap_or(unknown),
        )?;
        match self.since {
            Some(since) => write!(f, ", in a transaction since {}", since.to_rfc3339()),
            None => Ok(()),
        }?;
        write!(
            f,
            "). If it does no work, end it: SELECT pg_terminate_backend({})",
            self.holder
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(transaction: &str, waiting: Option<i32>) -> LockWait {
        LockWait {
            lock: "publish_articles".into(),
            waiting,
            holder: 7,
            user: Some("copydesk_worker".into()),
            application: Some("copydesk".into()),
            since: None,
            transaction: transaction.into(),
        }
    }

    #[test]
    fn what_lasts_is_reported_once_in_a_while() {
        let mut watch = LockWatch::default();
        let begun = Instant::now();
        let mut due = |seconds: u64, waiting: Vec<LockWait>, holding: Vec<LockWait>| {
            watch
                .due(waiting, holding, begun + Duration::from_secs(seconds))
                .len()
        };
        assert_eq!(due(0, vec![wait("a", Some(8))], vec![wait("a", None)]), 1);
        assert_eq!(due(10, vec![wait("a", Some(8))], vec![wait("a", None)]), 0);
        assert_eq!(
            due(15, vec![], vec![wait("a", None)]),
            1,
            "by the same transaction"
        );
        assert_eq!(due(20, vec![], vec![wait("b", None)]), 0, "by another");
        assert_eq!(due(34, vec![], vec![wait("b", None)]), 0);
        assert_eq!(due(35, vec![], vec![wait("b", None)]), 1);
        assert_eq!(due(64, vec![], vec![wait("b", None)]), 0);
        assert_eq!(due(65, vec![], vec![wait("b", None)]), 1, "again");
    }
}
