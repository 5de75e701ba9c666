//! Spans of the messages that are traced: `process` with `decode`, `clean` and `fingerprint` under it, and
//! `flush`, which follows.

use std::time::Instant;

use copydesk_article::Message;
use copydesk_store::Item;
use copydesk_telemetry::{Interval, KeyValue, MessageSpan, TraceHeaders, Tracer};

use crate::prepare::Times;

/// Tells the tracer of messages. Only there if traces are on.
#[derive(Debug)]
pub(crate) struct Spans(Tracer);

impl Spans {
    pub(crate) fn new(tracer: Tracer) -> Self {
        Self(tracer)
    }

    fn of(&self, message: &Message) -> Option<MessageSpan> {
        let at = &message.coordinates;
        let place = (
            at.source.topic.as_str(),
            at.source.partition.get(),
            at.offset.get(),
        );
        let headers = TraceHeaders {
            parent: message.header("traceparent"),
            state: message.header("tracestate"),
        };
        self.0.message(place, headers)
    }

    /// Messages went through the stages before the store.
    pub(crate) fn prepared(&self, items: &[Item], times: &[Times]) {
        for (item, times) in items.iter().zip(times) {
            let Some(span) = self.of(&item.message) else {
                continue;
            };
            let mut over = times.begun;
            for (stage, begun, ended) in times.stages() {
                over = ended;
                self.0
                    .end_part(&span, stage.as_str(), Interval { begun, ended }, Vec::new());
            }
            let time = Interval {
                begun: times.begun,
                ended: over,
            };
            // The detail of a refusal may quote the article; stage and reason are from closed lists.
            let refused = item.outcome.as_ref().err();
            let error = refused.map(|r| format!("{}: {}", r.stage, r.reason));
            self.0
                .end(&span, "process", time, attributes(&item.message), error);
        }
    }

    /// Those of a batch that are traced.
    pub(crate) fn traced(&self, items: &[Item]) -> Vec<MessageSpan> {
        items.iter().filter_map(|i| self.of(&i.message)).collect()
    }

    /// A batch of so many messages, these among them, is stored.
    pub(crate) fn flushed(&self, traced: &[MessageSpan], begun: Instant, messages: usize) {
        let time = Interval {
            begun,
            ended: Instant::now(),
        };
        let count = i64::try_from(messages).unwrap_or(i64::MAX);
        for span in traced {
            let attributes = vec![
                KeyValue::new("messaging.batch.message_count", count),
                KeyValue::new("db.system.name", "postgresql"),
            ];
            self.0.end_part(span, "flush", time, attributes);
        }
    }

    pub(crate) fn stop(&self) {
        self.0.stop();
    }
}

/// By OpenTelemetry's conventions for messaging.
fn attributes(message: &Message) -> Vec<KeyValue> {
    let at = &message.coordinates;
    vec![
        KeyValue::new("messaging.system", "kafka"),
        KeyValue::new("messaging.operation.type", "process"),
        KeyValue::new("messaging.destination.name", at.source.topic.as_str().to_owned()),
        KeyValue::new(
            "messaging.destination.partition.id",
            at.source.partition.get().to_string(),
        ),
        KeyValue::new("messaging.kafka.offset", at.offset.get()),
    ]
}
