//! Quarantine as a list: filters, counts, pages.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::{Postgres, QueryBuilder};

use super::{all, ask, first, text};
use crate::connect::config::Store;
use crate::error::StoreError;

/// Which refused messages. All that is `None` matches everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MessageQuery {
    /// `held`, `replayed` or `discarded`.
    pub state: Option<String>,
    /// The reason.
    pub reason: Option<String>,
    /// The stage that refused it.
    pub stage: Option<String>,
    /// The topic.
    pub topic: Option<String>,
    /// The site that its key names.
    pub site: Option<String>,
    /// Refused first at this time or later.
    pub since: Option<DateTime<Utc>>,
    /// Refused first before this time.
    pub until: Option<DateTime<Utc>>,
    /// The sentence that says what was wrong contains this, whatever the case.
    pub contains: Option<String>,
    /// The sentence does not contain this.
    pub lacks: Option<String>,
    /// Behind this message.
    pub after: Option<MessageKey>,
    /// Messages at the most.
    pub most: u32,
}

/// Where a message stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageKey {
    /// Kafka topic.
    pub topic: String,
    /// Its partition.
    pub partition: i64,
    /// Its offset.
    pub offset: i64,
}

/// A row of the view `quarantined`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    missing_docs,
    reason = "each field is the view's column of that name: docs/schema.md"
)]
pub struct MessageRow {
    pub topic: String,
    pub partition: i64,
    pub offset: i64,
    pub stage: String,
    pub reason: String,
    pub detail: String,
    pub state: String,
    pub attempts: i64,
    pub message_time: Option<DateTime<Utc>>,
    pub first_seen: DateTime<Utc>,
    pub settled_at: Option<DateTime<Utc>>,
    pub raw_size: Option<i64>,
    pub truncated: bool,
    pub stored_bytes: i64,
    pub content_dropped_at: Option<DateTime<Utc>>,
    pub content_dropped_for: Option<String>,
    pub site: Option<String>,
    pub settled_by: Option<String>,
}

/// How many held messages have a reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReasonCount {
    /// The stage.
    pub stage: String,
    /// The reason.
    pub reason: String,
    /// Messages, no more than were counted.
    pub messages: i64,
}

#[derive(Deserialize)]
struct Counted {
    messages: i64,
}

const MESSAGE: &str = "SELECT topic, partition, \"offset\", stage, reason, detail, state, attempts, \
    message_time, first_seen, settled_at,
        raw_size, truncated, stored_bytes, content_dropped_at, content_dropped_for, site, settled_by FROM quarantined";

impl Store {
    /// Refused messages in the order of topic, partition and offset.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn read_messages(&self, asked: &MessageQuery) -> Result<Vec<MessageRow>, StoreError> {
        let mut query = ask(MESSAGE);
        filter(&mut query, asked);
        query
            .push(" ORDER BY topic, partition, \"offset\" LIMIT ")
            .push_bind(i64::from(asked.most));
        all(self, query, "cannot list the quarantine").await
    }

    /// How many messages match, counted no further than `most`.
    ///
    /// # Errors
    /// Postgres does not answer, or not in time.
    pub async fn count_messages(&self, asked: &MessageQuery, most: u32) -> Result<i64, StoreError> {
        let mut query = ask("SELECT count(*) AS messages FROM (SELECT FROM quarantined");
        filter(&mut query, asked);
        query
            .push(" LIMIT ")
            .push_bind(i64::from(most))
            .push(") AS found");
        let counted: Option<Counted> = first(self, query, "cannot count the quarantine").await?;
        Ok(counted.map_or(0, |c| c.messages))
    }

    /// One refused message, whatever its state.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn read_message(&self, key: &MessageKey) -> Result<Option<MessageRow>, StoreError> {
        let mut query = ask(MESSAGE);
        query
            .push(" WHERE (topic, partition, \"offset\") = (")
            .push_bind(text(&key.topic))
            .push(", ")
            .push_bind(key.partition)
            .push(", ")
            .push_bind(key.offset)
            .push(")");
        first(self, query, "cannot read a row of the quarantine").await
    }

    /// How many held messages have which reason, of the first `most` that are held.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn read_reasons(&self, most: u32) -> Result<Vec<ReasonCount>, StoreError> {
        let mut query = ask("SELECT stage, reason, count(*) AS messages FROM
             (SELECT stage, reason FROM quarantined WHERE state = 'held' LIMIT ");
        query.push_bind(i64::from(most));
        query.push(") AS held GROUP BY stage, reason ORDER BY messages DESC, reason");
        all(self, query, "cannot count the quarantine").await
    }
}

fn filter(query: &mut QueryBuilder<'static, Postgres>, asked: &MessageQuery) {
    query.push(" WHERE true");
    for (column, value) in [
        ("state", &asked.state),
        ("reason", &asked.reason),
        ("stage", &asked.stage),
        ("topic", &asked.topic),
        ("site", &asked.site),
    ] {
        if let Some(value) = value {
            query.push(format!(" AND {column} = ")).push_bind(text(value));
        }
    }
    for (compared, time) in [(">=", asked.since), ("<", asked.until)] {
        if let Some(time) = time {
            query.push(format!(" AND first_seen {compared} ")).push_bind(time);
        }
    }
    for (compared, words) in [("> 0", &asked.contains), ("= 0", &asked.lacks)] {
        if let Some(words) = words {
            query
                .push(" AND strpos(lower(detail), lower(")
                .push_bind(text(words))
                .push(format!(")) {compared}"));
        }
    }
    if let Some(key) = &asked.after {
        query
            .push(" AND (topic, partition, \"offset\") > (")
            .push_bind(text(&key.topic))
            .push(", ")
            .push_bind(key.partition)
            .push(", ")
            .push_bind(key.offset)
            .push(")");
    }
}
