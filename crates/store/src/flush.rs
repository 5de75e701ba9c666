//! The flush on Postgres: what [`crate::ledger`] asks for, as statements.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

use copydesk_article::{NextOffset, TopicPartition};
use copydesk_dedup::{CommonShingles, Params};
use sqlx::{Postgres, Row as _, Transaction};

use crate::config::Store;
use crate::error::{Doing as _, FlushError, RetryClass, StoreError};
use crate::evidence::Sites;
use crate::identity::{self, Identity};
use crate::item::Batch;
use crate::ledger::{self, Advanced, Counts, Ledger, Rows};
use crate::outbox::{self, Told, ToldColumns};
use crate::plan::{self, Disposition, Read, Work};
use crate::progress::{Claimed, advance, position};
use crate::report::{FlushReport, Verdict};
use crate::turns::{Earlier, Turn};
use crate::write_articles::ArticleRows;
use crate::write_ledger::{self, Sighting, SightingColumns};
use crate::{evidence, keys, site_memory, stories};

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
        let flushed = ledger::flush(self, claimed, batch).await;
        if let Err(error) = &flushed {
            // Whoever comes back may be another server, or this one restored from a backup.
            self.sites_at_hand().clear();
            if error.class() == RetryClass::RetryNow {
                self.turns().claim_in_order(Instant::now());
            }
        }
        flushed
    }
}

/// A flush's transaction, and its place among the flushes of this process. Fields are dropped in this order.
#[derive(Debug)]
pub struct FlushTransaction {
    postgres: Transaction<'static, Postgres>,
    turn: Option<Turn>,
}

impl Ledger for Store {
    type Transaction = FlushTransaction;

    async fn begin(&self) -> Result<Self::Transaction, StoreError> {
        // Read on a connection of its own, so before this one is taken.
        self.window_days().await?;
        Ok(FlushTransaction {
            postgres: self.begin().await?,
            turn: None,
        })
    }

    async fn advance(
        &self,
        tx: &mut Self::Transaction,
        claimed: &Claimed,
        from: NextOffset,
        to: NextOffset,
        counts: Counts,
    ) -> Result<Option<Advanced>, StoreError> {
        advance(&mut tx.postgres, claimed, from, to, counts).await
    }

    async fn write(
        &self,
        tx: &mut Self::Transaction,
        claimed: &Claimed,
        advanced: Advanced,
        rows: Rows<'_>,
    ) -> Result<FlushReport, StoreError> {
        let mut report = FlushReport {
            quarantined: rows.rejected.len() as u64,
            skipped: rows.gaps.iter().map(|(from, to)| to.abs_diff(*from)).sum(),
            ..FlushReport::default()
        };
        let window_days = self.window_days().await?;
        let works: Vec<Work<'_>> = rows
            .prepared
            .into_iter()
            .zip(advanced.ids)
            .map(|((item, article), id)| Work::new(item, article, id, window_days))
            .collect();
        if !works.is_empty() {
            let list = self.common_list(advanced.common_version).await?;
            let turn = store_articles(
                self,
                &mut tx.postgres,
                &claimed.source,
                &works,
                advanced.alone,
                list.as_deref(),
                &mut report,
            )
            .await?;
            tx.turn = turn;
        }
        let tx = &mut *tx.postgres;
        if !rows.rejected.is_empty() {
            write_ledger::quarantine(tx, &claimed.source, &rows.rejected, self.quarantine_bytes()).await?;
            if self.outputs().dead_letters {
                outbox::dead_letters(tx, &claimed.source, &rows.rejected).await?;
            }
        }
        if !rows.gaps.is_empty() {
            write_ledger::gaps(tx, &claimed.source, &rows.gaps).await?;
        }
        Ok(report)
    }

    async fn commit(&self, tx: Self::Transaction) -> Result<(), StoreError> {
        tx.postgres.commit().await.doing("cannot commit")
    }

    async fn rollback(&self, tx: Self::Transaction) -> Result<(), StoreError> {
        tx.postgres.rollback().await.doing("cannot roll back")
    }

