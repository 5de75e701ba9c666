//! The flush: a batch of one partition, in one transaction, and what happens when it is refused.

use std::collections::HashSet;

use copydesk_article::{Message, NextOffset, Offset, Reject, TopicPartition};
use copydesk_dedup::{CommonShingles, Params};
use sqlx::Row as _;
use tracing::warn;

use crate::config::Store;
use crate::error::{Doing as _, FlushError, RetryClass, StoreError};
use crate::evidence::Sites;
use crate::identity::{self, Identity};
use crate::item::{Batch, Item};
use crate::outbox::{self, Outputs, Told, ToldColumns};
use crate::plan::{self, Disposition, Read, Work};
use crate::progress::{Advanced, Claimed, Counts, advance, position};
use crate::report::{FlushReport, Verdict};
use crate::write_articles::ArticleRows;
use crate::write_ledger::{self, Sighting, SightingColumns};
use crate::{evidence, keys, site_memory, stories};

/// Consecutive items and the range of offsets that they account for.
#[derive(Clone, Copy)]
struct Part<'b> {
    from: NextOffset,
    to: NextOffset,
    items: &'b [Item],
}

/// What one transaction did.
enum Attempt {
    /// It is in.
    Stored(FlushReport),
    /// The ledger is further than the part's beginning: everything before this offset is in already.
    AlreadyAt(NextOffset),
}

impl Store {
    /// Stores a batch and advances the ledger, in one transaction.
    ///
    /// The same batch may be flushed again after any error: what is in already is not stored twice. A row that
    /// Postgres refuses is found by halving the batch, which then takes several transactions; it goes to quarantine
    /// and its neighbours are stored.
    ///
    /// Never wrap this in a time-out of the client: a dropped future leaves its statement running on the server.
    ///
    /// # Errors
    /// [`FlushError::class`] says what to do.
    pub async fn flush(&self, claimed: &Claimed, batch: &Batch) -> Result<FlushReport, FlushError> {
        check(claimed, batch)?;
        let mut report = FlushReport::default();
        // The next part is on top.
        let mut parts = vec![Part {
            from: batch.from,
            to: batch.to,
            items: &batch.items,
        }];
        while let Some(part) = parts.pop() {
            match self.attempt(claimed, part, None).await {
                Ok(Attempt::Stored(stored)) => report.add(&stored),
                Ok(Attempt::AlreadyAt(position)) => {
                    let until = position.min(part.to);
                    report.add(&self.stored_before(claimed, part.from, until).await?);
                    if position < part.to {
                        let done = part
                            .items
                            .partition_point(|i| position.is_past(i.message.coordinates.offset));
                        parts.push(Part {
                            from: position,
                            to: part.to,
                            items: part.items.get(done..).unwrap_or_default(),
                        });
                    }
                }
                Err(error) if error.class() == RetryClass::DataError => match part.items {
                    [] => return Err(error),
                    [only] => report.add(&self.refuse(claimed, part, only, &error).await?),
                    items => {
                        let (first, second) = items.split_at(items.len() / 2);
                        let border = first
                            .last()
                            .map_or(part.from, |i| i.message.coordinates.offset.next());
                        parts.push(Part {
                            from: border,
                            to: part.to,
                            items: second,
                        });
                        parts.push(Part {
                            from: part.from,
                            to: border,
                            items: first,
                        });
                    }
                },
                Err(error) => return Err(error),
            }
        }
        Ok(report)
    }

    /// Puts the one message that Postgres refuses into quarantine.
    async fn refuse(
        &self,
        claimed: &Claimed,
        part: Part<'_>,
        item: &Item,
        error: &StoreError,
    ) -> Result<FlushReport, StoreError> {
        warn!(message = %item.message.coordinates, %error, "postgres refuses this message; it goes to quarantine");
        let reject = error.as_reject();
        match self.attempt(claimed, part, Some(&reject)).await? {
            Attempt::Stored(mut report) => {
                report.refused_by_database += 1;
                Ok(report)
            }
            Attempt::AlreadyAt(position) => {
                self.stored_before(claimed, part.from, position.min(part.to))
                    .await
            }
        }
    }

