//! What a newcomer shows of older articles: round-ups hold several articles, and whole copies tie stories together.

use copydesk_testkit::{ArticleGenerator, scan};

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

#[tokio::test]
async fn stored_articles_are_decided_on_again_by_events_that_can_be_taken_back() {
    let scratch = Scratch::new("again").await;
    let longer = |seed: u64| format!("{}\n\n{}", babble(seed, 8), babble(seed + 10, 1));
    let ids = store(
        &scratch,
        &[
            sent("Storm closes harbour", babble(1, 8)),
            sent("Storm closes harbour", longer(1)),
            sent("Vote goes on", babble(2, 8)),
            sent("The price of bread", babble(3, 8)),
            sent("The price of bread", babble(3, 8)),
            sent("Tide tables", babble(4, 8)),
            sent("Tide tables", longer(4)),
        ],
        1,
    )
    .await;
    // As an older rule left them: the second and the last were no copies, the third was one of the first.
    let [storm, copy, vote, tide, last] = [ids[0], ids[1], ids[2], ids[5], ids[6]];
    let columns = "story_id, canonical_article, articles, copies, sites, first_published_at, first_seen, last_seen, canonical_at, \
                   longest_words, canonical_words, title, site, url, language, site_list";
    for sql in [
        format!(
            "UPDATE article SET story_id = article_id, linked_to = NULL, relation = 'original', similarity = NULL, containment = NULL,
                 containment_of_linked = NULL, shared_shingles = NULL, link_reason = NULL, link_rule_version = 1
             WHERE article_id IN ({copy}, {last})"
        ),
        format!(
            "UPDATE article SET story_id = {storm}, linked_to = {storm}, relation = 'near_copy', similarity = 0.5, containment = 0.6,
                 containment_of_linked = 0.6, shared_shingles = 90, link_reason = 'weighed', link_rule_version = 1
             WHERE article_id = {vote}"
        ),
        format!(
            "UPDATE article SET refusals = jsonb_build_object(CASE article_id WHEN {copy} THEN {storm} ELSE {tide} END, 'weighed_against')
             WHERE article_id IN ({copy}, {last})"
        ),
        "TRUNCATE story".to_owned(),
        format!("INSERT INTO story ({columns}) SELECT * FROM story_counted"),
    ] {
        sqlx::query(&sql).execute(&scratch.db).await.unwrap();
    }
    scratch.assert_law().await;
    // A person says that the last two are of two stories.
    let merged = scratch.store.merge_stories(last, tide, "a test").await.unwrap();
    scratch.store.undo_story_event(merged.event_id).await.unwrap();
    assert_eq!(scratch.store.outdated_decisions().await.unwrap(), 3);

    let before = state(&scratch, &ids).await;
    let (mut after, mut decided, mut changed) = (i64::MIN, 0, 0);
    while let Some(step) = scratch.store.redecide(after, 2).await.unwrap() {
        (after, decided, changed) = (step.after, decided + step.articles, changed + step.changed);
    }
    assert_eq!((decided, changed), (3, 2));
    assert_eq!(scratch.store.outdated_decisions().await.unwrap(), 0);
    let stories: Vec<usize> = state(&scratch, &ids).await.into_iter().map(|s| s.0).collect();
    assert_eq!(stories, [0, 0, 2, 3, 3, 5, 6]);
    scratch.assert_law().await;
    let explanation = scratch.store.explain(ids[2]).await.unwrap().unwrap();
    assert!(explanation.same, "{explanation:#?}");

    let events: Vec<(i64, String)> = sqlx::query_as(
        "SELECT event_id, kind FROM story_event WHERE cause_article IS NOT NULL ORDER BY event_id DESC",
    )
    .fetch_all(&scratch.db)
    .await
    .unwrap();
    let kinds: Vec<&str> = events.iter().map(|(_, kind)| kind.as_str()).collect();
    assert_eq!(kinds, ["relink", "merge"]);
    for (event, _) in &events {
        scratch.store.undo_story_event(*event).await.unwrap();
    }
    assert_eq!(state(&scratch, &ids).await, before);
    scratch.assert_law().await;
    // What a person took back stays taken back.
    assert!(scratch.store.redecide(i64::MIN, 100).await.unwrap().is_none());
}
