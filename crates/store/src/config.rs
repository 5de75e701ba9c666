//! The handle on the database: connections, time-outs, what all workers agree on.

use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgSslMode};
use sqlx::{ConnectOptions as _, Connection as _, PgPool, Postgres, Transaction};
use tokio::sync::OnceCell;

use crate::announced::Announced;
use crate::common::ListAtHand;
use crate::error::{Doing as _, StoreError};
use crate::outbox::Outputs;
use crate::present_windows::PresentWindows;
use crate::quiet_windows::QuietWindows;
use crate::sites_at_hand::SitesAtHand;
use crate::turns::Turns;

/// How to reach the database, and how long anything there may take.
#[derive(Clone)]
pub struct StoreConfig {
    /// `postgres://user:password@host:port/database`, with libpq's parameters (`sslmode`, …). Over a network the server's
    /// certificate is verified (`verify-full`) unless the URL, or `PGSSLMODE`, says otherwise.
    pub url: String,
    /// Connections at most, but for one more beside other workers (`announced.rs`). A worker wants one per partition that flushes at the same time, and two more.
    pub connections: u32,
    /// The name in `pg_stat_activity`.
    pub application_name: String,
    /// A statement of a flush that takes longer is ended by Postgres and the flush tried again.
    pub statement_timeout: Duration,
    /// The same for waiting for a lock.
    pub lock_timeout: Duration,
    /// A transaction whose worker says nothing for so long is ended by Postgres. It bounds how long a frozen
    /// worker can hold up whoever takes over its partitions.
    pub idle_timeout: Duration,
    /// How long to wait for a free connection.
    pub acquire_timeout: Duration,
    /// Bytes of a refused message that are kept. Keep it above the largest record of the topic, or the message
    /// cannot be replayed.
    pub quarantine_bytes: usize,
    /// What is told besides storing. All workers of a database should have the same.
    pub outputs: Outputs,
    /// Whether blocks that a site repeats are taken out of its articles (docs/site-memory.md). The evidence is
    /// recorded in any case. All workers and janitors of a database should have the same.
    pub site_memory: bool,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self {
            url: String::new(),
            connections: 8,
            application_name: "copydesk".into(),
            statement_timeout: Duration::from_secs(60),
            lock_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(15),
            acquire_timeout: Duration::from_secs(30),
            quarantine_bytes: 64 << 20,
            outputs: Outputs::default(),
            site_memory: true,
        }
    }
}

impl std::fmt::Debug for StoreConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoreConfig")
            .field("url", &"(may hold a password)")
            .field("connections", &self.connections)
            .field("application_name", &self.application_name)
            .field("statement_timeout", &self.statement_timeout)
            .field("lock_timeout", &self.lock_timeout)
            .field("idle_timeout", &self.idle_timeout)
            .field("acquire_timeout", &self.acquire_timeout)
            .field("quarantine_bytes", &self.quarantine_bytes)
            .field("outputs", &self.outputs)
            .field("site_memory", &self.site_memory)
            .finish()
    }
}

/// The database. Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) pool: PgPool,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    begin: String,
    application_name: String,
    idle_timeout: Duration,
    quarantine_bytes: usize,
    outputs: Outputs,
    site_memory: bool,
    window_days: OnceCell<i32>,
    list: ListAtHand,
    sites: SitesAtHand,
    quiet: QuietWindows,
    present: PresentWindows,
    turns: Arc<Turns>,
    announced: Announced,
}

impl Store {
    /// Connects. One connection is made at once and without a second try, so that a wrong address or wrong
    /// credentials show up here and now; later ones are tried for `acquire_timeout`.
    ///
    /// # Errors
    /// An unreadable URL; a database that does not answer ([`crate::RetryClass::WaitForDatabase`]) or refuses the role.
    pub async fn connect(config: &StoreConfig) -> Result<Self, StoreError> {
        const DOING: &str = "cannot connect to Postgres";
        let options = options(&config.url, std::env::var_os("PGSSLMODE").is_some())?
            .application_name(&config.application_name)
            .disable_statement_logging();
        let first = options.connect().await.map_err(|source| match source {
            // Here and now it is a matter of settings; later on it may be a connection that was cut off.
            sqlx::Error::Tls(reason) => StoreError::UntrustedServer(reason.to_string()),
            source => StoreError::Database { doing: DOING, source },
        })?;
        first.close().await.doing(DOING)?;
        let pool = PgPoolOptions::new()
            .max_connections(config.connections.max(1))
            .acquire_timeout(config.acquire_timeout)
            .connect_lazy_with(options.clone());
        Ok(Self {
            pool,
            shared: Arc::new(Shared {
                begin: begin(config),
                application_name: config.application_name.clone(),
                idle_timeout: config.idle_timeout,
                quarantine_bytes: config.quarantine_bytes,
                outputs: config.outputs,
                site_memory: config.site_memory,
                window_days: OnceCell::new(),
                list: ListAtHand::default(),
                sites: SitesAtHand::default(),
                quiet: QuietWindows::default(),
                present: PresentWindows::default(),
                turns: Arc::default(),
                announced: Announced::new(options),
            }),
        })
    }

    /// Connections that are at work, and connections that wait for some.
    pub fn connections(&self) -> (usize, usize) {
        let idle = self.pool.num_idle();
        let open = usize::try_from(self.pool.size()).unwrap_or(usize::MAX);
        (open.saturating_sub(idle), idle)
    }

