//! Sites: which there are, what cleaning took at one, what people said about its blocks.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{read_all, text};
use crate::connect::config::Store;
use crate::error::StoreError;

/// A site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteRow {
    /// Its name.
    pub site: String,
    /// Its articles, no more than were counted.
    pub articles: i64,
    /// The latest time of publication that one of its articles states.
    pub last_published_at: Option<DateTime<Utc>>,
}

/// What a rule removed at a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemovedRule {
    /// The rule.
    pub rule: String,
    /// Blocks that it removed.
    pub blocks: i64,
    /// Articles that it removed some of.
    pub articles: i64,
    /// Characters in them.
    pub characters: i64,
    /// One of them.
    pub sample: Option<String>,
    /// The article that the sample is of.
    pub article_id: i64,
}

/// A row of the view `site_blocks`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverrideRow {
    /// The site.
    pub site: String,
    /// The block: eight hexadecimal digits.
    pub block: String,
    /// `pin` or `forget`.
    pub decision: String,
    /// The block's text.
    pub sample: Option<String>,
    /// Why.
    pub why: Option<String>,
    /// Who said it.
    pub decided_by: Option<String>,
    /// When.
    pub decided_at: DateTime<Utc>,
}

impl Store {
    /// Sites in alphabetical order from a name on, or behind one, each with its articles counted up to `counted`.
    ///
    /// Each name is looked up by the index over sites: no table is read whole, however many articles there are.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn read_sites(
        &self,
        from: &str,
        after: bool,
        counted: u32,
        most: u32,
    ) -> Result<Vec<SiteRow>, StoreError> {
        let from_here = if after { ">" } else { ">=" };
        // No min(site): behind a view that joins, Postgres does not take it from an index.
        read_all!(self, "cannot list the sites";
            &format!("WITH RECURSIVE name (site, number) AS (
                 SELECT (SELECT site FROM articles WHERE site {from_here} $1 ORDER BY site LIMIT 1), 1
                 UNION ALL
                 SELECT (SELECT a.site FROM articles a WHERE a.site > name.site ORDER BY a.site LIMIT 1), number + 1 FROM name
                 WHERE name.site IS NOT NULL AND number < $2)
             SELECT site, (SELECT count(*) FROM (SELECT FROM articles a WHERE a.site = name.site LIMIT $3) AS counted) AS articles,
                    (SELECT a.published_at FROM articles a WHERE a.site = name.site AND a.published_at IS NOT NULL
                     ORDER BY a.site DESC, a.published_at DESC LIMIT 1) AS last_published_at
             FROM name WHERE site IS NOT NULL ORDER BY site"),
            text(from), i32::try_from(most).unwrap_or(i32::MAX), i64::from(counted)
        )
    }

    /// What each rule removed in the articles of a site that were published last.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn read_removed(&self, site: &str, articles: u32) -> Result<Vec<RemovedRule>, StoreError> {
        read_all!(self, "cannot read what was removed at the site";
            "SELECT rule, count(*) AS blocks, count(DISTINCT article_id) AS articles, sum(length(text)) AS characters,
                    (array_agg(left(text, 200) ORDER BY article_id DESC))[1] AS sample, max(article_id) AS article_id
             FROM removed_blocks
             WHERE article_id = ANY (ARRAY(SELECT article_id FROM articles WHERE site = $1
                                           ORDER BY site DESC, published_at DESC LIMIT $2))
             GROUP BY rule ORDER BY blocks DESC, rule",
            text(site), i64::from(articles)
        )
    }

    /// What people said about blocks of a site.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn read_overrides(&self, site: &str, most: u32) -> Result<Vec<OverrideRow>, StoreError> {
        read_all!(self, "cannot read what people said about the site";
            "SELECT site, block, decision, sample, why, decided_by, decided_at FROM site_blocks
             WHERE site = $1 ORDER BY decided_at DESC LIMIT $2",
            text(site), i64::from(most)
        )
    }
}
