//! The ledger on Postgres: the calls of [`crate::ledger::protocol`] as statements.

use copydesk_article::NextOffset;
use sqlx::{Postgres, Transaction};

use crate::connect::config::Store;
use crate::error::{Context as _, FlushError, StoreError};
use crate::flush::outbox::{self, Notice};
use crate::flush::pending_article::PendingArticle;
use crate::flush::store_articles::{Origin, store_articles};
use crate::flush::takedown;
use crate::ledger::claimed::Claimed;
use crate::ledger::item::Batch;
use crate::ledger::progress::{advance, position};
use crate::ledger::report::FlushReport;
use crate::ledger::write_ledger;
use crate::ledger::{self, Advanced, Counts, Ledger, Rows};
use crate::rows::fetch_all;

impl Store {
    /// Stores a batch and advances the ledger, in one transaction.
    ///
    /// The same batch may be flushed again after any error: no message is stored twice. A row that Postgres
    /// refuses is found by halving the batch, which then takes several transactions; its message goes to
    /// quarantine and the others are stored.
    ///
    /// Postgres bounds its statements, and each step has [`crate::StoreConfig::answer_timeout`]. Do not wrap this
    /// in a shorter time-out: a dropped future leaves its statement running on the server.
    ///
    /// # Errors
    /// [`FlushError::class`] says what to do.
    pub async fn flush(&self, claimed: &Claimed, batch: &Batch) -> Result<FlushReport, FlushError> {
        let flushed = ledger::flush(self, claimed, batch).await;
        if flushed.is_err() {
            // The server that answers next may be another one, or this one restored from a backup.
            self.shared.site_articles.clear();
            self.shared.window_keys.clear();
        }
        flushed
    }
}

/// The answer to a step of a flush, or an error if none comes.
#[expect(
    clippy::disallowed_methods,
    reason = "far above what Postgres bounds statements to: nobody is there who could be left running"
)]
async fn answered<T>(
    store: &Store,
    step: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let patience = store.shared.config.answer_timeout;
    match tokio::time::timeout(patience, step).await {
        Ok(answer) => answer,
        Err(_) => Err(StoreError::NoAnswer(patience)),
    }
}

/// A flush's transaction, and the notification that is sent after its commit.
#[derive(Debug)]
pub struct FlushTransaction {
    postgres: Transaction<'static, Postgres>,
    notice: Option<Notice>,
}

impl Ledger for Store {
    type Transaction = FlushTransaction;

    async fn begin(&self) -> Result<Self::Transaction, StoreError> {
        let begun = async {
            // Read on a connection of its own, so before this one is taken.
            self.window_days().await?;
            self.begin().await
        };
        Ok(FlushTransaction {
            postgres: answered(self, begun).await?,
            notice: None,
        })
    }

    async fn advance(
        &self,
        tx: &mut Self::Transaction,
        claimed: &Claimed,
        from: NextOffset,
        to: NextOffset,
        counts: Counts,
    ) -> Result<Option<Advanced>, StoreError> {
        answered(self, advance(&mut tx.postgres, claimed, from, to, counts)).await
    }

    async fn write(
        &self,
        tx: &mut Self::Transaction,
        claimed: &Claimed,
        advanced: Advanced,
        rows: Rows<'_>,
    ) -> Result<FlushReport, StoreError> {
        answered(self, write(self, tx, claimed, advanced, rows)).await
    }

    async fn commit(&self, tx: Self::Transaction) -> Result<(), StoreError> {
        answered(self, async {
            tx.postgres.commit().await.context("cannot commit")
        })
        .await?;
        if let Some(notice) = tx.notice {
            notice.send(self).await;
        }
        Ok(())
    }

    async fn rollback(&self, tx: Self::Transaction) -> Result<(), StoreError> {
        answered(self, async {
            tx.postgres.rollback().await.context("cannot roll back")
        })
        .await
    }

    async fn position(&self, claimed: &Claimed) -> Result<Option<NextOffset>, StoreError> {
        answered(self, position(self, claimed)).await
    }

    async fn stored_before(
        &self,
        claimed: &Claimed,
        from: NextOffset,
        to: NextOffset,
    ) -> Result<FlushReport, StoreError> {
        let mut report = FlushReport::default();
        let rows: Vec<(Option<String>, i64)> = fetch_all!(&self.pool, "cannot count what was stored before";
            "SELECT verdict, count(*) FROM sighting
             WHERE topic = $1 AND partition = $2 AND \"offset\" >= $3 AND \"offset\" < $4 GROUP BY verdict
             UNION ALL
             SELECT NULL, count(*) FROM quarantine
             WHERE topic = $1 AND partition = $2 AND \"offset\" >= $3 AND \"offset\" < $4",
            claimed.source.topic.as_str(), claimed.source.partition.get(), from.get(), to.get()
        )?;
        for (verdict, count) in rows {
            match verdict {
                Some(verdict) => report.count(verdict.parse()?, count.unsigned_abs()),
                None => report.quarantined += count.unsigned_abs(),
            }
        }
        Ok(report)
    }
}

/// Writes the rows of a flush within its transaction.
async fn write(
    store: &Store,
    tx: &mut FlushTransaction,
    claimed: &Claimed,
    advanced: Advanced,
    rows: Rows<'_>,
) -> Result<FlushReport, StoreError> {
    let mut report = FlushReport {
        quarantined: rows.rejected.len() as u64,
        skipped: rows.gaps.iter().map(|(from, to)| to.abs_diff(*from)).sum(),
        ..FlushReport::default()
    };
    // What depends on no decision goes first, so that the lock of the key windows is held for as short as
    // possible.
    if !rows.rejected.is_empty() {
        let limits = &store.shared.config;
        write_ledger::quarantine(&mut tx.postgres, &claimed.source, &rows.rejected, limits).await?;
        if store.shared.config.outputs.dead_letters {
            outbox::enqueue_dead_letters(&mut tx.postgres, &claimed.source, &rows.rejected).await?;
        }
    }
    if !rows.gaps.is_empty() {
        write_ledger::gaps(&mut tx.postgres, &claimed.source, &rows.gaps).await?;
    }
    if !rows.tombstones.is_empty() {
        let tombstones = rows.tombstones.into_iter().zip(advanced.ids.iter().copied());
        let taken = takedown::of_messages(store, &mut tx.postgres, &claimed.source, tombstones, &mut report);
        taken.await?;
    }
    let window_days = store.window_days().await?;
    let batch: Vec<PendingArticle<'_>> = rows
        .prepared
        .into_iter()
        .zip(advanced.ids)
        .map(|((item, article), id)| PendingArticle::new(item, article, id, window_days))
        .collect();
    if !batch.is_empty() {
        let list = store.common_list(advanced.common_version).await?;
        let origin = Origin {
            source: &claimed.source,
            last_takedown: advanced.last_takedown,
            is_again: false,
        };
        let list = list.as_deref();
        let stored = store_articles(store, &mut tx.postgres, origin, batch, list, &mut report);
        tx.notice = stored.await?;
    }
    Ok(report)
}
