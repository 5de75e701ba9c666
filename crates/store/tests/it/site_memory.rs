//! Site memory on a real Postgres: on arrival, afterwards, in a person's hands.

use copydesk_article::ArticleId;
use copydesk_site::block_key;
use copydesk_store::{SiteBlock, SiteOverride, Store, StoreConfig};
use copydesk_testkit::ArticleGenerator;
use serde_json::Value;

use crate::support::{Scratch, Text, batch};

pub(crate) const LETTER: &str = "Sign up for the Velmora letter and read it every morning.";

/// An article of the site with a text of its own and the repeated blocks at its end; answers with its id.
pub(crate) async fn store_one(
    scratch: &Scratch,
    store: &Store,
    site: &str,
    seed: u64,
    repeated: &str,
) -> i64 {
    store_at(scratch, store, site, &seed.to_string(), seed, repeated).await
}

/// The same at an address that does not follow from its text.
pub(crate) async fn store_at(
    scratch: &Scratch,
    store: &Store,
    site: &str,
    path: &str,
    seed: u64,
    repeated: &str,
) -> i64 {
    let claimed = scratch.claim(0).await;
    let offset = claimed.next_offset.get();
    let mut generator = ArticleGenerator::new(seed);
    let (title, body) = (generator.babble(1), generator.babble(5));
    let body = format!("{body}\n\n{repeated}");
    let url = format!("https://{site}/{path}");
    let text = Text {
        url: Some(&url),
        site: Some(site),
        title: Some(title.trim_end_matches('.')),
        body: body.trim_end(),
        ..Text::default()
    };
    store
        .flush(&claimed, &batch(offset, vec![text.item(0, offset)]))
        .await
        .unwrap();
    sqlx::query_scalar("SELECT article_id FROM sighting WHERE \"offset\" = $1")
        .bind(offset)
        .fetch_one(&scratch.db)
        .await
        .unwrap()
}

pub(crate) async fn body(scratch: &Scratch, article: i64) -> (String, i32) {
    sqlx::query_as("SELECT body, word_count FROM articles WHERE article_id = $1")
        .bind(article)
        .fetch_one(&scratch.db)
        .await
        .unwrap()
}

/// What does not depend on site memory: keys, hash and evidence of near-copies.
async fn keys(scratch: &Scratch, article: i64) -> (i64, Vec<u8>, Vec<u8>) {
    sqlx::query_as(
        "SELECT (SELECT count(*) FROM near_key WHERE article_id = $1), body_hash, e.page_blocks
         FROM article JOIN evidence e USING (article_id) WHERE article_id = $1",
    )
    .bind(article)
    .fetch_one(&scratch.db)
    .await
    .unwrap()
}

pub(crate) async fn reclean_all(store: &Store) -> u64 {
    round(store).await.1
}

/// A round of the janitor: articles that were looked at, and that changed.
pub(crate) async fn round(store: &Store) -> (u64, u64) {
    let (mut after, mut looked_at, mut changed) = (i64::MIN, 0, 0);
    while let Some((last, step)) = store.reclean_provisional(after, 2).await.unwrap() {
        after = last;
        looked_at += step.looked_at;
        changed += step.changed;
    }
    (looked_at, changed)
}

