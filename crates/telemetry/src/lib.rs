//! How copydesk talks about itself: logs, metrics and health, traces.
//!
//! In: a [`LogFormat`] and a filter. Out: lines on standard error, so that standard output stays clean
//! for data (`copydesk clean --json | jq`). What may fail: a filter that cannot be read, and a second
//! call (the subscriber is global).
//!
//! Metrics are counted in a [`Registry`], and only those of the [`catalogue`]; a [`Server`] answers for monitoring.
//!
//! A [`Tracer`] sends spans of single messages to an OpenTelemetry collector; without one there are none.
//!
//! Rules for log lines: lower case, no full stop, readable alone; fields carry units in their names
//! (`took_ms`) and are numbers (a `u128`, such as `as_millis` gives, is written as text); article text,
//! record bodies and secrets never appear.

mod endpoint;
mod http;
mod logs;
mod metrics;
mod traces;

pub use endpoint::Endpoint;
pub use http::{Answer, Server};
pub use logs::{LogFormat, LogSetupError, init};
pub use metrics::{Registry, Tally, catalogue};
pub use opentelemetry::KeyValue;
pub use traces::{Interval, MessageSpan, TraceHeaders, TraceSetupError, Tracer};
