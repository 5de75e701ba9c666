//! Articles change their story: by a re-link, as a digest, with a merge or a split. Every change is an event,
//! which can be undone.
//!
//! The caller has locked the key windows of the stories' articles ([`crate::keys::lock_of_stories`]), or
//! claims keys there, and counts the stories again afterwards ([`crate::flush::story_rows`]).

use chrono::{DateTime, Utc};
use copydesk_article::{ArticleId, StoryId};
use serde_json::Value;
use sqlx::PgConnection;

use crate::error::StoreError;
use crate::rows::{execute, fetch_all, fetch_one, fetch_optional, numbers, record};

const CONTEXT: &str = "cannot change the story";

/// Stories that would have more articles than this together are not merged: a person decides.
pub const LARGEST_MERGE: usize = 2_000;

record! {
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
}

/// Locks articles and all members of some stories, in ascending order. Answers with the story of each. Who
/// changes stories has locked their key windows before ([`crate::keys::lock_of_stories`]).
pub(crate) async fn lock(
    connection: &mut PgConnection,
    articles: &[ArticleId],
    stories: &[StoryId],
) -> Result<Vec<(ArticleId, StoryId)>, StoreError> {
    let mut locked: Vec<(ArticleId, StoryId)> = Vec::new();
    if articles.is_empty() && stories.is_empty() {
        return Ok(locked);
    }
    // The transaction that was waited for may have added a member, which the next look finds. While all
    // members are locked nobody adds another.
    loop {
        let again = fetch_all!(&mut *connection, CONTEXT;
            "SELECT article_id, story_id FROM membership WHERE article_id = ANY ($1) OR story_id = ANY ($2)
             ORDER BY article_id FOR NO KEY UPDATE",
            numbers(articles), numbers(stories)
        )?;
        if stories.is_empty() || again == locked {
            return Ok(again);
        }
        locked = again;
    }
}

/// Whether stories with so many members together may be merged without a person.
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

/// An article gives up its link to another and moves to `story`, with all that is linked to it, near or far.
/// Answers with all articles that moved: none, if the link is gone.
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
    let found: Option<(StoryId, Value)> = fetch_optional!(&mut *connection, CONTEXT;
        &sql, article.0, linked_to.0, why
    )?;
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

/// Marks an article as a digest: it gives up its link and moves to a story of its own, with all that is
/// linked to it. Answers with all articles that moved: none, if it is a digest already.
pub(crate) async fn mark_digest(
    connection: &mut PgConnection,
    article: ArticleId,
    cause: ArticleId,
) -> Result<Vec<ArticleId>, StoreError> {
    let sql = format!(
        "SELECT story_id, {LINK} FROM membership WHERE article_id = $1 AND relation <> 'digest' FOR NO KEY UPDATE"
    );
    let found: Option<(StoryId, Value)> = fetch_optional!(&mut *connection, CONTEXT; &sql, article.0)?;
    let Some((from, detail)) = found else {
        return Ok(Vec::new());
    };
    let founded = StoryId(article.0);
    let moved = if from == founded {
        vec![article]
    } else {
        with_followers(connection, &[article], from).await?
    };
    unlink(connection, std::slice::from_ref(&detail)).await?;
    execute!(&mut *connection, CONTEXT;
        "UPDATE membership SET relation = 'digest' WHERE article_id = $1", article.0
    )?;
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
    fetch_all!(connection, CONTEXT;
        "WITH RECURSIVE moved (id) AS (
             SELECT unnest($1::int8[])
             UNION
             SELECT f.article_id FROM moved m JOIN membership f ON f.story_id = $2 AND f.linked_to = m.id
         ) SELECT id FROM moved ORDER BY id",
        numbers(articles), story.0
    )
}

pub(crate) async fn move_to(
    connection: &mut PgConnection,
    articles: &[ArticleId],
    story: StoryId,
) -> Result<(), StoreError> {
    execute!(connection, CONTEXT;
        "UPDATE membership SET story_id = $2 WHERE article_id = ANY ($1)", numbers(articles), story.0
    )?;
    Ok(())
}

pub(crate) async fn unlink(connection: &mut PgConnection, links: &[Value]) -> Result<(), StoreError> {
    execute!(connection, CONTEXT;
        "UPDATE membership m SET linked_to = NULL, relation = 'original', similarity = NULL, containment = NULL,
             containment_of_linked = NULL, shared_shingles = NULL, link_reason = NULL
         FROM unnest($1::jsonb[]) AS l (link) WHERE m.article_id = (l.link ->> 'article_id')::int8",
        links
    )?;
    Ok(())
}

pub(crate) async fn link_again(connection: &mut PgConnection, links: &[Value]) -> Result<(), StoreError> {
    execute!(connection, CONTEXT;
        "UPDATE membership m SET linked_to = (l.link ->> 'linked_to')::int8, relation = l.link ->> 'relation',
             similarity = (l.link ->> 'similarity')::float4, containment = (l.link ->> 'containment')::float4,
             containment_of_linked = (l.link ->> 'containment_of_linked')::float4,
             shared_shingles = (l.link ->> 'shared_shingles')::int4, link_reason = l.link ->> 'link_reason'
         FROM unnest($1::jsonb[]) AS l (link)
         WHERE m.article_id = (l.link ->> 'article_id')::int8 AND m.linked_to IS NULL",
        links
    )?;
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
    fetch_one!(connection, CONTEXT;
        "INSERT INTO story_event (kind, article_id, moved, from_story, to_story, cause_article, happened_at, detail)
         VALUES ($1, $2, $3, $4, $5, $6, now(), $7) RETURNING *",
        kind, article.0, numbers(moved), from.0, to.0, cause.map(|c| c.0), detail
    )
}
