//! The flush (being written).

use crate::config::Store;
use crate::error::FlushError;
use crate::item::Batch;
use crate::progress::Claimed;
use crate::report::FlushReport;

impl Store {
    /// Stores a batch and advances the ledger, in one transaction.
    ///
    /// # Errors
    /// [`FlushError::class`] says what to do.
    pub async fn flush(&self, claimed: &Claimed, batch: &Batch) -> Result<FlushReport, FlushError> {
        let _ = (claimed, batch);
        Err(FlushError::Unknown("the flush is being written".into()))
    }
}
