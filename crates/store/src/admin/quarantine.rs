//! What a person does with the quarantine: list, look, replay, discard.

use chrono::{DateTime, Utc};
use copydesk_article::{Coordinates, Message, Reject};
use sha2::{Digest as _, Sha256};
use sqlx::{Postgres, QueryBuilder};

use crate::connect::config::Store;
use crate::error::{Context as _, StoreError};
use crate::flush::pending_article::PendingArticle;
use crate::flush::store_articles::{Fresh, Origin, store_articles};
use crate::flush::takedown;
use crate::ledger::item::{Content, Item};
use crate::ledger::quarantine_content::{CONTENT_BYTES, Dropped, DroppedFor, STEP_BYTES, select_content};
use crate::ledger::report::FlushReport;
use crate::rows::{execute, fetch_optional, headers_from_bytes, record, sql};

/// Which messages are meant. All that is `None` matches everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QuarantineFilter {
    /// `held` if `None`.
    pub state: Option<String>,
    /// The stage that refused it.
    pub stage: Option<String>,
    /// The reason.
    pub reason: Option<String>,
    /// The topic.
    pub topic: Option<String>,
    /// The partition.
    pub partition: Option<i32>,
    /// The offset.
    pub offset: Option<i64>,
    /// Refused at this time or later.
    pub since: Option<DateTime<Utc>>,
}

impl QuarantineFilter {
    /// One message.
    pub fn of(coordinates: &Coordinates) -> Self {
        Self {
            topic: Some(coordinates.source.topic.as_str().to_owned()),
            partition: Some(coordinates.source.partition.get()),
            offset: Some(coordinates.offset.get()),
            ..Self::default()
        }
    }

    /// Adds `WHERE …`.
    fn to_sql(&self, query: &mut QueryBuilder<'_, Postgres>) {
        query
            .push(" WHERE state = ")
            .push_bind(self.state.clone().unwrap_or_else(|| "held".into()));
        for (column, value) in [
            ("stage", &self.stage),
            ("reason", &self.reason),
            ("topic", &self.topic),
        ] {
            if let Some(value) = value {
                query.push(format!(" AND {column} = ")).push_bind(value.clone());
            }
        }
        if let Some(partition) = self.partition {
            query.push(" AND partition = ").push_bind(partition);
        }
        if let Some(offset) = self.offset {
            query.push(" AND \"offset\" = ").push_bind(offset);
        }
        if let Some(since) = self.since {
            query.push(" AND first_seen >= ").push_bind(since);
        }
    }
}

record! {
    /// A message in quarantine, without its bytes.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct QuarantineEntry {
        /// Where it stands.
        pub coordinates: Coordinates,
        /// `held`, `replayed` or `discarded`.
        pub state: String,
        /// The stage that refused it.
        pub stage: String,
        /// Why.
        pub reason: String,
        /// What was wrong, in a sentence.
        pub detail: String,
        /// How often it was tried.
        pub attempts: i32,
        /// When it was refused first.
        pub first_seen: DateTime<Utc>,
        /// Bytes of its value.
        pub raw_size: Option<i32>,
        /// Its value is not whole: it cannot be replayed.
        pub truncated: bool,
        /// SHA-256 of its value as it came.
        pub raw_hash: Option<Vec<u8>>,
        /// When its value, key and headers were dropped. It cannot be replayed then.
        pub content_dropped_at: Option<DateTime<Utc>>,
        /// Why: `replayed`, `discarded`, `age` or `bound`.
        pub content_dropped_for: Option<String>,
    }
}

/// What became of one message that was tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replayed {
    /// It is stored now.
    Stored(FlushReport),
    /// It was refused again, for this reason.
    RefusedAgain(Reject),
    /// Somebody else has settled it in the meantime.
    SettledMeanwhile,
}

const ENTRY: &str = "SELECT topic, partition, \"offset\", state, stage, reason, detail, attempts, first_seen, raw_size, truncated,
         raw_hash, content_dropped_at, content_dropped_for
     FROM quarantine";

record! {
    /// What is kept of a message.
    struct Kept {
        message_time: Option<DateTime<Utc>>,
        key: Option<Vec<u8>>,
        headers: Option<Vec<u8>>,
        raw: Option<Vec<u8>>,
        raw_size: Option<i32>,
        raw_hash: Option<Vec<u8>>,
        truncated: bool,
    }
}

