//! The audit must find what is broken, or its "clean" means nothing.

use copydesk_tests::Pipeline;

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_finds_what_somebody_took_away() {
    let pipeline = Pipeline::new("audit", 2).await;
    pipeline.produce_articles(51, 60, 2).await;
    pipeline.run_to_end();
    pipeline.assert_every_offset_once(60).await;

    sqlx::query("DELETE FROM sighting WHERE partition = 1 AND \"offset\" = 7")
        .execute(&pipeline.db)
        .await
        .unwrap();
    let output = pipeline.copydesk.run(&["audit"]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(
        said.contains("broken") && said.contains("[1]"),
        "it must name the partition: {said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_says_what_is_missing_and_mends_it() {
    let pipeline = Pipeline::new("doctor", 1).await;
    let missing = format!("{}-missing", pipeline.topic.name());
    let sick = pipeline.copydesk.clone().with("COPYDESK_KAFKA_TOPIC", &missing);
    let output = sick.run(&["doctor"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains(&missing) && said.contains("doctor --fix"), "{said}");
    sick.ok(&["doctor", "--fix"]);
    sick.ok(&["doctor"]);
    let nowhere = pipeline
        .copydesk
        .clone()
        .with("COPYDESK_DATABASE_URL", "postgres://postgres@127.0.0.1:1/none");
    assert_eq!(nowhere.run(&["doctor"]).status.code(), Some(3));
}
