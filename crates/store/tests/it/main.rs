//! The store on a real Postgres: the ledger's promises, one article's rows, and what happens when two meet.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code: a panic with a clear message is how a test fails"
)]

mod addresses;
mod articles;
mod fitness;
mod flush_locks;
mod ledger;
mod locks;
mod markup;
mod quarantine;
mod quarantine_bound;
mod queries;
mod race;
mod ranges;
mod raw_input;
mod recipes;
mod retire;
mod rewind;
mod schema;
mod search;
mod search_index;
mod silent_server;
mod site_guards;
mod site_memory;
mod site_queries;
mod source_health;
mod stalled_sessions;
mod stories;
mod story_changes;
mod support;
mod takedown;
mod tampering;
mod unfinished;
mod versions;
mod window_keys;
