//! A store of a test's own, and a folder for the files that are written from it.

use copydesk_store::{ReadRouter, Store, StoreConfig};
use copydesk_testkit::ScratchDatabase;
use sqlx::{Executor as _, PgPool};

/// Store, connections to its database, and a folder; all of it is gone after the test.
pub(crate) struct Scratch {
    pub(crate) store: Store,
    #[allow(dead_code, reason = "only some tests read through it")]
    pub(crate) reads: ReadRouter,
    pub(crate) db: PgPool,
    pub(crate) folder: tempfile::TempDir,
    #[allow(dead_code, reason = "only some tests ask for its address")]
    pub(crate) database: ScratchDatabase,
}

impl Scratch {
    /// With the schema, filled by `sql`.
    pub(crate) async fn filled(label: &str, sql: &str) -> Self {
        let database = ScratchDatabase::create(label).await;
        let config = StoreConfig {
            url: database.url().into(),
            ..StoreConfig::default()
        };
        let store = Store::connect(&config).await.unwrap();
        let reads = ReadRouter::new(config, None, true);
        store.migrate().await.unwrap();
        let db = PgPool::connect(database.url()).await.unwrap();
        db.execute(sql).await.unwrap();
        Self {
            store,
            reads,
            db,
            folder: tempfile::tempdir().unwrap(),
            database,
        }
    }
}
