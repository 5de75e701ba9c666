//! The flush on Postgres: what [`crate::ledger`] asks for, as statements.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use copydesk_article::{NextOffset, TopicPartition};
use copydesk_dedup::{CommonShingles, Params};
use sqlx::{Postgres, Row as _, Transaction};

use crate::config::Store;
use crate::content_hash::ContentHash;
use crate::decision_inputs::DecisionInputs;
use crate::dispositions::{Disposition, dispositions};
use crate::error::{Doing as _, FlushError, RetryClass, StoreError};
use crate::evidence::Sites;
use crate::identity::{self, Identity, Known};
use crate::item::Batch;
use crate::ledger::{self, Advanced, Counts, Ledger, Rows};
use crate::outbox::{self, Notice, Told, ToldColumns};
use crate::plan;
use crate::present_windows::Sifted;
use crate::progress::{Claimed, advance, position};
use crate::report::{FlushReport, Verdict};
use crate::stories::{Links, Stories};
use crate::story_rows::{self, Member};
use crate::turns::{Earlier, Turn};
use crate::versions;
use crate::work::Work;
use crate::write_articles::ArticleRows;
use crate::write_ledger::{self, Sighting, SightingColumns};
use crate::{canonical, evidence, keys, site_memory, takedown};

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
                let now = Instant::now();
                self.turns().claim_in_order(now);
                if matches!(error, StoreError::ClaimedMeanwhile) {
                    self.present_windows().distrust(now);
                }
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
    notice: Option<Notice>,
}

/// What articles leave to be done behind their transaction.
#[derive(Debug)]
pub(crate) struct AfterArticles {
    /// To be kept until the transaction is over.
    pub(crate) turn: Option<Turn>,
    /// To be sent when it is committed.
    pub(crate) notice: Option<Notice>,
}

impl Ledger for Store {
    type Transaction = FlushTransaction;

