//! What an article takes of Postgres' disk, by table and index, on a database that was filled through the
//! store's own code; docs/scale.md has the figures.
//!
//! `cargo bench -p copydesk-benches --bench sizes`: needs COPYDESK_TEST_DATABASE_URL (`make up`). COPYDESK_BENCH_ARTICLES sets how many articles are
//! stored (100,000 if not set). The figures do not depend on how the program is compiled: `--profile dev` saves the time of that.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a bench prints, and stops where something is wrong"
)]

use copydesk_benches::filling::fill;

/// Articles that are stored if nobody says how many.
const ARTICLES: i64 = 100_000;
/// What takes less of an article is one row of the table, in bytes.
const LEAST: f64 = 2.0;

/// Partitions count for their table, and their indexes for its index.
const SIZES: &str = "
    WITH part AS (
        SELECT c.oid, c.relkind, coalesce(pg_partition_root(c.oid), c.oid)::regclass::text AS root,
               CASE WHEN c.relkind = 'i' THEN coalesce(pg_partition_root(x.indrelid), x.indrelid)::regclass::text END AS of_table, c.reltoastrelid
        FROM pg_class c LEFT JOIN pg_index x ON x.indexrelid = c.oid
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'i'))
    SELECT coalesce(of_table, root) AS name, CASE WHEN relkind = 'i' THEN root ELSE '' END AS index,
           sum(pg_relation_size(oid))::float8 AS bytes,
           sum(CASE WHEN reltoastrelid <> 0 THEN pg_total_relation_size(reltoastrelid) ELSE 0 END)::float8 AS long_values
    FROM part GROUP BY 1, 2 ORDER BY 1, 2";

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let filled = fill("sizes", ARTICLES).await;
    let articles = filled.articles as f64;
    let (text, versions, wal): (f64, i64, f64) = sqlx::query_as(
        "SELECT (SELECT avg(octet_length(body)) FROM article_text)::float8, (SELECT count(*) FROM article_versions),
                (SELECT wal_bytes FROM pg_stat_wal)::float8",
    )
    .fetch_one(&filled.db)
    .await
    .expect("an answer");
    let sizes: Vec<(String, String, f64, f64)> =
        sqlx::query_as(SIZES).fetch_all(&filled.db).await.expect("sizes");
    println!("{articles} articles, {versions} versions, bodies of {text:.0} bytes on average");
    println!("log of the whole server since its start: {wal:.0} bytes");
    println!("\n| table | index | bytes an article | of them long values |\n|---|---|---|---|");
    let (mut all, mut rest) = (0.0, 0.0);
    let mut rows = Vec::new();
    for (table, index, bytes, long_values) in sizes {
        let (of_all, of_long) = ((bytes + long_values) / articles, long_values / articles);
        all += of_all;
        if of_all < LEAST {
            rest += of_all;
        } else {
            rows.push((
                of_all,
                format!("| `{table}` | {index} | {of_all:.0} | {of_long:.0} |"),
            ));
        }
    }
    rows.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    for (_, row) in rows {
        println!("{row}");
    }
    println!("| all others | | {rest:.0} | |\n| **together** | | **{all:.0}** | |");
}
