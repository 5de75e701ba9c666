//! Retention by age: what is old goes, what is left is whole, and every offset is still accounted for.

use chrono::{DateTime, Utc};
use copydesk_article::{ArticleId, StoryId};
use copydesk_store::{Retirable, StoreError};
use sqlx::Executor as _;

use crate::support::{NOON, Scratch, Text, batch, prose};

/// An article of a site, offset 0 and on; answers with its number.
pub(crate) async fn store(scratch: &Scratch, offset: i64, site: &str, body: &str) -> i64 {
    let claimed = scratch.claim(0).await;
    let url = format!("https://{site}/a");
    let text = Text {
        url: Some(&url),
        site: Some(site),
        title: Some("Harbour news"),
        language: Some("en"),
        body,
        ..Text::default()
    };
    scratch
        .store
        .flush(&claimed, &batch(offset, vec![text.item(0, offset)]))
        .await
        .unwrap();
    while scratch.store.index_search(50).await.unwrap() > 0 {}
    sqlx::query_scalar("SELECT article_id FROM sighting WHERE \"offset\" = $1")
        .bind(offset)
        .fetch_one(&scratch.db)
        .await
        .unwrap()
}

/// Makes an article this many days old.
pub(crate) async fn age(scratch: &Scratch, article: i64, days: i64) {
    let sql = format!(
        "UPDATE article SET ingested_at = now() - interval '{days} days', version_at = now() - interval '{days} days',
                            message_time = now() - interval '{days} days' WHERE article_id = {article}"
    );
    scratch.db.execute(sql.as_str()).await.unwrap();
    let story = "UPDATE story s SET first_seen = c.first_seen, last_seen = c.last_seen, canonical_article = c.canonical_article,
                     canonical_at = c.canonical_at, title = c.title, site = c.site, url = c.url, canonical_words = c.canonical_words
                 FROM story_counted c WHERE c.story_id = s.story_id";
    scratch.db.execute(story).await.unwrap();
}

pub(crate) fn days_ago(days: i64) -> DateTime<Utc> {
    Utc::now() - chrono::TimeDelta::days(days)
}

