//! What a decision is made on: the article, and the others of its site.

use copydesk_article::ArticleId;

use crate::blocks::PageBlocks;

/// The article to be decided on, besides its text.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Its id.
    pub id: ArticleId,
    /// Hash of its canonical address, if it has one.
    pub url_hash: Option<u64>,
    /// Hashes of its title's words, ascending.
    pub title_words: &'a [u32],
}

/// One of the articles of its site. What was visible is enough: they may be stale.
#[derive(Debug, Clone, Copy)]
pub struct Sibling<'a> {
    /// Its id.
    pub id: ArticleId,
    /// Hash of its canonical address, if it has one.
    pub url_hash: Option<u64>,
    /// Hashes of its title's words, ascending.
    pub title_words: &'a [u32],
    /// Its blocks.
    pub blocks: &'a PageBlocks,
}
