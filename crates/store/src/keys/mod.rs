//! Keys of near-copies: the window of a key, its owner, and how it is claimed.
//!
//! In: the shingle hashes of articles. Out: for each its owner, the first article that had it, which is a
//! candidate for later articles with the same key. A transaction that claims keys of a window holds the
//! window's lock ([`lock`]) until its end. So a key that is absent under the lock stays absent, and a claim
//! that was committed before is seen. The primary key of `near_key` refuses a claim without the lock.

mod cache;
mod claim;
mod filter;
mod window;

pub(crate) use cache::WindowKeyCache;
pub(crate) use claim::{Owners, insert_absent, lock, lock_of_stories, owners};
pub(crate) use window::{ArticleWindows, Window, row_key, split_by_window};
