//! The schema's migrations: embedded in the program, applied in order, each once.

use std::borrow::Cow;

use sqlx::migrate::{AppliedMigration, Migrate as _, Migration, MigrationType, Migrator};
use sqlx::{Connection as _, PgConnection};

use crate::admin::lock_waits::{LOOK_EVERY, LockWatch};
use crate::connect::config::{OWN_BOUNDS, Store};
use crate::connect::fitness::Fault;
use crate::error::{Context as _, StoreError};
use crate::rows::fetch_one;

/// The driver asks for its list of migrations where one is, and Postgres answers with a notice each time. What a person should know the
/// migrations raise as warnings.
const QUIET: &str = "SET client_min_messages = warning";

/// Names and texts of files of `migrations/`.
macro_rules! files {
    ($($name:literal,)*) => {
        &[$(($name, include_str!(concat!("../../../../migrations/", $name, ".sql")))),*]
    };
}

/// Every file of `migrations/`, in order. A test compares this list with the folder.
const FILES: &[(&str, &str)] = files![
    "0001_create_ledger",
    "0002_create_articles",
    "0003_create_markup",
    "0004_create_near_keys",
    "0005_create_stories",
    "0006_create_site_memory",
    "0007_create_outbox",
    "0008_create_search",
    "0009_create_ranges",
    "0010_create_removals",
    "0011_create_views",
    "0012_create_reports",
    "0013_grant_roles",
];

/// The migrations up to this one are the baseline that 0.1.0 begins with. Before it others had these numbers, and no database is led from
/// those to these.
const BASELINE: i64 = 13;

/// sqlx's table of applied migrations.
const TABLE: &str = "_sqlx_migrations";

/// One process at a time, for as long as its migrations take. Those are rows of the table: they go in beside this lock.
const LOCK: &str = "SET LOCAL idle_in_transaction_session_timeout = 0;
    LOCK TABLE _sqlx_migrations IN SHARE UPDATE EXCLUSIVE MODE";

/// The number in a file's name.
fn version(name: &str) -> i64 {
    name.split('_').next().and_then(|n| n.parse().ok()).unwrap_or(0)
}

fn migrator() -> Migrator {
    let migrations = FILES.iter().map(|(name, sql)| {
        let short = name.trim_start_matches(|c: char| c.is_ascii_digit() || c == '_');
        Migration::new(
            version(name),
            short.into(),
            MigrationType::Simple,
            Cow::Borrowed(*sql),
            false,
        )
    });
    Migrator {
        migrations: migrations.collect(),
        locking: false,
        ..Migrator::DEFAULT
    }
}

/// The first migration of a database that has a number of the baseline and is another one.
fn before_baseline(applied: &[AppliedMigration]) -> Option<i64> {
    let ours = migrator();
    applied
        .iter()
        .filter(|m| m.version <= BASELINE)
        .find(|m| {
            !ours
                .iter()
                .any(|o| o.version == m.version && o.checksum == m.checksum)
        })
        .map(|m| m.version)
}

/// How the schema of a database stands to this program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// Migrations that the database does not have yet, in order. Empty: the program can use it.
    pub pending: Vec<String>,
    /// The last migration that a newer program has applied, and this one knows nothing of. It can use the database all the same
    /// (migrations/README.md, rule 2), and cannot migrate it.
    pub newer: Option<i64>,
}

