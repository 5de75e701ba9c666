//! What the console shows: questions to the public views, each bounded, each answered in rows that serialise as they are.
//!
//! **In:** a question with its filters, and a key behind which to go on. **Out:** at most so many rows. **What may fail:**
//! Postgres is away, ends the statement for its time, or lacks a view ([`StoreError::sqlstate`]).
//!
//! Postgres names the columns of a row as JSON and serde puts them into the fields of the same names: no column can be taken for
//! another. Pages go by key, never by OFFSET, so that the last page costs what the first one does.

mod articles;
mod events;
mod flow;
mod messages;
mod sites;
mod stories;

pub use articles::{ArticleRow, BlockRow, SightingRow, VersionRow, VersionText};
pub use events::{EventRow, EventSource};
pub use flow::{FlowHour, LastRefusal, OutputRow, PartitionRow, UnusualSource};
pub use messages::{MessageKey, MessagePage, MessageQuery, MessageRow, ReasonCount};
pub use sites::{OverrideRow, RemovedRule, SiteRow};
pub use stories::{MemberRow, StoryKey, StoryOrder, StoryQuery, StoryRow};

use serde::de::DeserializeOwned;
use sqlx::types::Json;
use sqlx::{Postgres, QueryBuilder};

use crate::connect::config::Store;
use crate::error::StoreError;
use crate::rows::sql::{self, Statement};

/// `read_all!(store, context; select, parameter, …)?`: all rows of a query.
macro_rules! read_all {
    ($store:expr, $context:expr; $select:expr $(, $parameter:expr)* $(,)?) => {
        $crate::reads::rows($store, sqlx::query(&$crate::reads::as_json($select))$(.bind($parameter))*, $context).await
    };
}

/// As [`read_all!`]; the first row.
macro_rules! read_first {
    ($store:expr, $context:expr; $select:expr $(, $parameter:expr)* $(,)?) => {
        $crate::reads::read_all!($store, $context; $select $(, $parameter)*).map(|rows| rows.into_iter().next())
    };
}

use {read_all, read_first};

fn as_json(select: &str) -> String {
    format!("SELECT row_to_json(row) FROM ({select}) AS row")
}

async fn rows<T: DeserializeOwned + Send + Unpin + 'static>(
    store: &Store,
    query: Statement<'_>,
    context: &'static str,
) -> Result<Vec<T>, StoreError> {
    let rows: Vec<Json<T>> = sql::all(query, &store.pool, context).await?;
    Ok(rows.into_iter().map(|Json(row)| row).collect())
}

/// A query that is put together piece by piece. `select` is to be ended with [`all`].
fn ask(select: &str) -> QueryBuilder<'static, Postgres> {
    QueryBuilder::new(format!("SELECT row_to_json(row) FROM ({select}"))
}

/// All rows of a query that [`ask`] began.
async fn all<T: DeserializeOwned + Send + Unpin + 'static>(
    store: &Store,
    mut query: QueryBuilder<'static, Postgres>,
    context: &'static str,
) -> Result<Vec<T>, StoreError> {
    rows(store, query.push(") AS row").build(), context).await
}

/// Text for Postgres, which knows no zero byte.
fn text(text: &str) -> String {
    text.replace('\0', "")
}
