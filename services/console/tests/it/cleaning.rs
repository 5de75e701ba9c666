//! Pages that are cleaned on the spot: in a process of their own, one at a time, and a hostile one costs
//! nobody else anything.

use std::fs::File;

use copydesk_clean::{Budget, Cleaner, Rules};
use copydesk_decode::Limits;
use copydesk_worker::IsolatedCommand;
use serde_json::json;

use crate::support::{Desk, Writes, as_role, ask, ferry, loopback, options, serve};

const VARIABLE: &str = "COPYDESK_TEST_CLEANING";

/// This very program again, as the process that cleans; its answer goes past the words that a test harness
/// prints. `mode`: `clean`, or `abort` for an engine that dies of a page.
pub(crate) fn command(mode: &str) -> IsolatedCommand {
    let script = "exec \"$0\" cleaning::a_process_that_cleans --exact --ignored --quiet 3>&1 >/dev/null";
    IsolatedCommand {
        program: "/bin/sh".into(),
        args: vec![
            "-c".into(),
            script.into(),
            std::env::current_exe().unwrap().into(),
        ],
        variables: vec![(VARIABLE.into(), mode.into())],
    }
}

#[test]
#[ignore = "no test: the process that the consoles of these tests start to clean a page"]
fn a_process_that_cleans() {
    match std::env::var(VARIABLE).as_deref() {
        Ok("clean") => {
            let output = File::options().write(true).open("/dev/fd/3").unwrap();
            let cleaner = Cleaner::new(Rules::builtin(), Budget::default());
            copydesk_worker::serve_one(Limits::default(), cleaner, std::io::stdin().lock(), output).unwrap();
        }
        Ok(_) => std::process::abort(),
        // All ignored tests by hand.
        Err(_) => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_cleaned_on_the_spot() {
    let desk = Desk::new("console_clean", Writes::Off).await;
    let form = desk.get("/clean").await.ok();
    assert!(
        form.contains("<textarea") && form.contains("method=\"post\""),
        "{form}"
    );
    let page = ferry("x.example", "a", "Late");
    let html = page["html"].as_str().unwrap();
    let fields = [("page", html), ("kind", "html"), ("url", "https://x.example/a")];
    let drawn = desk.post("/clean", &fields).await.ok();
    for expected in [
        "Two hundred and forty passengers",
        "removed: ",
        "Check Also",
        "words in the body",
        "write a report",
    ] {
        assert!(drawn.contains(expected), "{expected}: {drawn}");
    }
    let refused = desk
        .post("/clean", &[("page", "{\"text\": \"broken"), ("kind", "json")])
        .await
        .ok();
    assert!(
        refused.contains("It would go to quarantine") && refused.contains("bad_json"),
        "{refused}"
    );
    assert_eq!(desk.post("/clean", &[("page", " ")]).await.status, 400);
    assert_eq!(desk.number("SELECT count(*) FROM articles").await, 0);

    // The report on it holds what went in and what came out.
    let fields = [fields[0], fields[1], fields[2], ("note", "keep the teaser <b>")];
    let report = desk.post("/clean/report", &fields).await;
    let name = report.header("content-disposition").unwrap().to_owned();
    assert_eq!(name, "attachment; filename=\"copydesk-report-page.json\"");
    let report = report.json();
    assert_eq!(
        (&report["note"], &report["input"]["page"]),
        (&json!("keep the teaser <b>"), &json!(html))
    );
    let blocks = report["output"]["article"]["blocks"].as_array().unwrap();
    assert!(blocks.iter().any(|b| !b["removed"].is_null()), "{report:#}");
    assert!(report["versions"]["rules"].is_string());
    assert_eq!(desk.post("/clean/report", &[]).await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_ends_its_process_is_a_notice_and_the_console_goes_on() {
    let desk = Desk::new("console_abort", Writes::Off).await;
    let mut hostile = options(as_role(desk.url(), "copydesk_reader"), None, loopback());
    hostile.cleaning = command("abort");
    let (address, _stop) = serve(hostile).await;
    let head = "POST /clean HTTP/1.1\r\nHost: localhost\r\n";
    let reply = ask(address, head, "page=x").await.ok();
    assert!(
        reply.contains("It would go to quarantine: kills_worker") && reply.contains("signal: 6"),
        "{reply}"
    );
    let head = "GET /stories HTTP/1.1\r\nHost: localhost\r\n";
    assert_eq!(ask(address, head, "").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_page_is_cleaned_at_a_time_and_others_are_told_to_come_again() {
    let desk = Desk::new("console_busy", Writes::Off).await;
    let mut slow = options(as_role(desk.url(), "copydesk_reader"), None, loopback());
    slow.cleaning = IsolatedCommand {
        program: "/bin/sh".into(),
        args: vec!["-c".into(), "cat >/dev/null; sleep 1".into()],
        variables: Vec::new(),
    };
    let (address, _stop) = serve(slow).await;
    let head = "POST /clean HTTP/1.1\r\nHost: localhost\r\n";
    let (a, b) = tokio::join!(ask(address, head, "page=x"), ask(address, head, "page=y"));
    let (done, busy) = if a.status == 200 { (a, b) } else { (b, a) };
    assert_eq!((done.status, busy.status), (200, 503), "{}", busy.body);
    assert_eq!(busy.header("retry-after"), Some("3"));
    assert!(busy.body.contains("Try again in a few seconds"), "{}", busy.body);
}
