//! The ceiling: the very rows that a worker stored, written again by one client that does nothing else.
//!
//! No Kafka, no cleaning, no lookups, no decisions: rows are read into memory first and then go into an empty database of
//! the same schema (tables, indexes, checks) with one `INSERT … SELECT FROM unnest(…)` a table and one transaction a
//! batch, as a flush does it. Nobody who keeps these rows in Postgres gets past this.

use std::time::Instant;

use chrono::{DateTime, Utc};
use sqlx::postgres::{PgArguments, PgPool, PgRow};
use sqlx::query::Query;
use sqlx::{Postgres, Row as _};

/// Articles in a transaction: a worker's batch.
const BATCH: i64 = 500;
/// Tables with rows of each article, and the column that says of which.
const TABLES: [(&str, &str); 6] = [
    ("article_identity", "article_id"),
    ("near_key", "article_id"),
    ("article", "article_id"),
    ("article_text", "article_id"),
    ("evidence", "article_id"),
    ("sighting", "article_id"),
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

enum Values {
    Int8(Vec<Option<i64>>),
    Int4(Vec<Option<i32>>),
    Int2(Vec<Option<i16>>),
    Float4(Vec<Option<f32>>),
    Bool(Vec<Option<bool>>),
    Time(Vec<Option<DateTime<Utc>>>),
    Bytes(Vec<Option<Vec<u8>>>),
    Text(Vec<Option<String>>),
}

struct Column {
    name: String,
    kind: String,
}

impl Column {
    /// Lists and JSON travel as text, as in a flush.
    fn wire(&self) -> &str {
        match self.kind.as_str() {
            "bigint" => "int8",
            "integer" => "int4",
            "smallint" => "int2",
            "real" => "float4",
            "boolean" => "bool",
            "bytea" => "bytea",
            "timestamp with time zone" => "timestamptz",
            _ => "text",
        }
    }

    fn read(&self) -> String {
        match self.kind.as_str() {
            "text[]" => format!("array_to_string(\"{}\", E'\\x1f')", self.name),
            _ if self.wire() == "text" => format!("\"{}\"::text", self.name),
            _ => format!("\"{}\"", self.name),
        }
    }

    fn write(&self) -> String {
        match self.kind.as_str() {
            "text[]" => format!("string_to_array(r.\"{}\", E'\\x1f')", self.name),
            "text" => format!("r.\"{}\"", self.name),
            kind if self.wire() == "text" => format!("r.\"{}\"::{kind}", self.name),
            _ => format!("r.\"{}\"", self.name),
        }
    }

    fn values(&self, at: usize, rows: &[PgRow]) -> Values {
        fn all<'r, T: sqlx::Decode<'r, Postgres> + sqlx::Type<Postgres>>(
            at: usize,
            rows: &'r [PgRow],
        ) -> Vec<Option<T>> {
            rows.iter().map(|r| r.try_get(at).expect("a value")).collect()
        }
        match self.wire() {
            "int8" => Values::Int8(all(at, rows)),
            "int4" => Values::Int4(all(at, rows)),
            "int2" => Values::Int2(all(at, rows)),
            "float4" => Values::Float4(all(at, rows)),
            "bool" => Values::Bool(all(at, rows)),
            "bytea" => Values::Bytes(all(at, rows)),
            "timestamptz" => Values::Time(all(at, rows)),
            _ => Values::Text(all(at, rows)),
        }
    }
}

fn bind<'q>(query: Query<'q, Postgres, PgArguments>, values: &'q Values) -> Query<'q, Postgres, PgArguments> {
    match values {
        Values::Int8(v) => query.bind(v),
        Values::Int4(v) => query.bind(v),
        Values::Int2(v) => query.bind(v),
        Values::Float4(v) => query.bind(v),
        Values::Bool(v) => query.bind(v),
        Values::Bytes(v) => query.bind(v),
        Values::Time(v) => query.bind(v),
        Values::Text(v) => query.bind(v),
    }
}

struct Table {
    insert: String,
    /// One entry a batch.
    batches: Vec<Vec<Values>>,
}

/// Writes what is in one database into another, empty one. `postgres`: CPU seconds of the server so far.
pub async fn ceiling(from: &str, to: &str, postgres: impl Fn() -> f64) -> Ceiling {
    let source = PgPool::connect(from).await.expect("the database of the worker");
    let target = PgPool::connect(to).await.expect("the empty database");
    let (first, last, articles): (i64, i64, i64) =
        sqlx::query_as("SELECT min(article_id), max(article_id), count(*) FROM article")
            .fetch_one(&source)
            .await
            .expect("articles were stored");
    let mut tables = Vec::new();
    for (name, article) in TABLES {
        tables.push(read(&source, name, article, first, last).await);
    }
    let (cpu, server) = (crate::cpu_seconds(std::process::id()), postgres());
    let begun = Instant::now();
    let mut connection = target.acquire().await.expect("a connection");
    let batches = tables.first().map_or(0, |t| t.batches.len());
    for batch in 0..batches {
        let mut tx = sqlx::Connection::begin(&mut *connection)
            .await
            .expect("a transaction");
        for table in &tables {
            let values = &table.batches[batch];
            let query = values
                .iter()
                .fold(sqlx::query(table.insert.as_str()), |query, v| bind(query, v));
            query.execute(&mut *tx).await.expect("the rows fit");
        }
        tx.commit().await.expect("a commit");
    }
    Ceiling {
        articles: articles.unsigned_abs(),
        rate: articles as f64 / begun.elapsed().as_secs_f64(),
        client_seconds: crate::cpu_seconds(std::process::id()) - cpu,
        postgres_seconds: postgres() - server,
    }
}

async fn read(db: &PgPool, name: &str, article: &str, first: i64, last: i64) -> Table {
    let columns: Vec<Column> = sqlx::query_as::<_, (String, String)>(
        "SELECT attname::text, format_type(atttypid, atttypmod) FROM pg_attribute
         WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped AND attgenerated = '' AND attidentity = ''
         ORDER BY attnum",
    )
    .bind(name)
    .fetch_all(db)
    .await
    .expect("the columns")
    .into_iter()
    .map(|(name, kind)| Column { name, kind })
    .collect();
    let list = |f: &dyn Fn(&Column) -> String| columns.iter().map(f).collect::<Vec<_>>().join(", ");
    let quoted = list(&|c| format!("\"{}\"", c.name));
    let order = if name == "near_key" { "key" } else { article };
    let select = format!(
        "SELECT {} FROM {name} WHERE {article} >= $1 AND {article} < $2 ORDER BY {order}",
        list(&Column::read),
    );
    let arguments: Vec<String> = columns
        .iter()
        .enumerate()
        .map(|(n, c)| format!("${}::{}[]", n + 1, c.wire()))
        .collect();
    let insert = format!(
        "INSERT INTO {name} ({quoted}) SELECT {} FROM unnest({}) AS r ({quoted})",
        list(&Column::write),
        arguments.join(", "),
    );
    // One pass over tables that have no index by article.
    sqlx::query(&format!(
        "CREATE INDEX IF NOT EXISTS bench_{name} ON {name} ({article})"
    ))
    .execute(db)
    .await
    .expect("an index");
    let mut batches = Vec::new();
    let mut from = first;
    while from <= last {
        let rows = sqlx::query(select.as_str())
            .bind(from)
            .bind(from + BATCH)
            .fetch_all(db)
            .await
            .expect("rows");
        batches.push(
            columns
                .iter()
                .enumerate()
                .map(|(n, c)| c.values(n, &rows))
                .collect(),
        );
        from += BATCH;
    }
    Table { insert, batches }
}
