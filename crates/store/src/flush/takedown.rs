//! Takedowns: an article is removed with all that was kept of it, and held against coming again.
//!
//! In: an article's number or an address, from a person or from a tombstone of the topic. Out: nothing of it is left but its sightings (the
//! audit law), a row in `retired_article`, one in `takedown` that says when and why, and hashes that hold against the same coming again.
//!
//! Who may delete is the owner, so the function `copydesk_take_down` does it, which workers may call. It waits for the flushes
//! under way and has others wait, so that nothing of the article is stored behind it.

use std::collections::{BTreeSet, HashMap};

use copydesk_article::{StoryId, TopicPartition};
use sqlx::{PgConnection, Row as _};

use crate::connect::config::Store;
use crate::error::{Doing as _, StoreError};
use crate::flush::identity::Identity;
use crate::flush::story_rows;
use crate::flush::work::Work;
use crate::ledger::item::{Item, Tombstone};
use crate::ledger::report::{FlushReport, Verdict};
use crate::ledger::write_ledger::{self, Sighting};
use crate::rows::ids;

const DOING: &str = "cannot take an article down";
/// Why, where a message did it.
const BY_MESSAGE: &str = "tombstone";

/// What is to be taken down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TakedownTarget {
    /// The article with this number.
    Article(i64),
    /// What is at this address, in canonical form, in whatever spelling; also if nothing is there yet.
    Address(String),
}

/// What was taken down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TakenDown {
    /// Names the takedown.
    pub takedown_id: i64,
    /// The article; of an address that had none, a number of its own.
    pub article_id: i64,
    /// How many articles were removed: an address may have been used again. 0: there was none, or it is in the archive.
    pub removed: u64,
}

impl Store {
    /// Takes an article down, with its versions, blocks, words, evidence, events and messages that wait to be published. What is in the archive
    /// goes when its files are written anew ([`Store::archive_takedowns`]).
    ///
    /// # Errors
    /// [`StoreError::NotPossible`]: there is no such article. A role that may not do it.
    pub async fn take_down(&self, target: &TakedownTarget, why: &str) -> Result<TakenDown, StoreError> {
        let mut tx = self.begin().await?;
        let fresh: i64 = sqlx::query_scalar("SELECT nextval('article_id_seq')")
            .fetch_one(&mut *tx)
            .await
            .doing(DOING)?;
        let mut stories = BTreeSet::new();
        let tell = self.outputs().articles;
        let done = remove(&mut tx, fresh, target, why, tell, None, &mut stories).await?;
        story_rows::recount(&mut tx, stories).await?;
        tx.commit().await.doing(DOING)?;
        match (done, target) {
            (Some(done), _) => Ok(done),
            (None, TakedownTarget::Article(id)) => {
                Err(StoreError::NotPossible(format!("there is no article {id}")))
            }
            (None, TakedownTarget::Address(_)) => {
                Err(StoreError::Unknown("a takedown without a number".into()))
            }
        }
    }

    /// Lifts a takedown: the same address and the same text may come again, as a new article. Answers whether it held.
    ///
    /// # Errors
    /// Postgres does not answer; a role that may not delete.
    pub async fn lift_takedown(&self, takedown_id: i64) -> Result<bool, StoreError> {
        const DOING: &str = "cannot lift a takedown (this needs the role copydesk_owner)";
        let mut tx = self.begin().await?;
        let lifted =
            sqlx::query("UPDATE takedown SET lifted_at = now() WHERE takedown_id = $1 AND lifted_at IS NULL")
                .bind(takedown_id)
                .execute(&mut *tx)
                .await
                .doing(DOING)?;
        for sql in [
            "DELETE FROM takedown_hold WHERE takedown_id = $1",
            "DELETE FROM archive_takedown WHERE takedown_id = $1",
        ] {
            sqlx::query(sql)
                .bind(takedown_id)
                .execute(&mut *tx)
                .await
                .doing(DOING)?;
        }
        tx.commit().await.doing(DOING)?;
        Ok(lifted.rows_affected() > 0)
    }
}

