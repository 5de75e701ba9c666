//! Takedowns: an article is removed with all that was kept of it, and held against coming again.
//!
//! In: an article's number or an address, and why. Out: nothing of it is left but its sightings (the audit law), a row in `retired_article`,
//! and one in `takedown` that says when and why. The row of its address stays and names nothing: a flush of the same address waits at it
//! while the article is taken down, and finds the takedown behind it.

use std::collections::HashMap;

use sqlx::{PgConnection, Row as _};

use crate::config::Store;
use crate::error::{Doing as _, StoreError};
use crate::identity::Identity;
use crate::story_rows;
use crate::work::Work;

const DOING: &str = "cannot take an article down (this needs the role copydesk_owner)";

/// What is to be taken down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TakedownTarget {
    /// The article with this number.
    Article(i64),
    /// What is at this address, in canonical form, in whatever spelling; also if nothing is there yet.
    Address(String),
}

/// What was taken down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TakenDown {
    /// Names the takedown.
    pub takedown_id: i64,
    /// The article; of an address that had none, a number of its own.
    pub article_id: i64,
    /// Whether there was an article.
    pub removed: bool,
}

impl Store {
    /// Takes an article down, with its versions, blocks, words, evidence, events and messages that wait to be published.
    ///
    /// # Errors
    /// [`StoreError::NotPossible`]: there is no such article. A role that may not delete.
    pub async fn take_down(&self, target: &TakedownTarget, why: &str) -> Result<TakenDown, StoreError> {
        let mut tx = self.begin().await?;
        let identity: Vec<u8> = match target {
            TakedownTarget::Article(id) => {
                let found = sqlx::query_scalar("SELECT identity FROM article WHERE article_id = $1")
                    .bind(id)
                    .fetch_optional(&mut *tx)
                    .await
                    .doing(DOING)?;
                found.ok_or_else(|| StoreError::NotPossible(format!("there is no article {id}")))?
            }
            TakedownTarget::Address(url) => Identity::of_address(url).0.to_vec(),
        };
        let number: i64 = sqlx::query_scalar("SELECT nextval('article_id_seq')")
            .fetch_one(&mut *tx)
            .await
            .doing(DOING)?;
        // Before anything is looked at: a flush of the same address waits here for the end of this transaction, and this for a
        // flush that has it.
        let holder: i64 = sqlx::query_scalar(
            "INSERT INTO article_identity (identity, article_id) VALUES ($1, $2)
             ON CONFLICT (identity) DO UPDATE SET article_id = article_identity.article_id RETURNING article_id",
        )
        .bind(&identity)
        .bind(number)
        .fetch_one(&mut *tx)
        .await
        .doing(DOING)?;
        let wanted = match target {
            TakedownTarget::Article(id) => *id,
            TakedownTarget::Address(_) => holder,
        };
        let there: Vec<i64> =
            sqlx::query_scalar("SELECT article_id FROM article WHERE article_id = ANY ($1)")
                .bind([wanted, holder].as_slice())
                .fetch_all(&mut *tx)
                .await
                .doing(DOING)?;
        let removed = there.contains(&wanted);
        let article = if removed { wanted } else { number };
        // Its address has been used again: what is there now may come again, its text may not.
        let is_anothers = holder != article && there.contains(&holder);
        let identity = (!is_anothers).then_some(identity);
        let tell = self.outputs().articles && removed;
        let takedown_id = remove(&mut tx, article, identity, why, tell).await?;
        tx.commit().await.doing(DOING)?;
        Ok(TakenDown {
            takedown_id,
            article_id: article,
            removed,
        })
    }

    /// Lifts a takedown: the same address and the same text may come again, as a new article. Answers whether it held.
    ///
    /// # Errors
    /// Postgres does not answer; a role that may not delete.
    pub async fn lift_takedown(&self, takedown_id: i64) -> Result<bool, StoreError> {
        const DOING: &str = "cannot lift a takedown (this needs the role copydesk_owner)";
        let mut tx = self.begin().await?;
        let lifted: Option<(Option<Vec<u8>>,)> = sqlx::query_as(
            "UPDATE takedown SET lifted_at = now() WHERE takedown_id = $1 AND lifted_at IS NULL RETURNING identity",
        )
        .bind(takedown_id)
        .fetch_optional(&mut *tx)
        .await
        .doing(DOING)?;
        let Some((identity,)) = lifted else {
            return Ok(false);
        };
        sqlx::query(
            "DELETE FROM article_identity i WHERE identity = $1 AND NOT EXISTS (SELECT FROM article a WHERE a.article_id = i.article_id)
                 AND NOT EXISTS (SELECT FROM takedown t WHERE t.identity = i.identity AND t.lifted_at IS NULL)",
        )
        .bind(identity)
        .execute(&mut *tx)
        .await
        .doing(DOING)?;
        tx.commit().await.doing(DOING)?;
        Ok(true)
    }
}

