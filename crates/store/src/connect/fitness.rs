//! What a database or a role lacks for copydesk to work with it: found when a program starts, and by `copydesk doctor`.

use std::fmt;

use sqlx::PgConnection;

use crate::error::StoreError;
use crate::rows::{fetch_one, record};

/// Something that is wrong with the database, or with this login. Its `Display` is what it is, [`Fault::mend`] what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The login's search_path names no schema that is there: no table is found, and none can be made.
    NoSearchPath,
    /// Whatever is written is refused.
    ReadOnly {
        /// It is a standby; otherwise a setting makes it so.
        standby: bool,
    },
    /// The encoding of the database is not UTF8.
    Encoding(String),
    /// Fewer connections than `database.connections`.
    Connections {
        /// Connections that this process can have.
        free: u32,
        /// Connections that it wants.
        wanted: u32,
        /// What sets the limit.
        limit: Limit,
    },
    /// The tables are there, and this login may not write to them.
    NoRights {
        /// The login.
        role: String,
    },
}

/// What bounds the number of connections (Postgres refuses more with SQLSTATE 53300).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// `CONNECTION LIMIT` of the login.
    Role,
    /// `CONNECTION LIMIT` of the database.
    Database,
    /// `max_connections` of the server.
    Server,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSearchPath => f.write_str("the search_path of this login names no schema that is there"),
            Self::ReadOnly { standby: true } => f.write_str("the server is a standby: it takes no writes"),
            Self::ReadOnly { standby: false } => {
                f.write_str("the database is read-only (default_transaction_read_only)")
            }
            Self::Encoding(encoding) => write!(f, "the database's encoding is {encoding}"),
            Self::Connections { free, wanted, limit } => write!(
                f,
                "{free} of the {wanted} connections that this program wants can be had: {} (Postgres refuses more with SQLSTATE 53300)",
                match limit {
                    Limit::Role => "the CONNECTION LIMIT of this login",
                    Limit::Database => "the CONNECTION LIMIT of the database",
                    Limit::Server => "max_connections of the server",
                }
            ),
            Self::NoRights { role } => write!(f, "the login {role} may not write to copydesk's tables"),
        }
    }
}

impl Fault {
    /// What to do about it, as a command where there is one.
    pub fn mend(&self) -> String {
        match self {
            Self::NoSearchPath => "ALTER ROLE … IN DATABASE … SET search_path = public; migrating does not mend it".into(),
            Self::ReadOnly { standby: true } => {
                "database.url must name an address that leads to the primary, also after a failover: docs/operations.md, \"A primary that fails over\"".into()
            }
            Self::ReadOnly { standby: false } => {
                "ALTER DATABASE … RESET default_transaction_read_only, the same for the role, or find out who set it and why".into()
            }
            Self::Encoding(_) => {
                "create the database with ENCODING 'UTF8' TEMPLATE template0: articles come in every script".into()
            }
            Self::Connections { limit, .. } => {
                let raise = match limit {
                    Limit::Role => "ALTER ROLE … CONNECTION LIMIT",
                    Limit::Database => "ALTER DATABASE … CONNECTION LIMIT",
                    Limit::Server => "max_connections in postgresql.conf",
                };
                format!("raise it ({raise}), or lower database.connections; a worker goes on with what it gets, more slowly")
            }
            Self::NoRights { .. } => {
                "GRANT copydesk_writer TO this login (worker, janitor), or copydesk_reader (queries); `copydesk migrate` runs as the owner"
                    .into()
            }
        }
    }
}

/// What a connection shows of the server and the login.
const LOOK: &str = "
    SELECT current_schema() IS NULL AS lost,
           pg_is_in_recovery() AS standby,
           current_setting('transaction_read_only')::boolean AS read_only,
           current_setting('server_encoding') AS encoding,
           session_user::text AS role,
           CASE WHEN to_regclass('partition_progress') IS NULL THEN TRUE
                ELSE has_any_column_privilege('partition_progress', 'UPDATE') END AS writes,
           CASE WHEN r.rolsuper OR r.rolconnlimit < 0 THEN NULL
                ELSE r.rolconnlimit - (SELECT count(*) FROM pg_stat_activity a WHERE a.usesysid = r.oid AND a.pid <> pg_backend_pid())
           END::int8 AS of_role,
           CASE WHEN r.rolsuper OR d.datconnlimit < 0 THEN NULL
                ELSE d.datconnlimit - (SELECT count(*) FROM pg_stat_activity a WHERE a.datid = d.oid AND a.usesysid IS NOT NULL AND a.pid <> pg_backend_pid())
           END::int8 AS of_database,
           (current_setting('max_connections')::int8 - current_setting('superuser_reserved_connections')::int8
                - coalesce(current_setting('reserved_connections', TRUE), '0')::int8
                - (SELECT count(*) FROM pg_stat_activity a WHERE a.usesysid IS NOT NULL AND a.datid IS NOT NULL AND a.pid <> pg_backend_pid())) AS of_server
    FROM pg_roles r, pg_database d
    WHERE r.rolname = session_user AND d.datname = current_database()";

record! {
    /// What [`LOOK`] answers with.
    struct Seen {
        lost: bool,
        standby: bool,
        read_only: bool,
        encoding: String,
        role: String,
        writes: bool,
        of_role: Option<i64>,
        of_database: Option<i64>,
        of_server: Option<i64>,
    }
}

/// Everything that is wrong, as `connection` shows it, for a program that wants so many connections.
pub(crate) async fn look(connection: &mut PgConnection, wanted: u32) -> Result<Vec<Fault>, StoreError> {
    let seen: Seen = fetch_one!(connection, "cannot look at the database's settings"; LOOK)?;
    let mut faults = Vec::new();
    if seen.lost {
        faults.push(Fault::NoSearchPath);
    }
    if seen.standby || seen.read_only {
        faults.push(Fault::ReadOnly {
            standby: seen.standby,
        });
    }
    if seen.encoding != "UTF8" {
        faults.push(Fault::Encoding(seen.encoding));
    }
    if !seen.writes {
        faults.push(Fault::NoRights { role: seen.role });
    }
    let limits = [
        (seen.of_role, Limit::Role),
        (seen.of_database, Limit::Database),
        (seen.of_server, Limit::Server),
    ];
    let known = limits
        .into_iter()
        .filter_map(|(free, limit)| Some((free?, limit)));
    let least = known.min_by_key(|(free, _)| *free);
    if let Some((free, limit)) = least.filter(|(free, _)| *free < i64::from(wanted)) {
        // The connection that asks is one of them.
        let free = u32::try_from(free.max(1)).unwrap_or(1);
        faults.push(Fault::Connections { free, wanted, limit });
    }
    Ok(faults)
}
