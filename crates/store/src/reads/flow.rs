//! How the stream flows: partitions, hours of a week, sources that are not as usual, what waits to be published.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::{Postgres, QueryBuilder};

use super::{all, ask, read_all, text};
use crate::connect::config::Store;
use crate::error::StoreError;

/// A row of the view `ingest_status`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(
    missing_docs,
    reason = "each field is the view's column of that name: docs/schema.md"
)]
pub struct PartitionRow {
    pub topic: String,
    pub partition: i64,
    pub first_offset: i64,
    pub next_offset: i64,
    pub stored: i64,
    pub quarantined: i64,
    pub skipped: i64,
    pub epoch: i64,
    pub owner: String,
    pub claimed_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub messages_per_second: f64,
}

/// What was stored and refused in an hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowHour {
    /// When the hour begins, UTC.
    pub hour: DateTime<Utc>,
    /// Articles that founded a story.
    pub originals: i64,
    /// Articles that are copies, in whole or in part.
    pub copies: i64,
    /// Messages that were refused. A message is of no known site or language: 0 where one is asked for.
    pub refused: i64,
}

/// A site or a language that is not as usual: a row of the view `source_health`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(
    missing_docs,
    reason = "each field is the view's column of that name: docs/schema.md"
)]
pub struct UnusualSource {
    pub of: String,
    pub name: String,
    pub last_ingested_at: DateTime<Utc>,
    pub articles_24h: i64,
    pub articles_a_day: f64,
    pub words_24h: Option<f64>,
    pub words_usual: Option<f64>,
    pub refused_24h: i64,
    pub refused_a_day: f64,
    pub is_silent: bool,
    pub has_other_length: bool,
    pub is_refused: bool,
}

/// The last message of a partition that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastRefusal {
    /// Kafka topic.
    pub topic: String,
    /// Its partition.
    pub partition: i64,
    /// Its offset.
    pub offset: i64,
    /// Why it was refused.
    pub reason: String,
    /// When.
    pub first_seen: DateTime<Utc>,
}

/// A row of the view `outbox_status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputRow {
    /// `articles` or `dead_letters`.
    pub output: String,
    /// Messages that Kafka has not acknowledged yet.
    pub waiting: i64,
    /// When the oldest of them was written.
    pub oldest: Option<DateTime<Utc>>,
}

/// Days back from now, for Postgres.
fn days_back(query: &mut QueryBuilder<'static, Postgres>, days: u32) {
    query.push("now() - make_interval(days => ");
    query.push_bind(i32::try_from(days).unwrap_or(i32::MAX)).push(")");
}

impl Store {
    /// How far each partition is.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn read_partitions(&self, most: u32) -> Result<Vec<PartitionRow>, StoreError> {
        read_all!(self, "cannot read the status of the partitions";
            "SELECT topic, partition, first_offset, next_offset, stored, quarantined, skipped, epoch, owner,
                    claimed_at, updated_at, messages_per_second
             FROM ingest_status ORDER BY topic, partition LIMIT $1",
            i64::from(most)
        )
    }

    /// What waits to be put on Kafka topics.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn read_outputs(&self) -> Result<Vec<OutputRow>, StoreError> {
        read_all!(self, "cannot read what waits to be published";
            "SELECT output, waiting, oldest FROM outbox_status ORDER BY output"
        )
    }

    /// What was stored and refused in each hour of the last days, of one site or language if named. Hours without any are left out.
    ///
    /// # Errors
    /// Postgres does not answer, or not in time: it reads every article of these days.
    pub async fn read_hours(
        &self,
        days: u32,
        site: Option<&str>,
        language: Option<&str>,
    ) -> Result<Vec<FlowHour>, StoreError> {
        let mut query = ask(
            "SELECT hour, sum(originals) AS originals, sum(copies) AS copies, sum(refused) AS refused FROM (",
        );
        // All articles, of whose relation nobody asks; then copies, which are few, come off.
        for part in [
            "SELECT date_trunc('hour', ingested_at, 'UTC') AS hour, count(*) AS originals, 0 AS copies, 0 AS refused
             FROM articles WHERE ingested_at >= ",
            " UNION ALL SELECT date_trunc('hour', ingested_at, 'UTC'), -count(*), count(*), 0
             FROM articles WHERE relation IN ('exact_copy', 'near_copy', 'excerpt', 'contains') AND ingested_at >= ",
        ] {
            query.push(part);
            days_back(&mut query, days);
            for (column, value) in [("site", site), ("language", language)] {
                if let Some(value) = value {
                    query.push(format!(" AND {column} = ")).push_bind(text(value));
                }
            }
            query.push(" GROUP BY 1");
        }
        if site.is_none() && language.is_none() {
            query.push(
                " UNION ALL SELECT date_trunc('hour', first_seen, 'UTC'), 0, 0, count(*) FROM \
                quarantined WHERE first_seen >= ",
            );
            days_back(&mut query, days);
            query.push(" GROUP BY 1");
        }
        query.push(") AS part GROUP BY hour ORDER BY hour");
        all(self, query, "cannot count the articles of each hour").await
    }

    /// Sites and languages that are not as usual, as the alerts have it: silent, of another length, or refused.
    ///
    /// # Errors
    /// Postgres does not answer, or not in time: it reads the articles of 15 days.
    pub async fn read_unusual_sources(&self, most: u32) -> Result<Vec<UnusualSource>, StoreError> {
        read_all!(self, "cannot look at the sites and languages";
            "SELECT \"of\", name, last_ingested_at, articles_24h, articles_a_day, words_24h, words_usual, refused_24h,
                    refused_a_day, is_silent, has_other_length, is_refused
             FROM source_health WHERE is_silent OR has_other_length OR is_refused
             ORDER BY articles_a_day DESC, name LIMIT $1",
            i64::from(most)
        )
    }

    /// Of each partition the last message that was refused, whatever became of it since.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn read_last_refusals(&self, most: u32) -> Result<Vec<LastRefusal>, StoreError> {
        read_all!(self, "cannot read the last refusals";
            "SELECT p.topic, p.partition, q.\"offset\", q.reason, q.first_seen FROM ingest_status p
             CROSS JOIN LATERAL (SELECT \"offset\", reason, first_seen FROM quarantined q
                                 WHERE q.topic = p.topic AND q.partition = p.partition ORDER BY q.\"offset\" DESC LIMIT 1) q
             ORDER BY p.topic, p.partition LIMIT $1",
            i64::from(most)
        )
    }
}
