//! What may go wrong, and what to do about it.

use std::fmt;
use std::time::Duration;

use copydesk_article::{ArticleId, Epoch, NextOffset, Offset, Reason, Reject, Stage, TopicPartition};
use copydesk_dedup::EvidenceError;
use sqlx::error::DatabaseError;
use sqlx::migrate::MigrateError;
use sqlx::postgres::PgDatabaseError;

/// What to do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RetryClass {
    /// Nothing is wrong: two transactions met, or one took too long. The same thing again, after a short wait.
    RetryNow,
    /// The database is away, full or read-only. The same thing again, for as long as it takes.
    WaitForDatabase,
    /// The database refused a value. [`crate::Store::flush`] handles these itself; it answers with one only if
    /// even the bare quarantine row was refused.
    DataError,
    /// Trying again mends nothing: a missing schema, wrong credentials, a lost range, a bug of ours.
    Fatal,
    /// The claim is over: somebody else has claimed the partition, or the ledger was set back. Drop the batch: whoever claims
    /// the partition next reads it again.
    Fenced,
}

/// Everything that the store can answer with instead of a result. Never contains the database's URL or any
/// article's text.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The URL of the database cannot be read.
    #[error("the database's URL cannot be read ({0}); it looks like postgres://user@host:5432/copydesk")]
    BadUrl(String),
    /// The connection could not be made safe.
    #[error(
        "cannot connect to Postgres by TLS: {0}; its certificate must be for the host in the URL, and signed by an authority that this \
         machine knows or by the one that ?sslrootcert=FILE in the URL names. On a network that you trust, ?sslmode=disable does without"
    )]
    UntrustedServer(String),
    /// Postgres, or the way to it.
    #[error("{context}: {}", Explained(error))]
    Database {
        /// What was being done.
        context: &'static str,
        /// What happened. No `source`: it is said already, and would be said twice.
        error: sqlx::Error,
    },
    /// A step of a flush had no answer for so long.
    #[error("Postgres has not answered for {0:?}: it, or the way to it, is gone without a word")]
    NoAnswer(Duration),
    /// The replica cannot be used, and reads may not go to the primary in its place.
    #[error(
        "the replica (database.read_url) cannot be used: {0}; nothing was read from the primary in its place (database.read_fallback = false)"
    )]
    ReplicaAway(String),
    /// A migration failed, or the database's schema is not one of this program's.
    #[error("the schema cannot be brought up to date: {0}")]
    Migration(MigrateError),
    /// The database's schema is of before the first release: no migration leads from it to this program's.
    #[error(
        "this database was made by a commit from before 0.1.0 (its migration {0} is not this program's), and no migration leads from there to \
         here: start anew with an empty database and read the topic again (docs/operations.md, \"Upgrades\")"
    )]
    BeforeBaseline(i64),
    /// Kafka has deleted messages before they were read.
    #[error(
        "{partition}: Kafka has deleted the messages from {next_offset} to {low} (retention) before they were read; \
         set worker.on_lost_range to \"skip\" to record the gap and go on"
    )]
    LostRange {
        /// The partition.
        partition: TopicPartition,
        /// Where the ledger is.
        next_offset: NextOffset,
        /// The first message that Kafka still has.
        low: Offset,
    },
    /// The ledger is beyond the end of the partition: the topic was deleted and created again.
    #[error(
        "{partition}: the ledger is at {next_offset}, but the partition ends at {high}: the topic was deleted and created \
         again. Use a topic of another name, or an empty database"
    )]
    TopicRecreated {
        /// The partition.
        partition: TopicPartition,
        /// Where the ledger is.
        next_offset: NextOffset,
        /// The offset that the next message of the partition will get.
        high: Offset,
    },
    /// A rewind to where nothing can be read again.
    #[error("{partition}: cannot rewind to {to}: {why}")]
    BadRewind {
        /// The partition.
        partition: TopicPartition,
        /// Where it was to go.
        to: Offset,
        /// Why not.
        why: String,
    },
    /// The partition was claimed by somebody else.
    #[error("{partition}: claimed by another worker since epoch {epoch}; nothing was stored")]
    Fenced {
        /// The partition.
        partition: TopicPartition,
        /// The epoch of the flush that was refused.
        epoch: Epoch,
    },
    /// The ledger has lost what this worker had committed.
    #[error(
        "{partition}: the ledger is at {position}, behind the {from} that this worker has stored: the database has lost \
         transactions (a crash with synchronous_commit off, an older backup). The messages are read again from {position} on"
    )]
    LedgerBehind {
        /// The partition.
        partition: TopicPartition,
        /// Where the ledger is.
        position: NextOffset,
        /// Where the worker is.
        from: NextOffset,
    },
    /// Somebody claims keys of near-copies without the lock of their window: an older program.
    #[error("another worker claimed the same keys without their window's lock; retrying")]
    ClaimedMeanwhile,
    /// What a flush brings was taken down while the flush was under way.
    #[error(
        "a takedown holds against a message of this flush since a moment ago; the same again leaves it out"
    )]
    TakenDownMeanwhile,
    /// A batch that cannot be one: a bug of the caller.
    #[error("{partition}: a batch that cannot be one: {what}")]
    BadBatch {
        /// The partition.
        partition: TopicPartition,
        /// What is wrong with it.
        what: String,
    },
    /// What a person asked for cannot be done.
    #[error("{0}")]
    NotPossible(String),
    /// Stored evidence cannot be read.
    #[error("the stored evidence of article {article} cannot be read: {reason}")]
    DamagedEvidence {
        /// The article.
        article: ArticleId,
        /// Why.
        reason: EvidenceError,
    },
    /// A stored value is not one that this program writes.
    #[error("the database holds something unknown to this program: {0}; was it written by a newer one?")]
    Unknown(String),
}

