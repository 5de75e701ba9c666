//! Keys of near-copies: which window a key is in, who owns it, and who may claim it.
//!
//! In: the shingle hashes of articles. Out: for each the first article that had it, which is a candidate for whoever has it later. Whoever
//! claims keys of a window holds the window's lock ([`lock`]) until the end of its transaction: what is absent under the lock stays absent,
//! and what was committed before is seen. The unique row in `near_key` stays as the judge: whoever claims without the lock gets an error.

mod cache;
mod claim;
mod filter;
mod window;

pub(crate) use cache::WindowKeyCache;
pub(crate) use claim::{Owners, insert_absent, lock, lock_of_stories, owners};
pub(crate) use window::{ArticleWindows, Window, row_key, split_by_window};
