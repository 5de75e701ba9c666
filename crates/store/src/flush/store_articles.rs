//! The flush of a batch's articles, from their addresses to their rows.
//!
//! In: the messages of a batch that are articles, in the order of offsets. Out: rows. These are steps 2 to 7
//! of the crate's first page: what needs no lock on keys comes first. From [`keys::lock`] to the commit
//! nobody else claims keys in the windows of this batch.

use std::collections::{BTreeSet, HashMap, HashSet};

use copydesk_article::{ArticleId, StoryId, TopicPartition};
use copydesk_dedup::{CommonShingles, Params};
use sqlx::PgConnection;

use crate::connect::config::Store;
use crate::error::StoreError;
use crate::flush::decision_inputs::DecisionInputs;
use crate::flush::dispositions::{Disposition, dispositions};
use crate::flush::identity::Identity;
use crate::flush::outbox::{self, Enqueued, EnqueuedColumns, Notice};
use crate::flush::pending_article::PendingArticle;
use crate::flush::plan::{self, Decided};
use crate::flush::stories::{Links, Stories};
use crate::flush::story_rows::{self, Member};
use crate::flush::write_articles::ArticleRows;
use crate::keys::{Owners, Window, split_by_window};
use crate::ledger::report::{FlushReport, Verdict};
use crate::ledger::write_ledger::{self, Sighting};
use crate::rows::{ContentHash, distinct, record};
use crate::{
    flush::canonical, flush::evidence, flush::identity, flush::raw_input, flush::site_memory,
    flush::takedown, flush::versions, keys,
};

record! {
    /// What the transaction of one message begins with, as [`crate::ledger::Advanced`] is what a flush begins
    /// with.
    pub(crate) struct Fresh {
        /// A number that no article has.
        pub(crate) article_id: ArticleId,
        /// The list of common shingles that decisions use; 0: none.
        pub(crate) common_version: i32,
        /// The last takedown, lifted or not; 0: there is none.
        pub(crate) last_takedown: i64,
    }
}

/// Where articles come from.
#[derive(Clone, Copy)]
pub(crate) struct Origin<'o> {
    /// The partition of their messages.
    pub(crate) source: &'o TopicPartition,
    /// The last takedown that the transaction's first statement saw.
    pub(crate) last_takedown: i64,
    /// Stored articles are cleaned again: their messages have their sightings already.
    pub(crate) is_again: bool,
}

/// Stores articles. Answers with the notification that is to be sent behind the commit.
///
/// Row locks are taken in one order by whoever changes articles: addresses, windows of keys, memberships, articles, what belongs to an article, stories;
/// within each in ascending order.
pub(crate) async fn store_articles(
    store: &Store,
    tx: &mut PgConnection,
    origin: Origin<'_>,
    mut batch: Vec<PendingArticle<'_>>,
    common: Option<&CommonShingles>,
    report: &mut FlushReport,
) -> Result<Option<Notice>, StoreError> {
    let range = range(&batch);
    canonical::settle(tx, &mut batch).await?;
    let mut sightings = Vec::with_capacity(batch.len());
    if origin.last_takedown > 0 {
        let held = takedown::held(tx, &batch).await?;
        set_aside(&mut batch, &held, &mut sightings, report);
    }
    let (existing, takedown_since) = identity::claim(tx, &first_of_each_identity(&batch)).await?;
    if takedown_since > origin.last_takedown && !takedown::held(tx, &batch).await?.is_empty() {
        return Err(StoreError::TakenDownMeanwhile);
    }
    let histories = versions::histories(tx, &batch, &existing).await?;
    let dispositions = dispositions(&batch, &existing, &histories);
    let wanted = BatchKeys::of(&batch, &dispositions);
    let mut sites = evidence::sites(tx, &store.shared.site_articles, &wanted.sites).await?;
    let params = Params {
        common,
        ..Params::default()
    };
    let cleaned = site_memory::clean(
        &batch,
        &dispositions,
        &mut sites,
        &params,
        store.shared.config.site_memory,
    );
    report.site_memory_blocks += cleaned.taken_out.0;
    report.site_memory_words += cleaned.taken_out.1;
    let rows = ArticleRows::new(&batch, &dispositions, &cleaned, store.shared.config.markup);
    rows.insert_new(tx).await?;
    let mut owners = store.shared.window_keys.owners(tx, &wanted.elsewhere).await?;

    store.shared.window_keys.claimed(&wanted.windows);
    keys::lock(tx, &wanted.windows).await?;
    owners.extend(keys::owners(tx, &wanted.in_windows).await?);
    let claimed = keys::insert_absent(tx, &wanted.claims, &owners).await?;
    owners.extend(claimed);
    let candidates = candidates(&batch, &dispositions, &owners);
    let mut inputs = DecisionInputs {
        owners,
        older: evidence::candidates(tx, &candidates).await?,
    };
    let mut decided = plan::decisions(&batch, &dispositions, &cleaned, &mut inputs, &params);
    let links = Links::new(std::mem::take(&mut decided.steps));
    let stories = links.settle(tx, &with_new_version(&batch, &dispositions)).await?;
    report.relinked += stories.moved;
    let list = common.map(CommonShingles::version);
    rows.write(tx, &decided, &stories, list).await?;
    raw_input::keep(tx, &batch, &dispositions).await?;
    cleaned.note_provisional(tx).await?;
    identity::reassign(tx, &last_of_each_identity(reused(&batch, &dispositions))).await?;

    let members: Vec<(StoryId, Member)> = rows.members().map(|m| (stories.of(m.article), m)).collect();
    let mut changed: BTreeSet<StoryId> = stories.changed.clone();
    changed.extend(story_rows::stories_of(tx, rows.updated()).await?);
    let hashes = rows.into_hashes();
    note_sightings(
        &batch,
        &dispositions,
        &decided,
        &stories,
        &hashes,
        &mut sightings,
        report,
    );
    let notice = write_sightings(store, tx, origin, sightings, range).await?;
    story_rows::keep(tx, members, changed).await?;
    Ok(notice)
}

