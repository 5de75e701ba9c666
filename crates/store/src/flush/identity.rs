//! The identity of an article, from its address. It is claimed, so that two messages of one address come in
//! an order.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use copydesk_article::address::twin_key;
use copydesk_article::{ArticleId, Fingerprint};
use copydesk_dedup::{Times, evidence};
use sqlx::postgres::PgRow;
use sqlx::{ColumnIndex, PgConnection, Row as _};
use xxhash_rust::xxh3::{Xxh3, xxh3_64, xxh3_128};

use crate::error::StoreError;
use crate::ledger::item::Prepared;
use crate::rows::{Column, FromRow, execute, fetch_all, numbers, record};

/// The hash that two messages of the same article have in common (docs/decisions/003).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Identity(pub(crate) [u8; 16]);

impl Identity {
    /// The hash of the canonical address, which all spellings of it share; without an address, of site, title
    /// and text.
    pub(crate) fn of(article: &Prepared) -> Self {
        let metadata = &article.clean.metadata;
        if let Some(key) = &article.ready.address_key {
            return Self::of_key(key);
        }
        let mut hasher = Xxh3::new();
        hasher.update(b"text\0");
        for part in [&metadata.site, &metadata.title] {
            if let Some(part) = part {
                hasher.update(part.value.as_bytes());
            }
            hasher.update(b"\0");
        }
        hasher.update(&article.fingerprint.body_hash.0.to_le_bytes());
        Self(hasher.digest128().to_be_bytes())
    }

    /// The identity of an address in canonical form.
    pub(crate) fn of_address(url: &str) -> Self {
        Self::of_key(&twin_key(url))
    }

    fn of_key(key: &str) -> Self {
        let mut hasher = Xxh3::new();
        hasher.update(b"url\0");
        hasher.update(key.as_bytes());
        Self(hasher.digest128().to_be_bytes())
    }
}

impl Column for Identity {
    fn get(row: &PgRow, column: impl ColumnIndex<PgRow>) -> Result<Self, sqlx::Error> {
        let bytes: &[u8] = row.try_get(column)?;
        let bytes = bytes.try_into().map_err(|_| "an identity that is not 16 bytes");
        bytes.map(Self).map_err(|error| sqlx::Error::Decode(error.into()))
    }
}

impl FromRow for Identity {
    fn from_row(row: PgRow) -> Result<Self, sqlx::Error> {
        Self::get(&row, 0)
    }
}

/// Hash of a site, as stored in `evidence.site_hash`.
pub(crate) fn site_hash(site: &str) -> i64 {
    xxh3_64(site.as_bytes()).cast_signed()
}

/// Hash of a canonical address, as stored in `evidence.url_hash`.
pub(crate) fn url_hash(url: &str) -> u64 {
    xxh3_64(url.as_bytes())
}

/// Hash of a message's value, as stored in `article.raw_hash`.
pub(crate) fn raw_hash(payload: Option<&[u8]>) -> [u8; 16] {
    xxh3_128(payload.unwrap_or_default()).to_be_bytes()
}

/// An article that the database has under one of the batch's identities.
#[derive(Debug)]
pub(crate) struct ExistingArticle {
    pub(crate) article: ArticleId,
    pub(crate) version: i32,
    pub(crate) title: Option<String>,
    pub(crate) canonical_url: Option<String>,
    /// Seconds since 1970 when the shown version was fetched or, without that, sent. `None`: not known believably.
    pub(crate) seen: Option<i64>,
    /// What is stored of its latest version.
    pub(crate) fingerprint: Fingerprint,
}

record! {
    struct Row {
        article_id: ArticleId,
        version: i32,
        title: Option<String>,
        evidence: Vec<u8>,
        fetched_at: Option<DateTime<Utc>>,
        message_time: Option<DateTime<Utc>>,
        canonical_url: Option<String>,
    }
}