    /// One transaction. `refused`: every item of the part is put into quarantine for this reason.
    async fn attempt(
        &self,
        claimed: &Claimed,
        part: Part<'_>,
        refused: Option<&Reject>,
    ) -> Result<Attempt, StoreError> {
        let window_days = self.window_days().await?;
        let mut prepared = Vec::with_capacity(part.items.len());
        let mut rejected: Vec<(&Message, &Reject)> = Vec::new();
        for item in part.items {
            match (&item.outcome, refused) {
                (Ok(article), None) => prepared.push((item, article.as_ref())),
                (Ok(_), Some(reject)) | (Err(reject), _) => rejected.push((&item.message, reject)),
            }
        }
        let counts = Counts {
            prepared: prepared.len() as i64,
            refused: rejected.len() as i64,
        };
        let mut tx = self.begin().await?;
        let Some(Advanced {
            from,
            ids,
            common_version,
        }) = advance(&mut tx, claimed, part.from, part.to, counts).await?
        else {
            tx.rollback().await.doing("cannot roll back")?;
            return match position(self, claimed).await? {
                Some(position) if position > part.from => Ok(Attempt::AlreadyAt(position)),
                _ => Err(StoreError::Fenced {
                    partition: claimed.source.clone(),
                    epoch: claimed.epoch,
                }),
            };
        };
        let mut report = FlushReport {
            quarantined: rejected.len() as u64,
            ..FlushReport::default()
        };
        let works: Vec<Work<'_>> = prepared
            .into_iter()
            .zip(ids)
            .map(|((item, article), id)| Work::new(item, article, id, window_days))
            .collect();
        if !works.is_empty() {
            let list = self.common_list(common_version).await?;
            let outputs = self.outputs();
            store_articles(
                &mut tx,
                &claimed.source,
                &works,
                list.as_deref(),
                outputs,
                self.site_memory(),
                &mut report,
            )
            .await?;
        }
        if !rejected.is_empty() {
            write_ledger::quarantine(&mut tx, &claimed.source, &rejected, self.quarantine_bytes()).await?;
            if self.outputs().dead_letters {
                outbox::dead_letters(&mut tx, &claimed.source, &rejected).await?;
            }
        }
        let gaps = write_ledger::gaps_between(from, part.to, part.items);
        if !gaps.is_empty() {
            write_ledger::gaps(&mut tx, &claimed.source, &gaps).await?;
            report.skipped = gaps.iter().map(|(from, to)| to.abs_diff(*from)).sum();
        }
        if let Err(error) = tx.commit().await {
            // The connection may have broken after the commit: the ledger knows.
            return match position(self, claimed).await {
                Ok(Some(position)) if position >= part.to => Ok(Attempt::Stored(report)),
                _ => Err(error).doing("cannot commit"),
            };
        }
        Ok(Attempt::Stored(report))
    }

    /// What an earlier try stored of these offsets.
    async fn stored_before(
        &self,
        claimed: &Claimed,
        from: NextOffset,
        to: NextOffset,
    ) -> Result<FlushReport, StoreError> {
        const DOING: &str = "cannot count what is in already";
        let mut report = FlushReport::default();
        let rows = sqlx::query(
            "SELECT verdict, count(*) FROM sighting
             WHERE topic = $1 AND partition = $2 AND \"offset\" >= $3 AND \"offset\" < $4 GROUP BY verdict
             UNION ALL
             SELECT NULL, count(*) FROM quarantine
             WHERE topic = $1 AND partition = $2 AND \"offset\" >= $3 AND \"offset\" < $4",
        )
        .bind(claimed.source.topic.as_str())
        .bind(claimed.source.partition.get())
        .bind(from.get())
        .bind(to.get())
        .fetch_all(&self.pool)
        .await
        .doing(DOING)?;
        for row in rows {
            let verdict: Option<String> = row.try_get(0).doing(DOING)?;
            let count: i64 = row.try_get(1).doing(DOING)?;
            match verdict {
                Some(verdict) => report.count(verdict.parse()?, count.unsigned_abs()),
                None => report.quarantined += count.unsigned_abs(),
            }
        }
        Ok(report)
    }
}

