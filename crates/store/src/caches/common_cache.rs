//! The cache of the list of common shingles.

use std::sync::Arc;

use copydesk_dedup::CommonShingles;
use tokio::sync::Mutex;

/// The list that was used last.
#[derive(Debug, Default)]
pub(crate) struct CommonShinglesCache(pub(crate) Mutex<Option<Arc<CommonShingles>>>);
