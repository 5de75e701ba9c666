//! What a new article shows of older ones: round-ups hold several articles, and whole copies tie stories together.

use copydesk_article::{ArticleId, StoryId};
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
         JOIN membership ON article_id = id ORDER BY n",
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
async fn the_third_filling_of_a_frame_founds_a_story_in_any_batch() {
    const SAYINGS: [&str; 3] = [
        "Whoever waits at the gate of a friend finds more than was lost there",
        "He who asks for bread in the rain wakes up richer than any king",
        "She that sings beside a cold stove has nothing to fear from crows",
    ];
    for size in [1, 3] {
        let scratch = Scratch::new("filling").await;
        let frame = babble(1, 4);
        let filled = SAYINGS.map(|saying| sent("Thought for the day", format!("{saying}. {frame}")));
        let ids = store(&scratch, &filled, size).await;
        let found = state(&scratch, &ids).await;
        // Two cannot tell another filling from a copy with another sentence.
        assert_eq!(found[1], (0, "near_copy".to_owned(), Some(0)), "{size}");
        assert_eq!(found[2], founder(2, "original"), "{size}");
        let why: String =
            sqlx::query_scalar("SELECT refusals ->> $2::text FROM membership WHERE article_id = $1")
                .bind(ids[2])
                .bind(ids[0].to_string())
                .fetch_one(&scratch.db)
                .await
                .unwrap();
        assert_eq!(why, "series", "{size}");
    }
}

#[tokio::test]
async fn a_round_up_that_came_first_is_found_out_and_that_can_be_undone() {
    for size in [1, 4] {
        let scratch = Scratch::new("roundup").await;
        scratch.refuse_rewrites().await;
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
        scratch.refuse_rewrites().await;
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
    scratch.refuse_rewrites().await;
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
            "UPDATE membership SET story_id = article_id, linked_to = NULL, relation = 'original', similarity = NULL, containment = NULL,
                 containment_of_linked = NULL, shared_shingles = NULL, link_reason = NULL, link_rule_version = 1
             WHERE article_id IN ({copy}, {last})"
        ),
        format!(
            "UPDATE membership SET story_id = {storm}, linked_to = {storm}, relation = 'near_copy', similarity = 0.5, containment = 0.6,
                 containment_of_linked = 0.6, shared_shingles = 90, link_reason = 'weighed', link_rule_version = 1
             WHERE article_id = {vote}"
        ),
        format!(
            "UPDATE membership SET refusals = jsonb_build_object(CASE article_id WHEN {copy} THEN {storm} ELSE {tide} END, 'weighed_against')
             WHERE article_id IN ({copy}, {last})"
        ),
        "TRUNCATE story".to_owned(),
        format!("INSERT INTO story ({columns}) SELECT * FROM story_counted"),
    ] {
        sqlx::query(&sql).execute(&scratch.db).await.unwrap();
    }
    scratch.assert_law().await;
    // A person says that the last two are of two stories.
    let merged = scratch
        .store
        .merge_stories(StoryId(last), StoryId(tide), "a test")
        .await
        .unwrap();
    scratch.store.undo_story_event(merged.event_id).await.unwrap();
    assert_eq!(scratch.store.outdated_decisions().await.unwrap(), 3);

    let before = state(&scratch, &ids).await;
    let (mut after, mut decided, mut changed) = (ArticleId(i64::MIN), 0, 0);
    while let Some(step) = scratch.store.redecide(after, 2).await.unwrap() {
        (after, decided, changed) = (step.after, decided + step.articles, changed + step.changed);
    }
    assert_eq!((decided, changed), (3, 2));
    assert_eq!(scratch.store.outdated_decisions().await.unwrap(), 0);
    let stories: Vec<usize> = state(&scratch, &ids).await.into_iter().map(|s| s.0).collect();
    assert_eq!(stories, [0, 0, 2, 3, 3, 5, 6]);
    scratch.assert_law().await;
    let explanation = scratch.store.explain(ArticleId(ids[2])).await.unwrap().unwrap();
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
    assert!(
        scratch
            .store
            .redecide(ArticleId(i64::MIN), 100)
            .await
            .unwrap()
            .is_none()
    );
}

