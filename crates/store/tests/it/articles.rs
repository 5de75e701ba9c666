//! One article's rows: what was read can be rebuilt, versions, addresses used again, links.

use crate::support::{NOON, Scratch, Text, batch, prose};

#[tokio::test]
async fn everything_that_was_read_can_be_rebuilt_in_its_order() {
    let scratch = Scratch::new("rebuild").await;
    let claimed = scratch.claim(0).await;
    let text = Text {
        url: Some("https://a.example/größe"),
        site: Some("a.example"),
        title: Some("Größe zählt"),
        body: "Erster Absatz über Größe.\n\nZweiter Absatz, 日本語 am Ende.",
        ..Text::default()
    };
    scratch
        .store
        .flush(&claimed, &batch(0, vec![text.item(0, 0)]))
        .await
        .unwrap();
    let blocks: Vec<(String, bool, Option<String>, String)> =
        sqlx::query_as("SELECT kind, kept, rule, text FROM article_blocks ORDER BY position")
            .fetch_all(&scratch.db)
            .await
            .unwrap();
    let got: Vec<(&str, bool, Option<&str>, &str)> = blocks
        .iter()
        .map(|(k, kept, r, t)| (k.as_str(), *kept, r.as_deref(), t.as_str()))
        .collect();
    assert_eq!(
        got,
        [
            ("headline", true, None, "Größe zählt"),
            ("body", true, None, "Erster Absatz über Größe."),
            ("body", true, None, "Zweiter Absatz, 日本語 am Ende."),
            ("caption", true, None, "The quay at dawn. (Photo: A. Pell)"),
            ("boilerplate", false, Some("related-marker"), "Check Also"),
        ]
    );
    let (authors, body, captions): (Vec<String>, String, Vec<String>) =
        sqlx::query_as("SELECT authors, body, captions FROM articles")
            .fetch_one(&scratch.db)
            .await
            .unwrap();
    assert_eq!(authors, ["Ada Pell", "Jonas Verhune"]);
    assert_eq!(body, text.body);
    assert_eq!(captions.len(), 1);
}

#[tokio::test]
async fn one_address_many_texts() {
    for together in [false, true] {
        let scratch = Scratch::new("versions").await;
        let first = prose(1, 6);
        let second = format!("{first}\n\n{}", prose(2, 1));
        let other = prose(3, 6);
        let at = |body| Text {
            url: Some("https://a.example/1"),
            site: Some("a.example"),
            body,
            ..Text::default()
        };
        let report = scratch
            .flush_texts(
                &[at(&first), at(&first), at(&second), at(&other), at(&other)],
                together,
            )
            .await;
        assert_eq!(
            (report.new_articles, report.new_versions, report.unchanged),
            (2, 1, 2),
            "together: {together}"
        );
        let rows: Vec<(i32, Option<i64>, Option<f32>)> =
            sqlx::query_as("SELECT version, replaces, (SELECT version_similarity FROM article WHERE article_id = a.article_id) FROM article a ORDER BY article_id")
                .fetch_all(&scratch.db)
                .await
                .unwrap();
        assert_eq!(rows.iter().map(|r| r.0).collect::<Vec<_>>(), [2, 1]);
        assert!(rows[1].1.is_some(), "the address was used again");
        assert!(rows[0].2.unwrap() > 0.5);
        let versions: Vec<(i32, bool, String)> = sqlx::query_as(
            "SELECT version, latest, body FROM article_versions WHERE article_id = (SELECT min(article_id) FROM article) ORDER BY version",
        )
        .fetch_all(&scratch.db)
        .await
        .unwrap();
        assert_eq!(versions, [(1, false, first.clone()), (2, true, second)]);
        let verdicts: Vec<String> = sqlx::query_scalar("SELECT verdict FROM sighting ORDER BY \"offset\"")
            .fetch_all(&scratch.db)
            .await
            .unwrap();
        assert_eq!(
            verdicts,
            [
                "new_article",
                "unchanged",
                "new_version",
                "new_article",
                "unchanged"
            ]
        );
    }
}

#[tokio::test]
async fn copies_join_the_story_and_say_why() {
    for together in [false, true] {
        let scratch = Scratch::new("copies").await;
        let original = prose(11, 8);
        let paragraphs: Vec<&str> = original.split("\n\n").collect();
        let cut = paragraphs[..3].join("\n\n");
        let edited = original.replacen(paragraphs[7], &prose(12, 1), 1);
        let other = prose(13, 8);
        let sites = ["a.example", "b.example", "c.example", "d.example", "e.example"];
        let urls: Vec<String> = sites.iter().map(|s| format!("https://{s}/x")).collect();
        let bodies = [original.as_str(), original.as_str(), &edited, &cut, &other];
        let texts: Vec<Text<'_>> = sites
            .iter()
            .zip(&urls)
            .zip(bodies)
            .map(|((site, url), body)| Text {
                url: Some(url),
                site: Some(site),
                body,
                ..Text::default()
            })
            .collect();
        let report = scratch.flush_texts(&texts, together).await;
        assert_eq!(
            (
                report.new_articles,
                report.exact_copies,
                report.near_copies,
                report.excerpts
            ),
            (2, 1, 1, 1),
            "together: {together}"
        );
        let rows: Vec<(String, Option<String>, i64)> = sqlx::query_as(
            "SELECT relation, link_reason, story_id - (SELECT min(article_id) FROM article) FROM membership ORDER BY article_id",
        )
        .fetch_all(&scratch.db)
        .await
        .unwrap();
        assert!(rows[..4].iter().all(|r| r.2 == 0), "one story: {rows:?}");
        assert_ne!(rows[4].2, 0);
        assert_eq!(rows[1].1.as_deref(), Some("same_body"));
        assert_eq!(
            scratch
                .count("SELECT articles FROM stories ORDER BY story_id LIMIT 1")
                .await,
            4
        );
    }
}

