//! The context of clients whose failures come back as errors.

use copydesk_secret::Scrubber;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::KafkaError;
use tracing::debug;

/// Logs librdkafka's lines at the level of debugging: what they say comes back with the call that failed, and would be
/// said twice. Secrets are taken out of them.
#[derive(Debug, Clone, Default)]
pub struct Quiet(Scrubber);

impl Quiet {
    /// A context that knows what must not be logged.
    pub const fn new(scrubber: Scrubber) -> Self {
        Self(scrubber)
    }
}

impl ClientContext for Quiet {
    fn log(&self, _: RDKafkaLogLevel, facility: &str, text: &str) {
        debug!(target: "librdkafka", facility, "{}", self.0.scrub(text));
    }

    fn error(&self, error: KafkaError, reason: &str) {
        debug!(target: "librdkafka", %error, "{}", self.0.scrub(reason));
    }
}

impl ConsumerContext for Quiet {}
