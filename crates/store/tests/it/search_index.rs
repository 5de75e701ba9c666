//! How articles become searchable: texts that Postgres does not take, search switched off, two sessions at
//! once, configurations.

use sqlx::Executor as _;

use crate::search::{catch_up, store, titles};
use crate::support::{Scratch, Text, batch};

/// Texts that come near the limits of tsvector: 1 MB in all, 2 KB a word, 16,383 places, 256 places a word.
fn nasty() -> Vec<(&'static str, String)> {
    let letters: Vec<char> = ('\u{4e00}'..='\u{9fff}')
        .chain('\u{ac00}'..='\u{d7a3}')
        .chain('\u{20000}'..='\u{2a6d6}')
        .collect();
    let hangul = |n: usize| letters[21_000 + n % 11_000];
    vec![
        ("every word another", {
            (0..60_000).map(|n| format!("w{n:x} ")).collect()
        }),
        ("short words of long letters", {
            letters.iter().flat_map(|c| [*c, ' ']).collect()
        }),
        ("two-letter words of three bytes each", {
            (0..160_000)
                .flat_map(|n| [hangul(n), hangul(n / 7 + n), ' '])
                .collect()
        }),
        ("compounds of compounds", {
            (0..70_000)
                .flat_map(|n| [hangul(n), hangul(n * 3 + 1), if n % 90 == 89 { ' ' } else { '-' }])
                .collect()
        }),
        ("addresses", {
            (0..9_000)
                .map(|n| format!("https://a{n}.example/{n}/b?c={n}&d=e{n} u{n}@v{n}.example "))
                .collect()
        }),
        ("paths", {
            (0..30_000)
                .map(|n| format!("/{}/{} ", hangul(n), hangul(n * 5 + 3)))
                .collect()
        }),
        ("one word", "x".repeat(500_000)),
        ("words of 3 KB", {
            (0..300)
                .map(|n| format!("{} ", char::from(b'a' + (n % 26) as u8).to_string().repeat(3_000)))
                .collect()
        }),
        ("the same word", "zeppelin ".repeat(100_000)),
        ("numbers", {
            (0..80_000).map(|n| format!("-{n}.{n}e{} ", n % 300)).collect()
        }),
        ("dotted", "İx ".repeat(60_000)),
        ("no word at all", "\u{200d}\u{fe0f}. ".repeat(50_000)),
        ("markup", "<<a href='".repeat(40_000)),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn no_text_is_beyond_the_limits_of_postgres() {
    let scratch = Scratch::new("search_limits").await;
    let long_title = "Zeppelin ".repeat(20_000);
    store(
        &scratch,
        &[(&long_title, "en", "Short."), ("one", "en", &nasty().remove(7).1)],
    )
    .await;
    // The rest by SQL: fingerprints of megabytes take their time in a debug build, and the words come from
    // the table.
    for (name, text) in nasty() {
        for language in ["en", "zz"] {
            sqlx::query(
                "WITH written AS (
                     INSERT INTO article_text (article_id, blocks, body) SELECT nextval('article_id_seq'), '[]', $3 RETURNING article_id
                 ), placed AS (
                     INSERT INTO membership (article_id, story_id, relation) SELECT n, n, 'original' FROM written w (n)
                 )
                 INSERT INTO article (article_id, ingested_at, version_at, version, word_count, fingerprint_version,
                                      identity, body_hash, raw_hash, rules_version, title, language)
                 SELECT n, now(), now(), 1, 1, 1, '', '', '', '', $1, $2 FROM written w (n)",
            )
            .bind(name)
            .bind(language)
            .bind(&text)
            .execute(&scratch.db)
            .await
            .unwrap();
        }
    }
    catch_up(&scratch).await;
    let empty: Vec<String> = sqlx::query_scalar(
        "SELECT DISTINCT left(a.title, 40) FROM article_words w JOIN article a USING (article_id)
         WHERE w.words = setweight(to_tsvector(w.config::regconfig, left(a.title, 5000)), 'A') OR w.words = '' ORDER BY 1",
    )
    .fetch_all(&scratch.db)
    .await
    .unwrap();
    assert_eq!(
        empty,
        ["no word at all", "one", "one word", "words of 3 KB"],
        "the limit on characters keeps every text within Postgres' own"
    );
    let largest: i32 = sqlx::query_scalar("SELECT max(length(words::text)) FROM article_words")
        .fetch_one(&scratch.db)
        .await
        .unwrap();
    assert!(largest > 300_000, "the texts are not nasty enough: {largest}");
    assert_eq!(
        scratch.count("SELECT count(*) FROM article_words").await,
        scratch.count("SELECT count(*) FROM article").await
    );
    assert_eq!(
        titles(&scratch, "zeppelin").await.len(),
        3,
        "the long title and twice the same word"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_postgres_refuses_stands_back_alone() {
    let scratch = Scratch::new("search_refused").await;
    // What no text does today, a later Postgres or another stemmer may.
    scratch
        .db
        .execute(
            "CREATE OR REPLACE FUNCTION copydesk_words(config text, title text, dek text, body text) RETURNS tsvector
             LANGUAGE plpgsql STABLE AS $$ BEGIN
                 IF title = 'poison' THEN RAISE program_limit_exceeded USING MESSAGE = 'too long'; END IF;
                 RETURN to_tsvector(config::regconfig, body);
             END $$",
        )
        .await
        .unwrap();
    store(
        &scratch,
        &[
            ("a", "en", "One zeppelin."),
            ("poison", "en", "Two zeppelins."),
            ("b", "en", "Three zeppelins in the evening."),
        ],
    )
    .await;
    let mut found = titles(&scratch, "zeppelin").await;
    found.sort();
    assert_eq!(found, ["a", "b"]);
    assert_eq!(
        scratch
            .count("SELECT count(*) FROM article_words WHERE words = ''")
            .await,
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn switched_off_there_are_no_words_and_no_work() {
    let scratch = Scratch::new("search_off").await;
    store(&scratch, &[("a", "en", "One zeppelin.")]).await;
    scratch.store.switch_search(false).await.unwrap();
    assert_eq!(scratch.count("SELECT count(*) FROM article_words").await, 0);
    assert!(!scratch.store.search_status().await.unwrap().on);
    let claimed = scratch.claim(0).await;
    let item = Text {
        title: Some("b"),
        language: Some("en"),
        body: "Two zeppelins in the evening.",
        ..Text::default()
    }
    .item(0, 1);
    scratch
        .store
        .flush(&claimed, &batch(1, vec![item]))
        .await
        .unwrap();
    assert_eq!(scratch.count("SELECT count(*) FROM article_words_due").await, 0);
    assert_eq!(scratch.store.index_search(10).await.unwrap(), 0);
    scratch.store.switch_search(true).await.unwrap();
    catch_up(&scratch).await;
    assert_eq!(titles(&scratch, "zeppelin").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_sessions_never_write_the_words_of_one_article_in_the_wrong_order() {
    let scratch = Scratch::new("search_two").await;
    store(&scratch, &[("a", "en", "One zeppelin.")]).await;
    scratch
        .db
        .execute("UPDATE article_text SET body = 'One balloon.'")
        .await
        .unwrap();
    // The first session has read the balloon and not committed yet when the text changes again.
    let mut first = scratch.db.begin().await.unwrap();
    let taken: i32 = sqlx::query_scalar("SELECT copydesk_index_search(10)")
        .fetch_one(&mut *first)
        .await
        .unwrap();
    assert_eq!(taken, 1);
    scratch
        .db
        .execute("UPDATE article_text SET body = 'One submarine.'")
        .await
        .unwrap();
    assert_eq!(
        scratch.store.index_search(10).await.unwrap(),
        0,
        "the second stands back"
    );
    first.commit().await.unwrap();
    catch_up(&scratch).await;
    assert_eq!(titles(&scratch, "submarine").await.len(), 1);
    assert!(titles(&scratch, "balloon").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_configuration_of_the_mapping_is_there() {
    let scratch = Scratch::new("search_configs").await;
    let languages: Vec<String> = sqlx::query_scalar(
        "SELECT l FROM unnest(string_to_array('ar hy eu ca da nl en fi fr de el hi hu id ga it lt ne no pt ro ru sr es sv ta tr yi zh', ' ')) l
         WHERE to_tsvector(copydesk_search_config(l)::regconfig, 'zeppelin') IS NOT NULL",
    )
    .fetch_all(&scratch.db)
    .await
    .unwrap();
    assert_eq!(languages.len(), 29);
    // Those of the mapping are those that Postgres has; a newer one may have more.
    for language in &languages {
        let sql =
            format!("SELECT count(*) FROM pg_ts_config WHERE cfgname = copydesk_search_config('{language}')");
        let known: i64 = sqlx::query_scalar(&sql).fetch_one(&scratch.db).await.unwrap();
        assert_eq!(known, 1, "{language}");
    }
}
