//! The outbox: messages for Kafka topics, written in the transaction that stores what they report, deleted
//! once delivered.
//!
//! Rows are deleted, and there is no watermark: numbers are drawn before transactions commit, so a row may
//! appear with a lower number than one that was read already. A publisher holds a lock (`pipeline_lock`)
//! until the end of its transaction. So each output has one publisher at a time, and messages keep their
//! order; with `FOR UPDATE SKIP LOCKED` on the rows two publishers could overtake each other.
//!
//! A notification (`NOTIFY`) is sent behind the commit, and listeners take it for a hint. Within the
//! transaction it could fail the commit: any login may fill Postgres' queue of notifications.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use copydesk_article::{Coordinates, Message, Reject, StoryId, TopicPartition};
use sqlx::{PgConnection, Postgres, Transaction};
use tracing::warn;

use crate::connect::config::Store;
use crate::error::{Context as _, StoreError};
use crate::rows::{columns, execute, fetch_all, fetch_one, headers_from_bytes, named, record, sql};

/// The channel of `LISTEN`.
pub const CHANNEL: &str = "copydesk_articles";

named! {
    /// What is published from the outbox.
    pub enum Output {
        /// Messages that were refused.
        DeadLetters = "dead_letters",
        /// Articles and versions that were stored.
        Articles = "articles",
    }
}

impl Output {
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
        story_id: StoryId,
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

/// Messages that nobody else publishes as long as this transaction is open. Dropped without
/// [`Self::delivered`], all of them stay.
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
    /// Postgres does not answer, or a stored message cannot be read.
    pub async fn outbox_take(
        &self,
        output: Output,
        most_messages: i64,
        most_bytes: i64,
    ) -> Result<Option<OutboxBatch>, StoreError> {
        const CONTEXT: &str = "cannot read the outbox";
        let mut tx = self.begin().await?;
        // The transaction is idle while Kafka is waited for.
        execute!(&mut *tx, CONTEXT; "SET LOCAL idle_in_transaction_session_timeout = '60s'")?;
        let ours: bool = fetch_one!(&mut *tx, CONTEXT; "SELECT copydesk_try_lock($1)", output.lock())?;
        if !ours {
            tx.rollback().await.context(CONTEXT)?;
            return Ok(None);
        }
        let mut batch = OutboxBatch {
            tx,
            output,
            entries: Vec::new(),
            settled: Vec::new(),
        };
        match output {
            Output::Articles => {
                let rows: Vec<ArticleRow> =
                    fetch_all!(&mut *batch.tx, CONTEXT; TAKE_ARTICLES, most_messages, most_bytes)?;
                let entry = |row: ArticleRow| OutboxEntry {
                    id: row.outbox_id,
                    content: OutboxContent::Article {
                        story_id: row.story_id,
                        payload: row.payload,
                    },
                };
                batch.entries.extend(rows.into_iter().map(entry));
            }
            Output::DeadLetters => {
                let rows: Vec<DeadLetterRow> =
                    fetch_all!(&mut *batch.tx, CONTEXT; TAKE_DEAD_LETTERS, most_messages, most_bytes)?;
                for row in rows {
                    let id = row.outbox_id;
                    match dead_letter(row)? {
                        Some(letter) => batch.entries.push(OutboxEntry {
                            id,
                            content: OutboxContent::DeadLetter(Box::new(letter)),
                        }),
                        None => batch.settled.push(id),
                    }
                }
            }
        }
        Ok(Some(batch))
    }
}