/// Takes the articles out of the batch that a takedown holds against: only a sighting is kept of each.
fn set_aside<'b>(
    batch: &mut Vec<PendingArticle<'b>>,
    held: &HashMap<usize, ArticleId>,
    sightings: &mut Vec<Sighting<'b>>,
    report: &mut FlushReport,
) {
    let mut n = 0;
    batch.retain(|pending| {
        let article = held.get(&n).copied();
        n += 1;
        if let Some(article_id) = article {
            report.count(Verdict::TakenDown, 1);
            sightings.push(Sighting {
                offset: pending.item.message.coordinates.offset.get(),
                article_id,
                message_time: pending.item.message.timestamp,
                version: 1,
                verdict: Verdict::TakenDown.as_str(),
                content_hash: None,
            });
        }
        article.is_none()
    });
}

/// The keys of a batch by their windows, and its sites. Each list is ascending and distinct.
struct BatchKeys {
    /// Keys that articles claim, each with the first article of the batch that has it.
    claims: Vec<(i64, ArticleId)>,
    /// The windows of these keys: the flush locks them.
    windows: Vec<Window>,
    /// Keys in these windows whose owners are needed: the claimed ones, and those by which candidates are
    /// found.
    in_windows: Vec<i64>,
    /// Keys in other windows by which candidates are found. This flush claims nothing there, so it takes no
    /// lock: it sees what is committed.
    elsewhere: Vec<i64>,
    /// Hashes of the articles' sites.
    sites: Vec<i64>,
}

