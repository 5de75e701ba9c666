//! Quarantine as a list: filters, counts, pages.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::{Postgres, QueryBuilder};

use super::{all, ask, read_all, read_first, text};
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

/// Some refused messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessagePage {
    /// Those that match.
    pub messages: Vec<MessageRow>,
    /// Where the next page begins: behind the last of them, or behind the last that was looked at. `None`: nothing follows.
    pub next: Option<MessageKey>,
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

/// Messages that a page looks into at the most: no index knows what their sentences contain.
const LOOKED_AT: u32 = 10_000;

const MESSAGE: &str = "SELECT topic, partition, \"offset\", stage, reason, detail, state, attempts, \
    message_time, first_seen, settled_at,
        raw_size, truncated, stored_bytes, content_dropped_at, content_dropped_for, site, settled_by FROM quarantined";

impl Store {
    /// Refused messages in the order of topic, partition and offset, of the next 10,000.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn read_messages(&self, asked: &MessageQuery) -> Result<MessagePage, StoreError> {
        let mut query = ask("SELECT * FROM (");
        query.push(MESSAGE).push(" WHERE true");
        by_index(&mut query, asked);
        in_order(&mut query, LOOKED_AT);
        query.push(") AS looked_at WHERE true");
        by_sight(&mut query, asked);
        in_order(&mut query, asked.most);
        let messages: Vec<MessageRow> = all(self, query, "cannot list the quarantine").await?;
        let next = match messages.last() {
            Some(last) if messages.len() >= asked.most as usize => Some(last.key()),
            _ => self.last_looked_at(asked).await?,
        };
        Ok(MessagePage { messages, next })
    }

    /// The last message that a page looks at. `None`: it looks at all that follow.
    async fn last_looked_at(&self, asked: &MessageQuery) -> Result<Option<MessageKey>, StoreError> {
        let mut query = ask("SELECT topic, partition, \"offset\" FROM quarantined WHERE true");
        by_index(&mut query, asked);
        query.push(" ORDER BY topic, partition, \"offset\" LIMIT 1 OFFSET ");
        query.push_bind(i64::from(LOOKED_AT - 1));
        Ok(all(self, query, "cannot look behind a page of the quarantine")
            .await?
            .pop())
    }

    /// How many messages match, counted no further than `most`.
    ///
    /// # Errors
    /// Postgres does not answer, or not in time.
    pub async fn count_messages(&self, asked: &MessageQuery, most: u32) -> Result<i64, StoreError> {
        let mut query = ask("SELECT count(*) AS messages FROM (SELECT FROM quarantined WHERE true");
        by_index(&mut query, asked);
        by_sight(&mut query, asked);
        query
            .push(" LIMIT ")
            .push_bind(i64::from(most))
            .push(") AS found");
        let counted: Vec<Counted> = all(self, query, "cannot count the quarantine").await?;
        Ok(counted.first().map_or(0, |c| c.messages))
    }

    /// One refused message, whatever its state.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn read_message(&self, key: &MessageKey) -> Result<Option<MessageRow>, StoreError> {
        read_first!(self, "cannot read a row of the quarantine";
            &format!("{MESSAGE} WHERE topic = $1 AND partition = $2 AND \"offset\" = $3"),
            text(&key.topic), key.partition, key.offset
        )
    }

    /// How many held messages have which reason, of the first `most` that are held.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn read_reasons(&self, most: u32) -> Result<Vec<ReasonCount>, StoreError> {
        read_all!(self, "cannot count the quarantine";
            "SELECT stage, reason, count(*) AS messages FROM
                 (SELECT stage, reason FROM quarantined WHERE state = 'held' LIMIT $1) AS held
             GROUP BY stage, reason ORDER BY messages DESC, reason",
            i64::from(most)
        )
    }
}

impl MessageRow {
    /// Where it stands.
    pub fn key(&self) -> MessageKey {
        MessageKey {
            topic: self.topic.clone(),
            partition: self.partition,
            offset: self.offset,
        }
    }
}

fn equals(query: &mut QueryBuilder<'static, Postgres>, column: &str, value: Option<&String>) {
    if let Some(value) = value {
        query.push(format!(" AND {column} = ")).push_bind(text(value));
    }
}

fn in_order(query: &mut QueryBuilder<'static, Postgres>, most: u32) {
    query.push(" ORDER BY topic, partition, \"offset\" LIMIT ");
    query.push_bind(i64::from(most));
}

/// Whether `state` is that of most messages that anybody asks for: it has indexes.
fn is_held(asked: &MessageQuery) -> bool {
    asked.state.as_deref() == Some("held")
}

/// What an index finds in the order of the list: a site's messages, else those that are held, by their reason if one is named.
fn by_index(query: &mut QueryBuilder<'static, Postgres>, asked: &MessageQuery) {
    equals(query, "topic", asked.topic.as_ref());
    equals(query, "site", asked.site.as_ref());
    if asked.site.is_none() && is_held(asked) {
        query.push(" AND state = 'held'");
        equals(query, "reason", asked.reason.as_ref());
    }
    if let Some(key) = &asked.after {
        query
            .push(" AND (topic, partition, \"offset\") > (")
            .push_bind(text(&key.topic));
        query
            .push(", ")
            .push_bind(key.partition)
            .push(", ")
            .push_bind(key.offset)
            .push(")");
    }
}

/// What is looked for in each message.
fn by_sight(query: &mut QueryBuilder<'static, Postgres>, asked: &MessageQuery) {
    equals(query, "state", asked.state.as_ref());
    equals(query, "reason", asked.reason.as_ref());
    equals(query, "stage", asked.stage.as_ref());
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
}
