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
pub use sites::{RemovedRule, SaidRow, SiteRow};
pub use stories::{MemberRow, StoryKey, StoryOrder, StoryQuery, StoryRow};

use serde::de::DeserializeOwned;
use sqlx::types::Json;
use sqlx::{Postgres, QueryBuilder};

use crate::connect::config::Store;
use crate::error::{Doing as _, StoreError};

/// A query whose rows become JSON. `select` is to be ended with [`all`] or [`first`].
fn ask(select: &str) -> QueryBuilder<'static, Postgres> {
    QueryBuilder::new(format!("SELECT row_to_json(row) FROM ({select}"))
}

/// All rows of a query that [`ask`] began.
async fn all<T>(
    store: &Store,
    mut query: QueryBuilder<'static, Postgres>,
    doing: &'static str,
) -> Result<Vec<T>, StoreError>
where
    T: DeserializeOwned + Send + Unpin + 'static,
{
    let rows: Vec<Json<T>> = query
        .push(") AS row")
        .build_query_scalar()
        .fetch_all(&store.pool)
        .await
        .doing(doing)?;
    Ok(rows.into_iter().map(|Json(row)| row).collect())
}

/// The first row of a query that [`ask`] began.
async fn first<T>(
    store: &Store,
    query: QueryBuilder<'static, Postgres>,
    doing: &'static str,
) -> Result<Option<T>, StoreError>
where
    T: DeserializeOwned + Send + Unpin + 'static,
{
    Ok(all(store, query, doing).await?.into_iter().next())
}

/// Text for Postgres, which knows no zero byte.
fn text(text: &str) -> String {
    text.replace('\0', "")
}
