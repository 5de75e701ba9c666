//! Transactions whose worker fell silent in the middle of a statement.
//!
//! Postgres ends a transaction whose client says nothing between two statements (`idle_in_transaction_session_timeout`), and so bounds how long
//! a frozen worker holds up whoever takes over its partitions. In the middle of a `COPY` it does not: there neither that nor
//! `statement_timeout` is looked at until the next piece of data (seen with Postgres 15; `ProcessClientReadInterrupt` heeds only the end of
//! the session there). Nor does it if a statement has arrived and the `Sync` behind it has not: the statement is carried out, and its transaction stays
//! open. So whoever is alive ends those sessions.

use crate::connect::config::Store;
use crate::error::StoreError;
use crate::rows::fetch_one;

impl Store {
    /// Ends sessions of this role, by this store's application name, that have waited in a statement for their client, and that statement is older than
    /// [`crate::StoreConfig::idle_timeout`]. Answers with their number. To be called every few seconds by whoever may have to take over.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn end_stalled_sessions(&self) -> Result<u64, StoreError> {
        let (name, patience) = self.session();
        fetch_one!(&self.pool, "cannot look for stalled sessions";
            "SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity
             WHERE datname = current_database() AND usename = session_user AND application_name = $1
                 AND state = 'active' AND wait_event = 'ClientRead'
                 AND query_start < clock_timestamp() - make_interval(secs => $2)",
            name, patience.as_secs_f64()
        )
    }
}