impl From<MigrateError> for StoreError {
    fn from(error: MigrateError) -> Self {
        Self::Migration(error)
    }
}

/// The error of [`crate::Store::flush`].
pub type FlushError = StoreError;

impl StoreError {
    /// What to do about it.
    pub fn class(&self) -> RetryClass {
        match self {
            Self::Database { error, .. } => class_of(error),
            Self::Migration(MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _)) => {
                class_of(source)
            }
            Self::ClaimedMeanwhile | Self::TakenDownMeanwhile => RetryClass::RetryNow,
            Self::NoAnswer(_) | Self::ReplicaAway(_) => RetryClass::WaitForDatabase,
            Self::Fenced { .. } | Self::LedgerBehind { .. } => RetryClass::Fenced,
            Self::BadUrl(_)
            | Self::UntrustedServer(_)
            | Self::Migration(_)
            | Self::BeforeBaseline(_)
            | Self::LostRange { .. }
            | Self::TopicRecreated { .. }
            | Self::BadBatch { .. }
            | Self::NotPossible(_)
            | Self::BadRewind { .. }
            | Self::DamagedEvidence { .. }
            | Self::Unknown(_) => RetryClass::Fatal,
        }
    }

    /// The SQLSTATE, where Postgres has refused a statement.
    pub fn sqlstate(&self) -> Option<std::borrow::Cow<'_, str>> {
        match self {
            Self::Database {
                error: sqlx::Error::Database(error),
                ..
            } => error.code(),
            _ => None,
        }
    }

    /// Whether a standby ended this query, because it had to replay what the query was still reading.
    pub fn is_recovery_conflict(&self) -> bool {
        matches!(self, Self::Database { error: sqlx::Error::Database(error), .. } if is_recovery_conflict(error.as_ref()))
    }

    /// The refusal of a message whose row Postgres does not take ([`RetryClass::DataError`]).
    pub fn as_reject(&self) -> Reject {
        Reject::new(Stage::Store, Reason::RefusedByDatabase, self.refusal())
    }

    /// SQLSTATE and message, for the detail of a quarantined row: no values, no hints.
    fn refusal(&self) -> String {
        match self {
            Self::Database {
                error: sqlx::Error::Database(error),
                ..
            } => {
                format!(
                    "SQLSTATE {}: {}",
                    error.code().unwrap_or_default(),
                    error.message()
                )
            }
            other => other.to_string(),
        }
    }
}

/// How often [`try_again`] does.
const TRIES: u32 = 10;

/// Takes a step of work beside the flushes, and again, a little later each time, where it met another transaction
/// ([`RetryClass::RetryNow`]).
///
/// # Errors
/// Those of the step: any other at once, this one after ten tries more, some five seconds.
pub async fn try_again<T, F>(mut step: impl FnMut() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let mut tries = 0;
    loop {
        match step().await {
            Err(error) if error.class() == RetryClass::RetryNow && tries < TRIES => {
                tries += 1;
                tracing::debug!(%error, "trying again");
                tokio::time::sleep(Duration::from_millis(20 << tries.min(6))).await;
            }
            other => return other,
        }
    }
}

