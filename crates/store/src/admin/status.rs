//! Short questions: the server, the partitions.

use chrono::{DateTime, Utc};
use copydesk_article::{Epoch, NextOffset, Offset, TopicPartition};
use sqlx::Row as _;

use crate::connect::config::Store;
use crate::error::{Doing as _, StoreError};
use crate::ledger::progress::source_of;

/// What `copydesk doctor` wants to know of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Major version, such as 15.
    pub major: i32,
    /// Encoding of the database; must be UTF8.
    pub encoding: String,
    /// The server's clock.
    pub now: DateTime<Utc>,
}

/// One row of the view `ingest_status`.
#[derive(Debug, Clone, PartialEq)]
pub struct IngestStatus {
    /// The partition.
    pub source: TopicPartition,
    /// The first offset that the ledger ever knew of.
    pub first_offset: Offset,
    /// The first offset that is not yet done.
    pub next_offset: NextOffset,
    /// Messages stored as articles, versions or repeats.
    pub stored: i64,
    /// Messages in quarantine.
    pub quarantined: i64,
    /// Offsets that never brought a message.
    pub skipped: i64,
    /// How often it was claimed.
    pub epoch: Epoch,
    /// Who claimed it last.
    pub owner: String,
    /// When.
    pub claimed_at: DateTime<Utc>,
    /// Time of the last flush or claim.
    pub updated_at: DateTime<Utc>,
    /// Mean rate of the present owner.
    pub messages_per_second: f64,
}

/// What is unusual about sites or languages, and of how many, as the view `source_health` has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnusualSources {
    /// `site` or `language`.
    pub of: &'static str,
    /// `silent`, `length` or `refusals`.
    pub what: &'static str,
    /// How many of them.
    pub sources: i64,
}

impl Store {
    /// How many sites and languages have fallen silent or are suddenly different. Reads two weeks of articles: not for every minute.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn unusual_sources(&self) -> Result<Vec<UnusualSources>, StoreError> {
        const DOING: &str = "cannot look at the sites and languages";
        let rows: Vec<(String, i64, i64, i64)> = sqlx::query_as(
            "SELECT \"of\", count(*) FILTER (WHERE is_silent), count(*) FILTER (WHERE has_other_length), count(*) FILTER (WHERE is_refused)
             FROM source_health GROUP BY 1",
        )
        .fetch_all(&self.pool)
        .await
        .doing(DOING)?;
        let counts = |of| {
            rows.iter()
                .find(|(kind, ..)| kind == of)
                .map_or((0, 0, 0), |(_, s, l, r)| (*s, *l, *r))
        };
        let told = ["site", "language"].into_iter().flat_map(|of| {
            let (silent, length, refusals) = counts(of);
            [("silent", silent), ("length", length), ("refusals", refusals)]
                .map(|(what, sources)| UnusualSources { of, what, sources })
        });
        Ok(told.collect())
    }

    /// The server's version, encoding and clock.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn server(&self) -> Result<Server, StoreError> {
        const DOING: &str = "cannot ask the server for its version";
        let row = sqlx::query(
            "SELECT current_setting('server_version_num')::int4 / 10000, current_setting('server_encoding'), clock_timestamp()",
        )
        .fetch_one(&self.pool)
        .await
        .doing(DOING)?;
        Ok(Server {
            major: row.try_get(0).doing(DOING)?,
            encoding: row.try_get(1).doing(DOING)?,
            now: row.try_get(2).doing(DOING)?,
        })
    }

    /// How far each partition is, who reads it, how fast; in order.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn ingest_status(&self) -> Result<Vec<IngestStatus>, StoreError> {
        const DOING: &str = "cannot read the status of the partitions";
        let rows = sqlx::query(
            "SELECT topic, partition, first_offset, next_offset, stored, quarantined, skipped, epoch, owner,
                    claimed_at, updated_at, messages_per_second::float8
             FROM ingest_status ORDER BY topic, partition",
        )
        .fetch_all(&self.pool)
        .await
        .doing(DOING)?;
        rows.into_iter()
            .map(|row| {
                Ok(IngestStatus {
                    source: source_of(row.try_get(0)?, row.try_get(1)?),
                    first_offset: Offset::new(row.try_get(2)?),
                    next_offset: NextOffset::new(row.try_get(3)?),
                    stored: row.try_get(4)?,
                    quarantined: row.try_get(5)?,
                    skipped: row.try_get(6)?,
                    epoch: Epoch::new(row.try_get(7)?),
                    owner: row.try_get(8)?,
                    claimed_at: row.try_get(9)?,
                    updated_at: row.try_get(10)?,
                    messages_per_second: row.try_get(11)?,
                })
            })
            .collect::<Result<_, _>>()
            .doing(DOING)
    }
}
