//! The ledger: who reads a partition, and how far it is.

use std::collections::HashMap;

use copydesk_article::{Epoch, NextOffset, Offset, TopicPartition};
use sqlx::PgConnection;

use crate::connect::config::Store;
use crate::error::{Context as _, StoreError};
use crate::ledger::claimed::Claimed;
use crate::ledger::protocol::{Advanced, Counts};
use crate::rows::{execute, fetch_all, fetch_optional, record};

/// A partition to be claimed, with its offsets in Kafka.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The partition.
    pub source: TopicPartition,
    /// The first message that Kafka still has (low watermark).
    pub low: Offset,
    /// The offset that its next message will get (high watermark).
    pub high: Offset,
    /// Messages of it that the claimer may have taken from the queue and not yet stored, at most.
    pub in_hand: i64,
}

/// What to do when Kafka has deleted messages before they were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnLostRange {
    /// Refuse the claim: a person decides.
    #[default]
    Stop,
    /// Record the range as a gap and go on behind it.
    Skip,
}

record! {
    /// How far a partition is.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Progress {
        /// The partition.
        pub source: TopicPartition,
        /// The first offset that the ledger ever knew of.
        pub first_offset: Offset,
        /// The first offset that is not yet done.
        pub next_offset: NextOffset,
        /// How often it was claimed.
        pub epoch: Epoch,
        /// Who claimed it last.
        pub owner: String,
    }
}

impl Store {
    /// Claims partitions for `owner`: all of them or none. Waits for a transaction of the former owner, if one
    /// is under way, so that the answer counts what it commits.
    ///
    /// A partition that the ledger does not know starts at its low watermark.
    ///
    /// # Errors
    /// [`StoreError::LostRange`] under [`OnLostRange::Stop`], [`StoreError::TopicRecreated`], and whatever
    /// Postgres answers.
    pub async fn claim(
        &self,
        owner: &str,
        wanted: &[Wanted],
        on_lost_range: OnLostRange,
    ) -> Result<Vec<Claimed>, StoreError> {
        const CONTEXT: &str = "cannot claim partitions";
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        // In one order for all workers, so that two claims never wait for each other.
        let mut sorted: Vec<&Wanted> = wanted.iter().collect();
        sorted.sort_by(|a, b| a.source.cmp(&b.source));
        let topics: Vec<&str> = sorted.iter().map(|w| w.source.topic.as_str()).collect();
        let partitions: Vec<i32> = sorted.iter().map(|w| w.source.partition.get()).collect();
        let lows: Vec<i64> = sorted.iter().map(|w| w.low.get()).collect();
        let in_hand: Vec<i64> = sorted.iter().map(|w| w.in_hand).collect();
        let mut tx = self.begin().await?;
        let rows: Vec<Claimed> = fetch_all!(&mut *tx, CONTEXT;
            "INSERT INTO partition_progress AS p
                 (topic, partition, first_offset, next_offset, flushed_from, claimed_from, epoch, owner, in_hand_until)
             SELECT topic, partition, low, low, low, low, 1, $4, in_hand
             FROM unnest($1::text[], $2::int4[], $3::int8[], $5::int8[]) AS w (topic, partition, low, in_hand)
             ON CONFLICT (topic, partition) DO UPDATE
             SET epoch = p.epoch + 1, owner = EXCLUDED.owner, claimed_from = p.next_offset,
                 unfinished_claims = CASE WHEN p.stored + p.quarantined < p.in_hand_until
                                          THEN p.unfinished_claims + 1 ELSE 0 END,
                 in_hand_until = p.stored + p.quarantined + EXCLUDED.in_hand_until,
                 claimed_at = clock_timestamp(), updated_at = clock_timestamp()
             RETURNING topic, partition, next_offset, epoch, unfinished_claims",
            &topics, &partitions, &lows, owner, &in_hand
        )?;
        let mut claims: HashMap<TopicPartition, Claimed> = rows
            .into_iter()
            .map(|claim| (claim.source.clone(), claim))
            .collect();
        let mut answer = Vec::with_capacity(wanted.len());
        for want in sorted {
            let Some(mut claim) = claims.remove(&want.source) else {
                return Err(StoreError::BadBatch {
                    partition: want.source.clone(),
                    what: "claimed twice in one call".into(),
                });
            };
            if claim.next_offset.get() > want.high.get() {
                return Err(StoreError::TopicRecreated {
                    partition: claim.source,
                    next_offset: claim.next_offset,
                    high: want.high,
                });
            }
            if claim.next_offset.get() < want.low.get() {
                if on_lost_range == OnLostRange::Stop {
                    return Err(StoreError::LostRange {
                        partition: claim.source,
                        next_offset: claim.next_offset,
                        low: want.low,
                    });
                }
                skip_lost(&mut tx, &claim, want.low).await?;
                claim.next_offset = NextOffset::new(want.low.get());
            }
            answer.push(claim);
        }
        tx.commit().await.context(CONTEXT)?;
        Ok(answer)
    }

