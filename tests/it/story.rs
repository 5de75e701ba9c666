//! Stories and upkeep from the command line, as a person does it.

use copydesk_tests::Pipeline;
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn explain_merge_split_and_undo() {
    let pipeline = Pipeline::new("story", 1).await;
    let copydesk = &pipeline.copydesk;
    copydesk.ok(&["feed", "--samples"]);
    pipeline.run_to_end();

    let ids: Vec<i64> = sqlx::query_scalar("SELECT article_id FROM articles ORDER BY article_id")
        .fetch_all(&pipeline.db)
        .await
        .unwrap();
    for id in &ids {
        let record: Value =
            serde_json::from_str(&copydesk.ok(&["story", "explain", "--json", &id.to_string()])).unwrap();
        assert_eq!(
            record["same"], true,
            "the decision must come out the same again: {record:#}"
        );
    }
    let [fog, lorne]: [i64; 2] = sqlx::query_scalar(
        "SELECT story_id FROM articles WHERE site IN ('ridgereview.example', 'lornepost.example') ORDER BY article_id",
    )
    .fetch_all(&pipeline.db)
    .await
    .unwrap()
    .try_into()
    .unwrap();
    let shown = copydesk.ok(&["story", "show", &fog.to_string()]);
    for expected in [
        "3 articles",
        "excerpt of",
        "exact_copy of",
        "cordalherald.example",
    ] {
        assert!(shown.contains(expected), "{expected} is missing in\n{shown}");
    }
    let said = copydesk.ok(&[
        "story",
        "merge",
        &lorne.to_string(),
        &fog.to_string(),
        "--why",
        "for the test",
    ]);
    assert!(said.contains("copydesk story undo 1"), "{said}");
    assert_eq!(pipeline.count("SELECT max(articles) FROM stories").await, 4);
    copydesk.ok(&["story", "undo", "1"]);
    assert_eq!(pipeline.count("SELECT count(*) FROM stories").await, 8);
    let again = copydesk.run(&["story", "undo", "1"]);
    assert_eq!(again.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&again.stderr).contains("taken back before"));
    assert_eq!(copydesk.run(&["story", "show", "987654"]).status.code(), Some(1));
    copydesk.ok(&["audit"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn upkeep_runs_and_may_be_repeated() {
    let pipeline = Pipeline::new("janitor", 1).await;
    let copydesk = &pipeline.copydesk;
    copydesk.ok(&["migrate", "--window-days", "7"]);
    copydesk.ok(&["feed", "--samples"]);
    pipeline.run_to_end();
    let late = copydesk.run(&["migrate", "--window-days", "30"]);
    assert_eq!(late.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&late.stderr).contains("before the first article"));
    for _ in 0..2 {
        copydesk.ok(&["janitor", "--once"]);
        assert!(copydesk.ok(&["janitor", "refingerprint"]).contains("0 articles"));
        assert!(copydesk.ok(&["janitor", "redecide"]).contains("0 articles"));
    }
    assert!(copydesk.ok(&["janitor", "common", "build"]).contains("list 1"));
    copydesk.ok(&["janitor", "common", "off"]);
    copydesk.ok(&["janitor", "common", "use", "1"]);
    assert_eq!(
        copydesk.run(&["janitor", "common", "use", "2"]).status.code(),
        Some(1)
    );
    copydesk.ok(&["audit"]);
}