#[tokio::test]
async fn what_a_site_repeats_goes_on_arrival_and_from_the_first_article_afterwards() {
    let scratch = Scratch::new("site_memory").await;
    let store = &scratch.store;
    let first = store_one(&scratch, store, "a.example", 1, LETTER).await;
    assert_eq!(reclean_all(store).await, 0, "nothing is known of the site yet");
    let second = store_one(&scratch, store, "a.example", 2, LETTER).await;
    let alone = store_one(&scratch, store, "b.example", 3, LETTER).await;
    for (article, there) in [(first, true), (second, false), (alone, true)] {
        assert_eq!(
            body(&scratch, article).await.0.contains(LETTER),
            there,
            "article {article}"
        );
    }
    let removed: (String, String, String) =
        sqlx::query_as("SELECT kind, rule, evidence FROM removed_blocks WHERE article_id = $1 AND text = $2")
            .bind(second)
            .bind(LETTER)
            .fetch_one(&scratch.db)
            .await
            .unwrap();
    let evidence = format!("in 1 of 1 other stories of the site: articles {first}");
    assert_eq!(removed, ("body".into(), "site-memory".into(), evidence));

    let before = (body(&scratch, first).await, keys(&scratch, first).await);
    assert_eq!(reclean_all(store).await, 1);
    assert_eq!(reclean_all(store).await, 0, "once is enough");
    let cleaned = body(&scratch, first).await;
    assert!(!cleaned.0.contains(LETTER));
    assert_eq!(
        cleaned.1,
        before.0.1 - 11,
        "the words of the letter are counted no more"
    );
    assert_eq!(
        keys(&scratch, first).await,
        before.1,
        "keys depend on the text as the rules left it"
    );
    for article in [first, second] {
        assert!(
            store
                .explain_site_memory(ArticleId(article))
                .await
                .unwrap()
                .unwrap()
                .same
        );
        assert!(store.explain(ArticleId(article)).await.unwrap().unwrap().same);
    }

    let (event, changes): (i64, Value) =
        sqlx::query_as("SELECT event_id, after FROM clean_events WHERE article_id = $1")
            .bind(first)
            .fetch_one(&scratch.db)
            .await
            .unwrap();
    assert_eq!(changes.as_object().unwrap().len(), 1);
    store.undo_clean_event(event).await.unwrap();
    assert_eq!(body(&scratch, first).await, before.0);
    assert!(
        store.undo_clean_event(event).await.is_err(),
        "it is taken back already"
    );
    assert_eq!(
        reclean_all(store).await,
        0,
        "the janitor leaves alone what a person took back"
    );
    let whole: String = sqlx::query_scalar(
        "SELECT string_agg(text, E'\\n\\n' ORDER BY position) FROM article_blocks WHERE article_id = $1 AND kind = 'body'",
    )
    .bind(second)
    .fetch_one(&scratch.db)
    .await
    .unwrap();
    assert!(
        whole.ends_with(LETTER),
        "the order of what was read can be rebuilt"
    );
    scratch.assert_law().await;
}

#[tokio::test]
async fn copies_of_one_story_and_versions_teach_nothing() {
    let scratch = Scratch::new("site_stories").await;
    let claimed = scratch.claim(0).await;
    let text = ArticleGenerator::new(1).babble(6);
    for (offset, url) in ["/1", "/2", "/2"].iter().enumerate() {
        let url = format!("https://a.example{url}");
        let title = ArticleGenerator::new(100 + offset as u64).babble(1);
        let body = format!("{text}\n\nAdded by version {}.", "x".repeat(offset + 1));
        let text = Text {
            url: Some(&url),
            site: Some("a.example"),
            title: Some(&title),
            body: &body,
            ..Text::default()
        };
        let offset = offset as i64;
        scratch
            .store
            .flush(&claimed, &batch(offset, vec![text.item(0, offset)]))
            .await
            .unwrap();
    }
    assert_eq!(
        scratch
            .count("SELECT count(*) FROM removed_blocks WHERE rule = 'site-memory'")
            .await,
        0
    );
    reclean_all(&scratch.store).await;
    assert_eq!(
        scratch
            .count("SELECT count(*) FROM removed_blocks WHERE rule = 'site-memory'")
            .await,
        0
    );
}

#[tokio::test]
async fn switched_off_it_takes_nothing_and_notes_everything() {
    let scratch = Scratch::new("site_off").await;
    let off = scratch
        .another_store(StoreConfig {
            site_memory: false,
            ..StoreConfig::default()
        })
        .await;
    for seed in 1..=3 {
        store_one(&scratch, &off, "a.example", seed, LETTER).await;
    }
    assert_eq!(
        scratch
            .count("SELECT count(*) FROM articles WHERE body NOT LIKE '%Velmora letter%'")
            .await,
        0
    );
    assert_eq!(
        scratch
            .count("SELECT count(*) FROM evidence WHERE page_blocks IS NULL")
            .await,
        0
    );
    assert!(off.reclean_provisional(i64::MIN, 10).await.unwrap().is_none());
    let on = store_one(&scratch, &scratch.store, "a.example", 4, LETTER).await;
    assert!(
        !body(&scratch, on).await.0.contains(LETTER),
        "what was noted counts"
    );
}

