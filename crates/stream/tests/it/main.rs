//! The consumer against librdkafka's mock cluster, and once against a real Kafka.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a panic with a clear message is how a test fails"
)]

mod backpressure;
mod errors;
mod ledger;
mod outage;
mod real;
mod rebalance;
mod support;
