//! What a newcomer shows of older articles: round-ups hold several articles, and whole copies tie stories together.

use copydesk_testkit::ArticleGenerator;

use crate::support::{Scratch, Text, batch};

struct Sent {
    title: &'static str,
    body: String,
}

fn sent(title: &'static str, body: impl Into<String>) -> Sent {
    let body = body.into();
    Sent { title, body }
}

fn babble(seed: u64, paragraphs: usize) -> String {
    ArticleGenerator::new(seed).babble(paragraphs)
}

/// Stores articles, in batches of `size`; answers with their ids in order.
async fn store(scratch: &Scratch, articles: &[Sent], size: usize) -> Vec<i64> {
    let claimed = scratch.claim(0).await;
    let from = claimed.next_offset.get();
    let mut next = from;
    for articles in articles.chunks(size) {
        let sites: Vec<String> = (next..)
            .take(articles.len())
            .map(|n| format!("s{n}.example"))
            .collect();
        let items = articles
            .iter()
            .zip(&sites)
            .zip(next..)
            .map(|((article, site), offset)| {
                let url = format!("https://{site}/{offset}");
                let text = Text {
                    url: Some(&url),
                    site: Some(site),
                    title: Some(article.title),
                    body: &article.body,
                    ..Text::default()
                };
                text.item(0, offset)
            });
        let items: Vec<_> = items.collect();
        let flushed = batch(next, items);
        next += articles.len() as i64;
        scratch.store.flush(&claimed, &flushed).await.unwrap();
    }
    sqlx::query_scalar("SELECT article_id FROM sighting WHERE \"offset\" >= $1 ORDER BY \"offset\"")
        .bind(from)
        .fetch_all(&scratch.db)
        .await
        .unwrap()
}

/// Story, relation and link of each, by its place in `ids`.
async fn state(scratch: &Scratch, ids: &[i64]) -> Vec<(usize, String, Option<usize>)> {
    let rows: Vec<(i64, String, Option<i64>)> = sqlx::query_as(
        "SELECT story_id, relation, linked_to FROM unnest($1::int8[]) WITH ORDINALITY AS w (id, n)
         JOIN article ON article_id = id ORDER BY n",
    )
    .bind(ids)
    .fetch_all(&scratch.db)
    .await
    .unwrap();
    let place = |id: i64| ids.iter().position(|i| *i == id).unwrap();
    rows.into_iter()
        .map(|(story, relation, link)| (place(story), relation, link.map(place)))
        .collect()
}

fn founder(n: usize, relation: &str) -> (usize, String, Option<usize>) {
    (n, relation.to_owned(), None)
}

#[tokio::test]
async fn a_round_up_that_came_first_is_found_out_and_that_can_be_undone() {
    for size in [1, 4] {
        let scratch = Scratch::new("roundup").await;
        let (storm, vote) = (babble(1, 8), babble(2, 8));
        let page = format!("{storm}\n\n{vote}");
        let ids = store(
            &scratch,
            &[
                sent("The day in brief", page),
                sent("Storm", storm.clone()),
                // It follows its original.
                sent("Storm", storm.clone()),
                sent("Vote", vote.clone()),
            ],
            size,
        )
        .await;
        let found = state(&scratch, &ids).await;
        assert_eq!(found[0], founder(0, "digest"), "{size}");
        assert_eq!(found[1], founder(1, "original"), "{size}");
        assert_eq!(found[2], (1, "exact_copy".to_owned(), Some(1)), "{size}");
        assert_eq!(found[3], founder(3, "original"), "{size}");
        scratch.assert_law().await;
        let copies: Vec<i64> = sqlx::query_scalar("SELECT copies FROM stories ORDER BY story_id")
            .fetch_all(&scratch.db)
            .await
            .unwrap();
        assert_eq!(copies, [0, 1, 0], "a round-up is nobody's copy");
        if size > 1 {
            // Nothing of it was ever in the database.
            assert_eq!(scratch.count("SELECT count(*) FROM story_event").await, 0);
            continue;
        }
        let events: Vec<(i64, String)> =
            sqlx::query_as("SELECT event_id, kind FROM story_event ORDER BY event_id DESC")
                .fetch_all(&scratch.db)
                .await
                .unwrap();
        let kinds: Vec<&str> = events.iter().map(|(_, kind)| kind.as_str()).collect();
        assert_eq!(kinds, ["digest", "relink"]);
        for (event, _) in &events {
            scratch.store.undo_story_event(*event).await.unwrap();
        }
        let undone = state(&scratch, &ids).await;
        assert_eq!(undone[0], founder(0, "original"));
        assert_eq!(undone[1], (0, "excerpt".to_owned(), Some(0)));
        assert_eq!(undone[2], (0, "exact_copy".to_owned(), Some(1)));
        scratch.assert_law().await;
    }
}

/// A scan that has every seventh word wrong.
fn scan(text: &str, from: usize) -> String {
    let words = text.split(' ').enumerate();
    let words = words.map(|(n, word)| {
        if n % 7 == from {
            format!("x{word}")
        } else {
            word.to_owned()
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn a_whole_copy_of_two_stories_makes_them_one_and_that_can_be_undone() {
    for size in [1, 5] {
        let scratch = Scratch::new("tied").await;
        let article = babble(3, 8);
        let (one, two) = (scan(&article, 1), scan(&article, 4));
        let ids = store(
            &scratch,
            &[
                sent("Storm closes harbour", one),
                sent("Storm closes harbour", two.clone()),
                // It follows the story that is given up.
                sent("Storm closes harbour", two.clone()),
                sent("Storm closes harbour", article),
                sent("Storm closes harbour", two.clone()),
            ],
            size,
        )
        .await;
        let stories: Vec<usize> = state(&scratch, &ids).await.into_iter().map(|s| s.0).collect();
        assert_eq!(stories, [0; 5], "batches of {size}");
        scratch.assert_law().await;
        let (event, kind): (i64, String) = sqlx::query_as("SELECT event_id, kind FROM story_event")
            .fetch_one(&scratch.db)
            .await
            .unwrap();
        assert_eq!(kind, "merge");
        scratch.store.undo_story_event(event).await.unwrap();
        let stories: Vec<usize> = state(&scratch, &ids).await.into_iter().map(|s| s.0).collect();
        assert_eq!(
            (stories[0], stories[1], stories[2]),
            (0, 1, 1),
            "batches of {size}"
        );
        scratch.assert_law().await;
    }
}
