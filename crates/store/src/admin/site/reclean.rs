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
use crate::admin::site::stored_content::read;
use crate::caches::site_article_cache::SiteArticle;
use crate::connect::config::Store;
use crate::error::{Context as _, StoreError};
use crate::flush::evidence::{decisions_on, site_articles};
use crate::flush::site_memory::{MIN_SIBLINGS, decide_from, view};
use crate::flush::story_rows;
use crate::rows::{execute, fetch_all};

const CONTEXT: &str = "cannot clean stored articles again";

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
    /// Cleans provisional articles again, of up to `most` sites behind `after`. Answers with the last site
    /// and what was done; `None`: there are no more sites. Safe to stop and to repeat, and to run in several
    /// places.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn reclean_provisional(
        &self,
        after: i64,
        most: i64,
    ) -> Result<Option<(i64, RecleanStep)>, StoreError> {
        let mut step = RecleanStep::default();
        if !self.shared.config.site_memory {
            return Ok(None);
        }
        let mut tx = self.begin().await?;
        let found: Vec<(i64, i64)> = fetch_all!(&mut *tx, CONTEXT;
            PROVISIONAL_SITES, after, most, i64::from(MIN_SIBLINGS) + 1
        )?;
        tx.rollback().await.context(CONTEXT)?;
        let Some(last) = found.last().map(|(site, _)| *site) else {
            return Ok(None);
        };
        for (site, articles) in found {
            let others = articles - 1;
            if others < 1 {
                continue;
            }
            let due: Vec<ArticleId> = fetch_all!(&self.pool, CONTEXT;
                "SELECT article_id FROM site_provisional WHERE site_hash = $1 AND articles < $2 AND (articles * 2 <= $2 OR $2 >= $3)
                 ORDER BY article_id",
                site, i16::try_from(others).unwrap_or(i16::MAX), MIN_SIBLINGS
            )?;
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
    pub async fn reclean(&self, article: ArticleId) -> Result<Option<CleanEvent>, StoreError> {
        let mut tx = self.begin().await?;
        let stored = read(&mut tx, article, true).await?;
        let Some((stored, site)) = stored.and_then(|stored| stored.site_hash.map(|site| (stored, site)))
        else {
            tx.rollback().await.context(CONTEXT)?;
            return Ok(None);
        };
        let nearest = nearest(&mut tx, site, article).await?;
        let known = decisions_on(&mut tx, site).await?;
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
        execute!(&mut *tx, CONTEXT;
            "UPDATE evidence SET page_blocks = $2, site_stories = $3, site_view = $4 WHERE article_id = $1",
            article.0, PageBlocks::of_keys(&as_ruled, &keys).encode(),
            i16::try_from(decision.stories).unwrap_or(i16::MAX), view(&decision, &nearest)
        )?;
        let in_view = i16::try_from(nearest.iter().filter(|r| r.page.is_some()).count()).unwrap_or(i16::MAX);
        execute!(&mut *tx, CONTEXT;
            if in_view < MIN_SIBLINGS {
                "UPDATE site_provisional SET articles = $3 WHERE site_hash = $1 AND article_id = $2"
            } else {
                "DELETE FROM site_provisional WHERE site_hash = $1 AND article_id = $2 AND $3 >= 0"
            },
            site, article.0, in_view
        )?;
        if event.is_some() {
            story_rows::recount_of(&mut tx, &[article]).await?;
        }
        tx.commit().await.context(CONTEXT)?;
        Ok(event)
    }
}

/// The next sites with articles to be cleaned again, each with the number of its articles that can be held against them,
/// counted no further than is asked for.
pub(crate) const PROVISIONAL_SITES: &str = "
    SELECT d.site_hash, n.articles
    FROM (SELECT DISTINCT site_hash FROM site_provisional WHERE site_hash > $1 ORDER BY site_hash LIMIT $2) AS d
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
    article: ArticleId,
) -> Result<Vec<Arc<SiteArticle>>, StoreError> {
    let most = i64::try_from(SIBLINGS).unwrap_or(i64::MAX);
    let before = site_articles(connection, site, i64::MIN, article.0, true, most).await?;
    let behind = site_articles(connection, site, article.0, i64::MAX, false, most).await?;
    let half = SIBLINGS / 2;
    let from_before = before.len().min(SIBLINGS - behind.len().min(half));
    let mut found: Vec<Arc<SiteArticle>> = before.into_iter().take(from_before).collect();
    let left = SIBLINGS - found.len();
    found.extend(behind.into_iter().take(left));
    Ok(found)
}
