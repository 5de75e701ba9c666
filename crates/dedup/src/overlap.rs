//! What two verification sets have in common.

use copydesk_article::{Fingerprint, ShingleAt};

use crate::common::{CommonShingles, FULL_WEIGHT};

/// Shared shingles of two articles, counted, weighted and by paragraph. `a` is the subject, `b` the candidate.
#[derive(Debug, Clone)]
pub(crate) struct Overlap {
    /// Shared shingles, unweighted; scaled up where a set is a sample.
    pub(crate) shared: u32,
    /// Weight of the shared shingles and of either set.
    shared_weight: u64,
    weight_a: u64,
    weight_b: u64,
    /// Shared shingles by paragraph of either text.
    pub(crate) in_a: [u16; 256],
    pub(crate) in_b: [u16; 256],
    /// Whether either set is a sample.
    sampled: bool,
    /// Which of the subject's shingles are shared: a bit for each.
    shared_of_a: Vec<u64>,
}

impl Overlap {
    /// Compares two sets; both are ascending by hash. One walk over both.
    pub(crate) fn of(a: &Fingerprint, b: &Fingerprint, common: Option<&CommonShingles>) -> Self {
        let sampling = u32::from(a.sampling.max(b.sampling)).min(31);
        let set_a = below(&a.shingles, sampling);
        let set_b = below(&b.shingles, sampling);
        let mut overlap = Self {
            shared: 0,
            shared_weight: 0,
            weight_a: weight(set_a, common),
            weight_b: weight(set_b, common),
            in_a: [0; 256],
            in_b: [0; 256],
            sampled: sampling > 0,
            shared_of_a: vec![0; set_a.len().div_ceil(64)],
        };
        let (mut i, mut j) = (0, 0);
        while let (Some(x), Some(y)) = (set_a.get(i), set_b.get(j)) {
            if x.hash == y.hash {
                overlap.shared += 1;
                if let Some(bits) = overlap.shared_of_a.get_mut(i / 64) {
                    *bits |= 1 << (i % 64);
                }
                overlap.shared_weight += common.map_or(FULL_WEIGHT, |c| c.weight(x.hash));
                let (in_a, in_b) = (
                    &mut overlap.in_a[x.paragraph as usize],
                    &mut overlap.in_b[y.paragraph as usize],
                );
                *in_a = in_a.saturating_add(1);
                *in_b = in_b.saturating_add(1);
            }
            i += usize::from(x.hash <= y.hash);
            j += usize::from(y.hash <= x.hash);
        }
        overlap.shared = overlap.shared.checked_shl(sampling).unwrap_or(u32::MAX);
        overlap
    }

    /// Which of the subject's shingles are shared: a bit for each, in their order.
    pub(crate) fn shared_of_a(&self) -> &[u64] {
        &self.shared_of_a
    }

    /// Whether either set is a sample.
    pub(crate) const fn is_sampled(&self) -> bool {
        self.sampled
    }

    /// Share of the weight of the shared shingles that the list of common shingles takes away, 0 to 1.
    pub(crate) fn common_share(&self) -> f64 {
        let plain: u64 = self
            .shared_of_a
            .iter()
            .map(|bits| u64::from(bits.count_ones()) * FULL_WEIGHT)
            .sum();
        ratio(plain - self.shared_weight.min(plain), plain)
    }

    /// Jaccard similarity, 0 to 1.
    pub(crate) fn jaccard(&self) -> f64 {
        ratio(
            self.shared_weight,
            self.weight_a + self.weight_b - self.shared_weight,
        )
    }

    /// Share of the smaller set that is in the other, 0 to 1.
    pub(crate) fn containment(&self) -> f64 {
        ratio(self.shared_weight, self.weight_a.min(self.weight_b))
    }

    /// Share of the subject that is in the candidate, 0 to 1.
    pub(crate) fn a_in_b(&self) -> f64 {
        ratio(self.shared_weight, self.weight_a)
    }

    /// Share of the candidate that is in the subject, 0 to 1.
    pub(crate) fn b_in_a(&self) -> f64 {
        ratio(self.shared_weight, self.weight_b)
    }

    /// Shared shingles from which a paragraph counts as shared.
    pub(crate) fn least_in_paragraph(&self) -> u16 {
        if self.sampled { 1 } else { 2 }
    }

    /// Whether the subject is the shorter of the two.
    pub(crate) fn a_is_shorter(&self) -> bool {
        self.weight_a <= self.weight_b
    }
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

/// The part of a set that a sample of this rate would hold.
fn below(set: &[ShingleAt], sampling: u32) -> &[ShingleAt] {
    if sampling == 0 {
        return set;
    }
    set.get(..set.partition_point(|s| s.hash < 1 << (32 - sampling)))
        .unwrap_or(set)
}

fn weight(set: &[ShingleAt], common: Option<&CommonShingles>) -> u64 {
    common.map_or(set.len() as u64 * FULL_WEIGHT, |common| {
        set.iter().map(|s| common.weight(s.hash)).sum()
    })
}
