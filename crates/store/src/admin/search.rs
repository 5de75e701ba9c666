//! Search by words: asking for articles, and making the words of those that are due (migrations/0008_create_search.sql says how).

use chrono::{DateTime, Utc};
use copydesk_article::{ArticleId, StoryId};

use crate::connect::config::Store;
use crate::error::{Context as _, StoreError};
use crate::rows::{execute, fetch_all, fetch_one, record};

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

record! {
    /// An article that answers a [`SearchQuery`].
    #[derive(Debug, Clone, PartialEq)]
    pub struct Found {
        /// How well it answers: only good to compare articles of one answer.
        pub rank: f32,
        /// The article.
        pub article_id: ArticleId,
        /// Its story.
        pub story_id: StoryId,
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
        /// Passages with the words found between [`MARK_START`] and [`MARK_END`]; otherwise plain text from
        /// strangers.
        pub snippet: String,
    }
}

record! {
    /// How far the words are.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct SearchStatus {
        /// Whether search is on.
        pub on: bool,
        /// Articles whose words are still to be made, about: one that changed is counted again.
        pub due: i64,
    }
}

impl Store {
    /// Articles by their words, the best first.
    ///
    /// # Errors
    /// Postgres does not answer, or this role may not search.
    pub async fn search(&self, query: &SearchQuery) -> Result<Vec<Found>, StoreError> {
        fetch_all!(&self.pool, "cannot search";
            "SELECT rank, article_id, story_id, title, site, language, published_at, url, snippet
             FROM search_articles($1, $2, $3, $4, $5, $6, $7)",
            // Postgres knows no zero byte in a text.
            query.words.replace('\0', " "), &query.language, &query.site, query.since, query.until,
            i32::try_from(query.most).unwrap_or(i32::MAX), query.every_copy
        )
    }

    /// Makes the words of so many articles that are due. Answers with the number; 0: nothing is due, another session
    /// is at it, or search is off.
    ///
    /// # Errors
    /// Postgres does not answer. A text that is beyond a limit of Postgres is no error: it gets no words.
    pub async fn index_search(&self, most: u32) -> Result<u32, StoreError> {
        // Its own plans and time limits: what keeps a flush in bounds does not fit here.
        fetch_one!(&self.pool, "cannot make articles searchable";
            "SELECT copydesk_index_search($1)", i32::try_from(most).unwrap_or(i32::MAX)
        )
    }

    /// Switches search on (what is stored becomes due) or off (all words are dropped).
    ///
    /// # Errors
    /// [`crate::RetryClass::RetryNow`]: flushes were in the way for too long; try again.
    pub async fn switch_search(&self, on: bool) -> Result<(), StoreError> {
        const CONTEXT: &str = "cannot switch search";
        let mut tx = self.begin().await?;
        execute!(&mut *tx, CONTEXT; "SELECT copydesk_switch_search($1)", on)?;
        tx.commit().await.context(CONTEXT)
    }

    /// How far the words are.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn search_status(&self) -> Result<SearchStatus, StoreError> {
        fetch_one!(&self.pool, "cannot read how far search is";
            "SELECT (SELECT search FROM setting) AS \"on\", (SELECT count(*) FROM article_words_due) AS due"
        )
    }
}
