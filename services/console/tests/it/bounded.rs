//! No page reads a table whole: Postgres counts the rows that each page has it read.
//!
//! Every index must be able to serve: sequential scans are switched off for the console's login, so that
//! Postgres takes one of a small table only where nothing else answers the question. `/flow` is not among
//! them: it reads the articles of its days, once a minute whoever looks.

use std::collections::BTreeMap;

use serde_json::json;
use sqlx::postgres::PgPoolOptions;
use sqlx::{Executor as _, PgPool};

use crate::support::{Desk, Writes, as_role, ask, ferry, loopback, options, serve};

/// Articles beside those that were really stored, each a story of its own, over a hundred days.
const ARTICLES: i64 = 4_000;
/// Refused messages: several times what a page looks into.
const REFUSED: i64 = 60_000;

/// Rows for all that the console shows. Half of the stories are of one site, one in ten is in German.
const FILL: &str = "
    INSERT INTO article (article_id, published_at, message_time, ingested_at, version_at, version, word_count, fingerprint_version,
        identity, body_hash, raw_hash, rules_version, site, title, language, url, canonical_url)
    SELECT n, at, at, at, at, 2, 40, 1, decode(md5(n::text), 'hex'), decode(md5(n::text), 'hex'), decode(md5(n::text), 'hex'), 'x',
        CASE n % 2 WHEN 0 THEN 'big.example' ELSE 's' || n % 300 || '.example' END, 'Title w' || n,
        CASE n % 10 WHEN 0 THEN 'de' ELSE 'en' END, 'https://x.example/' || n, 'https://x.example/' || n
    FROM (SELECT 1000 + k AS n, now() - interval '100 days' + k * interval '100 days' / 4000 AS at FROM generate_series(1, 4000) k) x;
    INSERT INTO membership (article_id, story_id, relation)
    SELECT article_id, article_id, 'original' FROM article WHERE article_id > 1000;
    INSERT INTO article_text (article_id, blocks, body)
    SELECT article_id, '[[\"headline\"], [\"body\", 30], [\"boilerplate\", \"Check Also\", \"related-marker\", \"check also\"]]',
        'Words of common use and w' || article_id FROM article WHERE article_id > 1000;
    INSERT INTO article_version (article_id, version, message_time, version_at, word_count, fingerprint_version, body_hash, rules_version, blocks, body)
    SELECT article_id, 1, message_time, version_at, 40, 1, body_hash, 'x', '[[\"body\", 5]]', 'Older' FROM article WHERE article_id > 1000;
    INSERT INTO sighting (topic, partition, \"offset\", article_id, message_time, ingested_at, version, verdict)
    SELECT 'filled', 0, article_id, article_id, message_time, ingested_at, 1, 'new_article' FROM article WHERE article_id > 1000;
    INSERT INTO story SELECT * FROM story_counted WHERE story_id > 1000;
    INSERT INTO article_words (article_id, config, words)
    SELECT article_id, 'english', to_tsvector('english', 'common words w' || article_id) FROM article WHERE article_id > 1000;
    INSERT INTO quarantine (topic, partition, \"offset\", first_seen, stage, reason, detail, state, key, settled_at, content_dropped_at)
    SELECT 'filled', k % 4, k, now() - interval '100 days' + k * interval '100 days' / 60000, 'decode',
        CASE WHEN k % 9 = 0 THEN 'no_body' ELSE 'bad_json' END, 'sentence ' || k, CASE WHEN k % 3 = 0 THEN 'discarded' ELSE 'held' END,
        CASE WHEN k % 100 = 0 THEN convert_to('s' || k % 300 || '.example', 'UTF8') END, CASE WHEN k % 3 = 0 THEN now() - k * interval '1 second' END, now()
    FROM generate_series(1, 60000) k;
    INSERT INTO story_event (kind, article_id, from_story, to_story, moved, happened_at)
    SELECT 'merge', 1000 + k, 1000 + k, 1001 + k, ARRAY[1000 + k], now() - k * interval '1 minute' FROM generate_series(1, 3000) k;
    INSERT INTO clean_event (kind, article_id, version, before, after, happened_at)
    SELECT 'reclean', 1000 + k, 1, '{}', '{}', now() - k * interval '1 minute' FROM generate_series(1, 3000) k;
    INSERT INTO takedown (article_id, why, taken_down_at, lifted_at)
    SELECT 100000 + k, 'x', now() - k * interval '1 minute', now() - k * interval '1 second' FROM generate_series(1, 3000) k;
    INSERT INTO site_block (site_hash, site, block, decision, sample, why, decided_by, decided_at)
    SELECT k % 300, 's' || k % 300 || '.example', k, 'pin', 'x', 'x', 'x', now() - k * interval '1 minute' FROM generate_series(1, 3000) k";

/// What a page may have read of each table. What is large has some thousand rows here.
const FEW: i64 = 1_000;
/// Of the quarantine: what is looked into, where that ends, and what is counted by reason, 10,000 each.
const LOOKED_INTO: i64 = 31_000;

fn pages(story: i64) -> Vec<(String, i64)> {
    // The key of a page in the middle of either list.
    let few = [
        "/stories",
        "/stories?order=largest",
        "/stories?language=de",
        "/stories?language=xx",
        "/stories?language=xx&order=largest",
        "/stories?since=2099-01-01",
        "/stories?until=2000-01-01",
        "/stories?until=2000-01-01&order=largest",
        "/stories?site=s7.example",
        "/stories?site=nowhere.example&order=largest",
        "/stories?order=largest&after=1-1-3000",
        "/stories?order=largest&after=1-1-3000&language=xx",
        "/stories/3000",
        "/articles/3000",
        "/articles/3000/versions",
        "/articles/3000/wrong",
        "/articles/3000/report",
        "/compare?a=3000&b=3001",
        "/search?q=w3000",
        "/search?q=nothing",
        "/quarantine/filled/0/4",
        "/sites?from=s2",
        "/sites?after=zzz",
        "/sites/s7.example",
        "/log",
        "/clean",
    ];
    let mut all: Vec<(String, i64)> = few.map(|p| (p.to_owned(), FEW)).to_vec();
    let middle = chrono::Utc::now() - chrono::TimeDelta::days(50);
    let last_hour = chrono::Utc::now() - chrono::TimeDelta::hours(1);
    all.extend([
        // Of each site as many articles are counted.
        ("/sites".to_owned(), 2 * FEW),
        (
            format!("/stories?after=1-{}-3000", middle.timestamp_micros()),
            FEW,
        ),
        (format!("/stories/{story}"), FEW),
        (format!("/articles/{story}"), FEW),
        (
            format!("/log?before={}", last_hour.format("%Y-%m-%dT%H:%M:%SZ")),
            FEW,
        ),
        ("/quarantine".to_owned(), LOOKED_INTO),
        ("/quarantine?reason=no_body".to_owned(), LOOKED_INTO),
        ("/quarantine?contains=nothing".to_owned(), LOOKED_INTO),
        ("/quarantine?lacks=sentence&state=any".to_owned(), LOOKED_INTO),
        ("/quarantine?since=2099-01-01".to_owned(), LOOKED_INTO),
        ("/quarantine?state=replayed".to_owned(), LOOKED_INTO),
        ("/quarantine?stage=clean".to_owned(), LOOKED_INTO),
        ("/quarantine?site=s100.example".to_owned(), LOOKED_INTO),
        ("/quarantine?after=filled/2/30000".to_owned(), LOOKED_INTO),
    ]);
    all
}

/// Rows that were read of each table so far: by scans of the table, and by its indexes.
async fn rows_read(db: &PgPool) -> BTreeMap<String, (i64, i64)> {
    let rows: Vec<(String, i64, i64)> = sqlx::query_as(
        "SELECT t.relname::text, coalesce(t.seq_tup_read, 0),
            greatest(coalesce(t.idx_tup_fetch, 0), coalesce((SELECT sum(i.idx_tup_read) FROM pg_stat_user_indexes i WHERE i.relid = t.relid), 0))::int8
         FROM pg_stat_user_tables t",
    )
    .fetch_all(db)
    .await
    .unwrap();
    rows.into_iter()
        .map(|(name, scans, indexes)| (name, (scans, indexes)))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_reads_a_table_whole() {
    let desk = Desk::new("console_bounded", Writes::Off).await;
    desk.store(&[
        ferry("a.example", "1", "Ferry leaves two hours late"),
        ferry("b.example", "2", "Fog holds up the ferry"),
        json!("{"),
    ])
    .await;
    desk.index().await;
    let story = desk.number("SELECT min(story_id) FROM stories").await;
    let url = desk.url().to_owned();
    desk.db.execute(FILL).await.unwrap();
    desk.db.execute("VACUUM ANALYZE").await.unwrap();
    assert_eq!(desk.number("SELECT count(*) - 2 FROM articles").await, ARTICLES);
    assert_eq!(desk.number("SELECT count(*) - 1 FROM quarantined").await, REFUSED);
    // A connection of its own, so that the others are the console's: what they counted is known once they are closed.
    desk.db.close().await;
    let db = PgPoolOptions::new()
        .max_connections(1)
        .connect(&url)
        .await
        .unwrap();
    // A connection tells what it counted when it ends. One may come back to the pool behind its end, and would stay.
    let others =
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
         AND backend_type = 'client backend' AND application_name NOT LIKE 'copydesk%'";
    while sqlx::query_scalar::<_, i64>(others).fetch_one(&db).await.unwrap() > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let before: Vec<i32> =
        sqlx::query_scalar("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
            .fetch_all(&db)
            .await
            .unwrap();
    let large: Vec<String> = sqlx::query_scalar(
        "SELECT relname::text FROM pg_class WHERE reltuples > 2000 AND relkind = 'r' AND relnamespace = current_schema()::regnamespace",
    )
    .fetch_all(&db)
    .await
    .unwrap();
    for table in [
        "article",
        "membership",
        "article_text_0",
        "article_version_0",
        "article_words",
        "sighting",
        "story",
        "quarantine",
        "story_event",
        "clean_event",
    ] {
        assert!(
            large.iter().any(|l| l.starts_with(table)),
            "{table} is not large: {large:?}"
        );
    }

    let mut beyond = Vec::new();
    for (page, most) in pages(story) {
        let earlier = rows_read(&db).await;
        let as_writer = format!("{}%20-c%20enable_seqscan%3Doff", as_role(&url, "copydesk_writer"));
        let as_reader = format!("{}%20-c%20enable_seqscan%3Doff", as_role(&url, "copydesk_reader"));
        let (address, stop) = serve(options(as_reader, Some(as_writer), loopback())).await;
        let reply = ask(
            address,
            &format!("GET {page} HTTP/1.1\r\nHost: localhost\r\n"),
            "",
        )
        .await;
        assert_eq!(reply.status, 200, "{page}: {}", reply.body);
        drop(stop);
        // Its connections tell what they counted as they go.
        loop {
            let open: i64 = sqlx::query_scalar(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> ALL ($1) AND backend_type = 'client backend'",
            )
            .bind(&before)
            .fetch_one(&db)
            .await
            .unwrap();
            if open == 0 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        for (table, (scans, indexes)) in rows_read(&db).await {
            let (old_scans, old_indexes) = earlier.get(&table).copied().unwrap_or_default();
            let (scans, indexes) = (scans - old_scans, indexes - old_indexes);
            if large.contains(&table) && scans + indexes > most {
                beyond.push(format!(
                    "{page}: {scans} rows of {table} by scans, {indexes} by indexes"
                ));
            }
        }
    }
    assert!(beyond.is_empty(), "{}", beyond.join("\n"));
}
