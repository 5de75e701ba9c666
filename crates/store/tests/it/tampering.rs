//! Text that changed behind copydesk's back is found, whatever characters it has; what copydesk itself changes is not.

use copydesk_article::Offset;
use copydesk_store::RewindTo;

use crate::support::{Scratch, Text, batch, prose, refused, source};

/// What JSON, Postgres and the hash could write down differently.
const ODD: &str =
    "\u{1} \u{1f} \u{8}\u{c}\t \u{1b} \"quoted\" back\\slash \u{7f} \u{2028} \u{feff}é 日本 👩‍👧 \u{10ffff}";

async fn findings(scratch: &Scratch) -> Vec<String> {
    let report = scratch.store.audit().await.unwrap();
    report.findings.iter().map(ToString::to_string).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn content_that_changed_without_an_event_is_found() {
    let scratch = Scratch::new("tampering").await;
    let claimed = scratch.claim(0).await;
    let bodies: Vec<String> = (0..3).map(|n| prose(n, 3)).collect();
    let odd = format!("{ODD} {}\n\n{ODD}", bodies[0]);
    let second = format!("{}\n\n{}", bodies[0], bodies[1]);
    let third = format!("{second}\n\n{}", bodies[2]);
    let url = Some("https://a.example/1");
    let texts = [
        Text {
            url,
            ..Text::of_site("a.example", ODD, &odd)
        },
        Text {
            url,
            ..Text::of_site("a.example", "Another version", &second)
        },
        // Three of one batch: the second is never the latest.
        Text {
            url,
            ..Text::of_site("a.example", "Yet another", &third)
        },
        Text {
            body: "Without a title.",
            ..Text::default()
        },
    ];
    let mut items: Vec<_> = texts.iter().zip(0..).map(|(text, n)| text.item(0, n)).collect();
    items.push(refused(0, 4));
    scratch.store.flush(&claimed, &batch(0, items)).await.unwrap();
    scratch.assert_law().await;
    assert_eq!(
        scratch
            .count("SELECT count(*) FROM sighting WHERE content_hash IS NOT NULL")
            .await,
        4
    );
    let kept = "CREATE TABLE kept_article AS SELECT * FROM article;
                CREATE TABLE kept_text AS SELECT * FROM article_text;
                CREATE TABLE kept_version AS SELECT * FROM article_version;
                CREATE TABLE kept_quarantine AS SELECT * FROM quarantine";
    sqlx::raw_sql(kept).execute(&scratch.db).await.unwrap();
    let text = "versions of articles have another text";
    let bytes = "quarantined messages have other bytes";
    for (damage, expected) in [
        (
            "UPDATE article_text SET body = '' WHERE article_id = (SELECT article_id FROM article WHERE version = 3)",
            text,
        ),
        ("UPDATE article SET title = 'Bought' WHERE version = 3", text),
        ("UPDATE article SET title = '' WHERE title IS NULL", text),
        (
            "UPDATE article SET dek = title, title = NULL WHERE version = 3",
            text,
        ),
        ("UPDATE article SET captions = '{}'", text),
        (
            "UPDATE article_text SET blocks = jsonb_set(blocks, '{-1,1}', '\"Nothing\"')",
            text,
        ),
        (
            "UPDATE article_version SET body = lower(body) WHERE version = 1",
            text,
        ),
        (
            "UPDATE article_version SET captions = captions || ARRAY[''] WHERE version = 2",
            text,
        ),
        ("UPDATE quarantine SET raw = ''", bytes),
        ("UPDATE quarantine SET raw = NULL", bytes),
    ] {
        let done = sqlx::query(damage).execute(&scratch.db).await.unwrap();
        assert!(done.rows_affected() > 0, "{damage}");
        let mut said = findings(&scratch).await;
        // Of a title the story's row tells as well.
        said.retain(|finding| !finding.contains("stories are not"));
        assert!(
            said.len() == 1 && said[0].contains(expected) && said[0].contains("such as"),
            "{damage}: {said:#?}"
        );
        let mended = "TRUNCATE article, article_text, article_version, raw_input, quarantine;
                      INSERT INTO article SELECT * FROM kept_article;
                      INSERT INTO article_text SELECT * FROM kept_text;
                      INSERT INTO article_version SELECT * FROM kept_version;
                      INSERT INTO quarantine SELECT * FROM kept_quarantine";
        sqlx::raw_sql(mended).execute(&scratch.db).await.unwrap();
        scratch.assert_law().await;
    }
    // What a rewind takes back is still known by its hash, and the same message again brings no version.
    let back = RewindTo {
        source: source(0),
        to: Offset::new(2),
        low: Offset::new(0),
    };
    scratch.store.rewind(&[back], "a test", false).await.unwrap();
    scratch.assert_law().await;
    sqlx::query("UPDATE article_text SET body = 'x' WHERE article_id = (SELECT article_id FROM article WHERE version = 3)")
        .execute(&scratch.db)
        .await
        .unwrap();
    assert_eq!(findings(&scratch).await.len(), 1);
}
