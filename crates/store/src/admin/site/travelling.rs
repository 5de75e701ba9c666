//! Blocks that travel with stories from site to site: an agency's closing sentence, a note on how a poll was made.
//!
//! A site that carries an agency's stories shows that sentence in one after the other, as it shows its own furniture. What
//! tells the two apart is that the sentence is in the copies at other sites as well: furniture stays at home.

use std::collections::{HashMap, HashSet};

use copydesk_site::{BlockKey, PageBlocks, Zone};
use sqlx::Row as _;

use crate::connect::config::Store;
use crate::error::{Doing as _, StoreError};

const DOING: &str = "cannot look for blocks that travel with stories";

/// Stories in which a block must have travelled: two may be one paragraph that was used again.
const STORIES: usize = 3;
/// Blocks that are kept at most: every flush reads them.
const MOST: usize = 5_000;

impl Store {
    /// Looks at the latest copies, up to so many, for blocks that they share with the article they are copies of, at another
    /// site. Answers with the number of blocks that do so in several stories.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn find_travelling_blocks(&self, copies: i64) -> Result<u64, StoreError> {
        let mut tx = self.begin().await?;
        let rows = sqlx::query(
            "SELECT c.story_id, n.page_blocks, o.page_blocks
             FROM (SELECT article_id, linked_to, story_id FROM membership WHERE linked_to IS NOT NULL
                   ORDER BY article_id DESC LIMIT $1) AS c
             JOIN article a ON a.article_id = c.article_id
             JOIN article l ON l.article_id = c.linked_to AND l.site IS DISTINCT FROM a.site
             JOIN evidence n ON n.article_id = c.article_id
             JOIN evidence o ON o.article_id = c.linked_to",
        )
        .bind(copies)
        .fetch_all(&mut *tx)
        .await
        .doing(DOING)?;
        let mut stories: HashMap<BlockKey, HashSet<i64>> = HashMap::new();
        for row in rows {
            let story: i64 = row.try_get(0).doing(DOING)?;
            let page = |n: usize| PageBlocks::decode(row.try_get::<&[u8], _>(n).unwrap_or_default());
            let (Ok(copy), Ok(original)) = (page(1), page(2)) else {
                continue;
            };
            for key in copy.zone(Zone::Kept) {
                if original.zone(Zone::Kept).binary_search(key).is_ok() {
                    stories.entry(*key).or_default().insert(story);
                }
            }
        }
        let mut found: Vec<(i32, i64)> = stories
            .into_iter()
            .filter(|(_, s)| s.len() >= STORIES)
            .map(|(key, s)| (i32::try_from(s.len()).unwrap_or(i32::MAX), i64::from(key.0)))
            .collect();
        found.sort_unstable_by(|a, b| b.cmp(a));
        found.truncate(MOST);
        let (counts, blocks): (Vec<i32>, Vec<i64>) = found.into_iter().unzip();
        sqlx::query(
            "INSERT INTO travelling_block (block, stories) SELECT * FROM unnest($1::int8[], $2::int4[])
             ON CONFLICT (block) DO UPDATE SET stories = EXCLUDED.stories, found_at = now()",
        )
        .bind(&blocks)
        .bind(&counts)
        .execute(&mut *tx)
        .await
        .doing(DOING)?;
        // What was not seen for a quarter of a year, and what is too much to be read with every flush.
        sqlx::query(
            "DELETE FROM travelling_block WHERE found_at < now() - interval '90 days'
                 OR block IN (SELECT block FROM travelling_block ORDER BY found_at DESC, stories DESC, block OFFSET $1)",
        )
        .bind(i64::try_from(MOST).unwrap_or(i64::MAX))
        .execute(&mut *tx)
        .await
        .doing(DOING)?;
        tx.commit().await.doing(DOING)?;
        Ok(blocks.len() as u64)
    }
}