impl BatchKeys {
    fn of(batch: &[PendingArticle<'_>], dispositions: &[Disposition]) -> Self {
        let (mut claims, mut searched, mut sites) = (Vec::new(), Vec::new(), Vec::new());
        let mut windows: Vec<Window> = Vec::new();
        for (pending, disposition) in batch.iter().zip(dispositions) {
            if !disposition.is_shown() {
                continue;
            }
            let id = disposition.article(pending.fresh);
            claims.extend(pending.claimed_keys().map(|key| (key, id)));
            windows.extend(pending.windows.claimed());
            sites.extend(pending.site_hash);
            if matches!(disposition, Disposition::New { .. }) {
                searched.extend(pending.searched_keys());
            }
        }
        // Of two articles in the batch the first owns the key: the sort is stable, and ids come in any order.
        claims.sort_by_key(|(key, _)| *key);
        claims.dedup_by_key(|(key, _)| *key);
        searched.extend(claims.iter().map(|(key, _)| *key));
        let windows = distinct(windows);
        let (in_windows, elsewhere) = split_by_window(distinct(searched), &windows);
        Self {
            claims,
            windows,
            in_windows,
            elsewhere,
            sites: distinct(sites),
        }
    }
}

/// The articles outside the batch that own keys of its new articles, ascending.
fn candidates(batch: &[PendingArticle<'_>], dispositions: &[Disposition], owners: &Owners) -> Vec<ArticleId> {
    let is_new = |d: &Disposition| matches!(d, Disposition::New { .. });
    let new = || batch.iter().zip(dispositions).filter(|(_, d)| is_new(d));
    let fresh: HashSet<ArticleId> = new().map(|(pending, _)| pending.fresh).collect();
    let owners = new()
        .flat_map(|(pending, _)| pending.searched_keys())
        .filter_map(|key| owners.get(&key).copied());
    distinct(owners.filter(|id| !fresh.contains(id)))
}

/// Articles from before the batch that get a new version.
fn with_new_version(batch: &[PendingArticle<'_>], dispositions: &[Disposition]) -> Vec<ArticleId> {
    let fresh: HashSet<ArticleId> = batch.iter().map(|pending| pending.fresh).collect();
    let of_version = dispositions.iter().filter_map(|d| match d {
        Disposition::Version { article, .. } if !fresh.contains(article) => Some(*article),
        _ => None,
    });
    of_version.collect()
}

/// Addresses that are used again, each with its new article.
fn reused(batch: &[PendingArticle<'_>], dispositions: &[Disposition]) -> Vec<(Identity, ArticleId)> {
    let again = |d: &Disposition| matches!(d, Disposition::New { replaces: Some(_) });
    let reused = batch.iter().zip(dispositions).filter(|(_, d)| again(d));
    reused
        .map(|(pending, _)| (pending.identity, pending.fresh))
        .collect()
}

/// Adds a sighting for each message, and counts the verdicts.
fn note_sightings<'b>(
    batch: &[PendingArticle<'b>],
    dispositions: &[Disposition],
    decided: &Decided,
    stories: &Stories,
    hashes: &[Option<ContentHash>],
    sightings: &mut Vec<Sighting<'b>>,
    report: &mut FlushReport,
) {
    let decisions = decided.decisions.iter().zip(hashes);
    for ((pending, disposition), (decision, hash)) in batch.iter().zip(dispositions).zip(decisions) {
        let verdict = match disposition {
            Disposition::Unchanged { .. } => Verdict::Unchanged,
            Disposition::Version { .. } => Verdict::NewVersion,
            Disposition::Older { .. } => Verdict::OlderVersion,
            Disposition::New { .. } => {
                let link = decision.as_ref().and_then(|d| d.link);
                let link = link.filter(|_| stories.keeps_link(pending.fresh));
                link.map_or(Verdict::NewArticle, |l| l.relation.into())
            }
        };
        report.count(verdict, 1);
        sightings.push(Sighting {
            offset: pending.item.message.coordinates.offset.get(),
            article_id: disposition.article(pending.fresh),
            message_time: pending.item.message.timestamp,
            version: disposition.version(),
            verdict: verdict.as_str(),
            content_hash: hash.map(ContentHash::to_bytes),
        });
    }
}

/// Writes the sightings, and enqueues new articles and versions for publishing. Answers with the notification
/// that is to be sent behind the commit.
async fn write_sightings(
    store: &Store,
    tx: &mut PgConnection,
    origin: Origin<'_>,
    mut sightings: Vec<Sighting<'_>>,
    range: (i64, i64),
) -> Result<Option<Notice>, StoreError> {
    sightings.sort_unstable_by_key(|s| s.offset);
    let outputs = store.shared.config.outputs;
    let mut enqueued = EnqueuedColumns::default();
    let mut news = 0;
    for sighting in &sightings {
        // An older version changes nothing for consumers: they follow the shown one.
        if !matches!(sighting.verdict, "unchanged" | "older_version" | "taken_down") {
            news += 1;
            if outputs.articles {
                enqueued.push(Enqueued {
                    offset: sighting.offset,
                    article_id: sighting.article_id.0,
                    version: sighting.version,
                    verdict: sighting.verdict,
                });
            }
        }
    }
    if news > 0 && outputs.articles {
        outbox::enqueue_articles(tx, origin.source, &enqueued).await?;
    }
    if !origin.is_again {
        write_ledger::sightings(tx, origin.source, &sightings).await?;
    }
    Ok((news > 0 && outputs.notify).then(|| Notice::new(origin.source, range, news)))
}

/// The offset of the first of these messages, and the one behind the last.
fn range(batch: &[PendingArticle<'_>]) -> (i64, i64) {
    let offset =
        |pending: Option<&PendingArticle<'_>>| pending.map_or(0, |w| w.item.message.coordinates.offset.get());
    (offset(batch.first()), offset(batch.last()) + 1)
}

/// Each identity of the batch once, with the fresh id of its first message, in the order in which locks are taken.
fn first_of_each_identity(batch: &[PendingArticle<'_>]) -> Vec<(Identity, ArticleId)> {
    let mut wanted: Vec<(Identity, ArticleId)> = batch.iter().map(|w| (w.identity, w.fresh)).collect();
    wanted.sort_by_key(|(identity, _)| *identity);
    wanted.dedup_by_key(|(identity, _)| *identity);
    wanted
}

/// Each identity once, with its last article: an address may be used again twice within a batch.
fn last_of_each_identity(mut changes: Vec<(Identity, ArticleId)>) -> Vec<(Identity, ArticleId)> {
    changes.reverse();
    changes.sort_by_key(|(identity, _)| *identity);
    changes.dedup_by_key(|(identity, _)| *identity);
    changes
}
