//! Each page shows what is stored, for people and for programs.

use serde_json::json;

use crate::support::{Desk, Writes, ferry};

/// Three copies of one story, one of them in a second version, an article in Japanese, one in Hebrew, a
/// message that is refused.
async fn desk(label: &str, writes: Writes) -> Desk {
    let desk = Desk::new(label, writes).await;
    let japanese = "東京都は月曜日、港の一部を閉鎖すると発表した。濃い霧のため、連絡船は二時間遅れて出港した。乗客二百四十人が岸壁で待っていた。\
                    船長によると、レーダーに漂流する浮標が映ったが、危険はなかったという。運航会社は温かいスープを配った。";
    let hebrew = "המעבורת עזבה את הנמל באיחור של שעתיים ביום שני בגלל ערפל כבד, כך מסרה רשות הנמלים. מאתיים \
        וארבעים נוסעים המתינו על הרציף \
                  מאז שעות הצהריים המוקדמות, רובם בדרכם הביתה מהשוק. הקברניט אמר כי איש מהנוסעים לא היה בסכנה
                      בשום שלב.";
    desk.store(&[
        ferry("lornepost.example", "ferry", "Ferry leaves two hours late"),
        ferry("carrow.example", "late-ferry", "Fog holds up the evening ferry"),
        ferry("soundnews.example", "fog", "Ferry leaves two hours late"),
        json!({"url": "https://minato.example/a", "title": "港を閉鎖", "language": "ja", "text": japanese}),
        json!({"url": "https://namal.example/a", "title": "המעבורת איחרה", "language": "he", "text": hebrew}),
        json!("{\"text\": \"broken"),
    ])
    .await;
    let mut second = ferry("lornepost.example", "ferry", "Ferry leaves three hours late");
    second["html"] = json!(
        second["html"]
            .as_str()
            .unwrap()
            .replace("two hours late on Monday", "three hours late on Monday evening")
    );
    desk.store(&[second]).await;
    desk.index().await;
    desk
}

