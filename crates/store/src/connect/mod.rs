//! How the database is reached: its URL, settings, transactions, and the caches of this process.

pub(crate) mod config;
pub(crate) mod database_url;
pub(crate) mod fitness;
pub(crate) mod read_router;
pub(crate) mod replica;
pub(crate) mod settings;
