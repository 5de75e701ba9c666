//! The bound of the quarantine: bytes are dropped, the rows that the audit law counts stay.
//!
//! `partition_progress` has the number of bytes. A transaction that adds or drops some updates it: it locks the partition's row first and the messages'
//! rows after it, as a flush does.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use copydesk_article::{Coordinates, TopicPartition};
use sqlx::{PgConnection, Postgres, QueryBuilder};

use crate::connect::config::Store;
use crate::error::{Context as _, StoreError};
use crate::rows::{execute, fetch_all, fetch_one, named, record, sql};

const CONTEXT: &str = "cannot drop bytes of quarantined messages";

/// Bytes of a message in quarantine, as stored. Reads none of them: a row knows how long they are.
pub(crate) const CONTENT_BYTES: &str = "(coalesce(octet_length(raw), 0)::int8 + coalesce(octet_length(key), 0) + coalesce(octet_length(headers), 0))";

/// Messages in one transaction, and bytes unless the first alone has more: a flush of the same partition waits for it.
const STEP_MESSAGES: i64 = 500;
pub(crate) const STEP_BYTES: i64 = 16 << 20;

named! {
    /// Why bytes of a message were dropped.
    pub enum DroppedFor {
        /// The message is an article now.
        Replayed = "replayed",
        /// A person gave it up.
        Discarded = "discarded",
        /// It was older than `quarantine.keep_days`.
        Age = "age",
        /// The quarantine was at `quarantine.max_bytes`.
        Bound = "bound",
    }
}

/// The outcome of dropping bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dropped {
    /// How many.
    pub messages: u64,
    /// Bytes that Postgres may use again, as they were stored.
    pub bytes: u64,
}

/// How full the quarantine is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct QuarantineUsage {
    /// Bytes of all messages, as stored.
    pub bytes: u64,
    /// Messages whose bytes were dropped for their age or for the bound, ever.
    pub dropped: u64,
}

record! {
    /// A message, and the bytes that it takes.
    struct Content {
        coordinates: Coordinates,
        bytes: i64,
    }
}

