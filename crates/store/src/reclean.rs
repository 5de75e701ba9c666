//! Articles that were stored before enough was known of their site are cleaned again, from their own stored blocks.
//!
//! Only what site memory takes out changes, by the same pure decision as in the flush. Body, blocks and word count
//! follow; keys, fingerprints and links stay, because they are of the text as the rules left it. Each change is a row of
//! `clean_event` and can be taken back.

use std::collections::BTreeMap;
use std::sync::Arc;

use copydesk_article::{ArticleId, CleanArticle, Metadata, MetadataSource, Removal, Sourced, StoryId};
use copydesk_site::{PageBlocks, RULE_VERSION, SIBLINGS, SITE_MEMORY, Subject, apply, restore};
use serde_json::{Map, Value, json};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, Row as _};

use crate::blocks::{self, StoredText};
use crate::config::Store;
use crate::error::{Doing as _, StoreError};
use crate::evidence::{SiteArticle, Sites, said_of, site_articles, words_from_bytes};
use crate::site_memory::{SETTLED, decide_from, view, word_count};

pub(crate) const DOING: &str = "cannot clean stored articles again";

/// What a step did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RecleanStep {
    /// Articles that were looked at.
    pub looked_at: u64,
    /// Articles whose text changed.
    pub changed: u64,
}

impl RecleanStep {
    pub(crate) fn add(&mut self, changed: bool) {
        self.looked_at += 1;
        self.changed += u64::from(changed);
    }
}

/// A change to a stored article's cleaning.
#[derive(Debug, Clone, PartialEq)]
pub struct CleanEvent {
    /// Its number.
    pub event_id: i64,
    /// The article.
    pub article_id: i64,
    /// Blocks that site memory had taken out before.
    pub before: usize,
    /// Blocks that it has taken out since.
    pub after: usize,
}

/// A stored article, read back.
pub(crate) struct StoredArticle {
    pub(crate) id: i64,
    pub(crate) version: i32,
    pub(crate) clean: CleanArticle,
    pub(crate) story: i64,
    pub(crate) site_hash: Option<i64>,
    pub(crate) url_hash: Option<u64>,
    pub(crate) title_words: Vec<u32>,
    /// Articles that the recorded decision looked at.
    pub(crate) site_view: Option<Vec<i64>>,
}

const READ: &str = "SELECT a.article_id, a.version, a.title, a.dek, a.captions, a.body, a.blocks, a.rules_version, a.story_id,
        e.site_hash, e.url_hash, e.title_words, e.site_view
    FROM article a JOIN evidence e USING (article_id) WHERE a.article_id = ANY ($1) ORDER BY a.article_id";
const LOCK: &str = " FOR NO KEY UPDATE OF a";

/// Reads an article, and locks it if it is to be changed.
pub(crate) async fn read(
    connection: &mut PgConnection,
    article: i64,
    lock: bool,
) -> Result<Option<StoredArticle>, StoreError> {
    // A worker that stores a new version of it waits, or has it done already.
    let sql = if lock {
        format!("{READ}{LOCK}")
    } else {
        READ.to_owned()
    };
    let row = sqlx::query(AssertSqlSafe(sql))
        .bind([article].as_slice())
        .fetch_optional(connection)
        .await
        .doing(DOING)?;
    row.map(|row| stored(&row)).transpose()
}

/// Reads several articles, in ascending order.
pub(crate) async fn read_all(
    connection: &mut PgConnection,
    articles: &[i64],
) -> Result<Vec<StoredArticle>, StoreError> {
    let rows = sqlx::query(READ)
        .bind(articles)
        .fetch_all(connection)
        .await
        .doing(DOING)?;
    rows.iter().map(stored).collect()
}

