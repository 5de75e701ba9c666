//! Raw input: what new rules make of a message that was kept is a version with that cause, no message, and gone with its article.

use copydesk_article::{ArticleId, Message};
use copydesk_store::{CleanedAgain, Item, Prepared, TakedownTarget};

use crate::support::{NOON, Scratch, Text, message, prose};

const FERRY: &str = "https://a.example/ferry";

fn page(url: &'static str, body: &str) -> Prepared {
    Text {
        url: Some(url),
        site: Some("a.example"),
        body,
        ..Text::default()
    }
    .prepare()
}

fn kept(message: &Message, prepared: Prepared) -> Item {
    Item {
        message: message.clone(),
        outcome: Ok(prepared.keeping(message).into()),
    }
}

#[tokio::test]
async fn what_new_rules_make_of_a_kept_message_is_a_version_with_that_cause() {
    let scratch = Scratch::new("raw_input").await;
    let body = prose(1, 6);
    let shorter = prose(1, 5);
    let (first, second) = (message(0, 0, NOON), message(0, 1, NOON));
    let items = vec![
        kept(&first, page(FERRY, &body)),
        kept(&second, page("https://a.example/other", &prose(2, 6))),
    ];
    scratch.flush(items, true).await;
    let store = &scratch.store;
    assert!(
        store
            .raw_inputs("test", None, ArticleId(0), 10)
            .await
            .unwrap()
            .is_empty(),
        "cleaned with these rules"
    );
    assert!(
        store
            .raw_inputs("newer", Some("b.example"), ArticleId(0), 10)
            .await
            .unwrap()
            .is_empty()
    );
    let inputs = store
        .raw_inputs("newer", Some("a.example"), ArticleId(0), 10)
        .await
        .unwrap();
    let messages: Vec<&Message> = inputs.iter().map(|(_, m)| m).collect();
    assert_eq!(messages, [&first, &second]);

    let (article, input) = &inputs[0];
    let changed = store
        .clean_by_rules(*article, input, &page(FERRY, &shorter))
        .await
        .unwrap();
    assert_eq!(changed, CleanedAgain::Changed);
    let again = store
        .clean_by_rules(*article, input, &page(FERRY, &shorter))
        .await
        .unwrap();
    assert_eq!(again, CleanedAgain::Unchanged, "the same again changes nothing");
    // Another address, and another text altogether: the article stays as it is.
    for other in [
        page("https://a.example/elsewhere", &shorter),
        page(FERRY, &prose(9, 6)),
    ] {
        let outcome = store.clean_by_rules(*article, input, &other).await.unwrap();
        assert_eq!(outcome, CleanedAgain::Another);
    }
    scratch.assert_law().await;
    let versions: Vec<(i32, bool, Option<String>)> = sqlx::query_as(
        "SELECT version, latest, cause FROM article_versions WHERE article_id = $1 ORDER BY 1",
    )
    .bind(article.0)
    .fetch_all(&scratch.db)
    .await
    .unwrap();
    assert_eq!(versions, [(1, false, None), (2, true, Some("rules".to_owned()))]);
    assert_eq!(
        scratch.count("SELECT count(*) FROM sighting").await,
        2,
        "no message came"
    );
    assert_eq!(scratch.count("SELECT count(*) FROM articles").await, 2);
    // It goes with its article, and by age.
    let target = TakedownTarget::Address(FERRY.to_owned());
    scratch.store.take_down(&target, "").await.unwrap();
    assert_eq!(scratch.count("SELECT count(*) FROM raw_input").await, 1);
    assert_eq!(store.drop_raw_input(chrono::Utc::now()).await.unwrap(), 1);
    scratch.assert_law().await;
}
