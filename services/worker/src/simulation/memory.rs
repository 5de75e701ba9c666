//! The worker's end of a ledger in memory that keeps Postgres' promises and nothing more (`server`). Each
//! call waits until the world carries it out, fails it, or forgets it.

use std::sync::{Arc, Mutex, PoisonError};

use copydesk_article::{ArticleId, NextOffset, Partition, Topic, TopicPartition};
use copydesk_store::ledger::{self, Advanced, Counts, Ledger, Rows};
use copydesk_store::{Batch, Claimed, FlushError, FlushReport, OnLostRange, Progress, StoreError, Wanted};
use futures_util::future::BoxFuture;
use tokio::sync::oneshot;

use crate::database::Database;

pub(super) fn source(partition: i32) -> TopicPartition {
    TopicPartition {
        topic: Topic::new("articles.raw"),
        partition: Partition::new(partition),
    }
}

/// What stands at an offset of the topic: the same for every run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Good,
    /// It takes an article down: stored apart from what is around it.
    Tombstone,
    /// A stage refuses it.
    Bad,
    /// The database refuses its row.
    Poison,
    /// It ends the process that prepares it.
    Killer,
    /// Kafka has nothing there.
    Hole,
}

pub(super) fn kind(partition: i32, offset: i64) -> Kind {
    let mixed = (offset as u64 * 31 + u64::from(partition.unsigned_abs()) * 17 + 7)
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        >> 59;
    match mixed {
        0 | 1 => Kind::Hole,
        2 | 3 => Kind::Bad,
        4 => Kind::Poison,
        5 => Kind::Killer,
        6..=8 => Kind::Tombstone,
        _ => Kind::Good,
    }
}

/// A way to break what the promises rest on: each must be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    /// The offset is advanced before, and not with, the rows.
    AdvancesFirst,
    /// A flush is not asked for its epoch.
    NoEpoch,
    /// A flush may begin behind the ledger's position, not only at it.
    FromAnywhereAhead,
    /// The consumer starts at the group's committed offset instead of the ledger's.
    StartsAtCommitted,
    /// A claim does not report that an earlier owner died.
    ForgetsTheDead,
}

#[derive(Debug)]
pub(super) enum Op {
    Begin,
    Advance {
        tx: u64,
        claim: Claimed,
        from: i64,
        to: i64,
    },
    Write {
        tx: u64,
        partition: i32,
        stored: Vec<i64>,
        refused: Vec<i64>,
        gaps: Vec<(i64, i64)>,
    },
    Commit {
        tx: u64,
    },
    Rollback {
        tx: u64,
    },
    Position(Claimed),
    StoredBefore {
        partition: i32,
        from: i64,
        to: i64,
    },
    Claim(Vec<Wanted>),
    Release(Vec<Claimed>),
    Progress,
}

impl Op {
    /// The transaction that it is part of, and that a lost connection takes along.
    pub(super) fn transaction(&self) -> Option<u64> {
        match self {
            Self::Advance { tx, .. }
            | Self::Write { tx, .. }
            | Self::Commit { tx }
            | Self::Rollback { tx } => Some(*tx),
            _ => None,
        }
    }
}

#[derive(Debug)]
pub(super) enum Answer {
    Begun(u64),
    Advanced(bool),
    Done,
    Position(Option<i64>),
    Stored { stored: u64, quarantined: u64 },
    Claimed(Vec<Claimed>),
    Progress(Vec<Progress>),
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Refusal {
    /// The connection broke: whether it was carried out is unknown.
    Lost,
    /// A value is refused.
    Data,
    /// A row is there already.
    Unique,
}

impl From<Refusal> for StoreError {
    fn from(refusal: Refusal) -> Self {
        let database = |error| Self::Database {
            context: "simulated",
            error,
        };
        match refusal {
            Refusal::Lost => database(sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into())),
            Refusal::Data => database(sqlx::Error::Encode("refused".into())),
            Refusal::Unique => Self::Unknown("a second row for an offset".into()),
        }
    }
}

/// One call that waits for the world.
pub(super) struct Pending {
    pub(super) worker: u64,
    pub(super) op: Op,
    pub(super) answer: oneshot::Sender<Result<Answer, Refusal>>,
}

#[derive(Default)]
pub(super) struct Calls {
    pub(super) pending: Vec<Pending>,
    /// Transactions that were dropped without an end.
    pub(super) dropped: Vec<u64>,
}

pub(super) type SharedCalls = Arc<Mutex<Calls>>;

pub(super) fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The ledger as one worker sees it.
pub(super) struct MemoryDatabase {
    pub(super) worker: u64,
    pub(super) calls: SharedCalls,
}

pub(super) struct MemoryTransaction {
    id: u64,
    calls: SharedCalls,
    ended: bool,
}

impl Drop for MemoryTransaction {
    fn drop(&mut self) {
        if !self.ended {
            locked(&self.calls).dropped.push(self.id);
        }
    }
}

