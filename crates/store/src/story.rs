//! What a person does with stories: look, explain, merge, split, take back. Every change is an event with its reason.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row as _};

use crate::config::Store;
use crate::error::{Doing as _, StoreError};
use crate::{keys, story_rows};

const DOING: &str = "cannot change the story";

/// A story that a merge would make larger than this is left for a person to look at.
pub const LARGEST_MERGE: usize = 2_000;

/// One article of a story.
#[derive(Debug, Clone, PartialEq)]
pub struct StoryArticle {
    /// The article.
    pub article_id: i64,
    /// The publishing site.
    pub site: Option<String>,
    /// The headline.
    pub title: Option<String>,
    /// `original`, `near_copy`, …
    pub relation: String,
    /// What it is linked to.
    pub linked_to: Option<i64>,
    /// Jaccard similarity to that.
    pub similarity: Option<f32>,
    /// Share of it that is in the linked article.
    pub containment: Option<f32>,
    /// Share of the linked article that is in it.
    pub containment_of_linked: Option<f32>,
    /// Seconds after the linked article, by the messages' own timestamps.
    pub lag_seconds: Option<f64>,
    /// Words of the body.
    pub words: i32,
    /// Number of its version.
    pub version: i32,
    /// Time of publication by its own account.
    pub published_at: Option<DateTime<Utc>>,
}

/// A change to a story after its articles were stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StoryEvent {
    /// Number of the event.
    pub event_id: i64,
    /// `relink`, `digest`, `merge`, `split` or `undo`.
    pub kind: String,
    /// The article that it is about.
    pub article_id: i64,
    /// All articles that moved.
    pub moved: Vec<i64>,
    /// The story that was left.
    pub from_story: i64,
    /// The story that was joined or founded.
    pub to_story: i64,
    /// The newer article that brought it about.
    pub cause_article: Option<i64>,
    /// When.
    pub happened_at: DateTime<Utc>,
    /// Why, and what is needed to take it back.
    pub detail: Value,
}

/// A story.
#[derive(Debug, Clone, PartialEq)]
pub struct StoryDetail {
    /// Names the story.
    pub story_id: i64,
    /// Its canonical article.
    pub canonical_article: i64,
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
        const DOING: &str = "cannot read the story";
        let mut tx = self.begin_reading().await?;
        let head: Option<(i64, i64)> = sqlx::query_as(
            "SELECT story_id, canonical_article FROM stories WHERE story_id = coalesce(
                 (SELECT story_id FROM article WHERE story_id = $1 LIMIT 1),
                 (SELECT story_id FROM article WHERE article_id = $1))",
        )
        .bind(story_or_article)
        .fetch_optional(&mut *tx)
        .await
        .doing(DOING)?;
        let Some((story_id, canonical_article)) = head else {
            return Ok(None);
        };
        let rows = sqlx::query(
            "SELECT a.article_id, a.site, a.title, a.relation, a.linked_to, a.similarity, a.containment, a.containment_of_linked,
                    extract(epoch FROM a.message_time - o.message_time)::float8, a.word_count, a.version, a.published_at
             FROM article a LEFT JOIN article o ON o.article_id = a.linked_to
             WHERE a.story_id = $1 ORDER BY a.article_id",
        )
        .bind(story_id)
        .fetch_all(&mut *tx)
        .await
        .doing(DOING)?;
        let articles = rows.iter().map(article).collect::<Result<_, _>>().doing(DOING)?;
        let events = events(&mut tx, "WHERE from_story = $1 OR to_story = $1", story_id).await?;
        tx.rollback().await.doing(DOING)?;
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
    pub async fn merge_stories(&self, from: i64, into: i64, why: &str) -> Result<StoryEvent, StoreError> {
        let mut tx = self.begin().await?;
        let event = merge(&mut tx, from, into, None, json!({ "why": why })).await?;
        story_rows::recount(&mut tx, [from, into]).await?;
        tx.commit().await.doing(DOING)?;
        Ok(event)
    }

    /// Takes articles out of their story, with everything that is linked to them. They found a story that is named
    /// after the first of them.
    ///
    /// # Errors
    /// [`StoreError::NotPossible`]: they are not of one story, or one of them founded it.
    pub async fn split_story(&self, articles: &[i64], why: &str) -> Result<StoryEvent, StoreError> {
        let mut tx = self.begin().await?;
        let event = split(&mut tx, articles, why).await?;
        story_rows::recount(&mut tx, [event.from_story, event.to_story]).await?;
        tx.commit().await.doing(DOING)?;
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
        tx.commit().await.doing(DOING)?;
        Ok(event)
    }
}

