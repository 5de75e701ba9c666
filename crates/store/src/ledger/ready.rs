//! The values of an article's rows that do not depend on the database.
//!
//! From the claim of the keys to the commit other flushes may have to wait for this one: what does not depend on the
//! database is worked out before, with the article, on a thread of the pool.

use copydesk_article::address::twin_key;
use copydesk_article::{CleanArticle, Fingerprint};
use copydesk_dedup::evidence::{Sampling, encode};
use copydesk_site::{BlockKeys, PageBlocks};

use crate::rows::{ContentHash, List, blocks, markup};

/// Values of columns, as they are if the database has nothing to say against them.
#[derive(Debug, Clone)]
pub(crate) struct Ready {
    /// `article_text.body`, unless site memory takes something out.
    pub(crate) body: String,
    /// `article_text.blocks`, unless site memory takes something out.
    pub(crate) blocks: String,
    /// `article_text.markup`, if it is kept.
    pub(crate) markup: String,
    /// `sighting.content_hash`, unless site memory takes something out.
    pub(crate) content: ContentHash,
    /// `evidence.evidence`, unless blocks of the site are dropped from it.
    pub(crate) evidence: Vec<u8>,
    /// The key of its address, which all spellings share.
    pub(crate) address_key: Option<String>,
    /// The keys of its blocks, for site memory.
    pub(crate) block_keys: BlockKeys,
    /// `evidence.page_blocks`.
    pub(crate) page: PageBlocks,
}

impl Ready {
    pub(crate) fn of(clean: &CleanArticle, fingerprint: &Fingerprint) -> Self {
        let block_keys = BlockKeys::of(clean);
        let (body, blocks) = (clean.body(), blocks::to_json(clean));
        let (title, dek) = (&clean.metadata.title, &clean.metadata.dek);
        Self {
            content: ContentHash::of(
                title.as_ref().map(|t| t.value.as_str()),
                dek.as_ref().map(|d| d.value.as_str()),
                &List::of(clean.captions()),
                &body,
                &blocks,
            ),
            body,
            blocks,
            markup: markup::to_json(clean),
            address_key: clean.metadata.canonical_url.as_ref().map(|u| twin_key(&u.value)),
            evidence: encode(fingerprint, Sampling::Full),
            page: PageBlocks::of_keys(clean, &block_keys),
            block_keys,
        }
    }
}