    /// Notes that the owner has given these partitions back and has stored all messages that it took from
    /// their queues. It changes neither the claims of others nor a claim after an owner that died, because
    /// the messages of that owner are not stored yet. Without the note the next claim makes the worker more
    /// careful than it needs to be.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn release(&self, claims: &[Claimed]) -> Result<(), StoreError> {
        const CONTEXT: &str = "cannot give partitions back";
        let topics: Vec<&str> = claims.iter().map(|c| c.source.topic.as_str()).collect();
        let partitions: Vec<i32> = claims.iter().map(|c| c.source.partition.get()).collect();
        let epochs: Vec<i64> = claims.iter().map(|c| c.epoch.get()).collect();
        let mut tx = self.begin().await?;
        // Locked in the order of the claims, so that the two never wait for each other.
        execute!(&mut *tx, CONTEXT;
            "WITH mine AS (
                 SELECT p.topic, p.partition FROM partition_progress p
                 JOIN unnest($1::text[], $2::int4[], $3::int8[]) AS c (topic, partition, epoch)
                     USING (topic, partition, epoch)
                 WHERE p.unfinished_claims = 0
                 ORDER BY p.topic, p.partition FOR UPDATE OF p
             )
             UPDATE partition_progress SET in_hand_until = 0 WHERE (topic, partition) IN (SELECT * FROM mine)",
            &topics, &partitions, &epochs
        )?;
        tx.commit().await.context(CONTEXT)
    }

    /// How far every partition is, in order.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn progress(&self) -> Result<Vec<Progress>, StoreError> {
        fetch_all!(&self.pool, "cannot read the ledger";
            "SELECT topic, partition, first_offset, next_offset, epoch, owner
             FROM partition_progress ORDER BY topic, partition"
        )
    }
}

/// Goes on behind a range that Kafka has deleted.
async fn skip_lost(connection: &mut PgConnection, claim: &Claimed, low: Offset) -> Result<(), StoreError> {
    execute!(connection, "cannot record a lost range";
        "WITH moved AS (
             UPDATE partition_progress
             SET next_offset = $4, claimed_from = $4, flushed_from = $4, skipped = skipped + ($4 - $3)
             WHERE topic = $1 AND partition = $2
         )
         INSERT INTO gap (topic, partition, from_offset, to_offset, reason) VALUES ($1, $2, $3, $4, 'retention')",
        claim.source.topic.as_str(), claim.source.partition.get(), claim.next_offset.get(), low.get()
    )?;
    Ok(())
}

/// Advances the partition from `from` to `to`, if the epoch is still ours and the ledger is at `from`. `None`: one of the two is
/// not so; [`position`] says which.
///
/// At `from`, and not only before it: a ledger that has lost commits (a crash with `synchronous_commit = off`, a backup) is behind
/// a worker that was not restarted, and the messages between the two would count as never delivered.
pub(crate) async fn advance(
    connection: &mut PgConnection,
    claimed: &Claimed,
    from: NextOffset,
    to: NextOffset,
    counts: Counts,
) -> Result<Option<Advanced>, StoreError> {
    fetch_optional!(connection, "cannot advance the ledger";
        "UPDATE partition_progress
         SET flushed_from = next_offset, next_offset = $5, updated_at = clock_timestamp(),
             stored = stored + $6, quarantined = quarantined + $7,
             skipped = skipped + ($5 - next_offset - $6 - $7)
         WHERE topic = $1 AND partition = $2 AND epoch = $3 AND next_offset = $4
         RETURNING ARRAY(SELECT nextval('article_id_seq') FROM generate_series(1, $6)) AS ids,
                   (SELECT common_version FROM setting),
                   (SELECT coalesce(max(takedown_id), 0) FROM takedown) AS last_takedown",
        claimed.source.topic.as_str(), claimed.source.partition.get(), claimed.epoch.get(), from.get(),
        to.get(), counts.prepared, counts.refused
    )
}

/// Where the ledger is for this claim. `None`: the claim is over.
pub(crate) async fn position(store: &Store, claimed: &Claimed) -> Result<Option<NextOffset>, StoreError> {
    fetch_optional!(&store.pool, "cannot read the ledger";
        "SELECT next_offset FROM partition_progress WHERE topic = $1 AND partition = $2 AND epoch = $3",
        claimed.source.topic.as_str(), claimed.source.partition.get(), claimed.epoch.get()
    )
}
