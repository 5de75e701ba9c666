//! Bad messages: kept with their bytes and a reason, and the stream goes on.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code: a panic with a clear message is how a test fails"
)]

use copydesk_testkit::{ArticleGenerator, Outgoing};
use copydesk_tests::Pipeline;

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_bad_message_is_kept_and_its_neighbours_are_stored() {
    let bad: Vec<(&str, Outgoing)> = vec![
        ("empty", Outgoing::default()),
        ("empty", Outgoing::value("  \n ")),
        (
            "not_utf8",
            Outgoing::value(b"{\"text\": \"caf\xe9 closed\"}".to_vec()),
        ),
        (
            "bad_json",
            Outgoing::value("{\"url\": \"https://a.example/1\", \"text\": "),
        ),
        ("no_body", Outgoing::value("{\"url\": \"https://a.example/1\"}")),
        ("bad_envelope", Outgoing::value("{\"text\": [1, 2]}")),
        (
            "lone_surrogate",
            Outgoing::value(r#"{"text": "half a pair \ud83d here"}"#),
        ),
        (
            "json_too_deep",
            Outgoing::value(format!(
                "{{\"text\": \"x\", \"y\": {}{}}}",
                "[".repeat(500),
                "]".repeat(500)
            )),
        ),
        ("too_large", Outgoing::value(vec![b'a'; 9 << 20])),
    ];
    let pipeline = Pipeline::new("quarantine", 1).await;
    let mut generator = ArticleGenerator::new(41);
    let mut records = Vec::new();
    for (n, (_, outgoing)) in bad.iter().enumerate() {
        records.push(Outgoing::value(generator.envelope("good.example", n)));
        records.push(outgoing.clone());
    }
    // NUL bytes are taken out, not a reason to lose an article: Postgres could not hold them.
    records.push(Outgoing::value(format!(
        r#"{{"url": "https://good.example/nul", "text": "{}"}}"#,
        generator
            .text(4)
            .replace("\n\n", "\\n\\n")
            .replace(" in ", " in\\u0000 ")
    )));
    let all = records.len() as i64;
    pipeline.topic.produce(records).await;
    pipeline.run_to_end();

    pipeline.assert_every_offset_once(all).await;
    assert_eq!(
        pipeline.count("SELECT count(*) FROM article").await,
        bad.len() as i64 + 1
    );
    let rows: Vec<(String, i64)> =
        sqlx::query_as("SELECT reason, \"offset\" FROM quarantine ORDER BY \"offset\"")
            .fetch_all(&pipeline.db)
            .await
            .unwrap();
    let reasons: Vec<&str> = rows.iter().map(|(reason, _)| reason.as_str()).collect();
    assert_eq!(reasons, bad.iter().map(|(reason, _)| *reason).collect::<Vec<_>>());
    let with_nul = pipeline
        .count("SELECT count(*) FROM article WHERE canonical_url = 'https://good.example/nul'")
        .await;
    assert_eq!(with_nul, 1);
}
