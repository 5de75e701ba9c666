//! Sites in a person's hands: the blocks that a site repeats, decisions on them, and why a block was taken
//! out.

use std::collections::BTreeMap;

use copydesk_article::ArticleId;
use copydesk_site::{BlockKey, BlockKeys, PageBlocks, SITE_MEMORY, Zone, block_key, restore};

use crate::admin::site::stored_content::{read, read_all};
use crate::connect::config::Store;
use crate::error::{Context as _, StoreError};
use crate::flush::evidence::{Sites, decisions_on, site_articles};
use crate::flush::identity::site_hash;
use crate::flush::site_memory::decide_from;
use crate::rows::{execute, fetch_all, named, record};

const CONTEXT: &str = "cannot read the site";

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
    /// A person's decision on it.
    pub decision: Option<SiteOverride>,
    /// It is syndicated, so it stays.
    pub syndicated: bool,
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

named! {
    /// A person's decision on a block, which overrides site memory.
    pub enum SiteOverride {
        /// It is never part of an article.
        Pin = "pin",
        /// It stays, whoever shows it.
        Forget = "forget",
    }
}

record! {
    /// A person's decision on a block, as exported and imported.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct SiteBlock {
        /// The site.
        pub site: String,
        /// The block.
        pub block: BlockKey,
        /// The decision on it.
        pub decision: SiteOverride,
        /// The block as it stood in an article.
        pub sample: Option<String>,
        /// The reason.
        pub why: String,
    }
}

/// The decision of site memory on an article, recorded and made again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteExplanation {
    /// The article.
    pub article_id: ArticleId,
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
        let ids: Vec<ArticleId> = fetch_all!(&mut *tx, CONTEXT;
            "SELECT article_id FROM evidence WHERE site_hash = $1 ORDER BY article_id DESC LIMIT $2",
            hash, most
        )?;
        if ids.is_empty() {
            return Ok(None);
        }
        let articles = read_all(&mut tx, &ids).await?;
        let known = decisions_on(&mut tx, hash).await?;
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
                    decision: None,
                    syndicated: instructions.protected.binary_search(&key).is_ok(),
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
        for (keys, decision) in [
            (instructions.pinned, SiteOverride::Pin),
            (instructions.forgotten, SiteOverride::Forget),
        ] {
            for key in keys {
                if let Some(block) = found.get_mut(key) {
                    block.decision = Some(decision);
                }
            }
        }
        let mut blocks: Vec<SiteMemoryBlock> = found
            .into_values()
            .filter(|b| b.articles >= 2 || b.decision.is_some())
            .collect();
        blocks.sort_by(|a, b| b.articles.cmp(&a.articles).then(a.block.cmp(&b.block)));
        Ok(Some(SiteOverview {
            site: site.to_owned(),
            articles: articles.len(),
            blocks,
        }))
    }

    /// Records a person's decisions on blocks. The last decision on a block counts.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn set_overrides(&self, decisions: &[SiteBlock], who: &str) -> Result<(), StoreError> {
        const CONTEXT: &str = "cannot record a decision on a block";
        let mut tx = self.begin().await?;
        for decision in decisions {
            execute!(&mut *tx, CONTEXT;
                "INSERT INTO site_block (site_hash, site, block, decision, sample, why, decided_by)
                 VALUES ($1, $2, $3, $4, $5, $6, $7)
                 ON CONFLICT (site_hash, block) DO UPDATE SET decision = EXCLUDED.decision, why = EXCLUDED.why,
                     sample = coalesce(EXCLUDED.sample, site_block.sample), decided_by = EXCLUDED.decided_by, decided_at = now()",
                site_hash(&decision.site), &decision.site, i64::from(decision.block.0),
                decision.decision.as_str(), &decision.sample, &decision.why, who
            )?;
        }
        tx.commit().await.context(CONTEXT)
    }

    /// Takes back the decision on a block. Answers whether there was one.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn clear_override(&self, site: &str, block: BlockKey) -> Result<bool, StoreError> {
        let done = execute!(&self.pool, "cannot take back the decision on a block";
            "DELETE FROM site_block WHERE site_hash = $1 AND block = $2", site_hash(site), i64::from(block.0)
        )?;
        Ok(done > 0)
    }

    /// The decisions of people, on one site's blocks or all.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn overrides(&self, site: Option<&str>) -> Result<Vec<SiteBlock>, StoreError> {
        fetch_all!(&self.pool, CONTEXT;
            "SELECT site, block, decision, sample, why FROM site_block WHERE $1::text IS NULL OR site = $1 ORDER BY site, block",
            site
        )
    }

    /// The next articles of a site behind `after`, to clean them again one by one.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn articles_of_site(
        &self,
        site: &str,
        after: ArticleId,
        most: i64,
    ) -> Result<Vec<ArticleId>, StoreError> {
        fetch_all!(&self.pool, CONTEXT;
            "SELECT article_id FROM evidence WHERE site_hash = $1 AND article_id > $2 ORDER BY article_id LIMIT $3",
            site_hash(site), after.0, most
        )
    }

    /// Shows the decision of site memory on an article and makes it again, from the articles of the site that
    /// it was made from and the decisions of people since then. `None`: there is no such article.
    ///
    /// # Errors
    /// Postgres does not answer; stored blocks cannot be read.
    pub async fn explain_site_memory(
        &self,
        article: ArticleId,
    ) -> Result<Option<SiteExplanation>, StoreError> {
        let mut tx = self.begin_reading().await?;
        let Some(stored) = read(&mut tx, article, false).await? else {
            return Ok(None);
        };
        let mut looked_at = Vec::new();
        let mut known = Sites::default();
        if let Some(site) = stored.site_hash {
            known = decisions_on(&mut tx, site).await?;
            let view = stored.site_view.clone().unwrap_or_default();
            if let (Some(first), Some(last)) = (view.iter().min(), view.iter().max()) {
                looked_at = site_articles(&mut tx, site, first.0 - 1, last.0 + 1, false, i64::MAX).await?;
                looked_at.retain(|a| view.contains(&a.id));
            }
        }
        let as_ruled = restore(&stored.clean);
        let instructions = known.instructions(stored.site_hash.unwrap_or_default());
        let decision = decide_from(
            &as_ruled,
            &BlockKeys::of(&as_ruled),
            &stored.subject(),
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
