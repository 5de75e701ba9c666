//! Search by words: in each article's language, after every change of its text, and past any text that Postgres will not take.

use copydesk_store::{Found, SearchQuery};
use sqlx::Executor as _;

use crate::support::{Scratch, Text, batch, prose};

/// Makes everything searchable that is due.
pub(crate) async fn catch_up(scratch: &Scratch) {
    while scratch.store.index_search(50).await.unwrap() > 0 {}
    assert_eq!(scratch.store.search_status().await.unwrap().due, 0);
}

pub(crate) async fn find(scratch: &Scratch, words: &str) -> Vec<Found> {
    scratch
        .store
        .search(&SearchQuery {
            words: words.into(),
            most: 50,
            ..SearchQuery::default()
        })
        .await
        .unwrap()
}

pub(crate) async fn titles(scratch: &Scratch, words: &str) -> Vec<String> {
    find(scratch, words)
        .await
        .into_iter()
        .map(|f| f.title.unwrap_or_default())
        .collect()
}

/// Articles of a title, a language and a body, each at an address of its own.
pub(crate) async fn store(scratch: &Scratch, articles: &[(&str, &str, &str)]) {
    let claimed = scratch.claim(0).await;
    let sites: Vec<String> = (0..articles.len()).map(|n| format!("site{n}.example")).collect();
    let urls: Vec<String> = sites.iter().map(|site| format!("https://{site}/0")).collect();
    let items = articles
        .iter()
        .zip(urls.iter().zip(&sites))
        .zip(0..)
        .map(|(((title, language, body), (url, site)), offset)| {
            Text {
                url: Some(url),
                site: Some(site),
                title: Some(title),
                language: Some(language),
                body,
                ..Text::default()
            }
            .item(0, offset)
        })
        .collect();
    let report = scratch.store.flush(&claimed, &batch(0, items)).await.unwrap();
    assert_eq!(report.quarantined + report.refused_by_database, 0);
    catch_up(scratch).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn words_are_read_in_the_articles_own_language_and_titles_count_more() {
    let scratch = Scratch::new("search_language").await;
    let filler = prose(1, 3);
    store(
        &scratch,
        &[
            (
                "Nothing of note",
                "en",
                &format!("{filler} One of the zeppelins was seen."),
            ),
            ("A zeppelin over the fjord", "en", &prose(2, 3)),
            (
                "Die Häuser am Kanal",
                "de",
                "Viele alte Häuser am Kanal wurden verkauft, sagte der Makler gestern.",
            ),
            (
                "Mówi minister",
                "pl",
                "Minister mówi o kolejach i o budowie nowego dworca w mieście.",
            ),
        ],
    )
    .await;
    // The stem, whatever the ending; the title before the body.
    assert_eq!(
        titles(&scratch, "zeppelins").await,
        ["A zeppelin over the fjord", "Nothing of note"]
    );
    assert_eq!(titles(&scratch, "Haus").await, ["Die Häuser am Kanal"]);
    // No stemmer for Polish: the word as it stands and no other.
    assert_eq!(titles(&scratch, "kolejach").await, ["Mówi minister"]);
    assert!(titles(&scratch, "kolej").await.is_empty());
    // "die" is no word to look for in German, and is one in English.
    assert!(titles(&scratch, "die").await.is_empty());
    // Operators, and what no parser should choke on.
    assert_eq!(titles(&scratch, "zeppelin -fjord").await, ["Nothing of note"]);
    assert_eq!(
        titles(&scratch, "\"over the fjord\"").await,
        ["A zeppelin over the fjord"]
    );
    for odd in [
        "",
        "the",
        "-zeppelin",
        "& | ! ((( :* <-> \"",
        "\0zep\0pelin",
        &"x ".repeat(9_000),
    ] {
        assert!(find(&scratch, odd).await.is_empty(), "{odd:?}");
    }
    let in_german = SearchQuery {
        words: "Kanal".into(),
        language: Some("de".into()),
        site: Some("site2.example".into()),
        most: 5,
        ..SearchQuery::default()
    };
    assert_eq!(scratch.store.search(&in_german).await.unwrap().len(), 1);
    let elsewhere = SearchQuery {
        site: Some("other.example".into()),
        ..in_german
    };
    assert!(scratch.store.search(&elsewhere).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_without_spaces_are_searched_by_runs_of_characters() {
    let scratch = Scratch::new("search_unspaced").await;
    store(
        &scratch,
        &[
            ("港", "ja", "新しい港が東京都に開いた。人々は喜んだ。"),
            ("港口", "zh", "新港口昨天在城市东部开放,市长出席了仪式。"),
            ("ข่าว", "th", "กรุงเทพมหานครเปิดท่าเรือใหม่วันนี้"),
            ("서울", "ko", "서울에 새로운 도서관이 문을 열었다."),
        ],
    )
    .await;
    assert_eq!(titles(&scratch, "東京").await, ["港"]);
    assert!(titles(&scratch, "京東").await.is_empty(), "the order counts");
    assert_eq!(titles(&scratch, "市长 仪式").await, ["港口"]);
    assert_eq!(titles(&scratch, "ท่าเรือ").await, ["ข่าว"]);
    // Korean has spaces, and no stemmer: a word with another ending is another word.
    assert_eq!(titles(&scratch, "도서관이").await, ["서울"]);
    assert!(titles(&scratch, "도서관").await.is_empty());
    let snippet = find(&scratch, "東京都").await.remove(0).snippet;
    assert!(snippet.contains("⟦東京都⟧"), "{snippet}");
    assert!(!snippet.contains("東 京"), "{snippet}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snippet_cannot_carry_marks_or_markup_of_its_own() {
    let scratch = Scratch::new("search_snippet").await;
    store(
        &scratch,
        &[(
            "Zeppelin",
            "en",
            "The ⟦evil⟧ zeppelin & <script>alert('x')</script> < 3 <img src=x onerror=alert(1)> \"flew\" over the bay.",
        )],
    )
    .await;
    let snippet = find(&scratch, "zeppelin").await.remove(0).snippet;
    assert!(snippet.contains("evil ⟦zeppelin⟧"), "{snippet}");
    assert_eq!(snippet.matches('⟦').count(), 1, "{snippet}");
    let html: String =
        sqlx::query_scalar("SELECT copydesk_snippet_html(snippet) FROM search_articles('zeppelin')")
            .fetch_one(&scratch.db)
            .await
            .unwrap();
    assert!(html.contains("<mark>zeppelin</mark> &amp;"), "{html}");
    let without = html.replace("<mark>", "").replace("</mark>", "");
    assert!(!without.contains(['<', '>', '"']), "{html}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_words_follow_new_versions_and_later_edits() {
    let scratch = Scratch::new("search_versions").await;
    let first = format!("{} The zeppelin landed.", prose(4, 4));
    store(&scratch, &[("One", "en", &first)]).await;
    assert_eq!(titles(&scratch, "zeppelin").await.len(), 1);
    let claimed = scratch.claim(0).await;
    let second = format!("{} The submarine dived.", prose(4, 4));
    let item = Text {
        url: Some("https://site0.example/0"),
        site: Some("site0.example"),
        title: Some("One"),
        language: Some("en"),
        body: &second,
        ..Text::default()
    }
    .item(0, 1);
    let report = scratch
        .store
        .flush(&claimed, &batch(1, vec![item]))
        .await
        .unwrap();
    assert_eq!(report.new_versions, 1);
    catch_up(&scratch).await;
    assert!(
        titles(&scratch, "zeppelin").await.is_empty(),
        "the old version is not searched"
    );
    assert_eq!(titles(&scratch, "submarine").await.len(), 1);
    // What the janitor or a person does to a body.
    scratch
        .db
        .execute("UPDATE article_text SET body = 'A balloon rose.'")
        .await
        .unwrap();
    catch_up(&scratch).await;
    assert!(titles(&scratch, "submarine").await.is_empty());
    assert_eq!(titles(&scratch, "balloons").await.len(), 1);
    scratch
        .db
        .execute("UPDATE article SET language = 'fi'")
        .await
        .unwrap();
    catch_up(&scratch).await;
    assert!(
        titles(&scratch, "balloons").await.is_empty(),
        "no English any more"
    );
    // A change that leaves the text alone is no work.
    scratch
        .db
        .execute("UPDATE article SET word_count = 3; UPDATE membership SET story_id = story_id")
        .await
        .unwrap();
    assert_eq!(scratch.store.index_search(10).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_story_the_best_article_is_shown_or_all() {
    let scratch = Scratch::new("search_copies").await;
    let body = format!("{} The zeppelin landed.", prose(9, 6));
    store(
        &scratch,
        &[
            ("Here", "en", &body),
            ("A zeppelin", "en", &body),
            ("There", "en", &body),
        ],
    )
    .await;
    assert_eq!(titles(&scratch, "zeppelin").await, ["A zeppelin"]);
    let all = SearchQuery {
        words: "zeppelin".into(),
        most: 5,
        every_copy: true,
        ..SearchQuery::default()
    };
    assert_eq!(scratch.store.search(&all).await.unwrap().len(), 3);
}