/// Copies that an older rule took for none come a third and a fourth time, on two partitions, while the stored ones are decided on again. The first
/// to come ties the two stories together, by one event.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn copies_of_articles_that_are_decided_on_again_meanwhile_are_not_split() {
    const COPIED: usize = 12;
    const IN_TURN: usize = 2;
    let scratch = Scratch::new("again_meanwhile").await;
    scratch.refuse_rewrites().await;
    let article = |n: usize| babble(100 + n as u64, 6);
    let longer = |n: usize| format!("{}\n\n{}", article(n), babble(200 + n as u64, 1));
    let stored: Vec<Sent> = (0..COPIED)
        .flat_map(|n| {
            [
                sent("Storm closes harbour", article(n)),
                sent("Storm closes harbour", longer(n)),
            ]
        })
        .collect();
    let ids = store(&scratch, &stored, 16).await;
    sqlx::raw_sql(
        "UPDATE membership SET refusals = jsonb_build_object(linked_to, 'weighed_against') WHERE linked_to IS NOT NULL;
         UPDATE membership SET story_id = article_id, linked_to = NULL, relation = 'original', similarity = NULL, containment = NULL,
             containment_of_linked = NULL, shared_shingles = NULL, link_reason = NULL, link_rule_version = 1;
         TRUNCATE story;
         INSERT INTO story (story_id, canonical_article, articles, copies, sites, first_published_at, first_seen, last_seen, canonical_at,
             longest_words, canonical_words, title, site, url, language, site_list) SELECT * FROM story_counted",
    )
    .execute(&scratch.db)
    .await
    .unwrap();
    assert_eq!(scratch.stories().await, 2 * COPIED as i64);
    scratch.assert_law().await;

    let together = std::sync::Arc::new(tokio::sync::Barrier::new(3));
    let mut workers = Vec::new();
    for partition in [1, 2] {
        let (store, claimed) = (scratch.store.clone(), scratch.claim(partition).await);
        let together = std::sync::Arc::clone(&together);
        workers.push(tokio::spawn(async move {
            for first in (0..COPIED).step_by(IN_TURN) {
                let (offset, mut items) = (first as i64, Vec::new());
                for n in first..first + IN_TURN {
                    let (body, site) = (article(n), format!("p{partition}-{n}.example"));
                    let text = Text::of_site(&site, "Storm closes harbour", &body);
                    items.push(text.item(partition, n as i64));
                }
                together.wait().await;
                store.flush(&claimed, &batch(offset, items)).await.unwrap();
            }
        }));
    }
    let mut after = ArticleId(i64::MIN);
    for _ in (0..COPIED).step_by(IN_TURN) {
        together.wait().await;
        let step = scratch
            .store
            .redecide(after, 2 * IN_TURN as i64)
            .await
            .unwrap()
            .unwrap();
        after = step.after;
    }
    for worker in workers {
        worker.await.unwrap();
    }
    assert_eq!(scratch.store.outdated_decisions().await.unwrap(), 0);
    scratch.assert_law().await;
    let whole = "SELECT count(*) FROM stories WHERE articles = 4";
    assert_eq!(scratch.count(whole).await, COPIED as i64, "no story is split");
    assert_eq!(scratch.stories().await, COPIED as i64);
    let mut merged: Vec<(i64, i64)> = sqlx::query_as(
        "SELECT from_story, to_story FROM story_event WHERE kind = 'merge' AND cause_article IS NOT NULL",
    )
    .fetch_all(&scratch.db)
    .await
    .unwrap();
    merged.sort_unstable();
    let expected: Vec<(i64, i64)> = ids.chunks(2).map(|pair| (pair[1], pair[0])).collect();
    assert_eq!(merged, expected, "each change is an event, and there is one");
    let events = "SELECT count(*) FROM story_event";
    assert_eq!(scratch.count(events).await, COPIED as i64);

    // While a flush has the window, nothing is decided on; and what was decided on by this rule changes nothing when it is again.
    sqlx::query("UPDATE membership SET link_rule_version = 1")
        .execute(&scratch.db)
        .await
        .unwrap();
    let (mut flush, _) = scratch.transaction().await;
    sqlx::query("SELECT FROM near_key_window FOR UPDATE")
        .execute(&mut *flush)
        .await
        .unwrap();
    let again = scratch.store.clone();
    let again =
        tokio::spawn(async move { again.redecide(ArticleId(i64::MIN), 1_000).await.unwrap().unwrap() });
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    scratch.until(waiting, |n| n > 0).await;
    assert_eq!(
        scratch.store.outdated_decisions().await.unwrap(),
        4 * COPIED as i64
    );
    flush.rollback().await.unwrap();
    let step = again.await.unwrap();
    assert_eq!((step.articles, step.changed), (4 * COPIED as u64, 0));
    assert_eq!(scratch.count(events).await, COPIED as i64);
    scratch.assert_law().await;
}
