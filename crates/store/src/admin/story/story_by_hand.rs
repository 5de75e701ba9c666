//! What a person does with stories: look, explain, merge, split, take back. Every change is an event with its reason.

use chrono::{DateTime, Utc};
use copydesk_article::{ArticleId, StoryId};
use serde_json::{Value, json};
use sqlx::PgConnection;

use crate::connect::config::Store;
use crate::error::{Context as _, StoreError};
use crate::flush::story_moves::{StoryEvent, link_again, lock, move_to, record, unlink, with_followers};
use crate::rows::{execute, fetch_all, fetch_one, fetch_optional, numbers, record};
use crate::{flush::story_rows, keys};

const CONTEXT: &str = "cannot change the story";

record! {
    /// One article of a story.
    #[derive(Debug, Clone, PartialEq)]
    pub struct StoryArticle {
        /// The article.
        pub article_id: ArticleId,
        /// The publishing site.
        pub site: Option<String>,
        /// The headline.
        pub title: Option<String>,
        /// `original`, `near_copy`, …
        pub relation: String,
        /// What it is linked to.
        pub linked_to: Option<ArticleId>,
        /// Jaccard similarity to that.
        pub similarity: Option<f32>,
        /// Share of it that is in the linked article.
        pub containment: Option<f32>,
        /// Share of the linked article that is in it.
        pub containment_of_linked: Option<f32>,
        /// Seconds after the linked article, by the messages' own timestamps.
        pub lag_seconds: Option<f64>,
        /// Words of the body.
        pub word_count: i32,
        /// Number of its version.
        pub version: i32,
        /// Time of publication by its own account.
        pub published_at: Option<DateTime<Utc>>,
    }
}

/// A story.
#[derive(Debug, Clone, PartialEq)]
pub struct StoryDetail {
    /// Names the story.
    pub story_id: StoryId,
    /// Its canonical article.
    pub canonical_article: ArticleId,
    /// Its articles, the oldest first.
    pub articles: Vec<StoryArticle>,
    /// What changed it, in order.
    pub events: Vec<StoryEvent>,
}

impl Store {
    /// The story with this number, or the one that this article is in. `None`: there is neither.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn story(&self, story_or_article: i64) -> Result<Option<StoryDetail>, StoreError> {
        const CONTEXT: &str = "cannot read the story";
        let mut tx = self.begin_reading().await?;
        let head: Option<(StoryId, ArticleId)> = fetch_optional!(&mut *tx, CONTEXT;
            "SELECT story_id, canonical_article FROM stories WHERE story_id = coalesce(
                 (SELECT story_id FROM membership WHERE story_id = $1 LIMIT 1),
                 (SELECT story_id FROM membership WHERE article_id = $1))",
            story_or_article
        )?;
        let Some((story_id, canonical_article)) = head else {
            return Ok(None);
        };
        let articles = fetch_all!(&mut *tx, CONTEXT;
            "SELECT a.article_id, a.site, a.title, m.relation, m.linked_to, m.similarity, m.containment, m.containment_of_linked,
                    extract(epoch FROM a.message_time - o.message_time)::float8 AS lag_seconds, a.word_count, a.version, a.published_at
             FROM membership m JOIN article a USING (article_id) LEFT JOIN article o ON o.article_id = m.linked_to
             WHERE m.story_id = $1 ORDER BY m.article_id",
            story_id.0
        )?;
        let events = events(&mut tx, "WHERE from_story = $1 OR to_story = $1", story_id.0).await?;
        tx.rollback().await.context(CONTEXT)?;
        Ok(Some(StoryDetail {
            story_id,
            canonical_article,
            articles,
            events,
        }))
    }

    /// Makes two stories one: every article of `from` joins `into`.
    ///
    /// # Errors
    /// [`StoreError::NotPossible`]: one of them does not exist, or they are the same.
    pub async fn merge_stories(
        &self,
        from: StoryId,
        into: StoryId,
        why: &str,
    ) -> Result<StoryEvent, StoreError> {
        let mut tx = self.begin().await?;
        let event = merge(&mut tx, from, into, None, json!({ "why": why })).await?;
        story_rows::recount(&mut tx, [from, into]).await?;
        tx.commit().await.context(CONTEXT)?;
        Ok(event)
    }

    /// Takes articles out of their story, with everything that is linked to them. They found a story that is named
    /// after the first of them.
    ///
    /// # Errors
    /// [`StoreError::NotPossible`]: they are not of one story, or one of them founded it.
    pub async fn split_story(&self, articles: &[ArticleId], why: &str) -> Result<StoryEvent, StoreError> {
        let mut tx = self.begin().await?;
        let event = split(&mut tx, articles, why).await?;
        story_rows::recount(&mut tx, [event.from_story, event.to_story]).await?;
        tx.commit().await.context(CONTEXT)?;
        Ok(event)
    }

    /// Takes an event back: what it moved returns, with everything that has been linked to it since, and links that
    /// were given up are there again.
    ///
    /// # Errors
    /// [`StoreError::NotPossible`]: there is no such event, it was taken back before, or nothing of it is left.
    pub async fn undo_story_event(&self, event_id: i64) -> Result<StoryEvent, StoreError> {
        let mut tx = self.begin().await?;
        let event = undo(&mut tx, event_id).await?;
        story_rows::recount(&mut tx, [event.from_story, event.to_story]).await?;
        tx.commit().await.context(CONTEXT)?;
        Ok(event)
    }
}

