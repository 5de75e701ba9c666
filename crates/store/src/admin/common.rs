//! The list of common shingles: built from stored evidence, switched for all workers at once, kept at hand by each.

use std::sync::Arc;

use copydesk_article::StoryId;
use copydesk_dedup::{CommonBuilder, CommonShingles, FINGERPRINT_VERSION};
use sqlx::Row as _;

use crate::connect::config::Store;
use crate::error::{Doing as _, StoreError};
use crate::flush::identity::decode;

/// Articles read at once while a list is built.
const PAGE: i64 = 2_000;

/// A list that was built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BuiltList {
    /// Its number.
    pub version: i32,
    /// Articles that were counted.
    pub articles: i64,
    /// Shingles in it.
    pub shingles: i64,
}

impl Store {
    /// The list of this version; `None` for 0. Read from the database when another one comes into use.
    pub(crate) async fn common_list(&self, version: i32) -> Result<Option<Arc<CommonShingles>>, StoreError> {
        const DOING: &str = "cannot read the list of common shingles";
        if version == 0 {
            return Ok(None);
        }
        let mut at_hand = self.common_cache().0.lock().await;
        if let Some(list) = at_hand.as_ref().filter(|l| l.version() == version) {
            return Ok(Some(Arc::clone(list)));
        }
        let counts: Vec<u8> = sqlx::query_scalar("SELECT counts FROM common_shingles WHERE version = $1")
            .bind(version)
            .fetch_one(&self.pool)
            .await
            .doing(DOING)?;
        let word = |bytes: [u8; 4]| u32::from_le_bytes(bytes);
        let pairs = counts
            .as_chunks::<8>()
            .0
            .iter()
            .map(|[a, b, c, d, e, f, g, h]| (word([*a, *b, *c, *d]), word([*e, *f, *g, *h])));
        let list = Arc::new(CommonShingles::new(version, pairs));
        *at_hand = Some(Arc::clone(&list));
        Ok(Some(list))
    }

    /// Builds a list from the evidence of the last `articles` articles (one hundred thousand are plenty; each holds
    /// some 6 KB of memory meanwhile) and stores it. It is not in use before [`Self::use_common_list`].
    ///
    /// # Errors
    /// Postgres does not answer, or evidence cannot be read.
    pub async fn build_common_list(&self, articles: i64) -> Result<BuiltList, StoreError> {
        const DOING: &str = "cannot build the list of common shingles";
        let mut builder = CommonBuilder::default();
        let (mut before, mut counted) = (i64::MAX, 0);
        while counted < articles {
            let rows = sqlx::query(
                "SELECT e.article_id, m.story_id, e.evidence FROM evidence e JOIN membership m USING (article_id)
                 WHERE e.article_id < $1 AND e.fingerprint_version = $2 ORDER BY e.article_id DESC LIMIT $3",
            )
            .bind(before)
            .bind(FINGERPRINT_VERSION.0)
            .bind(PAGE.min(articles - counted))
            .fetch_all(&self.pool)
            .await
            .doing(DOING)?;
            for row in &rows {
                let id: i64 = row.try_get(0).doing(DOING)?;
                let fingerprint = decode(id, row.try_get(2).doing(DOING)?)?;
                builder.add(StoryId(row.try_get(1).doing(DOING)?), &fingerprint);
                before = id;
                counted += 1;
            }
            if rows.is_empty() {
                break;
            }
        }
        let counts = builder.counts();
        let bytes: Vec<u8> = counts
            .iter()
            .flat_map(|(hash, n)| [hash.to_le_bytes(), n.to_le_bytes()])
            .flatten()
            .collect();
        let shingles = i64::try_from(counts.len()).unwrap_or(i64::MAX);
        let version: i32 = sqlx::query_scalar(
            "INSERT INTO common_shingles (version, articles, shingles, fingerprint_version, counts)
             SELECT coalesce(max(version), 0) + 1, $1, $2, $3, $4 FROM common_shingles RETURNING version",
        )
        .bind(counted)
        .bind(shingles)
        .bind(FINGERPRINT_VERSION.0)
        .bind(bytes)
        .fetch_one(&self.pool)
        .await
        .doing(DOING)?;
        Ok(BuiltList {
            version,
            articles: counted,
            shingles,
        })
    }

    /// Puts a list into use, for every worker from its next flush on; 0 takes it out of use.
    ///
    /// # Errors
    /// There is no such list for the present recipe of fingerprints.
    pub async fn use_common_list(&self, version: i32) -> Result<(), StoreError> {
        let changed = sqlx::query(
            "UPDATE setting SET common_version = $1
             WHERE $1 = 0 OR EXISTS (SELECT FROM common_shingles WHERE version = $1 AND fingerprint_version = $2)",
        )
        .bind(version)
        .bind(FINGERPRINT_VERSION.0)
        .execute(&self.pool)
        .await
        .doing("cannot switch the list of common shingles")?;
        if changed.rows_affected() == 0 {
            return Err(StoreError::NotPossible(format!(
                "there is no list {version} of common shingles for this program's fingerprints; `copydesk janitor common build` makes one"
            )));
        }
        Ok(())
    }
}
