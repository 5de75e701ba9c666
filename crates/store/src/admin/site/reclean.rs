//! Articles that were stored before enough was known of their site are cleaned again, from their own stored blocks.
//!
//! Only what site memory takes out changes, by the same pure decision as in the flush. Body, blocks and word count
//! follow; keys, fingerprints and links stay, because they are of the text as the rules left it. Each change is a row of
//! `clean_event` and can be taken back.

use std::sync::Arc;

use copydesk_article::ArticleId;
use copydesk_site::{BlockKeys, PageBlocks, RULE_VERSION, SIBLINGS, apply, restore};
use serde_json::json;
use sqlx::PgConnection;

use crate::admin::site::clean_events::{CleanEvent, record, rewrite, taken_out};
use crate::admin::site::stored_article::read;
use crate::caches::sites_at_hand::SiteArticle;
use crate::connect::config::Store;
use crate::error::{Doing as _, StoreError};
use crate::flush::evidence::{Sites, said_of, site_articles};
use crate::flush::site_memory::{SETTLED, decide_from, view};
use crate::flush::story_rows;

const DOING: &str = "cannot clean stored articles again";

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

impl Store {
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
        let keys = BlockKeys::of(&as_ruled);
        let decision = decide_from(
            &as_ruled,
            &keys,
            &stored.subject(),
            &nearest,
            known.instructions(site),
        );
        let cleaned = apply(&as_ruled, &decision);
        let (before, after) = (taken_out(&stored.clean), taken_out(&cleaned));
        let mut event = None;
        if !before.keys().eq(after.keys()) {
            let hash = rewrite(&mut tx, article, &cleaned).await?;
            let detail = json!({"stories": decision.stories, "rule_version": RULE_VERSION});
            event = Some(record(&mut tx, &stored, "reclean", &before, &after, detail, hash).await?);
        }
        sqlx::query(
            "UPDATE evidence SET page_blocks = $2, site_stories = $3, site_view = $4 WHERE article_id = $1",
        )
        .bind(article)
        .bind(PageBlocks::of_keys(&as_ruled, &keys).encode())
        .bind(i16::try_from(decision.stories).unwrap_or(i16::MAX))
        .bind(view(&decision, &nearest))
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
        if event.is_some() {
            story_rows::recount_of(&mut tx, &[ArticleId(article)]).await?;
        }
        tx.commit().await.doing(DOING)?;
        Ok(event)
    }
}

/// The next sites with articles to be cleaned again, each with the number of its articles that can be held against them,
/// counted no further than is asked for.
pub(crate) const YOUNG_SITES: &str = "
    SELECT d.site_hash, n.articles
    FROM (SELECT DISTINCT site_hash FROM site_young WHERE site_hash > $1 ORDER BY site_hash LIMIT $2) AS d
    CROSS JOIN LATERAL (
        SELECT count(*) AS articles FROM (
            SELECT FROM evidence e WHERE e.site_hash = d.site_hash
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