    async fn begin(&self) -> Result<Self::Transaction, StoreError> {
        // Read on a connection of its own, so before this one is taken.
        self.window_days().await?;
        Ok(FlushTransaction {
            postgres: self.begin().await?,
            turn: None,
            notice: None,
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
            let after = store_articles(
                self,
                &mut tx.postgres,
                &claimed.source,
                works,
                advanced.alone,
                list.as_deref(),
                &mut report,
            )
            .await?;
            (tx.turn, tx.notice) = (after.turn, after.notice);
        }
        let tx = &mut *tx.postgres;
        if !rows.rejected.is_empty() {
            write_ledger::quarantine(tx, &claimed.source, &rows.rejected, self.quarantine_limits()).await?;
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
        tx.postgres.commit().await.doing("cannot commit")?;
        drop(tx.turn);
        if let Some(notice) = tx.notice {
            notice.send(self).await;
        }
        Ok(())
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

/// Steps 2 to 8 of the crate's essay, for the messages that are articles.
///
/// Articles that want nothing of an earlier flush are done first; those that do, when that one is over.
pub(crate) async fn store_articles(
    store: &Store,
    tx: &mut sqlx::PgConnection,
    source: &TopicPartition,
    works: Vec<Work<'_>>,
    alone: bool,
    common: Option<&CommonShingles>,
    report: &mut FlushReport,
) -> Result<AfterArticles, StoreError> {
    let range = range(&works);
    let mut works = works;
    canonical::settle(tx, &mut works).await?;
    let mut taken_down = Vec::new();
    let held = takedown::held(tx, &works, true).await?;
    set_aside(&mut works, &held, &mut taken_down, report);
    let known = identity::claim(tx, &first_of_each_identity(&works)).await?;
    // Behind the lock on the address: a takedown under way was waited for.
    let held = takedown::held(tx, &works, false).await?;
    set_aside(&mut works, &held, &mut taken_down, report);
    let histories = versions::histories(tx, &works, &known).await?;
    let dispositions = dispositions(&works, &known, &histories);
    let (mut reading, turn) = Reading::begin(store, tx, &works, &dispositions, alone).await?;
    let mut waits = reading.that_wait(&works, &dispositions).into_iter();
    let articles = works.into_iter().zip(dispositions);
    let (later, first): (Vec<_>, Vec<_>) = articles.partition(|_| waits.next() == Some(true));
    let mut flush = ArticlesOfFlush {
        store,
        known: &known,
        common,
        stored: taken_down,
        reused: Vec::new(),
        members: Vec::with_capacity(first.len() + later.len()),
        changed: BTreeSet::new(),
        updated: Vec::new(),
    };
    if later.is_empty() {
        flush
            .store(tx, &mut reading, first, RowsOfOthers::Lock, report)
            .await?;
    } else {
        let open = flush
            .store(tx, &mut reading, first, RowsOfOthers::Leave, report)
            .await?;
        reading.wait(tx).await?;
        if let Some((links, foreseen)) = open {
            let settled = links.settle_foreseen(tx, &foreseen).await?;
            report.relinked += settled.moved;
            for (story, member) in &mut flush.members {
                *story = settled.of(member.article);
            }
            flush.changed.extend(settled.changed);
        }
        flush
            .store(tx, &mut reading, later, RowsOfOthers::Lock, report)
            .await?;
    }
    let notice = flush.end(tx, source, range).await?;
    // Last: flushes do not come to this row in any order.
    keys::end_quiet(tx, &reading.claimed).await?;
    Ok(AfterArticles { turn, notice })
}

/// Takes out of a flush what a takedown holds against: no more than a sighting is kept of it.
fn set_aside<'b>(
    works: &mut Vec<Work<'b>>,
    held: &HashMap<usize, i64>,
    taken_down: &mut Vec<Sighting<'b>>,
    report: &mut FlushReport,
) {
    let mut n = 0;
    works.retain(|work| {
        let article = held.get(&n).copied();
        n += 1;
        if let Some(article_id) = article {
            report.count(Verdict::TakenDown, 1);
            taken_down.push(Sighting {
                offset: work.item.message.coordinates.offset.get(),
                article_id,
                message_time: work.item.message.timestamp,
                version: 1,
                verdict: Verdict::TakenDown.as_str(),
                content_hash: None,
            });
        }
        article.is_none()
    });
}

/// What is done with rows of articles that were there before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RowsOfOthers {
    Lock,
    /// The flush has yet to wait for others, which would wait for it if they want the same rows.
    Leave,
}

/// What articles of a flush leave behind for its end.
struct ArticlesOfFlush<'a> {
    store: &'a Store,
    known: &'a HashMap<Identity, Known>,
    common: Option<&'a CommonShingles>,
    stored: Vec<Sighting<'a>>,
    /// Addresses that are used again, with the article that has them now.
    reused: Vec<(Identity, i64)>,
    /// New articles with their stories.
    members: Vec<(i64, Member)>,
    /// Stories that changed otherwise than by new articles.
    changed: BTreeSet<i64>,
    /// Articles with a new version.
    updated: Vec<i64>,
}

impl ArticlesOfFlush<'_> {
    /// Decides on some of the flush's articles and writes them. Those before them may be stored already, as if by another flush.
    /// Answers with what is still to be settled of their stories, if rows of others are left alone.
    async fn store<'b>(
        &mut self,
        tx: &mut sqlx::PgConnection,
        reading: &mut Reading<'b>,
        articles: Vec<(Work<'b>, Disposition)>,
        rows_of_others: RowsOfOthers,
        report: &mut FlushReport,
    ) -> Result<Option<(Links, Stories)>, StoreError> {
        let (works, dispositions): (Vec<_>, Vec<_>) = articles.into_iter().unzip();
        let params = Params {
            common: self.common,
            ..Params::default()
        };
        reading.candidates(tx, &works, &dispositions).await?;
        let mut decided = plan::decisions(&works, &dispositions, &mut reading.read, &params);
        let links = Links::new(std::mem::take(&mut decided.steps));
        let stories = match rows_of_others {
            RowsOfOthers::Lock => links.settle(tx).await?,
            RowsOfOthers::Leave => links.foresee(tx).await?,
        };
        report.relinked += stories.moved;
        self.changed.extend(&stories.changed);
        let cleaned = site_memory::clean(
            &works,
            &dispositions,
            self.known,
            &stories,
            &mut reading.sites,
            self.store.site_memory(),
        );
        report.site_memory_blocks += cleaned.taken_out.0;
        report.site_memory_words += cleaned.taken_out.1;
        let rows = ArticleRows::new(
            &works,
            &dispositions,
            &decided,
            &stories,
            &cleaned,
            self.common.map(CommonShingles::version),
        );
        rows.write(tx).await?;
        self.members
            .extend(rows.members().map(|member| (stories.of(member.article), member)));
        self.updated.extend(rows.updated());
        let hashes = rows.into_hashes();
        cleaned.note_young(tx).await?;
        let decisions = decided.of_work.iter().zip(hashes);
        for ((work, disposition), (decision, hash)) in works.iter().zip(&dispositions).zip(decisions) {
            let (version, verdict) = match disposition {
                Disposition::Unchanged { version, .. } => (*version, Verdict::Unchanged),
                Disposition::Version { version, .. } => (*version, Verdict::NewVersion),
                Disposition::Older { version, .. } => (*version, Verdict::OlderVersion),
                Disposition::New { replaces } => {
                    if replaces.is_some() {
                        self.reused.push((work.identity, work.fresh));
                    }
                    let link = decision
                        .as_ref()
                        .and_then(|d| d.link)
                        .filter(|_| stories.keeps_link(work.fresh));
                    (1, link.map_or(Verdict::NewArticle, |l| l.relation.into()))
                }
            };
            report.count(verdict, 1);
            self.stored.push(Sighting {
                offset: work.item.message.coordinates.offset.get(),
                article_id: disposition.article(work.fresh),
                message_time: work.item.message.timestamp,
                version,
                verdict: verdict.as_str(),
                content_hash: hash.map(ContentHash::to_bytes),
            });
        }
        Ok((rows_of_others == RowsOfOthers::Leave).then_some((links, stories)))
    }

