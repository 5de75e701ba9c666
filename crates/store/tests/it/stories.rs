//! Stories in a person's hands, late merges, key windows.

use copydesk_article::{ArticleId, StoryId};
use copydesk_store::{FlushReport, StoreError};
use copydesk_testkit::ArticleGenerator;

use crate::support::{Scratch, Text, batch, prose};

/// One batch a text, at partition 0; answers with the article ids in order.
pub(crate) async fn store_texts(scratch: &Scratch, texts: &[(&str, &str)]) -> Vec<i64> {
    let claimed = scratch.claim(0).await;
    let from = claimed.next_offset.get();
    for ((site, body), offset) in texts.iter().zip(from..) {
        let url = format!("https://{site}/{offset}");
        let text = Text {
            url: Some(&url),
            site: Some(site),
            title: Some("Harbour news of the day"),
            body,
            ..Text::default()
        };
        scratch
            .store
            .flush(&claimed, &batch(offset, vec![text.item(0, offset)]))
            .await
            .unwrap();
    }
    sqlx::query_scalar("SELECT article_id FROM sighting WHERE \"offset\" >= $1 ORDER BY \"offset\"")
        .bind(from)
        .fetch_all(&scratch.db)
        .await
        .unwrap()
}

pub(crate) async fn stories(scratch: &Scratch, ids: &[i64]) -> Vec<i64> {
    sqlx::query_scalar("SELECT story_id FROM unnest($1::int8[]) WITH ORDINALITY AS w (id, n) JOIN membership ON article_id = id ORDER BY n")
        .bind(ids)
        .fetch_all(&scratch.db)
        .await
        .unwrap()
}

#[tokio::test]
async fn merge_split_and_back_again() {
    let scratch = Scratch::new("repair").await;
    scratch.refuse_rewrites().await;
    let (a, b) = (prose(1, 6), prose(2, 6));
    let ids = store_texts(
        &scratch,
        &[
            ("a.example", &a),
            ("b.example", &a),
            ("c.example", &b),
            ("d.example", &b),
        ],
    )
    .await;
    let before = stories(&scratch, &ids).await;
    assert_eq!(before, [ids[0], ids[0], ids[2], ids[2]]);

    let merged = scratch
        .store
        .merge_stories(StoryId(ids[2]), StoryId(ids[0]), "one event")
        .await
        .unwrap();
    assert_eq!(merged.moved, [ids[2], ids[3]].map(ArticleId));
    assert_eq!(stories(&scratch, &ids).await, [ids[0]; 4]);
    scratch.assert_law().await;
    // A copy that comes after the merge goes back with the ones it is linked to.
    let late = store_texts(&scratch, &[("e.example", &b)]).await[0];
    assert_eq!(stories(&scratch, &[late]).await, [ids[0]]);
    scratch.store.undo_story_event(merged.event_id).await.unwrap();
    assert_eq!(stories(&scratch, &ids).await, before);
    assert_eq!(stories(&scratch, &[late]).await, [ids[2]]);
    let twice = scratch.store.undo_story_event(merged.event_id).await.unwrap_err();
    assert!(matches!(twice, StoreError::NotPossible(_)), "{twice}");

    let split = scratch
        .store
        .split_story(&[ArticleId(ids[1])], "another quay")
        .await
        .unwrap();
    assert_eq!(stories(&scratch, &ids[..2]).await, [ids[0], ids[1]]);
    assert_eq!(
        scratch
            .count("SELECT count(*) FROM membership WHERE relation = 'original'")
            .await,
        3
    );
    scratch.assert_law().await;
    scratch.store.undo_story_event(split.event_id).await.unwrap();
    assert_eq!(stories(&scratch, &ids[..2]).await, [ids[0], ids[0]]);
    let (linked_to, relation, similarity): (Option<i64>, String, Option<f32>) =
        sqlx::query_as("SELECT linked_to, relation, similarity FROM membership WHERE article_id = $1")
            .bind(ids[1])
            .fetch_one(&scratch.db)
            .await
            .unwrap();
    assert_eq!(
        (linked_to, relation.as_str(), similarity),
        (Some(ids[0]), "exact_copy", Some(1.0))
    );
    scratch.assert_law().await;

    let story = scratch.store.story(ids[1]).await.unwrap().unwrap();
    assert_eq!((story.story_id.0, story.articles.len()), (ids[0], 2));
    let kinds: Vec<&str> = story.events.iter().map(|e| e.kind.as_str()).collect();
    assert_eq!(kinds, ["merge", "undo", "split", "undo"]);
    let founder = scratch
        .store
        .split_story(&[ArticleId(ids[0])], "")
        .await
        .unwrap_err();
    assert!(founder.to_string().contains("founded"), "{founder}");
}