/// Removes all that is kept of an article, and notes the takedown. `tell`: with a message to whoever follows what is stored.
async fn remove(
    tx: &mut PgConnection,
    article: i64,
    identity: Option<Vec<u8>>,
    why: &str,
    tell: bool,
) -> Result<i64, StoreError> {
    let body: Option<Vec<u8>> =
        sqlx::query_scalar("SELECT body_hash FROM article WHERE article_id = $1 FOR UPDATE")
            .bind(article)
            .fetch_optional(&mut *tx)
            .await
            .doing(DOING)?;
    let stories = story_rows::stories_of(tx, &[article]).await?;
    let id: i64 = sqlx::query_scalar(
        "INSERT INTO takedown (article_id, identity, body_hash, why) VALUES ($1, $2, $3, $4) RETURNING takedown_id",
    )
    .bind(article)
    .bind(identity)
    .bind(body)
    .bind(why)
    .fetch_one(&mut *tx)
    .await
    .doing(DOING)?;
    const TELL: &str = "INSERT INTO outbox (output, topic, partition, \"offset\", story_id, payload)
         SELECT 'articles', s.topic, s.partition, s.\"offset\", a.story_id,
                json_build_object('article_id', a.article_id, 'story_id', a.story_id, 'verdict', 'taken_down',
                                  'topic', s.topic, 'partition', s.partition, 'offset', s.\"offset\")::text
         FROM article a JOIN sighting s USING (article_id) WHERE a.article_id = $1 ORDER BY s.ingested_at DESC, s.\"offset\" DESC LIMIT 1";
    for sql in [
        "INSERT INTO retired_article (article_id, story_id)
         SELECT $1, coalesce((SELECT story_id FROM article WHERE article_id = $1), $1) ON CONFLICT DO NOTHING",
        "DELETE FROM outbox o USING sighting s WHERE o.output = 'articles' AND s.article_id = $1
             AND o.topic = s.topic AND o.partition = s.partition AND o.\"offset\" = s.\"offset\"",
        if tell { TELL } else { "SELECT $1::int8" },
        "DELETE FROM clean_event WHERE article_id = $1",
        "DELETE FROM site_young WHERE article_id = $1",
        "DELETE FROM article_version WHERE article_id = $1",
        "DELETE FROM evidence WHERE article_id = $1",
        "DELETE FROM article_words WHERE article_id = $1",
        "DELETE FROM article WHERE article_id = $1",
    ] {
        sqlx::query(sql)
            .bind(article)
            .execute(&mut *tx)
            .await
            .doing(DOING)?;
    }
    story_rows::recount(tx, stories).await?;
    Ok(id)
}

/// Of each work whose address (or text, if `texts`) is held, the article of the takedown, by its place.
pub(crate) async fn held(
    connection: &mut PgConnection,
    works: &[Work<'_>],
    texts: bool,
) -> Result<HashMap<usize, i64>, StoreError> {
    let identities: Vec<&[u8]> = works.iter().map(|w| w.identity.0.as_slice()).collect();
    let bodies: Vec<Vec<u8>> = works
        .iter()
        .filter(|_| texts)
        .map(|w| w.fingerprint().body_hash.0.to_be_bytes().to_vec())
        .collect();
    let rows = sqlx::query(
        "SELECT identity, body_hash, article_id FROM takedown
         WHERE lifted_at IS NULL AND (identity = ANY ($1) OR body_hash = ANY ($2))",
    )
    .bind(&identities)
    .bind(&bodies)
    .fetch_all(connection)
    .await
    .doing("cannot look for takedowns")?;
    let mut held = HashMap::new();
    for row in rows {
        let identity: Option<Vec<u8>> = row.try_get(0).doing(DOING)?;
        let body: Option<Vec<u8>> = row.try_get(1).doing(DOING)?;
        let article: i64 = row.try_get(2).doing(DOING)?;
        for (n, work) in works.iter().enumerate() {
            let same_text = bodies.get(n).is_some_and(|b| Some(b) == body.as_ref());
            if identity.as_deref() == Some(work.identity.0.as_slice()) || same_text {
                held.insert(n, article);
            }
        }
    }
    Ok(held)
}
