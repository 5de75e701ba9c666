//! What is stored of candidates and of the sites' last articles, read for the decision.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, Utc};
use copydesk_article::{ArticleId, BlockHash, Fingerprint, StoryId};
use copydesk_dedup::{COPIES, EXCERPTS, PART_FROM, PriorLink, RECENTS, Times};
use copydesk_site::{BlockKey, PageBlocks};
use sqlx::PgConnection;

use crate::caches::site_article_cache::{SiteArticle, SiteArticleCache};
use crate::error::StoreError;
use crate::flush::identity::decode;
use crate::rows::{distinct, fetch_all, numbers, record};

/// An older article as the decision sees it.
#[derive(Debug, Clone)]
pub(crate) struct StoredArticle<'b> {
    pub(crate) story: StoryId,
    pub(crate) site: Option<Cow<'b, str>>,
    pub(crate) url_hash: Option<u64>,
    /// Borrowed where it is of the same batch.
    pub(crate) fingerprint: Cow<'b, Fingerprint>,
    pub(crate) link: Option<PriorLink>,
    /// It is a digest.
    pub(crate) digest: bool,
    /// Articles that are linked to it as its excerpts, the oldest few; their evidence is read as well.
    pub(crate) excerpts: Vec<ArticleId>,
    /// Near copies that are linked to it, the oldest few; their evidence is read as well.
    pub(crate) copies: Vec<ArticleId>,
    /// When it appeared, as far as it is known here.
    pub(crate) times: Times,
}

/// What is known of the sites of a batch.
#[derive(Debug, Default)]
pub(crate) struct Sites {
    /// The last articles by site, the newest first.
    pub(crate) recents: HashMap<i64, Vec<Arc<SiteArticle>>>,
    /// Decisions of people, by site.
    pub(crate) overrides: HashMap<i64, Overrides>,
    /// Syndicated blocks. Ascending.
    pub(crate) syndicated: Vec<BlockKey>,
}

/// What people have decided on blocks of a site. Ascending.
#[derive(Debug, Default)]
pub(crate) struct Overrides {
    pub(crate) pinned: Vec<BlockKey>,
    pub(crate) forgotten: Vec<BlockKey>,
}

/// Articles, and those that they are linked to.
const CANDIDATES: &str = "
    SELECT id FROM unnest($1::int8[]) AS w (id)
    UNION
    SELECT m.linked_to FROM unnest($1::int8[]) AS w (id) JOIN membership m ON m.article_id = w.id
    WHERE m.linked_to IS NOT NULL";

record! {
    struct Candidate {
        article_id: ArticleId,
        story_id: StoryId,
        site: Option<String>,
        linked_to: Option<ArticleId>,
        shared_shingles: Option<i32>,
        digest: bool,
        published_at: Option<DateTime<Utc>>,
        fetched_at: Option<DateTime<Utc>>,
        message_time: Option<DateTime<Utc>>,
        url_hash: Option<i64>,
        evidence: Vec<u8>,
        excerpts: Vec<ArticleId>,
        copies: Vec<ArticleId>,
    }
}

/// Reads articles, the articles that they are linked to, and the excerpts and first copies of both.
pub(crate) async fn candidates(
    connection: &mut PgConnection,
    ids: &[ArticleId],
) -> Result<HashMap<ArticleId, StoredArticle<'static>>, StoreError> {
    let mut found = stored(connection, CANDIDATES, ids).await?;
    let linked = found
        .values()
        .flat_map(|article| article.excerpts.iter().chain(&article.copies).copied());
    let linked = distinct(linked.filter(|id| !found.contains_key(id)));
    found.extend(stored(connection, "SELECT unnest($1::int8[]) AS id", &linked).await?);
    Ok(found)
}

