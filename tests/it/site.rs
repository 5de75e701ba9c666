//! Site memory from the command line, as a person does it, and what monitoring hears of it.

use std::time::{Duration, Instant};

use copydesk_testkit::{ArticleGenerator, Outgoing};
use copydesk_tests::{Pipeline, http_get};
use serde_json::{Value, json};

const SITE: &str = "times.example";
const SLOGAN: &str = "Readers of the Velmora Times know before breakfast what the ferries carry.";
const HOUSE: &str = "The Velmora Times has been the paper of the harbour since 1871.";

/// An article of the site with a text of its own, and these lines at its end.
fn message(seed: u64, lines: &[&str]) -> Outgoing {
    let mut generator = ArticleGenerator::new(seed);
    let title = generator.babble(1);
    let text = [&generator.babble(5), lines.join("\n\n").as_str()].join("\n\n");
    let envelope = json!({
        "url": format!("https://{SITE}/{seed}"), "site": SITE, "title": title.trim_end_matches('.'), "text": text.trim_end(),
    });
    Outgoing::value(envelope.to_string())
}

/// Stores them one after the other; answers with all articles of the site, the oldest first.
async fn store(pipeline: &Pipeline, messages: impl IntoIterator<Item = Outgoing>) -> Vec<i64> {
    pipeline.topic.produce(messages).await;
    pipeline.run_to_end();
    sqlx::query_scalar("SELECT article_id FROM articles WHERE site = $1 ORDER BY article_id")
        .bind(SITE)
        .fetch_all(&pipeline.db)
        .await
        .unwrap()
}

