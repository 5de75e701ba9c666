//! Ranges of articles: made ahead, dropped whole when all of them are past keeping, and row by row where younger ones are beside them.

use chrono::Utc;
use copydesk_article::ArticleId;
use copydesk_store::RetryClass;
use sqlx::Executor as _;

use crate::retire::{age, days_ago, retire, store};
use crate::support::{Scratch, Text, batch, prose};

const PARTS: [&str; 4] = ["article_text", "article_version", "evidence", "article_words"];

/// Ranges hold four articles: 4 to 7, 8 to 11, … The first number is 4.
async fn with_small_ranges(label: &str) -> Scratch {
    let scratch = Scratch::new(label).await;
    scratch.store.set_range_articles(4).await.unwrap();
    assert_eq!(scratch.store.create_ranges().await.unwrap(), 0, "they are there");
    number_from(&scratch, 4).await;
    scratch.store.create_ranges().await.unwrap();
    scratch
}

/// The next article has this number.
async fn number_from(scratch: &Scratch, next: i64) {
    let sql = format!("SELECT setval('article_id_seq', {})", next - 1);
    scratch.db.execute(sql.as_str()).await.unwrap();
}

/// One article each of so many sites, from this offset on.
async fn fill(scratch: &Scratch, from: i64, articles: i64) -> Vec<i64> {
    let mut ids = Vec::new();
    for n in from..from + articles {
        ids.push(store(scratch, n, &format!("s{n}.example"), &prose(n as u64 + 1, 6)).await);
        scratch.store.create_ranges().await.unwrap();
    }
    ids
}

/// Rows of what these articles are made of, by table.
async fn rows(scratch: &Scratch, ids: &[i64]) -> [i64; 4] {
    let mut counts = [0; 4];
    for (count, table) in counts.iter_mut().zip(PARTS) {
        let sql = format!("SELECT count(*) FROM {table} WHERE article_id = ANY ($1)");
        *count = sqlx::query_scalar(&sql)
            .bind(ids)
            .fetch_one(&scratch.db)
            .await
            .unwrap();
    }
    counts
}

/// Partitions of the first range.
const PARTITIONS: &str = "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relname ~ '^[a-z_]+_4$'";

#[tokio::test(flavor = "multi_thread")]
async fn an_old_range_goes_whole_and_at_the_border_rows_go() {
    let scratch = with_small_ranges("ranges_old").await;
    let ids = fill(&scratch, 0, 7).await;
    assert_eq!(ids, [4, 5, 6, 7, 8, 9, 10]);
    let (old, border) = ids.split_at(4);
    for id in [old, &border[..1]].concat() {
        age(&scratch, id, 100).await;
    }
    let before = days_ago(90);
    assert_eq!(
        scratch.store.mark_ranges(days_ago(101)).await.unwrap(),
        1,
        "the one without articles"
    );
    assert_eq!(scratch.store.drop_ranges().await.unwrap(), 1);
    assert_eq!(scratch.store.mark_ranges(before).await.unwrap(), 1);
    assert_eq!(retire(&scratch, before).await, 5);
    assert_eq!(rows(&scratch, old).await, [4, 0, 4, 4], "they go with the range");
    assert_eq!(
        rows(&scratch, &border[..1]).await,
        [0; 4],
        "its range has younger ones"
    );
    scratch.assert_law().await;
    assert_eq!(scratch.count(PARTITIONS).await, 4);

    assert_eq!(scratch.store.drop_ranges().await.unwrap(), 1);
    assert_eq!(scratch.count(PARTITIONS).await, 0);
    assert_eq!(rows(&scratch, old).await, [0; 4]);
    assert_eq!(rows(&scratch, &border[1..]).await, [2, 0, 2, 2]);
    assert_eq!(scratch.count("SELECT count(*) FROM retired_articles").await, 5);
    assert_eq!(scratch.count("SELECT count(*) FROM sighting").await, 7);
    scratch.assert_law().await;
    assert_eq!(scratch.store.mark_ranges(before).await.unwrap(), 0);
    // The store goes on, and the same page again is a new article.
    let again = store(&scratch, 7, "s0.example", &prose(1, 6)).await;
    assert!(again > ids[6]);
    scratch.assert_law().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_article_that_gets_a_version_meanwhile_keeps_its_range_and_nothing_else_does() {
    let scratch = with_small_ranges("ranges_version").await;
    let ids = fill(&scratch, 0, 5).await;
    for id in &ids[..4] {
        age(&scratch, *id, 100).await;
    }
    let before = days_ago(90);
    scratch.store.mark_ranges(before).await.unwrap();
    scratch
        .store
        .retire(before, ArticleId(i64::MIN), ArticleId(ids[1]), 2)
        .await
        .unwrap();
    let longer = format!(
        "{}\n\nThe ferry sailed again in the evening, the council said.",
        prose(4, 6)
    );
    let text = Text {
        url: Some("https://s3.example/a"),
        site: Some("s3.example"),
        title: Some("Harbour news"),
        body: &longer,
        ..Text::default()
    };
    let batch = batch(5, vec![text.item_at(0, 5, &Utc::now().to_rfc3339())]);
    let claimed = scratch.claim(0).await;
    scratch.store.flush(&claimed, &batch).await.unwrap();
    while scratch.store.index_search(50).await.unwrap() > 0 {}
    assert_eq!(retire(&scratch, before).await, 1);
    scratch.assert_law().await;
    scratch.store.drop_ranges().await.unwrap();
    assert_eq!(scratch.count(PARTITIONS).await, 4);
    assert_eq!(rows(&scratch, &ids[..3]).await, [0; 4]);
    assert_eq!(rows(&scratch, &ids[3..4]).await, [1, 1, 1, 1]);
    assert_eq!(
        scratch
            .count("SELECT count(*) FROM article_range WHERE dropping_since IS NOT NULL")
            .await,
        0
    );
    scratch.assert_law().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_range_a_flush_waits_and_no_article_is_refused() {
    let scratch = with_small_ranges("ranges_none").await;
    number_from(&scratch, 1 << 40).await;
    let claimed = scratch.claim(0).await;
    let body = prose(1, 6);
    let text = Text {
        url: Some("https://a.example/a"),
        site: Some("a.example"),
        title: Some("Harbour news"),
        body: &body,
        ..Text::default()
    };
    let flush = || async {
        let batch = batch(0, vec![text.item(0, 0)]);
        scratch.store.flush(&claimed, &batch).await
    };
    let error = flush().await.unwrap_err();
    assert_eq!(error.class(), RetryClass::WaitForDatabase, "{error}");
    assert!(error.to_string().contains("range of these articles"), "{error}");
    assert!(scratch.store.create_ranges().await.unwrap() > 0);
    assert_eq!(flush().await.unwrap().refused_by_database, 0);
    assert_eq!(scratch.count("SELECT count(*) FROM quarantine").await, 0);
    scratch.assert_law().await;
}
