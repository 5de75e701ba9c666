//! A database filled through the store's own code, for the benches that ask it something.

use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use copydesk_article::NextOffset;
use copydesk_store::{Batch, Claimed, Outputs, Store};
use copydesk_testkit::ScratchDatabase;
use sqlx::{Executor as _, PgPool};

use crate::storing::{claim, connect};
use crate::varied::VariedArticles;

/// Articles in one transaction, as a worker has it.
pub const IN_BATCH: i64 = 500;
/// The time over which the articles are spread, up to now: when they were published, and when they were stored.
const DAYS: i64 = 100;

/// A database with articles.
pub struct Filled {
    /// Articles in it.
    pub articles: i64,
    /// The store that filled it.
    pub store: Store,
    /// The partition that they came from: whoever stores more goes on at `articles`.
    pub claimed: Claimed,
    /// What makes more of them.
    pub generator: VariedArticles,
    /// The owner's connection.
    pub db: PgPool,
    /// Dropped with this.
    pub database: ScratchDatabase,
}

/// A number of the environment.
///
/// # Panics
/// It is none.
pub fn number(name: &str) -> Option<i64> {
    std::env::var(name).ok().map(|n| n.parse().expect("a number"))
}

/// Fills a scratch database: COPYDESK_BENCH_ARTICLES articles (or `articles`), COPYDESK_BENCH_SEARCHABLE of
/// them (or all) by their words, in ranges of COPYDESK_BENCH_RANGE_ARTICLES (or as the store has them).
pub async fn fill(label: &str, articles: i64) -> Filled {
    let articles = number("COPYDESK_BENCH_ARTICLES").unwrap_or(articles);
    let searchable = number("COPYDESK_BENCH_SEARCHABLE").unwrap_or(articles);
    let database = ScratchDatabase::create(label).await;
    let store = connect(database.url(), 2, Outputs::default()).await;
    store.migrate().await.expect("the schema");
    if let Some(articles) = number("COPYDESK_BENCH_RANGE_ARTICLES") {
        store
            .set_range_articles(articles)
            .await
            .expect("ranges of another size");
    }
    let db = PgPool::connect(database.url()).await.expect("Postgres answers");
    let claimed = claim(&store, 0).await;
    let mut generator = VariedArticles::new(7);
    store_all(&store, &claimed, &mut generator, &db, articles).await;
    make_words(&store, searchable).await;
    db.execute("VACUUM ANALYZE").await.expect("a vacuum");
    let stories: i64 = sqlx::query_scalar("SELECT count(*) FROM stories")
        .fetch_one(&db)
        .await
        .expect("stories");
    println!("{articles} articles in {stories} stories");
    Filled {
        articles,
        store,
        claimed,
        generator,
        db,
        database,
    }
}

/// The next articles as one batch.
pub fn next_batch(
    generator: &mut VariedArticles,
    from: i64,
    to: i64,
    at: impl Fn(i64) -> DateTime<Utc>,
) -> Batch {
    Batch {
        from: NextOffset::new(from),
        to: NextOffset::new(to),
        items: (from..to).map(|n| generator.next(n, at(n))).collect(),
    }
}

async fn store_all(
    store: &Store,
    claimed: &Claimed,
    generator: &mut VariedArticles,
    db: &PgPool,
    articles: i64,
) {
    let begun = Instant::now();
    let start = Utc::now() - TimeDelta::days(DAYS);
    let step = TimeDelta::days(DAYS).num_milliseconds() / articles.max(1);
    let at = |n: i64| -> DateTime<Utc> { start + TimeDelta::milliseconds(n * step) };
    let mut day = DAYS + 1;
    for from in (0..articles).step_by(usize::try_from(IN_BATCH).unwrap_or(1)) {
        let to = (from + IN_BATCH).min(articles);
        // The time at which an article is stored is its row's default: so that not all of them are of today.
        let days = (Utc::now() - at(from)).num_days();
        if days < day {
            day = days;
            stored_days_ago(db, days).await;
        }
        let batch = next_batch(generator, from, to, at);
        store.flush(claimed, &batch).await.expect("a flush");
        store.read_windows().await.expect("the keys of a window");
        store.create_ranges().await.expect("the ranges ahead");
    }
    stored_days_ago(db, 0).await;
    println!(
        "{articles} articles stored in {:.0} s",
        begun.elapsed().as_secs_f64()
    );
}

async fn stored_days_ago(db: &PgPool, days: i64) {
    for (table, column) in [
        ("article", "ingested_at"),
        ("story", "first_seen"),
        ("story", "last_seen"),
    ] {
        let default =
            format!("ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT now() - interval '{days} days'");
        let default = if days == 0 {
            format!("ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT now()")
        } else {
            default
        };
        db.execute(default.as_str()).await.expect("a default");
    }
}

async fn make_words(store: &Store, searchable: i64) {
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
}

/// The times in milliseconds at the middle and at 95 of 100.
pub fn p50_p95(mut times: Vec<f64>) -> (f64, f64) {
    times.sort_by(f64::total_cmp);
    let at = |share: usize| times.get((times.len() * share / 100).min(times.len().saturating_sub(1)));
    (
        at(50).copied().unwrap_or_default(),
        at(95).copied().unwrap_or_default(),
    )
}
