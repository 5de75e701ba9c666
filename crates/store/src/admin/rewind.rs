//! The rewind: a person wants messages to be read again.
//!
//! The audit law allows each offset one row below `next_offset`, so setting the ledger back takes the rows behind
//! the new position with it, in the same transaction (sightings move to `rewound_sighting`). The articles stay: a message that is read again finds its own
//! article and becomes a sighting of it. The epoch goes up, so that whoever reads the partition now is fenced
//! and claims it anew, from the new position.

use copydesk_article::{NextOffset, Offset, TopicPartition};
use sqlx::PgConnection;

use crate::connect::config::Store;
use crate::error::{Context as _, StoreError};
use crate::ledger::quarantine_content::CONTENT_BYTES;
use crate::rows::{execute, fetch_one, fetch_optional, record};

const CONTEXT: &str = "cannot rewind";

/// Where a partition is to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RewindTo {
    /// The partition.
    pub source: TopicPartition,
    /// The first message to read again.
    pub to: Offset,
    /// The oldest message that Kafka still has.
    pub low: Offset,
}

/// What a rewind did to a partition, or would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewound {
    /// The partition.
    pub source: TopicPartition,
    /// Where the ledger was.
    pub from: NextOffset,
    /// Where it is now.
    pub to: Offset,
    /// Sightings that were taken back.
    pub sightings: i64,
    /// Quarantined messages that were taken back, without those that were replayed.
    pub quarantined: i64,
    /// Offsets of gaps that were taken back.
    pub skipped: i64,
}

impl Store {
    /// Sets partitions back, all of them or none: waits for the flush under way, takes back the rows behind the new
    /// positions, raises the epochs and notes it in the table `rewind`. `dry_run`: says what it would do.
    ///
    /// # Errors
    /// [`StoreError::BadRewind`] for a position before the first that the ledger knew of, before what Kafka still
    /// has, or ahead of the present one; whatever Postgres answers.
    pub async fn rewind(
        &self,
        wanted: &[RewindTo],
        by: &str,
        dry_run: bool,
    ) -> Result<Vec<Rewound>, StoreError> {
        // In the order in which claims take the rows.
        let mut sorted: Vec<&RewindTo> = wanted.iter().collect();
        sorted.sort_by(|a, b| a.source.cmp(&b.source));
        let mut tx = self.begin().await?;
        // A long way back is many rows; a person waits for it.
        execute!(&mut *tx, CONTEXT; "SET LOCAL statement_timeout = 0")?;
        let mut all = Vec::with_capacity(sorted.len());
        for want in sorted {
            let from = lock(&mut tx, want).await?;
            let id = note(&mut tx, want, from, by).await?;
            let back = take_back(&mut tx, want, id).await?;
            let rewound = Rewound {
                source: want.source.clone(),
                from,
                to: want.to,
                sightings: back.sightings,
                quarantined: back.quarantined,
                skipped: back.skipped,
            };
            set_back(&mut tx, &rewound, id, by).await?;
            all.push(rewound);
        }
        if dry_run {
            tx.rollback().await.context(CONTEXT)?;
        } else {
            tx.commit().await.context(CONTEXT)?;
        }
        Ok(all)
    }
}

/// Locks the ledger's row, as a flush and a claim do, and checks the wish against it.
async fn lock(connection: &mut PgConnection, want: &RewindTo) -> Result<NextOffset, StoreError> {
    let bad = |why: String| StoreError::BadRewind {
        partition: want.source.clone(),
        to: want.to,
        why,
    };
    let row: Option<(i64, i64)> = fetch_optional!(connection, CONTEXT;
        "SELECT first_offset, next_offset FROM partition_progress WHERE topic = $1 AND partition = $2 FOR UPDATE",
        want.source.topic.as_str(), want.source.partition.get()
    )?;
    let (first, next) = row.ok_or_else(|| bad("the ledger does not know this partition".into()))?;
    let to = want.to.get();
    if to < first {
        return Err(bad(format!("the ledger begins at {first}")));
    }
    if to < want.low.get() {
        return Err(bad(format!(
            "Kafka has deleted everything before {} (retention)",
            want.low
        )));
    }
    if to >= next {
        return Err(bad(format!("the ledger is at {next}, which is not behind it")));
    }
    Ok(NextOffset::new(next))
}

