//! `copydesk janitor reclean --rules`: after a change of rules, articles are cleaned again from messages that
//! were kept, without Kafka.

use copydesk_testkit::{ArticleGenerator, Outgoing};
use copydesk_tests::Pipeline;
use serde_json::json;

const SLOGAN: &str = "Velmora Harbour News, the paper that sees the sea.";
const RULE: &str = "[[rule]]\nname = \"house-slogan\"\nmatch = \"start\"\naction = \"line\"\nsure = true\nphrases = [\"velmora harbour news\"]\n";

fn page(site: &str, seed: u64, last: &str) -> Outgoing {
    let text = ArticleGenerator::new(seed).babble(5);
    let paragraphs: String = text
        .split("\n\n")
        .chain([last])
        .map(|p| format!("<p>{p}</p>"))
        .collect();
    let html = format!(
        "<html><head><title>Item {seed}</title></head><body><article><h1>Item {seed}</h1>{paragraphs}</article></body></html>"
    );
    let url = format!("https://{site}/{seed}");
    Outgoing::value(json!({"url": url, "html": html}).to_string())
}

/// Versions with their causes, and whether the body has the slogan, by address and version.
async fn versions(pipeline: &Pipeline) -> Vec<(String, i32, bool, Option<String>, bool)> {
    sqlx::query_as(
        "SELECT a.site, v.version, v.latest, v.cause, v.body LIKE '%' || $1 || '%'
         FROM article_versions v JOIN articles a USING (article_id) ORDER BY a.url, v.version",
    )
    .bind(SLOGAN)
    .fetch_all(&pipeline.db)
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_rule_makes_a_version_that_says_so_without_kafka() {
    let pipeline = Pipeline::new("reclean", 1).await;
    let keeping = pipeline
        .copydesk
        .clone()
        .with("COPYDESK_WORKER_KEEP_RAW_DAYS", "30");
    pipeline
        .topic
        .produce([
            page("a.example", 1, SLOGAN),
            page(
                "a.example",
                2,
                "The ferry is expected back on Thursday, the captain said.",
            ),
            page("b.example", 3, SLOGAN),
        ])
        .await;
    keeping.ok(&["worker", "--until-end"]);
    let (a, b) = ("a.example".to_owned(), "b.example".to_owned());
    let first = |site: &String, has: bool| (site.clone(), 1, true, None, has);
    assert_eq!(
        versions(&pipeline).await,
        [first(&a, true), first(&a, false), first(&b, true)]
    );

    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules.toml");
    std::fs::write(&rules, RULE).unwrap();
    let ruled = keeping
        .with("COPYDESK_CLEAN_RULES_FILE", rules.to_str().unwrap())
        .at_brokers("127.0.0.1:1");
    let said = ruled.ok(&["janitor", "reclean", "--rules", "--site", "a.example"]);
    assert!(
        said.contains("1 article has a new version by the rules, 1 have the same text, 0 stay"),
        "{said}"
    );
    let rule = || Some("rules".to_owned());
    let older = |site: &String| (site.clone(), 1, false, None, true);
    let newer = |site: &String| (site.clone(), 2, true, rule(), false);
    assert_eq!(
        versions(&pipeline).await,
        [older(&a), newer(&a), first(&a, false), first(&b, true)]
    );
    pipeline.assert_every_offset_once(3).await;

    // All sites, and what was done is passed over. The same again finds nothing.
    let said = ruled.ok(&["janitor", "reclean", "--rules"]);
    assert!(
        said.contains("1 article has a new version by the rules, 0 have"),
        "{said}"
    );
    let said = ruled.ok(&["janitor", "reclean", "--rules"]);
    assert!(
        said.contains("0 articles have a new version by the rules, 0 have"),
        "{said}"
    );
    let all = versions(&pipeline).await;
    assert_eq!(
        all,
        [older(&a), newer(&a), first(&a, false), older(&b), newer(&b)]
    );

    // The publisher sends the page again: a text that is known changes nothing, and an edit is a version with no cause.
    pipeline.topic.produce([page("a.example", 1, SLOGAN)]).await;
    let ruled = ruled.at_brokers(&copydesk_testkit::kafka_brokers());
    ruled.ok(&["worker", "--until-end"]);
    assert_eq!(versions(&pipeline).await, all);
    let edit = "The captain said on Friday that the ferry would not be back before the spring.";
    pipeline.topic.produce([page("a.example", 1, edit)]).await;
    ruled.ok(&["worker", "--until-end"]);
    let causes: Vec<Option<String>> = sqlx::query_scalar(
        "SELECT cause FROM article_versions v JOIN articles a USING (article_id)
         WHERE a.url = 'https://a.example/1' ORDER BY v.version",
    )
    .fetch_all(&pipeline.db)
    .await
    .unwrap();
    assert_eq!(causes, [None, rule(), None]);
    pipeline.assert_every_offset_once(5).await;
}
