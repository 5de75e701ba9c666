//! A worker that falls silent in the middle of a `COPY` does not hold up its heirs.

use std::time::Duration;

use copydesk_store::StoreConfig;

use crate::support::Scratch;

const PATIENCE: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_copy_without_its_client_is_ended_by_whoever_is_alive() {
    let scratch = Scratch::new("silent").await;
    let config = StoreConfig {
        application_name: "silent".into(),
        idle_timeout: PATIENCE,
        ..StoreConfig::default()
    };
    let store = scratch.another_store(config).await;
    let options = (*scratch.db.connect_options()).clone();
    let pool = sqlx::PgPool::connect_with(options.application_name("silent"))
        .await
        .unwrap();
    let mut tx = pool.begin().await.unwrap();
    // Bounds that end a transaction anywhere else.
    sqlx::raw_sql("SET LOCAL statement_timeout = 200; SET LOCAL idle_in_transaction_session_timeout = 200")
        .execute(&mut *tx)
        .await
        .unwrap();
    let mut copy = tx
        .copy_in_raw("COPY near_key (key, article_id) FROM STDIN")
        .await
        .unwrap();
    copy.send("1\t1\n".as_bytes()).await.unwrap();
    assert_eq!(store.end_silent_copies().await.unwrap(), 0, "it has its time");
    tokio::time::sleep(2 * PATIENCE).await;
    let waiting = "SELECT count(*) FROM pg_stat_activity
                   WHERE datname = current_database() AND application_name = 'silent' AND query LIKE 'COPY %'";
    assert_eq!(scratch.count(waiting).await, 1, "Postgres does not end it");
    // Not those of others: another program of the same role may take its time.
    assert_eq!(scratch.store.end_silent_copies().await.unwrap(), 0);
    assert_eq!(store.end_silent_copies().await.unwrap(), 1);
    assert!(copy.finish().await.is_err());
    drop(tx);
    assert_eq!(scratch.count("SELECT count(*) FROM near_key").await, 0);
}
