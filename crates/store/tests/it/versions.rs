//! Which version of an article is shown: the one that was seen last, whatever comes later, and nothing new for a text that was there.

use chrono::{DateTime, Utc};
use copydesk_store::Item;

use crate::support::{Scratch, Text, message, prose};

const ADDRESS: &str = "https://a.example/ferry";

/// A message of a text at one address; `fetched` and `sent` are days of a month.
fn at(offset: i64, body: &str, fetched: Option<u32>, sent: u32) -> Item {
    let day = |day: u32| format!("2026-03-{day:02}T12:00:00Z");
    let text = Text {
        url: Some(ADDRESS),
        site: Some("a.example"),
        body,
        fetched_at: fetched.map(|d| day(d).parse::<DateTime<Utc>>().unwrap()),
        ..Text::default()
    };
    Item {
        message: message(0, offset, &day(sent)),
        outcome: Ok(text.prepare().into()),
    }
}

async fn verdicts(scratch: &Scratch) -> Vec<(String, i32)> {
    sqlx::query_as("SELECT verdict, version FROM sightings ORDER BY \"offset\"")
        .fetch_all(&scratch.db)
        .await
        .unwrap()
}

async fn shown(scratch: &Scratch) -> Vec<(String, i32)> {
    sqlx::query_as("SELECT body, version FROM articles ORDER BY article_id")
        .fetch_all(&scratch.db)
        .await
        .unwrap()
}

/// A text and two edits of it.
fn edits() -> [String; 3] {
    let first = prose(1, 6);
    let second = format!("{first}\n\n{}", prose(2, 1));
    let third = format!("{second}\n\n{}", prose(3, 1));
    [first, second, third]
}

#[tokio::test]
async fn an_older_fetch_goes_behind_the_one_that_is_shown() {
    for together in [false, true] {
        let scratch = Scratch::new("older_fetch").await;
        let [first, second, third] = edits();
        let items = vec![
            at(0, &second, Some(5), 10),
            at(1, &first, Some(2), 11),
            at(2, &third, Some(8), 12),
        ];
        let report = scratch.flush(items, together).await;
        assert_eq!(
            (report.new_articles, report.older_versions, report.new_versions),
            (1, 1, 1)
        );
        assert_eq!(shown(&scratch).await, [(third.clone(), 3)]);
        let verdicts = verdicts(&scratch).await;
        let names: Vec<&str> = verdicts.iter().map(|v| v.0.as_str()).collect();
        assert_eq!(
            names,
            ["new_article", "older_version", "new_version"],
            "together: {together}"
        );
        let in_order: Vec<(String, bool)> =
            sqlx::query_as("SELECT body, latest FROM article_versions ORDER BY seen_at, version")
                .fetch_all(&scratch.db)
                .await
                .unwrap();
        assert_eq!(in_order, [(first, false), (second, false), (third, true)]);
    }
}

#[tokio::test]
async fn without_a_fetch_time_the_messages_times_count() {
    for together in [false, true] {
        let scratch = Scratch::new("older_message").await;
        let [first, second, _] = edits();
        let items = vec![at(0, &second, None, 10), at(1, &first, None, 9)];
        scratch.flush(items, together).await;
        assert_eq!(shown(&scratch).await, [(second, 1)], "together: {together}");
        assert_eq!(verdicts(&scratch).await[1], ("older_version".to_owned(), 2));
    }
}

#[tokio::test]
async fn an_unbelievable_fetch_time_rules_nothing() {
    let scratch = Scratch::new("unbelievable").await;
    let [first, second, third] = edits();
    let mut ahead = at(0, &first, Some(1), 3);
    ahead.outcome = at(0, &first, Some(28), 3).outcome;
    // Twenty-five days ahead of its message: the message's own time counts.
    let items = vec![ahead, at(1, &second, None, 4), at(2, &third, None, 5)];
    scratch.flush(items, false).await;
    assert_eq!(shown(&scratch).await, [(third, 3)]);
}

#[tokio::test]
async fn feeding_a_file_twice_changes_nothing() {
    for together in [false, true] {
        let scratch = Scratch::new("twice").await;
        let [first, second, third] = edits();
        // Another article at the same address, and back.
        let other = prose(9, 6);
        let bodies = [&first, &second, &third, &other];
        let file = |offset: i64, sent: u32| -> Vec<Item> {
            bodies
                .iter()
                .zip(offset..)
                .map(|(b, n)| at(n, b, None, sent))
                .collect()
        };
        scratch.flush(file(0, 10), together).await;
        let before = shown(&scratch).await;
        let versions = scratch.count("SELECT count(*) FROM article_versions").await;
        let report = scratch.flush(file(4, 11), together).await;
        assert_eq!(
            report.unchanged,
            4,
            "together: {together}; {:?}",
            verdicts(&scratch).await
        );
        assert_eq!(shown(&scratch).await, before);
        assert_eq!(
            scratch.count("SELECT count(*) FROM article_versions").await,
            versions
        );
        let verdicts = verdicts(&scratch).await;
        let again: Vec<i32> = verdicts.iter().skip(4).map(|v| v.1).collect();
        assert_eq!(
            again,
            [1, 2, 3, 1],
            "each is a sighting of the version that it is"
        );
    }
}

#[tokio::test]
async fn a_version_that_the_rules_made_says_so() {
    let scratch = Scratch::new("version_cause").await;
    let (first, second) = (prose(1, 6), prose(1, 7));
    let third = format!("{second}\n\n{}", prose(5, 1));
    // The second message is the first one again, cleaned otherwise; the third is another.
    let items: Vec<Item> = [(&first, "a"), (&second, "a"), (&third, "b")]
        .into_iter()
        .zip(0..)
        .map(|((body, bytes), offset)| {
            let mut item = at(offset, body, None, 1);
            item.message.payload = Some(bytes.into());
            item
        })
        .collect();
    scratch.flush(items, false).await;
    let causes: Vec<(i32, Option<String>)> =
        sqlx::query_as("SELECT version, cause FROM article_versions ORDER BY version")
            .fetch_all(&scratch.db)
            .await
            .unwrap();
    assert_eq!(causes, [(1, None), (2, Some("rules".to_owned())), (3, None)]);
}
