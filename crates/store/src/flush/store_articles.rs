//! The flush of a batch's articles, from their addresses to their rows.
//!
//! In: the messages of a batch that are articles, in the order of offsets. Out: rows. Steps 2 to 7 of the crate's essay, as one line: what
//! needs no lock on keys comes first; from [`keys::lock`] to the commit nobody else claims keys in the windows of this batch.

use std::collections::{BTreeSet, HashMap, HashSet};

use copydesk_article::{ArticleId, StoryId, TopicPartition};
use copydesk_dedup::{CommonShingles, Params};
use sqlx::PgConnection;

use crate::connect::config::Store;
use crate::error::StoreError;
use crate::flush::decision_inputs::DecisionInputs;
use crate::flush::dispositions::{Disposition, dispositions};
use crate::flush::identity::Identity;
use crate::flush::outbox::{self, Notice, Told, ToldColumns};
use crate::flush::plan::{self, Decided};
use crate::flush::stories::{Links, Stories};
use crate::flush::story_rows::{self, Member};
use crate::flush::work::Work;
use crate::flush::write_articles::ArticleRows;
use crate::keys::{Owners, Window, split_by_window};
use crate::ledger::report::{FlushReport, Verdict};
use crate::ledger::write_ledger::{self, Sighting};
use crate::rows::content_hash::ContentHash;
use crate::{
    flush::canonical, flush::evidence, flush::identity, flush::raw_input, flush::site_memory,
    flush::takedown, flush::versions, keys,
};

/// Where articles come from.
#[derive(Clone, Copy)]
pub(crate) struct Origin<'o> {
    /// The partition of their messages.
    pub(crate) source: &'o TopicPartition,
    /// The last takedown, as the transaction's first statement found it.
    pub(crate) last_takedown: i64,
    /// Their messages have their sightings already: they are cleaned again.
    pub(crate) is_again: bool,
}

