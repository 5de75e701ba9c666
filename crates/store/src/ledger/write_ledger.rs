//! Rows of the ledger: sightings, quarantine, gaps.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use copydesk_article::{ArticleId, Message, Reject, TopicPartition};
use sha2::{Digest as _, Sha256};
use sqlx::PgConnection;

use crate::connect::settings::StoreConfig;
use crate::error::{Context as _, StoreError};
use crate::ledger::quarantine_content::{DroppedFor, quarantine_bytes};
use crate::rows::{
    CopyInto, CopyValue as _, columns, content_hash, copy, execute, headers_to_bytes, list, row, sql,
};

row! {
    /// One message that is an article.
    Sighting<'b> {
        offset: i64,
        article_id: ArticleId,
        message_time: Option<DateTime<Utc>>,
        version: i32,
        verdict: &'b str,
        content_hash: Option<Vec<u8>>,
    }
}

columns! {
    /// One message that was refused.
    QuarantineColumns of Quarantined<'b> {
        offset: i64 = "int8",
        message_time: Option<DateTime<Utc>> = "timestamptz",
        raw_size: Option<i32> = "int4",
        truncated: bool = "bool",
        stage: &'b str = "text",
        reason: &'b str = "text",
        detail: String = "text",
        key: Option<&'b [u8]> = "bytea",
        headers: Option<Vec<u8>> = "bytea",
        raw: Option<Vec<u8>> = "bytea",
        kept_hash: Option<Vec<u8>> = "bytea",
        raw_hash: Option<Vec<u8>> = "bytea",
        content_dropped_for: Option<&'b str> = "text",
    }
}

/// A second row for an offset is a bug, and must stop the worker. `ingested_at` is the transaction's time: its default.
static INTO_SIGHTING: LazyLock<CopyInto> =
    LazyLock::new(|| CopyInto::new("sighting", &[Sighting::NAMES, &["topic", "partition"]].concat()));

static INSERT_QUARANTINE: LazyLock<String> = LazyLock::new(|| {
    let names = Quarantined::NAMES;
    let last = names.len();
    format!(
        "INSERT INTO quarantine (topic, partition, first_seen, content_dropped_at, {})
         SELECT ${}, ${}, now(), CASE WHEN r.content_dropped_for IS NOT NULL THEN now() END, {} FROM {}",
        list(names, ""),
        last + 1,
        last + 2,
        list(names, "r."),
        QuarantineColumns::unnest(),
    )
});

/// Characters of a refusal's detail that are kept.
const DETAIL_CHARACTERS: usize = 1_000;

/// zstd's fast end: quarantine is written on the way of everybody else's articles.
const ZSTD_LEVEL: i32 = 3;

