//! Folders and pipes that others have prepared. Dry runs: no Kafka is needed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests are tests"
)]

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use copydesk_feed::{FeedOptions, FeedReport, Form, Links, Source, run};
use tokio::sync::watch;

fn options(path: &Path) -> FeedOptions {
    FeedOptions {
        bar: false,
        dry_run: true,
        ..FeedOptions::new("127.0.0.1:9", "t", vec![Source::Path(path.to_owned())])
    }
}

async fn fed(options: FeedOptions) -> FeedReport {
    let (_keep, stop) = watch::channel(false);
    run(options, stop).await.unwrap()
}

fn fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_with_traps_is_fed_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let secret = elsewhere.path().join("secret.txt");
    fs::write(&secret, "A secret of this machine.").unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("a.txt"), "The ferry was late on Monday.").unwrap();
    fifo(&at("b.jsonl"));
    let _socket = UnixListener::bind(at("c.html")).unwrap();
    symlink("/dev/zero", at("d.txt")).unwrap();
    symlink(&secret, at("e.txt")).unwrap();
    symlink("a.txt", at("f.txt")).unwrap();
    let report = fed(options(folder.path())).await;
    assert_eq!(report.records, 2, "{report}");
    assert_eq!(report.passed_over.values().sum::<u64>(), 4, "{report}");
    for kind in ["FIFOs", "sockets", "symbolic links that lead out"] {
        assert!(report.to_string().contains(kind), "{report}");
    }
    let all = FeedOptions {
        links: Links::Follow,
        ..options(folder.path())
    };
    let report = fed(all).await;
    assert_eq!(report.records, 3, "{report}");
    assert!(report.to_string().contains("devices"), "{report}");
}

/// A pipe that nobody writes to blocks already while it is opened; one that somebody holds open, while it is read.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_ends_when_it_is_told_to_whatever_a_read_waits_for() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    for held in [false, true] {
        let pipe = folder.path().join(format!("pipe-{held}"));
        fifo(&pipe);
        let _writer = held.then(|| fs::OpenOptions::new().read(true).write(true).open(&pipe).unwrap());
        let (stop, stopped) = watch::channel(false);
        let blocked = FeedOptions {
            form: Some(Form::Lines),
            resume: Some(state.clone()),
            ..options(&pipe)
        };
        let run = tokio::spawn(run(blocked, stopped));
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(!run.is_finished());
        stop.send_replace(true);
        assert!(run.await.unwrap().unwrap().stopped);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipe_that_is_named_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe.jsonl");
    fifo(&pipe);
    let path = pipe.clone();
    let writer = std::thread::spawn(move || fs::write(path, "{\"text\":\"The ferry was late.\"}\n").unwrap());
    let report = fed(options(&pipe)).await;
    writer.join().unwrap();
    assert_eq!(report.records, 1, "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn records_without_a_url_are_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jsonl");
    let line = "{\"href\":\"https://news.example/a\",\"text\":\"The ferry was late on Monday.\"}\n";
    fs::write(
        &path,
        format!("{line}{line}{{\"text\":\"The ferry was late on Monday.\"}}\n"),
    )
    .unwrap();
    let report = fed(options(&path)).await;
    assert_eq!(report.without_url, 3);
    let shown = report.to_string();
    assert!(
        shown.contains(
            "3 of 3 records have no url; 2 have an address in href, which is not read: call it url"
        ),
        "{shown}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_with_refused_lines_is_not_complete() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jsonl");
    fs::write(
        &path,
        "The ferry was late on Monday, as the port said.\n{\"text\":\"\"}\n",
    )
    .unwrap();
    let report = fed(options(&path)).await;
    assert_eq!((report.odd, report.bare), (0, 1), "{report}");
    assert!(
        !report.is_complete() && !report.would_be_quarantined.is_empty(),
        "{report}"
    );
    fs::write(
        &path,
        "{\"url\":\"https://news.example/a\",\"text\":\"The ferry was late.\"}\n",
    )
    .unwrap();
    assert!(fed(options(&path)).await.is_complete());
}

const FEED: &str = r#"<rss version="2.0"><channel><link>https://news.example/</link><language>en-GB</language>
<item><title>Ferry</title><link>/1</link><pubDate>Sat, 07 Feb 2026 09:30:15 CET</pubDate><description>The ferry is back in service.</description></item>
<item><title>Storm</title><link>/2</link><pubDate>soon</pubDate><description>The storm has passed the coast.</description></item>
</channel></rss>"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_shows_a_message_and_names_what_cannot_be_read_of_others() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.rss");
    fs::write(&path, FEED).unwrap();
    let report = fed(options(&path)).await;
    let shown = report.to_string();
    assert!(report.is_complete() && report.records == 2, "{shown}");
    for part in [
        "1 record: the date cannot be read",
        "a.rss:2: the date cannot be read: it is sent as it stands, the article has none: \"soon\"",
        "1 would carry the warning published-at-unreadable",
        "the first message, from",
        "key        news.example",
        "published  2026-02-07T08:30:15+00:00",
        "language   en-GB",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_yields_nothing_is_no_success() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let no_items = "<rss version=\"2.0\"><channel><title>N</title></channel></rss>";
    for path in [
        at("a.jsonl", ""),
        at("b.json", "[]"),
        at("c.rss", no_items),
        at("d.warc", ""),
        at(
            "e.json",
            "{\"version\":\"https://jsonfeed.org/version/1\",\"items\":[]}",
        ),
    ] {
        let report = fed(options(&path)).await;
        let shown = report.to_string();
        assert!(!report.is_complete() && report.empty_sources == 1, "{shown}");
        assert!(shown.contains("nothing in it was sent"), "{shown}");
    }
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(fed(options(empty.path())).await.empty_sources, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_asked_for_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jsonl");
    let line = |site: &str, language: &str| {
        format!(
            "{{\"url\":\"https://{site}/1\",\"language\":\"{language}\",\"text\":\"The ferry is back.\"}}\n"
        )
    };
    let lines = [
        line("a.example", "en-GB"),
        line("a.example", "de"),
        line("b.example", "en"),
        "{\"text\":\"x\"}\n".into(),
    ];
    fs::write(&path, lines.concat()).unwrap();
    let only = |language: Option<&str>, site: Option<&str>| FeedOptions {
        language: language.map(str::to_owned),
        site: site.map(str::to_owned),
        ..options(&path)
    };
    for (options, records, passed_over) in [
        (only(Some("en"), None), 2, 2),
        (only(None, Some("www.A.example")), 2, 2),
        (only(Some("de"), Some("a.example")), 1, 3),
    ] {
        let report = fed(options).await;
        assert_eq!(
            (report.records, report.passed_over.values().sum::<u64>()),
            (records, passed_over),
            "{report}"
        );
    }
    assert!(!fed(only(Some("fi"), None)).await.is_complete());
}
