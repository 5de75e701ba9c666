//! Syndicated blocks: they come with an agency's stories to several sites, as its closing sentence or a note
//! on how a poll was made.
//!
//! A site that carries an agency's stories shows that sentence in one after the other, as it shows the blocks
//! that it repeats itself. The difference: copies of the story at other sites have the sentence as well.

use std::collections::{HashMap, HashSet};

use copydesk_article::StoryId;
use copydesk_site::{BlockKey, PageBlocks, Zone};

use crate::connect::config::Store;
use crate::error::{Context as _, StoreError};
use crate::rows::{execute, fetch_all, record};

const CONTEXT: &str = "cannot look for syndicated blocks";

/// Stories that must have a block at two sites: two stories may be one paragraph that was used again.
const STORIES: usize = 3;
/// Blocks that are kept at most: every flush reads them.
const MOST: usize = 5_000;

record! {
    /// The blocks of a copy and of the article that it is a copy of.
    struct CopyPages {
        story_id: StoryId,
        copy: Vec<u8>,
        original: Vec<u8>,
    }
}

impl Store {
    /// Looks at the latest `copies` copies for blocks that they share with the article they are copies of, at
    /// another site. Answers with the number of blocks of which that holds in several stories.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn find_syndicated_blocks(&self, copies: i64) -> Result<u64, StoreError> {
        let mut tx = self.begin().await?;
        let copies: Vec<CopyPages> = fetch_all!(&mut *tx, CONTEXT;
            "SELECT c.story_id, n.page_blocks AS copy, o.page_blocks AS original
             FROM (SELECT article_id, linked_to, story_id FROM membership WHERE linked_to IS NOT NULL
                   ORDER BY article_id DESC LIMIT $1) AS c
             JOIN article a ON a.article_id = c.article_id
             JOIN article l ON l.article_id = c.linked_to AND l.site IS DISTINCT FROM a.site
             JOIN evidence n ON n.article_id = c.article_id AND n.page_blocks IS NOT NULL
             JOIN evidence o ON o.article_id = c.linked_to AND o.page_blocks IS NOT NULL",
            copies
        )?;
        let mut stories: HashMap<BlockKey, HashSet<StoryId>> = HashMap::new();
        for row in copies {
            let (copy, original) = (PageBlocks::decode(&row.copy), PageBlocks::decode(&row.original));
            let (Ok(copy), Ok(original)) = (copy, original) else {
                continue;
            };
            for key in copy.zone(Zone::Kept) {
                if original.zone(Zone::Kept).binary_search(key).is_ok() {
                    stories.entry(*key).or_default().insert(row.story_id);
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
        execute!(&mut *tx, CONTEXT;
            "INSERT INTO syndicated_block (block, stories) SELECT * FROM unnest($1::int8[], $2::int4[])
             ON CONFLICT (block) DO UPDATE SET stories = EXCLUDED.stories, found_at = now()",
            &blocks, &counts
        )?;
        // What was not seen for a quarter of a year, and what is too much to be read with every flush.
        execute!(&mut *tx, CONTEXT;
            "DELETE FROM syndicated_block WHERE found_at < now() - interval '90 days'
                 OR block IN (SELECT block FROM syndicated_block ORDER BY found_at DESC, stories DESC, block OFFSET $1)",
            i64::try_from(MOST).unwrap_or(i64::MAX)
        )?;
        tx.commit().await.context(CONTEXT)?;
        Ok(blocks.len() as u64)
    }
}