fn stored(row: &PgRow) -> Result<StoredArticle, StoreError> {
    let id: i64 = row.try_get(0).doing(DOING)?;
    let (title, dek): (Option<String>, Option<String>) =
        (row.try_get(2).doing(DOING)?, row.try_get(3).doing(DOING)?);
    let (captions, body): (Vec<String>, String) =
        (row.try_get(4).doing(DOING)?, row.try_get(5).doing(DOING)?);
    let json: Value = row.try_get(6).doing(DOING)?;
    let text = StoredText {
        title: title.as_deref(),
        dek: dek.as_deref(),
        captions: &captions,
        body: &body,
    };
    let blocks = blocks::from_json(&json, &text)
        .ok_or_else(|| StoreError::Unknown(format!("the stored blocks of article {id}")))?;
    let sourced = |text: Option<String>| text.map(|t| Sourced::new(t, MetadataSource::Envelope));
    let view: Option<&[u8]> = row.try_get(12).doing(DOING)?;
    Ok(StoredArticle {
        id,
        version: row.try_get(1).doing(DOING)?,
        clean: CleanArticle {
            metadata: Metadata {
                title: sourced(title),
                dek: sourced(dek),
                ..Metadata::default()
            },
            blocks,
            warnings: Vec::new(),
            rules_version: row.try_get(7).doing(DOING)?,
        },
        story: row.try_get(8).doing(DOING)?,
        site_hash: row.try_get(9).doing(DOING)?,
        url_hash: row
            .try_get::<Option<i64>, _>(10)
            .doing(DOING)?
            .map(i64::cast_unsigned),
        title_words: words_from_bytes(row.try_get(11).doing(DOING)?),
        site_view: view.map(|v| v.as_chunks().0.iter().map(|id| i64::from_le_bytes(*id)).collect()),
    })
}

impl StoredArticle {
    pub(crate) fn subject(&self) -> Subject<'_> {
        Subject {
            id: ArticleId(self.id),
            story: Some(StoryId(self.story)),
            url_hash: self.url_hash,
            title_words: &self.title_words,
        }
    }
}

/// Changes what people read of a stored article, without a new version: the only place that does.
///
/// Whatever follows the text (search, outputs) follows these columns.
async fn rewrite(connection: &mut PgConnection, id: i64, clean: &CleanArticle) -> Result<(), StoreError> {
    sqlx::query("UPDATE article SET blocks = $2::jsonb, body = $3, word_count = $4 WHERE article_id = $1")
        .bind(id)
        .bind(blocks::to_json(clean))
        .bind(clean.body())
        .bind(word_count(clean))
        .execute(connection)
        .await
        .doing(DOING)?;
    Ok(())
}