#[tokio::test]
async fn a_decision_is_shown_and_comes_out_the_same_again() {
    let scratch = Scratch::new("explain").await;
    let original = prose(5, 8);
    let paragraphs: Vec<&str> = original.split("\n\n").collect();
    let cut = paragraphs[..4].join("\n\n");
    let quoting = format!("{}\n\n{}", ArticleGenerator::new(6).babble(24), paragraphs[2]);
    let ids = store_texts(
        &scratch,
        &[
            ("a.example", &original),
            ("b.example", &original),
            ("c.example", &cut),
            ("d.example", &quoting),
        ],
    )
    .await;
    for id in &ids {
        let explanation = scratch.store.explain(ArticleId(*id)).await.unwrap().unwrap();
        assert!(explanation.same, "{explanation:#?}");
    }
    let explanation = scratch.store.explain(ArticleId(ids[2])).await.unwrap().unwrap();
    let linked: Vec<&str> = explanation
        .candidates
        .iter()
        .filter(|c| c.recorded.starts_with("linked"))
        .map(|c| c.recorded.as_str())
        .collect();
    assert_eq!(linked.len(), 1);
    assert!(
        explanation.candidates.iter().all(|c| c.in_candidate > 0.9),
        "{explanation:#?}"
    );
    // Evidence that somebody changed no longer gives the recorded decision, and that shows.
    sqlx::query("UPDATE evidence SET evidence = (SELECT evidence FROM evidence WHERE article_id = $2) WHERE article_id = $1")
        .bind(ids[2])
        .bind(ids[3])
        .execute(&scratch.db)
        .await
        .unwrap();
    assert!(
        !scratch
            .store
            .explain(ArticleId(ids[2]))
            .await
            .unwrap()
            .unwrap()
            .same
    );
    assert!(scratch.store.explain(ArticleId(987_654)).await.unwrap().is_none());
}

#[tokio::test]
async fn two_stories_become_one_when_a_close_copy_of_both_comes() {
    let scratch = Scratch::new("late").await;
    scratch.refuse_rewrites().await;
    // The two have a third of their text in common, but in one paragraph; the third is close to both.
    let body = prose(7, 6);
    let ids = store_texts(&scratch, &[("a.example", &body), ("b.example", &body)]).await;
    // As after a change of recipe: two articles with the same text in two stories.
    sqlx::query("UPDATE membership SET story_id = article_id, linked_to = NULL, relation = 'original', link_reason = NULL, similarity = NULL, containment = NULL, containment_of_linked = NULL, shared_shingles = NULL")
        .execute(&scratch.db)
        .await
        .unwrap();
    let third = store_texts(&scratch, &[("c.example", &format!("{body}\n\n{}", prose(8, 1)))]).await[0];
    sqlx::query("UPDATE membership SET between_stories = true, refusals = jsonb_build_object($2::text, 'not_best') WHERE article_id = $1")
        .bind(third)
        .bind(ids[1])
        .execute(&scratch.db)
        .await
        .unwrap();
    assert_eq!(scratch.store.merge_late(100).await.unwrap(), (1, 1));
    assert_eq!(scratch.store.merge_late(100).await.unwrap(), (0, 0));
    assert_eq!(scratch.stories().await, 1);
    assert_eq!(
        scratch
            .count("SELECT count(*) FROM story_event WHERE kind = 'merge' AND cause_article IS NOT NULL")
            .await,
        1
    );
    scratch.assert_law().await;
}

#[tokio::test]
async fn a_match_in_another_story_is_marked() {
    let scratch = Scratch::new("between").await;
    let body = prose(9, 6);
    let other = format!("{}\n\n{}", prose(10, 5), body);
    // Both match the third, and are in two stories.
    let ids = store_texts(&scratch, &[("a.example", &body), ("b.example", &other)]).await;
    sqlx::query("UPDATE membership SET story_id = article_id, linked_to = NULL, relation = 'original', link_reason = NULL, similarity = NULL, containment = NULL, containment_of_linked = NULL, shared_shingles = NULL")
        .execute(&scratch.db)
        .await
        .unwrap();
    let third = store_texts(&scratch, &[("c.example", &other)]).await[0];
    let marked: Vec<i64> = sqlx::query_scalar("SELECT article_id FROM membership WHERE between_stories")
        .fetch_all(&scratch.db)
        .await
        .unwrap();
    assert_eq!(marked, [third]);
    // An article that is contained in another is no close copy of it: the stories stay apart.
    assert_eq!(scratch.store.merge_late(100).await.unwrap(), (1, 0));
    assert_ne!(
        stories(&scratch, &[ids[0]]).await,
        stories(&scratch, &[third]).await
    );
}