    async fn position(&self, claimed: &Claimed) -> Result<Option<NextOffset>, StoreError> {
        position(self, claimed).await
    }

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

/// Steps 2 to 8 of the crate's essay, for the messages that are articles. The turn is to be kept until the transaction is over.
pub(crate) async fn store_articles(
    store: &Store,
    tx: &mut sqlx::PgConnection,
    source: &TopicPartition,
    works: &[Work<'_>],
    alone: bool,
    common: Option<&CommonShingles>,
    report: &mut FlushReport,
) -> Result<Option<Turn>, StoreError> {
    let outputs = store.outputs();
    let known = identity::claim(tx, &first_of_each_identity(works)).await?;
    let dispositions = plan::dispositions(works, &known);
    let (mut read, sites, turn) = read(store, tx, works, &dispositions, alone).await?;
    let params = Params {
        common,
        ..Params::default()
    };
    let decided = plan::decisions(works, &dispositions, &mut read, &params);
    let stories = stories::settle(tx, works, &dispositions, &decided).await?;
    report.relinked = stories.moved;
    let cleaned = site_memory::clean(works, &dispositions, &known, &stories, sites, store.site_memory());
    (report.site_memory_blocks, report.site_memory_words) = cleaned.taken_out;
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
    write_ledger::sightings(tx, source, &sightings).await?;
    Ok(turn)
}

/// From the first of these messages to behind the last.
fn range(works: &[Work<'_>]) -> (i64, i64) {
    let offset = |work: Option<&Work<'_>>| work.map_or(0, |w| w.item.message.coordinates.offset.get());
    (offset(works.first()), offset(works.last()) + 1)
}

/// Reads what is known of the sites, claims the keys, and reads the candidates.
///
/// From the claim on a flush that shares a key with this one waits for its commit: what need not be read behind the
/// claim is read before it. So are owners in windows where this flush claims nothing: there no claim makes anybody wait, and
/// looking later would see no more than what happened to be committed meanwhile.
async fn read(
    store: &Store,
    tx: &mut sqlx::PgConnection,
    works: &[Work<'_>],
    dispositions: &[Disposition],
    alone: bool,
) -> Result<(Read, Sites, Option<Turn>), StoreError> {
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
    let claimed: Arc<[i64]> = claims.iter().map(|(key, _)| *key).collect();
    let (mut contested, elsewhere) = parted(searched, |key| *key, &claimed);
    let sites = evidence::sites(tx, store.sites_at_hand(), &sites).await?;
    let (mut elsewhere, marks) = keys::in_inhabited_windows(tx, elsewhere).await?;
    store.quiet_windows().sift(&mut elsewhere, &marks);
    let mut others = keys::owners(tx, &elsewhere).await?;
    let windows: Vec<i64> = keys::by_window(&claimed).map(|(window, _)| window).collect();
    store.quiet_windows().claimed(&windows);
    let (turn, earlier) = if alone {
        let (turn, earlier) = store.turns().enter(claimed, Instant::now());
        (Some(turn), earlier)
    } else {
        (None, Earlier::default())
    };
    let (shared, unshared) = parted(claims, |(key, _)| *key, &earlier.shared);
    let mut owners = keys::claim(tx, &unshared).await?;
    earlier.wait().await;
    owners.extend(keys::claim(tx, &shared).await?);
    contested.retain(|key| !owners.contains_key(key));
    others.extend(keys::owners(tx, &contested).await?);
    let mut ids: Vec<i64> = others
        .values()
        .copied()
        .filter(|id| !fresh.contains(id))
        .collect();
    ids.sort_unstable();
    ids.dedup();
    owners.extend(others);
    let read = Read {
        owners,
        older: evidence::candidates(tx, &ids).await?,
        recents: sites.recents.clone(),
    };
    Ok((read, sites, turn))
}

/// Parts what is ascending by key into what has one of these keys (ascending) and the rest.
fn parted<T>(of: Vec<T>, key: impl Fn(&T) -> i64, keys: &[i64]) -> (Vec<T>, Vec<T>) {
    let mut is_among = keys::among(keys);
    of.into_iter().partition(|one| is_among(key(one)))
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
