//! What site memory must not do around its decision: within a batch, in the janitor's rounds, when people speak.

use copydesk_article::ArticleId;
use copydesk_site::block_key;
use copydesk_store::{SiteBlock, SiteOverride};
use copydesk_testkit::ArticleGenerator;

use crate::site_memory::{LETTER, body, round, store_at, store_one};
use crate::support::{Scratch, Text, batch};

#[tokio::test]
async fn articles_of_a_batch_see_those_before_them() {
    let scratch = Scratch::new("site_batch").await;
    let claimed = scratch.claim(0).await;
    let texts: Vec<(String, String, String)> = (1..=3_u64)
        .map(|seed| {
            let mut generator = ArticleGenerator::new(seed);
            let title = generator.babble(1);
            (
                format!("https://a.example/{seed}"),
                title,
                format!("{}\n\n{LETTER}", generator.babble(5)),
            )
        })
        .collect();
    let items = texts.iter().zip(0..).map(|((url, title, body), offset)| {
        Text {
            url: Some(url),
            site: Some("a.example"),
            title: Some(title),
            body,
            ..Text::default()
        }
        .item(0, offset)
    });
    let report = scratch
        .store
        .flush(&claimed, &batch(0, items.collect()))
        .await
        .unwrap();
    let kept: Vec<bool> =
        sqlx::query_scalar("SELECT body LIKE '%Velmora letter%' FROM articles ORDER BY article_id")
            .fetch_all(&scratch.db)
            .await
            .unwrap();
    assert_eq!(kept, [true, false, false]);
    assert_eq!(
        (report.site_memory_blocks, report.site_memory_words),
        (2, 22),
        "eleven words each"
    );
}

#[tokio::test]
async fn the_janitor_goes_over_an_article_four_times_at_the_most() {
    let scratch = Scratch::new("site_rounds").await;
    let store = &scratch.store;
    let first = store_one(&scratch, store, "a.example", 1, LETTER).await;
    let noted = async || -> Option<i16> {
        sqlx::query_scalar("SELECT articles FROM site_provisional WHERE article_id = $1")
            .bind(first)
            .fetch_optional(&scratch.db)
            .await
            .unwrap()
    };
    let mut looked_at = 0;
    for seed in 2..=12 {
        store_one(&scratch, store, "a.example", seed, LETTER).await;
        let before = noted().await;
        round(store).await;
        looked_at += u32::from(before != noted().await);
        assert_eq!(round(store).await, (0, 0), "nothing new, nothing to do");
    }
    assert!((1..=4).contains(&looked_at), "{looked_at} times");
    assert!(!body(&scratch, first).await.0.contains(LETTER));
    assert_eq!(
        scratch.count("SELECT count(*) FROM site_provisional").await,
        0,
        "enough is known"
    );
}

#[tokio::test]
async fn what_a_person_took_back_stays_so_and_a_newer_text_is_left_alone() {
    let scratch = Scratch::new("site_undo").await;
    let store = &scratch.store;
    let mut articles = Vec::new();
    for seed in 1..=2 {
        articles.push(store_one(&scratch, store, "a.example", seed, LETTER).await);
    }
    assert_eq!(round(store).await.1, 1);
    let event = scratch.count("SELECT max(event_id) FROM clean_events").await;
    store.undo_clean_event(event).await.unwrap();
    for seed in 3..=6 {
        store_one(&scratch, store, "a.example", seed, LETTER).await;
        round(store).await;
    }
    assert!(
        body(&scratch, articles[0]).await.0.contains(LETTER),
        "the janitor leaves it"
    );

    // A newer version came after the event.
    let early = store_one(&scratch, store, "b.example", 7, LETTER).await;
    store_one(&scratch, store, "b.example", 8, LETTER).await;
    assert_eq!(round(store).await.1, 1);
    let event = scratch.count("SELECT max(event_id) FROM clean_events").await;
    // Site memory takes the same place out of it.
    let newer = format!("{LETTER}\n\nIt was corrected since.");
    assert_eq!(
        store_at(&scratch, store, "b.example", "7", 7, &newer).await,
        early
    );
    let text = body(&scratch, early).await;
    assert!(text.0.contains("corrected") && !text.0.contains(LETTER));
    let refused = store.undo_clean_event(event).await.unwrap_err();
    assert!(refused.to_string().contains("has changed since"), "{refused}");
    assert_eq!(body(&scratch, early).await, text);
}

#[tokio::test]
async fn each_of_many_words_counts() {
    let scratch = Scratch::new("site_many").await;
    let store = &scratch.store;
    let lines: Vec<String> = ["tug", "pilot", "gull", "buoy", "quay", "reef"]
        .iter()
        .map(|what| format!("The Velmora Times prints a picture of a {what} every day."))
        .collect();
    let say = |line: &String, decision| SiteBlock {
        site: "a.example".into(),
        block: block_key(line).unwrap(),
        decision,
        sample: None,
        why: "a test".into(),
    };
    let (forgotten, pinned) = lines.split_at(3);
    let said: Vec<SiteBlock> = forgotten
        .iter()
        .map(|line| say(line, SiteOverride::Forget))
        .chain(pinned.iter().map(|line| say(line, SiteOverride::Pin)))
        .collect();
    store.set_overrides(&said, "test").await.unwrap();
    let repeated = lines.join("\n\n");
    for seed in 1..=2 {
        let article = store_one(&scratch, store, "a.example", seed, &repeated).await;
        let (text, _) = body(&scratch, article).await;
        assert!(forgotten.iter().all(|line| text.contains(line)), "{text}");
        assert!(!pinned.iter().any(|line| text.contains(line)), "{text}");
    }
}

#[tokio::test]
async fn a_decision_is_made_again_from_what_it_saw() {
    let scratch = Scratch::new("site_view").await;
    let store = &scratch.store;
    let first = store_one(&scratch, store, "a.example", 1, LETTER).await;
    let between = store_one(&scratch, store, "a.example", 2, "Nothing of the site.").await;
    store_one(&scratch, store, "a.example", 3, "Nothing of the site, either.").await;
    let last = store_one(&scratch, store, "a.example", 4, LETTER).await;
    // As if the one between had been committed by another worker only afterwards.
    let view: Vec<u8> = sqlx::query_scalar("SELECT site_view FROM evidence WHERE article_id = $1")
        .bind(last)
        .fetch_one(&scratch.db)
        .await
        .unwrap();
    let (ids, _) = view.as_chunks::<8>();
    let seen: Vec<u8> = ids
        .iter()
        .filter(|id| **id != between.to_le_bytes())
        .flatten()
        .copied()
        .collect();
    assert_eq!((ids.len(), seen.len()), (3, 16));
    sqlx::query("UPDATE evidence SET site_view = $2 WHERE article_id = $1")
        .bind(last)
        .bind(&seen)
        .execute(&scratch.db)
        .await
        .unwrap();
    let again = store.explain_site_memory(ArticleId(last)).await.unwrap().unwrap();
    assert!(again.same, "one of {first}");
    assert_eq!(again.stories, 2);
}
