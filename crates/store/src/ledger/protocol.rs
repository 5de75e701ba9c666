//! The protocol of a flush, apart from the database: the order of its calls, and the meaning of each answer.
//!
//! [`Ledger`] has the calls; [`Store`](crate::Store) is the one on Postgres (`postgres_ledger.rs`). The
//! worker's simulation has another one in memory, which crashes, cuts connections and restores backups
//! between any two of these calls.

use copydesk_article::{ArticleId, Message, NextOffset, Offset, Reject};
use tracing::warn;

use crate::error::{FlushError, RetryClass, StoreError};
use crate::ledger::claimed::Claimed;
use crate::ledger::item::{Batch, Content, Item, Prepared, Tombstone, gaps_between};
use crate::ledger::report::FlushReport;
use crate::rows::record;

/// The numbers of messages in a flush.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Articles and tombstones.
    pub prepared: i64,
    /// Messages for quarantine.
    pub refused: i64,
}

record! {
    /// The answer of a flush's first statement, if the ledger was where the flush begins.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Advanced {
        /// Fresh article ids, ascending.
        pub ids: Vec<ArticleId>,
        /// The list of common shingles that decisions use; 0: none.
        pub common_version: i32,
        /// The last takedown, lifted or not; 0: there is none.
        pub last_takedown: i64,
    }
}

/// The rows of one transaction: tombstones alone, or all else.
#[derive(Debug)]
pub struct Rows<'b> {
    /// Messages that are articles, in the order of their offsets.
    pub prepared: Vec<(&'b Item, &'b Prepared)>,
    /// Messages that take articles down, in the order of their offsets.
    pub tombstones: Vec<(&'b Item, &'b Tombstone)>,
    /// Messages for quarantine.
    pub rejected: Vec<(&'b Message, &'b Reject)>,
    /// Ranges of offsets without a message: first, and behind the last.
    pub gaps: Vec<(i64, i64)>,
}

/// The calls that a flush makes to a database. A transaction that is dropped is rolled back.
pub trait Ledger: Sync {
    /// A transaction.
    type Transaction: Send;

    /// Begins a transaction.
    fn begin(&self) -> impl Future<Output = Result<Self::Transaction, StoreError>> + Send;

    /// Advances the partition from `from` to `to` within the transaction, if the epoch is still the claim's and the ledger
    /// is at `from`. `None`: one of the two is not so; [`Ledger::position`] says which. Waits for a transaction
    /// under way on the same partition.
    fn advance(
        &self,
        transaction: &mut Self::Transaction,
        claimed: &Claimed,
        from: NextOffset,
        to: NextOffset,
        counts: Counts,
    ) -> impl Future<Output = Result<Option<Advanced>, StoreError>> + Send;

    /// Writes the rows within the transaction.
    fn write(
        &self,
        transaction: &mut Self::Transaction,
        claimed: &Claimed,
        advanced: Advanced,
        rows: Rows<'_>,
    ) -> impl Future<Output = Result<FlushReport, StoreError>> + Send;

    /// Commits. After an error nobody knows whether it did.
    fn commit(&self, transaction: Self::Transaction) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Rolls back.
    fn rollback(&self, transaction: Self::Transaction)
    -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Where the ledger is for this claim. `None`: the claim is over.
    fn position(
        &self,
        claimed: &Claimed,
    ) -> impl Future<Output = Result<Option<NextOffset>, StoreError>> + Send;

    /// The messages of these offsets that an earlier try stored.
    fn stored_before(
        &self,
        claimed: &Claimed,
        from: NextOffset,
        to: NextOffset,
    ) -> impl Future<Output = Result<FlushReport, StoreError>> + Send;
}

/// Consecutive items and the range of offsets that they account for.
#[derive(Clone, Copy)]
struct Part<'b> {
    from: NextOffset,
    to: NextOffset,
    items: &'b [Item],
}

/// The outcome of one transaction.
enum Attempt {
    /// It was committed.
    Stored(FlushReport),
    /// The ledger is further than the part's beginning: all messages before this offset are stored already.
    AlreadyAt(NextOffset),
}

/// Stores a batch and advances the ledger: [`Store::flush`](crate::Store::flush) says how.
///
/// # Errors
/// [`FlushError::class`] says what to do.
pub async fn flush<L: Ledger>(
    ledger: &L,
    claimed: &Claimed,
    batch: &Batch,
) -> Result<FlushReport, FlushError> {
    check(claimed, batch)?;
    let mut report = FlushReport::default();
    // The next part is on top.
    let mut parts = parts(batch);
    parts.reverse();
    while let Some(part) = parts.pop() {
        match attempt(ledger, claimed, part, None).await {
            Ok(Attempt::Stored(stored)) => report.add(&stored),
            Ok(Attempt::AlreadyAt(position)) => {
                let until = position.min(part.to);
                report.add(&ledger.stored_before(claimed, part.from, until).await?);
                if position < part.to {
                    let done = part
                        .items
                        .partition_point(|i| position.is_past(i.message.coordinates.offset));
                    parts.push(Part {
                        from: position,
                        to: part.to,
                        items: part.items.get(done..).unwrap_or_default(),
                    });
                }
            }
            Err(error) if error.class() == RetryClass::DataError => match part.items {
                [] => return Err(error),
                [only] => report.add(&refuse(ledger, claimed, part, only, &error).await?),
                items => {
                    let (first, second) = items.split_at(items.len() / 2);
                    let border = first
                        .last()
                        .map_or(part.from, |i| i.message.coordinates.offset.next());
                    parts.push(Part {
                        from: border,
                        to: part.to,
                        items: second,
                    });
                    parts.push(Part {
                        from: part.from,
                        to: border,
                        items: first,
                    });
                }
            },
            Err(error) => return Err(error),
        }
    }
    Ok(report)
}