/// What site memory has taken out: evidence by position.
fn taken_out(clean: &CleanArticle) -> BTreeMap<usize, String> {
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

async fn record(
    connection: &mut PgConnection,
    article: &StoredArticle,
    kind: &str,
    before: &BTreeMap<usize, String>,
    after: &BTreeMap<usize, String>,
    detail: Value,
) -> Result<CleanEvent, StoreError> {
    let event_id = sqlx::query_scalar(
        "INSERT INTO clean_event (article_id, version, kind, before, after, detail) VALUES ($1, $2, $3, $4, $5, $6)
         RETURNING event_id",
    )
    .bind(article.id)
    .bind(article.version)
    .bind(kind)
    .bind(as_json(before))
    .bind(as_json(after))
    .bind(detail)
    .fetch_one(connection)
    .await
    .doing(DOING)?;
    Ok(CleanEvent {
        event_id,
        article_id: article.id,
        before: before.len(),
        after: after.len(),
    })
}

impl Store {
    /// Makes the stored hashes of blocks for some of the articles from before there was site memory, the oldest first.
    /// Answers with their number; call again while it is not 0.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn backfill_site_memory(&self, most: i64) -> Result<u64, StoreError> {
        let mut tx = self.begin().await?;
        let ids: Vec<i64> = sqlx::query_scalar(
            "SELECT e.article_id FROM setting s JOIN evidence e
                 ON e.article_id > s.site_backfill_from AND e.article_id <= s.site_backfill_until
             ORDER BY e.article_id LIMIT $1",
        )
        .bind(most)
        .fetch_all(&mut *tx)
        .await
        .doing(DOING)?;
        let Some(last) = ids.last().copied() else {
            tx.rollback().await.doing(DOING)?;
            return Ok(0);
        };
        for id in &ids {
            let Some(article) = read(&mut tx, *id, true).await? else {
                continue;
            };
            sqlx::query(
                "UPDATE evidence SET page_blocks = $2, story_id = $3 WHERE article_id = $1 AND page_blocks IS NULL",
            )
            .bind(id)
            .bind(PageBlocks::of(&article.clean).encode())
            .bind(article.story)
            .execute(&mut *tx)
            .await
            .doing(DOING)?;
            if let Some(site) = article.site_hash {
                sqlx::query("INSERT INTO site_young (site_hash, article_id, articles) VALUES ($1, $2, 0) ON CONFLICT DO NOTHING")
                    .bind(site)
                    .bind(id)
                    .execute(&mut *tx)
                    .await
                    .doing(DOING)?;
            }
        }
        sqlx::query("UPDATE setting SET site_backfill_from = greatest(site_backfill_from, $1)")
            .bind(last)
            .execute(&mut *tx)
            .await
            .doing(DOING)?;
        tx.commit().await.doing(DOING)?;
        Ok(ids.len() as u64)
    }

    /// Cleans articles of young sites again, of up to `most` sites behind `after`. Answers with the last site and what was
    /// done; `None`: there are no more sites. Safe to stop and to repeat, and to run in several places.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn reclean_young(
        &self,
        after: i64,
        most: i64,
    ) -> Result<Option<(i64, RecleanStep)>, StoreError> {
        let mut step = RecleanStep::default();
        if !self.site_memory() {
            return Ok(None);
        }
        let mut tx = self.begin().await?;
        let found: Vec<(i64, i64)> = sqlx::query_as(YOUNG_SITES)
            .bind(after)
            .bind(most)
            .bind(i64::from(SETTLED) + 1)
            .fetch_all(&mut *tx)
            .await
            .doing(DOING)?;
        tx.rollback().await.doing(DOING)?;
        let Some(last) = found.last().map(|(site, _)| *site) else {
            return Ok(None);
        };
        for (site, articles) in found {
            let others = articles - 1;
            if others < 1 {
                continue;
            }
            let due: Vec<i64> = sqlx::query_scalar(
                "SELECT article_id FROM site_young WHERE site_hash = $1 AND articles < $2 AND (articles * 2 <= $2 OR $2 >= $3)
                 ORDER BY article_id",
            )
            .bind(site)
            .bind(i16::try_from(others).unwrap_or(i16::MAX))
            .bind(SETTLED)
            .fetch_all(&self.pool)
            .await
            .doing(DOING)?;
            for article in due {
                step.add(self.reclean(article).await?.is_some());
            }
        }
        Ok(Some((last, step)))
    }

    /// Cleans one stored article again, from the articles of its site that stand nearest to it. `None`: nothing changed.
    ///
    /// # Errors
    /// Postgres does not answer; the stored blocks do not fit the text.
    pub async fn reclean(&self, article: i64) -> Result<Option<CleanEvent>, StoreError> {
        let mut tx = self.begin().await?;
        let Some(stored) = read(&mut tx, article, true).await? else {
            tx.rollback().await.doing(DOING)?;
            return Ok(None);
        };
        let Some(site) = stored.site_hash else {
            tx.rollback().await.doing(DOING)?;
            return Ok(None);
        };
        let nearest = nearest(&mut tx, site, article).await?;
        let known: Sites = said_of(&mut tx, site).await?;
        let as_ruled = restore(&stored.clean);
        let decision = decide_from(&as_ruled, &stored.subject(), &nearest, known.instructions(site));
        let cleaned = apply(&as_ruled, &decision);
        let (before, after) = (taken_out(&stored.clean), taken_out(&cleaned));
        let mut event = None;
        if !before.keys().eq(after.keys()) {
            rewrite(&mut tx, article, &cleaned).await?;
            let detail = json!({"stories": decision.stories, "rule_version": RULE_VERSION});
            event = Some(record(&mut tx, &stored, "reclean", &before, &after, detail).await?);
        }
        sqlx::query(
            "UPDATE evidence SET page_blocks = $2, site_stories = $3, site_view = $4, story_id = $5 WHERE article_id = $1",
        )
        .bind(article)
        .bind(PageBlocks::of(&as_ruled).encode())
        .bind(i16::try_from(decision.stories).unwrap_or(i16::MAX))
        .bind(view(&decision, &nearest))
        .bind(stored.story)
        .execute(&mut *tx)
        .await
        .doing(DOING)?;
        let in_view = i16::try_from(nearest.iter().filter(|r| r.page.is_some()).count()).unwrap_or(i16::MAX);
        sqlx::query(if in_view < SETTLED {
            "UPDATE site_young SET articles = $3 WHERE site_hash = $1 AND article_id = $2"
        } else {
            "DELETE FROM site_young WHERE site_hash = $1 AND article_id = $2 AND $3 >= 0"
        })
        .bind(site)
        .bind(article)
        .bind(in_view)
        .execute(&mut *tx)
        .await
        .doing(DOING)?;
        tx.commit().await.doing(DOING)?;
        Ok(event)
    }

    /// Takes a cleaning event back: site memory has taken out again what it had taken out before. The janitor leaves the
    /// article alone from then on. An event of its own.
    ///
    /// # Errors
    /// There is no such event, or the article has a newer version or was cleaned again since.
    pub async fn undo_clean_event(&self, event: i64) -> Result<CleanEvent, StoreError> {
        let mut tx = self.begin().await?;
        let row: Option<(i64, i32, Value, Value)> =
            sqlx::query_as("SELECT article_id, version, before, after FROM clean_event WHERE event_id = $1")
                .bind(event)
                .fetch_optional(&mut *tx)
                .await
                .doing(DOING)?;
        let refused = |why: String| StoreError::NotPossible(why);
        let (article, version, to, from) =
            row.ok_or_else(|| refused(format!("there is no cleaning event {event}")))?;
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
        rewrite(&mut tx, article, &clean).await?;
        let after = taken_out(&clean);
        let done = record(
            &mut tx,
            &stored,
            "undo",
            &before,
            &after,
            json!({"undoes": event}),
        )
        .await?;
        sqlx::query("DELETE FROM site_young WHERE site_hash = $1 AND article_id = $2")
            .bind(stored.site_hash)
            .bind(article)
            .execute(&mut *tx)
            .await
            .doing(DOING)?;
        tx.commit().await.doing(DOING)?;
        Ok(done)
    }
}

