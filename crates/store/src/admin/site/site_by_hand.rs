//! Sites in a person's hands: what a site repeats, what people say about it, why a block went.

use std::collections::BTreeMap;

use copydesk_article::ArticleId;
use copydesk_site::{BlockKey, BlockKeys, PageBlocks, SITE_MEMORY, Zone, block_key, restore};
use sqlx::Row as _;

use crate::admin::site::stored_article::{read, read_all};
use crate::connect::config::Store;
use crate::error::{Doing as _, StoreError};
use crate::flush::evidence::{said_of, site_articles};
use crate::flush::identity::site_hash;
use crate::flush::site_memory::decide_from;

const DOING: &str = "cannot read the site";

/// A block that a site shows in several articles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteMemoryBlock {
    /// Its key.
    pub block: BlockKey,
    /// Articles that show it.
    pub articles: usize,
    /// Articles out of whose body site memory took it.
    pub removed_by_memory: usize,
    /// How many articles show it in which zone.
    pub zones: Vec<(Zone, usize)>,
    /// The block as it stands in the latest of them.
    pub sample: String,
    /// What a person has said about it: `pin` or `forget`.
    pub said: Option<String>,
    /// It travels with stories from site to site: it stays.
    pub travels: bool,
}

/// What a site repeats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteOverview {
    /// The site.
    pub site: String,
    /// Articles that were looked at, the latest.
    pub articles: usize,
    /// The blocks, the most frequent first.
    pub blocks: Vec<SiteMemoryBlock>,
}

/// What a person says about a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saying {
    /// It is never the article.
    Pin,
    /// It stays, whoever shows it.
    Forget,
}

impl Saying {
    /// The name stored in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pin => "pin",
            Self::Forget => "forget",
        }
    }

    /// The saying with this stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Pin, Self::Forget].into_iter().find(|s| s.as_str() == name)
    }
}

/// One row of what people say, as exported and imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteBlock {
    /// The site.
    pub site: String,
    /// The block.
    pub block: BlockKey,
    /// What is said.
    pub saying: Saying,
    /// The block as it stood in an article.
    pub sample: Option<String>,
    /// The reason.
    pub why: String,
}

/// What site memory decided on an article, recorded and made again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteExplanation {
    /// The article.
    pub article_id: i64,
    /// Its headline.
    pub title: Option<String>,
    /// Stories of the site that are looked at when it is decided again.
    pub stories: usize,
    /// What was taken out: place, evidence as recorded, text.
    pub removed: Vec<(usize, String, String)>,
    /// What the site repeats and was left, decided again: place, guard, text.
    pub spared: Vec<(usize, &'static str, String)>,
    /// The decision, made again from the same articles of the site, takes out the same blocks.
    pub same: bool,
}

impl Store {
    /// What a site repeats in its last `most` articles: blocks that at least two of them show. `None`: there is no article
    /// of the site.
    ///
    /// # Errors
    /// Postgres does not answer; stored blocks cannot be read.
    pub async fn site_overview(&self, site: &str, most: i64) -> Result<Option<SiteOverview>, StoreError> {
        let mut tx = self.begin_reading().await?;
        let hash = site_hash(site);
        let ids: Vec<i64> = sqlx::query_scalar(
            "SELECT article_id FROM evidence WHERE site_hash = $1 ORDER BY article_id DESC LIMIT $2",
        )
        .bind(hash)
        .bind(most)
        .fetch_all(&mut *tx)
        .await
        .doing(DOING)?;
        if ids.is_empty() {
            return Ok(None);
        }
        let articles = read_all(&mut tx, &ids).await?;
        let known = said_of(&mut tx, hash).await?;
        let instructions = known.instructions(hash);
        let mut found: BTreeMap<BlockKey, SiteMemoryBlock> = BTreeMap::new();
        for article in &articles {
            let page = PageBlocks::of(&article.clean);
            let mut seen: Vec<BlockKey> = Vec::new();
            for block in &article.clean.blocks {
                let Some(key) = block_key(&block.text).filter(|k| !seen.contains(k)) else {
                    continue;
                };
                let Some(zone) = page.find(key) else { continue };
                seen.push(key);
                let entry = found.entry(key).or_insert_with(|| SiteMemoryBlock {
                    block: key,
                    articles: 0,
                    removed_by_memory: 0,
                    zones: Vec::new(),
                    sample: String::new(),
                    said: None,
                    travels: instructions.protected.binary_search(&key).is_ok(),
                });
                entry.articles += 1;
                entry.sample.clone_from(&block.text);
                let by_memory = block.removed.as_ref().is_some_and(|r| r.rule == SITE_MEMORY);
                entry.removed_by_memory += usize::from(by_memory);
                match entry.zones.iter_mut().find(|(z, _)| *z == zone) {
                    Some((_, count)) => *count += 1,
                    None => entry.zones.push((zone, 1)),
                }
            }
        }
        for (keys, saying) in [
            (instructions.pinned, Saying::Pin),
            (instructions.forgotten, Saying::Forget),
        ] {
            for key in keys {
                if let Some(block) = found.get_mut(key) {
                    block.said = Some(saying.as_str().to_owned());
                }
            }
        }
        let mut blocks: Vec<SiteMemoryBlock> = found
            .into_values()
            .filter(|b| b.articles >= 2 || b.said.is_some())
            .collect();
        blocks.sort_by(|a, b| b.articles.cmp(&a.articles).then(a.block.cmp(&b.block)));
        Ok(Some(SiteOverview {
            site: site.to_owned(),
            articles: articles.len(),
            blocks,
        }))
    }

