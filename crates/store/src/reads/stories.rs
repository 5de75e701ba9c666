//! Stories: lists of them, one of them, and what is in it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::{Postgres, QueryBuilder};

use super::{all, ask, read_all, read_first, text};
use crate::connect::config::Store;
use crate::error::StoreError;

/// The order of a list of stories.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoryOrder {
    /// The one whose first article was stored last comes first.
    #[default]
    Newest,
    /// The one with most articles comes first.
    Largest,
}

/// The last story of a page: the next page begins behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoryKey {
    /// Its articles: the largest go by them.
    pub articles: i64,
    /// When its first article was stored: the newest go by it.
    pub first_seen: DateTime<Utc>,
    /// Its number.
    pub story_id: i64,
}

/// A question for stories. All that is `None` matches everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoryQuery {
    /// The order.
    pub order: StoryOrder,
    /// An article of this site is in it.
    pub site: Option<String>,
    /// The canonical article is in this language (ISO 639 code).
    pub language: Option<String>,
    /// Founded by an article that was stored at this time or later.
    pub since: Option<DateTime<Utc>>,
    /// Founded by an article that was stored before this time.
    pub until: Option<DateTime<Utc>>,
    /// Behind this story.
    pub after: Option<StoryKey>,
    /// Stories at the most.
    pub most: u32,
}

/// A row of the view `stories`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoryRow {
    /// Names the story.
    pub story_id: i64,
    /// Its canonical article.
    pub canonical_article: i64,
    /// Headline of the canonical article.
    pub title: Option<String>,
    /// Site of the canonical article.
    pub site: Option<String>,
    /// Address of the canonical article, as a stranger gave it.
    pub url: Option<String>,
    /// Language of the canonical article.
    pub language: Option<String>,
    /// Articles in the story.
    pub articles: i64,
    /// Articles besides the canonical one.
    pub copies: i64,
    /// Different sites.
    pub sites: i64,
    /// The sites, in alphabetical order.
    pub site_list: Option<Vec<String>>,
    /// The earliest time of publication that one of its articles states.
    pub first_published_at: Option<DateTime<Utc>>,
    /// When its first article was stored.
    pub first_seen: DateTime<Utc>,
    /// When its last article was stored.
    pub last_seen: DateTime<Utc>,
    /// Words of its longest article.
    pub longest_words: i64,
}

/// An article within its story.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MemberRow {
    /// The article.
    pub article_id: i64,
    /// Its headline.
    pub title: Option<String>,
    /// Its site.
    pub site: Option<String>,
    /// Its language.
    pub language: Option<String>,
    /// What it is to `linked_to`.
    pub relation: String,
    /// The older article that it is a copy of.
    pub linked_to: Option<i64>,
    /// Jaccard similarity to that.
    pub similarity: Option<f64>,
    /// Share of it that is in the linked article.
    pub containment: Option<f64>,
    /// Share of the linked article that is in it.
    pub containment_of_linked: Option<f64>,
    /// What made the link.
    pub link_reason: Option<String>,
    /// Words of its body.
    pub word_count: i64,
    /// Number of its version.
    pub version: i64,
    /// When it was published, by its own account.
    pub published_at: Option<DateTime<Utc>>,
    /// Offset of the zone in which that was stated, in minutes. `None`: only the day is known.
    pub published_offset_minutes: Option<i64>,
    /// Timestamp of its message.
    pub message_time: Option<DateTime<Utc>>,
    /// When it was stored.
    pub ingested_at: DateTime<Utc>,
}

const STORY: &str =
    "SELECT story_id, canonical_article, title, site, url, language, articles, copies, sites, site_list,
        first_published_at, first_seen, last_seen, longest_words FROM stories";

impl Store {
    /// Stories in an order, behind a key.
    ///
    /// # Errors
    /// Postgres does not answer, or not in time.
    pub async fn read_stories(&self, asked: &StoryQuery) -> Result<Vec<StoryRow>, StoreError> {
        let mut query = ask(STORY);
        query.push(" WHERE true");
        of_site(&mut query, asked);
        for (compared, time) in [(">=", asked.since), ("<", asked.until)] {
            if let Some(time) = time {
                query.push(format!(" AND first_seen {compared} ")).push_bind(time);
            }
        }
        if let Some(language) = &asked.language {
            query.push(" AND language = ").push_bind(text(language));
        }
        match (asked.order, asked.after) {
            (StoryOrder::Newest, Some(key)) => {
                query
                    .push(" AND (first_seen, story_id) < (")
                    .push_bind(key.first_seen);
                query.push(", ").push_bind(key.story_id).push(")");
            }
            (StoryOrder::Largest, Some(key)) => {
                query
                    .push(" AND (articles, story_id) < (")
                    .push_bind(key.articles);
                query.push(", ").push_bind(key.story_id).push(")");
            }
            (_, None) => {}
        }
        query.push(match asked.order {
            StoryOrder::Newest => " ORDER BY first_seen DESC, story_id DESC LIMIT ",
            StoryOrder::Largest => " ORDER BY articles DESC, story_id DESC LIMIT ",
        });
        query.push_bind(i64::from(asked.most));
        all(self, query, "cannot list stories").await
    }

    /// The story with this number, or the one that this article is in. `None`: there is neither.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn read_story(&self, story_or_article: i64) -> Result<Option<StoryRow>, StoreError> {
        read_first!(self, "cannot read the story";
            &format!("{STORY} WHERE story_id = coalesce((SELECT story_id FROM articles WHERE story_id = $1 LIMIT 1),
                 (SELECT story_id FROM articles WHERE article_id = $1))"),
            story_or_article
        )
    }

    /// The articles of a story, the oldest first, behind an article.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn read_members(
        &self,
        story: i64,
        after: Option<i64>,
        most: u32,
    ) -> Result<Vec<MemberRow>, StoreError> {
        read_all!(self, "cannot read the articles of the story";
            "SELECT article_id, title, site, language, relation, linked_to, similarity, containment, containment_of_linked,
                    link_reason, word_count, version, published_at, published_offset_minutes, message_time, ingested_at
             FROM articles WHERE story_id = $1 AND article_id > $2 ORDER BY article_id LIMIT $3",
            story, after.unwrap_or(i64::MIN), i64::from(most)
        )
    }
}

/// Stories of a site by the index over its articles: the list of sites in each story has none.
fn of_site(query: &mut QueryBuilder<'static, Postgres>, asked: &StoryQuery) {
    let Some(site) = &asked.site else { return };
    query
        .push(" AND story_id = ANY (ARRAY(SELECT DISTINCT story_id FROM articles WHERE site = ")
        .push_bind(text(site))
        .push("))");
}
