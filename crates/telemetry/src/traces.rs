//! Traces: spans of single messages, sent to an OpenTelemetry collector by OTLP over HTTP. Off unless there
//! is a [`Tracer`].
//!
//! In: when the stages of a message began and ended, and the trace context that it carried. Out: spans,
//! through a queue of bounded length and a thread of its own. What may fail: an endpoint that is no address
//! ([`TraceSetupError`]). A collector that is away or slow fails nothing: its spans are dropped, and that is
//! logged now and then.
//!
//! A span's identity follows from the message's coordinates and the process, so that whoever comes to know of
//! a later stage (the flush) can name the message's span without anything being carried along through the
//! pipeline.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use copydesk_secret::Scrubber;
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::{
    SpanContext, SpanId, SpanKind, Status, TraceContextExt as _, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{Context, InstrumentationScope, KeyValue};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, SpanData, SpanProcessor as _};

use crate::endpoint::Endpoint;

/// Spans that wait for the collector at most; what comes on top is dropped.
const QUEUE: usize = 8_192;
/// How long the collector may take for one answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two lines in the log about a collector that does not answer.
const COMPLAIN_EVERY: Duration = Duration::from_secs(60);
/// A trace context is 55 bytes, its state at most 512 by the standard.
const HEADER_BYTES: usize = 1_024;

/// The traces could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TraceSetupError {
    /// The endpoint is no URL that spans can be sent to.
    #[error("traces.endpoint cannot be used: {0}; a good one is \"http://127.0.0.1:4318\"")]
    Endpoint(String),
}

/// What a message says of the trace that it is part of: the values of its headers.
#[derive(Debug, Clone, Copy, Default)]
pub struct TraceHeaders<'a> {
    /// `traceparent`.
    pub parent: Option<&'a [u8]>,
    /// `tracestate`.
    pub state: Option<&'a [u8]>,
}

/// The span of one message.
#[derive(Debug, Clone)]
pub struct MessageSpan {
    context: SpanContext,
    parent: SpanId,
}

/// Something that took time.
#[derive(Debug, Clone, Copy)]
pub struct Interval {
    /// Its beginning.
    pub begun: Instant,
    /// Its end.
    pub ended: Instant,
}

/// Makes spans and sends them.
#[derive(Debug)]
pub struct Tracer {
    processor: BatchSpanProcessor,
    scope: InstrumentationScope,
    /// Share of the messages without a trace of their own that get one; 0 to 1.
    share: f64,
    ids: RandomState,
    /// The same moment on both clocks.
    epoch: (Instant, SystemTime),
}

impl Tracer {
    /// Starts the thread that sends to `endpoint`: the collector's base address, or the whole one that ends
    /// in `/v1/traces`. `instance` names this process. Headers (such as a token) come from the standard
    /// variable `OTEL_EXPORTER_OTLP_HEADERS`.
    ///
    /// # Errors
    /// The endpoint is no HTTP address.
    pub fn start(
        endpoint: &Endpoint,
        share: f64,
        instance: &str,
        version: &'static str,
    ) -> Result<Self, TraceSetupError> {
        let (address, authorization) = endpoint.target()?;
        let headers = authorization.map(|value| ("authorization".to_owned(), value));
        let exporter = SpanExporter::builder()
            .with_http()
            .with_endpoint(address)
            .with_headers(headers.into_iter().collect())
            .with_http_client(Collector::new(endpoint))
            .build()
            // The exporter's own words quote the address.
            .map_err(|_| TraceSetupError::Endpoint("it is no address that spans can be sent to".to_owned()))?;
        let config = BatchConfigBuilder::default()
            .with_max_queue_size(QUEUE)
            .with_scheduled_delay(Duration::from_secs(1))
            .build();
        let mut processor = BatchSpanProcessor::builder(exporter)
            .with_batch_config(config)
            .build();
        let resource = Resource::builder()
            .with_service_name("copydesk-worker")
            .with_attributes([
                KeyValue::new("service.version", version),
                KeyValue::new("service.instance.id", instance.to_owned()),
            ])
            .build();
        processor.set_resource(&resource);
        Ok(Self {
            processor,
            scope: InstrumentationScope::builder("copydesk")
                .with_version(version)
                .build(),
            share,
            ids: RandomState::new(),
            epoch: (Instant::now(), SystemTime::now()),
        })
    }

