//! The schema's migrations: embedded in the program, applied in order, each once.

use std::borrow::Cow;

use sqlx::migrate::{Migrate as _, Migration, MigrationType, Migrator};
use sqlx::{Connection as _, PgConnection};

use crate::config::{OWN_BOUNDS, Store};
use crate::error::{Doing as _, StoreError};
use crate::fitness::Fault;
use crate::lock_waits::{LOOK_EVERY, LockWatch};

/// Every file of `migrations/`, in order. A test compares this list with the folder.
const FILES: &[(&str, &str)] = &[
    (
        "0001_create_ledger",
        include_str!("../../../migrations/0001_create_ledger.sql"),
    ),
    (
        "0002_create_articles",
        include_str!("../../../migrations/0002_create_articles.sql"),
    ),
    (
        "0003_create_near_copies",
        include_str!("../../../migrations/0003_create_near_copies.sql"),
    ),
    (
        "0004_create_views",
        include_str!("../../../migrations/0004_create_views.sql"),
    ),
    (
        "0005_grant_roles",
        include_str!("../../../migrations/0005_grant_roles.sql"),
    ),
    (
        "0006_create_rewinds",
        include_str!("../../../migrations/0006_create_rewinds.sql"),
    ),
    (
        "0007_create_outbox",
        include_str!("../../../migrations/0007_create_outbox.sql"),
    ),
    (
        "0008_create_site_memory",
        include_str!("../../../migrations/0008_create_site_memory.sql"),
    ),
    (
        "0009_create_search_and_retention",
        include_str!("../../../migrations/0009_create_search_and_retention.sql"),
    ),
    (
        "0010_create_quiet_windows",
        include_str!("../../../migrations/0010_create_quiet_windows.sql"),
    ),
    (
        "0011_default_times_of_articles",
        include_str!("../../../migrations/0011_default_times_of_articles.sql"),
    ),
    (
        "0012_create_flush_turns",
        include_str!("../../../migrations/0012_create_flush_turns.sql"),
    ),
    (
        "0013_narrow_roles",
        include_str!("../../../migrations/0013_narrow_roles.sql"),
    ),
    (
        "0014_keep_content_hashes",
        include_str!("../../../migrations/0014_keep_content_hashes.sql"),
    ),
    (
        "0015_recognise_killing_messages",
        include_str!("../../../migrations/0015_recognise_killing_messages.sql"),
    ),
    (
        "0017_bound_quarantine",
        include_str!("../../../migrations/0017_bound_quarantine.sql"),
    ),
    (
        "0020_keep_stories_as_rows",
        include_str!("../../../migrations/0020_keep_stories_as_rows.sql"),
    ),
    (
        "0021_index_questions",
        include_str!("../../../migrations/0021_index_questions.sql"),
    ),
    (
        "0025_order_versions_by_time",
        include_str!("../../../migrations/0025_order_versions_by_time.sql"),
    ),
    (
        "0026_distrust_canonical_addresses",
        include_str!("../../../migrations/0026_distrust_canonical_addresses.sql"),
    ),
    (
        "0027_hold_takedowns",
        include_str!("../../../migrations/0027_hold_takedowns.sql"),
    ),
    (
        "0030_watch_sources",
        include_str!("../../../migrations/0030_watch_sources.sql"),
    ),
    (
        "0040_lock_key_windows",
        include_str!("../../../migrations/0040_lock_key_windows.sql"),
    ),
    (
        "0055_keep_markup",
        include_str!("../../../migrations/0055_keep_markup.sql"),
    ),
    (
        "0060_take_down_by_message",
        include_str!("../../../migrations/0060_take_down_by_message.sql"),
    ),
    (
        "0061_name_causes_of_versions",
        include_str!("../../../migrations/0061_name_causes_of_versions.sql"),
    ),
    (
        "0062_keep_raw_input",
        include_str!("../../../migrations/0062_keep_raw_input.sql"),
    ),
    (
        "0070_show_who_settled",
        include_str!("../../../migrations/0070_show_who_settled.sql"),
    ),
    (
        "0071_search_newest_first",
        include_str!("../../../migrations/0071_search_newest_first.sql"),
    ),
    (
        "0080_keep_texts_apart",
        include_str!("../../../migrations/0080_keep_texts_apart.sql"),
    ),
    (
        "0090_lock_articles_for_words",
        include_str!("../../../migrations/0090_lock_articles_for_words.sql"),
    ),
    (
        "0091_note_rules_of_decisions",
        include_str!("../../../migrations/0091_note_rules_of_decisions.sql"),
    ),
    (
        "0092_find_parts_of_pages",
        include_str!("../../../migrations/0092_find_parts_of_pages.sql"),
    ),
];

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
    /// Brings the schema up to date, and makes sure of the windows ahead. Safe to run twice, also at the same time.
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
        Ok(())
    }

    /// How the schema stands to this program.
    ///
    /// # Errors
    /// Postgres does not answer, or this role may not read the list.
    pub async fn schema(&self) -> Result<Schema, StoreError> {
        const DOING: &str = "cannot read the list of applied migrations";
        let (known, lost): (bool, bool) =
            sqlx::query_as("SELECT to_regclass($1) IS NOT NULL, current_schema() IS NULL")
                .bind(TABLE)
                .fetch_one(&self.pool)
                .await
                .doing(DOING)?;
        if lost {
            let fault = Fault::NoSearchPath;
            return Err(StoreError::NotPossible(format!("{fault}: {}", fault.mend())));
        }
        let mut applied: Vec<i64> = Vec::new();
        if known {
            let mut connection = self.pool.acquire().await.doing(DOING)?;
            let list = connection.list_applied_migrations().await?;
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
        const DOING: &str = "cannot lock the list of applied migrations";
        let mut holder = self.own_connection().await?;
        if let Err(error) = holder.ensure_migrations_table().await {
            // Of two that make the table at the same moment one fails, and then it is there.
            tracing::debug!(%error, "making the list of applied migrations again");
            holder.ensure_migrations_table().await?;
        }
        // Not the advisory lock that the driver would take: any login may hold that. Only whoever may write to the list may
        // lock it so. The lock is another session's than that of the migrations, which commits after each.
        let mut lock = holder.begin().await.doing(DOING)?;
        sqlx::raw_sql(LOCK).execute(&mut *lock).await.doing(DOING)?;
        // A connection of its own: what a migration sets goes with it.
        let mut connection = self.own_connection().await?;
        migrator().run(&mut connection).await?;
        connection
            .close()
            .await
            .doing("cannot close the connection of the migrations")?;
        lock.commit().await.doing(DOING)
    }

    async fn own_connection(&self) -> Result<PgConnection, StoreError> {
        const DOING: &str = "cannot connect to Postgres";
        let options = self.pool.connect_options();
        let mut connection = PgConnection::connect_with(&options).await.doing(DOING)?;
        sqlx::raw_sql(OWN_BOUNDS)
            .execute(&mut connection)
            .await
            .doing(DOING)?;
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
    }
}
