//! What a person does with the quarantine: list, look, replay, discard.

use chrono::{DateTime, Utc};
use copydesk_article::{Coordinates, Message, Offset, Reject};
use sha2::{Digest as _, Sha256};
use sqlx::postgres::PgRow;
use sqlx::{Postgres, QueryBuilder, Row as _};

use crate::connect::config::Store;
use crate::error::{Doing as _, StoreError};
use crate::flush::store_articles::{Origin, store_articles};
use crate::flush::takedown;
use crate::flush::work::Work;
use crate::ledger::item::{Content, Item};
use crate::ledger::progress::source_of;
use crate::ledger::quarantine_content::{CONTENT_BYTES, Dropped, DroppedFor, STEP_BYTES, select_content};
use crate::ledger::report::FlushReport;
use crate::rows::headers::headers_from_bytes;

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
    /// When its value, key and headers were dropped, and why: `replayed`, `discarded`, `age` or `bound`. It cannot be replayed then.
    pub dropped: Option<(DateTime<Utc>, String)>,
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
        const DOING: &str = "cannot list the quarantine";
        let mut query = QueryBuilder::new(ENTRY);
        filter.to_sql(&mut query);
        in_order(&mut query, after);
        query.push(" LIMIT ").push_bind(i64::from(most));
        let rows = query.build().fetch_all(&self.pool).await.doing(DOING)?;
        rows.iter().map(entry).collect::<Result<_, _>>().doing(DOING)
    }

    /// The message as it came, with its key and headers. `None`: it is not there, or its bytes were dropped.
    ///
    /// # Errors
    /// Postgres does not answer, or what is stored cannot be read.
    pub async fn quarantine_message(&self, coordinates: &Coordinates) -> Result<Option<Message>, StoreError> {
        const DOING: &str = "cannot read a quarantined message";
        let row = sqlx::query(
            "SELECT message_time, key, headers, raw, raw_size, raw_hash, truncated FROM quarantine
             WHERE topic = $1 AND partition = $2 AND \"offset\" = $3 AND content_dropped_at IS NULL",
        )
        .bind(coordinates.source.topic.as_str())
        .bind(coordinates.source.partition.get())
        .bind(coordinates.offset.get())
        .fetch_optional(&self.pool)
        .await
        .doing(DOING)?;
        let Some(row) = row else { return Ok(None) };
        let size: Option<i32> = row.try_get(4).doing(DOING)?;
        let raw: Option<&[u8]> = row.try_get(3).doing(DOING)?;
        let payload = raw
            .map(|raw| zstd::bulk::decompress(raw, usize::try_from(size.unwrap_or(0)).unwrap_or(0)))
            .transpose()
            .map_err(|e| StoreError::Unknown(format!("a quarantined value that zstd cannot read ({e})")))?;
        let hash: Option<&[u8]> = row.try_get(5).doing(DOING)?;
        let whole = !row.try_get::<bool, _>(6).doing(DOING)?;
        if let (Some(payload), Some(hash), true) = (&payload, hash, whole)
            && *hash != Sha256::digest(payload)[..]
        {
            return Err(StoreError::Unknown(format!(
                "the value of {coordinates} in quarantine is not the one that came: somebody changed it"
            )));
        }
        let headers: Option<&[u8]> = row.try_get(2).doing(DOING)?;
        Ok(Some(Message {
            coordinates: coordinates.clone(),
            timestamp: row.try_get(0).doing(DOING)?,
            key: row.try_get(1).doing(DOING)?,
            payload,
            headers: headers_from_bytes(headers.unwrap_or_default())
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
        const DOING: &str = "cannot settle a quarantined message";
        let window_days = self.window_days().await?;
        let at = &message.coordinates;
        let mut tx = self.begin().await?;
        // The ledger's row first, as in every flush: then a replay and a worker cannot deadlock.
        let mut fresh: Vec<(i64, i32, i64)> = sqlx::query_as(
            "UPDATE partition_progress SET stored = stored + $3, quarantined = quarantined - $3
             WHERE topic = $1 AND partition = $2
             RETURNING nextval('article_id_seq'), (SELECT common_version FROM setting),
                       (SELECT coalesce(max(takedown_id), 0) FROM takedown)",
        )
        .bind(at.source.topic.as_str())
        .bind(at.source.partition.get())
        .bind(i64::from(outcome.is_ok()))
        .fetch_all(&mut *tx)
        .await
        .doing(DOING)?;
        let held: Option<i64> = sqlx::query_scalar(&format!(
            "SELECT {CONTENT_BYTES} FROM quarantine
             WHERE topic = $1 AND partition = $2 AND \"offset\" = $3 AND state = 'held'
             FOR UPDATE",
        ))
        .bind(at.source.topic.as_str())
        .bind(at.source.partition.get())
        .bind(at.offset.get())
        .fetch_optional(&mut *tx)
        .await
        .doing(DOING)?;
        let (Some(bytes), Some((fresh, common_version, last_takedown))) = (held, fresh.pop()) else {
            tx.rollback().await.doing(DOING)?;
            return Ok(Replayed::SettledMeanwhile);
        };
        let (content, reject) = match outcome {
            Ok(content) => (Some(content), None),
            Err(reject) => (None, Some(reject)),
        };
        sqlx::query(
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
        )
        .bind(at.source.topic.as_str())
        .bind(at.source.partition.get())
        .bind(at.offset.get())
        .bind(content.is_some())
        .bind(reject.map(|r| r.stage.as_str()))
        .bind(reject.map(|r| r.reason.as_str()))
        .bind(reject.map(|r| r.detail.replace('\0', "")))
        .bind(bytes)
        .bind(DroppedFor::Replayed.as_str())
        .execute(&mut *tx)
        .await
        .doing(DOING)?;
        let mut report = FlushReport::default();
        let mut notice = None;
        if let Some(content) = content {
            let item = Item {
                message: message.clone(),
                outcome: Ok(content.clone()),
            };
            match &item.outcome {
                Ok(Content::Article(article)) => {
                    let works = vec![Work::new(&item, article, fresh, window_days)];
                    let list = self.common_list(common_version).await?;
                    let origin = Origin {
                        source: &at.source,
                        last_takedown,
                        is_again: false,
                    };
                    let list = list.as_deref();
                    let stored = store_articles(self, &mut tx, origin, works, list, &mut report);
                    notice = stored.await?;
                }
                Ok(Content::Tombstone(tombstone)) => {
                    let one = [((&item, tombstone), fresh)];
                    takedown::of_messages(self, &mut tx, &at.source, one, &mut report).await?;
                }
                Err(_) => {}
            }
        }
        tx.commit().await.doing(DOING)?;
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

fn entry(row: &PgRow) -> Result<QuarantineEntry, sqlx::Error> {
    Ok(QuarantineEntry {
        coordinates: Coordinates {
            source: source_of(row.try_get(0)?, row.try_get(1)?),
            offset: Offset::new(row.try_get(2)?),
        },
        state: row.try_get(3)?,
        stage: row.try_get(4)?,
        reason: row.try_get(5)?,
        detail: row.try_get(6)?,
        attempts: row.try_get(7)?,
        first_seen: row.try_get(8)?,
        raw_size: row.try_get(9)?,
        truncated: row.try_get(10)?,
        raw_hash: row.try_get(11)?,
        dropped: row
            .try_get::<Option<DateTime<Utc>>, _>(12)?
            .zip(row.try_get::<Option<String>, _>(13)?),
    })
}