async fn note(
    connection: &mut PgConnection,
    want: &RewindTo,
    from: NextOffset,
    by: &str,
) -> Result<i64, StoreError> {
    fetch_one!(connection, CONTEXT;
        "INSERT INTO rewind (topic, partition, from_offset, to_offset, sightings, quarantined, skipped, rewound_by)
         VALUES ($1, $2, $3, $4, 0, 0, 0, $5) RETURNING rewind_id",
        want.source.topic.as_str(), want.source.partition.get(), from.get(), want.to.get(), by
    )
}

record! {
    /// What a rewind took back: sightings, quarantined messages, offsets of gaps.
    struct TakenBack {
        sightings: i64,
        quarantined: i64,
        skipped: i64,
    }
}

/// Takes back what is known of the offsets from the new position on.
async fn take_back(connection: &mut PgConnection, want: &RewindTo, id: i64) -> Result<TakenBack, StoreError> {
    fetch_one!(connection, CONTEXT;
        "WITH seen AS (
             DELETE FROM sighting WHERE topic = $1 AND partition = $2 AND \"offset\" >= $3
             RETURNING \"offset\", article_id, message_time, ingested_at, version, verdict, content_hash
         ), kept AS (
             INSERT INTO rewound_sighting (rewind_id, \"offset\", article_id, message_time, ingested_at, version, verdict,
                                           content_hash)
             SELECT $4, * FROM seen
         ), refused AS (
             DELETE FROM quarantine WHERE topic = $1 AND partition = $2 AND \"offset\" >= $3 RETURNING state
         ), behind AS (
             DELETE FROM gap WHERE topic = $1 AND partition = $2 AND from_offset >= $3
             RETURNING to_offset - from_offset AS offsets
         ), across AS (
             SELECT to_offset - $3 AS offsets FROM gap
             WHERE topic = $1 AND partition = $2 AND from_offset < $3 AND to_offset > $3
         ), shortened AS (
             UPDATE gap SET to_offset = $3
             WHERE topic = $1 AND partition = $2 AND from_offset < $3 AND to_offset > $3
         )
         SELECT (SELECT count(*) FROM seen) AS sightings, (SELECT count(*) FROM refused WHERE state <> 'replayed') AS quarantined,
                ((SELECT coalesce(sum(offsets), 0) FROM behind) + (SELECT coalesce(sum(offsets), 0) FROM across))::int8 AS skipped",
        want.source.topic.as_str(), want.source.partition.get(), want.to.get(), id
    )
}

async fn set_back(
    connection: &mut PgConnection,
    rewound: &Rewound,
    id: i64,
    by: &str,
) -> Result<(), StoreError> {
    execute!(connection, CONTEXT;
        &format!("WITH noted AS (
             UPDATE rewind SET sightings = $4, quarantined = $5, skipped = $6 WHERE rewind_id = $7
         )
         UPDATE partition_progress
         SET next_offset = $3, flushed_from = $3, claimed_from = $3, epoch = epoch + 1, owner = $8,
             stored = stored - $4, quarantined = quarantined - $5, skipped = skipped - $6, in_hand_until = 0,
             quarantine_bytes = (SELECT coalesce(sum({CONTENT_BYTES}), 0) FROM quarantine q
                                 WHERE q.topic = $1 AND q.partition = $2),
             claimed_at = clock_timestamp(), updated_at = clock_timestamp()
         WHERE topic = $1 AND partition = $2"),
        rewound.source.topic.as_str(), rewound.source.partition.get(), rewound.to.get(), rewound.sightings,
        rewound.quarantined, rewound.skipped, id, by
    )?;
    Ok(())
}
