//! A worker that stops in the middle of a statement does not hold up the next owners of its partitions.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use copydesk_store::{Store, StoreConfig};

use crate::support::Scratch;

const PATIENCE: Duration = Duration::from_secs(3);

/// A store that ends sessions of this name.
async fn impatient(scratch: &Scratch, name: &str) -> Store {
    let config = StoreConfig {
        application_name: name.into(),
        idle_timeout: PATIENCE,
        ..StoreConfig::default()
    };
    scratch.another_store(config).await
}

#[tokio::test]
async fn a_copy_without_its_client_is_ended_by_whoever_is_alive() {
    let scratch = Scratch::new("silent").await;
    let store = impatient(&scratch, "silent").await;
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
    assert_eq!(store.end_stalled_sessions().await.unwrap(), 0, "it has its time");
    tokio::time::sleep(PATIENCE + PATIENCE / 3).await;
    let waiting = "SELECT count(*) FROM pg_stat_activity
                   WHERE datname = current_database() AND application_name = 'silent' AND query LIKE 'COPY %'";
    assert_eq!(scratch.count(waiting).await, 1, "Postgres does not end it");
    // Not those of others: another program of the same role may take its time.
    assert_eq!(scratch.store.end_stalled_sessions().await.unwrap(), 0);
    assert_eq!(store.end_stalled_sessions().await.unwrap(), 1);
    assert!(copy.finish().await.is_err());
    drop(tx);
    assert_eq!(scratch.count("SELECT count(*) FROM near_key").await, 0);
}

/// A message of the wire protocol: its length counts itself.
fn wire(kind: Option<u8>, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
    kind.into_iter()
        .chain(length)
        .chain(body.iter().copied())
        .collect()
}

#[tokio::test]
async fn a_statement_whose_end_never_came_is_ended_by_whoever_is_alive() {
    let scratch = Scratch::new("silent_sync").await;
    let store = impatient(&scratch, "silent_sync").await;
    let options = (*scratch.db.connect_options()).clone();
    let database = options.get_database().unwrap();
    let mut socket = TcpStream::connect((options.get_host(), options.get_port())).unwrap();
    let mut hello = 196_608_u32.to_be_bytes().to_vec();
    for word in [
        "user",
        options.get_username(),
        "database",
        database,
        "application_name",
        "silent_sync",
    ] {
        hello.extend(word.bytes().chain([0]));
    }
    hello.push(0);
    // All of a call but its Sync (5.2.3 of the protocol's chapter): its transaction stays open, and holds the lock.
    let parse = b"\0SELECT copydesk_try_lock('search_index')\0\0\0";
    let parts = [
        wire(None, &hello),
        wire(Some(b'P'), parse),
        wire(Some(b'B'), &[0; 8]),
        wire(Some(b'E'), &[0; 5]),
    ];
    socket.write_all(&parts.concat()).unwrap();
    let held =
        "SELECT count(*) FROM pg_locks WHERE relation = 'pipeline_lock'::regclass AND mode = 'RowShareLock'
                AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    scratch.until(held, |locks| locks == 1).await;
    assert_eq!(store.end_stalled_sessions().await.unwrap(), 0, "it has its time");
    tokio::time::sleep(PATIENCE + PATIENCE / 3).await;
    assert_eq!(scratch.count(held).await, 1, "Postgres does not end it");
    assert_eq!(store.end_stalled_sessions().await.unwrap(), 1);
    scratch.until(held, |locks| locks == 0).await;
    // The server closes: without that this would wait for ever.
    let _ = socket.read_to_end(&mut Vec::new());
}
