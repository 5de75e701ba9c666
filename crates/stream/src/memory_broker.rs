//! A Kafka broker within the process, for a demonstration: librdkafka's mock cluster.

use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;

use crate::error::StreamError;

/// A broker whose messages are gone when it is dropped. It knows what producers and consumers ask for, has no
/// security, and keeps no more than some megabytes of each partition.
pub struct MemoryBroker {
    cluster: MockCluster<'static, DefaultProducerContext>,
}

impl MemoryBroker {
    /// Starts a broker with one topic, on a free port of this machine's loopback address.
    ///
    /// # Errors
    /// [`StreamError::Request`]: no port can be had, or the topic's name is none.
    pub fn start(topic: &str, partitions: i32) -> Result<Self, StreamError> {
        let refused = |reason: rdkafka::error::KafkaError| StreamError::Request {
            what: "cannot start a broker within this process".to_owned(),
            reason: reason.to_string(),
        };
        let cluster = MockCluster::new(1).map_err(refused)?;
        cluster.create_topic(topic, partitions, 1).map_err(refused)?;
        Ok(Self { cluster })
    }

    /// The broker's address, as `kafka.brokers` has it.
    pub fn brokers(&self) -> String {
        self.cluster.bootstrap_servers()
    }
}

impl std::fmt::Debug for MemoryBroker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryBroker")
            .field("brokers", &self.brokers())
            .finish()
    }
}