impl OutboxBatch {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.settled.is_empty()
    }

    /// Deletes the delivered messages and the settled ones, and ends the transaction.
    ///
    /// # Errors
    /// Postgres does not answer: the messages may be published a second time.
    pub async fn delivered(mut self, mut ids: Vec<i64>) -> Result<(), StoreError> {
        const CONTEXT: &str = "cannot delete what was published from the outbox";
        ids.append(&mut self.settled);
        if !ids.is_empty() {
            execute!(&mut *self.tx, CONTEXT;
                "DELETE FROM outbox WHERE output = $1 AND outbox_id = ANY ($2)", self.output.as_str(), &ids
            )?;
        }
        self.tx.commit().await.context(CONTEXT)
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

record! {
    struct ArticleRow {
        outbox_id: i64,
        story_id: StoryId,
        payload: String,
    }
}

record! {
    /// Where the message is in quarantine no more, all but the first two are null.
    struct DeadLetterRow {
        outbox_id: i64,
        coordinates: Coordinates,
        stage: Option<String>,
        reason: Option<String>,
        detail: Option<String>,
        truncated: Option<bool>,
        message_time: Option<DateTime<Utc>>,
        key: Option<Vec<u8>>,
        headers: Option<Vec<u8>>,
        raw: Option<Vec<u8>>,
        content_dropped_for: Option<String>,
    }
}

fn dead_letter(row: DeadLetterRow) -> Result<Option<DeadLetter>, StoreError> {
    let (Some(stage), Some(reason), Some(detail)) = (row.stage, row.reason, row.detail) else {
        return Ok(None);
    };
    let coordinates = row.coordinates;
    let damaged = |what: &str| StoreError::Unknown(format!("{what} of {coordinates}"));
    let payload = row.raw.map(|raw| zstd::decode_all(raw.as_slice())).transpose();
    let headers = headers_from_bytes(&row.headers.unwrap_or_default());
    Ok(Some(DeadLetter {
        stage,
        reason,
        detail,
        truncated: row.truncated.unwrap_or_default(),
        dropped_for: row.content_dropped_for,
        message: Message {
            timestamp: row.message_time,
            key: row.key,
            payload: payload.map_err(|_| damaged("the value"))?,
            headers: headers.ok_or_else(|| damaged("the headers"))?,
            coordinates,
        },
    }))
}

columns! {
    /// One article or version that is to be published.
    EnqueuedColumns of Enqueued<'b> {
        offset: i64 = "int8",
        article_id: i64 = "int8",
        version: i32 = "int4",
        verdict: &'b str = "text",
    }
}

/// The value is the row of the view `articles`, so that there is one contract and not two. Of a version that another one of the
/// same batch has replaced, what `article_version` keeps is taken from there.
static ENQUEUE_ARTICLES: LazyLock<String> = LazyLock::new(|| {
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
        EnqueuedColumns::unnest(),
    )
});

/// Enqueues articles and versions, in the transaction that stores them.
pub(crate) async fn enqueue_articles(
    connection: &mut PgConnection,
    source: &TopicPartition,
    rows: &EnqueuedColumns<'_>,
) -> Result<(), StoreError> {
    let statement = rows.bind(sqlx::query(ENQUEUE_ARTICLES.as_str()));
    let statement = statement.bind(source.topic.as_str()).bind(source.partition.get());
    sql::run(statement, connection, "cannot enqueue articles for publishing").await?;
    Ok(())
}

/// Enqueues refused messages, in the transaction that puts them into quarantine.
pub(crate) async fn enqueue_dead_letters(
    connection: &mut PgConnection,
    source: &TopicPartition,
    refused: &[(&Message, &Reject)],
) -> Result<(), StoreError> {
    let offsets: Vec<i64> = refused.iter().map(|(m, _)| m.coordinates.offset.get()).collect();
    execute!(connection, "cannot enqueue refused messages for publishing";
        "INSERT INTO outbox (output, topic, partition, \"offset\")
         SELECT 'dead_letters', $2, $3, o FROM unnest($1::int8[]) WITH ORDINALITY AS r (o, n) ORDER BY n",
        &offsets, source.topic.as_str(), source.partition.get()
    )?;
    Ok(())
}

/// The notification of a flush: the range of offsets that has brought articles.
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

    /// Sends it, behind the flush's commit. Where that fails, listeners hear of the next flush.
    pub(crate) async fn send(self, store: &Store) {
        // Nothing is lost with a notification: its commit need not wait for the disk.
        let sent = execute!(&store.pool, "cannot notify listeners";
            "SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, $2)", CHANNEL, self.0
        );
        if let Err(error) = sent {
            warn!(%error, channel = CHANNEL, "articles are stored, and nobody was notified");
        }
    }
}
