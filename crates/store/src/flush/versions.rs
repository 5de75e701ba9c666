//! What an address has had before: asked only for messages whose text is not the one that is shown.

use std::collections::HashMap;

use sqlx::{PgConnection, Row as _};

use crate::error::{Doing as _, StoreError};
use crate::flush::identity::{Identity, Known};
use crate::flush::work::Work;

/// A text that an address has had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PastText {
    pub(crate) article: i64,
    pub(crate) version: i32,
    pub(crate) fingerprint_version: i16,
    pub(crate) body_hash: u128,
    pub(crate) title: Option<String>,
}

impl PastText {
    pub(crate) fn of(work: &Work<'_>, article: i64, version: i32) -> Self {
        let fingerprint = work.fingerprint();
        Self {
            article,
            version,
            fingerprint_version: fingerprint.version.0,
            body_hash: fingerprint.body_hash.0,
            title: work.title().map(str::to_owned),
        }
    }

    /// Whether a message has this text and title. Hashes of two recipes cannot be compared.
    pub(crate) fn is(&self, work: &Work<'_>) -> bool {
        let fingerprint = work.fingerprint();
        self.body_hash == fingerprint.body_hash.0
            && self.fingerprint_version == fingerprint.version.0
            && self.title.as_deref() == work.title()
    }
}

/// What is stored of an article that is at an address, and of those that it replaced there.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    /// The highest number of a version of the article; 0: only the one that is shown.
    pub(crate) last: i32,
    /// Texts that have the hash of one of the batch's.
    pub(crate) past: Vec<PastText>,
}

/// The histories of the articles whose addresses bring another text than the one that is shown.
///
/// Read behind the lock on the identity: nobody adds a version meanwhile.
pub(crate) async fn histories(
    connection: &mut PgConnection,
    works: &[Work<'_>],
    known: &HashMap<Identity, Known>,
) -> Result<HashMap<i64, History>, StoreError> {
    const DOING: &str = "cannot read earlier versions";
    let (mut articles, mut hashes) = (Vec::new(), Vec::new());
    for work in works {
        let Some(known) = known.get(&work.identity) else {
            continue;
        };
        let (shown, new) = (&known.fingerprint, work.fingerprint());
        let same = shown.version == new.version && shown.body_hash == new.body_hash;
        if !same || known.title.as_deref() != work.title() {
            articles.push(known.article);
            hashes.push(new.body_hash.0.to_be_bytes().to_vec());
        }
    }
    let mut histories: HashMap<i64, History> = HashMap::new();
    if articles.is_empty() {
        return Ok(histories);
    }
    // An address may have been used again and again: the articles that it had are followed some way back.
    let rows = sqlx::query(
        "WITH RECURSIVE chain (root, article_id, steps) AS (
             SELECT DISTINCT id, id, 0 FROM unnest($1::int8[]) AS w (id)
             UNION ALL
             SELECT c.root, a.replaces, c.steps + 1 FROM chain c JOIN article a ON a.article_id = c.article_id
             WHERE a.replaces IS NOT NULL AND c.steps < 50
         ), wanted AS MATERIALIZED (SELECT DISTINCT id, hash FROM unnest($1::int8[], $2::bytea[]) AS w (id, hash))
         SELECT c.root, v.article_id, v.version, v.fingerprint_version, v.body_hash, v.title, NULL::int4
         FROM chain c JOIN wanted w ON w.id = c.root
         CROSS JOIN LATERAL (
             SELECT article_id, version, fingerprint_version, body_hash, title FROM article a
             WHERE a.article_id = c.article_id AND a.body_hash = w.hash
             UNION ALL
             SELECT article_id, version, fingerprint_version, body_hash, title FROM article_version h
             WHERE h.article_id = c.article_id AND h.body_hash = w.hash) v
         UNION ALL
         SELECT w.id, NULL, NULL, NULL, NULL, NULL, (SELECT max(version) FROM article_version h WHERE h.article_id = w.id)
         FROM wanted w",
    )
    .bind(&articles)
    .bind(&hashes)
    .fetch_all(connection)
    .await
    .doing(DOING)?;
    for row in rows {
        let root: i64 = row.try_get(0).doing(DOING)?;
        let history = histories.entry(root).or_default();
        if let Some(last) = row.try_get::<Option<i32>, _>(6).doing(DOING)? {
            history.last = last;
        }
        let Some(article) = row.try_get::<Option<i64>, _>(1).doing(DOING)? else {
            continue;
        };
        let hash: &[u8] = row.try_get(4).doing(DOING)?;
        let hash = hash
            .try_into()
            .map_err(|_| StoreError::Unknown("a body hash that is not 16 bytes".into()))?;
        history.past.push(PastText {
            article,
            version: row.try_get(2).doing(DOING)?,
            fingerprint_version: row.try_get(3).doing(DOING)?,
            body_hash: u128::from_be_bytes(hash),
            title: row.try_get(5).doing(DOING)?,
        });
    }
    Ok(histories)
}