#[tokio::test]
async fn a_person_has_the_last_word_and_it_can_be_carried_elsewhere() {
    let scratch = Scratch::new("site_said").await;
    let store = &scratch.store;
    let say = |decision| SiteBlock {
        site: "a.example".into(),
        block: block_key(LETTER).unwrap(),
        decision,
        sample: Some(LETTER.into()),
        why: "a test".into(),
    };
    store
        .set_overrides(&[say(SiteOverride::Pin)], "test")
        .await
        .unwrap();
    let pinned = store_one(&scratch, store, "a.example", 1, LETTER).await;
    assert!(!body(&scratch, pinned).await.0.contains(LETTER));
    store
        .set_overrides(&[say(SiteOverride::Forget)], "test")
        .await
        .unwrap();
    let spared = store_one(&scratch, store, "a.example", 2, LETTER).await;
    assert!(body(&scratch, spared).await.0.contains(LETTER));
    assert_eq!(store.overrides(None).await.unwrap(), [say(SiteOverride::Forget)]);
    let overview = store.site_overview("a.example", 50).await.unwrap().unwrap();
    let block = overview.blocks.iter().find(|b| b.sample == LETTER).unwrap();
    assert_eq!(
        (block.articles, block.removed_by_memory, block.decision),
        (2, 1, Some(SiteOverride::Forget))
    );
    store.reclean(ArticleId(pinned)).await.unwrap().unwrap();
    assert!(body(&scratch, pinned).await.0.contains(LETTER));
    assert!(store.clear_override("a.example", block.block).await.unwrap());
    assert!(!store.clear_override("a.example", block.block).await.unwrap());
    store.reclean(ArticleId(pinned)).await.unwrap().unwrap();
    assert!(!body(&scratch, pinned).await.0.contains(LETTER));
    let report: (i64, i64) =
        sqlx::query_as("SELECT articles, blocks_by_memory FROM site_report WHERE site = 'a.example'")
            .fetch_one(&scratch.db)
            .await
            .unwrap();
    assert_eq!(report, (2, 1));
}

#[tokio::test]
async fn syndicated_blocks_stay() {
    const AGENCY: [&str; 3] = [
        "The Velmora Press Union is an agency that serves ninety papers.",
        "Its desk in Oostvale takes calls on every day of the week.",
        "Polls of the Union ask a thousand people, by telephone and on quays.",
    ];
    let agency = AGENCY.join("\n\n");
    let scratch = Scratch::new("site_travels").await;
    let store = &scratch.store;
    // Three wire stories on two sites each, and repeated blocks that stay on their site, though one site shows each of them twice.
    for seed in 1..=3 {
        for (site, path) in [("a.example", "1"), ("b.example", "1"), ("a.example", "2")] {
            let repeated = format!("{agency}\n\nHouse line of {site} in Velmora.");
            store_at(&scratch, store, site, &format!("{path}/{seed}"), seed, &repeated).await;
        }
    }
    assert_eq!(scratch.stories().await, 3);
    // The agency's lines and the caption of all these articles; not the paragraphs of a story: each is in one story only.
    assert_eq!(store.find_syndicated_blocks(100).await.unwrap(), 4);
    let mut known: Vec<i64> = sqlx::query_scalar("SELECT block FROM syndicated_block")
        .fetch_all(&scratch.db)
        .await
        .unwrap();
    known.sort_unstable();
    let mut expected: Vec<i64> = AGENCY
        .into_iter()
        .chain(["The quay at dawn. (Photo: A. Pell)"])
        .map(|line| i64::from(block_key(line).unwrap().0))
        .collect();
    expected.sort_unstable();
    assert_eq!(known, expected);
    let repeated = format!("{agency}\n\nHouse line of a.example in Velmora.");
    let next = store_one(&scratch, store, "a.example", 9, &repeated).await;
    let (text, _) = body(&scratch, next).await;
    assert!(text.ends_with(&agency), "{text}");
    // The second story came before it was known, and had lost the agency's lines.
    let early = scratch
        .count("SELECT min(article_id) FROM removed_blocks WHERE text LIKE '%Press Union%'")
        .await;
    store.reclean(ArticleId(early)).await.unwrap().unwrap();
    let (text, _) = body(&scratch, early).await;
    assert!(text.ends_with(&agency), "{text}");
}

#[tokio::test]
async fn blocks_that_cannot_be_read_say_nothing() {
    let scratch = Scratch::new("site_damaged").await;
    let store = &scratch.store;
    for seed in 1..=3 {
        store_one(&scratch, store, "a.example", seed, LETTER).await;
    }
    sqlx::query("UPDATE evidence SET page_blocks = '\\x63ff00'")
        .execute(&scratch.db)
        .await
        .unwrap();
    let after = store_one(&scratch, store, "a.example", 4, LETTER).await;
    assert!(body(&scratch, after).await.0.contains(LETTER));
}