fn not_possible<T>(what: String) -> Result<T, StoreError> {
    Err(StoreError::NotPossible(what))
}

pub(crate) async fn merge(
    connection: &mut PgConnection,
    from: StoryId,
    into: StoryId,
    cause: Option<ArticleId>,
    detail: Value,
) -> Result<StoryEvent, StoreError> {
    if from == into {
        return not_possible(format!("story {from} is one story already"));
    }
    keys::lock_of_stories(connection, &[from, into]).await?;
    let members = lock(connection, &[], &[from, into]).await?;
    for story in [from, into] {
        if members.iter().all(|(_, s)| *s != story) {
            return not_possible(format!("there is no story {story}"));
        }
    }
    let moved: Vec<ArticleId> = members
        .iter()
        .filter(|(_, s)| *s == from)
        .map(|(id, _)| *id)
        .collect();
    move_to(connection, &moved, into).await?;
    record(
        connection,
        "merge",
        ArticleId(from.0),
        &moved,
        from,
        into,
        cause,
        detail,
    )
    .await
}

async fn split(
    connection: &mut PgConnection,
    articles: &[ArticleId],
    why: &str,
) -> Result<StoryEvent, StoreError> {
    let Some(first) = articles.iter().min().copied() else {
        return not_possible("no article was named".into());
    };
    let stories = Vec::from_iter(story_rows::stories_of(connection, articles).await?);
    let [story] = *stories.as_slice() else {
        return not_possible(format!(
            "the articles are in {} stories; they must be in one",
            stories.len()
        ));
    };
    keys::lock_of_stories(connection, &[story]).await?;
    let members = lock(connection, &[], &[story]).await?;
    for article in articles {
        if members.iter().all(|(id, _)| id != article) {
            return not_possible(format!("article {article} is not in story {story}"));
        }
    }
    let founder = ArticleId(story.0);
    if articles.contains(&founder) {
        return not_possible(format!(
            "article {story} founded the story; split the others off instead"
        ));
    }
    let founded = StoryId(first.0);
    if first != founder && !lock(connection, &[], &[founded]).await?.is_empty() {
        return not_possible(format!("there is a story {first} already; merge into it instead"));
    }
    let links: Vec<Value> = fetch_all!(&mut *connection, CONTEXT;
        "SELECT to_jsonb(l) FROM (SELECT article_id, linked_to, relation, similarity, containment, containment_of_linked,
                                         shared_shingles, link_reason FROM membership
                                  WHERE article_id = ANY ($1) AND linked_to IS NOT NULL AND NOT linked_to = ANY ($1)) l",
        numbers(articles)
    )?;
    let moved = with_followers(connection, articles, story).await?;
    unlink(connection, &links).await?;
    move_to(connection, &moved, founded).await?;
    record(
        connection,
        "split",
        first,
        &moved,
        story,
        founded,
        None,
        json!({ "why": why, "links": links }),
    )
    .await
}

async fn undo(connection: &mut PgConnection, event_id: i64) -> Result<StoryEvent, StoreError> {
    let Some(event) = events(connection, "WHERE event_id = $1", event_id).await?.pop() else {
        return not_possible(format!(
            "there is no event {event_id}; `copydesk story show` lists a story's events"
        ));
    };
    if event.kind == "undo" {
        return not_possible(format!(
            "event {event_id} took another one back; do that again by hand"
        ));
    }
    let undone: bool = fetch_one!(&mut *connection, CONTEXT;
        "SELECT EXISTS (SELECT FROM story_event WHERE kind = 'undo' AND detail ->> 'undoes' = $1::text)",
        event_id
    )?;
    if undone {
        return not_possible(format!("event {event_id} was taken back before"));
    }
    keys::lock_of_stories(connection, &[event.from_story, event.to_story]).await?;
    let members = lock(connection, &[], &[event.from_story, event.to_story]).await?;
    let left: Vec<ArticleId> = event
        .moved
        .iter()
        .copied()
        .filter(|id| {
            members
                .iter()
                .any(|(m, story)| m == id && *story == event.to_story)
        })
        .collect();
    if left.is_empty() {
        return not_possible(format!(
            "none of the articles of event {event_id} is in story {} any more",
            event.to_story
        ));
    }
    let moved = with_followers(connection, &left, event.to_story).await?;
    move_to(connection, &moved, event.from_story).await?;
    let links = match event.detail.get("links") {
        Some(Value::Array(links)) => links.clone(),
        // A re-link keeps the one link that it gave up at the top; so does a digest that had one.
        _ if event.detail.get("linked_to").is_some_and(Value::is_i64) => vec![event.detail.clone()],
        _ => Vec::new(),
    };
    if event.kind == "digest" {
        execute!(&mut *connection, CONTEXT;
            "UPDATE membership SET relation = 'original' WHERE article_id = $1 AND relation = 'digest'",
            event.article_id.0
        )?;
    }
    link_again(connection, &links).await?;
    let detail = json!({ "undoes": event_id });
    record(
        connection,
        "undo",
        event.article_id,
        &moved,
        event.to_story,
        event.from_story,
        None,
        detail,
    )
    .await
}

async fn events(
    connection: &mut PgConnection,
    which: &'static str,
    id: i64,
) -> Result<Vec<StoryEvent>, StoreError> {
    let sql = format!(
        "SELECT event_id, kind, article_id, moved, from_story, to_story, cause_article, happened_at, detail
         FROM story_event {which} ORDER BY event_id"
    );
    fetch_all!(connection, "cannot read the story's events"; &sql, id)
}