impl Store {
    /// Brings the schema up to date, and makes sure of the windows and ranges ahead. Safe to run twice, also at the same time.
    ///
    /// # Errors
    /// A role that may not create tables; a database that a newer program has migrated, and that lacks some of this
    /// one's; a migration that was changed after it was applied.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let schema = self.schema().await?;
        if schema.newer.is_some() && schema.pending.is_empty() {
            // It can be used as it is, and the rest is that program's.
            return Ok(());
        }
        for fault in self.faults(0).await? {
            // Articles come in every script, and an encoding cannot be changed later.
            if let Fault::Encoding(_) = &fault {
                return Err(StoreError::NotPossible(format!("{fault}: {}", fault.mend())));
            }
        }
        let mut watch = LockWatch::default();
        let migrating = self.apply_alone();
        tokio::pin!(migrating);
        loop {
            tokio::select! {
                outcome = &mut migrating => break outcome?,
                () = tokio::time::sleep(LOOK_EVERY) => watch.report(self).await,
            }
        }
        self.create_windows().await?;
        self.create_ranges().await?;
        Ok(())
    }

    /// How the schema stands to this program.
    ///
    /// # Errors
    /// Postgres does not answer, or this role may not read the list. [`StoreError::BeforeBaseline`]: the schema is of before the first
    /// release.
    pub async fn schema(&self) -> Result<Schema, StoreError> {
        const CONTEXT: &str = "cannot read the list of applied migrations";
        let (known, lost): (bool, bool) = fetch_one!(&self.pool, CONTEXT;
            "SELECT to_regclass($1) IS NOT NULL, current_schema() IS NULL", TABLE
        )?;
        if lost {
            let fault = Fault::NoSearchPath;
            return Err(StoreError::NotPossible(format!("{fault}: {}", fault.mend())));
        }
        let mut applied: Vec<i64> = Vec::new();
        if known {
            let mut connection = self.pool.acquire().await.context(CONTEXT)?;
            let list = connection.list_applied_migrations().await?;
            if let Some(other) = before_baseline(&list) {
                return Err(StoreError::BeforeBaseline(other));
            }
            applied.extend(list.iter().map(|m| m.version));
        }
        let last = FILES.last().map_or(0, |(name, _)| version(name));
        Ok(Schema {
            pending: FILES
                .iter()
                .filter(|(name, _)| !applied.contains(&version(name)))
                .map(|(name, _)| (*name).to_owned())
                .collect(),
            newer: applied.into_iter().max().filter(|newest| *newest > last),
        })
    }

    /// Applies what is pending, one process at a time.
    async fn apply_alone(&self) -> Result<(), StoreError> {
        const CONTEXT: &str = "cannot lock the list of applied migrations";
        let mut holder = self.own_connection().await?;
        if let Err(error) = holder.ensure_migrations_table().await {
            // Of two that make the table at the same moment one fails, and then it is there.
            tracing::debug!(%error, "making the list of applied migrations again");
            holder.ensure_migrations_table().await?;
        }
        // Not the advisory lock that the driver would take: any login may hold that. Only whoever may write to the list may
        // lock it so. The lock is another session's than that of the migrations, which commits after each.
        let mut lock = holder.begin().await.context(CONTEXT)?;
        sqlx::raw_sql(LOCK).execute(&mut *lock).await.context(CONTEXT)?;
        // A connection of its own: what a migration sets goes with it.
        let mut connection = self.own_connection().await?;
        migrator().run(&mut connection).await?;
        connection
            .close()
            .await
            .context("cannot close the connection of the migrations")?;
        lock.commit().await.context(CONTEXT)
    }

    async fn own_connection(&self) -> Result<PgConnection, StoreError> {
        const CONTEXT: &str = "cannot connect to Postgres";
        let options = self.pool.connect_options();
        let mut connection = PgConnection::connect_with(&options).await.context(CONTEXT)?;
        sqlx::raw_sql(OWN_BOUNDS)
            .execute(&mut connection)
            .await
            .context(CONTEXT)?;
        sqlx::raw_sql(QUIET)
            .execute(&mut connection)
            .await
            .context(CONTEXT)?;
        Ok(connection)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_the_folder() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations");
        let mut found: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter_map(|name| name.strip_suffix(".sql").map(str::to_owned))
            .collect();
        found.sort();
        assert_eq!(found, FILES.iter().map(|(name, _)| *name).collect::<Vec<_>>());
        assert!(
            FILES.windows(2).all(|w| version(w[0].0) < version(w[1].0)),
            "each has a number of its own"
        );
        assert!(
            version(FILES[0].0) == 1,
            "a number is four digits and an underscore"
        );
        assert!(
            FILES.iter().any(|(name, _)| version(name) == BASELINE),
            "the baseline ends with one of them"
        );
    }
}
