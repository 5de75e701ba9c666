//! What two verification sets have in common.

use copydesk_article::{Fingerprint, HashBits, ShingleAt};

use crate::common::{CommonShingles, FULL_WEIGHT};
use crate::parts::Paragraphs;

/// An article whose shingles can be looked up: what comparing it with others needs, made once.
pub(crate) struct Indexed<'f> {
    pub(crate) text: &'f Fingerprint,
    pub(crate) paragraphs: Paragraphs,
    /// Which hashes the text certainly does not have. One in 150 of the others gets through, if the text has 450 shingles.
    bits: HashBits<1024>,
}

impl<'f> Indexed<'f> {
    pub(crate) fn of(text: &'f Fingerprint) -> Self {
        let mut bits = HashBits::default();
        for shingle in &text.shingles {
            bits.insert(u64::from(shingle.hash));
        }
        Self {
            text,
            paragraphs: Paragraphs::of(text),
            bits,
        }
    }

    /// Which of these the text may have: a bit for each, the first one lowest. At most 64.
    fn may_have(&self, shingles: &[ShingleAt]) -> u64 {
        let bit = |(n, s): (usize, &ShingleAt)| u64::from(self.bits.may_have(u64::from(s.hash))) << n;
        shingles.iter().enumerate().map(bit).fold(0, |all, bit| all | bit)
    }
}

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
    /// Compares two sets; both are ascending by hash.
    ///
    /// Most candidates share little. So their shingles are first held against a table of bits, without a branch for any of them, and
    /// only what gets through is looked for.
    pub(crate) fn of(a: &Indexed<'_>, b: &Fingerprint, common: Option<&CommonShingles>) -> Self {
        let sampling = u32::from(a.text.sampling.max(b.sampling)).min(31);
        let set_a = below(&a.text.shingles, sampling);
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
        let mut i = 0;
        for some in set_b.chunks(64) {
            let mut left = a.may_have(some);
            while let Some(y) = some.get(left.trailing_zeros() as usize) {
                left &= left - 1;
                while set_a.get(i).is_some_and(|x| x.hash < y.hash) {
                    i += 1;
                }
                if let Some(x) = set_a.get(i)
                    && x.hash == y.hash
                {
                    overlap.add(i, *x, *y, common);
                }
            }
        }
        overlap.shared = overlap.shared.checked_shl(sampling).unwrap_or(u32::MAX);
        overlap
    }

    /// Counts a shared shingle: the subject's, at this place of its set, and the candidate's.
    fn add(&mut self, place: usize, of_a: ShingleAt, of_b: ShingleAt, common: Option<&CommonShingles>) {
        self.shared += 1;
        if let Some(bits) = self.shared_of_a.get_mut(place / 64) {
            *bits |= 1 << (place % 64);
        }
        self.shared_weight += common.map_or(FULL_WEIGHT, |c| c.weight(of_a.hash));
        let (in_a, in_b) = (
            &mut self.in_a[of_a.paragraph as usize],
            &mut self.in_b[of_b.paragraph as usize],
        );
        *in_a = in_a.saturating_add(1);
        *in_b = in_b.saturating_add(1);
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

/// The part of a text's set that a sample of this rate would hold.
pub(crate) fn sample(text: &Fingerprint, sampling: u8) -> &[ShingleAt] {
    below(&text.shingles, u32::from(sampling).min(31))
}

fn weight(set: &[ShingleAt], common: Option<&CommonShingles>) -> u64 {
    common.map_or(set.len() as u64 * FULL_WEIGHT, |common| {
        set.iter().map(|s| common.weight(s.hash)).sum()
    })
}
