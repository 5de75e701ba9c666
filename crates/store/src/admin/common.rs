//! The list of common shingles: built from stored evidence, switched for all workers at once, cached by each.

use std::sync::Arc;

use copydesk_article::{ArticleId, StoryId};
use copydesk_dedup::{CommonBuilder, CommonShingles, FINGERPRINT_VERSION};

use crate::connect::config::Store;
use crate::error::StoreError;
use crate::flush::identity::decode;
use crate::rows::{execute, fetch_all, fetch_one, record};

/// Articles read at once while a list is built.
const PAGE: i64 = 2_000;

record! {
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
}

record! {
    struct StoredEvidence {
        article_id: ArticleId,
        story_id: StoryId,
        evidence: Vec<u8>,
    }
}

impl Store {
    /// The list of this version; `None` for 0. Read from the database when another one comes into use.
    pub(crate) async fn common_list(&self, version: i32) -> Result<Option<Arc<CommonShingles>>, StoreError> {
        if version == 0 {
            return Ok(None);
        }
        let mut cached = self.shared.common.0.lock().await;
        if let Some(list) = cached.as_ref().filter(|l| l.version() == version) {
            return Ok(Some(Arc::clone(list)));
        }
        let counts: Vec<u8> = fetch_one!(&self.pool, "cannot read the list of common shingles";
            "SELECT counts FROM common_shingles WHERE version = $1", version
        )?;
        let word = |bytes: [u8; 4]| u32::from_le_bytes(bytes);
        let pairs = counts
            .as_chunks::<8>()
            .0
            .iter()
            .map(|[a, b, c, d, e, f, g, h]| (word([*a, *b, *c, *d]), word([*e, *f, *g, *h])));
        let list = Arc::new(CommonShingles::new(version, pairs));
        *cached = Some(Arc::clone(&list));
        Ok(Some(list))
    }

    /// Builds a list from the evidence of the last `articles` articles (one hundred thousand are plenty; each holds
    /// some 6 KB of memory meanwhile) and stores it. It is not in use before [`Self::use_common_list`].
    ///
    /// # Errors
    /// Postgres does not answer, or evidence cannot be read.
    pub async fn build_common_list(&self, articles: i64) -> Result<BuiltList, StoreError> {
        const CONTEXT: &str = "cannot build the list of common shingles";
        let mut builder = CommonBuilder::default();
        let (mut before, mut counted) = (i64::MAX, 0);
        while counted < articles {
            let rows: Vec<StoredEvidence> = fetch_all!(&self.pool, CONTEXT;
                "SELECT e.article_id, m.story_id, e.evidence FROM evidence e JOIN membership m USING (article_id)
                 WHERE e.article_id < $1 AND e.fingerprint_version = $2 ORDER BY e.article_id DESC LIMIT $3",
                before, FINGERPRINT_VERSION.0, PAGE.min(articles - counted)
            )?;
            for row in &rows {
                builder.add(row.story_id, &decode(row.article_id, &row.evidence)?);
                before = row.article_id.0;
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
        fetch_one!(&self.pool, CONTEXT;
            "INSERT INTO common_shingles (version, articles, shingles, fingerprint_version, counts)
             SELECT coalesce(max(version), 0) + 1, $1, $2, $3, $4 FROM common_shingles RETURNING version, articles, shingles",
            counted, shingles, FINGERPRINT_VERSION.0, bytes
        )
    }

    /// Puts a list into use, for every worker from its next flush on; 0 takes it out of use.
    ///
    /// # Errors
    /// There is no such list for the present recipe of fingerprints.
    pub async fn use_common_list(&self, version: i32) -> Result<(), StoreError> {
        let changed = execute!(&self.pool, "cannot switch the list of common shingles";
            "UPDATE setting SET common_version = $1
             WHERE $1 = 0 OR EXISTS (SELECT FROM common_shingles WHERE version = $1 AND fingerprint_version = $2)",
            version, FINGERPRINT_VERSION.0
        )?;
        if changed == 0 {
            return Err(StoreError::NotPossible(format!(
                "there is no list {version} of common shingles for this program's fingerprints; `copydesk janitor common build` makes one"
            )));
        }
        Ok(())
    }
}
