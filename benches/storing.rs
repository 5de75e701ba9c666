//! What the benches that store without Kafka share: a store, claims, batches, and what Postgres spent.

use std::time::Duration;

use chrono::{DateTime, Utc};
use copydesk_article::{NextOffset, Offset};
use copydesk_store::{Batch, Claimed, OnLostRange, Outputs, RetryClass, Store, StoreConfig, Wanted};
use sqlx::PgPool;

use crate::{PreparedArticles, cpu_seconds, source};

/// A store with at most so many connections.
pub async fn connect(url: &str, connections: u32, outputs: Outputs) -> Store {
    Store::connect(&StoreConfig {
        url: url.into(),
        connections,
        outputs,
        ..StoreConfig::default()
    })
    .await
    .expect("Postgres answers: is `make up` done?")
}

/// A partition, claimed from its beginning.
pub async fn claim(store: &Store, partition: i32) -> Claimed {
    let wanted = Wanted {
        source: source(partition),
        low: Offset::new(0),
        high: Offset::new(i64::MAX),
        in_hand: 0,
    };
    store
        .claim("bench", &[wanted], OnLostRange::Stop)
        .await
        .expect("a claim")
        .remove(0)
}

/// When the present window of keys began: windows near it have a partition of their own.
pub async fn present_window(db: &PgPool) -> DateTime<Utc> {
    sqlx::query_scalar(
        "SELECT '2020-01-01Z'::timestamptz + make_interval(days => copydesk_window(now()) * window_days) FROM setting",
    )
    .fetch_one(db)
    .await
    .expect("the settings")
}

/// Reads keys of windows, as a worker does it beside its flushes. For ever.
pub async fn read_windows(store: Store) {
    loop {
        tokio::time::sleep(Duration::from_millis(500)).await;
        store.read_windows().await.expect("the keys of a window");
    }
}

/// The articles at the offsets in `[from, to)` of a partition, each with its time.
pub fn batch(
    generator: &mut PreparedArticles,
    partition: i32,
    from: i64,
    to: i64,
    at: impl Fn(i64) -> DateTime<Utc>,
) -> Batch {
    Batch {
        from: NextOffset::new(from),
        to: NextOffset::new(to),
        items: (from..to).map(|n| generator.next(partition, n, at(n))).collect(),
    }
}

/// As a worker does it: two transactions that met are tried again.
pub async fn flush(store: &Store, claim: &Claimed, batches: &[Batch]) {
    for batch in batches {
        while let Err(error) = store.flush(claim, batch).await {
            assert_eq!(error.class(), RetryClass::RetryNow, "{error}");
        }
    }
}

/// Seconds of CPU that the store's connections to this database have used in Postgres.
pub async fn backend_seconds(db: &PgPool) -> f64 {
    let backends: Vec<i32> =
        sqlx::query_scalar("SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'copydesk'")
            .fetch_all(db)
            .await
            .expect("backends");
    backends.iter().map(|pid| cpu_seconds(pid.unsigned_abs())).sum()
}

/// Where Postgres' log ends, in bytes.
pub async fn wal(db: &PgPool) -> i64 {
    sqlx::query_scalar("SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::int8")
        .fetch_one(db)
        .await
        .expect("a position")
}