/// Claims the identities for fresh articles. Answers with those that are taken, and with the last takedown
/// (0: none) that was committed by then: a takedown under way is waited for.
///
/// `wanted` is distinct and ascending, so that two flushes take their row locks in the same order. An identity that another transaction has claimed
/// and not committed yet is waited for. One that was there already is locked, so that two versions of one article get two numbers.
pub(crate) async fn claim(
    connection: &mut PgConnection,
    wanted: &[(Identity, ArticleId)],
) -> Result<(HashMap<Identity, ExistingArticle>, i64), StoreError> {
    const CONTEXT: &str = "cannot claim the articles' identities";
    let mut taken: HashMap<ArticleId, Identity> = HashMap::new();
    let mut last_takedown = 0;
    let mut open = wanted.to_vec();
    while !open.is_empty() {
        let (identities, ids) = columns_of(&open);
        // Takedowns are looked for in this statement: its snapshot is taken after the lock of the table,
        // which a takedown holds.
        let rows: Vec<(Option<ArticleId>, i64)> = fetch_all!(&mut *connection, CONTEXT;
            "WITH inserted AS (
                 INSERT INTO article_identity (identity, article_id)
                 SELECT identity, id FROM unnest($1::bytea[], $2::int8[]) AS w (identity, id)
                 ON CONFLICT DO NOTHING RETURNING article_id
             )
             SELECT article_id, 0::int8 FROM inserted
             UNION ALL SELECT NULL, coalesce(max(takedown_id), 0) FROM takedown",
            &identities, &ids
        )?;
        last_takedown = rows.iter().map(|(_, last)| *last).fold(last_takedown, i64::max);
        let inserted: HashSet<ArticleId> = rows.into_iter().filter_map(|(id, _)| id).collect();
        open.retain(|(_, id)| !inserted.contains(id));
        if open.is_empty() {
            break;
        }
        let locked: Vec<(Identity, ArticleId)> = fetch_all!(&mut *connection, CONTEXT;
            "SELECT i.identity, i.article_id FROM article_identity i
             WHERE i.identity = ANY ($1) ORDER BY i.identity FOR NO KEY UPDATE",
            columns_of(&open).0
        )?;
        let found: HashSet<Identity> = locked.iter().map(|(identity, _)| *identity).collect();
        taken.extend(locked.into_iter().map(|(identity, article)| (article, identity)));
        // One that was there a moment ago and is gone now belonged to an article that was dropped for its age
        // (`retire`): it is claimed in the next round.
        open.retain(|(identity, _)| !found.contains(identity));
    }
    if taken.is_empty() {
        return Ok((HashMap::new(), last_takedown));
    }
    // A statement of its own: its snapshot has what the lock was waited for.
    let ids: Vec<ArticleId> = taken.keys().copied().collect();
    let rows: Vec<Row> = fetch_all!(connection, CONTEXT;
        "SELECT a.article_id, a.version, a.title, e.evidence, a.fetched_at, a.message_time, a.canonical_url
         FROM unnest($1::int8[]) AS w (id)
         JOIN article a ON a.article_id = w.id
         JOIN evidence e ON e.article_id = w.id",
        numbers(&ids)
    )?;
    let mut existing = HashMap::with_capacity(rows.len());
    for row in rows {
        let Some(identity) = taken.get(&row.article_id) else {
            continue;
        };
        let seconds = |time: Option<DateTime<Utc>>| time.map(|t| t.timestamp());
        let article = ExistingArticle {
            article: row.article_id,
            version: row.version,
            title: row.title,
            canonical_url: row.canonical_url,
            seen: Times::believable(None, seconds(row.fetched_at), seconds(row.message_time)).seen,
            fingerprint: decode(row.article_id, &row.evidence)?,
        };
        existing.insert(*identity, article);
    }
    Ok((existing, last_takedown))
}

/// Identities and articles as two columns.
fn columns_of(rows: &[(Identity, ArticleId)]) -> (Vec<&[u8]>, Vec<i64>) {
    rows.iter()
        .map(|(identity, id)| (identity.0.as_slice(), id.0))
        .unzip()
}

/// Gives addresses that are used again to their new articles.
pub(crate) async fn reassign(
    connection: &mut PgConnection,
    changes: &[(Identity, ArticleId)],
) -> Result<(), StoreError> {
    if changes.is_empty() {
        return Ok(());
    }
    let (identities, ids) = columns_of(changes);
    execute!(connection, "cannot give an address to its new article";
        "UPDATE article_identity i SET article_id = w.id
         FROM unnest($1::bytea[], $2::int8[]) AS w (identity, id) WHERE i.identity = w.identity",
        &identities, &ids
    )?;
    Ok(())
}

/// Reads stored evidence.
pub(crate) fn decode(article: ArticleId, bytes: &[u8]) -> Result<Fingerprint, StoreError> {
    evidence::decode(bytes).map_err(|reason| StoreError::DamagedEvidence { article, reason })
}
