//! Statements and what they answer: sent in one line, read by the names of columns.
//!
//! In: SQL with its parameters. Out: the number of rows that it changed ([`execute!`]), or the rows that it
//! answers with ([`fetch_all!`], [`fetch_one!`], [`fetch_optional!`]). What may fail: whatever Postgres
//! answers, as [`StoreError::Database`] with the given context.
//!
//! A row becomes a struct with the names of its columns ([`record!`]), one value, or a pair of values.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use copydesk_article::{
    ArticleId, Coordinates, Epoch, NextOffset, Offset, Partition, StoryId, Topic, TopicPartition,
};
use copydesk_site::BlockKey;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::types::Json;
use sqlx::{ColumnIndex, PgExecutor, Postgres, Row as _};

use crate::error::{Context as _, StoreError};

/// A statement with its parameters.
pub(crate) type Statement<'q> = Query<'q, Postgres, PgArguments>;

/// `execute!(executor, context; sql, parameter, …)?`: the number of rows that the statement changed. Waits for the answer.
macro_rules! execute {
    ($executor:expr, $context:expr; $sql:expr $(, $parameter:expr)* $(,)?) => {
        $crate::rows::sql::run(sqlx::query($sql)$(.bind($parameter))*, $executor, $context).await
    };
}

/// As [`execute!`]; all rows that the query answers with.
macro_rules! fetch_all {
    ($executor:expr, $context:expr; $sql:expr $(, $parameter:expr)* $(,)?) => {
        $crate::rows::sql::all(sqlx::query($sql)$(.bind($parameter))*, $executor, $context).await
    };
}

/// As [`execute!`]; the first row that the query answers with. No row is an error.
macro_rules! fetch_one {
    ($executor:expr, $context:expr; $sql:expr $(, $parameter:expr)* $(,)?) => {
        $crate::rows::sql::one(sqlx::query($sql)$(.bind($parameter))*, $executor, $context).await
    };
}

/// As [`execute!`]; the first row that the query answers with, if there is one.
macro_rules! fetch_optional {
    ($executor:expr, $context:expr; $sql:expr $(, $parameter:expr)* $(,)?) => {
        $crate::rows::sql::optional(sqlx::query($sql)$(.bind($parameter))*, $executor, $context).await
    };
}

