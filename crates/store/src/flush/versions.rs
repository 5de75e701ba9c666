//! The texts that an address had before. They are read only for messages whose text is not the shown one.

use std::collections::HashMap;

use copydesk_article::ArticleId;
use sqlx::PgConnection;

use crate::error::StoreError;
use crate::flush::identity::{ExistingArticle, Identity};
use crate::flush::pending_article::PendingArticle;
use crate::rows::{fetch_all, numbers, record};

/// A text that an address had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PastText {
    pub(crate) article: ArticleId,
    pub(crate) version: i32,
    pub(crate) fingerprint_version: i16,
    pub(crate) body_hash: u128,
    pub(crate) title: Option<String>,
}

impl PastText {
    pub(crate) fn of(pending: &PendingArticle<'_>, article: ArticleId, version: i32) -> Self {
        let fingerprint = pending.fingerprint();
        Self {
            article,
            version,
            fingerprint_version: fingerprint.version.0,
            body_hash: fingerprint.body_hash.0,
            title: pending.title().map(str::to_owned),
        }
    }

    /// Whether a message has this text and title. Hashes of different recipes cannot be compared.
    pub(crate) fn is(&self, pending: &PendingArticle<'_>) -> bool {
        let fingerprint = pending.fingerprint();
        self.body_hash == fingerprint.body_hash.0
            && self.fingerprint_version == fingerprint.version.0
            && self.title.as_deref() == pending.title()
    }
}

/// The earlier texts of an address: of its article, and of the articles that it replaced there.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    /// The highest number of a version of the article; 0: only the one that is shown.
    pub(crate) last: i32,
    /// Those with the hash of a text in the batch.
    pub(crate) past: Vec<PastText>,
}

record! {
    /// A text that an address has had, with the article that is there now.
    struct Found {
        root: ArticleId,
        article_id: ArticleId,
        version: i32,
        fingerprint_version: i16,
        body_hash: Vec<u8>,
        title: Option<String>,
    }
}

/// The histories of the articles for which the batch has another text than the shown one.
///
/// The identities are locked already, so nobody adds a version meanwhile.
pub(crate) async fn histories(
    connection: &mut PgConnection,
    batch: &[PendingArticle<'_>],
    existing: &HashMap<Identity, ExistingArticle>,
) -> Result<HashMap<ArticleId, History>, StoreError> {
    const CONTEXT: &str = "cannot read earlier versions";
    let (mut articles, mut hashes) = (Vec::new(), Vec::new());
    for pending in batch {
        let Some(existing) = existing.get(&pending.identity) else {
            continue;
        };
        let (shown, new) = (&existing.fingerprint, pending.fingerprint());
        let same = shown.version == new.version && shown.body_hash == new.body_hash;
        if !same || existing.title.as_deref() != pending.title() {
            articles.push(existing.article);
            hashes.push(new.body_hash.0.to_be_bytes().to_vec());
        }
    }
    let mut histories: HashMap<ArticleId, History> = HashMap::new();
    if articles.is_empty() {
        return Ok(histories);
    }
    // An address may have been used again and again: the chain of the articles that it had is followed for
    // fifty steps.
    let found: Vec<Found> = fetch_all!(&mut *connection, CONTEXT;
        "WITH RECURSIVE chain (root, article_id, steps) AS (
             SELECT DISTINCT id, id, 0 FROM unnest($1::int8[]) AS w (id)
             UNION ALL
             SELECT c.root, a.replaces, c.steps + 1 FROM chain c JOIN article a ON a.article_id = c.article_id
             WHERE a.replaces IS NOT NULL AND c.steps < 50
         ), wanted AS MATERIALIZED (SELECT DISTINCT id, hash FROM unnest($1::int8[], $2::bytea[]) AS w (id, hash))
         SELECT c.root, v.article_id, v.version, v.fingerprint_version, v.body_hash, v.title
         FROM chain c JOIN wanted w ON w.id = c.root
         CROSS JOIN LATERAL (
             SELECT article_id, version, fingerprint_version, body_hash, title FROM article a
             WHERE a.article_id = c.article_id AND a.body_hash = w.hash
             UNION ALL
             SELECT article_id, version, fingerprint_version, body_hash, title FROM article_version h
             WHERE h.article_id = c.article_id AND h.body_hash = w.hash) v",
        numbers(&articles), &hashes
    )?;
    for row in found {
        let hash = row.body_hash.try_into();
        let hash = hash.map_err(|_| StoreError::Unknown("a body hash that is not 16 bytes".into()))?;
        histories.entry(row.root).or_default().past.push(PastText {
            article: row.article_id,
            version: row.version,
            fingerprint_version: row.fingerprint_version,
            body_hash: u128::from_be_bytes(hash),
            title: row.title,
        });
    }
    let last: Vec<(ArticleId, i32)> = fetch_all!(connection, CONTEXT;
        "SELECT article_id, max(version) FROM article_version WHERE article_id = ANY ($1) GROUP BY 1", numbers(&articles)
    )?;
    for (article, version) in last {
        histories.entry(article).or_default().last = version;
    }
    Ok(histories)
}
