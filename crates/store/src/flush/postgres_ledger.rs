//! The ledger on Postgres: what [`crate::ledger::protocol`] asks for, as statements.

use copydesk_article::NextOffset;
use sqlx::{Postgres, Row as _, Transaction};

use crate::connect::config::Store;
use crate::error::{Doing as _, FlushError, StoreError};
use crate::flush::outbox::{self, Notice};
use crate::flush::store_articles::{Origin, store_articles};
use crate::flush::takedown;
use crate::flush::work::Work;
use crate::ledger::claimed::Claimed;
use crate::ledger::item::Batch;
use crate::ledger::progress::{advance, position};
use crate::ledger::report::FlushReport;
use crate::ledger::write_ledger;
use crate::ledger::{self, Advanced, Counts, Ledger, Rows};

impl Store {
    /// Stores a batch and advances the ledger, in one transaction.
    ///
    /// The same batch may be flushed again after any error: what is in already is not stored twice. A row that
    /// Postgres refuses is found by halving the batch, which then takes several transactions; it goes to quarantine
    /// and its neighbours are stored.
    ///
    /// Never wrap this in a time-out of the client: a dropped future leaves its statement running on the server.
    ///
    /// # Errors
    /// [`FlushError::class`] says what to do.
    pub async fn flush(&self, claimed: &Claimed, batch: &Batch) -> Result<FlushReport, FlushError> {
        let flushed = ledger::flush(self, claimed, batch).await;
        if flushed.is_err() {
            // Whoever comes back may be another server, or this one restored from a backup.
            self.sites_at_hand().clear();
            self.window_keys().clear();
        }
        flushed
    }
}

/// A flush's transaction, and what is to be sent when it is committed.
#[derive(Debug)]
pub struct FlushTransaction {
    postgres: Transaction<'static, Postgres>,
    notice: Option<Notice>,
}

impl Ledger for Store {
    type Transaction = FlushTransaction;

    async fn begin(&self) -> Result<Self::Transaction, StoreError> {
        // Read on a connection of its own, so before this one is taken.
        self.window_days().await?;
        Ok(FlushTransaction {
            postgres: self.begin().await?,
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
        advance(&mut tx.postgres, claimed, from, to, counts).await
    }

    async fn write(
        &self,
        tx: &mut Self::Transaction,
        claimed: &Claimed,
        advanced: Advanced,
        rows: Rows<'_>,
    ) -> Result<FlushReport, StoreError> {
        let mut report = FlushReport {
            quarantined: rows.rejected.len() as u64,
            skipped: rows.gaps.iter().map(|(from, to)| to.abs_diff(*from)).sum(),
            ..FlushReport::default()
        };
        // What depends on no decision goes first: articles are written under the lock of their keys' windows.
        if !rows.rejected.is_empty() {
            let limits = self.quarantine_limits();
            write_ledger::quarantine(&mut tx.postgres, &claimed.source, &rows.rejected, limits).await?;
            if self.outputs().dead_letters {
                outbox::dead_letters(&mut tx.postgres, &claimed.source, &rows.rejected).await?;
            }
        }
        if !rows.gaps.is_empty() {
            write_ledger::gaps(&mut tx.postgres, &claimed.source, &rows.gaps).await?;
        }
        if !rows.tombstones.is_empty() {
            let tombstones = rows.tombstones.into_iter().zip(advanced.ids.iter().copied());
            let taken =
                takedown::of_messages(self, &mut tx.postgres, &claimed.source, tombstones, &mut report);
            taken.await?;
        }
        let window_days = self.window_days().await?;
        let works: Vec<Work<'_>> = rows
            .prepared
            .into_iter()
            .zip(advanced.ids)
            .map(|((item, article), id)| Work::new(item, article, id, window_days))
            .collect();
        if !works.is_empty() {
            let list = self.common_list(advanced.common_version).await?;
            let origin = Origin {
                source: &claimed.source,
                last_takedown: advanced.last_takedown,
                is_again: false,
            };
            let list = list.as_deref();
            let stored = store_articles(self, &mut tx.postgres, origin, works, list, &mut report);
            tx.notice = stored.await?;
        }
        Ok(report)
    }

    async fn commit(&self, tx: Self::Transaction) -> Result<(), StoreError> {
        tx.postgres.commit().await.doing("cannot commit")?;
        if let Some(notice) = tx.notice {
            notice.send(self).await;
        }
        Ok(())
    }

    async fn rollback(&self, tx: Self::Transaction) -> Result<(), StoreError> {
        tx.postgres.rollback().await.doing("cannot roll back")
    }

    async fn position(&self, claimed: &Claimed) -> Result<Option<NextOffset>, StoreError> {
        position(self, claimed).await
    }

    async fn stored_before(
        &self,
        claimed: &Claimed,
        from: NextOffset,
        to: NextOffset,
    ) -> Result<FlushReport, StoreError> {
        const DOING: &str = "cannot count what is in already";
        let mut report = FlushReport::default();
        let rows = sqlx::query(
            "SELECT verdict, count(*) FROM sighting
             WHERE topic = $1 AND partition = $2 AND \"offset\" >= $3 AND \"offset\" < $4 GROUP BY verdict
             UNION ALL
             SELECT NULL, count(*) FROM quarantine
             WHERE topic = $1 AND partition = $2 AND \"offset\" >= $3 AND \"offset\" < $4",
        )
        .bind(claimed.source.topic.as_str())
        .bind(claimed.source.partition.get())
        .bind(from.get())
        .bind(to.get())
        .fetch_all(&self.pool)
        .await
        .doing(DOING)?;
        for row in rows {
            let verdict: Option<String> = row.try_get(0).doing(DOING)?;
            let count: i64 = row.try_get(1).doing(DOING)?;
            match verdict {
                Some(verdict) => report.count(verdict.parse()?, count.unsigned_abs()),
                None => report.quarantined += count.unsigned_abs(),
            }
        }
        Ok(report)
    }
}
