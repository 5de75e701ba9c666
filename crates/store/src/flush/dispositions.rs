//! What each message is at its address: a new article, a version, an older version, or nothing new. In memory, no I/O.
//!
//! In: a batch's articles in the order of offsets, and what the database has at their addresses ([`crate::flush::versions`]). Out: a
//! [`Disposition`] for each. Two rules: a text that the address has had is nothing new, and the version that is shown is the
//! one that was seen last, not the one that came last.

use std::collections::HashMap;

use copydesk_article::Fingerprint;
use copydesk_dedup::versions;

use crate::flush::identity::{Identity, Known};
use crate::flush::versions::{History, PastText};
use crate::flush::work::Work;

/// Below this similarity the texts of two spellings of an address are of two pages.
const UNLIKE_SPELLINGS: f64 = 0.5;

/// What a message is, by its identity alone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Disposition {
    /// A text and title that the address has, or has had.
    Unchanged { article: i64, version: i32 },
    /// Another text or title, seen later than the one that is shown: it takes its place.
    Version {
        article: i64,
        version: i32,
        similarity: f32,
    },
    /// Another text or title, seen before the one that is shown: it is kept behind it.
    Older {
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
            Self::Unchanged { article, .. } | Self::Version { article, .. } | Self::Older { article, .. } => {
                article
            }
            Self::New { .. } => fresh,
        }
    }

    /// The version that it is.
    pub(crate) const fn version(self) -> i32 {
        match self {
            Self::Unchanged { version, .. } | Self::Version { version, .. } | Self::Older { version, .. } => {
                version
            }
            Self::New { .. } => 1,
        }
    }

    /// Whether the article shows it: a decision is made on it, and its keys and its blocks count.
    pub(crate) const fn is_shown(self) -> bool {
        matches!(self, Self::Version { .. } | Self::New { .. })
    }
}

/// What is known under an identity while the batch is gone through.
struct Address<'k> {
    article: i64,
    /// The version that is shown.
    version: i32,
    /// The highest number of a version of the article.
    last: i32,
    title: Option<&'k str>,
    canonical: Option<&'k str>,
    fingerprint: &'k Fingerprint,
    /// Seconds since 1970 when it was fetched or, without that, sent. `None`: not known believably.
    seen: Option<i64>,
    /// Texts that the address has had before.
    past: Vec<PastText>,
}

impl Address<'_> {
    /// Where the address has had this text and title already.
    fn find(&self, work: &Work<'_>) -> Option<Disposition> {
        if versions::compare(self.fingerprint, work.fingerprint()).same_text && self.title == work.title() {
            return Some(Disposition::Unchanged {
                article: self.article,
                version: self.version,
            });
        }
        let past = self.past.iter().find(|past| past.is(work))?;
        Some(Disposition::Unchanged {
            article: past.article,
            version: past.version,
        })
    }
}

/// Tells new articles from versions and repeats, in order.
pub(crate) fn dispositions<'b>(
    works: &[Work<'b>],
    known: &'b HashMap<Identity, Known>,
    histories: &HashMap<i64, History>,
) -> Vec<Disposition> {
    let mut addresses: HashMap<Identity, Address<'b>> = known
        .iter()
        .map(|(identity, k)| {
            let history = histories.get(&k.article);
            let address = Address {
                article: k.article,
                version: k.version,
                last: history.map_or(k.version, |h| h.last.max(k.version)),
                title: k.title.as_deref(),
                canonical: k.canonical_url.as_deref(),
                fingerprint: &k.fingerprint,
                seen: k.seen,
                past: history.map_or_else(Vec::new, |h| h.past.clone()),
            };
            (*identity, address)
        })
        .collect();
    works
        .iter()
        .map(|work| match addresses.get_mut(&work.identity) {
            Some(address) => at(work, address),
            None => {
                addresses.insert(work.identity, first(work, Vec::new()));
                Disposition::New { replaces: None }
            }
        })
        .collect()
}

/// The address as an article leaves it that is new there.
fn first<'b>(work: &Work<'b>, past: Vec<PastText>) -> Address<'b> {
    Address {
        article: work.fresh,
        version: 1,
        last: 1,
        title: work.title(),
        canonical: work.canonical(),
        fingerprint: work.fingerprint(),
        seen: work.times.seen,
        past,
    }
}

/// What a message is at an address that has an article, which is noted there.
fn at<'b>(work: &Work<'b>, address: &mut Address<'b>) -> Disposition {
    if let Some(unchanged) = address.find(work) {
        return unchanged;
    }
    let change = versions::compare(address.fingerprint, work.fingerprint());
    let shown = PastText {
        article: address.article,
        version: address.version,
        fingerprint_version: address.fingerprint.version.0,
        body_hash: address.fingerprint.body_hash.0,
        title: address.title.map(str::to_owned),
    };
    // Two spellings of one address show the same page, or they are two addresses after all.
    let unlike = address.canonical != work.canonical()
        && change.jaccard < UNLIKE_SPELLINGS
        && !address.fingerprint.shingles.is_empty()
        && !work.fingerprint().shingles.is_empty();
    if change.url_reused || unlike {
        let replaces = Some(address.article);
        let mut past = std::mem::take(&mut address.past);
        past.push(shown);
        *address = first(work, past);
        return Disposition::New { replaces };
    }
    let (article, similarity) = (address.article, change.jaccard as f32);
    address.last = address.last.saturating_add(1);
    let version = address.last;
    if matches!((work.times.seen, address.seen), (Some(new), Some(shown)) if new < shown) {
        address.past.push(PastText::of(work, article, version));
        return Disposition::Older {
            article,
            version,
            similarity,
        };
    }
    address.past.push(shown);
    address.version = version;
    address.title = work.title();
    address.canonical = work.canonical();
    address.fingerprint = work.fingerprint();
    address.seen = work.times.seen;
    Disposition::Version {
        article,
        version,
        similarity,
    }
}
