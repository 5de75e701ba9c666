//! The ceiling: the very rows that a worker stored, written again by clients that do nothing else.
//!
//! No Kafka, no cleaning, no lookups, no decisions: rows are read into memory first and then go into an empty
//! database of the same schema (tables, indexes, checks) by `COPY`, one for each table, in one transaction a
//! batch, as a flush does it. Nobody who keeps these rows in Postgres gets past this.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use futures_util::TryStreamExt as _;
use sqlx::postgres::{PgConnection, PgPool};
use sqlx::{Connection as _, Executor as _};

/// Articles in a transaction: a worker's batch.
const BATCH: i64 = 500;
/// Tables with rows of each article. An older executable's schema may lack one.
const TABLES: [&str; 7] = [
    "article_identity",
    "near_key",
    "article",
    "article_text",
    "membership",
    "evidence",
    "sighting",
];

/// What came out.
#[derive(Debug, Clone, Copy)]
pub struct Ceiling {
    /// Articles written.
    pub articles: u64,
    /// Articles a second.
    pub rate: f64,
    /// Seconds of CPU of this process.
    pub client_seconds: f64,
    /// Seconds of CPU of Postgres.
    pub postgres_seconds: f64,
}

/// Rows of one table.
struct Table {
    copy: String,
    /// What `COPY … TO` gave, one entry a batch.
    batches: Vec<Vec<u8>>,
}

/// Writes what is in one database into another, empty one, by so many clients at once. `postgres`: CPU
/// seconds of the server so far.
///
/// # Panics
/// Postgres is away, or the rows do not fit: a bench has nothing to measure then.
pub async fn ceiling(from: &str, to: &str, clients: usize, postgres: impl Fn() -> f64) -> Ceiling {
    let source = PgPool::connect(from).await.expect("the database of the worker");
    let (first, last, articles): (i64, i64, i64) =
        sqlx::query_as("SELECT min(article_id), max(article_id), count(*) FROM article")
            .fetch_one(&source)
            .await
            .expect("articles were stored");
    let mut tables = Vec::new();
    for name in TABLES {
        tables.extend(read(&source, name, first, last).await);
    }
    let mut connections = Vec::new();
    for _ in 0..clients {
        connections.push(PgConnection::connect(to).await.expect("the empty database"));
    }
    let tables = Arc::new(tables);
    let next = Arc::new(AtomicUsize::new(0));
    let (cpu, server) = (crate::cpu_seconds(std::process::id()), postgres());
    let begun = Instant::now();
    let tasks: Vec<_> = connections
        .into_iter()
        .map(|connection| tokio::spawn(write(connection, Arc::clone(&tables), Arc::clone(&next))))
        .collect();
    for task in tasks {
        task.await.expect("the rows fit");
    }
    Ceiling {
        articles: articles.unsigned_abs(),
        rate: articles as f64 / begun.elapsed().as_secs_f64(),
        client_seconds: crate::cpu_seconds(std::process::id()) - cpu,
        postgres_seconds: postgres() - server,
    }
}

/// Writes batches until none is left.
async fn write(mut connection: PgConnection, tables: Arc<Vec<Table>>, next: Arc<AtomicUsize>) {
    let batches = tables.first().map_or(0, |t| t.batches.len());
    loop {
        let batch = next.fetch_add(1, Ordering::Relaxed);
        if batch >= batches {
            return;
        }
        let mut tx = connection.begin().await.expect("a transaction");
        for table in tables.iter() {
            let mut copy = tx.copy_in_raw(&table.copy).await.expect("a table");
            copy.send(table.batches[batch].as_slice()).await.expect("rows");
            copy.finish().await.expect("rows that fit");
        }
        tx.commit().await.expect("a commit");
    }
}

async fn read(db: &PgPool, name: &str, first: i64, last: i64) -> Option<Table> {
    let columns: Vec<String> = sqlx::query_scalar(
        "SELECT quote_ident(attname) FROM pg_attribute
         WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped AND attgenerated = '' AND attidentity = ''
         ORDER BY attnum",
    )
    .bind(name)
    .fetch_all(db)
    .await
    .expect("the columns");
    if columns.is_empty() {
        return None;
    }
    let columns = columns.join(", ");
    let order = if name == "near_key" { "key" } else { "article_id" };
    // One pass over tables that have no index by article.
    db.execute(format!("CREATE INDEX IF NOT EXISTS bench_{name} ON {name} (article_id)").as_str())
        .await
        .expect("an index");
    let mut connection = db.acquire().await.expect("a connection");
    let mut batches = Vec::new();
    let mut from = first;
    while from <= last {
        let mut copy = format!("COPY (SELECT {columns} FROM {name} WHERE article_id >= {from}");
        let _ = write!(
            copy,
            " AND article_id < {} ORDER BY {order}) TO STDOUT (FORMAT binary)",
            from + BATCH
        );
        let mut rows = connection.copy_out_raw(&copy).await.expect("rows");
        let mut batch = Vec::new();
        while let Some(piece) = rows.try_next().await.expect("rows") {
            batch.extend_from_slice(&piece);
        }
        batches.push(batch);
        from += BATCH;
    }
    Some(Table {
        copy: format!("COPY {name} ({columns}) FROM STDIN (FORMAT binary)"),
        batches,
    })
}
