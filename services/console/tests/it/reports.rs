//! "This is wrong": a file with what went in, what came out, and the versions.

use serde_json::{Value, json};

use crate::support::{Desk, Writes, ferry};

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_block_or_link_is_a_file_for_the_maintainers() {
    let desk = Desk::new("console_report", Writes::On).await;
    desk.store(&[
        ferry("a.example", "1", "Ferry leaves two hours late"),
        ferry("b.example", "2", "Fog <b>holds</b> up the ferry"),
    ])
    .await;
    let first = desk.number("SELECT min(article_id) FROM articles").await;
    let id = desk.number("SELECT max(article_id) FROM articles").await;
    let page = desk.get(&format!("/articles/{id}")).await.ok();
    let link = format!("/articles/{id}/wrong?link={first}");
    for expected in [&format!("href=\"/articles/{id}/wrong?block="), &link] {
        assert!(page.contains(expected.as_str()), "{expected}: {page}");
    }
    let block = desk
        .number("SELECT max(position)::int8 FROM removed_blocks")
        .await;
    let form = desk
        .get(&format!("/articles/{id}/wrong?block={block}"))
        .await
        .ok();
    assert!(
        form.contains(&format!("<option value=\"{block}\" selected>")) && form.contains("Fog &lt;b&gt;holds"),
        "{form}"
    );

    let file = desk
        .get(&format!("/articles/{id}/report?block={block}&note=stays+%3Cb%3E"))
        .await;
    assert_eq!(
        file.header("content-disposition").unwrap(),
        format!("attachment; filename=\"copydesk-report-article-{id}.json\"")
    );
    let report: Value = file.json();
    assert_eq!(
        (&report["about"]["block"], &report["note"]),
        (&json!(block), &json!("stays <b>"))
    );
    for version in ["copydesk", "rules", "fingerprint", "link_rule"] {
        assert!(!report["versions"][version].is_null(), "{version}: {report:#}");
    }
    let (read, out) = (
        report["input"]["blocks"].as_array().unwrap(),
        report["output"]["blocks"].as_array().unwrap(),
    );
    assert!(
        read.len() == out.len() && out.iter().any(|b| b["kept"] == false),
        "{report:#}"
    );
    assert_eq!(report["input"]["messages"][0]["offset"], 1);
    assert_eq!(report["linked"], Value::Null);

    let report = desk.json(&format!("/articles/{id}/report?link={first}")).await;
    assert_eq!(report["linked"]["article"]["article_id"], first);
    assert!(
        !report["decision"]["candidates"].as_array().unwrap().is_empty(),
        "{report:#}"
    );

    for (path, status) in [
        (format!("/articles/{id}/wrong?block=999"), 404),
        (format!("/articles/{id}/report?block=999"), 404),
        (format!("/articles/{id}/report?link=999999"), 404),
        (format!("/articles/{id}/report?link=1&block=1"), 400),
        (format!("/articles/{id}/wrong?block=x"), 400),
        ("/articles/999999/wrong".to_owned(), 404),
        ("/articles/999999/report".to_owned(), 404),
    ] {
        assert_eq!(desk.get(&path).await.status, status, "{path}");
    }
}