/// The next sites with articles to be cleaned again, each with the number of its articles that can be held against them,
/// counted no further than is asked for.
pub(crate) const YOUNG_SITES: &str = "
    SELECT d.site_hash, n.articles
    FROM (SELECT DISTINCT site_hash FROM site_young WHERE site_hash > $1 ORDER BY site_hash LIMIT $2) AS d
    CROSS JOIN LATERAL (
        SELECT count(*) AS articles FROM (
            SELECT FROM evidence e WHERE e.site_hash = d.site_hash AND e.page_blocks IS NOT NULL
            ORDER BY e.article_id DESC LIMIT $3) AS seen
    ) AS n
    ORDER BY d.site_hash";

/// The articles of a site that stand nearest to one: as many before it as behind it, as far as there are.
pub(crate) async fn nearest(
    connection: &mut PgConnection,
    site: i64,
    article: i64,
) -> Result<Vec<Arc<SiteArticle>>, StoreError> {
    let most = i64::try_from(SIBLINGS).unwrap_or(i64::MAX);
    let before = site_articles(connection, site, i64::MIN, article, true, most).await?;
    let behind = site_articles(connection, site, article, i64::MAX, false, most).await?;
    let half = SIBLINGS / 2;
    let from_before = before.len().min(SIBLINGS - behind.len().min(half));
    let mut found: Vec<Arc<SiteArticle>> = before.into_iter().take(from_before).collect();
    let left = SIBLINGS - found.len();
    found.extend(behind.into_iter().take(left));
    Ok(found)
}
