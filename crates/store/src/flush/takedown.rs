//! Takedowns: an article is removed with all that was kept of it, and the same address or text is not stored
//! again.
//!
//! In: an article's number or an address, from a person or from a tombstone of the topic. Out: of the article
//! there are left its sightings (the audit law), a row in `retired_article`, a row in `takedown` with the
//! time and the reason, and the hashes by which a later message with the same address or text is recognised.
//!
//! Only the owner may delete. Workers may call the owner's function `copydesk_take_down`. It waits for the
//! flushes under way, and later ones wait for it, so that nothing of the article is stored after it.

use std::collections::{BTreeSet, HashMap};

use copydesk_article::{ArticleId, StoryId, TopicPartition};
use sqlx::PgConnection;

use crate::connect::config::Store;
use crate::error::{Context as _, StoreError};
use crate::flush::identity::Identity;
use crate::flush::pending_article::PendingArticle;
use crate::flush::story_rows;
use crate::ledger::item::{Item, Tombstone};
use crate::ledger::report::{FlushReport, Verdict};
use crate::ledger::write_ledger::{self, Sighting};
use crate::rows::{execute, fetch_all, fetch_one, record};

const CONTEXT: &str = "cannot take an article down";
/// The reason, for a tombstone.
const BY_MESSAGE: &str = "tombstone";

/// The target of a takedown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TakedownTarget {
    /// The article with this number.
    Article(ArticleId),
    /// What is at this address, in canonical form, in whatever spelling; also if nothing is there yet.
    Address(String),
}

/// The outcome of a takedown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TakenDown {
    /// Names the takedown.
    pub takedown_id: i64,
    /// The article; of an address that had none, a number of its own.
    pub article_id: ArticleId,
    /// How many articles were removed: an address may have been used again. 0: there was none, or it is in
    /// the archive.
    pub removed: u64,
}

impl Store {
    /// Takes an article down, with its versions, blocks, words, evidence, events and messages that wait to be
    /// published. What is in the archive goes when its files are written anew ([`Store::archive_takedowns`]).
    ///
    /// # Errors
    /// [`StoreError::NotPossible`]: there is no such article. A role that may not do it.
    pub async fn take_down(&self, target: &TakedownTarget, why: &str) -> Result<TakenDown, StoreError> {
        let mut tx = self.begin().await?;
        let fresh: ArticleId = fetch_one!(&mut *tx, CONTEXT; "SELECT nextval('article_id_seq')")?;
        let mut stories = BTreeSet::new();
        let tell = self.shared.config.outputs.articles;
        let done = remove(&mut tx, fresh, target, why, tell, None, &mut stories).await?;
        story_rows::recount(&mut tx, stories).await?;
        tx.commit().await.context(CONTEXT)?;
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
        const CONTEXT: &str = "cannot lift a takedown (this needs the role copydesk_owner)";
        let mut tx = self.begin().await?;
        let lifted = execute!(&mut *tx, CONTEXT;
            "UPDATE takedown SET lifted_at = now() WHERE takedown_id = $1 AND lifted_at IS NULL", takedown_id
        )?;
        for sql in [
            "DELETE FROM takedown_hold WHERE takedown_id = $1",
            "DELETE FROM archive_takedown WHERE takedown_id = $1",
        ] {
            execute!(&mut *tx, CONTEXT; sql, takedown_id)?;
        }
        tx.commit().await.context(CONTEXT)?;
        Ok(lifted > 0)
    }
}

/// Carries out tombstones of the topic, within the transaction that advances the ledger over them. Each has a
/// fresh number, for an address that has no article.
pub(crate) async fn of_messages<'b>(
    store: &Store,
    tx: &mut PgConnection,
    source: &TopicPartition,
    tombstones: impl IntoIterator<Item = ((&'b Item, &'b Tombstone), ArticleId)>,
    report: &mut FlushReport,
) -> Result<(), StoreError> {
    let mut sightings = Vec::new();
    let mut stories = BTreeSet::new();
    let tell = store.shared.config.outputs.articles;
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

/// Removes the target with all that is kept of it, and notes the takedown. `tell`: enqueues a message for the
/// consumers of the output. `by`: the tombstone's partition and offset. Adds to `stories` those that are to
/// be counted again. `None`: there is no article of that number.
async fn remove(
    tx: &mut PgConnection,
    fresh: ArticleId,
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
    record! {
        struct Done {
            noted: Option<i64>,
            named: ArticleId,
            removed: i64,
            in_stories: Vec<StoryId>,
        }
    }
    let done: Done = fetch_one!(tx, CONTEXT;
        "SELECT noted, coalesce(named, 0) AS named, removed, in_stories FROM copydesk_take_down($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        fresh.0, article.map(|id| id.0), address, address.map(|a| Identity::of_address(a).0.to_vec()), why, tell,
        by.map(|(source, _)| source.topic.as_str()), by.map(|(source, _)| source.partition.get()),
        by.map(|(_, offset)| offset)
    )?;
    stories.extend(done.in_stories);
    Ok(done.noted.map(|takedown_id| TakenDown {
        takedown_id,
        article_id: done.named,
        removed: done.removed.unsigned_abs(),
    }))
}

/// The articles of takedowns that hold against the address or the text of these, by their places in the
/// batch.
pub(crate) async fn held(
    connection: &mut PgConnection,
    batch: &[PendingArticle<'_>],
) -> Result<HashMap<usize, ArticleId>, StoreError> {
    let hashes_of = |pending: &PendingArticle<'_>| {
        let own = pending.claimant().map(|own| Identity::of_address(own).0);
        let text = pending.fingerprint().body_hash.0.to_be_bytes();
        [Some(pending.identity.0), own, Some(text)].into_iter().flatten()
    };
    let hashes: Vec<(usize, [u8; 16])> = batch
        .iter()
        .enumerate()
        .flat_map(|(n, pending)| hashes_of(pending).map(move |hash| (n, hash)))
        .collect();
    let all: Vec<&[u8]> = hashes.iter().map(|(_, hash)| hash.as_slice()).collect();
    let rows: Vec<(Vec<u8>, ArticleId)> = fetch_all!(connection, "cannot look for takedowns";
        "SELECT h.hash, min(t.article_id) FROM takedown_hold h JOIN takedown t USING (takedown_id) WHERE h.hash = ANY ($1) GROUP BY 1",
        &all
    )?;
    let articles: HashMap<Vec<u8>, ArticleId> = rows.into_iter().collect();
    // Of several the first counts: that of the address.
    let held = hashes
        .iter()
        .rev()
        .filter_map(|(n, hash)| Some((*n, *articles.get(hash.as_slice())?)));
    Ok(held.collect())
}
