//! The store on a real Postgres: the ledger's promises, one article's rows, and what happens when two meet.

mod articles;
mod ledger;
mod race;
mod support;
