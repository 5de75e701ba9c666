//! What a decision is made from.

use copydesk_article::{ArticleId, BlockHash, Fingerprint, StoryId};

use crate::times::Times;

/// The article to be decided on.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Its id.
    pub id: ArticleId,
    /// Its site, if known.
    pub site: Option<&'a str>,
    /// Hash of its canonical address, if it has one.
    pub url_hash: Option<u64>,
    /// When it appeared.
    pub times: Times,
    /// Its fingerprint, of the whole cleaned text.
    pub fingerprint: &'a Fingerprint,
}

/// An older article that owns one of the subject's keys.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// Its id.
    pub id: ArticleId,
    /// The story that it is in.
    pub story: StoryId,
    /// Its site, if known.
    pub site: Option<&'a str>,
    /// Hash of its canonical address, if it has one.
    pub url_hash: Option<u64>,
    /// When it appeared.
    pub times: Times,
    /// Its evidence as stored, that is without the blocks that were dropped when it came.
    pub fingerprint: &'a Fingerprint,
    /// Its own link, if it is not the original of its story.
    pub link: Option<PriorLink>,
    /// It is known as a digest: it holds other articles.
    pub digest: bool,
    /// Articles that are linked to it as parts ([`crate::Link::is_part`]), as far as they were read: what shows that it is a digest if it came
    /// before the articles that it holds. None if it is a digest already.
    pub excerpts: &'a [Excerpt<'a>],
    /// Near copies that are linked to it, as far as they were read: what shows that it is one of a series.
    pub copies: &'a [Excerpt<'a>],
}

/// An article that is linked to a candidate as a part of it.
#[derive(Debug, Clone, Copy)]
pub struct Excerpt<'a> {
    /// Its id.
    pub id: ArticleId,
    /// Its evidence as stored.
    pub fingerprint: &'a Fingerprint,
}

/// The link that a candidate has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PriorLink {
    /// The article it is linked to.
    pub to: ArticleId,
    /// Shingles that the two share, as recorded in `Link::shared`.
    pub shared: u32,
}

/// One of the last articles of the subject's site. What was visible is enough: they may be stale.
#[derive(Debug, Clone, Copy)]
pub struct Recent<'a> {
    /// Its id.
    pub id: ArticleId,
    /// Hash of its canonical address, if it has one.
    pub url_hash: Option<u64>,
    /// All its block hashes, the dropped ones among them.
    pub blocks: &'a [BlockHash],
    /// Hashes of its title's words, ascending.
    pub title_words: &'a [u32],
}
