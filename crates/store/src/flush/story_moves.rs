//! Articles change their story: by a re-link, as a digest, with a merge or a split. Every change is an event with what is needed to take it back.
//!
//! Whoever calls this has locked the windows of keys of the stories' articles ([`crate::keys::lock_of_stories`]), or claims keys there, and counts the
//! stories again afterwards ([`crate::flush::story_rows`]).

use chrono::{DateTime, Utc};
use copydesk_article::{ArticleId, StoryId};
use serde_json::Value;
use sqlx::PgConnection;

use crate::error::{Doing as _, StoreError};
use crate::rows::ids::{self, numbers};

const DOING: &str = "cannot change the story";

/// A story that a merge would make larger than this is left for a person to look at.
pub const LARGEST_MERGE: usize = 2_000;

/// A change to a story after its articles were stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StoryEvent {
    /// Number of the event.
    pub event_id: i64,
    /// `relink`, `digest`, `merge`, `split` or `undo`.
    pub kind: String,
    /// The article that it is about.
    pub article_id: ArticleId,
    /// All articles that moved.
    pub moved: Vec<ArticleId>,
    /// The story that was left.
    pub from_story: StoryId,
    /// The story that was joined or founded.
    pub to_story: StoryId,
    /// The newer article that brought it about.
    pub cause_article: Option<ArticleId>,
    /// When.
    pub happened_at: DateTime<Utc>,
    /// Why, and what is needed to take it back.
    pub detail: Value,
}

/// Locks articles and all members of some stories, in one order. Answers with the story of each. Whoever changes stories has locked their
/// windows of keys before ([`crate::keys::lock_of_stories`]).
pub(crate) async fn lock(
    connection: &mut PgConnection,
    articles: &[ArticleId],
    stories: &[StoryId],
) -> Result<Vec<(ArticleId, StoryId)>, StoreError> {
    let mut locked = Vec::new();
    if articles.is_empty() && stories.is_empty() {
        return Ok(locked);
    }
    // Whoever was waited for may have added a member, which the next look finds; while all of them are locked nobody adds more.
    loop {
        let again: Vec<(i64, i64)> = sqlx::query_as(
            "SELECT article_id, story_id FROM membership WHERE article_id = ANY ($1) OR story_id = ANY ($2)
             ORDER BY article_id FOR NO KEY UPDATE",
        )
        .bind(numbers(articles))
        .bind(numbers(stories))
        .fetch_all(&mut *connection)
        .await
        .doing(DOING)?;
        let typed = |(article, story)| (ArticleId(article), StoryId(story));
        let again = again.into_iter().map(typed).collect();
        if stories.is_empty() || again == locked {
            return Ok(again);
        }
        locked = again;
    }
}

