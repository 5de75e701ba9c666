//! Takedowns: nothing of an article is left, it does not come again, and the law holds.

use copydesk_store::TakedownTarget;

use crate::support::{Scratch, Text, batch, prose};

async fn flush(scratch: &Scratch, texts: &[Text<'_>]) {
    let claimed = scratch.claim(0).await;
    let from = claimed.next_offset.get();
    let items = texts.iter().zip(from..).map(|(t, n)| t.item(0, n)).collect();
    scratch.store.flush(&claimed, &batch(from, items)).await.unwrap();
    scratch.assert_law().await;
}

async fn verdicts(scratch: &Scratch) -> Vec<String> {
    sqlx::query_scalar("SELECT verdict FROM sightings ORDER BY \"offset\"")
        .fetch_all(&scratch.db)
        .await
        .unwrap()
}

#[tokio::test]
async fn an_article_that_is_taken_down_is_gone_and_stays_away_until_that_is_lifted() {
    let scratch = Scratch::new("takedown").await;
    let (first, copied, other) = (prose(1, 6), prose(1, 6), prose(2, 6));
    let edited = format!("{first}\n\n{}", prose(3, 1));
    let page = |url, body| Text {
        url: Some(url),
        site: Some("a.example"),
        title: Some("Ferry back"),
        body,
        ..Text::default()
    };
    let ferry = "https://a.example/ferry";
    flush(
        &scratch,
        &[
            page(ferry, &first),
            page(ferry, &edited),
            page("https://b.example/copy", &copied),
        ],
    )
    .await;
    assert_eq!(scratch.count("SELECT articles FROM stories").await, 2);
    let target = TakedownTarget::Address("http://www.a.example/ferry/".to_owned());
    let done = scratch.store.take_down(&target, "asked for").await.unwrap();
    assert!(done.removed);
    scratch.assert_law().await;
    for table in [
        "article",
        "article_version",
        "evidence",
        "article_words",
        "article_blocks",
    ] {
        let sql: &'static str = format!(
            "SELECT count(*) FROM {table} WHERE article_id = {}",
            done.article_id
        )
        .leak();
        assert_eq!(scratch.count(sql).await, 0, "{table}");
    }
    assert_eq!(
        scratch.count("SELECT articles FROM stories").await,
        1,
        "the copy is left"
    );
    // The same address, another spelling of it with another text, and the same text elsewhere.
    flush(
        &scratch,
        &[
            page(ferry, &first),
            page("https://m.a.example/ferry?ref=rss", &other),
            page("https://c.example/again", &edited),
            page("https://c.example/other", &other),
        ],
    )
    .await;
    let seen = verdicts(&scratch).await;
    assert_eq!(
        seen[3..],
        ["taken_down", "taken_down", "taken_down", "new_article"]
    );
    assert!(scratch.store.lift_takedown(done.takedown_id).await.unwrap());
    assert!(
        !scratch.store.lift_takedown(done.takedown_id).await.unwrap(),
        "once"
    );
    scratch.assert_law().await;
    flush(&scratch, &[page(ferry, &edited)]).await;
    assert_ne!(verdicts(&scratch).await[7], "taken_down");
    let (why, lifted): (String, bool) = sqlx::query_as("SELECT why, lifted_at IS NOT NULL FROM takedowns")
        .fetch_one(&scratch.db)
        .await
        .unwrap();
    assert_eq!((why.as_str(), lifted), ("asked for", true));
}

#[tokio::test]
async fn an_address_is_held_before_anything_came_and_a_flush_under_way_is_waited_for() {
    let scratch = Scratch::new("takedown_ahead").await;
    let body = prose(5, 6);
    let page = Text {
        url: Some("https://a.example/ahead"),
        body: &body,
        ..Text::default()
    };
    let target = TakedownTarget::Address("https://a.example/ahead".to_owned());
    let done = scratch.store.take_down(&target, "").await.unwrap();
    assert!(!done.removed);
    flush(&scratch, std::slice::from_ref(&page)).await;
    assert_eq!(verdicts(&scratch).await, ["taken_down"]);
    let missing = scratch
        .store
        .take_down(&TakedownTarget::Article(1_000_000), "")
        .await;
    assert!(missing.is_err());
    // Many flushes and a takedown of what they bring: whichever comes first, nothing is left behind the takedown.
    let scratch = Scratch::new("takedown_race").await;
    let claimed = scratch.claim(0).await;
    let flushes = async {
        for n in 0..8 {
            let one = batch(n, vec![page.item(0, n)]);
            scratch.store.flush(&claimed, &one).await.unwrap();
        }
    };
    let takedown = async { scratch.store.take_down(&target, "").await.unwrap() };
    tokio::join!(flushes, takedown);
    scratch.assert_law().await;
    assert_eq!(scratch.count("SELECT count(*) FROM article").await, 0);
    assert_eq!(verdicts(&scratch).await[7], "taken_down");
}
