//! Sites and languages that stop sending or change are reported; those that go on as usual are not.

use copydesk_store::UnusualSources;
use sqlx::Executor as _;

use crate::support::{Scratch, Text, batch, prose, refused};

/// So many articles of a site on each of these days, each of so many words.
async fn articles(scratch: &Scratch, site: &str, days: std::ops::Range<i32>, a_day: i32, words: i32) {
    let sql = format!(
        "INSERT INTO article
         SELECT (jsonb_populate_record(NULL::article, to_jsonb(a) || jsonb_build_object(
                    'article_id', nextval('article_id_seq'), 'site', '{site}', 'language', 'fi', 'word_count', {words},
                    'ingested_at', now() - make_interval(days => day, hours => 12)))).*
         FROM (SELECT * FROM article ORDER BY article_id LIMIT 1) a, generate_series({}, {}) day, generate_series(1, {a_day})",
        days.start,
        days.end - 1
    );
    scratch.db.execute(sql.as_str()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_changes_is_reported() {
    let scratch = Scratch::new("sources").await;
    let claimed = scratch.claim(0).await;
    let body = prose(1, 4);
    let first = Text::of_site("first.example", "Harbour news", &body).item(0, 0);
    scratch
        .store
        .flush(&claimed, &batch(0, vec![first]))
        .await
        .unwrap();
    articles(&scratch, "steady.example", 0..14, 6, 300).await;
    articles(&scratch, "silent.example", 1..14, 6, 300).await;
    articles(&scratch, "short.example", 1..14, 6, 300).await;
    articles(&scratch, "short.example", 0..1, 6, 40).await;
    articles(&scratch, "refused.example", 0..14, 6, 300).await;
    // Loaded once, and never a site of every day; and one that pauses on this day of the week.
    articles(&scratch, "bulk.example", 3..4, 500, 300).await;
    articles(&scratch, "weekly.example", 1..7, 6, 300).await;
    articles(&scratch, "weekly.example", 8..14, 6, 300).await;
    let items = (1..=8).map(|offset| {
        let mut item = refused(0, offset);
        item.message.key = Some(b"refused.example".to_vec());
        item
    });
    scratch
        .store
        .flush(&claimed, &batch(1, items.collect()))
        .await
        .unwrap();
    let reported: Vec<(String, bool, bool, bool)> = sqlx::query_as(
        "SELECT name, is_silent, has_other_length, is_refused FROM source_health
         WHERE is_silent OR has_other_length OR is_refused ORDER BY name",
    )
    .fetch_all(&scratch.db)
    .await
    .unwrap();
    let row = |name: &str, silent, length, refused| (name.to_owned(), silent, length, refused);
    assert_eq!(
        reported,
        [
            row("refused.example", false, false, true),
            row("short.example", false, true, false),
            row("silent.example", true, false, false),
        ]
    );
    let count = |of, what, sources| UnusualSources { of, what, sources };
    assert_eq!(
        scratch.store.unusual_sources().await.unwrap(),
        [
            count("site", "silent", 1),
            count("site", "length", 1),
            count("site", "refusals", 1),
            count("language", "silent", 0),
            count("language", "length", 0),
            count("language", "refusals", 0),
        ]
    );
    // No article at all: the language falls silent as well.
    let all = "DELETE FROM article WHERE ingested_at > now() - interval '1 day'";
    scratch.db.execute(all).await.unwrap();
    let unusual = scratch.store.unusual_sources().await.unwrap();
    assert!(unusual.contains(&count("language", "silent", 1)), "{unusual:?}");
}