/// Cuts a batch into transactions. Tombstones have transactions of their own, so that an article before one
/// is removed and one behind it is not stored, wherever batches are cut.
fn parts(batch: &Batch) -> Vec<Part<'_>> {
    let mut parts: Vec<Part<'_>> = Vec::with_capacity(1);
    let mut from = batch.from;
    for items in batch.items.chunk_by(|a, b| a.is_tombstone() == b.is_tombstone()) {
        let to = items.last().map_or(from, |i| i.message.coordinates.offset.next());
        parts.push(Part { from, to, items });
        from = to;
    }
    match parts.last_mut() {
        Some(last) => last.to = batch.to,
        None => parts.push(Part {
            from,
            to: batch.to,
            items: &[],
        }),
    }
    parts
}

/// Puts the one message that the database refuses into quarantine.
async fn refuse<L: Ledger>(
    ledger: &L,
    claimed: &Claimed,
    part: Part<'_>,
    item: &Item,
    error: &StoreError,
) -> Result<FlushReport, StoreError> {
    warn!(message = %item.message.coordinates, %error, "postgres refuses this message; it goes to quarantine");
    let reject = error.as_reject();
    match attempt(ledger, claimed, part, Some(&reject)).await? {
        Attempt::Stored(mut report) => {
            report.refused_by_database += 1;
            Ok(report)
        }
        Attempt::AlreadyAt(position) => {
            ledger
                .stored_before(claimed, part.from, position.min(part.to))
                .await
        }
    }
}

/// One transaction. `refused`: every item of the part is put into quarantine for this reason.
async fn attempt<L: Ledger>(
    ledger: &L,
    claimed: &Claimed,
    part: Part<'_>,
    refused: Option<&Reject>,
) -> Result<Attempt, StoreError> {
    let mut rows = Rows {
        prepared: Vec::with_capacity(part.items.len()),
        tombstones: Vec::new(),
        rejected: Vec::new(),
        gaps: gaps_between(part.from, part.to, part.items),
    };
    for item in part.items {
        match (&item.outcome, refused) {
            (Ok(Content::Article(article)), None) => rows.prepared.push((item, article.as_ref())),
            (Ok(Content::Tombstone(tombstone)), None) => rows.tombstones.push((item, tombstone)),
            (Ok(_), Some(reject)) | (Err(reject), _) => rows.rejected.push((&item.message, reject)),
        }
    }
    let counts = Counts {
        prepared: (rows.prepared.len() + rows.tombstones.len()) as i64,
        refused: rows.rejected.len() as i64,
    };
    let mut transaction = ledger.begin().await?;
    let Some(advanced) = ledger
        .advance(&mut transaction, claimed, part.from, part.to, counts)
        .await?
    else {
        ledger.rollback(transaction).await?;
        return match ledger.position(claimed).await? {
            Some(position) if position > part.from => Ok(Attempt::AlreadyAt(position)),
            Some(position) if position < part.from => Err(StoreError::LedgerBehind {
                partition: claimed.source.clone(),
                position,
                from: part.from,
            }),
            _ => Err(StoreError::Fenced {
                partition: claimed.source.clone(),
                epoch: claimed.epoch,
            }),
        };
    };
    let report = ledger.write(&mut transaction, claimed, advanced, rows).await?;
    if let Err(error) = ledger.commit(transaction).await {
        // The connection may have broken after the commit: the ledger knows.
        return match ledger.position(claimed).await {
            Ok(Some(position)) if position >= part.to => Ok(Attempt::Stored(report)),
            _ => Err(error),
        };
    }
    Ok(Attempt::Stored(report))
}

/// A batch must be of the claimed partition, in ascending order, and within its range.
fn check(claimed: &Claimed, batch: &Batch) -> Result<(), StoreError> {
    let bad = |what: String| {
        Err(StoreError::BadBatch {
            partition: claimed.source.clone(),
            what,
        })
    };
    if batch.from > batch.to {
        return bad(format!("it goes from {} back to {}", batch.from, batch.to));
    }
    let mut next = Offset::new(batch.from.get());
    for item in &batch.items {
        let at = &item.message.coordinates;
        if at.source != claimed.source {
            return bad(format!("it holds a message of {}", at.source));
        }
        if at.offset < next || !batch.to.is_past(at.offset) {
            return bad(format!("the message {at} is out of order or of range"));
        }
        next = Offset::new(at.offset.get() + 1);
    }
    Ok(())
}
