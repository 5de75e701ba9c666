//! Site memory: what a site shows in one article after the other is not the article.
//!
//! **In:** a cleaned article, the blocks of the last articles of its site, what a person has said about blocks of this
//! site, and the blocks that travel with stories from site to site. **Out:** a [`Decision`]: the blocks that
//! go under the rule `site-memory`, each with its evidence, and the blocks that were spared, each with the
//! guard that spared it.
//! **What may fail:** reading damaged stored blocks ([`BlocksError`]); nothing else. No I/O, no clock, no state between
//! articles: the same arguments give the same answer, so a decision can be shown and made again from what is stored.
//!
//! 1. [`PageBlocks::of`]: a small hash of every block, kept and removed, with its zone. Stored with the article.
//! 2. [`decide()`]: which other articles count (`counting`), which blocks enough of them show, which of these stay all
//!    the same.
//! 3. [`apply`]: the article without them. [`restore`] is the way back.
//!
//! Why these steps and thresholds, and what they achieve: docs/site-memory.md.

mod blocks;
mod counting;
mod decide;
mod decision;
mod edit;
mod inputs;
mod key;
mod params;
mod prose;
mod symbols;

pub use blocks::{BlocksError, MOST_BLOCKS, PageBlocks, Zone};
pub use decide::{decide, decide_keyed};
pub use decision::{Decision, Found, Guard, Spared, Why};
pub use edit::{apply, restore};
pub use inputs::{Sibling, Subject};
pub use key::{BlockKey, BlockKeys, block_key};
pub use params::{Instructions, Params, RULE_VERSION, SIBLINGS, SITE_MEMORY};
