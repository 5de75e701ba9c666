//! The ledger: the input of a flush, the owner and the position of each partition, and the protocol of a
//! flush.

pub(crate) mod claimed;
pub(crate) mod item;
pub(crate) mod progress;
pub(crate) mod protocol;
pub(crate) mod quarantine_content;
pub(crate) mod ready;
pub(crate) mod report;
pub(crate) mod write_ledger;

pub use protocol::{Advanced, Counts, Ledger, Rows, flush};