#[tokio::test]
async fn windows_are_created_ahead_and_dropped_whole() {
    let scratch = Scratch::new("drop").await;
    assert_eq!(
        scratch.store.create_windows().await.unwrap(),
        0,
        "the migration has made them"
    );
    assert_eq!(
        scratch.store.drop_windows(2).await.unwrap(),
        0,
        "the present one and the one before stay"
    );
    // A window of two years ago, as after a long time.
    sqlx::query("CREATE TABLE near_key_w0050 PARTITION OF near_key FOR VALUES FROM (56294995342131200) TO (57420895248973824)")
        .execute(&scratch.db)
        .await
        .unwrap();
    assert_eq!(scratch.store.drop_windows(3).await.unwrap(), 1);
    assert_eq!(
        scratch
            .count("SELECT count(*) FROM pg_class WHERE relname = 'near_key_w0050'")
            .await,
        0
    );
}

#[tokio::test]
async fn the_lag_histogram_adds_up() {
    let scratch = Scratch::new("lags").await;
    let claimed = scratch.claim(0).await;
    let body = prose(70, 5);
    let text = |site| Text {
        site: Some(site),
        title: Some("Harbour"),
        body: &body,
        ..Text::default()
    };
    for (n, (site, at)) in [
        ("a.example", "2026-03-10T12:00:00Z"),
        ("b.example", "2026-03-10T12:00:30Z"),
        ("c.example", "2026-03-14T12:00:00Z"),
    ]
    .into_iter()
    .enumerate()
    {
        let report: FlushReport = scratch
            .store
            .flush(
                &claimed,
                &batch(n as i64, vec![text(site).item_at(0, n as i64, at)]),
            )
            .await
            .unwrap();
        assert_eq!(report.stored(), 1);
    }
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "SELECT up_to::text, links FROM copy_lag_histogram WHERE links > 0 ORDER BY copy_lag_histogram.up_to",
    )
    .fetch_all(&scratch.db)
    .await
    .unwrap();
    assert_eq!(rows, [("00:01:00".to_owned(), 1), ("7 days".to_owned(), 1)]);
}

#[tokio::test]
async fn an_article_leaves_a_story_that_it_never_belonged_to_and_can_be_put_back() {
    let scratch = Scratch::new("relink").await;
    scratch.refuse_rewrites().await;
    let babble = |seed, n| ArticleGenerator::new(seed).babble(n);
    let (ours, theirs) = (babble(81, 8), babble(82, 4));
    let paragraphs: Vec<&str> = ours.split("\n\n").collect();
    // Three paragraphs of the first story and four of its own; then an article that has those four and nothing of the first.
    let between = format!("{}\n\n{theirs}", paragraphs[..3].join("\n\n"));
    let third = format!("{theirs}\n\n{}", babble(83, 2));
    let ids = store_texts(&scratch, &[("a.example", &ours), ("b.example", &between)]).await;
    assert_eq!(stories(&scratch, &ids).await, [ids[0], ids[0]]);
    let third = store_texts(&scratch, &[("c.example", &third)]).await[0];
    assert_eq!(
        stories(&scratch, &[ids[0], ids[1], third]).await,
        [ids[0], ids[1], ids[1]]
    );
    let event = scratch
        .store
        .story(third)
        .await
        .unwrap()
        .unwrap()
        .events
        .pop()
        .unwrap();
    assert_eq!(
        (event.kind.as_str(), event.cause_article),
        ("relink", Some(ArticleId(third)))
    );
    assert_eq!(event.detail["linked_to"], ids[0]);
    scratch.assert_law().await;
    scratch.store.undo_story_event(event.event_id).await.unwrap();
    assert_eq!(stories(&scratch, &[ids[1], third]).await, [ids[0], ids[0]]);
    assert_eq!(
        scratch
            .count("SELECT count(*) FROM membership WHERE linked_to IS NOT NULL")
            .await,
        2
    );
    scratch.assert_law().await;
}
