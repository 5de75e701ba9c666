//! Changes to the cleaning of stored articles: each is a row of `clean_event` and can be taken back.

use std::collections::BTreeMap;

use copydesk_article::{ArticleId, CleanArticle, Removal};
use copydesk_site::{SITE_MEMORY, restore};
use serde_json::{Map, Value, json};
use sqlx::PgConnection;

use crate::admin::site::stored_content::{StoredContent, read};
use crate::connect::config::Store;
use crate::error::{Context as _, StoreError};
use crate::flush::site_memory::word_count;
use crate::flush::story_rows;
use crate::rows::{blocks, execute, fetch_one, fetch_optional, record};

const CONTEXT: &str = "cannot change the cleaning of a stored article";

/// A change to a stored article's cleaning.
#[derive(Debug, Clone, PartialEq)]
pub struct CleanEvent {
    /// Its number.
    pub event_id: i64,
    /// The article.
    pub article_id: ArticleId,
    /// Blocks that site memory had taken out before.
    pub before: usize,
    /// Blocks that it has taken out since.
    pub after: usize,
}

/// Changes what people read of a stored article, without a new version: the only place that does.
///
/// Whatever follows the text (search, outputs) follows these columns. Answers with the hash of the changed
/// content, for [`record()`].
pub(crate) async fn rewrite(
    connection: &mut PgConnection,
    id: ArticleId,
    clean: &CleanArticle,
) -> Result<Option<Vec<u8>>, StoreError> {
    fetch_optional!(connection, CONTEXT;
        "WITH changed AS (
             UPDATE article_text SET blocks = $2::jsonb, body = $3 WHERE article_id = $1 RETURNING article_id, blocks, body
         )
         UPDATE article a SET word_count = $4 FROM changed c WHERE a.article_id = $1 AND c.article_id = $1
         RETURNING copydesk_content_hash(a.title, a.dek, a.captions, c.body, c.blocks)",
        id.0, blocks::to_json(clean), clean.body(), word_count(clean)
    )
}

/// What site memory has taken out: evidence by position.
pub(crate) fn taken_out(clean: &CleanArticle) -> BTreeMap<usize, String> {
    clean
        .removed()
        .filter(|(_, _, removal)| removal.rule == SITE_MEMORY)
        .map(|(position, _, removal)| (position, removal.evidence.clone().unwrap_or_default()))
        .collect()
}

fn as_json(taken_out: &BTreeMap<usize, String>) -> Value {
    let map: Map<String, Value> = taken_out
        .iter()
        .map(|(position, evidence)| (position.to_string(), evidence.as_str().into()))
        .collect();
    Value::Object(map)
}

pub(crate) async fn record(
    connection: &mut PgConnection,
    article: &StoredContent,
    kind: &str,
    before: &BTreeMap<usize, String>,
    after: &BTreeMap<usize, String>,
    detail: Value,
    hash: Option<Vec<u8>>,
) -> Result<CleanEvent, StoreError> {
    let event_id = fetch_one!(connection, CONTEXT;
        "INSERT INTO clean_event (article_id, version, kind, before, after, detail, content_hash)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         RETURNING event_id",
        article.id.0, article.version, kind, as_json(before), as_json(after), detail, hash
    )?;
    Ok(CleanEvent {
        event_id,
        article_id: article.id,
        before: before.len(),
        after: after.len(),
    })
}

record! {
    struct Event {
        article_id: ArticleId,
        version: i32,
        before: Value,
        after: Value,
    }
}

impl Store {
    /// Takes a cleaning event back: site memory has taken out again what it had taken out before. The janitor leaves the
    /// article alone from then on. An event of its own.
    ///
    /// # Errors
    /// There is no such event, or the article has a newer version or was cleaned again since.
    pub async fn undo_clean_event(&self, event: i64) -> Result<CleanEvent, StoreError> {
        let mut tx = self.begin().await?;
        let row: Option<Event> = fetch_optional!(&mut *tx, CONTEXT;
            "SELECT article_id, version, before, after FROM clean_event WHERE event_id = $1", event
        )?;
        let refused = |why: String| StoreError::NotPossible(why);
        let Event {
            article_id: article,
            version,
            before: to,
            after: from,
        } = row.ok_or_else(|| refused(format!("there is no cleaning event {event}")))?;
        let stored = read(&mut tx, article, true)
            .await?
            .ok_or_else(|| refused(format!("article {article} is no more")))?;
        let before = taken_out(&stored.clean);
        if stored.version != version
            || as_json(&before).as_object().map(Map::len) != from.as_object().map(Map::len)
            || !before.keys().all(|p| from.get(p.to_string()).is_some())
        {
            return Err(refused(format!(
                "article {article} has changed since event {event}; take the later events back first"
            )));
        }
        let mut clean = restore(&stored.clean);
        for (position, evidence) in to.as_object().into_iter().flatten() {
            let block = position.parse().ok().and_then(|p: usize| clean.blocks.get_mut(p));
            if let Some(block) = block {
                block.removed = Some(Removal {
                    rule: SITE_MEMORY,
                    evidence: evidence.as_str().map(str::to_owned),
                });
            }
        }
        let hash = rewrite(&mut tx, article, &clean).await?;
        let after = taken_out(&clean);
        let done = record(
            &mut tx,
            &stored,
            "undo",
            &before,
            &after,
            json!({"undoes": event}),
            hash,
        )
        .await?;
        execute!(&mut *tx, CONTEXT;
            "DELETE FROM site_provisional WHERE site_hash = $1 AND article_id = $2", stored.site_hash, article.0
        )?;
        story_rows::recount_of(&mut tx, &[article]).await?;
        tx.commit().await.context(CONTEXT)?;
        Ok(done)
    }
}