/// Names what was being done when the database failed.
pub(crate) trait Context<T> {
    fn context(self, context: &'static str) -> Result<T, StoreError>;
}

impl<T> Context<T> for Result<T, sqlx::Error> {
    fn context(self, context: &'static str) -> Result<T, StoreError> {
        self.map_err(|error| StoreError::Database { context, error })
    }
}

fn class_of(error: &sqlx::Error) -> RetryClass {
    match error {
        sqlx::Error::Database(error) if has_no_range(error.as_ref()) => RetryClass::WaitForDatabase,
        sqlx::Error::Database(error) => class_of_state(error.code().as_deref().unwrap_or_default()),
        // PoolTimedOut has many causes; all of them pass or show up elsewhere.
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolTimedOut | sqlx::Error::WorkerCrashed => {
            RetryClass::WaitForDatabase
        }
        // An array that is too long for the protocol is data; the halves fit.
        sqlx::Error::Encode(_) => RetryClass::DataError,
        // A connection that was cut off in the middle of a message.
        sqlx::Error::Protocol(_) | sqlx::Error::BeginFailed => RetryClass::WaitForDatabase,
        _ => RetryClass::Fatal,
    }
}

/// No partition is there for an article's number, as where the sequence was set far ahead: workers and the janitor make it. Of a violated check Postgres names the
/// constraint.
fn has_no_range(error: &dyn DatabaseError) -> bool {
    error.code().as_deref() == Some("23514") && error.constraint().is_none()
}

/// A serialisation failure has the same SQLSTATE, and another place in Postgres' source; the message is in
/// the server's language.
fn is_recovery_conflict(error: &dyn DatabaseError) -> bool {
    error.code().as_deref() == Some("40001")
        && error
            .try_downcast_ref::<PgDatabaseError>()
            .and_then(PgDatabaseError::routine)
            .is_some_and(|routine| routine.starts_with("Process"))
}

/// The class of an SQLSTATE. Most were seen on Postgres 15 (docs/delivery.md); what is not known stops the
/// worker, because a wrong guess either loops for ever or quarantines good articles.
fn class_of_state(state: &str) -> RetryClass {
    match state {
        // Serialisation, deadlock, unknown completion; lock not available; time-outs of statement, idle
        // transaction and transaction.
        "40001" | "40P01" | "40003" | "55P03" | "57014" | "25P03" | "25P04" => RetryClass::RetryNow,
        // Shut down, crashed, starting up; read-only (a standby after a failover).
        "57P01" | "57P02" | "57P03" | "25006" => RetryClass::WaitForDatabase,
        // Unique violation: none of our keys can be violated by data, so it is a bug in the ledger (sighting) or
        // a sequence that was not restored (article). A row twice in one DO UPDATE: ours, too.
        "23505" | "21000" => RetryClass::Fatal,
        // Something in the row is over a limit of Postgres.
        "54000" => RetryClass::DataError,
        _ => match state.get(..2) {
            // Connection exceptions; out of disk, memory or connections; errors of the operating system.
            Some("08" | "53" | "58") => RetryClass::WaitForDatabase,
            // Bad values and violated constraints.
            Some("22" | "23") => RetryClass::DataError,
            _ => RetryClass::Fatal,
        },
    }
}

/// A database error with its SQLSTATE, and without the values that Postgres quotes in its details.
struct Explained<'e>(&'e sqlx::Error);

impl fmt::Display for Explained<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            sqlx::Error::Database(error) => explain(error.as_ref(), f),
            sqlx::Error::PoolTimedOut => f.write_str(
                "no connection to Postgres was free in time: it is away, it refuses more connections (`copydesk doctor` looks at the limits), or database.connections is too small for the partitions of this worker",
            ),
            other => other.fmt(f),
        }
    }
}

fn explain(error: &dyn DatabaseError, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let state = error.code().unwrap_or_default();
    write!(f, "{} (SQLSTATE {state})", error.message())?;
    match state.as_ref() {
        "40001" if is_recovery_conflict(error) => f.write_str(
            "; this replica had to replay what the query was still reading: try again, or set hot_standby_feedback = on there (docs/operations.md, \"Reading from a replica\")",
        ),
        "42P01" | "42883" | "42703" => {
            f.write_str(
                "; is the schema up to date (`copydesk migrate` brings it there), and does the login's search_path name it? `copydesk doctor` looks at both",
            )
        }
        "23514" if error.constraint().is_none() => {
            f.write_str("; the range of these articles is missing: workers and `copydesk janitor` make it within seconds")
        }
        "42501" => {
            f.write_str("; this role may not do that: workers need copydesk_writer, migrations the owner")
        }
        "42P05" | "26000" => f.write_str("; a pooler between here and Postgres must keep one server connection for each session: pool_mode = session"),
        "3F000" => f.write_str("; the login's search_path names no schema: ALTER ROLE … SET search_path = public"),
        "25006" => f.write_str("; it is read-only or a standby: `copydesk doctor` says which"),
        "53300" => f.write_str(
            "; a limit of connections (of the login, the database or the server) is below what copydesk wants: `copydesk doctor` says which",
        ),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_said_twice() {
        use std::error::Error as _;
        let error = Err::<(), _>(sqlx::Error::PoolTimedOut)
            .context("cannot look")
            .unwrap_err();
        assert!(error.to_string().starts_with("cannot look: no connection"));
        assert!(error.source().is_none(), "a chain of errors would repeat it");
    }

    #[test]
    fn outages_are_waited_for_and_never_taken_for_bad_data() {
        for state in [
            "08006", "57P01", "57P03", "53100", "53200", "53300", "58030", "25006",
        ] {
            assert_eq!(class_of_state(state), RetryClass::WaitForDatabase, "{state}");
        }
        for state in ["40001", "40P01", "55P03", "57014", "25P03"] {
            assert_eq!(class_of_state(state), RetryClass::RetryNow, "{state}");
        }
        for state in ["22021", "22P05", "22008", "23514", "23502", "54000"] {
            assert_eq!(class_of_state(state), RetryClass::DataError, "{state}");
        }
        for state in ["23505", "21000", "42P01", "42501", "28P01", "3D000", "XX001", ""] {
            assert_eq!(class_of_state(state), RetryClass::Fatal, "{state}");
        }
    }
}
