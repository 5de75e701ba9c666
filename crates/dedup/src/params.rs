//! The thresholds of the decision, with where each comes from. Figures: docs/near-copies.md.

use crate::common::CommonShingles;

/// The version of the rule: thresholds and order of the guards. Recorded with every decision. Raise it with
/// any change to [`Params::default`] or to what [`crate::decide`] does.
pub const RULE_VERSION: i16 = 1;

/// Thresholds of [`crate::decide`]. The default is what was measured; change one only with a measurement.
#[derive(Debug, Clone, Copy)]
pub struct Params<'a> {
    /// A pair with this Jaccard similarity is a match.
    pub min_jaccard: f64,
    /// A pair with this containment (share of the smaller set) is one, too, …
    pub min_containment: f64,
    /// … if it shares this many shingles, counted without weights.
    pub min_shared: u32,
    /// So is a pair with this lower containment and as many shared shingles, if what is shared …
    pub even_containment: f64,
    /// … lies all over the shorter text: in paragraphs that make up this share of it.
    pub even_extent: f64,
    /// A match below this Jaccard similarity and below `weak_containment` is weak: it must be spread, …
    pub weak_jaccard: f64,
    /// See `weak_jaccard`.
    pub weak_containment: f64,
    /// Paragraphs, in both texts, that must each hold two shared shingles, except under nearly the same title.
    pub spread_paragraphs: usize,
    /// … and without a like title it must run through this share of the shorter text.
    pub extent: f64,
    /// Titles are alike from this Jaccard similarity of their words.
    pub like_title: f64,
    /// Below this containment numbers and names are compared.
    pub marks_containment: f64,
    /// Numbers that the shared paragraphs of the shorter text must have for the comparison to mean anything.
    pub min_numbers: usize,
    /// Share of the numbers and names there, taken together, that must be in the other text.
    pub marks_agree: f64,
    /// A block is the site's own if this many of its recent articles show it.
    pub site_repeats: usize,
    /// Titles are nearly the same from this Jaccard similarity of their words. Such articles do not count in
    /// site memory (versions and copies), and their weak matches need no spread.
    pub same_title: f64,
    /// A site with fewer visible articles than this has no memory yet …
    pub young_site: usize,
    /// … so that two articles of its own need this Jaccard similarity; later, two with unlike titles do.
    pub same_site_jaccard: f64,
    /// A re-link asks that the new article has less than this containment with the old original.
    pub relink_containment: f64,
    /// The list of common shingles, if it is in use.
    pub common: Option<&'a CommonShingles>,
}

impl Default for Params<'_> {
    fn default() -> Self {
        Self {
            min_jaccard: 0.3,
            min_containment: 0.4,
            min_shared: 16,
            // A shingle of four words survives if all four do: 0.25 is 7 words in 10 unchanged.
            even_containment: 0.25,
            even_extent: 0.8,
            // At 0.5 two texts of one length share two thirds.
            weak_jaccard: 0.5,
            weak_containment: 0.8,
            spread_paragraphs: 2,
            extent: 0.7,
            like_title: 0.1,
            marks_containment: 0.75,
            min_numbers: 4,
            marks_agree: 0.65,
            site_repeats: 2,
            same_title: 0.5,
            young_site: 4,
            same_site_jaccard: 0.6,
            relink_containment: 0.15,
            common: None,
        }
    }
}

/// How many articles of the site [`crate::decide`] should be given: more did not help.
pub const RECENTS: usize = 20;
