//! The bundled samples, fed and worked as `make run` does it, come out as samples/README.md says.

use std::collections::BTreeMap;

use copydesk_tests::Pipeline;
use sqlx::Row as _;

#[derive(Debug)]
struct Article {
    article_id: i64,
    story_id: i64,
    site: String,
    title: Option<String>,
    body: String,
    captions: Vec<String>,
    authors: Vec<String>,
    language: Option<String>,
    relation: String,
    version: i32,
}

/// All articles by their site; sites with two articles are asked for by id instead.
async fn articles(pipeline: &Pipeline) -> Vec<Article> {
    let rows: Vec<sqlx::postgres::PgRow> = sqlx::query(
        "SELECT article_id, story_id, site, title, body, captions, authors, language, relation, version
         FROM articles ORDER BY article_id",
    )
    .fetch_all(&pipeline.db)
    .await
    .unwrap();
    rows.iter()
        .map(|row| Article {
            article_id: row.get(0),
            story_id: row.get(1),
            site: row.get(2),
            title: row.get(3),
            body: row.get(4),
            captions: row.get(5),
            authors: row.get(6),
            language: row.get(7),
            relation: row.get(8),
            version: row.get(9),
        })
        .collect()
}

fn of<'a>(articles: &'a [Article], site: &str) -> &'a Article {
    articles
        .iter()
        .find(|a| a.site == site)
        .unwrap_or_else(|| panic!("nothing from {site} in {articles:#?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_samples_come_out_as_documented() {
    // One partition: the order of arrival is the order of the samples, so that relations are exact.
    let pipeline = Pipeline::new("samples", 1).await;
    pipeline.copydesk.ok(&["feed", "--samples"]);
    pipeline.run_to_end();
    pipeline.assert_every_offset_once(18).await;
    let all = articles(&pipeline).await;
    assert_eq!(all.len(), 14, "{all:#?}");

    stories(&all);
    the_scraped_article(&pipeline, of(&all, "worldbrief.example")).await;
    metadata(&all);
    versions(&pipeline, of(&all, "lornepost.example")).await;
    quarantine(&pipeline).await;
    summary(&pipeline);
}

fn stories(all: &[Article]) {
    let mut stories: BTreeMap<i64, Vec<&str>> = BTreeMap::new();
    for article in all {
        stories.entry(article.story_id).or_default().push(&article.site);
    }
    let mut got: Vec<Vec<&str>> = stories.into_values().collect();
    got.sort();
    let mut expected = vec![
        vec!["worldbrief.example", "dailyledger.example"],
        vec![
            "northwire.example",
            "coastalcourier.example",
            "brenmarktoday.example",
            "islandrecord.example",
        ],
        vec![
            "ridgereview.example",
            "morningbriefs.example",
            "cordalherald.example",
        ],
        vec!["lornepost.example"],
        vec!["ahrenfelder-bote.example"],
        vec!["shiomi-shimbun.example"],
        vec!["elcorreodemarzan.example"],
        vec!["northwire.example"],
    ];
    expected.sort();
    assert_eq!(got, expected);
    assert_eq!(of(all, "morningbriefs.example").relation, "excerpt");
    assert_eq!(of(all, "cordalherald.example").relation, "exact_copy");
    assert_eq!(of(all, "ridgereview.example").relation, "original");
    for site in [
        "dailyledger.example",
        "coastalcourier.example",
        "islandrecord.example",
    ] {
        assert_ne!(of(all, site).relation, "original", "{site}");
    }
}

/// Headline, body without the "Check Also" block, one caption with its credit, nothing else lost.
async fn the_scraped_article(pipeline: &Pipeline, article: &Article) {
    let sample = copydesk_feed::SAMPLES
        .iter()
        .find(|s| s.name == "01-canal-talks-scraped")
        .unwrap();
    let envelope: serde_json::Value = serde_json::from_slice(sample.payload).unwrap();
    // White space is folded: the sample has two spaces before a credit.
    let folded = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let lines: Vec<String> = envelope["text"]
        .as_str()
        .unwrap()
        .lines()
        .map(folded)
        .filter(|l| !l.is_empty())
        .collect();
    let marker = lines
        .iter()
        .position(|l| l == "Check Also")
        .expect("the sample has the block");

    assert_eq!(article.title.as_ref(), Some(&lines[0]));
    let [caption] = article.captions.as_slice() else {
        panic!("one caption, not {:#?}", article.captions)
    };
    assert!(
        caption.ends_with(')'),
        "the caption keeps its agency credit: {caption}"
    );
    for line in &lines[marker..] {
        assert!(!article.body.contains(line.as_str()), "still in the body: {line}");
    }
    let lost: Vec<_> = lines[1..marker]
        .iter()
        .filter(|line| !caption.contains(line.as_str()) && !article.body.contains(line.as_str()))
        .collect();
    assert_eq!(lost, Vec::<&String>::new(), "every other line stays in the body");
    let removed: Vec<(String, String)> =
        sqlx::query_as("SELECT rule, text FROM removed_blocks WHERE article_id = $1 ORDER BY position")
            .bind(article.article_id)
            .fetch_all(&pipeline.db)
            .await
            .unwrap();
    for line in &lines[marker..] {
        assert!(
            removed.iter().any(|(_, text)| text == line),
            "not among the removed blocks: {line}\n{removed:#?}"
        );
    }
}

fn metadata(all: &[Article]) {
    assert_eq!(
        of(all, "ahrenfelder-bote.example").language.as_deref(),
        Some("de")
    );
    assert_eq!(of(all, "shiomi-shimbun.example").language.as_deref(), Some("ja"));
    let spanish = of(all, "elcorreodemarzan.example");
    assert_eq!(spanish.language.as_deref(), Some("es"));
    assert!(
        spanish.body.contains('ó') && !spanish.body.contains('\u{fffd}'),
        "accents intact: {}",
        spanish.body
    );
    assert_eq!(of(all, "ridgereview.example").authors.len(), 2);
    let wordpress = of(all, "dailyledger.example");
    for chrome in ["cookie", "newsletter", "Check Also", "Share"] {
        assert!(
            !wordpress.body.contains(chrome),
            "{chrome} is still in: {}",
            wordpress.body
        );
    }
}

async fn versions(pipeline: &Pipeline, article: &Article) {
    assert_eq!(article.version, 2);
    let versions: i64 = sqlx::query_scalar("SELECT count(*) FROM article_versions WHERE article_id = $1")
        .bind(article.article_id)
        .fetch_one(&pipeline.db)
        .await
        .unwrap();
    assert_eq!(versions, 2);
}

async fn quarantine(pipeline: &Pipeline) {
    let reasons: Vec<String> = sqlx::query_scalar("SELECT reason FROM quarantined ORDER BY \"offset\"")
        .fetch_all(&pipeline.db)
        .await
        .unwrap();
    assert_eq!(reasons, ["bad_json", "no_body", "not_utf8"]);
}

fn summary(pipeline: &Pipeline) {
    let shown = pipeline.copydesk.ok(&["summary"]);
    for expected in [
        "ridgereview.example",
        "excerpt",
        "exact_copy",
        "bad_json",
        "no_body",
        "not_utf8",
    ] {
        assert!(shown.contains(expected), "{expected} is missing in:\n{shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demonstration_needs_no_kafka_and_no_database_in_use() {
    let pipeline = Pipeline::new("demo", 1).await;
    let without_kafka = pipeline.copydesk.clone().at_brokers("127.0.0.1:1");
    for _ in 0..2 {
        let shown = without_kafka.ok(&["demo"]);
        assert!(shown.contains("In quarantine"), "{shown}");
    }
    // The second time the same messages came from another topic: no article is new.
    let counts: (i64, i64, i64) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM articles), (SELECT count(*) FROM sightings) + (SELECT count(*) FROM quarantined),
                (SELECT count(DISTINCT topic) FROM partition_progress)",
    )
    .fetch_one(&pipeline.db)
    .await
    .unwrap();
    assert_eq!((counts.1, counts.2), (36, 2), "{counts:?}");
    assert_eq!(counts.0, 14, "{counts:?}");
    pipeline.copydesk.ok(&["audit"]);
    // A database with articles of another topic.
    pipeline.copydesk.ok(&["feed", "--samples"]);
    pipeline.run_to_end();
    let refused = without_kafka.run(&["demo"]);
    assert!(!refused.status.success());
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("createdb"), "{said}");
}