fn not_possible<T>(what: String) -> Result<T, StoreError> {
    Err(StoreError::NotPossible(what))
}

/// Locks articles and all members of some stories, in one order. Answers with the story of each. Whoever changes stories has locked their
/// windows of keys before ([`keys::lock_of_stories`]).
pub(crate) async fn lock(
    connection: &mut PgConnection,
    articles: &[i64],
    stories: &[i64],
) -> Result<Vec<(i64, i64)>, StoreError> {
    let mut locked: Vec<(i64, i64)> = Vec::new();
    if articles.is_empty() && stories.is_empty() {
        return Ok(locked);
    }
    // Whoever was waited for may have added a member, which the next look finds; while all of them are locked nobody adds more.
    loop {
        let again: Vec<(i64, i64)> = sqlx::query_as(
            "SELECT article_id, story_id FROM article WHERE article_id = ANY ($1) OR story_id = ANY ($2)
             ORDER BY article_id FOR NO KEY UPDATE",
        )
        .bind(articles)
        .bind(stories)
        .fetch_all(&mut *connection)
        .await
        .doing(DOING)?;
        if stories.is_empty() || again == locked {
            return Ok(again);
        }
        locked = again;
    }
}

/// Whether stories with so many members together may be merged unseen.
pub(crate) fn may_merge(from: i64, into: i64, members: usize) -> bool {
    let small = members <= LARGEST_MERGE;
    if !small {
        tracing::warn!(
            from,
            into,
            members,
            "these stories look like one but are too large to merge unseen"
        );
    }
    small
}

pub(crate) async fn merge(
    connection: &mut PgConnection,
    from: i64,
    into: i64,
    cause: Option<i64>,
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
    let moved: Vec<i64> = members
        .iter()
        .filter(|(_, s)| *s == from)
        .map(|(id, _)| *id)
        .collect();
    move_to(connection, &moved, into).await?;
    record(connection, "merge", from, &moved, from, into, cause, detail).await
}

async fn split(connection: &mut PgConnection, articles: &[i64], why: &str) -> Result<StoryEvent, StoreError> {
    let Some(first) = articles.iter().min().copied() else {
        return not_possible("no article was named".into());
    };
    let stories: Vec<i64> =
        sqlx::query_scalar("SELECT DISTINCT story_id FROM article WHERE article_id = ANY ($1)")
            .bind(articles)
            .fetch_all(&mut *connection)
            .await
            .doing(DOING)?;
    let [story] = stories.as_slice() else {
        return not_possible(format!(
            "the articles are in {} stories; they must be in one",
            stories.len()
        ));
    };
    keys::lock_of_stories(connection, &[*story]).await?;
    let members = lock(connection, &[], &[*story]).await?;
    for article in articles {
        if members.iter().all(|(id, _)| id != article) {
            return not_possible(format!("article {article} is not in story {story}"));
        }
    }
    if articles.contains(story) {
        return not_possible(format!(
            "article {story} founded the story; split the others off instead"
        ));
    }
    if first != *story && !lock(connection, &[], &[first]).await?.is_empty() {
        return not_possible(format!("there is a story {first} already; merge into it instead"));
    }
    let links: Vec<Value> = sqlx::query_scalar(
        "SELECT to_jsonb(l) FROM (SELECT article_id, linked_to, relation, similarity, containment, containment_of_linked,
                                         shared_shingles, link_reason FROM article
                                  WHERE article_id = ANY ($1) AND linked_to IS NOT NULL AND NOT linked_to = ANY ($1)) l",
    )
    .bind(articles)
    .fetch_all(&mut *connection)
    .await
    .doing(DOING)?;
    let moved = with_followers(connection, articles, *story).await?;
    unlink(connection, &links).await?;
    move_to(connection, &moved, first).await?;
    record(
        connection,
        "split",
        first,
        &moved,
        *story,
        first,
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
    let undone: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM story_event WHERE kind = 'undo' AND detail ->> 'undoes' = $1::text)",
    )
    .bind(event_id)
    .fetch_one(&mut *connection)
    .await
    .doing(DOING)?;
    if undone {
        return not_possible(format!("event {event_id} was taken back before"));
    }
    keys::lock_of_stories(connection, &[event.from_story, event.to_story]).await?;
    let members = lock(connection, &[], &[event.from_story, event.to_story]).await?;
    let left: Vec<i64> = event
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
        sqlx::query("UPDATE article SET relation = 'original' WHERE article_id = $1 AND relation = 'digest'")
            .bind(event.article_id)
            .execute(&mut *connection)
            .await
            .doing(DOING)?;
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

