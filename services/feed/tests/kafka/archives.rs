//! Web archives and feeds, trace context, and a run that is killed and goes on.

use super::*;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(bytes).unwrap();
    gz.finish().unwrap()
}

fn warc_record(url: &str, head: &str, body: &str) -> Vec<u8> {
    let block = format!("HTTP/1.1 {head}\r\n\r\n{body}");
    let head = format!(
        "WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: {url}\r\nWARC-Date: 2026-03-20T16:00:41Z\r\nContent-Length: {}\r\n\r\n",
        block.len()
    );
    gzip(format!("{head}{block}\r\n\r\n").as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn archives_and_feeds_arrive_as_articles_with_their_trace() {
    const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let scratch = Scratch::new("archives");
    let dir = tempfile::tempdir().unwrap();
    let html = "200 OK\r\nContent-Type: text/html; charset=iso-8859-1";
    let mut damaged = warc_record("https://a.example/2", html, "<p>Damaged</p>");
    let middle = damaged.len() / 2;
    damaged[middle] ^= 0xff;
    let file = [
        warc_record("https://www.a.example/1", html, "<p>Ships</p>"),
        damaged,
        warc_record(
            "https://a.example/3",
            "404 Not Found\r\nContent-Type: text/html",
            "<p>No</p>",
        ),
        warc_record("https://b.example/4", html, "<p>Boats</p>"),
    ];
    std::fs::write(dir.path().join("a.warc.gz"), file.concat()).unwrap();
    std::fs::write(
        dir.path().join("b.rss"),
        "<rss><channel><item><link>https://c.example/5</link><description>Ferries</description></item></channel></rss>",
    )
    .unwrap();
    let mut options = scratch.options(vec![path(dir.path())]);
    options.traceparent = Some(TRACE.into());
    let report = scratch.feed_with(options).await;
    assert_eq!((report.acknowledged, report.refused), (3, 1), "{report}");
    let shown = report.to_string();
    assert!(
        shown.contains("1 passed over: HTTP responses with a status") && shown.contains("a.warc.gz:2:"),
        "{shown}"
    );
    let records = scratch.read_all();
    let page = records.iter().find(|r| r.payload == b"<p>Ships</p>").unwrap();
    assert_eq!(page.key.as_deref(), Some("a.example"));
    let expected = [
        ("content-type", "text/html; charset=iso-8859-1"),
        ("url", "https://www.a.example/1"),
        ("fetched_at", "2026-03-20T16:00:41Z"),
        ("traceparent", TRACE),
    ];
    assert_eq!(page.headers, expected.map(|(k, v)| (k.to_owned(), v.to_owned())));
    let entry = records
        .iter()
        .find(|r| r.key.as_deref() == Some("c.example"))
        .unwrap();
    assert!(entry.payload.starts_with(b"{") && entry.headers.len() == 1);
    let mut wrong = scratch.options(vec![Source::Samples]);
    wrong.traceparent = Some("00-1-2-3".into());
    let (_keep, stop) = watch::channel(false);
    assert!(
        run(wrong, stop)
            .await
            .unwrap_err()
            .to_string()
            .contains("no traceparent")
    );
    scratch.delete().await;
}

/// Names the topic for the child that is killed in the next test. Does nothing when it is run like a test.
const CHILD: &str = "COPYDESK_TEST_FEED_CHILD";
const LINES: u64 = 3_000;

fn resumed(scratch: &Scratch, dir: &Path) -> FeedOptions {
    FeedOptions {
        resume: Some(dir.join("state")),
        ..scratch.options(vec![path(&dir.join("in"))])
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn child_of_the_killed_run() {
    let Ok(topic) = std::env::var(CHILD) else { return };
    let dir = std::env::var("COPYDESK_TEST_FEED_DIR").unwrap();
    let mut scratch = Scratch::new("child");
    scratch.topic = topic;
    let mut options = resumed(&scratch, Path::new(&dir));
    options.rate = Some(400);
    scratch.feed_with(options).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_run_goes_on_and_leaves_nothing_out() {
    let scratch = Scratch::new("resume");
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("in")).unwrap();
    let mut number = 0;
    for file in ["a.jsonl.gz", "b.warc.gz", "c.jsonl"] {
        let mut bytes = Vec::new();
        for _ in 0..LINES / 3 {
            let url = format!("https://s{}.example/{number}", number % 40);
            let line = format!("{{\"url\":\"{url}\",\"text\":\"Ships {number}.\"}}\n");
            match file {
                "a.jsonl.gz" => bytes.extend(gzip(line.as_bytes())),
                "c.jsonl" => bytes.extend(line.as_bytes()),
                _ => bytes.extend(warc_record(
                    &url,
                    "200 OK\r\nContent-Type: text/html",
                    &format!("<p>{number}</p>"),
                )),
            }
            number += 1;
        }
        std::fs::write(dir.path().join("in").join(file), bytes).unwrap();
    }
    let state = || std::fs::read_to_string(dir.path().join("state")).unwrap_or_default();
    for needle in ["a.jsonl.gz", "b.warc.gz"] {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "archives::child_of_the_killed_run", "--nocapture"])
            .env(CHILD, &scratch.topic)
            .env("COPYDESK_TEST_FEED_DIR", dir.path())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let started = Instant::now();
        while !state().contains(needle) {
            assert!(
                started.elapsed() < Duration::from_secs(60),
                "no state: {}",
                state()
            );
            assert!(child.try_wait().unwrap().is_none(), "the child ended by itself");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let report = scratch.feed_with(resumed(&scratch, dir.path())).await;
    assert!(report.is_complete() && report.resumed > 0, "{report}");
    assert_eq!(report.resumed + report.records, LINES, "{report}");
    let records = scratch.read_all();
    let distinct: BTreeSet<_> = records.iter().map(|r| r.payload.as_slice()).collect();
    assert_eq!(distinct.len() as u64, LINES, "left out");
    // Two kills, each with at most the second or so between two writes, and what the producer had in its hands.
    assert!(
        (records.len() as u64) < LINES + 2 * 1_200,
        "{} records",
        records.len()
    );
    assert!(state().contains("\"complete\": true"), "{}", state());
    let again = scratch.feed_with(resumed(&scratch, dir.path())).await;
    assert_eq!(
        (again.records, again.finished_before, again.is_complete()),
        (0, 1, true),
        "{again}"
    );
    scratch.delete().await;
}
