//! `copydesk console`: pages over the views, drawn on the server, for whoever would rather look than write SQL.
//!
//! **In:** a login that reads, perhaps a second one that writes, an address, and who may come. **Out:** HTML
//! that needs no script, or the same as JSON (`Accept: application/json`). **What may fail:** the start,
//! where the address is taken or nobody would be told from anybody else on it ([`AccessError`]); afterwards
//! each page for itself ([`Problem`](problem::Problem)), with what to do about it.
//!
//! The way of a request: [`server`] bounds the connection, [`guard`] looks at host, user and origin, a page
//! of [`pages`] asks the store and draws, [`answer`] writes HTML or JSON, [`guard`] adds the headers that
//! keep a browser from doing more than showing it.
//!
//! Every text is from strangers. [`maud`] escapes all of it, [`text`] makes links of http and https alone,
//! and direction is each text's own.

mod access;
mod answer;
mod app;
mod ask;
mod changes;
mod chart;
mod diff;
mod ends;
mod guard;
mod kept;
mod layout;
mod pages;
mod problem;
mod server;
mod text;

pub use access::{Access, AccessError};
pub use app::{ConsoleOptions, MakeCleaner};
pub use ends::{TopicEnd, TopicEnds};
pub use server::{Console, run};
