//! Spellings of one address are one article; a canonical address that different pages claim names none of them.

use crate::support::{Scratch, Text, prose};

/// A page of a template: two like it share most of their words.
fn weather(place: &str, degrees: u32) -> String {
    format!(
        "The weather in {place} on Friday will be mostly cloudy with some sunny spells during the afternoon and a light breeze.\n\n\
         Temperatures reach {degrees} degrees during the day and fall at night, the weather service said in its forecast for {place}.\n\n\
         The chance of rain is {} percent and gusts are expected along the coast in the evening.",
        degrees * 2
    )
}

async fn addresses(scratch: &Scratch) -> Vec<(String, i32)> {
    sqlx::query_as("SELECT canonical_url, version FROM articles ORDER BY article_id")
        .fetch_all(&scratch.db)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_canonical_address_that_different_pages_claim_names_none_of_them() {
    for together in [false, true] {
        let scratch = Scratch::new("template").await;
        let places = ["carrow", "lorne", "marzan"];
        let urls: Vec<String> = places
            .iter()
            .map(|p| format!("https://a.example/weather/{p}"))
            .collect();
        let titles: Vec<String> = places.iter().map(|p| format!("Weather for {p}")).collect();
        let bodies: Vec<String> = places.iter().zip(8..).map(|(p, n)| weather(p, n)).collect();
        let page = |n: usize, body| Text {
            url: Some(&urls[n]),
            claims: Some("https://a.example/weather"),
            site: Some("a.example"),
            title: Some(&titles[n]),
            body,
            ..Text::default()
        };
        let pages: Vec<_> = (0..3).map(|n| page(n, bodies[n].as_str())).collect();
        scratch.flush_texts(&pages, together).await;
        let wanted: Vec<_> = urls.iter().map(|u| (u.clone(), 1)).collect();
        assert_eq!(addresses(&scratch).await, wanted, "together: {together}");
        // The same again changes nothing, and a later state of one is a version of that one.
        let later = weather("carrow", 21);
        let mut again = pages.clone();
        again.push(page(0, &later));
        scratch.flush_texts(&again, together).await;
        let versions: Vec<i32> = addresses(&scratch).await.iter().map(|a| a.1).collect();
        assert_eq!(versions, [2, 1, 1], "together: {together}");
        assert_eq!(
            scratch.count("SELECT count(*) FROM distrusted_canonical").await,
            1
        );
    }
}

#[tokio::test]
async fn one_page_that_is_reached_in_two_ways_stays_one() {
    let scratch = Scratch::new("two_ways").await;
    let body = prose(5, 6);
    let edited = format!("{body}\n\n{}", prose(6, 1));
    let page = |url, body| Text {
        url: Some(url),
        claims: Some("https://a.example/ferry"),
        title: Some("Ferry back"),
        body,
        ..Text::default()
    };
    let pages = [
        page("https://a.example/sea/ferry", &body),
        page("https://a.example/news/ferry", &body),
        page("https://a.example/news/ferry", &edited),
    ];
    scratch.flush_texts(&pages, false).await;
    assert_eq!(
        addresses(&scratch).await,
        [("https://a.example/ferry".to_owned(), 2)]
    );
}

#[tokio::test]
async fn spellings_of_one_address_are_one_article_unless_their_pages_differ() {
    for together in [false, true] {
        let scratch = Scratch::new("spellings").await;
        let body = prose(7, 6);
        let edited = format!("{body}\n\n{}", prose(8, 1));
        let page = |url, body| Text {
            url: Some(url),
            title: Some("Ferry back"),
            body,
            ..Text::default()
        };
        let pages = [
            page("http://www.a.example/ferry", body.as_str()),
            page("https://a.example/ferry/", &body),
            page("https://amp.a.example/ferry?ref=rss", &body),
            page("https://a.example/ferry", &edited),
        ];
        scratch.flush_texts(&pages, together).await;
        let shown = addresses(&scratch).await;
        assert_eq!(shown.len(), 1, "together: {together}: {shown:?}");
        assert_eq!(shown[0].1, 2);
        // What looks like another spelling, and is another page.
        let other = prose(9, 6);
        let half = format!(
            "{}\n\n{other}",
            body.split("\n\n").take(2).collect::<Vec<_>>().join("\n\n")
        );
        scratch
            .flush_texts(&[page("https://m.a.example/ferry", &half)], together)
            .await;
        assert_eq!(addresses(&scratch).await.len(), 2);
    }
}

#[tokio::test]
async fn an_address_that_only_the_page_states_is_shown() {
    let scratch = Scratch::new("stated").await;
    let body = prose(11, 6);
    let page = Text {
        claims: Some("https://a.example/stated"),
        body: &body,
        ..Text::default()
    };
    scratch.flush_texts(&[page], false).await;
    for view in ["articles", "stories"] {
        let sql: &'static str =
            format!("SELECT count(*) FROM {view} WHERE url = 'https://a.example/stated'").leak();
        assert_eq!(scratch.count(sql).await, 1, "{view}");
    }
}