fn contains(page: &str, all: &[&str]) {
    for expected in all {
        assert!(page.contains(expected), "{expected:?} is missing in\n{page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stories_a_story_and_its_articles() {
    let desk = desk("console_stories", Writes::On).await;
    let list = desk.json("/stories").await;
    assert_eq!(list["stories"].as_array().unwrap().len(), 3, "{list:#}");
    let story = list["stories"]
        .as_array()
        .unwrap()
        .iter()
        .find(|s| s["articles"] == 3)
        .unwrap();
    let id = story["story_id"].as_i64().unwrap();
    assert_eq!(story["sites"], 3);
    contains(
        &desk.get("/stories").await.ok(),
        &[
            "3 articles",
            "lang=\"ja\" dir=\"auto\">港を閉鎖",
            "lang=\"he\"",
            "2 other sites",
            &format!("href=\"/stories/{id}\""),
        ],
    );
    for (query, expected) in [
        ("order=largest", 3),
        ("site=carrow.example", 1),
        ("site=nowhere.example", 0),
        ("language=ja", 1),
        ("since=2020-01-01", 3),
        ("since=2099-01-01", 0),
        ("until=2020-01-01", 0),
        ("until=2099-01-01", 3),
        ("site=carrow.example&order=largest&language=en", 1),
    ] {
        let found = desk.json(&format!("/stories?{query}")).await;
        assert_eq!(
            found["stories"].as_array().unwrap().len(),
            expected,
            "{query}: {found:#}"
        );
    }

    let page = desk.get(&format!("/stories/{id}")).await.ok();
    contains(
        &page,
        &[
            "<svg",
            "Compare A with B",
            "canonical",
            " copy of <a href",
            "carrow.example",
            "Why they are one story",
            "removed: ",
        ],
    );
    let data = desk.json(&format!("/stories/{id}")).await;
    let articles = data["articles"].as_array().unwrap();
    assert_eq!(articles.len(), 3);
    let decisions = data["decisions"].as_array().unwrap();
    assert!(
        !decisions.is_empty()
            && decisions
                .iter()
                .all(|d| !d["candidates"].as_array().unwrap().is_empty()),
        "{decisions:#?}"
    );
    // The number of an article that is in a story finds the story.
    let member = articles[1]["article_id"].as_i64().unwrap();
    assert_eq!(
        desk.json(&format!("/stories/{member}")).await["story"]["story_id"],
        id
    );

    let compared = desk
        .json(&format!("/compare?a={}&b={member}", articles[0]["article_id"]))
        .await;
    assert!(
        compared["title"]
            .as_array()
            .unwrap()
            .iter()
            .any(|p| p["kind"] == "gone"),
        "{compared:#}"
    );
    contains(
        &desk.get(&format!("/compare?a={id}&b={member}")).await.ok(),
        &["<ins>", "<del>", "lornepost.example"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_article_with_what_was_removed_its_versions_and_messages() {
    let desk = desk("console_article", Writes::On).await;
    let id = desk
        .number("SELECT article_id FROM articles WHERE site = 'lornepost.example'")
        .await;
    let page = desk.get(&format!("/articles/{id}")).await.ok();
    contains(
        &page,
        &[
            "<details class=\"removed\">",
            "Check Also",
            "The rule saw",
            "Version 2",
            "what changed",
            "articles.raw[0]@0",
            "articles.raw[0]@6",
            "new version",
        ],
    );
    let data = desk.json(&format!("/articles/{id}")).await;
    assert_eq!(data["article"]["version"], 2);
    assert_eq!(data["sightings"].as_array().unwrap().len(), 2);
    assert!(
        data["blocks"]
            .as_array()
            .unwrap()
            .iter()
            .any(|b| b["kept"] == false)
    );
    let versions = desk
        .get(&format!("/articles/{id}/versions?from=1&to=2"))
        .await
        .ok();
    contains(
        &versions,
        &["<del>two</del>", "<ins>three</ins>", "Version 1", "Version 2"],
    );
    let pair = desk.json(&format!("/articles/{id}/versions")).await;
    assert_eq!(
        (
            pair["older"]["version"].as_i64(),
            pair["newer"]["version"].as_i64()
        ),
        (Some(1), Some(2))
    );
    for missing in [
        "/articles/999999",
        "/articles/x",
        "/articles/-1",
        "/stories/999999",
        "/articles/999999/versions",
        "/compare?a=1&b=999999",
    ] {
        assert_eq!(desk.get(missing).await.status, 404, "{missing}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn search_quarantine_flow_sites_and_log() {
    let desk = desk("console_rest", Writes::On).await;
    let found = desk.json("/search?q=radar").await;
    assert_eq!(
        found["results"].as_array().unwrap().len(),
        1,
        "the best article of the story: {found:#}"
    );
    let copies = desk.json("/search?q=radar&every_copy=1").await;
    assert_eq!(copies["results"].as_array().unwrap().len(), 3);
    contains(
        &desk.get("/search?q=radar").await.ok(),
        &["<mark>radar</mark>", "in <a href=\"/stories/"],
    );
    contains(&desk.get("/search?q=xylophone").await.ok(), &["Nothing found"]);
    assert_eq!(
        desk.json("/search?q=radar&site=nowhere.example").await["results"]
            .as_array()
            .unwrap()
            .len(),
        0
    );

    let held = desk.json("/quarantine").await;
    assert_eq!(held["messages"].as_array().unwrap().len(), 1, "{held:#}");
    assert_eq!(held["reasons"][0]["reason"], "bad_json");
    for (query, expected) in [
        ("reason=bad_json", 1),
        ("reason=no_body", 0),
        ("site=nowhere.example", 0),
        ("state=any", 1),
        ("state=replayed", 0),
        ("contains=%25", 0),
        ("lacks=zebra", 1),
    ] {
        let found = desk.json(&format!("/quarantine?{query}")).await;
        assert_eq!(
            found["messages"].as_array().unwrap().len(),
            expected,
            "{query}: {found:#}"
        );
    }
    let detail = held["messages"][0]["detail"]
        .as_str()
        .unwrap()
        .split(' ')
        .next()
        .unwrap()
        .to_owned();
    assert_eq!(
        desk.json(&format!("/quarantine?lacks={detail}")).await["messages"]
            .as_array()
            .unwrap()
            .len(),
        0
    );
    contains(
        &desk.get("/quarantine").await.ok(),
        &["bad json", "articles.raw[0]@5"],
    );
    contains(
        &desk.get("/quarantine/articles.raw/0/5").await.ok(),
        &["{&quot;text&quot;: &quot;broken", "&lt;header&gt;", "&lt;key&gt;"],
    );
    assert_eq!(desk.get("/quarantine/articles.raw/0/4").await.status, 404);

    let flow = desk.json("/flow").await;
    assert_eq!(flow["partitions"][0]["next_offset"], 7);
    assert_eq!(flow["partitions"][0]["lag"], 993);
    assert_eq!(flow["partitions"][0]["last_refusal"]["offset"], 5);
    assert_eq!(flow["unusual"], json!([]));
    assert_eq!(
        (
            flow["hours"][0]["originals"].as_i64(),
            flow["hours"][0]["copies"].as_i64(),
            flow["hours"][0]["refused"].as_i64()
        ),
        (Some(3), Some(2), Some(1))
    );
    contains(
        &desk.get("/flow?days=2&site=carrow.example").await.ok(),
        &["articles.raw[0]", "<svg", "copies, above them 1"],
    );

    let sites = desk.json("/sites").await;
    assert_eq!(sites["sites"].as_array().unwrap().len(), 5, "{sites:#}");
    assert_eq!(
        desk.json("/sites?from=m").await["sites"][0]["site"],
        "minato.example"
    );
    let site = desk.get("/sites/carrow.example").await.ok();
    contains(&site, &["What it repeats", "related", "Check Also"]);
    assert_eq!(desk.get("/sites/nowhere.example").await.status, 404);
    contains(&desk.get("/log").await.ok(), &["Nothing was changed yet"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_go_by_key() {
    let desk = Desk::new("console_keys", Writes::Off).await;
    let texts = copydesk_testkit::ArticleGenerator::new(5).babble(2);
    assert!(!texts.is_empty());
    let articles: Vec<_> = (0..65)
        .map(|n| {
            let body = copydesk_testkit::ArticleGenerator::new(1_000 + n).babble(4);
            json!({"url": format!("https://s{:02}.example/{n}", n % 40), "title": format!("Story {n}"),
                "language": "en", "text": body})
        })
        .collect();
    desk.store(&articles).await;
    for first in ["/stories", "/stories?order=largest", "/sites"] {
        let (mut at, mut seen) = (Some(first.to_owned()), Vec::new());
        while let Some(address) = at {
            let page = desk.json(&address).await;
            let rows = page
                .get("stories")
                .or(page.get("sites"))
                .unwrap()
                .as_array()
                .unwrap();
            seen.extend(
                rows.iter()
                    .map(|r| r.get("story_id").or(r.get("site")).unwrap().to_string()),
            );
            at = page["next"].as_str().map(str::to_owned);
            assert!(seen.len() <= 65, "{first} does not end");
        }
        let pages = seen.len();
        seen.sort();
        seen.dedup();
        let expected = if first == "/sites" { 40 } else { 65 };
        assert_eq!((pages, seen.len()), (expected, expected), "{first}: each once");
    }
}
