//! The queries for a site's articles: what they see, and how much they read.

use copydesk_store::StoreConfig;
use serde_json::Value;

use crate::site_memory::{LETTER, store_one};
use crate::support::Scratch;

#[tokio::test]
async fn a_worker_that_knows_a_site_still_sees_what_others_store() {
    let scratch = Scratch::new("site_cache").await;
    let another = scratch
        .another_store(StoreConfig {
            connections: 1,
            ..StoreConfig::default()
        })
        .await;
    // How many of the site's articles each decision had before it, the stores taking turns.
    for (seed, store) in [&scratch.store, &another, &scratch.store, &scratch.store, &another]
        .into_iter()
        .enumerate()
    {
        let article = store_one(&scratch, store, "turns.example", seed as u64 + 700, LETTER).await;
        let recents: i16 = sqlx::query_scalar("SELECT recents FROM article WHERE article_id = $1")
            .bind(article)
            .fetch_one(&scratch.db)
            .await
            .unwrap();
        assert_eq!(usize::from(recents.unsigned_abs()), seed);
    }
}

/// What a flush and a round of the janitor cost must not grow with the articles of a site, nor with the
/// sites.
/// `COPYDESK_SITE_ROWS=1000000 cargo test -p copydesk-store site_queries -- --nocapture` prints plans and times.
#[tokio::test]
async fn site_queries_read_no_more_than_they_need() {
    let scratch = Scratch::new("site_plan").await;
    let rows: i64 = std::env::var("COPYDESK_SITE_ROWS").map_or(20_000, |n| n.parse().expect("a number"));
    // Half of the articles at one site, the others one to a site.
    sqlx::query(
        "INSERT INTO evidence (article_id, site_hash, fingerprint_version, block_hashes, title_words, page_blocks, evidence)
         SELECT n, CASE WHEN n % 2 = 0 THEN 0 ELSE n END, 1, decode(repeat('0123456789abcdef', 12), 'hex'),
                decode(repeat('01234567', 8), 'hex'), decode('01000000000000000000', 'hex') || decode(repeat('01234567', 20), 'hex'),
                decode(repeat('89abcdef', 300), 'hex')
         FROM generate_series(1, $1) AS g (n)",
    )
    .bind(rows)
    .execute(&scratch.db)
    .await
    .unwrap();
    sqlx::query(
        "INSERT INTO site_provisional SELECT site_hash, article_id, 0 FROM evidence WHERE site_hash <> 0",
    )
    .execute(&scratch.db)
    .await
    .unwrap();
    sqlx::query("VACUUM ANALYZE evidence, site_provisional")
        .execute(&scratch.db)
        .await
        .unwrap();
    let sites: Vec<i64> = std::iter::once(0).chain((1..500).map(|n| 2 * n + 1)).collect();
    let flush = "EXPLAIN (ANALYZE, FORMAT JSON) ".to_owned() + copydesk_store::plans::SITES;
    let noted = "EXPLAIN (ANALYZE, FORMAT JSON) ".to_owned() + copydesk_store::plans::PROVISIONAL_SITES;
    let mut tx = scratch.db.begin().await.unwrap();
    sqlx::query("SET LOCAL enable_seqscan = off")
        .execute(&mut *tx)
        .await
        .unwrap();
    let flush: Value = sqlx::query_scalar(&flush)
        .bind(&sites)
        .bind(vec![i64::MIN; sites.len()])
        .bind(20_i64)
        .fetch_one(&mut *tx)
        .await
        .unwrap();
    let noted: Value = sqlx::query_scalar(&noted)
        .bind(i64::MIN)
        .bind(1_000_i64)
        .bind(9_i64)
        .fetch_one(&mut *tx)
        .await
        .unwrap();
    for (name, plan, most) in [
        ("flush of 500 sites", &flush, 20 + 499),
        ("1,000 noted sites", &noted, 2_000),
    ] {
        let time = plan[0]["Execution Time"].as_f64().unwrap();
        let read = rows_read(&plan[0]["Plan"]);
        println!("{rows} articles, {name}: {time:.1} ms, {read} rows read");
        assert!(
            read <= f64::from(most) * 1.5 + 100.0,
            "{name} reads {read} rows: {plan:#}"
        );
    }
}

/// Rows that the scans of `evidence` and `site_provisional` in a plan have read.
fn rows_read(plan: &Value) -> f64 {
    let own = plan["Relation Name"].as_str().map_or(0.0, |_| {
        let rows = plan["Actual Rows"].as_f64().unwrap_or(0.0)
            + plan["Rows Removed by Filter"].as_f64().unwrap_or(0.0);
        rows * plan["Actual Loops"].as_f64().unwrap_or(1.0)
    });
    own + plan["Plans"]
        .as_array()
        .into_iter()
        .flatten()
        .map(rows_read)
        .sum::<f64>()
}
