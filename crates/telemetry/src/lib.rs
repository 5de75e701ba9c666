//! How copydesk talks about itself: logs today; metrics, traces and health beside them as they come.
//!
//! In: a [`LogFormat`] and a filter. Out: lines on standard error, so that standard output stays clean
//! for data (`copydesk clean --json | jq`). What may fail: a filter that cannot be read, and a second
//! call (the subscriber is global).
//!
//! Rules for log lines: lower case, no full stop, readable alone; fields carry units in their names
//! (`took_ms`); article text, record bodies and secrets never appear.

mod logs;

pub use logs::{LogFormat, LogSetupError, init};