impl MemoryDatabase {
    async fn call(&self, op: Op) -> Result<Answer, StoreError> {
        let (answer, answered) = oneshot::channel();
        locked(&self.calls).pending.push(Pending {
            worker: self.worker,
            op,
            answer,
        });
        Ok(answered.await.unwrap_or(Err(Refusal::Lost))?)
    }
}

/// The world answers each call with its own kind of answer.
fn unexpected<T>(answer: &Answer) -> Result<T, StoreError> {
    Err(StoreError::Unknown(format!("{answer:?}")))
}

impl Ledger for MemoryDatabase {
    type Transaction = MemoryTransaction;

    async fn begin(&self) -> Result<MemoryTransaction, StoreError> {
        match self.call(Op::Begin).await? {
            Answer::Begun(id) => Ok(MemoryTransaction {
                id,
                calls: Arc::clone(&self.calls),
                ended: false,
            }),
            other => unexpected(&other),
        }
    }

    async fn advance(
        &self,
        transaction: &mut MemoryTransaction,
        claimed: &Claimed,
        from: NextOffset,
        to: NextOffset,
        counts: Counts,
    ) -> Result<Option<Advanced>, StoreError> {
        let op = Op::Advance {
            tx: transaction.id,
            claim: claimed.clone(),
            from: from.get(),
            to: to.get(),
        };
        match self.call(op).await? {
            Answer::Advanced(true) => Ok(Some(Advanced {
                last_takedown: 0,
                ids: (0..counts.prepared).map(ArticleId).collect(),
                common_version: 0,
            })),
            Answer::Advanced(false) => Ok(None),
            other => unexpected(&other),
        }
    }

    async fn write(
        &self,
        transaction: &mut MemoryTransaction,
        claimed: &Claimed,
        _: Advanced,
        rows: Rows<'_>,
    ) -> Result<FlushReport, StoreError> {
        let report = FlushReport {
            new_articles: (rows.prepared.len() + rows.tombstones.len()) as u64,
            quarantined: rows.rejected.len() as u64,
            ..FlushReport::default()
        };
        let offset = |m: &copydesk_article::Message| m.coordinates.offset.get();
        self.call(Op::Write {
            tx: transaction.id,
            partition: claimed.source.partition.get(),
            stored: rows
                .prepared
                .iter()
                .map(|(item, _)| item)
                .chain(rows.tombstones.iter().map(|(item, _)| item))
                .map(|item| offset(&item.message))
                .collect(),
            refused: rows.rejected.iter().map(|(message, _)| offset(message)).collect(),
            gaps: rows.gaps,
        })
        .await?;
        Ok(report)
    }

    async fn commit(&self, mut transaction: MemoryTransaction) -> Result<(), StoreError> {
        transaction.ended = true;
        self.call(Op::Commit { tx: transaction.id }).await.map(drop)
    }

    async fn rollback(&self, mut transaction: MemoryTransaction) -> Result<(), StoreError> {
        transaction.ended = true;
        self.call(Op::Rollback { tx: transaction.id }).await.map(drop)
    }

    async fn position(&self, claimed: &Claimed) -> Result<Option<NextOffset>, StoreError> {
        match self.call(Op::Position(claimed.clone())).await? {
            Answer::Position(at) => Ok(at.map(NextOffset::new)),
            other => unexpected(&other),
        }
    }

    async fn stored_before(
        &self,
        claimed: &Claimed,
        from: NextOffset,
        to: NextOffset,
    ) -> Result<FlushReport, StoreError> {
        let op = Op::StoredBefore {
            partition: claimed.source.partition.get(),
            from: from.get(),
            to: to.get(),
        };
        match self.call(op).await? {
            Answer::Stored { stored, quarantined } => Ok(FlushReport {
                new_articles: stored,
                quarantined,
                ..FlushReport::default()
            }),
            other => unexpected(&other),
        }
    }
}

impl Database for MemoryDatabase {
    fn flush<'a>(
        &'a self,
        claimed: &'a Claimed,
        batch: &'a Batch,
    ) -> BoxFuture<'a, Result<FlushReport, FlushError>> {
        Box::pin(ledger::flush(self, claimed, batch))
    }

    fn claim<'a>(
        &'a self,
        _: &'a str,
        wanted: &'a [Wanted],
        _: OnLostRange,
    ) -> BoxFuture<'a, Result<Vec<Claimed>, StoreError>> {
        Box::pin(async {
            match self.call(Op::Claim(wanted.to_vec())).await? {
                Answer::Claimed(claims) => Ok(claims),
                other => unexpected(&other),
            }
        })
    }

    fn release<'a>(&'a self, claims: &'a [Claimed]) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async { self.call(Op::Release(claims.to_vec())).await.map(drop) })
    }

    fn progress(&self) -> BoxFuture<'_, Result<Vec<Progress>, StoreError>> {
        Box::pin(async {
            match self.call(Op::Progress).await? {
                Answer::Progress(progress) => Ok(progress),
                other => unexpected(&other),
            }
        })
    }
}