    /// Writes what became of each message, and tells of it. Answers with what is to be told behind the commit.
    async fn end(
        mut self,
        tx: &mut sqlx::PgConnection,
        source: &TopicPartition,
        range: (i64, i64),
    ) -> Result<Option<Notice>, StoreError> {
        identity::reassign(tx, &last_of_each_identity(self.reused)).await?;
        self.stored.sort_unstable_by_key(|s| s.offset);
        let outputs = self.store.outputs();
        let mut sightings = SightingColumns::default();
        let mut told = ToldColumns::default();
        let mut telling = 0;
        for sighting in self.stored {
            // An older version is no news to whoever follows what is shown.
            if !matches!(sighting.verdict, "unchanged" | "older_version" | "taken_down") {
                telling += 1;
                if outputs.articles {
                    told.push(Told {
                        offset: sighting.offset,
                        article_id: sighting.article_id,
                        version: sighting.version,
                        verdict: sighting.verdict,
                    });
                }
            }
            sightings.push(sighting);
        }
        if telling > 0 && outputs.articles {
            outbox::tell(tx, source, &told).await?;
        }
        write_ledger::sightings(tx, source, &sightings).await?;
        let mut changed = self.changed;
        changed.extend(story_rows::stories_of(tx, &self.updated).await?);
        story_rows::keep(tx, self.members, changed).await?;
        Ok((telling > 0 && outputs.notify).then(|| Notice::new(source, range, telling)))
    }
}

/// From the first of these messages to behind the last.
fn range(works: &[Work<'_>]) -> (i64, i64) {
    let offset = |work: Option<&Work<'_>>| work.map_or(0, |w| w.item.message.coordinates.offset.get());
    (offset(works.first()), offset(works.last()) + 1)
}

/// What the decisions of a flush are made from, as far as it has been read, and the keys that are still to be claimed.
///
/// From the claim on a flush that shares a key with this one waits for its commit: what need not be read behind the
/// claim is read before it. So are owners in windows where this flush claims nothing: there no claim makes anybody wait, and
/// looking later would see no more than what happened to be committed meanwhile.
struct Reading<'b> {
    read: DecisionInputs<'b>,
    sites: Sites,
    /// Keys that an earlier flush may claim, with the articles of this one that want them.
    wanted: Vec<(i64, i64)>,
    earlier: Earlier,
    /// Windows where keys were claimed.
    claimed: Vec<i64>,
}

