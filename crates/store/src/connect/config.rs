//! The handle on the database: connections, time-outs, what all workers agree on, the caches of this process.

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::PgPoolOptions;
use sqlx::{
    ConnectOptions as _, Connection as _, Executor as _, PgConnection, PgPool, Postgres, Row as _,
    Transaction,
};
use tokio::sync::OnceCell;

use crate::caches::common_cache::CommonShinglesCache;
use crate::caches::site_article_cache::SiteArticleCache;
use crate::connect::database_url::mode_of_environment;
use crate::connect::fitness::{self, Fault};
use crate::connect::settings::StoreConfig;
use crate::error::{Context as _, StoreError};
use crate::keys::WindowKeyCache;
use crate::rows::fetch_one;

/// The database. Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) pool: PgPool,
    pub(crate) shared: Arc<Shared>,
}

/// What clones of a store share.
#[derive(Debug)]
pub(crate) struct Shared {
    begin: String,
    pub(crate) config: StoreConfig,
    window_days: OnceCell<i32>,
    pub(crate) common: CommonShinglesCache,
    pub(crate) site_articles: SiteArticleCache,
    pub(crate) window_keys: WindowKeyCache,
}

impl Store {
    /// Connects. One connection is made at once and without a second try, so that a wrong address or wrong
    /// credentials show up here and now; later ones are tried for `acquire_timeout`.
    ///
    /// # Errors
    /// An unreadable URL; a database that does not answer ([`crate::RetryClass::WaitForDatabase`]) or refuses the role.
    pub async fn connect(config: &StoreConfig) -> Result<Self, StoreError> {
        const CONTEXT: &str = "cannot connect to Postgres";
        let target = config.url.target(mode_of_environment())?;
        for warning in &target.warnings {
            tracing::warn!("{warning}");
        }
        let mut options = target
            .options
            .application_name(&config.application_name)
            .disable_statement_logging();
        if config.read_only {
            options = options.options([
                ("default_transaction_read_only", "on".to_owned()),
                (
                    "statement_timeout",
                    milliseconds(config.statement_timeout).to_string(),
                ),
                ("jit", "off".to_owned()),
            ]);
        }
        let mut first = options.connect().await.map_err(|source| match source {
            // Here and now it is a matter of settings; later on it may be a connection that was cut off.
            sqlx::Error::Tls(reason) => StoreError::UntrustedServer(reason.to_string()),
            error => StoreError::Database {
                context: CONTEXT,
                error,
            },
        })?;
        // A store that only reads has them among its options, so that nothing undoes them.
        let bounds = if config.read_only { "" } else { OWN_BOUNDS };
        first.execute(bounds).await.context(CONTEXT)?;
        let connections = connections(&mut first, config.connections.max(1)).await?;
        first.close().await.context(CONTEXT)?;
        let read_only = config.read_only;
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(config.acquire_timeout)
            .after_connect(move |connection, _| {
                Box::pin(async move { connection.execute(bounds).await.map(drop) })
            })
            .after_release(move |connection, _| {
                Box::pin(async move { Ok(may_be_used_again(connection, read_only).await) })
            })
            .connect_lazy_with(options);
        Ok(Self {
            pool,
            shared: Arc::new(Shared {
                begin: begin(config),
                config: config.clone(),
                window_days: OnceCell::new(),
                common: CommonShinglesCache::default(),
                site_articles: SiteArticleCache::default(),
                window_keys: WindowKeyCache::default(),
            }),
        })
    }