/// Steps 2 to 8 of the crate's essay, for the messages that are articles.
pub(crate) async fn store_articles(
    tx: &mut sqlx::PgConnection,
    source: &TopicPartition,
    works: &[Work<'_>],
    common: Option<&CommonShingles>,
    outputs: Outputs,
    site_memory: bool,
    report: &mut FlushReport,
) -> Result<(), StoreError> {
    let known = identity::claim(tx, &first_of_each_identity(works)).await?;
    let dispositions = plan::dispositions(works, &known);
    let (mut read, sites) = read(tx, works, &dispositions).await?;
    let params = Params {
        common,
        ..Params::default()
    };
    let decided = plan::decisions(works, &dispositions, &mut read, &params);
    let stories = stories::settle(tx, works, &dispositions, &decided).await?;
    report.relinked = stories.moved;
    let cleaned = site_memory::clean(works, &dispositions, &known, &stories, sites, site_memory);
    ArticleRows::new(
        works,
        &dispositions,
        &decided,
        &stories,
        &cleaned,
        common.map(CommonShingles::version),
    )
    .write(tx)
    .await?;
    cleaned.note_young(tx).await?;
    let reused: Vec<(Identity, i64)> = works
        .iter()
        .zip(&dispositions)
        .filter(|(_, d)| matches!(d, Disposition::New { replaces: Some(_) }))
        .map(|(w, _)| (w.identity, w.fresh))
        .collect();
    identity::reassign(tx, &last_of_each_identity(reused)).await?;
    let mut sightings = SightingColumns::default();
    let mut told = ToldColumns::default();
    let mut telling = 0;
    for ((work, disposition), decision) in works.iter().zip(&dispositions).zip(&decided.of_work) {
        let (version, verdict) = match disposition {
            Disposition::Unchanged { version, .. } => (*version, Verdict::Unchanged),
            Disposition::Version { version, .. } => (*version, Verdict::NewVersion),
            Disposition::New { .. } => {
                let link = decision
                    .as_ref()
                    .and_then(|d| d.link)
                    .filter(|_| stories.keeps_link(work.fresh));
                (1, link.map_or(Verdict::NewArticle, |l| l.relation.into()))
            }
        };
        report.count(verdict, 1);
        if verdict != Verdict::Unchanged {
            telling += 1;
            if outputs.articles {
                told.push(Told {
                    offset: work.item.message.coordinates.offset.get(),
                    article_id: disposition.article(work.fresh),
                    version,
                    verdict: verdict.as_str(),
                });
            }
        }
        sightings.push(Sighting {
            offset: work.item.message.coordinates.offset.get(),
            article_id: disposition.article(work.fresh),
            message_time: work.item.message.timestamp,
            version,
            verdict: verdict.as_str(),
        });
    }
    if telling > 0 {
        if outputs.articles {
            outbox::tell(tx, source, &told).await?;
        }
        if outputs.notify {
            outbox::notify(tx, source, range(works), telling).await?;
        }
    }
    write_ledger::sightings(tx, source, &sightings).await
}

/// From the first of these messages to behind the last.
fn range(works: &[Work<'_>]) -> (i64, i64) {
    let offset = |work: Option<&Work<'_>>| work.map_or(0, |w| w.item.message.coordinates.offset.get());
    (offset(works.first()), offset(works.last()) + 1)
}

/// Claims the keys, then reads what the decisions depend on.
async fn read(
    tx: &mut sqlx::PgConnection,
    works: &[Work<'_>],
    dispositions: &[Disposition],
) -> Result<(Read, Sites), StoreError> {
    let mut claims: Vec<(i64, i64)> = Vec::new();
    let mut searched: Vec<i64> = Vec::new();
    let mut sites: Vec<i64> = Vec::new();
    let mut fresh: HashSet<i64> = HashSet::new();
    for (work, disposition) in works.iter().zip(dispositions) {
        let id = disposition.article(work.fresh);
        match disposition {
            Disposition::Unchanged { .. } => continue,
            Disposition::Version { .. } => {}
            Disposition::New { .. } => {
                fresh.insert(id);
                searched.extend(work.searched_keys());
            }
        }
        claims.extend(work.claimed_keys().map(|key| (key, id)));
        sites.extend(work.site_hash);
    }
    // Of two in the batch the first owns the key: the sort is stable and ids come in any order.
    claims.sort_by_key(|(key, _)| *key);
    claims.dedup_by_key(|(key, _)| *key);
    searched.sort_unstable();
    searched.dedup();
    sites.sort_unstable();
    sites.dedup();
    keys::claim(tx, &claims).await?;
    let owners = keys::owners(tx, &searched).await?;
    let mut ids: Vec<i64> = owners
        .values()
        .copied()
        .filter(|id| !fresh.contains(id))
        .collect();
    ids.sort_unstable();
    ids.dedup();
    let sites = evidence::sites(tx, &sites).await?;
    let read = Read {
        owners,
        older: evidence::candidates(tx, &ids).await?,
        recents: sites.recents.clone(),
    };
    Ok((read, sites))
}

/// Each identity of the batch once, with the fresh id of its first message, in the order in which locks are taken.
fn first_of_each_identity(works: &[Work<'_>]) -> Vec<(Identity, i64)> {
    let mut wanted: Vec<(Identity, i64)> = works.iter().map(|w| (w.identity, w.fresh)).collect();
    wanted.sort_by_key(|(identity, _)| *identity);
    wanted.dedup_by_key(|(identity, _)| *identity);
    wanted
}

/// An address may be used again twice within a batch: the last one has it.
fn last_of_each_identity(mut changes: Vec<(Identity, i64)>) -> Vec<(Identity, i64)> {
    changes.reverse();
    changes.sort_by_key(|(identity, _)| *identity);
    changes.dedup_by_key(|(identity, _)| *identity);
    changes
}

/// A batch must be of the claimed partition, in ascending order, and within its range.
fn check(claimed: &Claimed, batch: &Batch) -> Result<(), StoreError> {
    let bad = |what: String| {
        Err(StoreError::BadBatch {
            partition: claimed.source.clone(),
            what,
        })
    };
    if batch.from > batch.to {
        return bad(format!("it goes from {} back to {}", batch.from, batch.to));
    }
    let mut next = Offset::new(batch.from.get());
    for item in &batch.items {
        let at = &item.message.coordinates;
        if at.source != claimed.source {
            return bad(format!("it holds a message of {}", at.source));
        }
        if at.offset < next || !batch.to.is_past(at.offset) {
            return bad(format!("the message {at} is out of order or of range"));
        }
        next = Offset::new(at.offset.get() + 1);
    }
    Ok(())
}
