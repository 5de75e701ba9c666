//! How long the questions of docs/queries.md take, on a database that was filled through the store's own code.
//!
//! `cargo bench -p copydesk-benches --bench questions`: needs COPYDESK_TEST_DATABASE_URL (`make up`). COPYDESK_BENCH_ARTICLES sets how many articles are
//! stored (200,000 if not set), COPYDESK_BENCH_SEARCHABLE for how many of them words are made (all). Each question is asked 30 times, with other
//! numbers, sites, words, authors and tags each time; what is printed is a table for the page.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a bench prints, and stops where something is wrong"
)]

use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use copydesk_article::NextOffset;
use copydesk_benches::storing::{claim, connect};
use copydesk_benches::varied::VariedArticles;
use copydesk_store::{Batch, Outputs, Store};
use copydesk_testkit::{ArticleGenerator, ScratchDatabase};
use sqlx::{Executor as _, PgPool};

const PAGE: &str = include_str!("../docs/queries.md");
/// Articles in one transaction, as a worker has it.
const IN_BATCH: i64 = 500;
/// How often each question is asked.
const TIMES: usize = 30;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let number = |name: &str| {
        std::env::var(name)
            .ok()
            .map(|n| n.parse::<i64>().expect("a number"))
    };
    let articles = number("COPYDESK_BENCH_ARTICLES").unwrap_or(200_000);
    let searchable = number("COPYDESK_BENCH_SEARCHABLE").unwrap_or(articles);
    let database = ScratchDatabase::create("questions").await;
    let store = connect(database.url(), 2, Outputs::default()).await;
    store.migrate().await.expect("the schema");
    let db = PgPool::connect(database.url()).await.expect("Postgres answers");
    fill(&store, articles).await;
    let begun = Instant::now();
    let mut made = 0;
    while made < searchable {
        match store.index_search(1_000).await.expect("words") {
            0 => break,
            taken => made += i64::from(taken),
        }
    }
    println!(
        "words of {made} articles in {:.0} s",
        begun.elapsed().as_secs_f64()
    );
    db.execute("VACUUM ANALYZE").await.expect("a vacuum");
    let stories: i64 = sqlx::query_scalar("SELECT count(*) FROM stories")
        .fetch_one(&db)
        .await
        .expect("stories");
    println!("{articles} articles in {stories} stories\n\n| question | p50 ms | p95 ms |\n|---|---|---|");
    let mut random = ArticleGenerator::new(11);
    let mut connection = db.acquire().await.expect("a connection");
    for (title, sql) in questions() {
        let mut times: Vec<f64> = Vec::with_capacity(TIMES);
        for _ in 0..TIMES {
            let sql = with_values(&sql, articles, &db, &mut random).await;
            let begun = Instant::now();
            connection
                .execute(sql.as_str())
                .await
                .unwrap_or_else(|e| panic!("{title}: {e}"));
            times.push(begun.elapsed().as_secs_f64() * 1_000.0);
        }
        times.sort_by(f64::total_cmp);
        println!(
            "| {title} | {:.1} | {:.1} |",
            times[TIMES / 2],
            times[TIMES * 95 / 100]
        );
    }
}

async fn fill(store: &Store, articles: i64) {
    let claimed = claim(store, 0).await;
    let mut generator = VariedArticles::new(7);
    let begun = Instant::now();
    // A hundred days up to now.
    let start = Utc::now() - TimeDelta::days(100);
    let at = |n: i64| -> DateTime<Utc> { start + TimeDelta::milliseconds(n * 8_640_000_000 / articles) };
    for from in (0..articles).step_by(usize::try_from(IN_BATCH).unwrap_or(1)) {
        let to = (from + IN_BATCH).min(articles);
        let batch = Batch {
            from: NextOffset::new(from),
            to: NextOffset::new(to),
            items: (from..to).map(|n| generator.next(n, at(n))).collect(),
        };
        store.flush(&claimed, &batch).await.expect("a flush");
        store.read_windows().await.expect("the keys of a window");
    }
    println!(
        "{articles} articles stored in {:.0} s",
        begun.elapsed().as_secs_f64()
    );
}

/// The page's questions with their queries, in order.
fn questions() -> Vec<(String, String)> {
    let questions = PAGE.split("\n### ").skip(1);
    questions
        .filter_map(|part| {
            let title = part.lines().next()?.to_owned();
            let (_, rest) = part.split_once("```sql\n")?;
            let (sql, _) = rest.split_once("```")?;
            Some((title, sql.trim().trim_end_matches(';').to_owned()))
        })
        .collect()
}

/// The query with values of this database in place of those of the page.
async fn with_values(sql: &str, articles: i64, db: &PgPool, random: &mut ArticleGenerator) -> String {
    let below = |random: &mut ArticleGenerator, n: i64| random.below(usize::try_from(n).unwrap_or(1)) as i64;
    let (id, url): (i64, String) = sqlx::query_as(
        "SELECT article_id, url FROM articles WHERE article_id >= $1 ORDER BY article_id LIMIT 1",
    )
    .bind(below(random, articles - IN_BATCH) + 1)
    .fetch_one(db)
    .await
    .expect("an article");
    let wall = VariedArticles::word(random);
    sql.replace("https://news.example/4711", &url)
        .replace("4711", &id.to_string())
        .replace("news.example", &format!("site{}.example", below(random, 2_000)))
        .replace("ARRAY['harbour']", &format!("ARRAY['tag {}']", below(random, 700)))
        .replace("Jane Doe", &format!("Author {}", below(random, 5_000)))
        // One of two words is in most of the texts.
        .replace("harbour wall", &format!("{} {wall}", VariedArticles::common_word(random)))
        .replace("harbour", &wall)
}
