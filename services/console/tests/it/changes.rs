//! Each change asks once, is made by the login that writes, is on record, and is refused where it should be.

use serde_json::{Value, json};

use crate::support::{Desk, Reply, Writes, ferry};

pub(crate) async fn story_of(desk: &Desk, site: &str) -> i64 {
    sqlx::query_scalar("SELECT story_id FROM articles WHERE site = $1")
        .bind(site)
        .fetch_one(&desk.db)
        .await
        .unwrap()
}

/// The page that asks; nothing is changed yet.
pub(crate) fn asks(reply: Reply, said: &str) {
    let page = reply.ok();
    assert!(
        page.contains(said) && page.contains("name=\"sure\" value=\"yes\""),
        "{page}"
    );
}

pub(crate) fn sees(reply: &Reply) -> String {
    assert_eq!(reply.status, 303, "{}", reply.body);
    reply.header("location").unwrap().to_owned()
}

pub(crate) async fn desk(label: &str, writes: Writes) -> Desk {
    let desk = Desk::new(label, writes).await;
    let other = copydesk_testkit::ArticleGenerator::new(99).babble(5);
    desk.store(&[
        ferry("a.example", "1", "Ferry leaves two hours late"),
        ferry("b.example", "2", "Fog holds up the ferry"),
        json!({"url": "https://c.example/3", "title": "Something else", "language": "en", "text": other}),
        Value::String("{".into()),
        json!({"url": "https://d.example/4", "title": "No body"}),
    ])
    .await;
    desk
}