impl<'b> Reading<'b> {
    /// Reads what is known of the sites, claims all keys that no earlier flush wants, and finds the owners of the others.
    async fn begin(
        store: &Store,
        tx: &mut sqlx::PgConnection,
        works: &[Work<'_>],
        dispositions: &[Disposition],
        alone: bool,
    ) -> Result<(Self, Option<Turn>), StoreError> {
        let mut claims: Vec<(i64, i64)> = Vec::new();
        let mut searched: Vec<i64> = Vec::new();
        let mut sites: Vec<i64> = Vec::new();
        for (work, disposition) in works.iter().zip(dispositions) {
            let id = disposition.article(work.fresh);
            match disposition {
                Disposition::Unchanged { .. } | Disposition::Older { .. } => continue,
                Disposition::Version { .. } => {}
                Disposition::New { .. } => searched.extend(work.searched_keys()),
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
        let (elsewhere, marks) = keys::in_inhabited_windows(tx, elsewhere).await?;
        let elsewhere = store.quiet_windows().sift(&elsewhere, &marks);
        let mut owners = keys::owners(tx, &elsewhere).await?;
        store.quiet_windows().claimed(&keys::windows(&claimed));
        let (turn, earlier) = if alone {
            let (turn, earlier) = store.turns().enter(claimed, Instant::now());
            (Some(turn), earlier)
        } else {
            store.present_windows().forget();
            (None, store.announced().enter(tx, &claimed).await?)
        };
        let (mut wanted, unshared) = parted(claims, |(key, _)| *key, &earlier.shared());
        let sifted = if alone {
            let keys: Vec<i64> = unshared.iter().map(|(key, _)| *key).collect();
            let now = Instant::now();
            store
                .present_windows()
                .claim(&keys, store.turns().claims_in_order(now), now)
        } else {
            Sifted::default()
        };
        let (new, mut unsure) = parted(unshared, |(key, _)| *key, &sifted.new);
        keys::claim_new(tx, &new).await?;
        // Looking costs half of a claim in vain.
        owners.extend(keys::owners(tx, &sifted.had).await?);
        unsure.retain(|(key, _)| !owners.contains_key(key));
        let (got, mut claimed) = keys::claim(tx, &unsure).await?;
        claimed.extend(keys::windows(&sifted.new));
        owners.extend(new);
        owners.extend(got);
        contested.retain(|key| !owners.contains_key(key));
        // Those that earlier flushes want among them: most are a phrase that somebody has long had, and nothing to wait for.
        owners.extend(keys::owners(tx, &contested).await?);
        wanted.retain(|(key, _)| !owners.contains_key(key));
        let read = DecisionInputs {
            owners,
            older: HashMap::new(),
            recents: sites.recents.clone(),
        };
        let reading = Self {
            read,
            sites,
            wanted,
            earlier,
            claimed,
        };
        Ok((reading, turn))
    }

    /// Of each article whether it has to wait for an earlier flush: it wants a key that one may get, it looks up to an article of this
    /// batch that waits, or it is the same article as one that does. Where any wait, versions do, too: they change a row that
    /// others may want.
    fn that_wait(&self, works: &[Work<'_>], dispositions: &[Disposition]) -> Vec<bool> {
        let mut waits = vec![false; works.len()];
        if self.wanted.is_empty() {
            return waits;
        }
        // Keys that earlier flushes may get, and those that articles have that wait for them.
        let mut open: foldhash::HashSet<i64> = self.wanted.iter().map(|(key, _)| *key).collect();
        let mut identities: HashSet<Identity> = HashSet::new();
        // Until nobody joins them: one round and one to see it, but for batches with several versions of an article.
        let mut joined = true;
        while std::mem::take(&mut joined) {
            for ((work, disposition), waits) in works.iter().zip(dispositions).zip(&mut waits) {
                let changes_a_row = matches!(disposition, Disposition::Version { .. });
                if *waits
                    || !changes_a_row
                        && !identities.contains(&work.identity)
                        && !work.searched_keys().any(|key| open.contains(&key))
                {
                    continue;
                }
                (*waits, joined) = (true, true);
                let id = disposition.article(work.fresh);
                open.extend(
                    work.claimed_keys()
                        .filter(|key| self.read.owners.get(key) == Some(&id)),
                );
                identities.insert(work.identity);
            }
        }
        waits
    }

    /// Waits for the earlier flushes, and claims what they left.
    async fn wait(&mut self, tx: &mut sqlx::PgConnection) -> Result<(), StoreError> {
        let wanted: Vec<i64> = self.wanted.iter().map(|(key, _)| *key).collect();
        std::mem::take(&mut self.earlier).wait(tx, &wanted).await?;
        let (got, claimed) = keys::claim(tx, &self.wanted).await?;
        self.wanted.clear();
        self.claimed.extend(claimed);
        let theirs: Vec<i64> = wanted.into_iter().filter(|key| !got.contains_key(key)).collect();
        self.read.owners.extend(got);
        self.read.owners.extend(keys::owners(tx, &theirs).await?);
        Ok(())
    }

    /// Reads the candidates of these articles: the owners of their keys, but for those of this batch that are not stored yet.
    async fn candidates(
        &mut self,
        tx: &mut sqlx::PgConnection,
        works: &[Work<'_>],
        dispositions: &[Disposition],
    ) -> Result<(), StoreError> {
        let is_new = |d: &Disposition| matches!(d, Disposition::New { .. });
        let new = || works.iter().zip(dispositions).filter(|(_, d)| is_new(d));
        let fresh: HashSet<i64> = new().map(|(work, _)| work.fresh).collect();
        let mut ids: Vec<i64> = new()
            .flat_map(|(work, _)| work.searched_keys())
            .filter_map(|key| self.read.owners.get(&key).copied())
            .filter(|id| !fresh.contains(id))
            .collect();
        ids.sort_unstable();
        ids.dedup();
        self.read.older.extend(evidence::candidates(tx, &ids).await?);
        Ok(())
    }
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
