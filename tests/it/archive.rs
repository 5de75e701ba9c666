//! The archive from the command line: what is archived is gone from Postgres, the law holds, and search says where the rest is.

use copydesk_tests::Pipeline;
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn old_articles_go_to_files_and_the_stream_goes_on() {
    let pipeline = Pipeline::new("archive", 1).await;
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().to_str().unwrap();
    let copydesk = pipeline
        .copydesk
        .clone()
        .with("COPYDESK_JANITOR_ARCHIVE_FOLDER", place);
    copydesk.ok(&["feed", "--samples"]);
    pipeline.run_to_end();
    let articles = pipeline.count("SELECT count(*) FROM articles").await;
    let soon = copydesk.run(&["janitor", "archive", "--older-than", "89"]);
    assert_eq!(
        soon.status.code(),
        Some(1),
        "keys of such articles are still looked up"
    );
    assert!(
        copydesk
            .ok(&["janitor", "archive"])
            .contains("0 articles archived")
    );

    // A year later.
    let age = "UPDATE article SET ingested_at = ingested_at - interval '400 days', version_at = version_at - interval '400 days',
                   message_time = message_time - interval '400 days';
               UPDATE membership SET ingested_at = ingested_at - interval '400 days';
               UPDATE article_version SET version_at = version_at - interval '400 days', message_time = message_time - interval '400 days';
               DELETE FROM story; INSERT INTO story SELECT * FROM story_counted";
    sqlx::raw_sql(age).execute(&pipeline.db).await.unwrap();
    let said = copydesk.ok(&["janitor", "archive"]);
    assert!(
        said.contains(&format!("{articles} articles archived in 1 batch ")),
        "{said}"
    );
    assert_eq!(pipeline.count("SELECT count(*) FROM articles").await, 0);
    assert_eq!(pipeline.count("SELECT count(*) FROM stories").await, 0);
    assert_eq!(
        pipeline.count("SELECT articles FROM archive_batches").await,
        articles
    );
    copydesk.ok(&["audit"]);
    let manifest = std::fs::read_to_string(folder.path().join("manifest/batch-1.json")).unwrap();
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    assert_eq!(manifest["files"][0]["rows"], articles);
    let found = copydesk.run(&["search", "harbour"]);
    assert!(String::from_utf8_lossy(&found.stderr).contains(&format!("the archive in {place}")));

    // The same pages again are new articles.
    copydesk.ok(&["feed", "--samples"]);
    pipeline.run_to_end();
    assert_eq!(pipeline.count("SELECT count(*) FROM articles").await, articles);
    copydesk.ok(&["audit"]);

    let one = pipeline
        .count("SELECT min(article_id) FROM retired_articles")
        .await
        .to_string();
    let refused = copydesk.run(&["takedown", &one]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains(&format!("archive --remove {one}")));
    copydesk.ok(&["janitor", "archive", "--remove", &one]);
    copydesk.ok(&["audit"]);
}