/// All that is old, some at a time.
pub(crate) async fn retire(scratch: &Scratch, before: DateTime<Utc>) -> u64 {
    let Some(last) = scratch.store.last_before(before).await.unwrap() else {
        return 0;
    };
    let (mut after, mut all) = (ArticleId(i64::MIN), 0);
    while let Some((end, some)) = scratch.store.retire(before, after, last, 2).await.unwrap() {
        assert!(some <= 2);
        after = end;
        all += some;
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn the_old_goes_and_what_is_left_of_its_story_is_whole() {
    let scratch = Scratch::new("retire").await;
    let (a, b) = (prose(1, 8), prose(2, 8));
    let original = store(&scratch, 0, "a.example", &a).await;
    let copy = store(&scratch, 1, "b.example", &a).await;
    let later = store(&scratch, 2, "c.example", &a).await;
    let alone = store(&scratch, 3, "d.example", &b).await;
    // A second version of an old article keeps it; its first one is old only by itself.
    store(
        &scratch,
        4,
        "d.example",
        &format!("{b}\n\nThe ferry sailed again in the evening, the council said."),
    )
    .await;
    for (id, days) in [(original, 100), (copy, 95), (later, 10), (alone, 100)] {
        age(&scratch, id, days).await;
    }
    scratch
        .db
        .execute(format!("UPDATE article SET version_at = now() WHERE article_id = {alone}").as_str())
        .await
        .unwrap();
    let counted = scratch.store.retirable(days_ago(90)).await.unwrap();
    assert_eq!(
        counted,
        Retirable {
            articles: 2,
            versions: 0,
            stories: 0
        }
    );
    assert_eq!(
        scratch.count("SELECT count(*) FROM article").await,
        4,
        "counted, not dropped"
    );
    assert_eq!(retire(&scratch, days_ago(90)).await, 2);
    let left: Vec<i64> = sqlx::query_scalar("SELECT article_id FROM articles ORDER BY 1")
        .fetch_all(&scratch.db)
        .await
        .unwrap();
    assert_eq!(left, [later, alone]);
    // The story keeps its name, and the article that is left is its canonical one.
    let story = scratch.store.story(later).await.unwrap().unwrap();
    assert_eq!((story.story_id.0, story.canonical_article.0), (original, later));
    let found: (i64, i64) =
        sqlx::query_as("SELECT canonical_article, articles FROM stories WHERE story_id = $1")
            .bind(original)
            .fetch_one(&scratch.db)
            .await
            .unwrap();
    assert_eq!(found, (later, 1));
    assert!(
        scratch.store.explain(ArticleId(later)).await.unwrap().is_some(),
        "its link can still be shown"
    );
    let gone: Vec<i64> = sqlx::query_scalar("SELECT article_id FROM retired_articles ORDER BY 1")
        .fetch_all(&scratch.db)
        .await
        .unwrap();
    assert_eq!(gone, [original, copy]);
    for table in [
        "article",
        "membership",
        "article_version",
        "article_identity",
        "evidence",
        "article_words",
    ] {
        let sql = format!("SELECT count(*) FROM {table} WHERE article_id IN ({original}, {copy})");
        let rows: i64 = sqlx::query_scalar(&sql).fetch_one(&scratch.db).await.unwrap();
        assert_eq!(rows, 0, "{table}");
    }
    // The ledger is whole: five messages, five sightings.
    assert_eq!(scratch.count("SELECT count(*) FROM sighting").await, 5);
    scratch.assert_law().await;
    assert_eq!(retire(&scratch, days_ago(90)).await, 0, "nothing is left to do");

    // The same page again is a new article, and the store goes on.
    let again = store(&scratch, 5, "a.example", &b).await;
    assert!(again > alone);
    scratch
        .store
        .merge_stories(StoryId(alone), StoryId(original), "a story whose founder is gone")
        .await
        .unwrap();
    scratch.assert_law().await;

    assert_eq!(retire(&scratch, days_ago(-1)).await, 3);
    assert_eq!(scratch.count("SELECT count(*) FROM article_version").await, 0);
    scratch.assert_law().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_knows_a_dropped_article_from_a_lost_one() {
    let scratch = Scratch::new("retire_lost").await;
    let one = store(&scratch, 0, "a.example", &prose(1, 5)).await;
    age(&scratch, one, 100).await;
    assert_eq!(retire(&scratch, days_ago(90)).await, 1);
    scratch.assert_law().await;
    scratch.db.execute("DELETE FROM retired_article").await.unwrap();
    let report = scratch.store.audit().await.unwrap();
    let said: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
    assert!(
        said.iter().any(|s| s.contains("sightings are of articles")),
        "{said:?}"
    );
    assert!(said.iter().any(|s| s.contains("keys belong")), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_within_the_windows_is_refused() {
    let scratch = Scratch::new("retire_limit").await;
    let error = scratch.store.check_retention(59).await.unwrap_err();
    assert!(
        matches!(&error, StoreError::NotPossible(why) if why.contains("60 or more")),
        "{error}"
    );
    scratch.store.check_retention(60).await.unwrap();
}

/// A new version that comes while its article is being dropped: either the article stays with both, or the message
/// founds a new article. It is never left without an identity.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_version_and_the_end_of_its_article_do_not_lose_each_other() {
    let scratch = Scratch::new("retire_race").await;
    let base = prose(3, 8);
    for round in 0..20_i64 {
        let first = store(&scratch, round * 2, "a.example", &base).await;
        age(&scratch, first, 100).await;
        let claimed = scratch.claim(0).await;
        let body = format!("{base}\n\nVersion {round} of this page came late in the day, said Ada Pell.");
        let text = Text {
            url: Some("https://a.example/a"),
            site: Some("a.example"),
            title: Some("Harbour news"),
            body: &body,
            ..Text::default()
        };
        let item = text.item_at(0, round * 2 + 1, NOON);
        let batch = batch(round * 2 + 1, vec![item]);
        let before = days_ago(90);
        let (flushed, retired) = tokio::join!(
            scratch.store.flush(&claimed, &batch),
            scratch
                .store
                .retire(before, ArticleId(i64::MIN), ArticleId(i64::MAX), 10)
        );
        flushed.unwrap();
        retired.unwrap();
        let without = scratch
            .count(
                "SELECT count(*) FROM article a WHERE NOT EXISTS
                     (SELECT FROM article_identity i WHERE i.article_id = a.article_id AND i.identity = a.identity)",
            )
            .await;
        assert_eq!(without, 0, "round {round}");
        scratch.assert_law().await;
    }
}
