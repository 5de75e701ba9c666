//! What of a message's rows is known before the database is asked anything.
//!
//! From the claim of the keys to the commit other flushes may have to wait for this one: what does not depend on the
//! database is worked out before.

use copydesk_dedup::evidence::{Sampling, encode};
use copydesk_site::{BlockKeys, PageBlocks};

use crate::blocks;
use crate::identity::raw_hash;
use crate::item::{Item, Prepared};

/// Values of columns, as they are if the database has nothing to say against them.
pub(crate) struct Ready {
    /// `article.raw_hash`.
    pub(crate) raw_hash: [u8; 16],
    /// `article.body`, unless site memory takes something out.
    pub(crate) body: String,
    /// `article.blocks`, unless site memory takes something out.
    pub(crate) blocks: String,
    /// `evidence.evidence`, unless blocks of the site are dropped from it.
    pub(crate) evidence: Vec<u8>,
    /// What `evidence.page_blocks` holds.
    pub(crate) page: PageBlocks,
    /// What site memory asks for of each block.
    pub(crate) block_keys: BlockKeys,
}

impl Ready {
    pub(crate) fn of(item: &Item, article: &Prepared) -> Self {
        let block_keys = BlockKeys::of(&article.clean);
        Self {
            raw_hash: raw_hash(item.message.payload.as_deref()),
            body: article.clean.body(),
            blocks: blocks::to_json(&article.clean),
            evidence: encode(&article.fingerprint, Sampling::Full),
            page: PageBlocks::of_keys(&article.clean, &block_keys),
            block_keys,
        }
    }
}
