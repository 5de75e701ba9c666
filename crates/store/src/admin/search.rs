//! Search by words: asking for articles, and making the words of those that are due (migrations/0008_create_search.sql says how).

use chrono::{DateTime, Utc};
use sqlx::Row as _;

use crate::connect::config::Store;
use crate::error::{Doing as _, StoreError};

/// The mark before a word that was found, in [`Found::snippet`].
pub const MARK_START: char = '⟦';
/// The mark behind it.
pub const MARK_END: char = '⟧';

/// A question to [`Store::search`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchQuery {
    /// Words as for a web search engine: `"a phrase"`, `or`, `-not`. No text is a syntax error.
    pub words: String,
    /// Only articles in this language (ISO 639 code).
    pub language: Option<String>,
    /// Only articles of this site.
    pub site: Option<String>,
    /// Published at this time or later.
    pub since: Option<DateTime<Utc>>,
    /// Published before this time.
    pub until: Option<DateTime<Utc>>,
    /// Articles at the most; the database answers with 1,000 at the most.
    pub most: u32,
    /// Every copy of a story, not the best one alone.
    pub every_copy: bool,
}

/// An article that answers a [`SearchQuery`].
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// How well it answers: only good to compare articles of one answer.
    pub rank: f32,
    /// The article.
    pub article_id: i64,
    /// Its story.
    pub story_id: i64,
    /// Its headline.
    pub title: Option<String>,
    /// Its site.
    pub site: Option<String>,
    /// Its language.
    pub language: Option<String>,
    /// When it was published.
    pub published_at: Option<DateTime<Utc>>,
    /// Its address.
    pub url: Option<String>,
    /// Passages with the words found between [`MARK_START`] and [`MARK_END`]; otherwise plain text from strangers.
    pub snippet: String,
}

/// How far the words are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SearchStatus {
    /// Whether search is on.
    pub on: bool,
    /// Articles whose words are still to be made, about: one that changed is counted again.
    pub due: i64,
}

impl Store {
    /// Articles by their words, the best first.
    ///
    /// # Errors
    /// Postgres does not answer, or this role may not search.
    pub async fn search(&self, query: &SearchQuery) -> Result<Vec<Found>, StoreError> {
        const DOING: &str = "cannot search";
        let rows = sqlx::query(
            "SELECT rank, article_id, story_id, title, site, language, published_at, url, snippet
             FROM search_articles($1, $2, $3, $4, $5, $6, $7)",
        )
        // Postgres knows no zero byte in a text.
        .bind(query.words.replace('\0', " "))
        .bind(&query.language)
        .bind(&query.site)
        .bind(query.since)
        .bind(query.until)
        .bind(i32::try_from(query.most).unwrap_or(i32::MAX))
        .bind(query.every_copy)
        .fetch_all(&self.pool)
        .await
        .doing(DOING)?;
        rows.into_iter()
            .map(|row| {
                Ok(Found {
                    rank: row.try_get(0)?,
                    article_id: row.try_get(1)?,
                    story_id: row.try_get(2)?,
                    title: row.try_get(3)?,
                    site: row.try_get(4)?,
                    language: row.try_get(5)?,
                    published_at: row.try_get(6)?,
                    url: row.try_get(7)?,
                    snippet: row.try_get(8)?,
                })
            })
            .collect::<Result<_, _>>()
            .doing(DOING)
    }

    /// Makes the words of so many articles that are due. Answers with the number; 0: nothing is due, another session
    /// is at it, or search is off.
    ///
    /// # Errors
    /// Postgres does not answer. A text that is beyond a limit of Postgres is no error: it gets no words.
    pub async fn index_search(&self, most: u32) -> Result<u32, StoreError> {
        const DOING: &str = "cannot make articles searchable";
        // Its own plans and time limits: what keeps a flush in bounds does not fit here.
        let taken: i32 = sqlx::query_scalar("SELECT copydesk_index_search($1)")
            .bind(i32::try_from(most).unwrap_or(i32::MAX))
            .fetch_one(&self.pool)
            .await
            .doing(DOING)?;
        Ok(taken.unsigned_abs())
    }

    /// Switches search on (what is stored becomes due) or off (all words are dropped).
    ///
    /// # Errors
    /// [`crate::RetryClass::RetryNow`]: flushes were in the way for too long; try again.
    pub async fn switch_search(&self, on: bool) -> Result<(), StoreError> {
        const DOING: &str = "cannot switch search";
        let mut tx = self.begin().await?;
        sqlx::query("SELECT copydesk_switch_search($1)")
            .bind(on)
            .execute(&mut *tx)
            .await
            .doing(DOING)?;
        tx.commit().await.doing(DOING)
    }

    /// How far the words are.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn search_status(&self) -> Result<SearchStatus, StoreError> {
        const DOING: &str = "cannot read how far search is";
        let row =
            sqlx::query("SELECT (SELECT search FROM setting), (SELECT count(*) FROM article_words_due)")
                .fetch_one(&self.pool)
                .await
                .doing(DOING)?;
        Ok(SearchStatus {
            on: row.try_get(0).doing(DOING)?,
            due: row.try_get(1).doing(DOING)?,
        })
    }
}