/// Reads the articles that a query over `ids` names.
async fn stored(
    connection: &mut PgConnection,
    which: &'static str,
    ids: &[ArticleId],
) -> Result<HashMap<ArticleId, StoredArticle<'static>>, StoreError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    // The list of relations is that of the index membership_parts: without it each candidate would cost a look at all articles.
    let rows: Vec<Candidate> = fetch_all!(connection, "cannot read the candidates";
        &format!("SELECT a.article_id, m.story_id, a.site, m.linked_to, m.shared_shingles, m.relation = 'digest' AS digest,
                a.published_at, a.fetched_at, a.message_time, e.url_hash, e.evidence,
                ARRAY(SELECT x.article_id FROM membership x WHERE x.linked_to = a.article_id AND x.relation IN ('excerpt', 'near_copy')
                          AND (x.relation = 'excerpt' OR x.containment >= {PART_FROM} AND x.containment_of_linked < {PART_FROM})
                      ORDER BY x.article_id LIMIT {EXCERPTS}) AS excerpts,
                ARRAY(SELECT x.article_id FROM membership x WHERE x.linked_to = a.article_id AND x.relation IN ('excerpt', 'near_copy')
                          AND x.relation = 'near_copy'
                      ORDER BY x.article_id LIMIT {COPIES}) AS copies
         FROM ({which}) AS c
         JOIN membership m ON m.article_id = c.id
         JOIN article a ON a.article_id = c.id
         JOIN evidence e ON e.article_id = c.id"),
        numbers(ids)
    )?;
    rows.into_iter()
        .map(|row| Ok((row.article_id, stored_article(row)?)))
        .collect()
}

fn stored_article(row: Candidate) -> Result<StoredArticle<'static>, StoreError> {
    let seconds = |time: Option<DateTime<Utc>>| time.map(|t| t.timestamp());
    let (published, fetched, sent) = (row.published_at, row.fetched_at, row.message_time);
    Ok(StoredArticle {
        story: row.story_id,
        site: row.site.map(Cow::Owned),
        url_hash: row.url_hash.map(i64::cast_unsigned),
        fingerprint: Cow::Owned(decode(row.article_id, &row.evidence)?),
        link: row.linked_to.map(|to| PriorLink {
            to,
            shared: u32::try_from(row.shared_shingles.unwrap_or(0)).unwrap_or(0),
        }),
        digest: row.digest,
        excerpts: row.excerpts,
        copies: row.copies,
        times: Times::believable(seconds(published), seconds(fetched), seconds(sent)),
    })
}

/// What [`SITES`] answers with: an article of a site, or a block.
mod kind {
    pub(super) const PINNED: i32 = 1;
    pub(super) const FORGOTTEN: i32 = 2;
    pub(super) const SYNDICATED: i32 = 3;
}

/// The one query for all sites of a batch: of each the last articles above an id. A test looks at its plan.
pub(crate) const SITES: &str = "
    SELECT 0 AS kind, s.site, r.article_id AS number, r.url_hash, r.block_hashes, r.title_words, r.page_blocks
    FROM unnest($1::int8[], $2::int8[]) AS s (site, above)
    CROSS JOIN LATERAL (
        SELECT e.article_id, e.url_hash, e.block_hashes, e.title_words, e.page_blocks FROM evidence e
        WHERE e.site_hash = s.site AND e.article_id > s.above ORDER BY e.article_id DESC LIMIT $3
    ) AS r
    UNION ALL
    SELECT CASE b.decision WHEN 'pin' THEN 1 ELSE 2 END, b.site_hash, b.block, NULL, NULL, NULL, NULL
    FROM unnest($1::int8[]) AS s (site) JOIN site_block b ON b.site_hash = s.site
    UNION ALL
    SELECT 3, 0, t.block, NULL, NULL, NULL, NULL FROM syndicated_block t
    ORDER BY number DESC";

/// Reads the last articles of each site as far as they are not cached, what people have decided on its
/// blocks, and syndicated blocks.
pub(crate) async fn sites(
    connection: &mut PgConnection,
    cache: &SiteArticleCache,
    sites: &[i64],
) -> Result<Sites, StoreError> {
    let now = Instant::now();
    let above = cache.read_above(sites, now);
    let recents = i64::try_from(RECENTS).unwrap_or(i64::MAX);
    let mut found = sites_with(connection, sites, &above, recents).await?;
    found.recents = cache.complete(sites, &above, found.recents, now);
    Ok(found)
}

