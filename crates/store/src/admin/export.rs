//! Rows of the public views, one after the other, all from the same moment.

use chrono::{DateTime, Utc};
use futures_util::TryStreamExt as _;
use sqlx::PgPool;

use crate::connect::config::Store;
use crate::error::{Context as _, StoreError};
use crate::rows::{fetch_all, named, record};

const CONTEXT: &str = "cannot read the rows to export";

named! {
    /// What is exported.
    pub enum ExportView {
        /// The view `articles`.
        Articles = "articles",
        /// The view `stories`.
        Stories = "stories",
    }
}

impl ExportView {
    /// The column that is counted up and never null.
    const fn number(self) -> &'static str {
        match self {
            Self::Articles => "article_id",
            Self::Stories => "story_id",
        }
    }

    const fn time(self, by: ExportTime) -> &'static str {
        match (self, by) {
            (Self::Articles, ExportTime::Ingested) => "ingested_at",
            (Self::Articles, ExportTime::Published) => "published_at",
            (Self::Stories, ExportTime::Ingested) => "first_seen",
            (Self::Stories, ExportTime::Published) => "first_published_at",
        }
    }
}

/// The time that [`ExportQuery::since`] and [`ExportQuery::until`] are of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ExportTime {
    /// When it was stored: `ingested_at`, `first_seen`.
    #[default]
    Ingested,
    /// When it was published, by its own account: `published_at`, `first_published_at`. Rows without one are left out.
    Published,
}

/// Which rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExportQuery {
    /// The time that is meant by the next two.
    pub by: ExportTime,
    /// From this time on.
    pub since: Option<DateTime<Utc>>,
    /// Before this time.
    pub until: Option<DateTime<Utc>>,
    /// Only this site; of a story, that of its canonical article.
    pub site: Option<String>,
    /// Only this language; of a story, that of its canonical article.
    pub language: Option<String>,
}

record! {
    /// A column of a view.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct ExportColumn {
        /// Its name.
        pub name: String,
        /// Its type in Postgres, as `timestamp with time zone` or `text[]`.
        pub kind: String,
        /// What it means: its comment in Postgres.
        pub meaning: String,
    }
}

impl Store {
    /// The columns of a view, in order.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn export_columns(&self, view: ExportView) -> Result<Vec<ExportColumn>, StoreError> {
        columns_of(&self.pool, view.as_str()).await
    }

    /// Hands each row to `sink` as a JSON object with the view's columns in their order, sorted by number. One statement, so
    /// all rows are of one moment; streamed, so memory holds a few of them. Answers with the number of rows.
    ///
    /// # Errors
    /// What `sink` answers; Postgres does not answer, or breaks off.
    pub async fn export<E: From<StoreError>>(
        &self,
        view: ExportView,
        query: &ExportQuery,
        mut sink: impl FnMut(&str) -> Result<(), E>,
    ) -> Result<u64, E> {
        let (name, number, time) = (view.as_str(), view.number(), view.time(query.by));
        let mut sql = format!("SELECT to_json(v)::text FROM {name} v WHERE true");
        if query.since.is_some() {
            sql.push_str(&format!(" AND v.{time} >= $1"));
        }
        if query.until.is_some() {
            sql.push_str(&format!(" AND v.{time} < $2"));
        }
        if query.site.is_some() {
            sql.push_str(" AND v.site = $3");
        }
        if query.language.is_some() {
            sql.push_str(" AND v.language = $4");
        }
        // Always true: a parameter that no condition names still needs a type.
        sql.push_str(&format!(" AND (($1::timestamptz, $2::timestamptz, $3::text, $4::text) IS NOT NULL) IS NOT NULL ORDER BY v.{number}"));
        let mut rows = sqlx::query_scalar::<_, String>(&sql)
            .bind(query.since)
            .bind(query.until)
            .bind(&query.site)
            .bind(&query.language)
            .fetch(&self.pool);
        let mut count = 0;
        while let Some(row) = rows.try_next().await.context(CONTEXT)? {
            sink(&row)?;
            count += 1;
        }
        Ok(count)
    }
}

/// The columns of a public view, in order.
pub(crate) async fn columns_of(pool: &PgPool, view: &str) -> Result<Vec<ExportColumn>, StoreError> {
    fetch_all!(pool, "cannot read the columns of the view";
        "SELECT attname::text AS name, format_type(atttypid, NULL) AS kind, coalesce(col_description(attrelid, attnum), '') AS meaning
         FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        view
    )
}
