//! What is answered over HTTP.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use copydesk_store::Store;
use copydesk_stream::ConsumerHandle;
use copydesk_telemetry::{Answer, Server, catalogue};
use serde::Serialize;
use tokio::sync::watch;

use super::slow::{STUCK, sentence};
use super::{ALIVE, Monitor, PartitionStatus, locked};
use crate::partition_manager::Stopped;

impl Monitor {
    pub(super) fn page(&self, path: &str, view: &View<'_>) -> Option<Answer> {
        let View {
            consumer, stopped, ..
        } = *view;
        let silent = consumer.map(ConsumerHandle::silent_for);
        let running = consumer.is_some_and(ConsumerHandle::is_running);
        // Before the consumer starts and after it ends there is nothing that could hang.
        let alive = silent.is_none_or(|s| s < ALIVE);
        let up = self.database_answered.is_recent();
        Some(match path {
            "/livez" if alive => Answer::text(200, "alive\n"),
            "/livez" => Answer::text(503, "the kafka thread hangs\n"),
            "/readyz" if !up => Answer::text(503, "postgres has not answered for 30 seconds\n"),
            "/readyz" if !running || !alive => Answer::text(503, "the consumer does not run\n"),
            "/readyz" if !stopped.is_empty() => {
                let reasons: Vec<_> = stopped.values().map(String::as_str).collect();
                Answer::text(503, format!("{}\n", reasons.join("\n")))
            }
            "/readyz" => self.ready(),
            "/metrics" => self.metrics(view, up),
            "/statusz" => self.status(view, alive, up),
            _ => return None,
        })
    }

    /// Ready, with the messages that take long; 503 once one of them has taken so long that nobody expects it to end.
    fn ready(&self) -> Answer {
        let slow = self.slow();
        let stuck = slow.first().is_some_and(|s| s.since >= STUCK);
        let (status, first) = if stuck {
            (503, "a message is stuck")
        } else {
            (200, "ready")
        };
        let lines: String = slow.iter().map(|s| sentence(s) + "\n").collect();
        Answer::text(status, format!("{first}\n{lines}"))
    }

    /// What was counted, and what is measured at this moment.
    fn metrics(&self, view: &View<'_>, up: bool) -> Answer {
        let registry = &self.registry;
        registry.set(&catalogue::DATABASE_UP, &[], f64::from(u8::from(up)));
        let kafka = self.kafka_answered.is_recent();
        registry.set(&catalogue::KAFKA_UP, &[], f64::from(u8::from(kafka)));
        if let Some(bytes) = resident_memory() {
            registry.set(&catalogue::RESIDENT_MEMORY, &[], bytes as f64);
        }
        registry.set(&catalogue::POOL_CONNECTIONS, &["used"], view.pool.0 as f64);
        registry.set(&catalogue::POOL_CONNECTIONS, &["idle"], view.pool.1 as f64);
        self.set_slow(&self.slow());
        registry.set(&catalogue::STOPPED_PARTITIONS, &[], view.stopped.len() as f64);
        if let Some(consumer) = view.consumer {
            let gauges = [
                (&catalogue::INFLIGHT_BYTES, consumer.bytes_in_flight()),
                (&catalogue::INFLIGHT_MESSAGES, consumer.messages_in_flight()),
                (&catalogue::PAUSED_PARTITIONS, consumer.paused_partitions()),
            ];
            for (gauge, value) in gauges {
                registry.set(gauge, &[], value as f64);
            }
        }
        Answer {
            status: 200,
            content_type: "text/plain; version=0.0.4; charset=utf-8",
            body: self.registry.to_text(),
        }
    }

    /// For people and programs that want to know more than a probe: JSON.
    fn status(&self, view: &View<'_>, alive: bool, up: bool) -> Answer {
        let partitions: BTreeMap<String, PartitionStatus> = locked(&self.partitions)
            .iter()
            .map(|(source, status)| (source.to_string(), status.clone()))
            .collect();
        let silent = view.consumer.map(ConsumerHandle::silent_for);
        let status = Status {
            version: env!("CARGO_PKG_VERSION"),
            alive,
            consumer_runs: view.consumer.is_some_and(ConsumerHandle::is_running),
            kafka_thread_silent_ms: silent.map(|s| s.as_millis() as u64),
            database_up: up,
            partitions,
            stopped: view
                .stopped
                .iter()
                .map(|(source, reason)| (source.to_string(), reason.as_str()))
                .collect(),
            slow: self.slow().iter().map(sentence).collect(),
        };
        Answer {
            status: 200,
            content_type: "application/json",
            body: serde_json::to_string_pretty(&status).unwrap_or_default(),
        }
    }
}

/// What is looked at when somebody asks.
pub(super) struct View<'a> {
    pub(super) consumer: Option<&'a ConsumerHandle>,
    /// Connections at work, and idle ones.
    pub(super) pool: (usize, usize),
    pub(super) stopped: &'a Stopped,
}

#[derive(Serialize)]
struct Status<'a> {
    version: &'static str,
    alive: bool,
    consumer_runs: bool,
    kafka_thread_silent_ms: Option<u64>,
    database_up: bool,
    partitions: BTreeMap<String, PartitionStatus>,
    /// Partitions that the breaker stopped, and why.
    stopped: BTreeMap<String, &'a str>,
    /// Messages that take long.
    slow: Vec<String>,
}

/// Answers over HTTP until the result is dropped.
pub(crate) fn serve(
    monitor: Arc<Monitor>,
    address: SocketAddr,
    store: Store,
    consumer: watch::Receiver<Option<ConsumerHandle>>,
    stopped: watch::Receiver<Stopped>,
) -> Result<Server> {
    let pages = move |path: &str| {
        let consumer = consumer.borrow().clone();
        let view = View {
            consumer: consumer.as_ref(),
            pool: store.connections(),
            stopped: &stopped.borrow(),
        };
        monitor.page(path, &view)
    };
    let server = Server::start(address, pages)
        .with_context(|| format!("cannot listen on {address} (metrics.listen)"))?;
    tracing::info!(address = %server.address(), "metrics and health are answered");
    Ok(server)
}

/// The memory that this process has resident, in bytes, where the system tells.
fn resident_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}
