//! The thresholds of the decision, with where each comes from. Figures: docs/near-copies.md.

use crate::common::CommonShingles;
use crate::weights::Weights;

/// The version of the rule: signs, weights and what stays by hand. Recorded with every decision. Raise it with
/// any change to [`Params::default`], to the weights or to what [`crate::decide()`] does.
pub const RULE_VERSION: i16 = 6;

/// Thresholds of [`crate::decide()`]. The default is what was measured; change one only with a measurement.
#[derive(Debug, Clone, Copy)]
pub struct Params<'a> {
    /// A pair with fewer shared shingles is not looked at: keys meet by chance.
    pub least_shared: u32,
    /// A weighed pair of which the shorter text has a smaller share in the other is refused. No labelled copy has a smaller one (web 0.15,
    /// wire 0.2), so the weights know nothing of it, and long texts of one kind reach the threshold by common phrases alone.
    pub least_contained: f64,
    /// A block is the site's own if this many of its recent articles show it.
    pub site_repeats: usize,
    /// Titles are nearly the same from this Jaccard similarity of their words. Such articles do not count in
    /// site memory (versions and copies).
    pub same_title: f64,
    /// A site with fewer visible articles than this has no memory yet.
    pub min_siblings: usize,
    /// A re-link asks that the new article has less than this containment with the old original.
    pub relink_containment: f64,
    /// What the signs count.
    pub weights: &'a Weights,
    /// The list of common shingles, if it is in use.
    pub common: Option<&'a CommonShingles>,
}

impl Default for Params<'_> {
    fn default() -> Self {
        Self {
            least_shared: 4,
            least_contained: 0.12,
            site_repeats: 2,
            same_title: 0.5,
            min_siblings: 4,
            relink_containment: 0.15,
            weights: Weights::in_use(),
            common: None,
        }
    }
}

/// How many articles of the site [`crate::decide()`] should be given: more did not help.
pub const RECENTS: usize = 20;

/// How many of a candidate's excerpts [`crate::decide()`] should be given, the oldest first: two are enough
/// to see a digest.
pub const EXCERPTS: usize = 8;

/// How many of a candidate's near copies [`crate::decide()`] should be given, the oldest first: what shows that
/// its frame is filled in anew each time. More find no more.
pub const COPIES: usize = 4;