#[tokio::test]
async fn copies_on_both_sides_of_a_window_meet() {
    let scratch = Scratch::new("windows").await;
    let claimed = scratch.claim(0).await;
    // Windows of 30 days since 2020-01-01: day 2280 is a border.
    let border: chrono::DateTime<chrono::Utc> = "2026-03-30T00:00:00Z".parse().unwrap();
    assert_eq!(
        (border
            - "2020-01-01T00:00:00Z"
                .parse::<chrono::DateTime<chrono::Utc>>()
                .unwrap())
        .num_days()
            % 30,
        0
    );
    for (time, number) in [("2026-03-29T23:59:59Z", 75_i32), ("2026-03-30T00:00:00Z", 76)] {
        let window: i32 = sqlx::query_scalar("SELECT copydesk_window($1::timestamptz)")
            .bind(time.parse::<chrono::DateTime<chrono::Utc>>().unwrap())
            .fetch_one(&scratch.db)
            .await
            .unwrap();
        assert_eq!(window, number, "{time}");
    }
    let body = prose(21, 6);
    let at = |site| Text::of_site(site, "Harbour", &body);
    let items = vec![
        at("a.example").item_at(0, 0, "2026-03-29T23:30:00Z"),
        at("b.example").item_at(0, 1, "2026-03-30T00:10:00Z"),
        at("c.example").item_at(0, 2, NOON),
    ];
    for (n, item) in items.into_iter().enumerate() {
        scratch
            .store
            .flush(&claimed, &batch(n as i64, vec![item]))
            .await
            .unwrap();
    }
    assert_eq!(scratch.stories().await, 1);
    scratch.assert_law().await;
}

#[tokio::test]
async fn copies_in_neighbouring_windows_meet_and_those_further_apart_do_not() {
    // The 15th of these months lies in the windows 76, 77, 78 and 79, far from their borders.
    for (times, stories) in [
        (["2026-04-15T00:00:00Z", "2026-05-15T00:00:00Z"], 1),
        (["2026-05-15T00:00:00Z", "2026-04-15T00:00:00Z"], 1),
        (["2026-04-15T00:00:00Z", "2026-06-15T00:00:00Z"], 2),
        (["2026-06-15T00:00:00Z", "2026-04-15T00:00:00Z"], 2),
    ] {
        let scratch = Scratch::new("neighbours").await;
        let claimed = scratch.claim(0).await;
        let body = prose(23, 6);
        for ((n, time), site) in times.iter().enumerate().zip(["a.example", "b.example"]) {
            let text = Text::of_site(site, "Harbour", &body);
            let items = vec![text.item_at(0, n as i64, time)];
            scratch
                .store
                .flush(&claimed, &batch(n as i64, items))
                .await
                .unwrap();
        }
        assert_eq!(scratch.stories().await, stories, "{times:?}");
        scratch.assert_law().await;
    }
}

#[tokio::test]
async fn a_batch_of_many_windows_finds_each_copy_in_its_own() {
    let scratch = Scratch::new("archive").await;
    let claimed = scratch.claim(0).await;
    let bodies: Vec<String> = (0..8).map(|n| prose(40 + n, 6)).collect();
    let first: chrono::DateTime<chrono::Utc> = "2025-01-15T00:00:00Z".parse().unwrap();
    // Originals sixty days apart, and of each a copy thirty days later.
    for (part, site) in ["a.example", "b.example"].into_iter().enumerate() {
        let offset = 8 * part;
        let items = bodies.iter().enumerate().map(|(n, body)| {
            let text = Text::of_site(site, "Harbour", body);
            let time = first + chrono::TimeDelta::days((60 * n + 30 * part) as i64);
            text.item_at(0, (offset + n) as i64, &time.to_rfc3339())
        });
        let batch = batch(offset as i64, items.collect());
        scratch.store.flush(&claimed, &batch).await.unwrap();
    }
    let pairs = "SELECT count(*) FROM articles c JOIN articles o ON o.article_id = c.linked_to
                 WHERE c.message_time = o.message_time + interval '30 days' AND c.story_id = o.story_id";
    assert_eq!(scratch.count(pairs).await, 8);
    scratch.assert_law().await;
}

#[tokio::test]
async fn copies_with_a_time_far_off_meet() {
    let scratch = Scratch::new("far_off").await;
    let claimed = scratch.claim(0).await;
    // The first and the last window that there is.
    for (n, time) in ["1970-01-01T00:00:00Z", "2900-01-01T00:00:00Z"]
        .iter()
        .enumerate()
    {
        let body = prose(22 + n as u64, 6);
        for (m, site) in ["a.example", "b.example"].iter().enumerate() {
            let text = Text::of_site(site, "Harbour", &body);
            let offset = (2 * n + m) as i64;
            let items = vec![text.item_at(0, offset, time)];
            scratch
                .store
                .flush(&claimed, &batch(offset, items))
                .await
                .unwrap();
        }
        let stored = scratch.count("SELECT count(*) FROM article").await;
        let stories = scratch.stories().await;
        assert_eq!((stored, stories), (2 * n as i64 + 2, n as i64 + 1), "{time}");
    }
    scratch.assert_law().await;
}
