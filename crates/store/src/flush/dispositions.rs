//! The disposition of each message at its address: a new article, a version, an older version, or nothing
//! new. In memory, no I/O.
//!
//! In: a batch's articles in the order of offsets, and what the database has at their addresses
//! ([`crate::flush::versions`]). Out: a [`Disposition`] for each. Two rules: a text that the address has had
//! is nothing new, and the version that was seen last is shown, which need not be the one that came last.

use std::collections::HashMap;

use copydesk_article::{ArticleId, Fingerprint};
use copydesk_dedup::versions;

use crate::flush::identity::{ExistingArticle, Identity};
use crate::flush::pending_article::PendingArticle;
use crate::flush::versions::{History, PastText};

/// Two spellings of an address whose texts are less similar are two pages.
const UNLIKE_SPELLINGS: f64 = 0.5;

/// What a message is at its address.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Disposition {
    /// A text and title that the address has or had.
    Unchanged { article: ArticleId, version: i32 },
    /// Another text or title, seen later than the shown one: it takes its place.
    Version {
        article: ArticleId,
        version: i32,
        similarity: f32,
    },
    /// Another text or title, seen before the shown one: it is kept, and not shown.
    Older {
        article: ArticleId,
        version: i32,
        similarity: f32,
    },
    /// A new article. `replaces`: the article that was at its address before.
    New { replaces: Option<ArticleId> },
}

impl Disposition {
    /// The article that it is, or is a version of.
    pub(crate) fn article(self, fresh: ArticleId) -> ArticleId {
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

/// The state of an address, after some messages of the batch.
struct Address<'k> {
    article: ArticleId,
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
    /// [`Disposition::Unchanged`], if the address has or had this text and title.
    fn find(&self, pending: &PendingArticle<'_>) -> Option<Disposition> {
        if versions::compare(self.fingerprint, pending.fingerprint()).same_text
            && self.title == pending.title()
        {
            return Some(Disposition::Unchanged {
                article: self.article,
                version: self.version,
            });
        }
        let past = self.past.iter().find(|past| past.is(pending))?;
        Some(Disposition::Unchanged {
            article: past.article,
            version: past.version,
        })
    }
}

/// The disposition of each article of the batch, in order.
pub(crate) fn dispositions<'b>(
    batch: &[PendingArticle<'b>],
    known: &'b HashMap<Identity, ExistingArticle>,
    histories: &HashMap<ArticleId, History>,
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
    batch
        .iter()
        .map(|pending| match addresses.get_mut(&pending.identity) {
            Some(address) => at(pending, address),
            None => {
                addresses.insert(pending.identity, first(pending, Vec::new()));
                Disposition::New { replaces: None }
            }
        })
        .collect()
}

/// The state of an address after an article that is new there.
fn first<'b>(pending: &PendingArticle<'b>, past: Vec<PastText>) -> Address<'b> {
    Address {
        article: pending.fresh,
        version: 1,
        last: 1,
        title: pending.title(),
        canonical: pending.canonical(),
        fingerprint: pending.fingerprint(),
        seen: pending.times.seen,
        past,
    }
}

/// The disposition of a message at an address that has an article; changes the address's state.
fn at<'b>(pending: &PendingArticle<'b>, address: &mut Address<'b>) -> Disposition {
    if let Some(unchanged) = address.find(pending) {
        return unchanged;
    }
    let change = versions::compare(address.fingerprint, pending.fingerprint());
    let shown = PastText {
        article: address.article,
        version: address.version,
        fingerprint_version: address.fingerprint.version.0,
        body_hash: address.fingerprint.body_hash.0,
        title: address.title.map(str::to_owned),
    };
    // Two spellings of one address show the same page, or they are two addresses after all.
    let unlike = address.canonical != pending.canonical()
        && change.jaccard < UNLIKE_SPELLINGS
        && !address.fingerprint.shingles.is_empty()
        && !pending.fingerprint().shingles.is_empty();
    if change.url_reused || unlike {
        let replaces = Some(address.article);
        let mut past = std::mem::take(&mut address.past);
        past.push(shown);
        *address = first(pending, past);
        return Disposition::New { replaces };
    }
    let (article, similarity) = (address.article, change.jaccard as f32);
    address.last = address.last.saturating_add(1);
    let version = address.last;
    if matches!((pending.times.seen, address.seen), (Some(new), Some(shown)) if new < shown) {
        address.past.push(PastText::of(pending, article, version));
        return Disposition::Older {
            article,
            version,
            similarity,
        };
    }
    address.past.push(shown);
    address.version = version;
    address.title = pending.title();
    address.canonical = pending.canonical();
    address.fingerprint = pending.fingerprint();
    address.seen = pending.times.seen;
    Disposition::Version {
        article,
        version,
        similarity,
    }
}