/// Which of the site's articles have the text in their body, the oldest first.
async fn with(pipeline: &Pipeline, text: &str) -> Vec<bool> {
    sqlx::query_scalar("SELECT body LIKE '%' || $2 || '%' FROM articles WHERE site = $1 ORDER BY article_id")
        .bind(SITE)
        .bind(text)
        .fetch_all(&pipeline.db)
        .await
        .unwrap()
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_looks_insists_objects_and_takes_it_back() {
    let pipeline = Pipeline::new("site", 1).await;
    let copydesk = &pipeline.copydesk;
    let refused = |args: &[&str], code: i32, why: &str| {
        let output = copydesk.run(args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
        assert!(said.contains(why), "{args:?}: {said}");
    };

    // The first article has nothing to be held against; those after it have.
    store(&pipeline, [message(1, &[HOUSE, SLOGAN])]).await;
    let articles = store(&pipeline, [message(2, &[SLOGAN]), message(3, &[SLOGAN])]).await;
    let [first, second, _] = articles[..].try_into().unwrap();
    assert_eq!(with(&pipeline, SLOGAN).await, [true, false, false]);

    let shown = parsed(&copydesk.ok(&["site", "show", SITE, "--json"]));
    let slogan = shown["blocks"]
        .as_array()
        .unwrap()
        .iter()
        .find(|b| b["sample"] == SLOGAN)
        .unwrap_or_else(|| panic!("{shown:#}"));
    assert_eq!(shown["articles"], 3);
    assert_eq!(
        (
            &slogan["articles"],
            &slogan["removed_by_memory"],
            &slogan["zones"]
        ),
        (&json!(3), &json!(2), &json!({"kept": 3}))
    );
    let block = slogan["block"].as_str().unwrap();
    let text = copydesk.ok(&["site", "show", SITE]);
    assert!(text.contains(block) && text.contains(SLOGAN), "{text}");
    refused(&["site", "show", "nowhere.example"], 1, "no article of the site");

    let why = parsed(&copydesk.ok(&["site", "explain", &second.to_string(), "--json"]));
    assert_eq!(why["same"], true);
    assert_eq!(
        why["removed"][0]["evidence"],
        format!("in 1 of 1 other stories of the site: articles {first}")
    );
    assert!(
        copydesk
            .ok(&["site", "explain", &first.to_string()])
            .contains("took nothing out")
    );

    // The janitor goes over what came too early; a person takes that back, and the janitor leaves it so.
    copydesk.ok(&["janitor", "--once"]);
    assert_eq!(with(&pipeline, SLOGAN).await, [false, false, false]);
    let event = pipeline
        .count("SELECT event_id FROM clean_events WHERE kind = 'reclean'")
        .await
        .to_string();
    copydesk.ok(&["site", "undo", &event]);
    refused(&["site", "undo", &event], 1, "take the later events back first");
    copydesk.ok(&["janitor", "--once"]);
    assert_eq!(with(&pipeline, SLOGAN).await, [true, false, false]);

    // A person objects: new articles keep it, old ones get it back.
    let said = copydesk.ok(&["site", "forget", SITE, block, "--why", "the column's own"]);
    assert!(
        said.contains("Readers of the Velmora Times") && said.contains("site reclean"),
        "{said}"
    );
    store(&pipeline, [message(4, &[SLOGAN])]).await;
    assert_eq!(with(&pipeline, SLOGAN).await, [true, false, false, true]);
    let now = copydesk.run(&["site", "explain", &second.to_string()]);
    assert_eq!(now.status.code(), Some(3), "the decision comes out otherwise now");
    let gone_over = copydesk.ok(&["site", "reclean", SITE]);
    assert!(
        gone_over.contains("4 articles cleaned again, 2 changed"),
        "{gone_over}"
    );
    assert_eq!(with(&pipeline, SLOGAN).await, [true; 4]);
    copydesk.ok(&["site", "explain", &second.to_string()]);

    // A person insists, by the text: no other article shows it.
    copydesk.ok(&["site", "pin", SITE, HOUSE, "--why", "house line"]);
    copydesk.ok(&["site", "reclean", SITE]);
    assert_eq!(with(&pipeline, HOUSE).await, [false; 4]);

    // What was said goes into a file, and from the file back.
    let exported = copydesk.ok(&["site", "export", SITE]);
    let decisions: Vec<Value> = exported.lines().map(|l| parsed(l)["decision"].clone()).collect();
    assert_eq!(decisions.len(), 2, "{exported}");
    assert!(
        decisions.contains(&json!("pin")) && decisions.contains(&json!("forget")),
        "{exported}"
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("said.jsonl");
    let path = file.to_str().unwrap();
    std::fs::write(&file, &exported).unwrap();
    copydesk.ok(&["site", "clear", SITE, block]);
    copydesk.ok(&["site", "clear", SITE, HOUSE]);
    refused(&["site", "clear", SITE, block], 1, "nothing was said");
    assert_eq!(copydesk.ok(&["site", "export"]), "");
    assert!(
        copydesk
            .ok(&["site", "import", path])
            .contains("2 pins and forgets")
    );
    assert_eq!(copydesk.ok(&["site", "export", SITE]), exported);
    std::fs::write(&file, format!("{exported}{{\"site\": \"{SITE}\"}}\n")).unwrap();
    refused(&["site", "import", path], 1, "line 3");
    copydesk.ok(&["audit"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_is_counted() {
    let pipeline = Pipeline::new("site_metrics", 1).await;
    pipeline
        .topic
        .produce([1, 2, 3].map(|seed| message(seed, &[SLOGAN])))
        .await;
    let (copydesk, address) = pipeline.listening();
    let worker = copydesk.start(&["worker"]);
    pipeline.wait_for(3, Duration::from_secs(60), &[&worker]).await;
    let number = |text: &str, name: &str| -> Option<f64> {
        text.lines()
            .find_map(|l| l.strip_prefix(name)?.strip_prefix(' '))
            .map(|n| n.parse().unwrap())
    };
    // The commit is seen before the worker has counted it.
    let started = Instant::now();
    loop {
        let text = http_get(address, "/metrics")
            .map(|(_, text)| text)
            .unwrap_or_default();
        let blocks = number(&text, "copydesk_site_memory_blocks_total");
        if blocks == Some(2.0) {
            assert_eq!(number(&text, "copydesk_site_memory_words_total"), Some(24.0));
            break;
        }
        assert!(started.elapsed() < Duration::from_secs(60), "{text}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(
        pipeline
            .count("SELECT count(*) FROM removed_blocks WHERE rule = 'site-memory'")
            .await,
        2
    );
}