impl Store {
    /// Lists messages, the oldest first; `after` goes on behind one of them.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn quarantine_list(
        &self,
        filter: &QuarantineFilter,
        after: Option<&Coordinates>,
        most: u32,
    ) -> Result<Vec<QuarantineEntry>, StoreError> {
        let mut query = QueryBuilder::new(ENTRY);
        filter.to_sql(&mut query);
        in_order(&mut query, after);
        query.push(" LIMIT ").push_bind(i64::from(most));
        sql::all(query.build(), &self.pool, "cannot list the quarantine").await
    }

    /// The message as it came, with its key and headers. `None`: it is not there, or its bytes were dropped.
    ///
    /// # Errors
    /// Postgres does not answer, or what is stored cannot be read.
    pub async fn quarantine_message(&self, coordinates: &Coordinates) -> Result<Option<Message>, StoreError> {
        let found: Option<Kept> = fetch_optional!(&self.pool, "cannot read a quarantined message";
            "SELECT message_time, key, headers, raw, raw_size, raw_hash, truncated FROM quarantine
             WHERE topic = $1 AND partition = $2 AND \"offset\" = $3 AND content_dropped_at IS NULL",
            coordinates.source.topic.as_str(), coordinates.source.partition.get(), coordinates.offset.get()
        )?;
        let Some(kept) = found else { return Ok(None) };
        let size = usize::try_from(kept.raw_size.unwrap_or(0)).unwrap_or(0);
        let payload = kept
            .raw
            .map(|raw| zstd::bulk::decompress(&raw, size))
            .transpose()
            .map_err(|e| StoreError::Unknown(format!("a quarantined value that zstd cannot read ({e})")))?;
        if let (Some(payload), Some(hash), false) = (&payload, kept.raw_hash, kept.truncated)
            && hash != Sha256::digest(payload)[..]
        {
            return Err(StoreError::Unknown(format!(
                "the value of {coordinates} in quarantine is not the one that came: somebody changed it"
            )));
        }
        Ok(Some(Message {
            coordinates: coordinates.clone(),
            timestamp: kept.message_time,
            key: kept.key,
            payload,
            headers: headers_from_bytes(&kept.headers.unwrap_or_default())
                .ok_or_else(|| StoreError::Unknown("quarantined headers that cannot be read".into()))?,
        }))
    }

    /// Gives held messages up: their bytes are dropped, their rows stay and count as quarantined. In short transactions; stopped at any point,
    /// the same call goes on.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn quarantine_discard(&self, filter: &QuarantineFilter) -> Result<Dropped, StoreError> {
        let mut all = Dropped::default();
        let mut after = None;
        loop {
            let mut query = select_content();
            filter.to_sql(&mut query);
            in_order(&mut query, after.as_ref());
            let step = self.content_step(query, STEP_BYTES).await?;
            let Some(last) = step.last() else {
                return Ok(all);
            };
            after = Some(last.clone());
            all.add(self.drop_content(step, DroppedFor::Discarded).await?);
        }
    }

    /// Gives these messages up, as [`Store::quarantine_discard`] does; those that are not held any more stay
    /// as they are.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn quarantine_discard_these(&self, messages: Vec<Coordinates>) -> Result<Dropped, StoreError> {
        self.drop_content(messages, DroppedFor::Discarded).await
    }

    /// Notes who settled these messages; those that are still held stay as they are.
    ///
    /// # Errors
    /// Postgres does not answer; a role that may not write.
    pub async fn quarantine_note_settler(
        &self,
        messages: &[Coordinates],
        who: &str,
    ) -> Result<(), StoreError> {
        let topics: Vec<&str> = messages.iter().map(|m| m.source.topic.as_str()).collect();
        let partitions: Vec<i32> = messages.iter().map(|m| m.source.partition.get()).collect();
        let offsets: Vec<i64> = messages.iter().map(|m| m.offset.get()).collect();
        execute!(&self.pool, "cannot note who settled messages";
            "UPDATE quarantine q SET settled_by = $4
             FROM unnest($1::text[], $2::int4[], $3::int8[]) AS m (topic, partition, \"offset\")
             WHERE q.topic = m.topic AND q.partition = m.partition AND q.\"offset\" = m.\"offset\"
                 AND q.state <> 'held' AND q.settled_by IS NULL",
            topics, partitions, offsets, who.replace('\0', "")
        )?;
        Ok(())
    }

    /// Settles a held message that was tried again: stores it under its own offset, or notes the new refusal. All in
    /// one transaction, under the lock of its row: doing it twice, or from two places, stores one article.
    ///
    /// # Errors
    /// [`StoreError::class`] says what to do; nothing has changed then.
    pub async fn quarantine_settle(
        &self,
        message: &Message,
        outcome: Result<&Content, &Reject>,
    ) -> Result<Replayed, StoreError> {
        const CONTEXT: &str = "cannot settle a quarantined message";
        let window_days = self.window_days().await?;
        let at = &message.coordinates;
        let mut tx = self.begin().await?;
        // The ledger's row first, as in every flush: then a replay and a worker cannot deadlock.
        let fresh: Option<Fresh> = fetch_optional!(&mut *tx, CONTEXT;
            "UPDATE partition_progress SET stored = stored + $3, quarantined = quarantined - $3
             WHERE topic = $1 AND partition = $2
             RETURNING nextval('article_id_seq') AS article_id, (SELECT common_version FROM setting),
                       (SELECT coalesce(max(takedown_id), 0) FROM takedown) AS last_takedown",
            at.source.topic.as_str(), at.source.partition.get(), i64::from(outcome.is_ok())
        )?;
        let held: Option<i64> = fetch_optional!(&mut *tx, CONTEXT;
            &format!("SELECT {CONTENT_BYTES} FROM quarantine
             WHERE topic = $1 AND partition = $2 AND \"offset\" = $3 AND state = 'held'
             FOR UPDATE"),
            at.source.topic.as_str(), at.source.partition.get(), at.offset.get()
        )?;
        let (Some(bytes), Some(fresh)) = (held, fresh) else {
            tx.rollback().await.context(CONTEXT)?;
            return Ok(Replayed::SettledMeanwhile);
        };
        let (content, reject) = match outcome {
            Ok(content) => (Some(content), None),
            Err(reject) => (None, Some(reject)),
        };
        execute!(&mut *tx, CONTEXT;
            "WITH freed AS (
                 UPDATE partition_progress SET quarantine_bytes = quarantine_bytes - $8
                 WHERE topic = $1 AND partition = $2 AND $4
             )
             UPDATE quarantine SET attempts = attempts + 1,
                 state = CASE WHEN $4 THEN 'replayed' ELSE state END,
                 settled_at = CASE WHEN $4 THEN now() END,
                 raw = CASE WHEN $4 THEN NULL ELSE raw END,
                 key = CASE WHEN $4 THEN NULL ELSE key END,
                 headers = CASE WHEN $4 THEN NULL ELSE headers END,
                 content_dropped_at = CASE WHEN $4 THEN now() ELSE content_dropped_at END,
                 content_dropped_for = CASE WHEN $4 THEN $9 ELSE content_dropped_for END,
                 stage = coalesce($5, stage), reason = coalesce($6, reason), detail = coalesce($7, detail)
             WHERE topic = $1 AND partition = $2 AND \"offset\" = $3",
            at.source.topic.as_str(), at.source.partition.get(), at.offset.get(), content.is_some(),
            reject.map(|r| r.stage.as_str()), reject.map(|r| r.reason.as_str()),
            reject.map(|r| r.detail.replace('\0', "")), bytes, DroppedFor::Replayed.as_str()
        )?;
        let mut report = FlushReport::default();
        let mut notice = None;
        if let Some(content) = content {
            let item = Item {
                message: message.clone(),
                outcome: Ok(content.clone()),
            };
            match &item.outcome {
                Ok(Content::Article(article)) => {
                    let batch = vec![PendingArticle::new(&item, article, fresh.article_id, window_days)];
                    let list = self.common_list(fresh.common_version).await?;
                    let origin = Origin {
                        source: &at.source,
                        last_takedown: fresh.last_takedown,
                        is_again: false,
                    };
                    let list = list.as_deref();
                    let stored = store_articles(self, &mut tx, origin, batch, list, &mut report);
                    notice = stored.await?;
                }
                Ok(Content::Tombstone(tombstone)) => {
                    let one = [((&item, tombstone), fresh.article_id)];
                    takedown::of_messages(self, &mut tx, &at.source, one, &mut report).await?;
                }
                Err(_) => {}
            }
        }
        tx.commit().await.context(CONTEXT)?;
        if let Some(notice) = notice {
            notice.send(self).await;
        }
        Ok(match reject {
            None => Replayed::Stored(report),
            Some(reject) => Replayed::RefusedAgain(reject.clone()),
        })
    }
}

/// Adds the order of the primary key, behind one message.
fn in_order(query: &mut QueryBuilder<'_, Postgres>, after: Option<&Coordinates>) {
    if let Some(after) = after {
        query.push(" AND (topic, partition, \"offset\") > (");
        query.push_bind(after.source.topic.as_str().to_owned());
        query.push(", ").push_bind(after.source.partition.get());
        query.push(", ").push_bind(after.offset.get()).push(")");
    }
    query.push(" ORDER BY topic, partition, \"offset\"");
}