/// Whether stories with so many members together may be merged unseen.
pub(crate) fn may_merge(from: StoryId, into: StoryId, members: usize) -> bool {
    let small = members <= LARGEST_MERGE;
    if !small {
        tracing::warn!(
            %from,
            %into,
            members,
            "these stories look like one but are too large to merge unseen"
        );
    }
    small
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
    article: ArticleId,
    linked_to: ArticleId,
    story: StoryId,
    cause: ArticleId,
    why: &Value,
) -> Result<Vec<ArticleId>, StoreError> {
    let sql = format!(
        "SELECT story_id, {LINK} || $3 FROM membership WHERE article_id = $1 AND linked_to = $2 FOR NO KEY UPDATE"
    );
    let found: Option<(i64, Value)> = sqlx::query_as(&sql)
        .bind(article.0)
        .bind(linked_to.0)
        .bind(why)
        .fetch_optional(&mut *connection)
        .await
        .doing(DOING)?;
    let Some((from, detail)) = found.map(|(from, detail)| (StoryId(from), detail)) else {
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
    article: ArticleId,
    cause: ArticleId,
) -> Result<Vec<ArticleId>, StoreError> {
    let sql = format!(
        "SELECT story_id, {LINK} FROM membership WHERE article_id = $1 AND relation <> 'digest' FOR NO KEY UPDATE"
    );
    let found: Option<(i64, Value)> = sqlx::query_as(&sql)
        .bind(article.0)
        .fetch_optional(&mut *connection)
        .await
        .doing(DOING)?;
    let Some((from, detail)) = found.map(|(from, detail)| (StoryId(from), detail)) else {
        return Ok(Vec::new());
    };
    let founded = StoryId(article.0);
    let moved = if from == founded {
        vec![article]
    } else {
        with_followers(connection, &[article], from).await?
    };
    unlink(connection, std::slice::from_ref(&detail)).await?;
    sqlx::query("UPDATE membership SET relation = 'digest' WHERE article_id = $1")
        .bind(article.0)
        .execute(&mut *connection)
        .await
        .doing(DOING)?;
    if from != founded {
        move_to(connection, &moved, founded).await?;
    }
    let cause = Some(cause);
    record(
        connection, "digest", article, &moved, from, founded, cause, detail,
    )
    .await?;
    Ok(moved)
}

/// The articles, and all of the story that is linked to them, near or far.
pub(crate) async fn with_followers(
    connection: &mut PgConnection,
    articles: &[ArticleId],
    story: StoryId,
) -> Result<Vec<ArticleId>, StoreError> {
    let moved = sqlx::query_scalar(
        "WITH RECURSIVE moved (id) AS (
             SELECT unnest($1::int8[])
             UNION
             SELECT f.article_id FROM moved m JOIN membership f ON f.story_id = $2 AND f.linked_to = m.id
         ) SELECT id FROM moved ORDER BY id",
    )
    .bind(numbers(articles))
    .bind(story.0)
    .fetch_all(connection)
    .await
    .doing(DOING)?;
    Ok(ids::articles(moved))
}

pub(crate) async fn move_to(
    connection: &mut PgConnection,
    articles: &[ArticleId],
    story: StoryId,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE membership SET story_id = $2 WHERE article_id = ANY ($1)")
        .bind(numbers(articles))
        .bind(story.0)
        .execute(connection)
        .await
        .doing(DOING)?;
    Ok(())
}

pub(crate) async fn unlink(connection: &mut PgConnection, links: &[Value]) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE membership m SET linked_to = NULL, relation = 'original', similarity = NULL, containment = NULL,
             containment_of_linked = NULL, shared_shingles = NULL, link_reason = NULL
         FROM unnest($1::jsonb[]) AS l (link) WHERE m.article_id = (l.link ->> 'article_id')::int8",
    )
    .bind(links)
    .execute(connection)
    .await
    .doing(DOING)?;
    Ok(())
}

pub(crate) async fn link_again(connection: &mut PgConnection, links: &[Value]) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE membership m SET linked_to = (l.link ->> 'linked_to')::int8, relation = l.link ->> 'relation',
             similarity = (l.link ->> 'similarity')::float4, containment = (l.link ->> 'containment')::float4,
             containment_of_linked = (l.link ->> 'containment_of_linked')::float4,
             shared_shingles = (l.link ->> 'shared_shingles')::int4, link_reason = l.link ->> 'link_reason'
         FROM unnest($1::jsonb[]) AS l (link)
         WHERE m.article_id = (l.link ->> 'article_id')::int8 AND m.linked_to IS NULL",
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
    article: ArticleId,
    moved: &[ArticleId],
    from: StoryId,
    to: StoryId,
    cause: Option<ArticleId>,
    detail: Value,
) -> Result<StoryEvent, StoreError> {
    let (event_id, happened_at) = sqlx::query_as(
        "INSERT INTO story_event (kind, article_id, moved, from_story, to_story, cause_article, happened_at, detail)
         VALUES ($1, $2, $3, $4, $5, $6, now(), $7) RETURNING event_id, happened_at",
    )
    .bind(kind)
    .bind(article.0)
    .bind(numbers(moved))
    .bind(from.0)
    .bind(to.0)
    .bind(cause.map(|c| c.0))
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
