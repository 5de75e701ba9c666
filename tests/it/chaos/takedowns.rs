//! People who take articles down during the chaos, and what holds of that and of tombstones at its end.

use std::cell::Cell;
use std::time::{Duration, Instant};

use copydesk_testkit::{ArticleGenerator, Copydesk};
use copydesk_tests::Pipeline;

/// How long the command may take. Postgres may be away for all of it.
const PATIENCE: Duration = Duration::from_secs(15);

/// What people did.
#[derive(Default)]
pub(super) struct ByPeople {
    /// How often somebody asked.
    asked: i64,
    /// Addresses of which the command said that they are taken down.
    confirmed: Vec<String>,
}

/// Until `end`, somebody takes an article down that was sent or that is about to be sent. One in four is
/// killed in the middle of it.
pub(super) async fn by_people(
    copydesk: Copydesk,
    produced: &Cell<usize>,
    seed: u64,
    end: Instant,
) -> ByPeople {
    let mut random = ArticleGenerator::new(seed ^ 0x7a4e);
    let mut done = ByPeople::default();
    while Instant::now() < end {
        tokio::time::sleep(Duration::from_millis(200 + random.below(1_500) as u64)).await;
        let address = super::address(random.below(produced.get() + 500));
        let mut command = copydesk.start(&["takedown", &address, "--why", "chaos"]);
        done.asked += 1;
        let killed = (random.below(4) == 0).then(|| Duration::from_millis(random.below(800) as u64));
        let until = Instant::now() + killed.unwrap_or(PATIENCE);
        let status = loop {
            match command.ended() {
                Some(status) => break Some(status),
                None if Instant::now() > until => break None,
                None => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        };
        if status.is_some_and(|s| s.success()) {
            done.confirmed.push(address);
        }
    }
    done
}

/// Each takedown has one cause, what was confirmed is there, and nothing of what went is left or came again.
pub(super) async fn assert_held(pipeline: &Pipeline, tombstones: i64, people: &ByPeople) {
    let takedowns = pipeline.count("SELECT count(*) FROM takedowns").await;
    let by_messages = pipeline
        .count(
            "SELECT count(*) FROM takedowns t JOIN sighting s USING (topic, partition, \"offset\")
             WHERE s.verdict = 'taken_down'",
        )
        .await;
    let by_people = pipeline
        .count("SELECT count(*) FROM takedowns WHERE topic IS NULL AND why = 'chaos'")
        .await;
    let refused = pipeline
        .count("SELECT count(*) FROM sighting WHERE verdict = 'taken_down'")
        .await;
    eprintln!(
        "chaos: {tombstones} tombstones, {} takedowns by people of which {} were confirmed: {takedowns} takedowns hold, \
         {refused} messages have their verdict",
        people.asked,
        people.confirmed.len()
    );
    assert_eq!(
        takedowns,
        by_messages + by_people,
        "each by a tombstone of the ledger or by a person"
    );
    assert!(by_messages <= tombstones && tombstones <= refused);
    assert!(takedowns > 0 && by_people <= people.asked);
    let held = pipeline
        .count("SELECT count(*) FROM takedown_hold h JOIN article_identity i ON i.identity = h.hash")
        .await;
    assert_eq!(held, 0, "nothing is at an address that was taken down");
    let there: Vec<String> =
        sqlx::query_scalar("SELECT canonical_url FROM articles WHERE canonical_url = ANY ($1)")
            .bind(&people.confirmed)
            .fetch_all(&pipeline.db)
            .await
            .unwrap();
    assert!(there.is_empty(), "taken down by a person, and there: {there:?}");
    for table in [
        "membership",
        "article_text",
        "article_version",
        "evidence",
        "article_words",
        "clean_event",
    ] {
        let left: i64 = sqlx::query_scalar(&format!(
            "SELECT count(*) FROM {table} x WHERE NOT EXISTS (SELECT FROM article a WHERE a.article_id = x.article_id)"
        ))
        .fetch_one(&pipeline.db)
        .await
        .unwrap();
        assert_eq!(left, 0, "rows of {table} are left of articles that are gone");
    }
}
