//! How long the questions of docs/queries.md and the console's pages take, and what fifty people who look at them cost the flush.
//!
//! `cargo bench -p copydesk-benches --bench console`: needs COPYDESK_TEST_DATABASE_URL (`make up`).
//! COPYDESK_BENCH_ARTICLES sets how many articles are stored (100,000 if not set), COPYDESK_BENCH_SEARCHABLE
//! for how many of them words are made (all). 50,000 refused messages, 20,000 events and 10,000 older
//! versions are beside them. The console runs in this process, with a login that reads and one that writes,
//! and is asked over HTTP. Each page is asked for 30 times, with other numbers, sites and words each time. A
//! page that is pasted into `/clean` is not: its time is that of cleaning.
//!
//! Then batches are stored without and with readers in turns. A person opens a page, looks at it for two to
//! eight seconds, and opens another.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a bench prints, and stops where something is wrong"
)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use copydesk_benches::asking::ask_questions;
use copydesk_benches::filling::{Filled, IN_BATCH, fill, next_batch, p50_p95};
use copydesk_benches::varied::VariedArticles;
use copydesk_clean::{Budget, Cleaner, Rules};
use copydesk_console::{Access, Console, ConsoleOptions};
use copydesk_decode::Limits;
use copydesk_store::StoreConfig;
use copydesk_testkit::ArticleGenerator;
use copydesk_worker::IsolatedCommand;
use sqlx::Executor as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;

/// Articles that are stored if nobody says how many.
const ARTICLES: i64 = 100_000;
/// How often each page is asked for.
const TIMES: usize = 30;
/// People who look at the same time.
const PEOPLE: u64 = 50;
/// Rounds without and with them, and batches of a round.
const ROUNDS: usize = 4;
const BATCHES: i64 = 40;

/// Refused messages, events of either kind, and articles with an older version.
const REFUSED: usize = 50_000;
const VERSIONED: usize = 10_000;

/// Pages by their name; `{…}` is replaced, with another value each time.
const PAGES: [(&str, &str); 29] = [
    ("stories, the newest", "/stories"),
    ("stories, the largest", "/stories?order=largest"),
    ("stories of a site", "/stories?site={site}"),
    ("stories in a language", "/stories?language=de"),
    ("stories in a language that none has", "/stories?language=xx"),
    ("stories before a day", "/stories?until={day}"),
    (
        "stories, the newest, deep in the list",
        "/stories?after=1-{micros}-{id}",
    ),
    (
        "stories, the largest, deep in the list",
        "/stories?order=largest&after=1-0-{id}",
    ),
    ("a story", "/stories/{id}"),
    ("two articles, word by word", "/compare?a={id}&b={other}"),
    ("an article", "/articles/{id}"),
    ("two versions, word by word", "/articles/{versioned}/versions"),
    ("a form for a report", "/articles/{id}/wrong"),
    ("a report", "/articles/{id}/report"),
    ("search, a common and another word", "/search?q={common}+{word}"),
    ("search, one word", "/search?q={word}"),
    ("search, a common word", "/search?q={common}"),
    ("search at a site", "/search?q={common}&site={site}"),
    ("quarantine", "/quarantine"),
    (
        "quarantine, with a filter",
        "/quarantine?reason=bad_json&lacks=zebra",
    ),
    ("quarantine, nothing found", "/quarantine?contains=zebra"),
    ("a refused message", "/quarantine/refused/0/{refused}"),
    ("flow", "/flow"),
    ("flow of a site", "/flow?site={site}"),
    ("flow in a language", "/flow?language=de"),
    ("sites", "/sites?from={site}"),
    ("a site", "/sites/{site}"),
    ("the form for a page", "/clean"),
    ("log", "/log"),
];

