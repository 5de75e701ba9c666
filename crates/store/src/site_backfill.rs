//! Hashes of blocks for the articles that were stored before there was site memory.

use copydesk_site::PageBlocks;

use crate::config::Store;
use crate::error::{Doing as _, StoreError};
use crate::stored_article::read;

const DOING: &str = "cannot note the blocks of stored articles";

impl Store {
    /// Makes the stored hashes of blocks for some of the articles from before there was site memory, the oldest first.
    /// Answers with their number; call again while it is not 0.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn backfill_site_memory(&self, most: i64) -> Result<u64, StoreError> {
        let mut tx = self.begin().await?;
        let ids: Vec<i64> = sqlx::query_scalar(
            "SELECT e.article_id FROM setting s JOIN evidence e
                 ON e.article_id > s.site_backfill_from AND e.article_id <= s.site_backfill_until
             ORDER BY e.article_id LIMIT $1",
        )
        .bind(most)
        .fetch_all(&mut *tx)
        .await
        .doing(DOING)?;
        let Some(last) = ids.last().copied() else {
            tx.rollback().await.doing(DOING)?;
            return Ok(0);
        };
        for id in &ids {
            let Some(article) = read(&mut tx, *id, true).await? else {
                continue;
            };
            sqlx::query(
                "UPDATE evidence SET page_blocks = $2, story_id = $3 WHERE article_id = $1 AND page_blocks IS NULL",
            )
            .bind(id)
            .bind(PageBlocks::of(&article.clean).encode())
            .bind(article.story)
            .execute(&mut *tx)
            .await
            .doing(DOING)?;
            if let Some(site) = article.site_hash {
                sqlx::query("INSERT INTO site_young (site_hash, article_id, articles) VALUES ($1, $2, 0) ON CONFLICT DO NOTHING")
                    .bind(site)
                    .bind(id)
                    .execute(&mut *tx)
                    .await
                    .doing(DOING)?;
            }
        }
        sqlx::query("UPDATE setting SET site_backfill_from = greatest(site_backfill_from, $1)")
            .bind(last)
            .execute(&mut *tx)
            .await
            .doing(DOING)?;
        tx.commit().await.doing(DOING)?;
        Ok(ids.len() as u64)
    }
}
