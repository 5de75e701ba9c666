//! Bad messages: kept with their bytes and a reason, and the stream goes on.

use copydesk_testkit::{ArticleGenerator, Outgoing};
use copydesk_tests::Pipeline;

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_bad_message_is_kept_and_its_neighbours_are_stored() {
    let bad: Vec<(&str, Outgoing)> = vec![
        ("empty", Outgoing::default()),
        ("empty", Outgoing::value("  \n ")),
        (
            "not_utf8",
            Outgoing::value(b"{\"text\": \"caf\xe9 closed\"}".to_vec()),
        ),
        (
            "bad_json",
            Outgoing::value("{\"url\": \"https://a.example/1\", \"text\": "),
        ),
        ("no_body", Outgoing::value("{\"url\": \"https://a.example/1\"}")),
        ("bad_envelope", Outgoing::value("{\"text\": [1, 2]}")),
        (
            "lone_surrogate",
            Outgoing::value(r#"{"text": "half a pair \ud83d here"}"#),
        ),
        (
            "json_too_deep",
            Outgoing::value(format!(
                "{{\"text\": \"x\", \"y\": {}{}}}",
                "[".repeat(500),
                "]".repeat(500)
            )),
        ),
        ("too_large", Outgoing::value(vec![b'a'; 9 << 20])),
    ];
    let pipeline = Pipeline::new("quarantine", 1).await;
    let mut generator = ArticleGenerator::new(41);
    let mut records = Vec::new();
    for (n, (_, outgoing)) in bad.iter().enumerate() {
        records.push(Outgoing::value(generator.envelope("good.example", n)));
        records.push(outgoing.clone());
    }
    // NUL bytes are taken out, not a reason to lose an article: Postgres could not hold them.
    records.push(Outgoing::value(format!(
        r#"{{"url": "https://good.example/nul", "text": "{}"}}"#,
        generator
            .text(4)
            .replace("\n\n", "\\n\\n")
            .replace(" in ", " in\\u0000 ")
    )));
    let all = records.len() as i64;
    pipeline.topic.produce(records).await;
    pipeline.run_to_end();

    pipeline.assert_every_offset_once(all).await;
    assert_eq!(
        pipeline.count("SELECT count(*) FROM article").await,
        bad.len() as i64 + 1
    );
    let rows: Vec<(String, i64)> =
        sqlx::query_as("SELECT reason, \"offset\" FROM quarantine ORDER BY \"offset\"")
            .fetch_all(&pipeline.db)
            .await
            .unwrap();
    let reasons: Vec<&str> = rows.iter().map(|(reason, _)| reason.as_str()).collect();
    assert_eq!(reasons, bad.iter().map(|(reason, _)| *reason).collect::<Vec<_>>());
    let with_nul = pipeline
        .count("SELECT count(*) FROM article WHERE canonical_url = 'https://good.example/nul'")
        .await;
    assert_eq!(with_nul, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_wrong_rules_refused_are_replayed_with_the_right_ones() {
    let pipeline = Pipeline::new("replay", 2).await;
    let folder = std::env::temp_dir().join(format!("copydesk-rules-{}.toml", std::process::id()));
    // Somebody's own rule takes out every line that is about the quay: of the doomed articles nothing is left.
    std::fs::write(
        &folder,
        "[[rule]]\nname = \"too-eager\"\nmatch = \"within\"\naction = \"line\"\nsure = true\nlongest = 10000\nphrases = [\"about the quay\"]\n",
    )
    .unwrap();
    let doomed = |n: usize| Outgoing {
        partition: Some(i32::try_from(n % 2).unwrap()),
        key: Some(format!("key {n}")),
        headers: vec![("x-crawl".into(), vec![0, 1, 255])],
        payload: Some(
            format!(
                "{{\"url\": \"https://quay.example/{n}\", \"text\": \"The {n} people who live here have \
                     much to say about the quay and what became of it.\"}}"
            )
            .into_bytes(),
        ),
    };
    let mut generator = ArticleGenerator::new(43);
    let mut records: Vec<Outgoing> = (0..10).map(doomed).collect();
    records.extend((0..20).map(|n| Outgoing {
        partition: Some(n % 2),
        ..Outgoing::value(generator.envelope("good.example", usize::try_from(n).unwrap()))
    }));
    records.push(Outgoing {
        partition: Some(0),
        ..Outgoing::value("{")
    });
    pipeline.topic.produce(records).await;
    let eager = pipeline
        .copydesk
        .clone()
        .with("COPYDESK_CLEAN_RULES_FILE", folder.to_str().unwrap());
    eager.ok(&["worker", "--until-end"]);
    pipeline.assert_every_offset_once(31).await;
    let copydesk = &pipeline.copydesk;

    // Look.
    let listed = copydesk.ok(&["quarantine", "list", "--reason", "no_article", "--json"]);
    let entries: Vec<serde_json::Value> = listed.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(entries.len(), 10, "{listed}");
    let message = format!("{}[1]@2", pipeline.topic.name());
    assert!(listed.contains(&message), "{listed}");
    let shown = copydesk.ok(&["quarantine", "show", &message]);
    assert!(
        shown.contains("no_article") && shown.contains("key 5") && shown.contains("x-crawl"),
        "{shown}"
    );
    let raw = copydesk.run(&["quarantine", "show", "--raw", &message]).stdout;
    assert_eq!(Some(raw), doomed(5).payload, "byte for byte");

    // Again with the same rules: refused again, nothing has changed but the count of tries.
    let output = eager.run(&["quarantine", "replay", "--reason", "no_article"]);
    std::fs::remove_file(&folder).unwrap();
    assert_eq!(output.status.code(), Some(3));
    pipeline.assert_every_offset_once(31).await;
    assert_eq!(
        pipeline.count("SELECT sum(attempts)::int8 FROM quarantine").await,
        21
    );

    // With the right ones, from two terminals at once: each is stored once, under its own offset.
    let replays = std::thread::scope(|scope| {
        let replay = || copydesk.ok(&["quarantine", "replay", "--reason", "no_article"]);
        let (one, two) = (scope.spawn(replay), scope.spawn(replay));
        [one.join().unwrap(), two.join().unwrap()]
    });
    let stored: u32 = replays
        .iter()
        .map(|said| said.split(' ').next().unwrap().parse::<u32>().unwrap())
        .sum();
    assert_eq!(stored, 10, "{replays:?}");
    let again = copydesk.ok(&["quarantine", "replay", "--reason", "no_article"]);
    assert!(again.starts_with("0 stored"), "{again}");
    pipeline.assert_every_offset_once(31).await;
    assert_eq!(
        pipeline
            .count(
                "SELECT count(*) FROM quarantine q JOIN sighting s USING (topic, partition, \"offset\")
                 JOIN article a USING (article_id) WHERE q.state = 'replayed' AND a.site = 'quay.example'"
            )
            .await,
        10
    );

    // What was replayed says where its bytes are.
    let shown = copydesk.ok(&["quarantine", "show", &message]);
    assert!(shown.contains("replayed and is an article now"), "{shown}");

    // The rest is given up: it stays without its bytes and is counted.
    let refused = copydesk.run(&["quarantine", "discard"]);
    assert!(!refused.status.success(), "everything needs --all");
    let said = copydesk.ok(&["quarantine", "discard", "--reason", "bad_json"]);
    // Compressed, one character is ten bytes.
    assert!(said.starts_with("1 discarded, 10 bytes freed"), "{said}");
    assert!(copydesk.ok(&["quarantine", "list"]).contains("nothing is held"));
    pipeline.assert_every_offset_once(31).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_database_refused_alone_is_replayed_when_it_takes_it() {
    let pipeline = Pipeline::new("refused", 1).await;
    pipeline.produce_articles(44, 40, 1).await;
    sqlx::query("ALTER TABLE article ADD CONSTRAINT test_only CHECK (canonical_url NOT LIKE '%/story-2_')")
        .execute(&pipeline.db)
        .await
        .unwrap();
    pipeline.run_to_end();
    pipeline.assert_every_offset_once(40).await;
    assert_eq!(
        pipeline
            .count("SELECT count(*) FROM quarantine WHERE reason = 'refused_by_database' AND detail LIKE '%23514%'")
            .await,
        10,
        "these ten and none of their neighbours"
    );
    sqlx::query("ALTER TABLE article DROP CONSTRAINT test_only")
        .execute(&pipeline.db)
        .await
        .unwrap();
    let said = pipeline
        .copydesk
        .ok(&["quarantine", "replay", "--reason", "refused_by_database"]);
    assert!(said.starts_with("10 stored"), "{said}");
    pipeline.assert_every_offset_once(40).await;
    assert_eq!(pipeline.count("SELECT count(*) FROM article").await, 40);
}

/// Bytes that no compression makes fewer, and that are no article.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_be_bytes()[3]
    };
    (0..length).map(|_| next()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_quarantine_has_a_bound_and_every_offset_its_row() {
    let pipeline = Pipeline::new("bound", 1).await;
    // 2 MB of garbage for a bound of 1 MiB; articles between them.
    let mut generator = ArticleGenerator::new(43);
    let garbage = |n| Outgoing::value(noise(n, 100_000));
    let records: Vec<Outgoing> = (0..20)
        .flat_map(|n| {
            let good = Outgoing::value(generator.envelope("good.example", usize::try_from(n).unwrap()));
            [good, garbage(n)]
        })
        .collect();
    pipeline.topic.produce(records).await;
    let copydesk = pipeline
        .copydesk
        .clone()
        .with("COPYDESK_QUARANTINE_MAX_BYTES", "1 MiB");
    copydesk.ok(&["worker", "--until-end"]);
    pipeline.assert_every_offset_once(40).await;
    let kept = "SELECT count(*) FROM quarantined WHERE stored_bytes > 0";
    let bytes = "SELECT sum(stored_bytes)::int8 FROM quarantined";
    // One worker with one partition: not a byte more.
    assert_eq!(pipeline.count(kept).await, 10);
    assert!(pipeline.count(bytes).await <= 1 << 20);
    copydesk.ok(&["audit"]);

    // The row of the last one is there, and says which message it was.
    let last = format!("{}[0]@39", pipeline.topic.name());
    let shown = copydesk.ok(&["quarantine", "show", &last]);
    assert!(
        shown.contains("100000 bytes, SHA-256 ") && shown.contains("the quarantine was full"),
        "{shown}"
    );
    let raw = copydesk.run(&["quarantine", "show", "--raw", &last]);
    assert!(!raw.status.success() && raw.stdout.is_empty());
    assert!(String::from_utf8_lossy(&raw.stderr).contains("the quarantine was full"));
    let replay = copydesk.run(&["quarantine", "replay"]);
    let said = String::from_utf8_lossy(&replay.stdout);
    assert_eq!(replay.status.code(), Some(3));
    assert!(
        said.contains("10 refused again") && said.contains("10 without bytes") && said.contains("rewind"),
        "{said}"
    );

    // The janitor makes room: the oldest go, the next ones are kept.
    let done = copydesk.ok(&["janitor", "--once"]);
    assert!(done.contains("quarantine: 1 message without bytes now"), "{done}");
    pipeline.topic.produce([garbage(100)]).await;
    copydesk.ok(&["worker", "--until-end"]);
    pipeline.assert_every_offset_once(41).await;
    assert_eq!(pipeline.count(kept).await, 10);
    let listed = copydesk.ok(&["quarantine", "list", "--json", "--message", &last]);
    let entry: serde_json::Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(entry["content_dropped_for"], "bound");
    assert_eq!(entry["raw_hash"].as_str().map(str::len), Some(64));

    // By age.
    sqlx::query("UPDATE quarantine SET first_seen = now() - interval '91 days' WHERE \"offset\" < 39")
        .execute(&pipeline.db)
        .await
        .unwrap();
    copydesk.ok(&["janitor", "--once"]);
    assert_eq!(pipeline.count(kept).await, 1);
    copydesk.ok(&["audit"]);

    // What was dropped can be read again while Kafka has it.
    copydesk.ok(&["rewind", "--partition", "0", "--to", "39"]);
    copydesk.ok(&["worker", "--until-end"]);
    pipeline.assert_every_offset_once(41).await;
    assert!(
        !copydesk
            .run(&["quarantine", "show", "--raw", &last])
            .stdout
            .is_empty()
    );
}
