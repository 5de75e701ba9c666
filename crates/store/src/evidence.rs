//! What is stored of candidates and of the sites' last articles, read for the decision.

use std::collections::HashMap;

use copydesk_article::{ArticleId, BlockHash, Fingerprint, StoryId};
use copydesk_dedup::{PriorLink, RECENTS};
use sqlx::{PgConnection, Row as _};

use crate::error::{Doing as _, StoreError};
use crate::identity::decode;

/// An older article as the decision sees it.
#[derive(Debug, Clone)]
pub(crate) struct Older {
    pub(crate) story: StoryId,
    pub(crate) site: Option<String>,
    pub(crate) url_hash: Option<u64>,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) link: Option<PriorLink>,
}

/// One of a site's last articles.
#[derive(Debug, Clone)]
pub(crate) struct SiteArticle {
    pub(crate) id: ArticleId,
    pub(crate) url_hash: Option<u64>,
    pub(crate) blocks: Vec<BlockHash>,
    pub(crate) title_words: Vec<u32>,
}

/// Reads articles and the articles that they are linked to.
pub(crate) async fn candidates(
    connection: &mut PgConnection,
    ids: &[i64],
) -> Result<HashMap<i64, Older>, StoreError> {
    const DOING: &str = "cannot read the candidates";
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = sqlx::query(
        "SELECT a.article_id, a.story_id, a.site, a.linked_to, a.shared_shingles, e.url_hash, e.evidence
         FROM (SELECT id FROM unnest($1::int8[]) AS w (id)
               UNION
               SELECT o.linked_to FROM unnest($1::int8[]) AS w (id) JOIN article o ON o.article_id = w.id
               WHERE o.linked_to IS NOT NULL) AS c
         JOIN article a ON a.article_id = c.id
         JOIN evidence e ON e.article_id = c.id",
    )
    .bind(ids)
    .fetch_all(connection)
    .await
    .doing(DOING)?;
    let mut found = HashMap::with_capacity(rows.len());
    for row in rows {
        let id: i64 = row.try_get(0).doing(DOING)?;
        let linked_to: Option<i64> = row.try_get(3).doing(DOING)?;
        let shared: Option<i32> = row.try_get(4).doing(DOING)?;
        found.insert(
            id,
            Older {
                story: StoryId(row.try_get(1).doing(DOING)?),
                site: row.try_get(2).doing(DOING)?,
                url_hash: row
                    .try_get::<Option<i64>, _>(5)
                    .doing(DOING)?
                    .map(i64::cast_unsigned),
                fingerprint: decode(id, row.try_get(6).doing(DOING)?)?,
                link: linked_to.map(|to| PriorLink {
                    to: ArticleId(to),
                    shared: u32::try_from(shared.unwrap_or(0)).unwrap_or(0),
                }),
            },
        );
    }
    Ok(found)
}

/// Reads the last articles of each site, the newest first.
pub(crate) async fn recents(
    connection: &mut PgConnection,
    sites: &[i64],
) -> Result<HashMap<i64, Vec<SiteArticle>>, StoreError> {
    const DOING: &str = "cannot read the sites' last articles";
    if sites.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = sqlx::query(
        "SELECT s.site, r.article_id, r.url_hash, r.block_hashes, r.title_words
         FROM unnest($1::int8[]) AS s (site)
         CROSS JOIN LATERAL (
             SELECT e.article_id, e.url_hash, e.block_hashes, e.title_words FROM evidence e
             WHERE e.site_hash = s.site ORDER BY e.article_id DESC LIMIT $2
         ) AS r
         ORDER BY r.article_id DESC",
    )
    .bind(sites)
    .bind(i64::try_from(RECENTS).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await
    .doing(DOING)?;
    let mut found: HashMap<i64, Vec<SiteArticle>> = HashMap::with_capacity(sites.len());
    for row in rows {
        let article = SiteArticle {
            id: ArticleId(row.try_get(1).doing(DOING)?),
            url_hash: row
                .try_get::<Option<i64>, _>(2)
                .doing(DOING)?
                .map(i64::cast_unsigned),
            blocks: blocks_from_bytes(row.try_get(3).doing(DOING)?),
            title_words: words_from_bytes(row.try_get(4).doing(DOING)?),
        };
        found
            .entry(row.try_get(0).doing(DOING)?)
            .or_default()
            .push(article);
    }
    Ok(found)
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

fn words_from_bytes(bytes: &[u8]) -> Vec<u32> {
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