pub(crate) async fn sightings(
    connection: &mut PgConnection,
    source: &TopicPartition,
    rows: &[Sighting<'_>],
) -> Result<(), StoreError> {
    copy(connection, &INTO_SIGHTING, rows, |sighting, row| {
        sighting.put(row);
        source.topic.as_str().put(row);
        source.partition.get().put(row);
    })
    .await
    .context("cannot store the sightings")
}

pub(crate) async fn quarantine(
    connection: &mut PgConnection,
    source: &TopicPartition,
    refused: &[(&Message, &Reject)],
    limits: &StoreConfig,
) -> Result<(), StoreError> {
    let mut room = Room::left(connection, limits).await?;
    let mut rows = QuarantineColumns::default();
    for (message, reject) in refused {
        rows.push(room.fit(quarantined(message, reject, limits.quarantine_bytes)?));
    }
    let statement = rows.bind(sqlx::query(INSERT_QUARANTINE.as_str()));
    let statement = statement.bind(source.topic.as_str()).bind(source.partition.get());
    sql::run(statement, &mut *connection, "cannot store quarantined messages").await?;
    room.note(connection, source).await
}

/// The room for refused messages, and the part of it that this flush takes.
struct Room {
    bytes: i64,
    kept_bytes: i64,
    dropped: i64,
}

impl Room {
    /// As of the flushes that are committed.
    async fn left(connection: &mut PgConnection, limits: &StoreConfig) -> Result<Self, StoreError> {
        let bytes = match i64::try_from(limits.quarantine_max_bytes) {
            Ok(0) | Err(_) => i64::MAX,
            Ok(max) => max - quarantine_bytes(connection).await?,
        };
        Ok(Self {
            bytes,
            kept_bytes: 0,
            dropped: 0,
        })
    }

    /// Takes the content away from a message for which there is no room.
    fn fit<'b>(&mut self, row: Quarantined<'b>) -> Quarantined<'b> {
        let length = |of: Option<&[u8]>| of.map_or(0, |bytes| i64::try_from(bytes.len()).unwrap_or(i64::MAX));
        let bytes = length(row.raw.as_deref()) + length(row.key) + length(row.headers.as_deref());
        if self.kept_bytes + bytes <= self.bytes {
            self.kept_bytes += bytes;
            return row;
        }
        self.dropped += 1;
        Quarantined {
            raw: None,
            kept_hash: None,
            key: None,
            headers: None,
            content_dropped_for: Some(DroppedFor::Bound.as_str()),
            ..row
        }
    }

    /// Adds to the ledger's row, which this flush has locked already.
    async fn note(&self, connection: &mut PgConnection, source: &TopicPartition) -> Result<(), StoreError> {
        execute!(connection, "cannot note how large the quarantine is";
            "UPDATE partition_progress
             SET quarantine_bytes = quarantine_bytes + $3, quarantine_dropped = quarantine_dropped + $4
             WHERE topic = $1 AND partition = $2",
            source.topic.as_str(), source.partition.get(), self.kept_bytes, self.dropped
        )?;
        Ok(())
    }
}

fn quarantined<'b>(
    message: &'b Message,
    reject: &'b Reject,
    most_bytes: usize,
) -> Result<Quarantined<'b>, StoreError> {
    let payload = message.payload.as_deref();
    let kept = payload.map(|p| p.get(..most_bytes).unwrap_or(p));
    let raw = kept
        .map(|p| zstd::bulk::compress(p, ZSTD_LEVEL))
        .transpose()
        .map_err(|e| StoreError::Unknown(format!("a value that zstd refuses ({e})")))?;
    Ok(Quarantined {
        offset: message.coordinates.offset.get(),
        message_time: message.timestamp,
        raw_size: payload.map(|p| i32::try_from(p.len()).unwrap_or(i32::MAX)),
        truncated: payload.is_some_and(|p| p.len() > most_bytes),
        stage: reject.stage.as_str(),
        reason: reject.reason.as_str(),
        // Postgres cannot hold a NUL.
        detail: reject
            .detail
            .chars()
            .filter(|c| *c != '\0')
            .take(DETAIL_CHARACTERS)
            .collect(),
        key: message.key.as_deref(),
        kept_hash: raw.as_deref().map(content_hash::of_bytes),
        headers: (!message.headers.is_empty()).then(|| headers_to_bytes(&message.headers)),
        raw,
        raw_hash: payload.map(|p| Sha256::digest(p).to_vec()),
        content_dropped_for: None,
    })
}

pub(crate) async fn gaps(
    connection: &mut PgConnection,
    source: &TopicPartition,
    ranges: &[(i64, i64)],
) -> Result<(), StoreError> {
    let (from, to): (Vec<i64>, Vec<i64>) = ranges.iter().copied().unzip();
    execute!(connection, "cannot record gaps";
        "INSERT INTO gap (topic, partition, from_offset, to_offset, reason)
         SELECT $3, $4, from_offset, to_offset, 'not_delivered' FROM unnest($1::int8[], $2::int8[]) AS r (from_offset, to_offset)",
        &from, &to, source.topic.as_str(), source.partition.get()
    )?;
    Ok(())
}
