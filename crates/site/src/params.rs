//! The name, the version and the thresholds of the decision, with where each comes from. Figures: docs/site-memory.md.

use copydesk_article::RuleId;

use crate::key::BlockKey;

/// The rule under which site memory removes.
pub const SITE_MEMORY: RuleId = RuleId::of("site-memory");

/// The version of the rule: thresholds and order of the guards. Recorded with every decision. Raise it with any change
/// to [`Params::default`] or to what [`crate::decide()`] does.
pub const RULE_VERSION: i16 = 3;

/// How many of the site's articles [`crate::decide()`] is given at most.
pub const SIBLINGS: usize = 20;

/// Thresholds of [`crate::decide()`]. The default is what was measured; change one only with a measurement.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Params {
    /// A block goes if so many other stories of the site show it, …
    pub repeats: usize,
    /// … or one, on a site of which fewer stories than this are visible.
    pub min_siblings: usize,
    /// Titles are nearly the same from this Jaccard similarity of their words: versions of one article.
    pub same_title: f64,
    /// Texts are nearly the same from this Jaccard similarity of the blocks that the rules left: copies of one story.
    pub same_text: f64,
    /// If more than this share of the article's words would go, its paragraphs of prose stay: what looks like the
    /// site's repeated blocks is more likely an article that was published twice.
    pub most_words: f64,
    /// A label goes as well if blocks that the site repeats stand this near before and after it: a list of headlines
    /// that changes from page to page. 0 switches it off.
    pub reach: usize,
    /// So many repeated blocks in a row are a menu: there, a word counts that would be too short to count alone.
    pub menu: usize,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            repeats: 2,
            min_siblings: 4,
            same_title: 0.5,
            same_text: 0.5,
            most_words: 0.5,
            reach: 5,
            menu: 5,
        }
    }
}

/// What is known about blocks besides who shows them. Each list is ascending.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Instructions<'a> {
    /// A person insists that these are not the article.
    pub pinned: &'a [BlockKey],
    /// A person objects: these stay.
    pub forgotten: &'a [BlockKey],
    /// Blocks that travel with stories from site to site (an agency's closing sentence): these stay.
    pub protected: &'a [BlockKey],
}
