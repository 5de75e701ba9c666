//! Kafka and Postgres of the bench's own, and how far a run has come.

use std::time::{Duration, Instant};

use copydesk_benches::cpu_seconds_of_tree;
use copydesk_testkit::{PrivateKafka, PrivatePostgres};
use sqlx::PgPool;

/// How often progress is looked at.
const LOOK: Duration = Duration::from_millis(250);

pub(crate) struct Servers {
    pub(crate) kafka: PrivateKafka,
    pub(crate) postgres: PrivatePostgres,
}

impl Servers {
    pub(crate) fn cpu(&self) -> (f64, f64) {
        let of = |id: Option<u32>| id.map_or(0.0, cpu_seconds_of_tree);
        (of(self.postgres.id()), of(self.kafka.id()))
    }

    pub(crate) async fn database(&self, name: &str) -> String {
        let admin = PgPool::connect(&self.postgres.url())
            .await
            .expect("Postgres answers");
        sqlx::query(&format!("CREATE DATABASE {name}"))
            .execute(&admin)
            .await
            .expect("a database");
        format!("postgres://postgres@127.0.0.1:{}/{name}", self.postgres.port())
    }

    pub(crate) async fn drop(&self, url: &str) {
        let admin = PgPool::connect(&self.postgres.url())
            .await
            .expect("Postgres answers");
        let name = url.rsplit('/').next().expect("a name");
        sqlx::query(&format!("DROP DATABASE {name} WITH (FORCE)"))
            .execute(&admin)
            .await
            .expect("it goes");
    }

    pub(crate) async fn checkpoint(&self) {
        let admin = PgPool::connect(&self.postgres.url())
            .await
            .expect("Postgres answers");
        sqlx::query("CHECKPOINT")
            .execute(&admin)
            .await
            .expect("a checkpoint");
    }
}

/// When the first and the last article were in, and how many were missing in between.
pub(crate) struct Watch {
    pub(crate) first: Option<(Instant, i64)>,
    pub(crate) last: (Instant, i64),
    pub(crate) lag: Vec<(f64, i64)>,
}

impl Watch {
    pub(crate) fn rate(&self) -> f64 {
        let Some((at, count)) = self.first else { return 0.0 };
        let seconds = (self.last.0 - at).as_secs_f64();
        if seconds > 0.0 {
            (self.last.1 - count) as f64 / seconds
        } else {
            0.0
        }
    }

    pub(crate) fn lag(&self) -> String {
        let step = (self.lag.len() / 10).max(1);
        let shown: Vec<String> = self
            .lag
            .iter()
            .step_by(step)
            .map(|(at, missing)| format!("{at:.0} s: {missing}"))
            .collect();
        shown.join(", ")
    }
}

/// Looks at a count until it is there or the time is over. The rate counts from the first articles that are
/// seen: starting up and the group's first rebalance are no part of it.
pub(crate) async fn watch(
    database: &str,
    count: &'static str,
    messages: usize,
    most: Duration,
    mut ended: impl FnMut(),
) -> Watch {
    let db = PgPool::connect(database).await.expect("Postgres answers");
    let begun = Instant::now();
    let mut watch = Watch {
        first: None,
        last: (begun, 0),
        lag: Vec::new(),
    };
    let all = messages as i64;
    loop {
        ended();
        let done: i64 = sqlx::query_scalar(count).fetch_one(&db).await.unwrap_or(0);
        let now = Instant::now();
        if done > 0 && watch.first.is_none() {
            watch.first = Some((now, done));
        }
        watch.last = (now, done);
        watch.lag.push(((now - begun).as_secs_f64(), all - done));
        if done >= all || now - begun > most {
            return watch;
        }
        tokio::time::sleep(LOOK).await;
    }
}
