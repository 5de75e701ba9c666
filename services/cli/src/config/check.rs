//! Settings that contradict each other, or that are out of their range.

use super::{Config, ConfigError};

impl Config {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        self.check_kafka()?;
        self.check_worker()?;
        self.check_outputs()?;
        self.check_pages()?;
        if self.janitor.every_minutes == 0 {
            return bad("janitor.every_minutes must be at least 1".into());
        }
        self.janitor.archive.check(self.janitor.retention_days)
    }

    fn check_kafka(&self) -> Result<(), ConfigError> {
        if self.kafka.brokers.trim().is_empty() {
            return bad("kafka.brokers is empty; give host:port of at least one broker".into());
        }
        if self.kafka.topic.trim().is_empty() {
            return bad("kafka.topic is empty".into());
        }
        if self.kafka.brokers.contains('@') {
            return bad(
                "kafka.brokers has an @: it is host:port; user and password are sasl.username and sasl.password in \
                 [kafka.properties]"
                    .into(),
            );
        }
        self.kafka
            .properties()
            .check()
            .map_err(|e| ConfigError::Invalid(e.to_string()))?;
        self.kafka.schema_registry.check()
    }

    fn check_worker(&self) -> Result<(), ConfigError> {
        if self.worker.drain_ms >= self.kafka.session_timeout_ms {
            return bad(format!(
                "worker.drain_ms ({}) must be below kafka.session_timeout_ms ({}): a worker that drains \
                    longer is thrown out of the group",
                self.worker.drain_ms, self.kafka.session_timeout_ms
            ));
        }
        if self.worker.batch_articles == 0 || self.worker.queue_messages == 0 {
            return bad("worker.batch_articles and worker.queue_messages must be at least 1".into());
        }
        if !(0.0..=1.0).contains(&self.worker.breaker_share) {
            return bad("worker.breaker_share must be between 0 (off) and 1".into());
        }
        if self.worker.memory.bytes() < 32 << 20 {
            return bad("worker.memory must be at least 32 MiB: one message may take 8 MiB".into());
        }
        if self.worker.batch_bytes.bytes() > self.worker.memory.bytes() / 2 {
            return bad(
                "worker.batch_bytes must be at most half of worker.memory: one batch is stored while \
                the next is read"
                    .into(),
            );
        }
        Ok(())
    }

    fn check_outputs(&self) -> Result<(), ConfigError> {
        for (key, topic) in [
            ("outputs.dead_letter_topic", &self.outputs.dead_letter_topic),
            ("outputs.articles_topic", &self.outputs.articles_topic),
        ] {
            if !topic.is_empty() && *topic == self.kafka.topic {
                return bad(format!(
                    "{key} is the topic that is read ({topic}): every message would come again for ever; \
                        give another one"
                ));
            }
        }
        if !self.outputs.articles_topic.is_empty()
            && self.outputs.articles_topic == self.outputs.dead_letter_topic
        {
            return bad("outputs.articles_topic and outputs.dead_letter_topic are the same; give two".into());
        }
        Ok(())
    }

    /// What is answered over HTTP, and where spans go.
    fn check_pages(&self) -> Result<(), ConfigError> {
        if !self.metrics.listen.is_empty() && self.metrics.listen.parse::<std::net::SocketAddr>().is_err() {
            return bad(
                "metrics.listen is no address and port; write it as 127.0.0.1:9464, or leave it empty".into(),
            );
        }
        if self.console.listen.parse::<std::net::SocketAddr>().is_err() {
            return bad("console.listen is no address and port; write it as 127.0.0.1:8088".into());
        }
        if self.console.statement_timeout_ms == 0 || self.console.connections == 0 {
            return bad("console.statement_timeout_ms and console.connections must be at least 1".into());
        }
        if !self.traces.endpoint.is_empty() {
            let checked = self.traces.endpoint.check();
            checked.map_err(|e| ConfigError::Invalid(e.to_string()))?;
        }
        if !(0.0..=1.0).contains(&self.traces.share) {
            return bad("traces.share must be between 0 (none) and 1 (all)".into());
        }
        Ok(())
    }
}

fn bad(text: String) -> Result<(), ConfigError> {
    Err(ConfigError::Invalid(text))
}