/// What tombstones of the topic take down, within the transaction that advances the ledger over them. Each with a fresh number, for
/// an address that has no article.
pub(crate) async fn of_messages<'b>(
    store: &Store,
    tx: &mut PgConnection,
    source: &TopicPartition,
    tombstones: impl IntoIterator<Item = ((&'b Item, &'b Tombstone), i64)>,
    report: &mut FlushReport,
) -> Result<(), StoreError> {
    let mut sightings = Vec::new();
    let mut stories = BTreeSet::new();
    let tell = store.outputs().articles;
    for ((item, tombstone), fresh) in tombstones {
        let target = TakedownTarget::Address(tombstone.address.clone());
        let offset = item.message.coordinates.offset.get();
        let by = Some((source, offset));
        let done = remove(&mut *tx, fresh, &target, BY_MESSAGE, tell, by, &mut stories).await?;
        let done = done.ok_or_else(|| StoreError::Unknown("a takedown without a number".into()))?;
        report.count(Verdict::TakenDown, 1);
        sightings.push(Sighting {
            offset,
            article_id: done.article_id,
            message_time: item.message.timestamp,
            version: 1,
            verdict: Verdict::TakenDown.as_str(),
            content_hash: None,
        });
    }
    write_ledger::sightings(tx, source, &sightings).await?;
    story_rows::recount(tx, stories).await
}

/// Removes all that is kept of what is there, and notes the takedown. `tell`: with a message to whoever follows what is stored. `by`: the
/// tombstone's partition and offset. `stories`: takes those that are to be counted again. `None`: there is no article of that number.
async fn remove(
    tx: &mut PgConnection,
    fresh: i64,
    target: &TakedownTarget,
    why: &str,
    tell: bool,
    by: Option<(&TopicPartition, i64)>,
    stories: &mut BTreeSet<StoryId>,
) -> Result<Option<TakenDown>, StoreError> {
    let (article, address) = match target {
        TakedownTarget::Article(id) => (Some(*id), None),
        TakedownTarget::Address(address) => (None, Some(address.as_str())),
    };
    let row = sqlx::query(
        "SELECT noted, named, removed, in_stories FROM copydesk_take_down($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(fresh)
    .bind(article)
    .bind(address)
    .bind(address.map(|a| Identity::of_address(a).0.to_vec()))
    .bind(why)
    .bind(tell)
    .bind(by.map(|(source, _)| source.topic.as_str()))
    .bind(by.map(|(source, _)| source.partition.get()))
    .bind(by.map(|(_, offset)| offset))
    .fetch_one(tx)
    .await
    .doing(DOING)?;
    let takedown_id: Option<i64> = row.try_get("noted").doing(DOING)?;
    stories.extend(ids::stories(row.try_get("in_stories").doing(DOING)?));
    let Some(takedown_id) = takedown_id else {
        return Ok(None);
    };
    Ok(Some(TakenDown {
        takedown_id,
        article_id: row.try_get("named").doing(DOING)?,
        removed: row.try_get::<i64, _>("removed").doing(DOING)?.unsigned_abs(),
    }))
}

/// Of each work whose address or text is held, the article of the takedown, by its place.
pub(crate) async fn held(
    connection: &mut PgConnection,
    works: &[Work<'_>],
) -> Result<HashMap<usize, i64>, StoreError> {
    const DOING: &str = "cannot look for takedowns";
    let hashes: Vec<Vec<[u8; 16]>> = works
        .iter()
        .map(|work| {
            let own = work.claimant().map(|own| Identity::of_address(own).0);
            let text = work.fingerprint().body_hash.0.to_be_bytes();
            [Some(work.identity.0), own, Some(text)]
                .into_iter()
                .flatten()
                .collect()
        })
        .collect();
    let all: Vec<&[u8]> = hashes.iter().flatten().map(<[u8; 16]>::as_slice).collect();
    let rows: Vec<(Vec<u8>, i64)> = sqlx::query_as(
        "SELECT h.hash, min(t.article_id) FROM takedown_hold h JOIN takedown t USING (takedown_id) WHERE h.hash = ANY ($1) GROUP BY 1",
    )
    .bind(&all)
    .fetch_all(connection)
    .await
    .doing(DOING)?;
    let articles: HashMap<Vec<u8>, i64> = rows.into_iter().collect();
    let of_work = |hashes: &Vec<[u8; 16]>| hashes.iter().find_map(|h| articles.get(h.as_slice()).copied());
    let held = hashes
        .iter()
        .enumerate()
        .filter_map(|(n, h)| Some((n, of_work(h)?)));
    Ok(held.collect())
}
