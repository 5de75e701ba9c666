//! The whole system from outside: the executable on a real Kafka and a real Postgres. One program, so that it is linked
//! once and tests of different files run beside each other.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "test code: a panic with a clear message is how a test fails"
)]

mod archive;
mod audit;
mod breaker;
mod chaos;
mod crash;
mod first_hour;
mod hostile;
mod killers;
mod memory;
mod metrics;
mod near_copies;
mod operations;
mod outage;
mod outputs;
mod publishing;
mod quarantine;
mod race;
mod reader_role;
mod rebalance;
mod reclean;
mod redelivery;
mod registry;
mod replica;
mod rewind;
mod roles;
mod samples;
mod site;
mod slow;
mod story;
mod tls;
mod topics;
mod traces;
mod tutorial;
mod upgrade;
