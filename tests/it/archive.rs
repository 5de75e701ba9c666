//! The archive from the command line: what is archived is gone from Postgres, the law holds, and search says where the rest is.

use copydesk_testkit::Outgoing;
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

    // Two that are not at the address of another one, whichever comes first.
    let addresses: Vec<String> = sqlx::query_scalar(
        "SELECT canonical_url FROM articles WHERE canonical_url IS NOT NULL AND version = 1 ORDER BY article_id DESC LIMIT 2",
    )
    .fetch_all(&pipeline.db)
    .await
    .unwrap();

    // A year later.
    let age = "UPDATE article SET ingested_at = ingested_at - interval '400 days', version_at = version_at - interval '400 days',
                   message_time = message_time - interval '400 days';
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

    // A tombstone, an address and a number reach the files.
    let archived = async |n: usize| {
        let sql = format!(
            "SELECT article_id FROM retired_articles WHERE archive_day IS NOT NULL ORDER BY 1 OFFSET {n} LIMIT 1"
        );
        sqlx::query_scalar::<_, i64>(&sql)
            .fetch_one(&pipeline.db)
            .await
            .unwrap()
            .to_string()
    };
    let said = copydesk.ok(&["takedown", &archived(0).await]);
    assert!(
        said.contains("is in the archive") && said.contains("out of the archive: 1;"),
        "{said}"
    );
    let address = &addresses[0];
    pipeline
        .topic
        .produce([Outgoing {
            key: Some(address.clone()),
            ..Outgoing::default()
        }])
        .await;
    pipeline.run_to_end();
    assert_eq!(pipeline.count("SELECT count(*) FROM archive_takedown").await, 1);
    let said = copydesk.ok(&["janitor", "--once"]);
    assert!(
        said.contains("; 1 that were taken down are out of the files"),
        "{said}"
    );
    let said = copydesk.ok(&["takedown", &addresses[1]]);
    assert!(said.contains("out of the archive: 1;"), "{said}");
    assert_eq!(
        pipeline
            .count("SELECT count(*) FROM retired_articles WHERE archive_day IS NOT NULL")
            .await,
        articles - 3
    );
    // From another machine: the janitor's does it.
    let elsewhere = folder.path().with_extension("elsewhere");
    std::fs::rename(folder.path(), &elsewhere).unwrap();
    let later = copydesk.run(&["takedown", &archived(0).await]);
    assert!(later.status.success() && String::from_utf8_lossy(&later.stderr).contains("not now"));
    std::fs::rename(&elsewhere, folder.path()).unwrap();
    copydesk.ok(&["janitor", "archive"]);
    assert_eq!(
        pipeline
            .count("SELECT count(*) FROM retired_articles WHERE archive_day IS NOT NULL")
            .await,
        articles - 4
    );
    copydesk.ok(&["audit"]);
}
