//! What becomes of each message: in memory, in the order of offsets within each part of a flush, from what was read before. No I/O.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use chrono::Utc;
use copydesk_article::{ArticleId, Fingerprint, StoryId};
use copydesk_dedup::{
    Decision, Merge, Params, PriorLink, RECENTS, Recent, Refusal, Relink, Subject, Times, decide, versions,
};

use crate::decision_inputs::DecisionInputs;
use crate::evidence::{Older, SiteArticle};
use crate::identity::{Identity, Known, raw_hash, site_hash, url_hash};
use crate::item::{Item, Prepared};
use crate::keys::{Windows, row_key};

/// One message that is an article, with what is needed of it again and again. Made before the flush takes its first lock.
pub(crate) struct Work<'b> {
    pub(crate) item: &'b Item,
    pub(crate) article: &'b Prepared,
    /// The id that it gets if it turns out to be a new article.
    pub(crate) fresh: i64,
    pub(crate) identity: Identity,
    pub(crate) site: Option<&'b str>,
    pub(crate) site_hash: Option<i64>,
    pub(crate) url_hash: Option<u64>,
    /// When it appeared, as far as that is believable.
    pub(crate) times: Times,
    /// `article.raw_hash`.
    pub(crate) raw_hash: [u8; 16],
    windows: Windows,
}

impl<'b> Work<'b> {
    pub(crate) fn new(item: &'b Item, article: &'b Prepared, fresh: i64, window_days: i32) -> Self {
        let metadata = &article.clean.metadata;
        let site = metadata.site.as_ref().map(|s| s.value.as_str());
        Self {
            item,
            article,
            fresh,
            identity: Identity::of(article),
            site,
            site_hash: site.map(site_hash),
            url_hash: metadata.canonical_url.as_ref().map(|u| url_hash(&u.value)),
            times: Times::believable(
                metadata
                    .published_at
                    .as_ref()
                    .map(|t| t.value.instant().timestamp()),
                article.fetched_at.map(|t| t.timestamp()),
                item.message.timestamp.map(|t| t.timestamp()),
            ),
            raw_hash: raw_hash(item.message.payload.as_deref()),
            windows: Windows::of(item.message.timestamp.unwrap_or_else(Utc::now), window_days),
        }
    }

    fn title(&self) -> Option<&'b str> {
        self.article
            .clean
            .metadata
            .title
            .as_ref()
            .map(|t| t.value.as_str())
    }

    fn fingerprint(&self) -> &'b Fingerprint {
        &self.article.fingerprint
    }

    /// Rows of the key table that it claims.
    pub(crate) fn claimed_keys(&self) -> impl Iterator<Item = i64> {
        let windows = self.windows;
        self.fingerprint()
            .keys
            .iter()
            .flat_map(move |k| windows.claimed().map(|w| row_key(w, *k)))
    }

    /// Rows of the key table whose owners are its candidates.
    pub(crate) fn searched_keys(&self) -> impl Iterator<Item = i64> {
        let windows = self.windows;
        self.fingerprint()
            .keys
            .iter()
            .flat_map(move |k| windows.searched().map(|w| row_key(w, *k)))
    }
}

/// What a message is, by its identity alone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Disposition {
    /// The same article with the same text and title.
    Unchanged { article: i64, version: i32 },
    /// The same article with another text or title.
    Version {
        article: i64,
        version: i32,
        similarity: f32,
    },
    /// An article that was not there before, or one at an address that is used again.
    New { replaces: Option<i64> },
}

impl Disposition {
    /// The article that it is, or is a version of.
    pub(crate) fn article(self, fresh: i64) -> i64 {
        match self {
            Self::Unchanged { article, .. } | Self::Version { article, .. } => article,
            Self::New { .. } => fresh,
        }
    }
}

/// The latest that is known under an identity while the batch is gone through.
struct Latest<'k> {
    article: i64,
    version: i32,
    title: Option<&'k str>,
    fingerprint: &'k Fingerprint,
}

