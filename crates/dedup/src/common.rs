//! The list of common shingles: what a shingle weighs that stands in many stories.
//!
//! Optional. "Analysts said on Tuesday that" is in hundreds of stories and says little about two texts that
//! share it. The list gives such a shingle the weight T / (number of stories that have it), T = 3; all others
//! weigh 1. Weighting beats dropping: a common shingle in a copied text would vanish from both sets.

use std::fmt;

use copydesk_article::{Fingerprint, StoryId};

/// The weight of a shingle that is not in the list. Weights are integers, so that sums do not depend on
/// their order or on the machine.
pub(crate) const FULL_WEIGHT: u64 = 1 << 16;

/// Stories that may have a shingle before it weighs less (T).
pub const COMMON_FROM: u32 = 3;

/// A versioned list of shingles with the number of stories that have them.
#[derive(Clone, PartialEq, Eq)]
pub struct CommonShingles {
    version: i32,
    /// Ascending hashes and their weights.
    entries: Vec<(u32, u32)>,
    /// `starts[h >> 16]..starts[(h >> 16) + 1]` are the entries with these upper bits.
    starts: Vec<u32>,
}

impl fmt::Debug for CommonShingles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "CommonShingles(version {}, {} shingles)",
            self.version,
            self.entries.len()
        )
    }
}

impl CommonShingles {
    /// A list from pairs of shingle and number of stories. Shingles in at most [`COMMON_FROM`] stories are
    /// left out; of a shingle that is given twice the larger count is taken.
    pub fn new(version: i32, counts: impl IntoIterator<Item = (u32, u32)>) -> Self {
        let mut entries: Vec<(u32, u32)> = counts.into_iter().filter(|(_, n)| *n > COMMON_FROM).collect();
        entries.sort_unstable_by_key(|(hash, n)| (*hash, std::cmp::Reverse(*n)));
        entries.dedup_by_key(|(hash, _)| *hash);
        for (_, n) in &mut entries {
            *n = (FULL_WEIGHT as u32 * COMMON_FROM / *n).max(1);
        }
        let mut starts = vec![0; (1 << 16) + 1];
        let mut at = 0;
        for (upper, start) in starts.iter_mut().enumerate() {
            while entries
                .get(at)
                .is_some_and(|(hash, _)| ((hash >> 16) as usize) < upper)
            {
                at += 1;
            }
            *start = at as u32;
        }
        Self {
            version,
            entries,
            starts,
        }
    }

    /// The version that decisions made with this list record.
    pub const fn version(&self) -> i32 {
        self.version
    }

    /// Shingles in the list.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether the list is empty.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The weight of a shingle, in parts of [`FULL_WEIGHT`].
    pub(crate) fn weight(&self, hash: u32) -> u64 {
        let upper = (hash >> 16) as usize;
        let (Some(from), Some(to)) = (self.starts.get(upper), self.starts.get(upper + 1)) else {
            return FULL_WEIGHT;
        };
        self.entries
            .get(*from as usize..*to as usize)
            .and_then(|bucket| bucket.iter().find(|(h, _)| *h == hash))
            .map_or(FULL_WEIGHT, |(_, w)| u64::from(*w))
    }
}

/// Counts in how many stories each shingle stands: builds a [`CommonShingles`] from stored evidence.
///
/// Holds 12 bytes for every (shingle, story) it is given. For stores that do not fit, build the list in
/// slices ([`Self::slice`]), each over all articles, and join the counts.
#[derive(Debug)]
pub struct CommonBuilder {
    pairs: Vec<(u32, i64)>,
    slice: u32,
    of: u32,
}

impl Default for CommonBuilder {
    fn default() -> Self {
        Self::slice(0, 1)
    }
}

impl CommonBuilder {
    /// Counts only the shingles of one slice out of `of`, numbered from 0.
    pub const fn slice(slice: u32, of: u32) -> Self {
        let of = if of == 0 { 1 } else { of };
        Self {
            pairs: Vec::new(),
            slice: slice % of,
            of,
        }
    }

    /// Adds the evidence of one article. Order does not matter; the same article twice changes nothing.
    pub fn add(&mut self, story: StoryId, evidence: &Fingerprint) {
        self.pairs.extend(
            evidence
                .shingles
                .iter()
                .filter(|s| self.of == 1 || s.hash % self.of == self.slice)
                .map(|s| (s.hash, story.0)),
        );
    }

    /// Shingles that are in more than [`COMMON_FROM`] stories, ascending, with the number of stories.
    pub fn counts(mut self) -> Vec<(u32, u32)> {
        self.pairs.sort_unstable();
        self.pairs.dedup();
        self.pairs
            .chunk_by(|a, b| a.0 == b.0)
            .filter(|group| group.len() > COMMON_FROM as usize)
            .filter_map(|group| Some((group.first()?.0, u32::try_from(group.len()).unwrap_or(u32::MAX))))
            .collect()
    }

    /// The list, if it was built in one slice.
    pub fn build(self, version: i32) -> CommonShingles {
        CommonShingles::new(version, self.counts())
    }
}