#[tokio::test(flavor = "multi_thread")]
async fn stories_are_merged_split_and_mended_again() {
    let desk = desk("console_merge", Writes::On).await;
    let (ferries, other) = (
        story_of(&desk, "a.example").await,
        story_of(&desk, "c.example").await,
    );
    let merge = format!("/stories/{other}/merge");
    let into = ferries.to_string();
    let fields = [("into", into.as_str()), ("why", "the <b>same</b> event")];
    asks(desk.post(&merge, &fields).await, "Merge two stories?");
    assert_ne!(story_of(&desk, "c.example").await, ferries, "asked, not done");
    let sure = [fields[0], fields[1], ("sure", "yes")];
    assert_eq!(
        sees(&desk.post(&merge, &sure).await),
        format!("/stories/{ferries}")
    );
    assert_eq!(story_of(&desk, "c.example").await, ferries);
    let page = desk.get(&format!("/stories/{ferries}")).await.ok();
    assert!(
        page.contains("the &lt;b&gt;same&lt;/b&gt; event (local, console)") && page.contains("Take back…"),
        "{page}"
    );
    assert_eq!(desk.json("/log").await["events"][0]["kind"], "merge");
    assert_eq!(
        desk.post(&merge, &sure).await.status,
        400,
        "it is in this story already"
    );

    let event = desk.json("/log").await["events"][0]["event_id"].as_i64().unwrap();
    asks(
        desk.post(&format!("/events/{event}/undo"), &[]).await,
        "Take a change back?",
    );
    sees(
        &desk
            .post(&format!("/events/{event}/undo"), &[("sure", "yes")])
            .await,
    );
    assert_ne!(story_of(&desk, "c.example").await, ferries);
    let again = desk
        .post(&format!("/events/{event}/undo"), &[("sure", "yes")])
        .await;
    assert_eq!(again.status, 409, "{}", again.body);

    let article: i64 = desk
        .number("SELECT article_id FROM articles WHERE site = 'b.example'")
        .await;
    let (split, article) = (format!("/stories/{ferries}/split"), article.to_string());
    let fields = [("article", article.as_str()), ("why", "")];
    asks(desk.post(&split, &fields).await, "become a story of their own");
    sees(&desk.post(&split, &[fields[0], ("sure", "yes")]).await);
    assert_ne!(story_of(&desk, "b.example").await, ferries);
    for (path, fields, status) in [
        (split.as_str(), &[][..], 400),
        (split.as_str(), &[("article", "999999"), ("sure", "yes")][..], 400),
        (split.as_str(), &[("article", "x")][..], 400),
        (merge.as_str(), &[("into", "999999"), ("sure", "yes")][..], 404),
        (merge.as_str(), &[("sure", "yes")][..], 400),
        ("/events/999999/undo", &[("sure", "yes")][..], 409),
    ] {
        let reply = desk.post(path, fields).await;
        assert_eq!(reply.status, status, "{path} {fields:?}: {}", reply.body);
    }
    let report = desk.store.audit().await.unwrap();
    assert!(report.is_clean());
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_of_a_site_are_pinned_forgotten_and_cleared() {
    let desk = Desk::new("console_say", Writes::On).await;
    let promo = "Read the paper that sees the sea every morning before breakfast.";
    let article = |n: u64| {
        let body = copydesk_testkit::ArticleGenerator::new(300 + n).babble(4);
        json!({"url": format!("https://times.example/{n}"), "title": format!("News {n}"), "language": "en",
            "text": format!("{body}\n\n{promo}")})
    };
    desk.store(&(0..3).map(article).collect::<Vec<_>>()).await;
    let site = desk.json("/sites/times.example").await;
    let block = site["repeats"]["blocks"][0]["block"].as_str().unwrap().to_owned();
    let say = "/sites/times.example/say";
    for (what, said) in [("pin", Some("pin")), ("forget", Some("forget")), ("clear", None)] {
        let fields = [("block", block.as_str()), ("what", what), ("why", "house advert")];
        asks(desk.post(say, &fields).await, "sees the sea");
        sees(
            &desk
                .post(say, &[fields[0], fields[1], fields[2], ("sure", "yes")])
                .await,
        );
        let stored: Option<(String, String, String)> =
            sqlx::query_as("SELECT decision, why, decided_by FROM site_blocks")
                .fetch_optional(&desk.db)
                .await
                .unwrap();
        let expected = said.map(|s| {
            (
                s.to_owned(),
                "house advert (local, console)".to_owned(),
                "local".to_owned(),
            )
        });
        assert_eq!(stored, expected, "{what}");
    }
    for fields in [
        [("block", "xyz"), ("what", "pin")],
        [("block", block.as_str()), ("what", "praise")],
    ] {
        assert_eq!(desk.post(say, &fields).await.status, 400, "{fields:?}");
    }
}

/// Every address of a change: refused where changes are off, and where a page elsewhere asks for it.
#[tokio::test(flavor = "multi_thread")]
async fn changes_are_off_unless_a_second_login_is_set_and_never_come_from_elsewhere() {
    let (off, on) = (
        desk("console_off", Writes::Off).await,
        desk("console_on", Writes::On).await,
    );
    let sure = [
        ("sure", "yes"),
        ("into", "1"),
        ("article", "1"),
        ("block", "00000000"),
        ("what", "pin"),
    ];
    for path in [
        "/stories/1/merge",
        "/stories/1/split",
        "/events/1/undo",
        "/clean-events/1/undo",
        "/quarantine/replay",
        "/quarantine/discard",
        "/sites/a.example/say",
        "/articles/1/takedown",
        "/takedowns/1/lift",
    ] {
        let reply = off.post(path, &sure).await;
        assert_eq!(reply.status, 403, "{path}: {}", reply.body);
        assert!(reply.body.contains("Changes are off"), "{path}");
        for headers in [
            "Sec-Fetch-Site: cross-site\r\n",
            "Origin: https://evil.example\r\n",
        ] {
            let reply = on.post_with(path, &sure, headers).await;
            assert_eq!(reply.status, 403, "{path}");
            assert!(reply.body.contains("another site"), "{path}");
        }
        assert_eq!(on.get(path).await.status, 405, "{path}: read, it changes nothing");
    }
    for page in [
        "/stories/1",
        "/quarantine",
        "/sites/a.example",
        "/log",
        "/quarantine/articles.raw/0/3",
        "/articles/1",
    ] {
        let drawn = off.get(page).await.ok();
        assert!(!drawn.contains("method=\"post\""), "{page} offers a change");
    }
    assert_eq!(
        on.number("SELECT count(*) FROM quarantined WHERE state = 'held'")
            .await,
        2
    );
    assert_eq!(on.number("SELECT count(*) FROM story_events").await, 0);
    assert_eq!(on.number("SELECT count(*) FROM takedowns").await, 0);
}

/// The login that reads could not write if a page asked it to.
#[tokio::test(flavor = "multi_thread")]
async fn the_login_that_reads_cannot_write() {
    let desk = desk("console_readonly", Writes::Off).await;
    let store = copydesk_store::Store::connect(&copydesk_store::StoreConfig {
        url: desk.url().into(),
        read_only: true,
        ..copydesk_store::StoreConfig::default()
    })
    .await
    .unwrap();
    let error = store
        .merge_stories(copydesk_article::StoryId(1), copydesk_article::StoryId(3), "")
        .await
        .unwrap_err();
    assert_eq!(error.sqlstate().as_deref(), Some("25006"), "{error}");
}

/// Whatever stands in a field, the answer is a page that says what is wrong, or the change with the text as
/// it was written.
#[tokio::test(flavor = "multi_thread")]
async fn no_field_of_a_form_breaks_a_change() {
    let desk = desk("console_fields", Writes::On).await;
    let long = "x".repeat(5_000);
    let texts = [
        "\0",
        "a\0\u{202e}<script>alert(1)</script>",
        "-1",
        "9223372036854775808",
        "' OR 1=1 --",
        long.as_str(),
    ];
    for text in texts {
        for path in [
            "/stories/1/merge",
            "/stories/1/split",
            "/events/1/undo",
            "/clean-events/1/undo",
            "/quarantine/replay",
            "/quarantine/discard",
            "/sites/a.example/say",
            "/sites/%00/say",
            "/takedowns/1/lift",
        ] {
            let names = [
                "into",
                "article",
                "why",
                "message",
                "topic",
                "partition",
                "offset",
                "block",
                "what",
                "since",
                "until",
                "state",
                "reason",
                "stage",
                "site",
                "contains",
                "lacks",
                "after",
                "these",
            ];
            for name in names {
                let fields = [
                    (name, text),
                    ("sure", "yes"),
                    ("what", "pin"),
                    ("block", "00000001"),
                    ("contains", "no such sentence"),
                ];
                let reply = desk.post(path, &fields).await;
                assert!(reply.status < 500, "{path} {name}={text:.40?}: {}", reply.body);
                assert!(!reply.body.contains("<script>"), "{path} {name}: {}", reply.body);
            }
        }
    }
    let other = story_of(&desk, "c.example").await;
    let merged = [("into", "1"), ("why", texts[1]), ("sure", "yes")];
    sees(&desk.post(&format!("/stories/{other}/merge"), &merged).await);
    let why: String =
        sqlx::query_scalar("SELECT detail ->> 'why' FROM story_events ORDER BY event_id DESC LIMIT 1")
            .fetch_one(&desk.db)
            .await
            .unwrap();
    assert_eq!(why, "a\u{202e}<script>alert(1)</script> (local, console)");
    let taken = [("why", texts[0]), ("sure", "yes")];
    let article = desk
        .number("SELECT article_id FROM articles WHERE site = 'b.example'")
        .await;
    desk.post(&format!("/articles/{article}/takedown"), &taken)
        .await
        .ok();
    assert!(desk.store.audit().await.unwrap().is_clean());
}