/// Tells new articles from versions and repeats, in order.
pub(crate) fn dispositions<'b>(works: &[Work<'b>], known: &'b HashMap<Identity, Known>) -> Vec<Disposition> {
    let mut latest: HashMap<Identity, Latest<'b>> = known
        .iter()
        .map(|(identity, k)| {
            let latest = Latest {
                article: k.article,
                version: k.version,
                title: k.title.as_deref(),
                fingerprint: &k.fingerprint,
            };
            (*identity, latest)
        })
        .collect();
    let mut dispositions = Vec::with_capacity(works.len());
    for work in works {
        let disposition = match latest.get(&work.identity) {
            None => Disposition::New { replaces: None },
            Some(old) => against(work, old),
        };
        let version = match disposition {
            Disposition::Unchanged { version, .. } | Disposition::Version { version, .. } => version,
            Disposition::New { .. } => 1,
        };
        latest.insert(
            work.identity,
            Latest {
                article: disposition.article(work.fresh),
                version,
                title: work.title(),
                fingerprint: work.fingerprint(),
            },
        );
        dispositions.push(disposition);
    }
    dispositions
}

fn against(work: &Work<'_>, old: &Latest<'_>) -> Disposition {
    let change = versions::compare(old.fingerprint, work.fingerprint());
    if change.same_text && old.title == work.title() {
        return Disposition::Unchanged {
            article: old.article,
            version: old.version,
        };
    }
    if change.url_reused {
        return Disposition::New {
            replaces: Some(old.article),
        };
    }
    Disposition::Version {
        article: old.article,
        version: old.version.saturating_add(1),
        similarity: change.jaccard as f32,
    }
}

/// What a decision changes of older articles.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    /// A link is given up. `shared`: what it shared.
    Relink { relink: Relink, shared: u32 },
    /// An article is a digest: `released` leave it, and it leaves the story that it is in.
    Digest {
        article: i64,
        story: i64,
        released: Vec<i64>,
    },
    /// Two stories are one. `joined`: the article that the newcomer is linked to.
    Merge { merge: Merge, joined: i64 },
}

/// A step of a batch's decisions, in their order.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// A new article, with the article that it links to and that one's story as the decision knew it.
    New { article: i64, link: Option<(i64, i64)> },
    /// A change to older articles that the article `cause` brings about.
    Change { cause: i64, change: Change },
}

/// What is recorded beside a decision.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Note {
    /// Articles of the site that were looked at.
    pub(crate) recents: i16,
    /// An article of another story matches as well.
    pub(crate) between_stories: bool,
}

/// The outcome of [`decisions`].
pub(crate) struct Decided {
    /// For each work in order: the decision; `None` for a repeat.
    pub(crate) of_work: Vec<Option<Decision>>,
    /// For each work in order: what is recorded beside it.
    pub(crate) notes: Vec<Note>,
    /// What becomes of stories, in order.
    pub(crate) steps: Vec<Step>,
}

/// Decides on every new article and version, in order. Articles of the batch see those before them.
pub(crate) fn decisions<'b>(
    works: &[Work<'b>],
    dispositions: &[Disposition],
    inputs: &mut DecisionInputs<'b>,
    params: &Params<'_>,
) -> Decided {
    let mut decided = Decided {
        of_work: Vec::with_capacity(works.len()),
        notes: Vec::with_capacity(works.len()),
        steps: Vec::new(),
    };
    for (work, disposition) in works.iter().zip(dispositions) {
        if matches!(disposition, Disposition::Unchanged { .. }) {
            decided.of_work.push(None);
            decided.notes.push(Note::default());
            continue;
        }
        let id = disposition.article(work.fresh);
        let is_new = matches!(disposition, Disposition::New { .. });
        let decision = one(work, id, is_new, inputs, params);
        decided.notes.push(note(work, &decision, inputs));
        let steps = &mut decided.steps;
        if let Some(relink) = decision.relink {
            let shared = inputs.leave(relink.article.0, relink.new_story);
            steps.push(change(id, Change::Relink { relink, shared }));
        }
        remember(work, id, is_new, &decision, inputs);
        if is_new {
            let link = decision.link.map(|l| (l.to.0, l.story.0));
            steps.push(Step::New { article: id, link });
        }
        changes_behind(id, &decision, inputs, steps);
        decided.of_work.push(Some(decision));
    }
    decided
}

fn change(cause: i64, change: Change) -> Step {
    Step::Change { cause, change }
}

