//! The outbox: messages for Kafka topics, written in the transaction that stores what they tell of, deleted once delivered.
//!
//! Rows are deleted, and not passed by a watermark: numbers are given out before transactions commit, so a row can
//! appear behind one that was read already. Whoever publishes holds a lock (`pipeline_lock`) until the end of its transaction: one at
//! a time for each output, so that messages keep their order; `FOR UPDATE SKIP LOCKED` on the rows would let two publishers overtake
//! each other.
//!
//! A notification is no such message: it is sent behind the commit, and whoever listens takes it for a hint. Within the transaction it could fail
//! the commit: any login may fill Postgres' queue of notifications.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use copydesk_article::{Coordinates, Message, Offset, Reject, TopicPartition};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Postgres, Row as _, Transaction};
use tracing::warn;

use crate::connect::config::Store;
use crate::error::{Doing as _, StoreError};
use crate::ledger::progress::source_of;
use crate::rows::columns::columns;
use crate::rows::headers::headers_from_bytes;

/// The channel of `LISTEN`.
pub const CHANNEL: &str = "copydesk_articles";

/// What is published from the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Output {
    /// Messages that were refused.
    DeadLetters,
    /// Articles and versions that were stored.
    Articles,
}

impl Output {
    /// The name in `outbox.output` and in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DeadLetters => "dead_letters",
            Self::Articles => "articles",
        }
    }

    /// The lock of its publisher, in `pipeline_lock`.
    const fn lock(self) -> &'static str {
        match self {
            Self::DeadLetters => "publish_dead_letters",
            Self::Articles => "publish_articles",
        }
    }
}

/// One message that is to be published.
#[derive(Debug, Clone, PartialEq)]
pub struct OutboxEntry {
    /// Its place in the outbox.
    pub id: i64,
    /// What it is.
    pub content: OutboxContent,
}

/// The content of an [`OutboxEntry`].
#[derive(Debug, Clone, PartialEq)]
pub enum OutboxContent {
    /// A stored article or version.
    Article {
        /// Its story: the key.
        story_id: i64,
        /// The value: JSON.
        payload: String,
    },
    /// A refused message.
    DeadLetter(Box<DeadLetter>),
}

/// A refused message as it came, and why it was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The message.
    pub message: Message,
    /// The stage that refused it.
    pub stage: String,
    /// The reason, from the closed list.
    pub reason: String,
    /// What was wrong, in a sentence.
    pub detail: String,
    /// Its value is not whole: it was over the store's own limit.
    pub truncated: bool,
    /// Value, key and headers were dropped from quarantine before it was published, for this reason.
    pub dropped_for: Option<String>,
}

/// What waits of one output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// `dead_letters` or `articles`.
    pub output: String,
    /// Messages.
    pub messages: i64,
    /// When the oldest was written.
    pub oldest: DateTime<Utc>,
}

/// Messages that nobody else publishes as long as this is held: it is a transaction. Dropped without [`Self::delivered`],
/// all of them stay.
#[derive(Debug)]
pub struct OutboxBatch {
    tx: Transaction<'static, Postgres>,
    output: Output,
    /// In their order.
    pub entries: Vec<OutboxEntry>,
    /// Rows of messages that are in quarantine no more: replayed, or taken back by a rewind.
    pub settled: Vec<i64>,
}

impl Store {
    /// Takes the next messages of an output: at most so many, and so many bytes unless the first alone has more. `None`:
    /// somebody else is publishing.
    ///
    /// # Errors
    /// Postgres does not answer, or what is stored cannot be read.
    pub async fn outbox_take(
        &self,
        output: Output,
        most_messages: i64,
        most_bytes: i64,
    ) -> Result<Option<OutboxBatch>, StoreError> {
        const DOING: &str = "cannot read the outbox";
        let mut tx = self.begin().await?;
        // The transaction is idle while Kafka is waited for.
        sqlx::query("SET LOCAL idle_in_transaction_session_timeout = '60s'")
            .execute(&mut *tx)
            .await
            .doing(DOING)?;
        let ours: bool = sqlx::query_scalar("SELECT copydesk_try_lock($1)")
            .bind(output.lock())
            .fetch_one(&mut *tx)
            .await
            .doing(DOING)?;
        if !ours {
            tx.rollback().await.doing(DOING)?;
            return Ok(None);
        }
        let sql = match output {
            Output::Articles => TAKE_ARTICLES,
            Output::DeadLetters => TAKE_DEAD_LETTERS,
        };
        let rows = sqlx::query(sql)
            .bind(most_messages)
            .bind(most_bytes)
            .fetch_all(&mut *tx)
            .await
            .doing(DOING)?;
        let mut batch = OutboxBatch {
            tx,
            output,
            entries: Vec::with_capacity(rows.len()),
            settled: Vec::new(),
        };
        for row in rows {
            let id: i64 = row.try_get(0).doing(DOING)?;
            match output {
                Output::Articles => batch.entries.push(OutboxEntry {
                    id,
                    content: OutboxContent::Article {
                        story_id: row.try_get(1).doing(DOING)?,
                        payload: row.try_get(2).doing(DOING)?,
                    },
                }),
                Output::DeadLetters => match dead_letter(&row)? {
                    Some(letter) => batch.entries.push(OutboxEntry {
                        id,
                        content: OutboxContent::DeadLetter(Box::new(letter)),
                    }),
                    None => batch.settled.push(id),
                },
            }
        }
        Ok(Some(batch))
    }

