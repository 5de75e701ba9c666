//! Refused messages: tried again or given up, one, those that are ticked, or all that match. And articles
//! that are taken down.

use serde_json::{Value, json};

use crate::changes::{asks, desk, sees, story_of};
use crate::support::{Desk, Writes, as_role, ask, ferry, loopback, options, serve, sure};

#[tokio::test(flavor = "multi_thread")]
async fn refused_messages_are_tried_again_or_given_up() {
    let desk = desk("console_settle", Writes::On).await;
    let held = async || {
        desk.number("SELECT count(*) FROM quarantined WHERE state = 'held'")
            .await
    };
    assert_eq!(held().await, 2);
    let page = desk.get("/quarantine").await.ok();
    assert!(page.contains("Try again…") && page.contains("Give up…"));

    let reply = desk.post("/quarantine/replay", &[("reason", "bad_json")]).await;
    asks(reply, "were tried just now");
    let done = desk
        .post("/quarantine/replay", &[("reason", "bad_json"), ("sure", "yes")])
        .await
        .ok();
    assert!(done.contains("1 message: 0 stored, 1 refused again"), "{done}");

    // Of two held ones, the filter that a sentence does not contain something leaves one.
    let detail = desk.json("/quarantine?reason=bad_json").await["messages"][0]["detail"]
        .as_str()
        .unwrap()
        .to_owned();
    asks(
        desk.post("/quarantine/discard", &[("lacks", &detail)]).await,
        "dropped for good",
    );
    assert_eq!(held().await, 2, "asked, not done");
    sees(
        &desk
            .post("/quarantine/discard", &[("lacks", &detail), ("sure", "yes")])
            .await,
    );
    assert_eq!(held().await, 1);
    assert_eq!(
        desk.number("SELECT count(*) FROM quarantined WHERE state = 'discarded' AND reason <> 'bad_json'")
            .await,
        1
    );

    let one = [("topic", "articles.raw"), ("partition", "0"), ("offset", "3")];
    assert!(
        desk.get("/quarantine/articles.raw/0/3")
            .await
            .ok()
            .contains("Settle it")
    );
    asks(desk.post("/quarantine/discard", &one).await, "1 message");
    sees(
        &desk
            .post("/quarantine/discard", &[one[0], one[1], one[2], ("sure", "yes")])
            .await,
    );
    assert_eq!(held().await, 0);
    assert_eq!(
        desk.post("/quarantine/discard", &one).await.status,
        404,
        "settled before"
    );
    assert_eq!(
        desk.post("/quarantine/replay", &[("sure", "yes")]).await.status,
        404,
        "nothing is held"
    );
    let log = desk.json("/log").await;
    let discarded: Vec<_> = log["events"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|e| e["kind"] == "discarded")
        .collect();
    assert_eq!(discarded.len(), 2, "{log:#}");
    assert!(discarded.iter().all(|e| e["who"] == "local"), "{log:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_mended_is_stored_when_it_is_tried_again() {
    let desk = desk("console_replay", Writes::On).await;
    // As if the rules had been wrong and are right now: the message is good, its row says that it was refused.
    let good = ferry("e.example", "5", "Another ferry").to_string();
    let raw = zstd::bulk::compress(good.as_bytes(), 3).unwrap();
    sqlx::query(
        "UPDATE quarantine SET raw = $1, raw_size = $2, raw_hash = NULL, kept_hash = NULL WHERE \
        \"offset\" = 3",
    )
    .bind(&raw)
    .bind(i32::try_from(good.len()).unwrap())
    .execute(&desk.db)
    .await
    .unwrap();
    let one = [("topic", "articles.raw"), ("partition", "0"), ("offset", "3")];
    asks(desk.post("/quarantine/replay", &one).await, "would be stored");
    let done = desk
        .post("/quarantine/replay", &[one[0], one[1], one[2], ("sure", "yes")])
        .await
        .ok();
    assert!(done.contains("1 stored, 0 refused again"), "{done}");
    assert_eq!(
        story_of(&desk, "e.example").await,
        story_of(&desk, "a.example").await
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn those_that_are_ticked_and_all_that_match_beyond_one_page() {
    let desk = Desk::new("console_many", Writes::On).await;
    // More than are read at once, of two kinds.
    let mut values: Vec<Value> = (0..230).map(|n| json!(format!("{{\"a\": {n}"))).collect();
    values.extend((0..3).map(|n| json!({"url": format!("https://d.example/{n}"), "title": "No body"})));
    desk.store(&values).await;
    let held = async || {
        desk.number("SELECT count(*) FROM quarantined WHERE state = 'held'")
            .await
    };
    assert_eq!(held().await, 233);
    let page = desk.get("/quarantine").await.ok();
    assert!(
        page.contains("name=\"message\" value=\"articles.raw/0/0\"") && page.contains("form=\"ticked\""),
        "{page}"
    );

    let ticked = [
        ("these", "ticked"),
        ("message", "articles.raw/0/230"),
        ("message", "articles.raw/0/231"),
    ];
    asks(desk.post("/quarantine/replay", &ticked).await, "2 messages");
    asks(desk.post("/quarantine/discard", &ticked).await, "2 messages");
    sees(&desk.post("/quarantine/discard", &sure(&ticked)).await);
    assert_eq!(held().await, 231);
    for nothing in [&[("these", "ticked")][..], &[("message", "nonsense")]] {
        assert_eq!(desk.post("/quarantine/discard", nothing).await.status, 400);
    }

    let all = [("reason", "bad_json")];
    asks(
        desk.post("/quarantine/discard", &all).await,
        "230 messages. Of the first 200",
    );
    sees(&desk.post("/quarantine/discard", &sure(&all)).await);
    assert_eq!(held().await, 1);
    // Nothing of what one transaction did is cut off at the end of a page of the log.
    let mut seen = 0;
    let mut next = Some("/log".to_owned());
    while let Some(address) = next {
        let log = desk.json(&address).await;
        seen += log["events"].as_array().unwrap().len();
        next = log["next"].as_str().map(str::to_owned);
        assert!(seen <= 232);
    }
    assert_eq!(seen, 232);
    let report = desk.store.audit().await.unwrap();
    assert!(report.is_clean());
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_messages_are_found_by_their_site() {
    let desk = Desk::new("console_key_site", Writes::On).await;
    desk.store(&[json!("{"), json!("{"), json!("{")]).await;
    for (offset, key) in [(0, "News.example"), (1, "token-of-somebody"), (2, "")] {
        sqlx::query("UPDATE quarantine SET key = $1 WHERE \"offset\" = $2")
            .bind(key.as_bytes())
            .bind(i64::from(offset))
            .execute(&desk.db)
            .await
            .unwrap();
    }
    let found = desk.json("/quarantine?site=news.EXAMPLE").await;
    assert_eq!(found["messages"].as_array().unwrap().len(), 1, "{found:#}");
    let all = desk.json("/quarantine").await;
    let sites: Vec<&Value> = all["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| &m["site"])
        .collect();
    assert_eq!(sites, [&json!("news.example"), &Value::Null, &Value::Null]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_article_is_taken_down_and_that_is_lifted() {
    let desk = desk("console_takedown", Writes::On).await;
    let id = desk
        .number("SELECT article_id FROM articles WHERE site = 'c.example'")
        .await;
    let path = format!("/articles/{id}/takedown");
    let fields = [("why", "court <order>")];
    assert!(
        desk.get(&format!("/articles/{id}"))
            .await
            .ok()
            .contains("Take down…")
    );
    asks(desk.post(&path, &fields).await, "Something else");
    assert_eq!(desk.post(&path, &[]).await.status, 400, "without a reason");
    let owner = options(
        as_role(desk.url(), "copydesk_reader"),
        Some(as_role(desk.url(), "copydesk_owner")),
        loopback(),
    );
    let (address, _stop) = serve(owner).await;
    let post = async |path: String, body: &'static str| {
        ask(
            address,
            &format!("POST {path} HTTP/1.1\r\nHost: localhost\r\n"),
            body,
        )
        .await
    };
    let done = desk.post(&path, &sure(&fields)).await.ok();
    assert!(done.contains("is removed"), "{done}");
    let gone = desk.get(&format!("/articles/{id}")).await;
    assert_eq!(gone.status, 410, "{}", gone.body);
    assert!(gone.body.contains("was taken down on"), "{}", gone.body);
    assert_eq!(desk.post(&path, &sure(&fields)).await.status, 410);
    let log = desk.get("/log").await.ok();
    assert!(
        log.contains("court &lt;order&gt; (local, console)") && log.contains("Lift…"),
        "{log}"
    );
    let takedown = desk.number("SELECT takedown_id FROM takedowns").await;
    let lift = format!("/takedowns/{takedown}/lift");
    // A writer may not let it come again.
    let refused = desk.post(&lift, &sure(&[])).await;
    assert_eq!(refused.status, 403, "{}", refused.body);
    assert!(refused.body.contains("copydesk_owner"), "{}", refused.body);
    asks(post(lift.clone(), "").await, "would hold no longer");
    sees(&post(lift.clone(), "sure=yes").await);
    assert_eq!(post(lift, "sure=yes").await.status, 404);
    assert_eq!(desk.get(&format!("/articles/{id}")).await.status, 404);
    let log = desk.json("/log").await;
    let kinds: Vec<&Value> = log["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| &e["kind"])
        .collect();
    assert_eq!(kinds, ["lifted", "takedown"], "{log:#}");
}
