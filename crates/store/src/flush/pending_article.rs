//! An article that is about to be stored, with the values that its flush needs in several places.

use chrono::Utc;
use copydesk_article::{ArticleId, Fingerprint, MetadataSource};
use copydesk_dedup::{Subject, Times};

use crate::flush::identity::{Identity, raw_hash, site_hash, url_hash};
use crate::keys::{ArticleWindows, row_key};
use crate::ledger::item::{Item, Prepared};

/// An article that is about to be stored. Made before the flush takes its first lock.
pub(crate) struct PendingArticle<'b> {
    pub(crate) item: &'b Item,
    pub(crate) prepared: &'b Prepared,
    /// The id that it gets if it is a new article.
    pub(crate) fresh: ArticleId,
    pub(crate) identity: Identity,
    /// Whether the page's own address names the article, and not the canonical address that it claims.
    own_address: bool,
    pub(crate) site: Option<&'b str>,
    pub(crate) site_hash: Option<i64>,
    pub(crate) url_hash: Option<u64>,
    /// When it appeared, as far as its times are believable.
    pub(crate) times: Times,
    /// `article.raw_hash`.
    pub(crate) raw_hash: [u8; 16],
    /// The windows where its keys are claimed and looked up.
    pub(crate) windows: ArticleWindows,
}

impl<'b> PendingArticle<'b> {
    pub(crate) fn new(item: &'b Item, prepared: &'b Prepared, fresh: ArticleId, window_days: i32) -> Self {
        let metadata = &prepared.clean.metadata;
        let site = metadata.site.as_ref().map(|s| s.value.as_str());
        Self {
            item,
            prepared,
            fresh,
            identity: Identity::of(prepared),
            own_address: false,
            site,
            site_hash: site.map(site_hash),
            url_hash: metadata.canonical_url.as_ref().map(|u| url_hash(&u.value)),
            times: Times::believable(
                metadata
                    .published_at
                    .as_ref()
                    .map(|t| t.value.instant().timestamp()),
                prepared.fetched_at.map(|t| t.timestamp()),
                item.message.timestamp.map(|t| t.timestamp()),
            ),
            raw_hash: raw_hash(item.message.payload.as_deref()),
            windows: ArticleWindows::of(item.message.timestamp.unwrap_or_else(Utc::now), window_days),
        }
    }

    /// The page's own address, if it claims another one and is believed.
    pub(crate) fn claimant(&self) -> Option<&'b str> {
        let own = self.prepared.clean.metadata.own_url.as_deref();
        own.filter(|_| !self.own_address)
    }

    /// The address that names the article, with its source. `None`: it has none.
    pub(crate) fn named_by(&self) -> Option<(&'b str, MetadataSource)> {
        let metadata = &self.prepared.clean.metadata;
        match &metadata.own_url {
            Some(own) if self.own_address => Some((own, MetadataSource::Envelope)),
            _ => metadata
                .canonical_url
                .as_ref()
                .map(|u| (u.value.as_str(), u.source)),
        }
    }

    /// The address that names the article.
    pub(crate) fn canonical(&self) -> Option<&'b str> {
        self.named_by().map(|(url, _)| url)
    }

    /// From now on the page's own address names the article, and not the canonical address that it claims.
    pub(crate) fn take_own_address(&mut self) {
        if let Some(own) = self.claimant() {
            self.own_address = true;
            self.identity = Identity::of_address(own);
            self.url_hash = Some(url_hash(own));
        }
    }

    pub(crate) fn title(&self) -> Option<&'b str> {
        self.prepared
            .clean
            .metadata
            .title
            .as_ref()
            .map(|t| t.value.as_str())
    }

    pub(crate) fn fingerprint(&self) -> &'b Fingerprint {
        &self.prepared.fingerprint
    }

    /// The input of the decision on near-copies, under the id that the article gets.
    pub(crate) fn subject(&self, id: ArticleId) -> Subject<'b> {
        Subject {
            id,
            site: self.site,
            url_hash: self.url_hash,
            times: self.times,
            fingerprint: self.fingerprint(),
        }
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