/// The link of an article, as an event keeps it.
const LINK: &str =
    "jsonb_build_object('article_id', article_id, 'linked_to', linked_to, 'relation', relation,
    'similarity', similarity, 'containment', containment, 'containment_of_linked', containment_of_linked,
    'shared_shingles', shared_shingles, 'link_reason', link_reason, 'link_rule_version', link_rule_version)";

/// An article gives up its link to another and goes to the story `story` with all that is linked to it, near or far. Answers with all that
/// moved: nothing, if the link is no longer there.
pub(crate) async fn relink(
    connection: &mut PgConnection,
    article: i64,
    linked_to: i64,
    story: i64,
    cause: i64,
    why: &Value,
) -> Result<Vec<i64>, StoreError> {
    let sql = format!(
        "SELECT story_id, {LINK} || $3 FROM article WHERE article_id = $1 AND linked_to = $2 FOR NO KEY UPDATE"
    );
    let found: Option<(i64, Value)> = sqlx::query_as(&sql)
        .bind(article)
        .bind(linked_to)
        .bind(why)
        .fetch_optional(&mut *connection)
        .await
        .doing(DOING)?;
    let Some((from, detail)) = found else {
        return Ok(Vec::new());
    };
    let moved = with_followers(connection, &[article], from).await?;
    unlink(connection, std::slice::from_ref(&detail)).await?;
    move_to(connection, &moved, story).await?;
    let cause = Some(cause);
    record(connection, "relink", article, &moved, from, story, cause, detail).await?;
    Ok(moved)
}

/// An article turns out to be a digest: it gives up its link and, with all that is linked to it, founds a story if it is in another one's.
/// Answers with all that moved: nothing, if it is a digest already.
pub(crate) async fn mark_digest(
    connection: &mut PgConnection,
    article: i64,
    cause: i64,
) -> Result<Vec<i64>, StoreError> {
    let sql = format!(
        "SELECT story_id, {LINK} FROM article WHERE article_id = $1 AND relation <> 'digest' FOR NO KEY UPDATE"
    );
    let found: Option<(i64, Value)> = sqlx::query_as(&sql)
        .bind(article)
        .fetch_optional(&mut *connection)
        .await
        .doing(DOING)?;
    let Some((from, detail)) = found else {
        return Ok(Vec::new());
    };
    let moved = if from == article {
        vec![article]
    } else {
        with_followers(connection, &[article], from).await?
    };
    unlink(connection, std::slice::from_ref(&detail)).await?;
    sqlx::query("UPDATE article SET relation = 'digest' WHERE article_id = $1")
        .bind(article)
        .execute(&mut *connection)
        .await
        .doing(DOING)?;
    if from != article {
        move_to(connection, &moved, article).await?;
    }
    let cause = Some(cause);
    record(
        connection, "digest", article, &moved, from, article, cause, detail,
    )
    .await?;
    Ok(moved)
}

/// The articles, and all of the story that is linked to them, near or far.
pub(crate) async fn with_followers(
    connection: &mut PgConnection,
    articles: &[i64],
    story: i64,
) -> Result<Vec<i64>, StoreError> {
    sqlx::query_scalar(
        "WITH RECURSIVE moved (id) AS (
             SELECT unnest($1::int8[])
             UNION
             SELECT a.article_id FROM moved m JOIN article a ON a.story_id = $2 AND a.linked_to = m.id
         ) SELECT id FROM moved ORDER BY id",
    )
    .bind(articles)
    .bind(story)
    .fetch_all(connection)
    .await
    .doing(DOING)
}

pub(crate) async fn move_to(
    connection: &mut PgConnection,
    articles: &[i64],
    story: i64,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE article SET story_id = $2 WHERE article_id = ANY ($1)")
        .bind(articles)
        .bind(story)
        .execute(&mut *connection)
        .await
        .doing(DOING)?;
    // Copies of one story count once in site memory.
    sqlx::query("UPDATE evidence SET story_id = $2 WHERE article_id = ANY ($1)")
        .bind(articles)
        .bind(story)
        .execute(connection)
        .await
        .doing(DOING)?;
    Ok(())
}