/// Digests and merges, which are carried out when the article is in its story.
fn changes_behind(id: i64, decision: &Decision, inputs: &mut DecisionInputs<'_>, steps: &mut Vec<Step>) {
    for digest in &decision.digests {
        let released: Vec<i64> = digest.released.iter().map(|r| r.0).collect();
        for article in &released {
            inputs.leave(*article, StoryId(*article));
        }
        let article = digest.article.0;
        if let Some(StoryId(story)) = inputs.mark_digest(article) {
            let digest = Change::Digest {
                article,
                story,
                released,
            };
            steps.push(change(id, digest));
        }
    }
    let Some(link) = &decision.link else { return };
    for merge in &decision.merges {
        inputs.merge(merge);
        let (merge, joined) = (*merge, link.to.0);
        steps.push(change(id, Change::Merge { merge, joined }));
    }
}

/// A version is not linked: it is asked only which of its blocks are its site's own.
fn one(work: &Work<'_>, id: i64, is_new: bool, inputs: &DecisionInputs<'_>, params: &Params<'_>) -> Decision {
    let mut owners: Vec<i64> = Vec::new();
    if is_new {
        owners.extend(
            work.searched_keys()
                .filter_map(|key| inputs.owners.get(&key).copied()),
        );
        let originals: Vec<i64> = owners
            .iter()
            .filter_map(|owner| inputs.older.get(owner)?.link.map(|l| l.to.0))
            .collect();
        owners.extend(originals);
        owners.sort_unstable();
        owners.dedup();
        owners.retain(|owner| *owner != id);
    }
    let recents: Vec<Recent<'_>> = work
        .site_hash
        .and_then(|site| inputs.recents.get(&site))
        .into_iter()
        .flatten()
        .take(RECENTS)
        .map(|r| Recent {
            id: r.id,
            url_hash: r.url_hash,
            blocks: &r.blocks,
            title_words: &r.title_words,
        })
        .collect();
    let subject = Subject {
        id: ArticleId(id),
        site: work.site,
        url_hash: work.url_hash,
        times: work.times,
        fingerprint: work.fingerprint(),
    };
    // Owners of this batch are known only if they came before.
    inputs.with_candidates(&owners, |candidates| {
        decide(&subject, candidates, &recents, params)
    })
}

fn note(work: &Work<'_>, decision: &Decision, inputs: &DecisionInputs<'_>) -> Note {
    let recents = work
        .site_hash
        .and_then(|site| inputs.recents.get(&site))
        .map_or(0, Vec::len);
    let story = decision.link.map(|l| l.story);
    Note {
        recents: i16::try_from(recents.min(RECENTS)).unwrap_or(i16::MAX),
        between_stories: decision
            .refusals
            .iter()
            .filter(|(_, why)| *why == Refusal::NotBest)
            .any(|(id, _)| inputs.older.get(&id.0).map(|o| o.story) != story),
    }
}

/// The articles behind see this one as if it had been read from the database.
fn remember<'b>(
    work: &Work<'b>,
    id: i64,
    is_new: bool,
    decision: &Decision,
    inputs: &mut DecisionInputs<'b>,
) {
    let fingerprint = decision.kept(work.fingerprint());
    match inputs.older.get_mut(&id) {
        // A version keeps its article's place.
        Some(older) => {
            older.fingerprint = fingerprint;
            older.times = work.times;
        }
        // Nobody in this batch shares a key with it.
        None if !is_new => {}
        None => {
            let older = Older {
                story: decision.link.map_or(StoryId(id), |l| l.story),
                site: work.site.map(Cow::Borrowed),
                url_hash: work.url_hash,
                fingerprint,
                link: decision.link.map(|l| PriorLink {
                    to: l.to,
                    shared: l.shared,
                }),
                digest: decision.digest,
                excerpts: Vec::new(),
                times: work.times,
            };
            inputs.older.insert(id, older);
            if let Some(link) = &decision.link {
                inputs.note_link(id, link);
            }
        }
    }
    if let Some(site) = work.site_hash {
        let recents = inputs.recents.entry(site).or_default();
        recents.retain(|r| r.id.0 != id);
        recents.insert(
            0,
            Arc::new(SiteArticle {
                id: ArticleId(id),
                url_hash: work.url_hash,
                blocks: work.fingerprint().blocks.clone(),
                title_words: work.fingerprint().title_words.clone(),
                // Site memory keeps a list of its own.
                story: None,
                page: None,
            }),
        );
        recents.truncate(RECENTS);
    }
}
