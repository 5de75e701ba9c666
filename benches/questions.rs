//! How long the questions of docs/queries.md take, on a database that was filled through the store's own code.
//!
//! `cargo bench -p copydesk-benches --bench questions`: needs COPYDESK_TEST_DATABASE_URL (`make up`). COPYDESK_BENCH_ARTICLES sets how many articles are
//! stored (200,000 if not set), COPYDESK_BENCH_SEARCHABLE for how many of them words are made (all). Each question is asked 30 times, with other
//! numbers, sites, words, authors and tags each time; what is printed is a table for the page. The bench `console` asks them too.

use copydesk_benches::asking::ask_questions;
use copydesk_benches::filling::fill;

/// Articles that are stored if nobody says how many.
const ARTICLES: i64 = 200_000;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    ask_questions(&fill("questions", ARTICLES).await).await;
}
