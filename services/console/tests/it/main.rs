//! The console over HTTP, with a real Postgres that the store has filled.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code: a panic with a clear message is how a test fails"
)]

mod bounded;
mod browser;
mod changes;
mod chromium;
mod cleaning;
mod hostile;
mod openapi;
mod pages;
mod refusals;
mod reports;
mod settling;
mod support;
mod walk;