    /// The span of the message at `place`, if it is traced: because the trace that it carries is sampled, or
    /// by its share.
    pub fn message(&self, place: (&str, i32, i64), headers: TraceHeaders<'_>) -> Option<MessageSpan> {
        let id = |what: u8| self.ids.hash_one((what, place));
        let span = SpanId::from_bytes(id(0).max(1).to_be_bytes());
        if let Some(remote) = remote(headers) {
            return remote.is_sampled().then(|| MessageSpan {
                context: SpanContext::new(
                    remote.trace_id(),
                    span,
                    remote.trace_flags(),
                    false,
                    remote.trace_state().clone(),
                ),
                parent: remote.span_id(),
            });
        }
        // Not by chance but by the message: a message is traced in all of its stages or in none.
        let drawn = id(1) as f64 / u64::MAX as f64;
        (drawn < self.share).then(|| {
            let trace = (u128::from(id(2)) << 64 | u128::from(id(3))).max(1);
            MessageSpan {
                context: SpanContext::new(
                    TraceId::from_bytes(trace.to_be_bytes()),
                    span,
                    TraceFlags::SAMPLED,
                    false,
                    TraceState::default(),
                ),
                parent: SpanId::INVALID,
            }
        })
    }

    /// The message's own span is over; `error` says why it was refused.
    pub fn end(
        &self,
        message: &MessageSpan,
        name: &'static str,
        time: Interval,
        attributes: Vec<KeyValue>,
        error: Option<String>,
    ) {
        let remote = message.parent != SpanId::INVALID;
        let mut span = self.span(message.context.clone(), message.parent, name, time, attributes);
        span.parent_span_is_remote = remote;
        span.span_kind = SpanKind::Consumer;
        if let Some(why) = error {
            span.status = Status::error(why);
        }
        self.processor.on_end(span);
    }

    /// A part of the message's way is over.
    pub fn end_part(
        &self,
        message: &MessageSpan,
        name: &'static str,
        time: Interval,
        attributes: Vec<KeyValue>,
    ) {
        let of = &message.context;
        let id = self.ids.hash_one((name, of.span_id().to_bytes())).max(1);
        let context = SpanContext::new(
            of.trace_id(),
            SpanId::from_bytes(id.to_be_bytes()),
            of.trace_flags(),
            false,
            of.trace_state().clone(),
        );
        self.processor
            .on_end(self.span(context, of.span_id(), name, time, attributes));
    }

    fn span(
        &self,
        span_context: SpanContext,
        parent_span_id: SpanId,
        name: &'static str,
        time: Interval,
        attributes: Vec<KeyValue>,
    ) -> SpanData {
        SpanData {
            span_context,
            parent_span_id,
            parent_span_is_remote: false,
            span_kind: SpanKind::Internal,
            name: name.into(),
            start_time: self.wall(time.begun),
            end_time: self.wall(time.ended),
            attributes,
            dropped_attributes_count: 0,
            events: Default::default(),
            links: Default::default(),
            status: Status::Unset,
            instrumentation_scope: self.scope.clone(),
        }
    }

    fn wall(&self, at: Instant) -> SystemTime {
        let (instant, system) = self.epoch;
        system + at.saturating_duration_since(instant)
    }

    /// Sends what waits, for some seconds at most, and ends. Blocks.
    pub fn stop(&self) {
        // The collector has complained already where this fails.
        let _ = self.processor.shutdown_with_timeout(PATIENCE);
    }
}

/// The trace that a message says it is part of. What cannot be read is none: it comes from strangers.
fn remote(headers: TraceHeaders<'_>) -> Option<SpanContext> {
    let text = |bytes: &[u8]| {
        (bytes.len() <= HEADER_BYTES)
            .then(|| std::str::from_utf8(bytes).ok().map(str::to_owned))
            .flatten()
    };
    let mut carrier = HashMap::from([("traceparent".to_owned(), text(headers.parent?)?)]);
    carrier.extend(headers.state.and_then(text).map(|s| ("tracestate".to_owned(), s)));
    let context = TraceContextPropagator::new().extract_with_context(&Context::new(), &carrier);
    let remote = context.span().span_context().clone();
    remote.is_valid().then_some(remote)
}

