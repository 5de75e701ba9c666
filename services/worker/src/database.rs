//! What the pipeline asks of the database: few enough that the simulation can stand in for it.

use copydesk_store::{
    Batch, Claimed, FlushError, FlushReport, OnLostRange, Progress, Store, StoreError, Wanted,
};
use futures_util::future::BoxFuture;

/// The ledger, as partitions and their owner see it. One boxed future a batch: not to be seen beside its transaction.
pub(crate) trait Database: Send + Sync {
    /// [`Store::flush`].
    fn flush<'a>(
        &'a self,
        claimed: &'a Claimed,
        batch: &'a Batch,
    ) -> BoxFuture<'a, Result<FlushReport, FlushError>>;

    /// [`Store::claim`].
    fn claim<'a>(
        &'a self,
        owner: &'a str,
        wanted: &'a [Wanted],
        on_lost_range: OnLostRange,
    ) -> BoxFuture<'a, Result<Vec<Claimed>, StoreError>>;

    /// [`Store::release`].
    fn release<'a>(&'a self, claims: &'a [Claimed]) -> BoxFuture<'a, Result<(), StoreError>>;

    /// [`Store::progress`].
    fn progress(&self) -> BoxFuture<'_, Result<Vec<Progress>, StoreError>>;
}

impl Database for Store {
    fn flush<'a>(
        &'a self,
        claimed: &'a Claimed,
        batch: &'a Batch,
    ) -> BoxFuture<'a, Result<FlushReport, FlushError>> {
        Box::pin(self.flush(claimed, batch))
    }

    fn claim<'a>(
        &'a self,
        owner: &'a str,
        wanted: &'a [Wanted],
        on_lost_range: OnLostRange,
    ) -> BoxFuture<'a, Result<Vec<Claimed>, StoreError>> {
        Box::pin(self.claim(owner, wanted, on_lost_range))
    }

    fn release<'a>(&'a self, claims: &'a [Claimed]) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(self.release(claims))
    }

    fn progress(&self) -> BoxFuture<'_, Result<Vec<Progress>, StoreError>> {
        Box::pin(self.progress())
    }
}