async fn sites_with(
    connection: &mut PgConnection,
    sites: &[i64],
    above: &[i64],
    recents: i64,
) -> Result<Sites, StoreError> {
    let mut found = Sites::default();
    if sites.is_empty() {
        return Ok(found);
    }
    let rows: Vec<SiteRow> =
        fetch_all!(connection, "cannot read the sites' last articles"; SITES, sites, above, recents)?;
    // The highest number comes first: blocks are put in order by going backwards, articles stay as they are.
    for row in rows.iter().rev().filter(|row| row.kind != 0) {
        let block = BlockKey(u32::try_from(row.number).unwrap_or_default());
        match row.kind {
            kind::PINNED => found.overrides.entry(row.site).or_default().pinned.push(block),
            kind::FORGOTTEN => found.overrides.entry(row.site).or_default().forgotten.push(block),
            kind::SYNDICATED => found.syndicated.push(block),
            _ => {}
        }
    }
    for row in rows.into_iter().filter(|row| row.kind == 0) {
        found
            .recents
            .entry(row.site)
            .or_default()
            .push(Arc::new(site_article(row)));
    }
    Ok(found)
}

record! {
    struct SiteRow {
        kind: i32,
        site: i64,
        number: i64,
        url_hash: Option<i64>,
        block_hashes: Option<Vec<u8>>,
        title_words: Option<Vec<u8>>,
        page_blocks: Option<Vec<u8>>,
    }
}

fn site_article(row: SiteRow) -> SiteArticle {
    SiteArticle {
        id: ArticleId(row.number),
        url_hash: row.url_hash.map(i64::cast_unsigned),
        blocks: blocks_from_bytes(&row.block_hashes.unwrap_or_default()),
        title_words: words_from_bytes(&row.title_words.unwrap_or_default()),
        // Site memory does without blocks that cannot be read.
        page: row.page_blocks.and_then(|bytes| PageBlocks::decode(&bytes).ok()),
    }
}

/// Articles of a site between two (neither among them) whose blocks are known: the last ones if `last`, else the first.
pub(crate) async fn site_articles(
    connection: &mut PgConnection,
    site: i64,
    above: i64,
    below: i64,
    last: bool,
    most: i64,
) -> Result<Vec<Arc<SiteArticle>>, StoreError> {
    let order = if last { "DESC" } else { "ASC" };
    let rows: Vec<SiteRow> = fetch_all!(connection, "cannot read articles of the site";
        &format!("SELECT 0 AS kind, e.site_hash AS site, e.article_id AS number, e.url_hash, e.block_hashes, e.title_words, e.page_blocks
         FROM evidence e WHERE e.site_hash = $1 AND e.article_id > $2 AND e.article_id < $3 AND e.page_blocks IS NOT NULL
         ORDER BY e.article_id {order} LIMIT $4"),
        site, above, below, most
    )?;
    Ok(rows.into_iter().map(|row| Arc::new(site_article(row))).collect())
}

/// What is known of one site besides its articles.
pub(crate) async fn decisions_on(connection: &mut PgConnection, site: i64) -> Result<Sites, StoreError> {
    sites_with(connection, &[site], &[i64::MAX], 0).await
}

/// `evidence.block_hashes`, `evidence.dropped_blocks`: 8 bytes each, little endian.
pub(crate) fn blocks_to_bytes(blocks: &[BlockHash]) -> Vec<u8> {
    blocks.iter().flat_map(|b| b.0.to_le_bytes()).collect()
}

/// `evidence.title_words`: 4 bytes each, little endian.
pub(crate) fn words_to_bytes(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|w| w.to_le_bytes()).collect()
}

pub(crate) fn blocks_from_bytes(bytes: &[u8]) -> Vec<BlockHash> {
    bytes
        .as_chunks()
        .0
        .iter()
        .map(|b| BlockHash(i64::from_le_bytes(*b)))
        .collect()
}

pub(crate) fn words_from_bytes(bytes: &[u8]) -> Vec<u32> {
    bytes
        .as_chunks()
        .0
        .iter()
        .map(|b| u32::from_le_bytes(*b))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_survive_the_way_through_bytes() {
        let blocks = vec![BlockHash(0), BlockHash(-1), BlockHash(i64::MIN)];
        assert_eq!(blocks_from_bytes(&blocks_to_bytes(&blocks)), blocks);
        let words = vec![0, 7, u32::MAX];
        assert_eq!(words_from_bytes(&words_to_bytes(&words)), words);
    }
}