/// Posts to the collector, on the thread of the processor.
#[derive(Debug)]
struct Collector {
    agent: ureq::Agent,
    scrubber: Scrubber,
    complained: Mutex<Option<Instant>>,
}

impl Collector {
    fn new(endpoint: &Endpoint) -> Self {
        let tls = ureq::tls::TlsConfig::builder()
            .provider(ureq::tls::TlsProvider::NativeTls)
            .root_certs(ureq::tls::RootCerts::PlatformVerifier)
            .build();
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .max_redirects(0)
            .tls_config(tls)
            .build();
        Self {
            agent: config.into(),
            scrubber: endpoint.scrubber(),
            complained: Mutex::default(),
        }
    }

    fn complain(&self, reason: &str) {
        let mut complained = self.complained.lock().unwrap_or_else(PoisonError::into_inner);
        if complained.is_none_or(|at| at.elapsed() > COMPLAIN_EVERY) {
            *complained = Some(Instant::now());
            let reason = self.scrubber.scrub(reason);
            tracing::warn!(
                reason,
                "the trace collector does not take spans; they are dropped, articles are not"
            );
        }
    }
}

#[async_trait::async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (head, body) = request.into_parts();
        // Blocks, and may: the processor's thread has nothing else to do.
        let answer = self.agent.run(Request::from_parts(head, body.to_vec()));
        let answer = answer.and_then(|mut answer| {
            let body = answer.body_mut().read_to_vec()?;
            Ok(answer.map(|_| Bytes::from(body)))
        });
        match &answer {
            Ok(answer) if answer.status().is_success() => {}
            Ok(answer) => self.complain(answer.status().as_str()),
            Err(error) => self.complain(&error.to_string()),
        }
        Ok(answer?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &[u8] = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn tracer(share: f64) -> Tracer {
        Tracer::start(&Endpoint::from("http://127.0.0.1:9"), share, "test", "0").unwrap()
    }

    fn with(parent: &[u8]) -> TraceHeaders<'_> {
        TraceHeaders {
            parent: Some(parent),
            state: None,
        }
    }

    #[test]
    fn a_trace_that_is_carried_is_continued_if_it_is_sampled() {
        let tracer = tracer(0.0);
        let place = ("t", 0, 7);
        let span = tracer.message(place, with(PARENT)).unwrap();
        assert_eq!(
            span.context.trace_id().to_string(),
            "0af7651916cd43dd8448eb211c80319c"
        );
        assert_eq!(span.parent.to_string(), "b7ad6b7169203331");
        let again = tracer.message(place, with(PARENT)).unwrap();
        assert_eq!(again.context.span_id(), span.context.span_id());
        let other = tracer.message(("t", 0, 8), with(PARENT)).unwrap();
        assert_ne!(other.context.span_id(), span.context.span_id());
        let unsampled = PARENT.strip_suffix(b"1").map(|p| [p, b"0"].concat()).unwrap();
        assert!(tracer.message(place, with(&unsampled)).is_none());
    }

    #[test]
    fn what_is_no_trace_context_is_none() {
        let tracer = tracer(0.0);
        for bad in [&b""[..], b"\xff\xfe", b"00-0-0-01", &[b'0'; 5_000]] {
            assert!(tracer.message(("t", 0, 1), with(bad)).is_none());
        }
    }

    #[test]
    fn the_share_is_of_messages() {
        let traced = |share| {
            let tracer = tracer(share);
            (0..1_000)
                .filter(|n| tracer.message(("t", 0, *n), TraceHeaders::default()).is_some())
                .count()
        };
        assert_eq!((traced(0.0), traced(1.0)), (0, 1_000));
        let some = traced(0.1);
        assert!((40..200).contains(&some), "{some}");
    }
}
