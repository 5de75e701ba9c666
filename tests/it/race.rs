//! Near-copies that arrive at the same moment on several workers, while workers are killed: one story, always.
//!
//! `make test` runs a small form; `make race` (COPYDESK_TEST_RACE_PAIRS) runs as many pairs as one likes.

use std::time::{Duration, Instant};

use copydesk_testkit::{ArticleGenerator, Outgoing, Running};
use copydesk_tests::Pipeline;
use serde_json::json;

const WORKERS: usize = 4;
const PARTITIONS: i32 = 4;
/// Pairs in `make test`.
const SMALL: usize = 2_000;
/// Records produced at once.
const CHUNK: usize = 5_000;

/// Both halves of every pair stand at the same offset of two partitions: the worst case by construction.
fn pair(generator: &mut ArticleGenerator, number: usize) -> [Outgoing; 2] {
    let text = generator.babble(6);
    // The copy: another site, another headline, the tail cut.
    let cut: Vec<&str> = text.split("\n\n").take(5).collect();
    let first = i32::try_from(number % 2).unwrap() * 2;
    let record = |partition: i32, site: &str, title: &str, text: &str| Outgoing {
        partition: Some(partition),
        payload: Some(
            json!({"url": format!("https://{site}/{number}"), "title": title, "text": text, "pair": number})
                .to_string()
                .into_bytes(),
        ),
        ..Outgoing::default()
    };
    [
        record(
            first,
            &format!("a{}.example", number % 50),
            "One headline of the story",
            &text,
        ),
        record(
            first + 1,
            &format!("b{}.example", number % 50),
            "Quite another line for it",
            &cut.join("\n\n"),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn pairs_that_arrive_at_once_are_never_split() {
    let pairs =
        std::env::var("COPYDESK_TEST_RACE_PAIRS").map_or(SMALL, |n| n.parse().expect("a number of pairs"));
    let messages = 2 * pairs as i64;
    let pipeline = Pipeline::new("race", PARTITIONS).await;
    let mut generator = ArticleGenerator::new(77);
    for first in (0..pairs).step_by(CHUNK) {
        let records = (first..pairs.min(first + CHUNK)).flat_map(|n| pair(&mut generator, n));
        pipeline.topic.produce(records.collect::<Vec<_>>()).await;
    }
    let command = pipeline
        .copydesk
        .clone()
        .with("COPYDESK_WORKER_BATCH_ARTICLES", "100");
    let mut workers: Vec<Running> = (0..WORKERS).map(|_| command.start(&["worker"])).collect();
    let started = Instant::now();
    let patience = Duration::from_secs(120 + pairs as u64 / 50);
    let (mut kills, mut next_kill) = (0, 1_000);
    loop {
        let done = pipeline.done().await;
        if done >= messages {
            break;
        }
        assert!(
            started.elapsed() < patience,
            "{done} of {messages} after {patience:?}"
        );
        // A kill for every so many messages: the faster the pipeline, the more often.
        if done >= next_kill && kills < 200 {
            let victim = generator.below(WORKERS);
            workers[victim].kill_9();
            workers[victim] = command.start(&["worker"]);
            kills += 1;
            next_kill = done + 800 + generator.below(1_500) as i64;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for worker in &mut workers {
        worker.stop(Duration::from_secs(30));
    }
    pipeline.assert_every_offset_once(messages).await;
    let split = pipeline
        .count(
            "SELECT count(*) FROM articles a JOIN articles b ON a.extra ->> 'pair' = b.extra ->> 'pair' AND a.article_id < b.article_id
             WHERE a.story_id <> b.story_id",
        )
        .await;
    assert_eq!(split, 0, "no pair is in two stories");
    assert_eq!(pipeline.count("SELECT count(*) FROM article").await, messages);
    assert_eq!(
        pipeline
            .count("SELECT count(*) FROM stories WHERE articles = 2")
            .await,
        pairs as i64
    );
    assert!(kills > 0, "workers must have been killed");
    println!(
        "{pairs} pairs, {kills} kills, 0 split, {:.0} s",
        started.elapsed().as_secs_f64()
    );
}