    /// What the database or this login lacks, for a program with `database.connections` connections.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn faults(&self, connections: u32) -> Result<Vec<Fault>, StoreError> {
        let mut connection = self.pool.acquire().await.context("cannot connect to Postgres")?;
        fitness::look(&mut connection, connections).await
    }

    /// Connections that are at work, and connections that wait for some.
    pub fn connections(&self) -> (usize, usize) {
        let idle = self.pool.num_idle();
        let open = usize::try_from(self.pool.size()).unwrap_or(usize::MAX);
        (open.saturating_sub(idle), idle)
    }

    /// [`StoreConfig::quarantine_max_bytes`].
    pub fn quarantine_max_bytes(&self) -> u64 {
        self.shared.config.quarantine_max_bytes
    }

    /// A transaction that writes to the ledger: bounded in time, and planned for tables of any size.
    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Postgres>, StoreError> {
        match self.pool.begin_with(self.shared.begin.clone()).await {
            Err(sqlx::Error::PoolTimedOut) => Err(self.no_connection().await),
            begun => begun.context("cannot begin a transaction"),
        }
    }

    /// Why no connection could be had. The pool tries again until its time is over and forgets what Postgres answered.
    #[expect(
        clippy::disallowed_methods,
        reason = "a connection that is being made runs no statement"
    )]
    async fn no_connection(&self) -> StoreError {
        let options = self.pool.connect_options();
        let asked = PgConnection::connect_with(&options);
        let error = match tokio::time::timeout(ASK_AGAIN, asked).await {
            Ok(Err(refused)) => refused,
            Ok(Ok(_)) | Err(_) => sqlx::Error::PoolTimedOut,
        };
        StoreError::Database {
            context: "cannot begin a transaction",
            error,
        }
    }

    /// A transaction that only reads, all of it from the same moment.
    pub(crate) async fn begin_reading(&self) -> Result<Transaction<'static, Postgres>, StoreError> {
        self.pool
            .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            .await
            .context("cannot begin a transaction")
    }

    /// The name and the patience of this store's transactions.
    pub(crate) fn session(&self) -> (&str, Duration) {
        (
            &self.shared.config.application_name,
            self.shared.config.idle_timeout,
        )
    }

    /// Days in a window of `near_key`, as the database says. Read once: it must not change under a live store.
    pub(crate) async fn window_days(&self) -> Result<i32, StoreError> {
        self.shared
            .window_days
            .get_or_try_init(|| async {
                fetch_one!(&self.pool, "cannot read the settings"; "SELECT window_days FROM setting")
            })
            .await
            .copied()
    }
}

/// A login's or a database's own bounds are for people's queries: they would end migrations, exports and the janitor's rounds. What
/// writes to the ledger has bounds of its own (`begin`). Compiling a query (jit) takes longer than any of ours.
pub(crate) const OWN_BOUNDS: &str = "SET statement_timeout = 0; SET lock_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET jit = off";

/// How long Postgres may take to say why it gives no connection.
const ASK_AGAIN: Duration = Duration::from_secs(2);

/// How long a connection that is given back may take to answer. It is closed after that: the server, or the way
/// to it, may be gone without a word, and until the system gives the connection up it would take a place in
/// the pool.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

/// Whether the server answers, and takes writes where they are wanted.
#[expect(
    clippy::disallowed_methods,
    reason = "the connection was given back: a statement that still runs on it has nobody who waits for it"
)]
async fn may_be_used_again(connection: &mut PgConnection, read_only: bool) -> bool {
    let answer = async {
        if read_only {
            connection.ping().await.map(|()| true)
        } else {
            takes_writes(connection).await
        }
    };
    matches!(tokio::time::timeout(ANSWERS_WITHIN, answer).await, Ok(Ok(true)))
}

/// One that was made to a standby, or while the login or the database was read-only, may refuse writes for its
/// whole life, though the address leads to the primary by now and writing is allowed again.
async fn takes_writes(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let row = connection.fetch_one("SHOW transaction_read_only").await?;
    Ok(row.try_get::<&str, _>(0)? == "off")
}

/// As many of the connections that are wanted as Postgres will give. A pool that asks for more waits for its time-out each time,
/// with a flush behind it, though connections that it has fall free meanwhile.
async fn connections(first: &mut PgConnection, wanted: u32) -> Result<u32, StoreError> {
    let mut connections = wanted;
    for fault in fitness::look(first, wanted).await? {
        // The others are in nobody's way who only reads; who writes meets them at the first statement.
        match &fault {
            Fault::Connections { free, .. } => connections = (*free).max(1),
            Fault::Encoding(_) => {}
            Fault::NoSearchPath | Fault::ReadOnly { .. } | Fault::NoRights { .. } => continue,
        }
        tracing::warn!("{fault}; {}", fault.mend());
    }
    Ok(connections)
}

/// One round trip: begin, bound, plan. Not READ WRITE: whoever makes the server read-only means it, and a standby refuses the
/// words themselves with a code that says nothing of standbys.
///
/// Every query of a flush looks rows up by key. The plans are made once per connection, perhaps while the tables
/// are still empty; a sequential scan or a hash join that is right then is a disaster an hour later.
fn begin(config: &StoreConfig) -> String {
    format!(
        "BEGIN ISOLATION LEVEL READ COMMITTED; \
         SET LOCAL statement_timeout = {}; SET LOCAL lock_timeout = {}; SET LOCAL idle_in_transaction_session_timeout = {}; \
         SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; \
         SET LOCAL enable_mergejoin = off",
        milliseconds(config.statement_timeout),
        milliseconds(config.lock_timeout),
        milliseconds(config.idle_timeout),
    )
}

fn milliseconds(d: Duration) -> u128 {
    d.as_millis().clamp(1, i32::MAX as u128)
}
