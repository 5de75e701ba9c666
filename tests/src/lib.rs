//! End-to-end tests: the executable against a real Kafka and a real Postgres.
//!
//! Each file beside `src/` is one promise of docs/delivery.md. [`Pipeline`] gives a test a topic, a migrated
//! database and `copydesk` set up for both; everything is deleted afterwards.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "test support: a panic with a clear message is how a test fails"
)]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use copydesk_testkit::{
    ArticleGenerator, Copydesk, Outgoing, Running, ScratchDatabase, ScratchTopic, kafka_brokers,
};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

/// Replayed messages have their row in `sighting`.
const DONE: &str =
    "SELECT (SELECT count(*) FROM sighting) + (SELECT count(*) FROM quarantine WHERE state <> 'replayed')";

/// An address on this machine that nobody listens at in this moment.
pub fn free_address() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], copydesk_testkit::free_port()))
}

/// Status and body of a page; `None` while nobody listens.
pub fn http_get(address: SocketAddr, path: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(address).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: test\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, body.to_owned()))
}

/// A topic, a database and the executable set up for both.
pub struct Pipeline {
    /// The test's own topic.
    pub topic: ScratchTopic,
    /// The executable.
    pub copydesk: Copydesk,
    /// Connections to the test's own database, as its owner.
    pub db: PgPool,
    url: String,
    _database: Option<ScratchDatabase>,
}

impl Pipeline {
    /// Its `copydesk`, with metrics and health answered at an address of its own.
    pub fn listening(&self) -> (Copydesk, SocketAddr) {
        let address = free_address();
        let copydesk = self
            .copydesk
            .clone()
            .with("COPYDESK_METRICS_LISTEN", &address.to_string());
        (copydesk, address)
    }

    /// Creates all of it and runs the migrations through the executable.
    pub async fn new(label: &str, partitions: i32) -> Self {
        Self::at(&kafka_brokers(), label, partitions).await
    }

    /// The same with the topic at other brokers.
    pub async fn at(brokers: &str, label: &str, partitions: i32) -> Self {
        let database = ScratchDatabase::create(label).await;
        let url = database.url().to_owned();
        Self {
            _database: Some(database),
            ..Self::on(brokers, &url, label, partitions).await
        }
    }

    /// The same with a database that is there already, and stays.
    pub async fn on(brokers: &str, url: &str, label: &str, partitions: i32) -> Self {
        let topic = ScratchTopic::create_at(brokers, label, partitions).await;
        let copydesk = Copydesk::new(topic.name(), url).at_brokers(brokers);
        copydesk.ok(&["migrate"]);
        // Bounded waits: a test that asks while the server is down wants to hear so.
        let db = PgPoolOptions::new()
            .max_connections(4)
            .acquire_timeout(Duration::from_secs(5))
            .connect(url)
            .await
            .expect("the database answers");
        Self {
            topic,
            copydesk,
            db,
            url: url.to_owned(),
            _database: None,
        }
    }

    /// URL of the database.
    pub fn database_url(&self) -> &str {
        &self.url
    }

    /// Name of the database.
    pub fn database_name(&self) -> String {
        let path = self.url.rsplit('/').next().unwrap_or_default();
        path.split('?').next().unwrap_or_default().to_owned()
    }

    /// Produces `count` different articles, spread over `partitions`.
    pub async fn produce_articles(&self, seed: u64, count: usize, partitions: i32) {
        let mut generator = ArticleGenerator::new(seed);
        let records = (0..count).map(|n| Outgoing {
            partition: Some(i32::try_from(n).unwrap() % partitions),
            payload: Some(
                generator
                    .envelope(&format!("site{}.example", n % 7), n)
                    .into_bytes(),
            ),
            ..Outgoing::default()
        });
        self.topic.produce(records).await;
    }

    /// Runs one worker until everything on the topic is stored.
    pub fn run_to_end(&self) {
        self.copydesk.ok(&["worker", "--until-end"]);
    }

    /// Starts a worker that goes on.
    pub fn start_worker(&self) -> Running {
        self.copydesk.start(&["worker"])
    }

    /// One number by SQL.
    pub async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql)
            .fetch_one(&self.db)
            .await
            .unwrap_or_else(|e| panic!("{sql}: {e}"))
    }

    /// Messages in the ledger so far: sightings and quarantined.
    pub async fn done(&self) -> i64 {
        self.count(DONE).await
    }

    /// The same while the database may be down. `None`: it is.
    pub async fn try_done(&self) -> Option<i64> {
        sqlx::query_scalar(DONE).fetch_one(&self.db).await.ok()
    }

    /// Waits until at least so many messages are in the ledger; panics with the workers' logs after `patience`.
    pub async fn wait_for(&self, messages: i64, patience: Duration, workers: &[&Running]) {
        let until = Instant::now() + patience;
        while self.try_done().await.is_none_or(|done| done < messages) {
            if Instant::now() > until {
                let logs: String = workers
                    .iter()
                    .map(|w| format!("--- worker\n{}\n", w.log()))
                    .collect();
                panic!(
                    "{} of {messages} messages are in the ledger after {patience:?}\n{logs}",
                    self.try_done().await.unwrap_or(-1)
                );
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The audit law holds, by the executable and by a count of our own.
    pub async fn assert_every_offset_once(&self, messages: i64) {
        let said = self.copydesk.ok(&["audit"]);
        assert!(said.contains("clean"), "{said}");
        assert_eq!(
            self.done().await,
            messages,
            "every message is in the ledger exactly once"
        );
        let twice = self
            .count(
                "SELECT count(*) FROM (SELECT topic, partition, \"offset\" FROM sighting
                 UNION ALL SELECT topic, partition, \"offset\" FROM quarantine WHERE state <> 'replayed') x
                 GROUP BY topic, partition, \"offset\" HAVING count(*) > 1
                 UNION ALL SELECT 0 ORDER BY 1 DESC LIMIT 1",
            )
            .await;
        assert_eq!(twice, 0, "no offset is in the ledger twice");
    }
}
