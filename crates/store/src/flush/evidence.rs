//! What is stored of candidates and of the sites' last articles, read for the decision.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, Utc};
use copydesk_article::{ArticleId, BlockHash, Fingerprint, StoryId};
use copydesk_dedup::{EXCERPTS, PART_FROM, PriorLink, RECENTS, Times};
use copydesk_site::{BlockKey, PageBlocks};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row as _};

use crate::caches::sites_at_hand::{SiteArticle, SitesAtHand};
use crate::error::{Doing as _, StoreError};
use crate::flush::identity::decode;

/// An older article as the decision sees it.
#[derive(Debug, Clone)]
pub(crate) struct Older<'b> {
    pub(crate) story: StoryId,
    pub(crate) site: Option<Cow<'b, str>>,
    pub(crate) url_hash: Option<u64>,
    /// Borrowed where it is of the same batch.
    pub(crate) fingerprint: Cow<'b, Fingerprint>,
    pub(crate) link: Option<PriorLink>,
    /// It is a digest.
    pub(crate) digest: bool,
    /// Articles that are linked to it as its excerpts, the oldest few; their evidence is read as well.
    pub(crate) excerpts: Vec<i64>,
    /// When it appeared, as far as it is known here.
    pub(crate) times: Times,
}

/// What is known of the sites of a batch.
#[derive(Debug, Default)]
pub(crate) struct Sites {
    /// The last articles by site, the newest first.
    pub(crate) recents: HashMap<i64, Vec<Arc<SiteArticle>>>,
    /// What people have said, by site: pinned, forgotten. Ascending.
    pub(crate) said: HashMap<i64, (Vec<BlockKey>, Vec<BlockKey>)>,
    /// Blocks that travel from site to site. Ascending.
    pub(crate) travelling: Vec<BlockKey>,
}

/// Articles, and those that they are linked to.
const CANDIDATES: &str = "
    SELECT id FROM unnest($1::int8[]) AS w (id)
    UNION
    SELECT m.linked_to FROM unnest($1::int8[]) AS w (id) JOIN membership m ON m.article_id = w.id
    WHERE m.linked_to IS NOT NULL";

/// Reads articles, the articles that they are linked to, and the excerpts of both.
pub(crate) async fn candidates(
    connection: &mut PgConnection,
    ids: &[i64],
) -> Result<HashMap<i64, Older<'static>>, StoreError> {
    let mut found = older(connection, CANDIDATES, ids).await?;
    let mut excerpts: Vec<i64> = found.values().flat_map(|o| o.excerpts.iter().copied()).collect();
    excerpts.retain(|id| !found.contains_key(id));
    excerpts.sort_unstable();
    excerpts.dedup();
    found.extend(older(connection, "SELECT unnest($1::int8[]) AS id", &excerpts).await?);
    Ok(found)
}

/// Reads the articles that a query over `ids` names.
async fn older(
    connection: &mut PgConnection,
    which: &'static str,
    ids: &[i64],
) -> Result<HashMap<i64, Older<'static>>, StoreError> {
    const DOING: &str = "cannot read the candidates";
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    // The list of relations is that of the index membership_parts: without it each candidate would cost a look at all articles.
    let sql = format!(
        "SELECT a.article_id, m.story_id, a.site, m.linked_to, m.shared_shingles, m.relation = 'digest' AS digest,
                a.published_at, a.fetched_at, a.message_time, e.url_hash, e.evidence,
                ARRAY(SELECT x.article_id FROM membership x WHERE x.linked_to = a.article_id AND x.relation IN ('excerpt', 'near_copy')
                          AND (x.relation = 'excerpt' OR x.containment >= {PART_FROM} AND x.containment_of_linked < {PART_FROM})
                      ORDER BY x.article_id LIMIT {EXCERPTS}) AS excerpts
         FROM ({which}) AS c
         JOIN membership m ON m.article_id = c.id
         JOIN article a ON a.article_id = c.id
         JOIN evidence e ON e.article_id = c.id"
    );
    let rows = sqlx::query(&sql)
        .bind(ids)
        .fetch_all(connection)
        .await
        .doing(DOING)?;
    let mut found = HashMap::with_capacity(rows.len());
    for row in rows {
        let id: i64 = row.try_get("article_id").doing(DOING)?;
        found.insert(id, older_article(id, &row)?);
    }
    Ok(found)
}

fn older_article(id: i64, row: &PgRow) -> Result<Older<'static>, StoreError> {
    const DOING: &str = "cannot read a candidate";
    let linked_to: Option<i64> = row.try_get("linked_to").doing(DOING)?;
    let shared: Option<i32> = row.try_get("shared_shingles").doing(DOING)?;
    let time = |column| {
        let time: Option<DateTime<Utc>> = row.try_get(column).doing(DOING)?;
        Ok::<_, StoreError>(time.map(|t| t.timestamp()))
    };
    Ok(Older {
        story: StoryId(row.try_get("story_id").doing(DOING)?),
        site: row
            .try_get::<Option<String>, _>("site")
            .doing(DOING)?
            .map(Cow::Owned),
        url_hash: row
            .try_get::<Option<i64>, _>("url_hash")
            .doing(DOING)?
            .map(i64::cast_unsigned),
        fingerprint: Cow::Owned(decode(id, row.try_get("evidence").doing(DOING)?)?),
        link: linked_to.map(|to| PriorLink {
            to: ArticleId(to),
            shared: u32::try_from(shared.unwrap_or(0)).unwrap_or(0),
        }),
        digest: row.try_get("digest").doing(DOING)?,
        excerpts: row.try_get("excerpts").doing(DOING)?,
        times: Times::believable(time("published_at")?, time("fetched_at")?, time("message_time")?),
    })
}

