//! A trace goes on from the producer through the worker, and a collector that is broken disturbs nothing.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use copydesk_tests::{Pipeline, free_address};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// A collector: takes what is posted to `/v1/traces` and answers with `status`.
struct Collector {
    address: SocketAddr,
    spans: Arc<Mutex<Vec<Span>>>,
}

impl Collector {
    fn start(status: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let spans: Arc<Mutex<Vec<Span>>> = Arc::default();
        let received = Arc::clone(&spans);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let received = Arc::clone(&received);
                // The client keeps its connection: one thread each.
                std::thread::spawn(move || {
                    let mut stream = BufReader::new(stream.unwrap());
                    loop {
                        let mut head = Vec::new();
                        loop {
                            let mut line = String::new();
                            if stream.read_line(&mut line).unwrap_or(0) == 0 {
                                return;
                            }
                            if line == "\r\n" {
                                break;
                            }
                            head.push(line);
                        }
                        assert!(head[0].starts_with("POST /v1/traces "), "{head:?}");
                        let header = |name: &str| {
                            head.iter()
                                .filter_map(|line| line.split_once(':'))
                                .find(|(n, _)| n.eq_ignore_ascii_case(name))
                                .map(|(_, value)| value.trim())
                        };
                        assert_eq!(header("content-type"), Some("application/x-protobuf"));
                        let length = header("content-length").unwrap();
                        let mut body = vec![0; length.parse().unwrap()];
                        stream.read_exact(&mut body).unwrap();
                        let request = ExportTraceServiceRequest::decode(body.as_slice()).unwrap();
                        let all = request.resource_spans.into_iter().flat_map(|r| r.scope_spans);
                        received.lock().unwrap().extend(all.flat_map(|s| s.spans));
                        write!(stream.get_mut(), "HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").unwrap();
                    }
                });
            }
        });
        Self { address, spans }
    }

    fn spans(&self) -> Vec<Span> {
        self.spans.lock().unwrap().clone()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_goes_on_from_feed_to_the_flush() {
    let pipeline = Pipeline::new("traces", 1).await;
    let collector = Collector::start("200 OK");
    // One message with a trace, others without.
    let folder = std::env::temp_dir().join(format!("copydesk-traces-{}.jsonl", std::process::id()));
    std::fs::write(
        &folder,
        "{\"url\": \"https://news.example/ferry\", \"text\": \"The ferry is back. It sails at noon, and again in the evening.\"}\n",
    )
    .unwrap();
    let file = folder.to_str().unwrap();
    pipeline.copydesk.ok(&["feed", "--traceparent", PARENT, file]);
    std::fs::remove_file(&folder).unwrap();
    pipeline.produce_articles(9, 5, 1).await;
    let endpoint = format!("http://{}", collector.address);
    let traced = pipeline
        .copydesk
        .clone()
        .with("COPYDESK_TRACES_ENDPOINT", &endpoint);
    traced.ok(&["worker", "--until-end"]);
    pipeline.assert_every_offset_once(6).await;

    let spans = collector.spans();
    assert!(
        spans.iter().all(|s| hex(&s.trace_id) == TRACE),
        "only what carries a trace is traced"
    );
    let by_name: BTreeMap<&str, &Span> = spans.iter().map(|s| (s.name.as_str(), s)).collect();
    let names: Vec<&str> = by_name.keys().copied().collect();
    assert_eq!(names, ["clean", "decode", "fingerprint", "flush", "process"]);
    assert_eq!(spans.len(), 5);
    let process = by_name["process"];
    assert_eq!(
        hex(&process.parent_span_id),
        "b7ad6b7169203331",
        "the producer's span"
    );
    for name in ["decode", "clean", "fingerprint", "flush"] {
        let span = by_name[name];
        assert_eq!(span.parent_span_id, process.span_id, "{name}");
        assert!(span.start_time_unix_nano <= span.end_time_unix_nano, "{name}");
    }
    assert!(by_name["fingerprint"].end_time_unix_nano <= by_name["flush"].start_time_unix_nano);
    let attribute = |key: &str| process.attributes.iter().any(|a| a.key == key);
    assert!(attribute("messaging.kafka.offset") && attribute("messaging.destination.name"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_collector_disturbs_nothing() {
    let pipeline = Pipeline::new("traces-broken", 1).await;
    pipeline.produce_articles(11, 200, 1).await;
    let refusing = Collector::start("500 Internal Server Error");
    // Listens, and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoints = [refusing.address, free_address(), silent.local_addr().unwrap()];
    for (round, address) in (1..).zip(endpoints) {
        let traced = pipeline
            .copydesk
            .clone()
            .with("COPYDESK_TRACES_ENDPOINT", &format!("http://{address}"))
            .with("COPYDESK_TRACES_SHARE", "1");
        let started = Instant::now();
        traced.ok(&["worker", "--until-end"]);
        assert!(
            started.elapsed() < Duration::from_secs(60),
            "{address}: {:?}",
            started.elapsed()
        );
        pipeline.assert_every_offset_once(200 * round).await;
        pipeline
            .produce_articles(11 + u64::try_from(round).unwrap(), 200, 1)
            .await;
    }
    assert!(!refusing.spans().is_empty(), "it was asked");
}
