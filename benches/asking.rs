//! The questions of docs/queries.md, asked of a filled database.

use std::time::Instant;

use copydesk_testkit::ArticleGenerator;
use sqlx::{Executor as _, PgPool};

use crate::filling::{Filled, IN_BATCH, p50_p95};
use crate::varied::VariedArticles;

const PAGE: &str = include_str!("../docs/queries.md");
/// How often each question is asked.
const TIMES: usize = 30;

/// Asks each question 30 times, with other numbers, sites, words, authors and tags each time, and prints a table.
pub async fn ask_questions(filled: &Filled) {
    println!("\n| question | p50 ms | p95 ms |\n|---|---|---|");
    let mut random = ArticleGenerator::new(11);
    let mut connection = filled.db.acquire().await.expect("a connection");
    for (title, sql) in questions() {
        let mut times: Vec<f64> = Vec::with_capacity(TIMES);
        for _ in 0..TIMES {
            let sql = with_values(&sql, filled.articles, &filled.db, &mut random).await;
            let begun = Instant::now();
            connection
                .execute(sql.as_str())
                .await
                .unwrap_or_else(|e| panic!("{title}: {e}"));
            times.push(begun.elapsed().as_secs_f64() * 1_000.0);
        }
        let (p50, p95) = p50_p95(times);
        println!("| {title} | {p50:.1} | {p95:.1} |");
    }
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