/// Stores articles. Answers with what is to be sent behind the commit.
///
/// Row locks are taken in one order by whoever changes articles: addresses, windows of keys, memberships, articles, what belongs to an article, stories;
/// within each in ascending order.
pub(crate) async fn store_articles(
    store: &Store,
    tx: &mut PgConnection,
    origin: Origin<'_>,
    mut works: Vec<Work<'_>>,
    common: Option<&CommonShingles>,
    report: &mut FlushReport,
) -> Result<Option<Notice>, StoreError> {
    let range = range(&works);
    canonical::settle(tx, &mut works).await?;
    let mut sightings = Vec::with_capacity(works.len());
    if origin.last_takedown > 0 {
        let held = takedown::held(tx, &works).await?;
        set_aside(&mut works, &held, &mut sightings, report);
    }
    let (known, takedown_since) = identity::claim(tx, &first_of_each_identity(&works)).await?;
    if takedown_since > origin.last_takedown && !takedown::held(tx, &works).await?.is_empty() {
        return Err(StoreError::TakenDownMeanwhile);
    }
    let histories = versions::histories(tx, &works, &known).await?;
    let dispositions = dispositions(&works, &known, &histories);
    let batch = BatchKeys::of(&works, &dispositions);
    let mut sites = evidence::sites(tx, store.sites_at_hand(), &batch.sites).await?;
    let params = Params {
        common,
        ..Params::default()
    };
    let cleaned = site_memory::clean(&works, &dispositions, &mut sites, &params, store.site_memory());
    report.site_memory_blocks += cleaned.taken_out.0;
    report.site_memory_words += cleaned.taken_out.1;
    let rows = ArticleRows::new(&works, &dispositions, &cleaned, store.keeps_markup());
    rows.insert_new(tx).await?;
    let mut owners = store.window_keys().owners(tx, &batch.elsewhere).await?;

    store.window_keys().claimed(&batch.windows);
    keys::lock(tx, &batch.windows).await?;
    owners.extend(keys::owners(tx, &batch.in_windows).await?);
    let claimed = keys::insert_absent(tx, &batch.claims, &owners).await?;
    owners.extend(claimed);
    let candidates = candidates(&works, &dispositions, &owners);
    let mut inputs = DecisionInputs {
        owners,
        older: evidence::candidates(tx, &candidates).await?,
    };
    let mut decided = plan::decisions(&works, &dispositions, &cleaned, &mut inputs, &params);
    let links = Links::new(std::mem::take(&mut decided.steps));
    let stories = links.settle(tx, &with_new_version(&works, &dispositions)).await?;
    report.relinked += stories.moved;
    let list = common.map(CommonShingles::version);
    rows.write(tx, &decided, &stories, list).await?;
    raw_input::keep(tx, &works, &dispositions).await?;
    cleaned.note_young(tx).await?;
    identity::reassign(tx, &last_of_each_identity(reused(&works, &dispositions))).await?;

    let members: Vec<(StoryId, Member)> = rows.members().map(|m| (stories.of(m.article), m)).collect();
    let mut changed: BTreeSet<StoryId> = stories.changed.clone();
    changed.extend(story_rows::stories_of(tx, rows.updated()).await?);
    let hashes = rows.into_hashes();
    note_sightings(
        &works,
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

/// Takes out of a flush what a takedown holds against: no more than a sighting is kept of it.
fn set_aside<'b>(
    works: &mut Vec<Work<'b>>,
    held: &HashMap<usize, i64>,
    sightings: &mut Vec<Sighting<'b>>,
    report: &mut FlushReport,
) {
    let mut n = 0;
    works.retain(|work| {
        let article = held.get(&n).copied();
        n += 1;
        if let Some(article_id) = article {
            report.count(Verdict::TakenDown, 1);
            sightings.push(Sighting {
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

/// The keys of a batch, each list ascending and distinct, and where they are.
struct BatchKeys {
    /// Keys that articles claim, with the first that wants each.
    claims: Vec<(i64, i64)>,
    /// Windows of those: the flush locks them.
    windows: Vec<Window>,
    /// Keys in these windows whose owners are needed: claimed ones, and those that candidates are looked for by.
    in_windows: Vec<i64>,
    /// Keys in other windows that candidates are looked for by. No claim of this flush makes anybody wait there, and looking under a
    /// lock would see no more than what happens to be committed.
    elsewhere: Vec<i64>,
    /// Hashes of the articles' sites.
    sites: Vec<i64>,
}

impl BatchKeys {
    fn of(works: &[Work<'_>], dispositions: &[Disposition]) -> Self {
        let (mut claims, mut searched, mut sites) = (Vec::new(), Vec::new(), Vec::new());
        let mut windows: Vec<Window> = Vec::new();
        for (work, disposition) in works.iter().zip(dispositions) {
            if !disposition.is_shown() {
                continue;
            }
            let id = disposition.article(work.fresh);
            claims.extend(work.claimed_keys().map(|key| (key, id)));
            windows.extend(work.windows.claimed());
            sites.extend(work.site_hash);
            if matches!(disposition, Disposition::New { .. }) {
                searched.extend(work.searched_keys());
            }
        }
        // Of two in the batch the first owns the key: the sort is stable and ids come in any order.
        claims.sort_by_key(|(key, _)| *key);
        claims.dedup_by_key(|(key, _)| *key);
        searched.extend(claims.iter().map(|(key, _)| *key));
        searched.sort_unstable();
        searched.dedup();
        windows.sort_unstable();
        windows.dedup();
        sites.sort_unstable();
        sites.dedup();
        let (in_windows, elsewhere) = split_by_window(searched, &windows);
        Self {
            claims,
            windows,
            in_windows,
            elsewhere,
            sites,
        }
    }
}

/// The articles outside the batch that own keys of its new articles, ascending.
fn candidates(works: &[Work<'_>], dispositions: &[Disposition], owners: &Owners) -> Vec<i64> {
    let is_new = |d: &Disposition| matches!(d, Disposition::New { .. });
    let new = || works.iter().zip(dispositions).filter(|(_, d)| is_new(d));
    let fresh: HashSet<i64> = new().map(|(work, _)| work.fresh).collect();
    let mut ids: Vec<i64> = new()
        .flat_map(|(work, _)| work.searched_keys())
        .filter_map(|key| owners.get(&key).copied())
        .filter(|id| !fresh.contains(id))
        .collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// Articles that were there before the batch and get a new version.
fn with_new_version(works: &[Work<'_>], dispositions: &[Disposition]) -> Vec<ArticleId> {
    let fresh: HashSet<i64> = works.iter().map(|work| work.fresh).collect();
    let of_version = dispositions.iter().filter_map(|d| match d {
        Disposition::Version { article, .. } if !fresh.contains(article) => Some(ArticleId(*article)),
        _ => None,
    });
    of_version.collect()
}

/// Addresses that are used again, with the article that has each now.
fn reused(works: &[Work<'_>], dispositions: &[Disposition]) -> Vec<(Identity, i64)> {
    let again = |d: &Disposition| matches!(d, Disposition::New { replaces: Some(_) });
    let reused = works.iter().zip(dispositions).filter(|(_, d)| again(d));
    reused.map(|(work, _)| (work.identity, work.fresh)).collect()
}

/// Notes and counts what became of each message.
fn note_sightings<'b>(
    works: &[Work<'b>],
    dispositions: &[Disposition],
    decided: &Decided,
    stories: &Stories,
    hashes: &[Option<ContentHash>],
    sightings: &mut Vec<Sighting<'b>>,
    report: &mut FlushReport,
) {
    let decisions = decided.of_work.iter().zip(hashes);
    for ((work, disposition), (decision, hash)) in works.iter().zip(dispositions).zip(decisions) {
        let verdict = match disposition {
            Disposition::Unchanged { .. } => Verdict::Unchanged,
            Disposition::Version { .. } => Verdict::NewVersion,
            Disposition::Older { .. } => Verdict::OlderVersion,
            Disposition::New { .. } => {
                let link = decision.as_ref().and_then(|d| d.link);
                let link = link.filter(|_| stories.keeps_link(ArticleId(work.fresh)));
                link.map_or(Verdict::NewArticle, |l| l.relation.into())
            }
        };
        report.count(verdict, 1);
        sightings.push(Sighting {
            offset: work.item.message.coordinates.offset.get(),
            article_id: disposition.article(work.fresh),
            message_time: work.item.message.timestamp,
            version: disposition.version(),
            verdict: verdict.as_str(),
            content_hash: hash.map(ContentHash::to_bytes),
        });
    }
}

/// Writes what became of each message, and tells of it. Answers with what is to be told behind the commit.
async fn write_sightings(
    store: &Store,
    tx: &mut PgConnection,
    origin: Origin<'_>,
    mut sightings: Vec<Sighting<'_>>,
    range: (i64, i64),
) -> Result<Option<Notice>, StoreError> {
    sightings.sort_unstable_by_key(|s| s.offset);
    let outputs = store.outputs();
    let mut told = ToldColumns::default();
    let mut telling = 0;
    for sighting in &sightings {
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
    }
    if telling > 0 && outputs.articles {
        outbox::tell(tx, origin.source, &told).await?;
    }
    if !origin.is_again {
        write_ledger::sightings(tx, origin.source, &sightings).await?;
    }
    Ok((telling > 0 && outputs.notify).then(|| Notice::new(origin.source, range, telling)))
}

/// From the first of these messages to behind the last.
fn range(works: &[Work<'_>]) -> (i64, i64) {
    let offset = |work: Option<&Work<'_>>| work.map_or(0, |w| w.item.message.coordinates.offset.get());
    (offset(works.first()), offset(works.last()) + 1)
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
