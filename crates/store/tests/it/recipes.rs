//! A new recipe of fingerprints, and the list of common shingles, on a store that has articles.

use copydesk_article::ArticleId;
use copydesk_testkit::ArticleGenerator;

use crate::stories::{store_texts, stories};
use crate::support::{Scratch, prose};

#[tokio::test]
async fn fingerprints_of_an_older_recipe_are_made_again() {
    let scratch = Scratch::new("recipe").await;
    let texts: Vec<String> = (0..7).map(|n| prose(30 + n, 5)).collect();
    let named: Vec<(&str, &str)> = texts.iter().map(|t| ("a.example", t.as_str())).collect();
    let ids = store_texts(&scratch, &named).await;
    let keys = "SELECT count(*) FROM near_key";
    let evidence = "SELECT evidence FROM evidence ORDER BY article_id";
    let (key_count, before): (i64, Vec<Vec<u8>>) = (
        scratch.count(keys).await,
        sqlx::query_scalar(evidence).fetch_all(&scratch.db).await.unwrap(),
    );
    // As if another program had stored them.
    for change in [
        "UPDATE evidence SET fingerprint_version = 0, evidence = '\\x00'",
        "UPDATE article SET fingerprint_version = 0",
        "DELETE FROM near_key",
    ] {
        sqlx::query(change).execute(&scratch.db).await.unwrap();
    }
    // A copy comes in the middle of it: it does not see its original yet.
    let copy = store_texts(&scratch, &[("b.example", &texts[4])]).await[0];
    assert_ne!(
        stories(&scratch, &[copy]).await,
        stories(&scratch, &[ids[4]]).await
    );
    assert_eq!(scratch.store.outdated_fingerprints().await.unwrap(), 7);
    let mut after = ArticleId(i64::MIN);
    let mut articles = 0;
    while let Some(step) = scratch.store.refingerprint(after, 3).await.unwrap() {
        after = step.after;
        articles += step.articles;
    }
    assert_eq!(
        (articles, scratch.store.outdated_fingerprints().await.unwrap()),
        (7, 0)
    );
    let again: Vec<Vec<u8>> = sqlx::query_scalar(evidence).fetch_all(&scratch.db).await.unwrap();
    assert_eq!(again[..7], before, "the evidence is what it was");
    assert_eq!(scratch.count(keys).await, key_count);
    // The original found the copy's keys, and the janitor joins the two.
    assert_eq!(scratch.store.merge_late(100).await.unwrap().1, 1);
    assert_eq!(
        stories(&scratch, &[copy]).await,
        stories(&scratch, &[ids[4]]).await
    );
    let next = store_texts(&scratch, &[("c.example", &texts[2])]).await[0];
    assert_eq!(
        stories(&scratch, &[next]).await,
        [ids[2]],
        "new articles find the old ones"
    );
    scratch.assert_law().await;
}

#[tokio::test]
async fn the_list_of_common_shingles_is_built_switched_and_recorded() {
    let scratch = Scratch::new("common").await;
    let phrase = prose(50, 1);
    let texts: Vec<String> = (0..6)
        .map(|n| format!("{}\n\n{phrase}", ArticleGenerator::new(60 + n).babble(12)))
        .collect();
    let sites = [
        "a.example",
        "b.example",
        "c.example",
        "d.example",
        "e.example",
        "f.example",
    ];
    let named: Vec<(&str, &str)> = sites
        .iter()
        .copied()
        .zip(texts.iter().map(String::as_str))
        .collect();
    store_texts(&scratch, &named).await;
    let list = scratch.store.build_common_list(1_000).await.unwrap();
    assert_eq!((list.version, list.articles), (1, 6));
    assert!(list.shingles > 20, "the phrase is in six stories: {list:?}");
    assert!(scratch.store.use_common_list(9).await.is_err());
    scratch.store.use_common_list(1).await.unwrap();
    let with = store_texts(&scratch, &[("g.example", &texts[0])]).await[0];
    scratch.store.use_common_list(0).await.unwrap();
    let without = store_texts(&scratch, &[("h.example", &texts[0])]).await[0];
    let used: Vec<Option<i32>> = sqlx::query_scalar(
        "SELECT common_version FROM membership WHERE article_id = ANY ($1) ORDER BY article_id",
    )
    .bind(vec![with, without])
    .fetch_all(&scratch.db)
    .await
    .unwrap();
    assert_eq!(used, [Some(1), None]);
    assert!(
        scratch
            .store
            .explain(ArticleId(with))
            .await
            .unwrap()
            .unwrap()
            .same
    );
    scratch.assert_law().await;
}
