//! Which article a message is: its identity, claimed so that two messages of one address come in an order.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use copydesk_article::Fingerprint;
use copydesk_article::address::twin_key;
use copydesk_dedup::{Times, evidence};
use sqlx::{PgConnection, Row as _};
use xxhash_rust::xxh3::{Xxh3, xxh3_64, xxh3_128};

use crate::error::{Doing as _, StoreError};
use crate::ledger::item::Prepared;

/// Hash of what makes two messages the same article (docs/decisions/003).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Identity(pub(crate) [u8; 16]);

impl Identity {
    /// The canonical address names the article, in whatever spelling; without one its site, title and text do.
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

    /// That of an address in canonical form.
    pub(crate) fn of_address(url: &str) -> Self {
        Self::of_key(&twin_key(url))
    }

    fn of_key(key: &str) -> Self {
        let mut hasher = Xxh3::new();
        hasher.update(b"url\0");
        hasher.update(key.as_bytes());
        Self(hasher.digest128().to_be_bytes())
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, StoreError> {
        let bytes = bytes
            .try_into()
            .map_err(|_| StoreError::Unknown("an identity that is not 16 bytes".into()))?;
        Ok(Self(bytes))
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
pub(crate) struct Known {
    pub(crate) article: i64,
    pub(crate) version: i32,
    pub(crate) title: Option<String>,
    pub(crate) canonical_url: Option<String>,
    /// Seconds since 1970 when the shown version was fetched or, without that, sent. `None`: not known believably.
    pub(crate) seen: Option<i64>,
    /// What is stored of its latest version.
    pub(crate) fingerprint: Fingerprint,
}

/// Claims the identities for fresh articles and answers with those that are taken, and with the last takedown that was there when that was
/// done (0: none): one under way is waited for.
///
/// `wanted` is distinct and ascending: two flushes take their row locks in the same order. What somebody else has
/// claimed and not yet committed is waited for; what was there already is locked, so that two versions of one
/// article get two numbers.
pub(crate) async fn claim(
    connection: &mut PgConnection,
    wanted: &[(Identity, i64)],
) -> Result<(HashMap<Identity, Known>, i64), StoreError> {
    const DOING: &str = "cannot claim the articles' identities";
    let mut named: HashMap<i64, Identity> = HashMap::new();
    let mut last_takedown = 0;
    let mut open = wanted.to_vec();
    while !open.is_empty() {
        let identities: Vec<&[u8]> = open.iter().map(|(i, _)| i.0.as_slice()).collect();
        let ids: Vec<i64> = open.iter().map(|(_, id)| *id).collect();
        // The look at takedowns is in this statement, for its snapshot is taken behind the table's lock, which a takedown holds.
        let rows: Vec<(Option<i64>, i64)> = sqlx::query_as(
            "WITH inserted AS (
                 INSERT INTO article_identity (identity, article_id)
                 SELECT identity, id FROM unnest($1::bytea[], $2::int8[]) AS w (identity, id)
                 ON CONFLICT DO NOTHING RETURNING article_id
             )
             SELECT article_id, 0::int8 FROM inserted
             UNION ALL SELECT NULL, coalesce(max(takedown_id), 0) FROM takedown",
        )
        .bind(&identities)
        .bind(&ids)
        .fetch_all(&mut *connection)
        .await
        .doing(DOING)?;
        last_takedown = rows.iter().map(|(_, last)| *last).fold(last_takedown, i64::max);
        let inserted: HashSet<i64> = rows.into_iter().filter_map(|(id, _)| id).collect();
        open.retain(|(_, id)| !inserted.contains(id));
        if open.is_empty() {
            break;
        }
        let taken: Vec<&[u8]> = open.iter().map(|(identity, _)| identity.0.as_slice()).collect();
        let rows = sqlx::query(
            "SELECT i.identity, i.article_id FROM article_identity i
             WHERE i.identity = ANY ($1) ORDER BY i.identity FOR NO KEY UPDATE",
        )
        .bind(&taken)
        .fetch_all(&mut *connection)
        .await
        .doing(DOING)?;
        let mut found = HashSet::with_capacity(rows.len());
        for row in rows {
            let identity = Identity::from_bytes(&row.try_get::<Vec<u8>, _>(0).doing(DOING)?)?;
            found.insert(identity);
            named.insert(row.try_get::<i64, _>(1).doing(DOING)?, identity);
        }
        // One that was there a moment ago and is not any more belonged to an article that was dropped for its age
        // (`retire`): it is free to be claimed.
        open.retain(|(identity, _)| !found.contains(identity));
    }
    if named.is_empty() {
        return Ok((HashMap::new(), last_takedown));
    }
    // A statement of its own: its snapshot has what the lock was waited for.
    let ids: Vec<i64> = named.keys().copied().collect();
    let rows = sqlx::query(
        "SELECT a.article_id, a.version, a.title, e.evidence, a.fetched_at, a.message_time, a.canonical_url
         FROM unnest($1::int8[]) AS w (id)
         JOIN article a ON a.article_id = w.id
         JOIN evidence e ON e.article_id = w.id",
    )
    .bind(&ids)
    .fetch_all(connection)
    .await
    .doing(DOING)?;
    let mut known = HashMap::with_capacity(rows.len());
    for row in rows {
        let article: i64 = row.try_get(0).doing(DOING)?;
        let Some(identity) = named.get(&article) else {
            continue;
        };
        let time = |n: usize| -> Result<Option<i64>, StoreError> {
            let time: Option<DateTime<Utc>> = row.try_get(n).doing(DOING)?;
            Ok(time.map(|t| t.timestamp()))
        };
        known.insert(
            *identity,
            Known {
                article,
                version: row.try_get(1).doing(DOING)?,
                title: row.try_get(2).doing(DOING)?,
                canonical_url: row.try_get(6).doing(DOING)?,
                seen: Times::believable(None, time(4)?, time(5)?).seen,
                fingerprint: decode(article, row.try_get(3).doing(DOING)?)?,
            },
        );
    }
    Ok((known, last_takedown))
}

/// Gives addresses that are used again to their new articles.
pub(crate) async fn reassign(
    connection: &mut PgConnection,
    changes: &[(Identity, i64)],
) -> Result<(), StoreError> {
    if changes.is_empty() {
        return Ok(());
    }
    let identities: Vec<&[u8]> = changes.iter().map(|(i, _)| i.0.as_slice()).collect();
    let ids: Vec<i64> = changes.iter().map(|(_, id)| *id).collect();
    sqlx::query(
        "UPDATE article_identity i SET article_id = w.id
         FROM unnest($1::bytea[], $2::int8[]) AS w (identity, id) WHERE i.identity = w.identity",
    )
    .bind(&identities)
    .bind(&ids)
    .execute(connection)
    .await
    .doing("cannot give an address to its new article")?;
    Ok(())
}

/// Reads stored evidence.
pub(crate) fn decode(article: i64, bytes: &[u8]) -> Result<Fingerprint, StoreError> {
    evidence::decode(bytes).map_err(|reason| StoreError::DamagedEvidence { article, reason })
}