    /// Records what a person says about blocks. The last word on a block counts.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn say_of_blocks(&self, sayings: &[SiteBlock], who: &str) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        for saying in sayings {
            sqlx::query(
                "INSERT INTO site_block (site_hash, site, block, decision, sample, why, decided_by)
                 VALUES ($1, $2, $3, $4, $5, $6, $7)
                 ON CONFLICT (site_hash, block) DO UPDATE SET decision = EXCLUDED.decision, why = EXCLUDED.why,
                     sample = coalesce(EXCLUDED.sample, site_block.sample), decided_by = EXCLUDED.decided_by, decided_at = now()",
            )
            .bind(site_hash(&saying.site))
            .bind(&saying.site)
            .bind(i64::from(saying.block.0))
            .bind(saying.saying.as_str())
            .bind(&saying.sample)
            .bind(&saying.why)
            .bind(who)
            .execute(&mut *tx)
            .await
            .doing("cannot record what is said about a block")?;
        }
        tx.commit()
            .await
            .doing("cannot record what is said about a block")
    }

    /// Takes back what was said about a block. Answers whether anything was.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn unsay_of_block(&self, site: &str, block: BlockKey) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM site_block WHERE site_hash = $1 AND block = $2")
            .bind(site_hash(site))
            .bind(i64::from(block.0))
            .execute(&self.pool)
            .await
            .doing("cannot take back what was said about a block")?;
        Ok(done.rows_affected() > 0)
    }

    /// What people have said, about one site or all.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn said_of_blocks(&self, site: Option<&str>) -> Result<Vec<SiteBlock>, StoreError> {
        let rows = sqlx::query(
            "SELECT site, block, decision, sample, why FROM site_block WHERE $1::text IS NULL OR site = $1 ORDER BY site, block",
        )
        .bind(site)
        .fetch_all(&self.pool)
        .await
        .doing(DOING)?;
        rows.iter()
            .map(|row| {
                let (block, decision): (i64, String) =
                    (row.try_get(1).doing(DOING)?, row.try_get(2).doing(DOING)?);
                Ok(SiteBlock {
                    site: row.try_get(0).doing(DOING)?,
                    block: BlockKey(u32::try_from(block).unwrap_or_default()),
                    saying: Saying::from_name(&decision)
                        .ok_or_else(|| StoreError::Unknown(format!("the decision {decision:?}")))?,
                    sample: row.try_get(3).doing(DOING)?,
                    why: row.try_get(4).doing(DOING)?,
                })
            })
            .collect()
    }

    /// The next articles of a site behind `after`, to clean them again one by one.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn articles_of_site(&self, site: &str, after: i64, most: i64) -> Result<Vec<i64>, StoreError> {
        sqlx::query_scalar(
            "SELECT article_id FROM evidence WHERE site_hash = $1 AND article_id > $2 ORDER BY article_id LIMIT $3",
        )
        .bind(site_hash(site))
        .bind(after)
        .bind(most)
        .fetch_all(&self.pool)
        .await
        .doing(DOING)
    }

    /// Shows what site memory decided on an article and decides again, from the articles of the site that it looked at then
    /// and what people have said since. `None`: there is no such article.
    ///
    /// # Errors
    /// Postgres does not answer; stored blocks cannot be read.
    pub async fn explain_site_memory(&self, article: i64) -> Result<Option<SiteExplanation>, StoreError> {
        let mut tx = self.begin_reading().await?;
        let Some(stored) = read(&mut tx, article, false).await? else {
            return Ok(None);
        };
        let mut looked_at = Vec::new();
        let mut known = crate::flush::evidence::Sites::default();
        if let Some(site) = stored.site_hash {
            known = said_of(&mut tx, site).await?;
            let view = stored.site_view.clone().unwrap_or_default();
            if let (Some(first), Some(last)) = (view.iter().min(), view.iter().max()) {
                looked_at = site_articles(&mut tx, site, first - 1, last + 1, false, i64::MAX).await?;
                looked_at.retain(|a| view.contains(&a.id.0));
            }
        }
        let as_ruled = restore(&stored.clean);
        let instructions = known.instructions(stored.site_hash.unwrap_or_default());
        let subject = copydesk_site::Subject {
            id: ArticleId(stored.id),
            ..stored.subject()
        };
        let decision = decide_from(
            &as_ruled,
            &BlockKeys::of(&as_ruled),
            &subject,
            &looked_at,
            instructions,
        );
        let text = |position: usize| {
            stored
                .clean
                .blocks
                .get(position)
                .map_or_else(String::new, |b| b.text.clone())
        };
        let removed: Vec<(usize, String, String)> = stored
            .clean
            .removed()
            .filter(|(_, _, removal)| removal.rule == SITE_MEMORY)
            .map(|(position, block, removal)| {
                (
                    position,
                    removal.evidence.clone().unwrap_or_default(),
                    block.text.clone(),
                )
            })
            .collect();
        Ok(Some(SiteExplanation {
            article_id: stored.id,
            title: stored.clean.metadata.title.as_ref().map(|t| t.value.clone()),
            stories: decision.stories,
            same: removed
                .iter()
                .map(|(position, ..)| *position)
                .eq(decision.removed.iter().map(|f| f.position)),
            spared: decision
                .spared
                .iter()
                .map(|s| (s.position, s.guard.as_str(), text(s.position)))
                .collect(),
            removed,
        }))
    }
}