/// The one query for all sites of a batch: of each the last articles above an id. A test looks at its plan.
pub(crate) const SITES: &str = "
    SELECT 0, s.site, r.article_id, r.url_hash, r.block_hashes, r.title_words, r.page_blocks
    FROM unnest($1::int8[], $2::int8[]) AS s (site, above)
    CROSS JOIN LATERAL (
        SELECT e.article_id, e.url_hash, e.block_hashes, e.title_words, e.page_blocks FROM evidence e
        WHERE e.site_hash = s.site AND e.article_id > s.above ORDER BY e.article_id DESC LIMIT $3
    ) AS r
    UNION ALL
    SELECT CASE b.decision WHEN 'pin' THEN 1 ELSE 2 END, b.site_hash, b.block, NULL, NULL, NULL, NULL
    FROM unnest($1::int8[]) AS s (site) JOIN site_block b ON b.site_hash = s.site
    UNION ALL
    SELECT 3, 0, t.block, NULL, NULL, NULL, NULL FROM travelling_block t
    ORDER BY 3 DESC";

/// Reads the last articles of each site as far as they are not at hand, what people have said about their blocks, and what
/// travels.
pub(crate) async fn sites(
    connection: &mut PgConnection,
    at_hand: &SitesAtHand,
    sites: &[i64],
) -> Result<Sites, StoreError> {
    let now = Instant::now();
    let above = at_hand.read_above(sites, now);
    let recents = i64::try_from(RECENTS).unwrap_or(i64::MAX);
    let mut found = sites_with(connection, sites, &above, recents).await?;
    found.recents = at_hand.complete(sites, &above, found.recents, now);
    Ok(found)
}

async fn sites_with(
    connection: &mut PgConnection,
    sites: &[i64],
    above: &[i64],
    recents: i64,
) -> Result<Sites, StoreError> {
    const DOING: &str = "cannot read the sites' last articles";
    let mut found = Sites::default();
    if sites.is_empty() {
        return Ok(found);
    }
    let rows = sqlx::query(SITES)
        .bind(sites)
        .bind(above)
        .bind(recents)
        .fetch_all(connection)
        .await
        .doing(DOING)?;
    // The highest number comes first: blocks are put in from behind.
    for row in &rows {
        let site: i64 = row.try_get(1).doing(DOING)?;
        let number: i64 = row.try_get(2).doing(DOING)?;
        let block = BlockKey(u32::try_from(number).unwrap_or_default());
        match row.try_get::<i32, _>(0).doing(DOING)? {
            1 => found.said.entry(site).or_default().0.push(block),
            2 => found.said.entry(site).or_default().1.push(block),
            3 => found.travelling.push(block),
            _ => {
                let article = site_article(row).doing(DOING)?;
                found.recents.entry(site).or_default().push(Arc::new(article));
            }
        }
    }
    found.travelling.reverse();
    for (pinned, forgotten) in found.said.values_mut() {
        pinned.reverse();
        forgotten.reverse();
    }
    Ok(found)
}

/// A row with the columns of [`SITES`] as an article.
fn site_article(row: &PgRow) -> Result<SiteArticle, sqlx::Error> {
    let page: Option<&[u8]> = row.try_get(6)?;
    Ok(SiteArticle {
        id: ArticleId(row.try_get(2)?),
        url_hash: row.try_get::<Option<i64>, _>(3)?.map(i64::cast_unsigned),
        blocks: blocks_from_bytes(row.try_get(4)?),
        title_words: words_from_bytes(row.try_get(5)?),
        // What cannot be read says nothing: site memory does without it.
        page: page.and_then(|bytes| PageBlocks::decode(bytes).ok()),
    })
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
    const DOING: &str = "cannot read articles of the site";
    const COLUMNS: &str = "SELECT 0, e.site_hash, e.article_id, e.url_hash, e.block_hashes, e.title_words, e.page_blocks
        FROM evidence e WHERE e.site_hash = $1 AND e.article_id > $2 AND e.article_id < $3 AND e.page_blocks IS NOT NULL
        ORDER BY e.article_id";
    let order = if last { "DESC" } else { "ASC" };
    let rows = sqlx::query(&format!("{COLUMNS} {order} LIMIT $4"))
        .bind(site)
        .bind(above)
        .bind(below)
        .bind(most)
        .fetch_all(connection)
        .await
        .doing(DOING)?;
    rows.iter()
        .map(|row| site_article(row).map(Arc::new).doing(DOING))
        .collect()
}

/// What is known of one site besides its articles.
pub(crate) async fn said_of(connection: &mut PgConnection, site: i64) -> Result<Sites, StoreError> {
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
