//! What operators, the console and the janitor do.

pub(crate) mod archive;
pub(crate) mod audit;
pub(crate) mod audit_queries;
pub(crate) mod common;
pub(crate) mod export;
pub(crate) mod lock_waits;
pub(crate) mod migrations;
pub(crate) mod quarantine;
pub(crate) mod retention;
pub(crate) mod rewind;
pub(crate) mod search;
pub(crate) mod site;
pub(crate) mod stalled_sessions;
pub(crate) mod status;
pub(crate) mod story;
pub(crate) mod summary;
