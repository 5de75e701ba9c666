//! What tests need: scratch databases and topics on the real services, invented articles, worker processes.
//!
//! In: `COPYDESK_TEST_KAFKA_BROKERS` and `COPYDESK_TEST_DATABASE_URL`, which `make test` sets to the local
//! services. Out: topics, databases and processes that clean up after themselves. What fails, panics: a
//! test without its services must not look like a passed one.
//!
//! Test code only: nothing here may be a normal dependency of a shipped crate.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    clippy::print_stderr,
    reason = "test support: a panic with a clear message is how a test fails"
)]

mod articles;
mod database;
mod hostile;
mod pages;
mod private;
mod process;
mod proxy;
mod topic;

pub use articles::{ArticleGenerator, scan};
pub use database::{ScratchDatabase, database_url};
pub use hostile::{hostile, hostile_page, mutated};
pub use pages::{Kind as PageKind, PAGE_KINDS};
pub use private::{Certificate, PrivateKafka, PrivatePostgres, PrivateRegistry, free_port};
pub use process::{Copydesk, Running, executable, peak_memory};
pub use proxy::Proxy;
pub use topic::{Outgoing, Received, ScratchTopic, kafka_brokers};