    /// What waits to be published.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn outbox_waiting(&self) -> Result<Vec<Waiting>, StoreError> {
        let rows: Vec<(String, i64, DateTime<Utc>)> =
            sqlx::query_as("SELECT output, waiting, oldest FROM outbox_status")
                .fetch_all(&self.pool)
                .await
                .doing("cannot read what waits in the outbox")?;
        let waiting = |(output, messages, oldest)| Waiting {
            output,
            messages,
            oldest,
        };
        Ok(rows.into_iter().map(waiting).collect())
    }
}

impl OutboxBatch {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.settled.is_empty()
    }

    /// Deletes what was delivered (and what is settled), and ends.
    ///
    /// # Errors
    /// Postgres does not answer: the messages may be published a second time.
    pub async fn delivered(mut self, mut ids: Vec<i64>) -> Result<(), StoreError> {
        const DOING: &str = "cannot delete what was published from the outbox";
        ids.append(&mut self.settled);
        if !ids.is_empty() {
            sqlx::query("DELETE FROM outbox WHERE output = $1 AND outbox_id = ANY ($2)")
                .bind(self.output.as_str())
                .bind(&ids)
                .execute(&mut *self.tx)
                .await
                .doing(DOING)?;
        }
        self.tx.commit().await.doing(DOING)
    }
}

const TAKE_ARTICLES: &str = "SELECT outbox_id, story_id, payload
     FROM (SELECT *, sum(octet_length(payload)) OVER (ORDER BY outbox_id) - octet_length(payload) AS bytes_before
           FROM (SELECT outbox_id, story_id, payload FROM outbox
                 WHERE output = 'articles' ORDER BY outbox_id LIMIT $1) o) w
     WHERE bytes_before < $2 ORDER BY outbox_id";

