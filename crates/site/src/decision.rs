//! What a decision says: the blocks that go and the blocks that were spared, each with why.

use std::fmt::Write as _;

use copydesk_article::ArticleId;

use crate::key::BlockKey;

/// Why a block goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// Other articles of the site show it: one article of each story, ascending, and how many stories were looked at.
    Shown {
        /// The articles.
        by: Vec<ArticleId>,
        /// Stories that were looked at.
        of: usize,
    },
    /// A label among blocks that the site repeats.
    Between,
    /// A person insists.
    Pinned,
}

/// Articles that evidence names; more are counted.
const NAMED: usize = 3;

impl Why {
    /// What is stored as the evidence of the removal, for people.
    pub fn evidence(&self) -> String {
        match self {
            Self::Shown { by, of } => {
                let mut text = format!("in {} of {of} other stories of the site: articles", by.len());
                for (n, id) in by.iter().take(NAMED).enumerate() {
                    let _ = write!(text, "{} {}", if n > 0 { "," } else { "" }, id.0);
                }
                if by.len() > NAMED {
                    text.push_str(", …");
                }
                text
            }
            Self::Between => "between blocks that the site repeats".to_owned(),
            Self::Pinned => "pinned by a person".to_owned(),
        }
    }
}

/// Why a block stays although the site repeats it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// It is the longest paragraph of the article.
    LongestProse,
    /// It travels with stories from site to site.
    Protected,
    /// A person objects.
    Forgotten,
    /// Too much of the article would go.
    TooMuch,
}

impl Guard {
    /// Every value.
    pub const ALL: [Self; 4] = [
        Self::LongestProse,
        Self::Protected,
        Self::Forgotten,
        Self::TooMuch,
    ];

    /// The name under which docs/site-memory.md explains it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LongestProse => "longest_prose",
            Self::Protected => "protected",
            Self::Forgotten => "forgotten",
            Self::TooMuch => "too_much",
        }
    }
}

/// A block that goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its place among all blocks of the article.
    pub position: usize,
    /// Its key.
    pub key: Option<BlockKey>,
    /// Why.
    pub why: Why,
}

/// A block that the site repeats and that stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spared {
    /// Its place among all blocks of the article.
    pub position: usize,
    /// Its key.
    pub key: BlockKey,
    /// What spared it.
    pub guard: Guard,
}

/// The answer, with what explains it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decision {
    /// The blocks that go, in order.
    pub removed: Vec<Found>,
    /// The blocks that the site repeats and that stay, in order.
    pub spared: Vec<Spared>,
    /// Stories of the site that were looked at.
    pub stories: usize,
}
