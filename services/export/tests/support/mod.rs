//! A store of a test's own, and a folder for the files that are written from it.

use copydesk_store::{Store, StoreConfig};
use copydesk_testkit::ScratchDatabase;
use sqlx::{Executor as _, PgPool};

/// Store, connections to its database, and a folder; all of it is gone after the test.
pub(crate) struct Scratch {
    pub(crate) store: Store,
    pub(crate) db: PgPool,
    pub(crate) folder: tempfile::TempDir,
    _database: ScratchDatabase,
}

impl Scratch {
    /// With the schema, filled by `sql`.
    pub(crate) async fn filled(label: &str, sql: &str) -> Self {
        let database = ScratchDatabase::create(label).await;
        let store = Store::connect(&StoreConfig {
            url: database.url().into(),
            ..StoreConfig::default()
        })
        .await
        .unwrap();
        store.migrate().await.unwrap();
        let db = PgPool::connect(database.url()).await.unwrap();
        db.execute(sql).await.unwrap();
        Self {
            store,
            db,
            folder: tempfile::tempdir().unwrap(),
            _database: database,
        }
    }
}