/// A discarded message was refused all the same; a replayed one is an article now.
const TAKE_DEAD_LETTERS: &str = "SELECT outbox_id, topic, partition, \"offset\", stage, reason, detail, truncated,
            message_time, key, headers, raw, content_dropped_for
     FROM (SELECT *, sum(coalesce(raw_size, 0)::int8) OVER (ORDER BY outbox_id) - coalesce(raw_size, 0) AS bytes_before
           FROM (SELECT outbox_id, topic, partition, \"offset\" FROM outbox
                 WHERE output = 'dead_letters' ORDER BY outbox_id LIMIT $1) o
           LEFT JOIN (SELECT * FROM quarantine WHERE state <> 'replayed') q USING (topic, partition, \"offset\")) w
     WHERE bytes_before < $2 ORDER BY outbox_id";

fn dead_letter(row: &PgRow) -> Result<Option<DeadLetter>, StoreError> {
    const DOING: &str = "cannot read a refused message";
    let Some(stage) = row.try_get::<Option<String>, _>(4).doing(DOING)? else {
        return Ok(None);
    };
    let coordinates = Coordinates {
        source: source_of(row.try_get(1).doing(DOING)?, row.try_get(2).doing(DOING)?),
        offset: Offset::new(row.try_get(3).doing(DOING)?),
    };
    let damaged = |what: &str| StoreError::Unknown(format!("{what} of {coordinates}"));
    let raw: Option<&[u8]> = row.try_get(11).doing(DOING)?;
    let payload = raw
        .map(zstd::decode_all)
        .transpose()
        .map_err(|_| damaged("the value"))?;
    let headers = match row.try_get::<Option<&[u8]>, _>(10).doing(DOING)? {
        None => Vec::new(),
        Some(bytes) => headers_from_bytes(bytes).ok_or_else(|| damaged("the headers"))?,
    };
    Ok(Some(DeadLetter {
        stage,
        reason: row.try_get(5).doing(DOING)?,
        detail: row.try_get(6).doing(DOING)?,
        truncated: row.try_get(7).doing(DOING)?,
        dropped_for: row.try_get(12).doing(DOING)?,
        message: Message {
            timestamp: row.try_get(8).doing(DOING)?,
            key: row.try_get(9).doing(DOING)?,
            payload,
            headers,
            coordinates,
        },
    }))
}

columns! {
    /// One article or version to tell of.
    ToldColumns of Told<'b> {
        offset: i64 = "int8",
        article_id: i64 = "int8",
        version: i32 = "int4",
        verdict: &'b str = "text",
    }
}

/// The value is the row of the view `articles`, so that there is one contract and not two. Of a version that another one of the
/// same batch has replaced, what `article_version` keeps is taken from there.
static TELL: LazyLock<String> = LazyLock::new(|| {
    format!(
        "INSERT INTO outbox (output, topic, partition, \"offset\", story_id, payload)
         SELECT 'articles', $5::text, $6::int4, r.\"offset\", a.story_id,
                (to_jsonb(a)
                 || coalesce((SELECT to_jsonb(v) FROM (
                        SELECT version, title, dek, body, word_count, captions, modified_at, message_time, version_at, rules_version,
                               NULL AS body_markdown, NULL AS links, NULL AS images
                        FROM article_version h WHERE h.article_id = r.article_id AND h.version = r.version) v), '{{}}')
                 || jsonb_build_object('verdict', r.verdict, 'topic', $5::text, 'partition', $6::int4, 'offset', r.\"offset\"))::text
         FROM {} JOIN articles a ON a.article_id = r.article_id
         ORDER BY r.\"offset\"",
        ToldColumns::unnest(),
    )
});

/// Notes articles and versions, in the transaction that stores them.
pub(crate) async fn tell(
    connection: &mut PgConnection,
    source: &TopicPartition,
    rows: &ToldColumns<'_>,
) -> Result<(), StoreError> {
    rows.bind(sqlx::query(TELL.as_str()))
        .bind(source.topic.as_str())
        .bind(source.partition.get())
        .execute(connection)
        .await
        .doing("cannot note articles for publishing")?;
    Ok(())
}

/// Notes refused messages, in the transaction that puts them into quarantine.
pub(crate) async fn dead_letters(
    connection: &mut PgConnection,
    source: &TopicPartition,
    refused: &[(&Message, &Reject)],
) -> Result<(), StoreError> {
    let offsets: Vec<i64> = refused.iter().map(|(m, _)| m.coordinates.offset.get()).collect();
    sqlx::query(
        "INSERT INTO outbox (output, topic, partition, \"offset\")
         SELECT 'dead_letters', $2, $3, o FROM unnest($1::int8[]) WITH ORDINALITY AS r (o, n) ORDER BY n",
    )
    .bind(&offsets)
    .bind(source.topic.as_str())
    .bind(source.partition.get())
    .execute(connection)
    .await
    .doing("cannot note refused messages for publishing")?;
    Ok(())
}

/// What those who listen are told of a flush: which range of offsets has brought articles.
#[derive(Debug)]
pub(crate) struct Notice(String);

impl Notice {
    pub(crate) fn new(source: &TopicPartition, (from, to): (i64, i64), articles: u64) -> Self {
        let payload = serde_json::json!({
            "topic": source.topic.as_str(),
            "partition": source.partition.get(),
            "from_offset": from,
            "to_offset": to,
            "articles": articles,
        });
        Self(payload.to_string())
    }

    /// Sends it, behind the commit of what it tells of. Where that fails, whoever listens hears of the next flush.
    pub(crate) async fn send(self, store: &Store) {
        // Nothing is lost with a notification: its commit need not wait for the disk.
        let sent = sqlx::query("SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, $2)")
            .bind(CHANNEL)
            .bind(self.0)
            .execute(&store.pool)
            .await
            .doing("cannot notify listeners");
        if let Err(error) = sent {
            warn!(%error, channel = CHANNEL, "articles are stored, and nobody was notified");
        }
    }
}
