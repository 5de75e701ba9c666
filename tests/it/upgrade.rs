//! What a program does with a database that another one has migrated (migrations/README.md).
//!
//! No release has been made, so no schema of one can be tried here. What can be: that a program works on
//! where a newer one has migrated, and refuses what is of before the first release. From 0.1.0 on the schema
//! of the release before comes to stand here, with rows in it.

use copydesk_tests::Pipeline;

#[tokio::test(flavor = "multi_thread")]
async fn the_program_of_the_release_before_works_on_with_a_newer_schema() {
    let pipeline = Pipeline::new("upgrade", 1).await;
    pipeline.produce_articles(5, 20, 1).await;
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9000, 'create something new', true, '', 0)",
    )
    .execute(&pipeline.db)
    .await
    .unwrap();
    let output = pipeline.copydesk.run(&["worker", "--until-end"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && said.contains("newer release"),
        "{said}"
    );
    pipeline.assert_every_offset_once(20).await;
    assert!(
        pipeline
            .copydesk
            .ok(&["doctor"])
            .contains("that of a newer release")
    );
    for arguments in [&["migrate"][..], &["migrate", "--check"], &["doctor", "--fix"]] {
        let said = pipeline.copydesk.ok(arguments);
        assert!(said.contains("newer"), "{arguments:?}: {said}");
    }
    // A mixed history, which nobody but the newer program can mend.
    sqlx::query("DELETE FROM _sqlx_migrations WHERE version = 12")
        .execute(&pipeline.db)
        .await
        .unwrap();
    for arguments in [&["migrate"][..], &["worker", "--until-end"]] {
        let output = pipeline.copydesk.run(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            !output.status.success() && said.contains("newer"),
            "{arguments:?}: {said}"
        );
    }
    // As commits before 0.1.0 left it: numbers that are of the baseline now, and texts that are not.
    sqlx::query(
        "UPDATE _sqlx_migrations SET description = 'create articles', checksum = sha256('-- Articles, their versions') WHERE version = 2",
    )
    .execute(&pipeline.db)
    .await
    .unwrap();
    for arguments in [
        &["migrate"][..],
        &["migrate", "--check"],
        &["worker", "--until-end"],
        &["doctor"],
    ] {
        let output = pipeline.copydesk.run(arguments);
        let said = String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
        assert!(
            !output.status.success() && said.contains("start anew") && said.contains("before 0.1.0"),
            "{arguments:?}: {said}"
        );
    }
}