/// What no article brings: refused messages, events, older versions.
const BESIDE: &str = "
    -- A frame of zstd (RFC 8878) with one raw block of 640 bytes.
    INSERT INTO quarantine (topic, partition, \"offset\", first_seen, stage, reason, detail, raw, raw_size)
    SELECT 'refused', 0, k, now() - k * interval '1 minute', 'decode', CASE k % 9 WHEN 0 THEN 'no_body' ELSE 'bad_json' END, 'line 1 column ' || k,
        decode('28b52ffd608001011400', 'hex') || convert_to(repeat(md5(k::text), 20), 'UTF8'), 640 FROM generate_series(1, 50000) k;
    INSERT INTO story_event (kind, article_id, from_story, to_story, moved, happened_at)
    SELECT 'merge', k, k, k + 1, ARRAY[k], now() - k * interval '1 minute' FROM generate_series(1, 10000) k;
    INSERT INTO clean_event (kind, article_id, version, before, after, happened_at)
    SELECT 'reclean', k, 1, '{}', '{}', now() - k * interval '1 minute' FROM generate_series(1, 10000) k;
    INSERT INTO article_version (article_id, version, message_time, version_at, word_count, fingerprint_version, body_hash, rules_version, title, blocks, body)
    SELECT a.article_id, 1, a.message_time, a.version_at, a.word_count, a.fingerprint_version, a.body_hash, a.rules_version, 'Before: ' || a.title,
        t.blocks, reverse(t.body) FROM article a JOIN article_text t USING (article_id) WHERE a.article_id <= 10000;
    UPDATE article SET version = 2 WHERE article_id <= 10000;
    VACUUM ANALYZE quarantine; VACUUM ANALYZE story_event; VACUUM ANALYZE clean_event; VACUUM ANALYZE article_version; VACUUM ANALYZE article";

#[tokio::main]
async fn main() {
    let mut filled = fill("console", ARTICLES).await;
    ask_questions(&filled).await;
    for statement in BESIDE.split(';') {
        filled
            .db
            .execute(statement)
            .await
            .expect("rows beside the articles");
    }
    let url = filled.database.url().to_owned();
    let (address, _stop) = serve(&url).await;
    let mut random = ArticleGenerator::new(11);
    println!("\n| page | first ms | p50 ms | p95 ms | KB |\n|---|---|---|---|---|");
    for (name, page) in PAGES {
        let mut times = Vec::with_capacity(TIMES);
        let mut bytes = 0;
        for _ in 0..TIMES {
            let page = with_values(page, filled.articles, &mut random);
            let begun = Instant::now();
            bytes = get(address, &page).await;
            times.push(begun.elapsed().as_secs_f64() * 1_000.0);
        }
        let first = times[0];
        let (p50, p95) = p50_p95(times);
        println!(
            "| {name} | {first:.1} | {p50:.1} | {p95:.1} | {} |",
            bytes / 1_024
        );
    }
    flushes(&mut filled, address).await;
}

async fn serve(url: &str) -> (SocketAddr, watch::Sender<bool>) {
    let login = |role: &str| {
        let sign = if url.contains('?') { '&' } else { '?' };
        StoreConfig {
            url: format!("{url}{sign}options=-c%20role%3D{role}").into(),
            connections: 8,
            ..StoreConfig::default()
        }
    };
    let nothing = IsolatedCommand {
        program: "/bin/false".into(),
        args: Vec::new(),
        variables: Vec::new(),
    };
    let listen = "127.0.0.1:0".parse().expect("an address");
    let console = Console::bind(ConsoleOptions {
        listen,
        access: Access::new(listen, "", "", "").expect("loopback"),
        reads: login("copydesk_reader"),
        replica: None,
        read_fallback: true,
        writes: Some(login("copydesk_writer")),
        cleaner: Arc::new(|| Ok(Cleaner::new(Rules::builtin(), Budget::default()))),
        limits: Limits::default(),
        registry: None,
        keep_raw: false,
        isolated: nothing.clone(),
        cleaning: nothing,
        ends: Arc::new(|| anyhow::bail!("no Kafka here")),
    })
    .await
    .expect("a console");
    let address = console.address().expect("an address");
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(console.serve(stopped));
    (address, stop)
}

/// Asks for a page; answers with its bytes.
async fn get(address: SocketAddr, page: &str) -> usize {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let request = format!("GET {page} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("a request");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("an answer");
    let head = answer.get(..12).unwrap_or_default();
    // A number may be that of no article, and a site may have none.
    assert!(
        head.ends_with(b"200") || head.ends_with(b"404"),
        "{page}: {}",
        String::from_utf8_lossy(&answer)
    );
    answer.len()
}

fn with_values(page: &str, articles: i64, random: &mut ArticleGenerator) -> String {
    let id = |random: &mut ArticleGenerator| {
        let below = random.below(usize::try_from(articles - IN_BATCH).unwrap_or(1));
        (below + 1).to_string()
    };
    let time = Utc::now() - TimeDelta::minutes(random.below(100 * 24 * 60) as i64);
    let number = |random: &mut ArticleGenerator, most: usize| (random.below(most) + 1).to_string();
    page.replace("{id}", &id(random))
        .replace("{micros}", &time.timestamp_micros().to_string())
        .replace("{day}", &time.format("%Y-%m-%d").to_string())
        .replace("{versioned}", &number(random, VERSIONED))
        .replace("{refused}", &number(random, REFUSED))
        .replace("{other}", &id(random))
        .replace("{site}", &format!("site{}.example", random.below(2_000)))
        .replace("{word}", &VariedArticles::word(random))
        .replace("{common}", &VariedArticles::common_word(random))
}

/// Stores batches without and with people who look, in turns.
async fn flushes(filled: &mut Filled, address: SocketAddr) {
    println!("\n| round | readers | pages opened | articles a second |\n|---|---|---|---|");
    let mut offset = filled.articles;
    let mut rates: [Vec<f64>; 2] = [Vec::new(), Vec::new()];
    for round in 0..2 * ROUNDS {
        let (looking, opened) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicU32::new(0)));
        let people = if round % 2 == 1 { PEOPLE } else { 0 };
        for person in 0..people {
            tokio::spawn(look(
                address,
                person,
                filled.articles,
                Arc::clone(&looking),
                Arc::clone(&opened),
            ));
        }
        // The articles are made before the clock runs.
        let batches: Vec<_> = (0..BATCHES)
            .map(|n| {
                let from = offset + n * IN_BATCH;
                next_batch(&mut filled.generator, from, from + IN_BATCH, |_| Utc::now())
            })
            .collect();
        opened.store(0, Ordering::Relaxed);
        let begun = Instant::now();
        for batch in &batches {
            filled.store.flush(&filled.claimed, batch).await.expect("a flush");
            filled.store.read_windows().await.expect("the keys of a window");
        }
        let rate = (BATCHES * IN_BATCH) as f64 / begun.elapsed().as_secs_f64();
        looking.store(false, Ordering::Relaxed);
        offset += BATCHES * IN_BATCH;
        rates[round % 2].push(rate);
        println!(
            "| {round} | {people} | {} | {rate:.0} |",
            opened.load(Ordering::Relaxed)
        );
    }
    let [alone, beside] = rates.map(|r| p50_p95(r).0);
    println!(
        "\nmedian: {alone:.0} without, {beside:.0} with {PEOPLE} people: {:.3}",
        beside / alone
    );
}

async fn look(
    address: SocketAddr,
    person: u64,
    articles: i64,
    looking: Arc<AtomicBool>,
    opened: Arc<AtomicU32>,
) {
    let mut random = ArticleGenerator::new(1_000 + person);
    tokio::time::sleep(Duration::from_millis(random.below(5_000) as u64)).await;
    while looking.load(Ordering::Relaxed) {
        let (_, page) = PAGES[random.below(PAGES.len())];
        get(address, &with_values(page, articles, &mut random)).await;
        opened.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(2_000 + random.below(6_000) as u64)).await;
    }
}