/// Defines a struct that a row becomes: each field is read from the column of its name, [`TopicPartition`]
/// and [`Coordinates`] from
/// `topic`, `partition` and `offset`.
macro_rules! record {
    (
        $(#[$about:meta])* $visible:vis struct $record:ident {
            $($(#[$about_field:meta])* $visible_field:vis $field:ident: $type:ty),+ $(,)?
        }
    ) => {
        $(#[$about])*
        $visible struct $record {
            $($(#[$about_field])* $visible_field $field: $type,)+
        }

        impl $crate::rows::sql::FromRow for $record {
            fn from_row(row: sqlx::postgres::PgRow) -> Result<Self, sqlx::Error> {
                Ok(Self { $($field: $crate::rows::sql::Column::get(&row, stringify!($field))?,)+ })
            }
        }
    };
}

pub(crate) use {execute, fetch_all, fetch_one, fetch_optional, record};

/// What [`execute!`] does, for a statement that is put together otherwise.
pub(crate) async fn run(
    statement: Statement<'_>,
    executor: impl PgExecutor<'_>,
    context: &'static str,
) -> Result<u64, StoreError> {
    let done = statement.execute(executor).await.context(context)?;
    Ok(done.rows_affected())
}

/// What [`fetch_all!`] does.
pub(crate) async fn all<T: FromRow>(
    query: Statement<'_>,
    executor: impl PgExecutor<'_>,
    context: &'static str,
) -> Result<Vec<T>, StoreError> {
    query
        .try_map(T::from_row)
        .fetch_all(executor)
        .await
        .context(context)
}

/// What [`fetch_one!`] does.
pub(crate) async fn one<T: FromRow>(
    query: Statement<'_>,
    executor: impl PgExecutor<'_>,
    context: &'static str,
) -> Result<T, StoreError> {
    query
        .try_map(T::from_row)
        .fetch_one(executor)
        .await
        .context(context)
}

/// What [`fetch_optional!`] does.
pub(crate) async fn optional<T: FromRow>(
    query: Statement<'_>,
    executor: impl PgExecutor<'_>,
    context: &'static str,
) -> Result<Option<T>, StoreError> {
    let rows = query.try_map(T::from_row);
    rows.fetch_optional(executor).await.context(context)
}

/// What a row can become.
pub(crate) trait FromRow: Send + Unpin + Sized {
    fn from_row(row: PgRow) -> Result<Self, sqlx::Error>;
}

/// What a column can become.
pub(crate) trait Column: Send + Unpin + Sized {
    fn get(row: &PgRow, column: impl ColumnIndex<PgRow>) -> Result<Self, sqlx::Error>;
}

/// Types that the driver reads.
macro_rules! plain {
    ($($type:ty),+ $(,)?) => {$(
        impl Column for $type {
            fn get(row: &PgRow, column: impl ColumnIndex<PgRow>) -> Result<Self, sqlx::Error> {
                row.try_get(column)
            }
        }
        values!($type);
    )+};
}

/// Types of the project, each made of one that the driver reads.
macro_rules! made_of {
    ($($plain:ty => $type:ty: $make:expr),+ $(,)?) => {$(
        impl Column for $type {
            fn get(row: &PgRow, column: impl ColumnIndex<PgRow>) -> Result<Self, sqlx::Error> {
                row.try_get::<$plain, _>(column).map($make)
            }
        }
        values!($type);
    )+};
}

/// Types that a row of one column can become.
macro_rules! values {
    ($type:ty) => {
        impl FromRow for $type {
            fn from_row(row: PgRow) -> Result<Self, sqlx::Error> {
                Column::get(&row, 0)
            }
        }
    };
}

plain!(
    i16,
    i32,
    i64,
    f32,
    f64,
    bool,
    String,
    DateTime<Utc>,
    NaiveDate,
    Value,
    Vec<u8>,
    Vec<i32>,
    Vec<i64>,
    Vec<String>
);
plain!(
    Option<bool>,
    Option<i16>,
    Option<i32>,
    Option<i64>,
    Option<f32>,
    Option<f64>,
    Option<String>,
    Option<DateTime<Utc>>
);
plain!(Option<NaiveDate>, Option<Value>, Option<Vec<u8>>);

made_of!(
    i64 => u64: i64::unsigned_abs,
    i32 => u32: i32::unsigned_abs,
    i64 => ArticleId: ArticleId,
    i64 => StoryId: StoryId,
    i64 => BlockKey: |block| BlockKey(u32::try_from(block).unwrap_or_default()),
    i64 => Offset: Offset::new,
    i64 => NextOffset: NextOffset::new,
    i64 => Epoch: Epoch::new,
    Option<i64> => Option<ArticleId>: |id| id.map(ArticleId),
    Vec<i64> => Vec<ArticleId>: |ids| ids.into_iter().map(ArticleId).collect(),
    Vec<i64> => Vec<StoryId>: |ids| ids.into_iter().map(StoryId).collect(),
    Vec<String> => BTreeSet<String>: BTreeSet::from_iter,
);

impl Column for TopicPartition {
    fn get(row: &PgRow, _: impl ColumnIndex<PgRow>) -> Result<Self, sqlx::Error> {
        Ok(Self {
            topic: Topic::new(row.try_get::<&str, _>("topic")?),
            partition: Partition::new(row.try_get("partition")?),
        })
    }
}

impl FromRow for TopicPartition {
    fn from_row(row: PgRow) -> Result<Self, sqlx::Error> {
        Self::get(&row, 0)
    }
}

impl Column for Coordinates {
    fn get(row: &PgRow, column: impl ColumnIndex<PgRow>) -> Result<Self, sqlx::Error> {
        Ok(Self {
            source: TopicPartition::get(row, column)?,
            offset: Offset::new(row.try_get("offset")?),
        })
    }
}

impl<T: DeserializeOwned + Send + Unpin + 'static> FromRow for Json<T> {
    fn from_row(row: PgRow) -> Result<Self, sqlx::Error> {
        row.try_get(0)
    }
}

impl<A: Column, B: Column> FromRow for (A, B) {
    fn from_row(row: PgRow) -> Result<Self, sqlx::Error> {
        Ok((A::get(&row, 0)?, B::get(&row, 1)?))
    }
}
