//! Takedowns: nothing of an article is left, it does not come again, and the law holds.

use copydesk_article::{ArticleId, Offset};
use copydesk_store::{Content, Item, RewindTo, StoreConfig, TakedownTarget, Tombstone, try_again};

use crate::support::{NOON, Scratch, Text, batch, message, prose, source};

const FERRY: &str = "https://a.example/ferry";

fn page<'a>(url: &'a str, body: &'a str) -> Text<'a> {
    Text {
        url: Some(url),
        site: Some("a.example"),
        title: Some("Ferry back"),
        body,
        ..Text::default()
    }
}

fn tombstone(offset: i64, address: &str) -> Item {
    Item {
        message: message(0, offset, NOON),
        outcome: Ok(Content::Tombstone(Tombstone {
            address: address.to_owned(),
        })),
    }
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
    scratch
        .flush_texts(
            &[
                page(FERRY, &first),
                page(FERRY, &edited),
                page("https://b.example/copy", &copied),
            ],
            true,
        )
        .await;
    assert_eq!(scratch.count("SELECT articles FROM stories").await, 2);
    let target = TakedownTarget::Address("http://www.a.example/ferry/".to_owned());
    let done = scratch.store.take_down(&target, "asked for").await.unwrap();
    assert_eq!(done.removed, 1);
    scratch.assert_law().await;
    for table in [
        "article",
        "membership",
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
    scratch
        .flush_texts(
            &[
                page(FERRY, &first),
                page("https://m.a.example/ferry?ref=rss", &other),
                page("https://c.example/again", &edited),
                page("https://c.example/other", &other),
            ],
            true,
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
    scratch.flush_texts(&[page(FERRY, &edited)], true).await;
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
    assert_eq!(done.removed, 0);
    scratch.flush_texts(std::slice::from_ref(&page), true).await;
    assert_eq!(verdicts(&scratch).await, ["taken_down"]);
    let missing = scratch
        .store
        .take_down(&TakedownTarget::Article(ArticleId(1_000_000)), "")
        .await;
    assert!(missing.is_err());
    // Many flushes and a takedown of what they bring: whichever comes first, nothing is left behind the takedown.
    let scratch = Scratch::new("takedown_race").await;
    let claimed = scratch.claim(0).await;
    let flushes = async {
        for n in 0..8 {
            let one = batch(n, vec![page.item(0, n)]);
            // As a worker does where it met another transaction.
            try_again(|| scratch.store.flush(&claimed, &one)).await.unwrap();
        }
    };
    let takedown = async { scratch.store.take_down(&target, "").await.unwrap() };
    tokio::join!(flushes, takedown);
    scratch.assert_law().await;
    assert_eq!(scratch.count("SELECT count(*) FROM article").await, 0);
    assert_eq!(verdicts(&scratch).await[7], "taken_down");
}

#[tokio::test]
async fn a_tombstone_removes_what_came_before_it_and_holds_what_comes_behind_it_wherever_batches_are_cut() {
    let (first, elsewhere) = (prose(1, 6), prose(2, 6));
    let edited = format!("{first}\n\n{}", prose(3, 1));
    for together in [true, false] {
        let scratch = Scratch::new("tombstone").await;
        let items = vec![
            page(FERRY, &first).item(0, 0),
            page("https://a.example/other", &elsewhere).item(0, 1),
            page(FERRY, &edited).item(0, 2),
            tombstone(3, FERRY),
            tombstone(4, "https://a.example/never"),
            page("https://www.a.example/ferry/", &elsewhere).item(0, 5),
            // A text that the address had before, and the one that was shown.
            page("https://b.example/copy", &first).item(0, 6),
            page("https://c.example/copy", &edited).item(0, 7),
            tombstone(8, FERRY),
            page("https://a.example/never", &elsewhere).item(0, 9),
            page("https://a.example/new", &prose(9, 6)).item(0, 10),
        ];
        let report = scratch.flush(items.clone(), together).await;
        assert_eq!((report.taken_down, report.new_articles), (7, 3));
        let seen = verdicts(&scratch).await;
        let expected = "new_article new_article new_version taken_down taken_down taken_down taken_down taken_down taken_down \
                        taken_down new_article";
        assert_eq!(seen.join(" "), expected, "together: {together}");
        assert_eq!(scratch.count("SELECT count(*) FROM articles").await, 2);
        assert_eq!(scratch.count("SELECT count(*) FROM article_version").await, 0);
        assert_eq!(
            scratch.count("SELECT count(*) FROM takedowns").await,
            2,
            "the third one changes nothing"
        );
        // What an older try stored is found, and nothing is done twice.
        let claimed = scratch.claim(0).await;
        let again = scratch.store.flush(&claimed, &batch(0, items)).await;
        assert!(again.is_err() || again.is_ok_and(|r| r.taken_down == 7));
        assert_eq!(scratch.count("SELECT count(*) FROM takedowns").await, 2);
    }
}

#[tokio::test]
async fn a_tombstone_that_is_read_again_takes_nothing_down_a_second_time() {
    let scratch = Scratch::new("tombstone_again").await;
    let body = prose(1, 6);
    let items = || vec![page(FERRY, &body).item(0, 0), tombstone(1, FERRY)];
    scratch.flush(items(), true).await;
    let lifted: i64 = scratch.count("SELECT takedown_id FROM takedowns").await;
    assert!(scratch.store.lift_takedown(lifted).await.unwrap());
    assert_eq!(scratch.count("SELECT count(*) FROM takedown_hold").await, 0);
    let back = RewindTo {
        source: source(0),
        to: Offset::new(0),
        low: Offset::new(0),
    };
    scratch.store.rewind(&[back], "test", false).await.unwrap();
    scratch.assert_law().await;
    scratch.flush(items(), true).await;
    assert_eq!(verdicts(&scratch).await, ["new_article", "taken_down"]);
    assert_eq!(
        scratch.count("SELECT count(*) FROM articles").await,
        1,
        "a person lifted it"
    );
    assert_eq!(scratch.count("SELECT count(*) FROM takedowns").await, 1);
}

#[tokio::test]
async fn an_address_takes_its_earlier_articles_along_and_no_other_page() {
    let scratch = Scratch::new("takedown_replaced").await;
    // The address was used again; two spellings are two pages; a page claims a section's address.
    let (first, second, slash, bare) = (prose(1, 6), prose(2, 6), prose(3, 6), prose(4, 6));
    let (claims, real) = (prose(5, 6), prose(6, 6));
    let section = "https://a.example/section";
    let claiming = Text {
        claims: Some(section),
        ..page("https://a.example/claims", &claims)
    };
    let texts = [
        page(FERRY, &first),
        page(FERRY, &second),
        page("https://a.example/two/", &slash),
        page("https://a.example/two", &bare),
        claiming.clone(),
    ];
    scratch.flush_texts(&texts, false).await;
    assert_eq!(scratch.count("SELECT count(*) FROM articles").await, 5);
    let take = async |url: &str| {
        let target = TakedownTarget::Address(url.to_owned());
        let done = scratch.store.take_down(&target, "asked for").await.unwrap();
        scratch.assert_law().await;
        done.removed
    };
    assert_eq!(take(FERRY).await, 2);
    assert_eq!(take("https://a.example/two/").await, 1);
    assert_eq!(take("https://a.example/claims").await, 1, "by its own address");
    let left: Vec<String> = sqlx::query_scalar("SELECT canonical_url FROM articles")
        .fetch_all(&scratch.db)
        .await
        .unwrap();
    assert_eq!(left, ["https://a.example/two"]);
    // Another page may have the address that the one that went had claimed.
    let again = [claiming, page(section, &real), page(FERRY, &first)];
    scratch.flush_texts(&again, false).await;
    assert_eq!(
        verdicts(&scratch).await[5..],
        ["taken_down", "new_article", "taken_down"]
    );
}

#[tokio::test]
async fn the_articles_topic_gets_a_tombstone_once() {
    let scratch = Scratch::new("tombstone_told").await;
    let store = scratch
        .another_store(StoreConfig {
            outputs: copydesk_store::Outputs {
                articles: true,
                ..copydesk_store::Outputs::default()
            },
            ..StoreConfig::default()
        })
        .await;
    let claimed = scratch.claim(0).await;
    let body = prose(1, 6);
    let items = vec![
        page(FERRY, &body).item(0, 0),
        tombstone(1, FERRY),
        tombstone(2, FERRY),
    ];
    store.flush(&claimed, &batch(0, items)).await.unwrap();
    scratch.assert_law().await;
    let sent: Vec<(String, Option<String>)> = sqlx::query_as(
        "SELECT payload::jsonb ->> 'verdict', payload::jsonb ->> 'body' FROM outbox ORDER BY outbox_id",
    )
    .fetch_all(&scratch.db)
    .await
    .unwrap();
    assert_eq!(
        sent,
        [("taken_down".to_owned(), None)],
        "and not of the article, which was not sent yet"
    );
}

#[tokio::test]
async fn words_for_search_are_not_made_of_an_article_that_is_removed_meanwhile() {
    let scratch = Scratch::new("takedown_words").await;
    let body = prose(1, 6);
    scratch.flush_texts(&[page(FERRY, &body)], true).await;
    assert_eq!(scratch.count("SELECT count(*) FROM article_words_due").await, 1);
    // The indexer has read the article and has not committed; then the takedown comes.
    let (mut indexing, _) = scratch.transaction().await;
    let made: i32 = sqlx::query_scalar("SELECT copydesk_index_search()")
        .fetch_one(&mut *indexing)
        .await
        .unwrap();
    assert_eq!(made, 1);
    let target = TakedownTarget::Address(FERRY.to_owned());
    let takedown = scratch.store.take_down(&target, "");
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let commit = async {
        scratch.until(waits, |n| n > 0).await;
        indexing.commit().await.unwrap();
    };
    let (done, ()) = tokio::join!(takedown, commit);
    assert_eq!(done.unwrap().removed, 1);
    assert_eq!(scratch.count("SELECT count(*) FROM article_words").await, 0);
    scratch.assert_law().await;
}