impl Store {
    /// Drops the bytes of messages that were refused before this time.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn quarantine_drop_older(&self, before: DateTime<Utc>) -> Result<Dropped, StoreError> {
        let mut all = Dropped::default();
        loop {
            let mut query = select_content();
            query
                .push(" WHERE content_dropped_at IS NULL AND first_seen < ")
                .push_bind(before)
                .push(" ORDER BY first_seen");
            let oldest = self.content_step(query, STEP_BYTES).await?;
            if oldest.is_empty() {
                return Ok(all);
            }
            all.add(self.drop_content(oldest, DroppedFor::Age).await?);
        }
    }

    /// Drops the bytes of the oldest messages until no more than so many are left.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn quarantine_drop_beyond(&self, bytes: u64) -> Result<Dropped, StoreError> {
        let mut all = Dropped::default();
        loop {
            let excess = self.quarantine_usage().await?.bytes.saturating_sub(bytes);
            if excess == 0 {
                return Ok(all);
            }
            let mut query = select_content();
            query.push(" WHERE content_dropped_at IS NULL ORDER BY first_seen");
            let most = i64::try_from(excess).unwrap_or(i64::MAX).min(STEP_BYTES);
            let oldest = self.content_step(query, most).await?;
            if oldest.is_empty() {
                return Ok(all);
            }
            all.add(self.drop_content(oldest, DroppedFor::Bound).await?);
        }
    }

    /// How full the quarantine is.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn quarantine_usage(&self) -> Result<QuarantineUsage, StoreError> {
        let (bytes, dropped): (i64, i64) = fetch_one!(&self.pool, "cannot read how large the quarantine is";
            "SELECT coalesce(sum(quarantine_bytes), 0)::int8, coalesce(sum(quarantine_dropped), 0)::int8
             FROM partition_progress"
        )?;
        Ok(QuarantineUsage {
            bytes: bytes.max(0).unsigned_abs(),
            dropped: dropped.unsigned_abs(),
        })
    }

    /// Counts the bytes of every partition anew, and corrects the number where rows were changed otherwise.
    /// Answers with the number of partitions that were corrected.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn quarantine_recount(&self) -> Result<u64, StoreError> {
        const CONTEXT: &str = "cannot count the bytes in quarantine";
        let wrong: Vec<TopicPartition> = fetch_all!(&self.pool, CONTEXT;
            &format!("SELECT p.topic, p.partition FROM partition_progress p
             LEFT JOIN (SELECT topic, partition, sum({CONTENT_BYTES}) AS bytes FROM quarantine GROUP BY 1, 2) q
                 USING (topic, partition)
             WHERE p.quarantine_bytes <> coalesce(q.bytes, 0) ORDER BY 1, 2")
        )?;
        for source in &wrong {
            let mut tx = self.begin().await?;
            // Locked in a statement of its own: the next one sees what the flush before it added.
            lock(&mut tx, source).await?;
            execute!(&mut *tx, CONTEXT;
                &format!("UPDATE partition_progress SET quarantine_bytes =
                     (SELECT coalesce(sum({CONTENT_BYTES}), 0) FROM quarantine q WHERE q.topic = $1 AND q.partition = $2)
                 WHERE topic = $1 AND partition = $2"),
                source.topic.as_str(), source.partition.get()
            )?;
            tx.commit().await.context(CONTEXT)?;
        }
        Ok(wrong.len() as u64)
    }

    /// The first messages that `query` finds: as many as one transaction may take, and bytes up to a limit unless the first alone has more.
    pub(crate) async fn content_step(
        &self,
        mut query: QueryBuilder<'_, Postgres>,
        most_bytes: i64,
    ) -> Result<Vec<Coordinates>, StoreError> {
        query.push(" LIMIT ").push_bind(STEP_MESSAGES);
        let found: Vec<Content> = sql::all(query.build(), &self.pool, CONTEXT).await?;
        let mut bytes = 0;
        let step = found.into_iter().take_while(|content| {
            let is_in = bytes < most_bytes;
            bytes += content.bytes;
            is_in
        });
        Ok(step.map(|content| content.coordinates).collect())
    }

    /// Drops the content of these messages, in one transaction a partition.
    pub(crate) async fn drop_content(
        &self,
        messages: Vec<Coordinates>,
        dropped_for: DroppedFor,
    ) -> Result<Dropped, StoreError> {
        let mut by_partition: BTreeMap<TopicPartition, Vec<i64>> = BTreeMap::new();
        for at in messages {
            by_partition.entry(at.source).or_default().push(at.offset.get());
        }
        let mut all = Dropped::default();
        for (source, offsets) in by_partition {
            all.add(self.drop_in_partition(&source, &offsets, dropped_for).await?);
        }
        Ok(all)
    }

    async fn drop_in_partition(
        &self,
        source: &TopicPartition,
        offsets: &[i64],
        dropped_for: DroppedFor,
    ) -> Result<Dropped, StoreError> {
        let mut tx = self.begin().await?;
        lock(&mut tx, source).await?;
        let (messages, bytes): (i64, i64) = fetch_one!(&mut *tx, CONTEXT;
            &format!("WITH gone AS (
                 SELECT \"offset\", {CONTENT_BYTES} AS bytes FROM quarantine
                 WHERE topic = $1 AND partition = $2 AND \"offset\" = ANY ($3)
                     AND CASE WHEN $4 = 'discarded' THEN state = 'held' ELSE content_dropped_at IS NULL END
                 FOR UPDATE
             ), dropped AS (
                 UPDATE quarantine q
                 SET raw = NULL, key = NULL, headers = NULL,
                     content_dropped_at = coalesce(content_dropped_at, now()),
                     content_dropped_for = coalesce(content_dropped_for, $4),
                     state = CASE WHEN $4 = 'discarded' THEN 'discarded' ELSE state END,
                     settled_at = CASE WHEN $4 = 'discarded' THEN now() ELSE settled_at END
                 FROM gone g WHERE q.topic = $1 AND q.partition = $2 AND q.\"offset\" = g.\"offset\"
             ), counted AS (
                 SELECT count(*) AS messages, coalesce(sum(bytes), 0)::int8 AS bytes FROM gone
             )
             UPDATE partition_progress
             SET quarantine_bytes = quarantine_bytes - c.bytes,
                 quarantine_dropped = quarantine_dropped + CASE WHEN $4 IN ('age', 'bound') THEN c.messages ELSE 0 END
             FROM counted c WHERE topic = $1 AND partition = $2
             RETURNING c.messages, c.bytes"),
            source.topic.as_str(), source.partition.get(), offsets, dropped_for.as_str()
        )?;
        tx.commit().await.context(CONTEXT)?;
        Ok(Dropped {
            messages: messages.unsigned_abs(),
            bytes: bytes.unsigned_abs(),
        })
    }
}

impl Dropped {
    pub(crate) fn add(&mut self, more: Self) {
        self.messages += more.messages;
        self.bytes += more.bytes;
    }
}

/// Bytes of all partitions, as of the flushes that are committed and of this transaction.
pub(crate) async fn quarantine_bytes(connection: &mut PgConnection) -> Result<i64, StoreError> {
    fetch_one!(connection, "cannot read how large the quarantine is";
        "SELECT coalesce(sum(quarantine_bytes), 0)::int8 FROM partition_progress"
    )
}

/// Messages for [`Store::content_step`]; a condition and an order are to follow.
pub(crate) fn select_content() -> QueryBuilder<'static, Postgres> {
    QueryBuilder::new(format!(
        "SELECT topic, partition, \"offset\", {CONTENT_BYTES} AS bytes FROM quarantine"
    ))
}

/// Locks the ledger's row of a partition, as a flush does.
async fn lock(connection: &mut PgConnection, source: &TopicPartition) -> Result<(), StoreError> {
    execute!(connection, CONTEXT;
        "SELECT FROM partition_progress WHERE topic = $1 AND partition = $2 FOR NO KEY UPDATE",
        source.topic.as_str(), source.partition.get()
    )?;
    Ok(())
}