    /// A transaction that writes to the ledger: bounded in time, and planned for tables of any size.
    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Postgres>, StoreError> {
        self.pool
            .begin_with(self.shared.begin.clone())
            .await
            .doing("cannot begin a transaction")
    }

    /// A transaction that only reads, all of it from the same moment.
    pub(crate) async fn begin_reading(&self) -> Result<Transaction<'static, Postgres>, StoreError> {
        self.pool
            .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            .await
            .doing("cannot begin a transaction")
    }

    /// The name and the patience of this store's transactions.
    pub(crate) fn session(&self) -> (&str, Duration) {
        (&self.shared.application_name, self.shared.idle_timeout)
    }

    pub(crate) fn quarantine_bytes(&self) -> usize {
        self.shared.quarantine_bytes
    }

    pub(crate) fn outputs(&self) -> Outputs {
        self.shared.outputs
    }

    pub(crate) fn site_memory(&self) -> bool {
        self.shared.site_memory
    }

    pub(crate) fn list_at_hand(&self) -> &ListAtHand {
        &self.shared.list
    }

    pub(crate) fn sites_at_hand(&self) -> &SitesAtHand {
        &self.shared.sites
    }

    pub(crate) fn quiet_windows(&self) -> &QuietWindows {
        &self.shared.quiet
    }

    pub(crate) fn present_windows(&self) -> &PresentWindows {
        &self.shared.present
    }

    pub(crate) fn announced(&self) -> &Announced {
        &self.shared.announced
    }

    pub(crate) fn turns(&self) -> &Arc<Turns> {
        &self.shared.turns
    }

    /// Days in a window of `near_key`, as the database says. Read once: it must not change under a live store.
    pub(crate) async fn window_days(&self) -> Result<i32, StoreError> {
        self.shared
            .window_days
            .get_or_try_init(|| async {
                sqlx::query_scalar("SELECT window_days FROM setting")
                    .fetch_one(&self.pool)
                    .await
                    .doing("cannot read the settings")
            })
            .await
            .copied()
    }
}

/// Reads the URL. Without a word on TLS, sqlx would try it and take any certificate, or none: good enough on the way to
/// oneself, and nowhere else.
fn options(url: &str, mode_is_in_environment: bool) -> Result<PgConnectOptions, StoreError> {
    let options = PgConnectOptions::from_str(url).map_err(|e| StoreError::BadUrl(e.to_string()))?;
    let parameters = url.split_once('?').map(|(_, p)| p).unwrap_or_default();
    let says = parameters
        .split('&')
        .any(|p| p.starts_with("sslmode=") || p.starts_with("ssl-mode="));
    if says || mode_is_in_environment || is_local(&options) {
        return Ok(options);
    }
    Ok(options.ssl_mode(PgSslMode::VerifyFull))
}

fn is_local(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    options.get_socket().is_some()
        || host.starts_with('/')
        || host.eq_ignore_ascii_case("localhost")
        || address.parse::<IpAddr>().is_ok_and(|a| a.is_loopback())
}

/// One round trip: begin, bound, plan. Not READ WRITE: whoever makes the server read-only means it, and a standby refuses the
/// words themselves with a code that says nothing of standbys.
///
/// Every query of a flush looks rows up by key. The plans are made once per connection, perhaps while the tables
/// are still empty; a sequential scan or a hash join that is right then is a disaster an hour later.
fn begin(config: &StoreConfig) -> String {
    let milliseconds = |d: Duration| d.as_millis().clamp(1, i32::MAX as u128);
    format!(
        "BEGIN ISOLATION LEVEL READ COMMITTED; \
         SET LOCAL statement_timeout = {}; SET LOCAL lock_timeout = {}; SET LOCAL idle_in_transaction_session_timeout = {}; \
         SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; \
         SET LOCAL enable_mergejoin = off; SET LOCAL jit = off",
        milliseconds(config.statement_timeout),
        milliseconds(config.lock_timeout),
        milliseconds(config.idle_timeout),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_verified_on_the_way_to_another_machine() {
        let mode = |url: &str| options(url, false).unwrap().get_ssl_mode();
        for url in [
            "postgres://me@db.example/x",
            "postgres://me@10.0.0.7:5432/x?application_name=sslmode",
            "postgres://me@db.example/x?sslrootcert=/etc/ca.pem",
        ] {
            assert!(matches!(mode(url), PgSslMode::VerifyFull), "{url}");
        }
        for url in [
            "postgres://me@127.0.0.1:35432/x",
            "postgres://me@[::1]/x",
            "postgres://me@localhost/x",
            "postgres:///x?host=/run/postgresql",
        ] {
            assert!(matches!(mode(url), PgSslMode::Prefer), "{url}");
        }
        assert!(matches!(
            mode("postgres://me@db.example/x?sslmode=disable"),
            PgSslMode::Disable
        ));
        assert!(matches!(
            mode("postgres://me@db.example/x?a=b&sslmode=require"),
            PgSslMode::Require
        ));
        let of_environment = options("postgres://me@db.example/x", true).unwrap();
        assert!(matches!(of_environment.get_ssl_mode(), PgSslMode::Prefer));
    }
}