pub(crate) async fn unlink(connection: &mut PgConnection, links: &[Value]) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE article a SET linked_to = NULL, relation = 'original', similarity = NULL, containment = NULL,
             containment_of_linked = NULL, shared_shingles = NULL, link_reason = NULL
         FROM unnest($1::jsonb[]) AS l (link) WHERE a.article_id = (l.link ->> 'article_id')::int8",
    )
    .bind(links)
    .execute(connection)
    .await
    .doing(DOING)?;
    Ok(())
}

async fn link_again(connection: &mut PgConnection, links: &[Value]) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE article a SET linked_to = (l.link ->> 'linked_to')::int8, relation = l.link ->> 'relation',
             similarity = (l.link ->> 'similarity')::float4, containment = (l.link ->> 'containment')::float4,
             containment_of_linked = (l.link ->> 'containment_of_linked')::float4,
             shared_shingles = (l.link ->> 'shared_shingles')::int4, link_reason = l.link ->> 'link_reason'
         FROM unnest($1::jsonb[]) AS l (link)
         WHERE a.article_id = (l.link ->> 'article_id')::int8 AND a.linked_to IS NULL",
    )
    .bind(links)
    .execute(connection)
    .await
    .doing(DOING)?;
    Ok(())
}

#[expect(clippy::too_many_arguments, reason = "the columns of one row")]
pub(crate) async fn record(
    connection: &mut PgConnection,
    kind: &str,
    article: i64,
    moved: &[i64],
    from: i64,
    to: i64,
    cause: Option<i64>,
    detail: Value,
) -> Result<StoryEvent, StoreError> {
    let (event_id, happened_at) = sqlx::query_as(
        "INSERT INTO story_event (kind, article_id, moved, from_story, to_story, cause_article, happened_at, detail)
         VALUES ($1, $2, $3, $4, $5, $6, now(), $7) RETURNING event_id, happened_at",
    )
    .bind(kind)
    .bind(article)
    .bind(moved)
    .bind(from)
    .bind(to)
    .bind(cause)
    .bind(&detail)
    .fetch_one(connection)
    .await
    .doing(DOING)?;
    Ok(StoryEvent {
        event_id,
        kind: kind.to_owned(),
        article_id: article,
        moved: moved.to_vec(),
        from_story: from,
        to_story: to,
        cause_article: cause,
        happened_at,
        detail,
    })
}

async fn events(
    connection: &mut PgConnection,
    which: &'static str,
    id: i64,
) -> Result<Vec<StoryEvent>, StoreError> {
    const DOING: &str = "cannot read the story's events";
    let sql = format!(
        "SELECT event_id, kind, article_id, moved, from_story, to_story, cause_article, happened_at, detail
         FROM story_event {which} ORDER BY event_id"
    );
    let rows = sqlx::query(&sql)
        .bind(id)
        .fetch_all(connection)
        .await
        .doing(DOING)?;
    rows.iter().map(event).collect::<Result<_, _>>().doing(DOING)
}

fn event(row: &PgRow) -> Result<StoryEvent, sqlx::Error> {
    Ok(StoryEvent {
        event_id: row.try_get(0)?,
        kind: row.try_get(1)?,
        article_id: row.try_get(2)?,
        moved: row.try_get(3)?,
        from_story: row.try_get(4)?,
        to_story: row.try_get(5)?,
        cause_article: row.try_get(6)?,
        happened_at: row.try_get(7)?,
        detail: row.try_get(8)?,
    })
}

fn article(row: &PgRow) -> Result<StoryArticle, sqlx::Error> {
    Ok(StoryArticle {
        article_id: row.try_get(0)?,
        site: row.try_get(1)?,
        title: row.try_get(2)?,
        relation: row.try_get(3)?,
        linked_to: row.try_get(4)?,
        similarity: row.try_get(5)?,
        containment: row.try_get(6)?,
        containment_of_linked: row.try_get(7)?,
        lag_seconds: row.try_get(8)?,
        words: row.try_get(9)?,
        version: row.try_get(10)?,
        published_at: row.try_get(11)?,
    })
}
