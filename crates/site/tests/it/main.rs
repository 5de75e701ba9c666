//! What the decision does, and what it must not do.
#![allow(clippy::unwrap_used, reason = "test code")]

mod documentation;
mod guards;
mod lists;
mod support;
