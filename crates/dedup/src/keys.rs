//! Which shingles of a text become its index keys: the smallest by hash, where the beginning of a text counts more.
//!
//! A text is divided into *stretches*: the first [`FIRST_STRETCH`] words, twice as many behind them, four times as many behind
//! those, and so on. In each a hash counts for twice what it does in the stretch before (its *rank* is the hash times 2 to the
//! power of the stretch), so that every stretch has about as many keys as the next. News is cut from its end: of a copy that
//! kept a fifth of 500 words, plain smallest hashes have a fifth of their keys, these two fifths. What one text adds or loses at its
//! beginning moves few shingles into another stretch. Priority sampling with weights, with the hash as the shared chance (Duffield,
//! Lund, Thorup 2007); figures: docs/near-copies.md.

use copydesk_article::ShingleKey;

/// Words in the first stretch.
pub const FIRST_STRETCH: usize = 64;

/// The last stretch that counts for less than the one before it: it begins behind a million words.
const LAST_STRETCH: u32 = 14;

/// Bits of a rank that hold its stretch. What the hash has there is not needed.
const STRETCH_BITS: u32 = 4;
const STRETCH: u64 = (1 << STRETCH_BITS) - 1;

/// Chooses among the hashes of a text, which are given one after the other, stretch by stretch.
///
/// Hashes are spread evenly, so that all but a few can be left out by one comparison. How many are left is known only
/// at the end: if they are fewer than were asked for, the hashes must be given again [with nothing left out](Self::all).
#[derive(Debug, Default)]
pub(crate) struct Choice {
    /// The first `below` are those that were not left out; beyond is room.
    hashes: Vec<u64>,
    below: usize,
    /// What is larger is left out of the present stretch.
    limit: u64,
    /// Nothing is left out at all.
    whole: bool,
    /// Where each stretch so far ends among the hashes.
    ends: Vec<usize>,
    /// The number of the word that begins the next stretch.
    next_stretch: usize,
    chosen: Vec<ShingleKey>,
}

impl Choice {
    /// Begins anew, for `k` of at most so many hashes.
    pub(crate) fn of(self, hashes: usize, k: usize) -> Self {
        // Of evenly spread hashes this limit leaves about 2 k.
        let share = u64::MAX / weight(hashes).max(1);
        let limit = share.saturating_mul(2 * k as u64);
        self.begin(limit, limit == u64::MAX, hashes)
    }

    /// Begins anew, and leaves out none of at most so many hashes.
    pub(crate) fn all(self, hashes: usize) -> Self {
        self.begin(u64::MAX, true, hashes)
    }

    fn begin(mut self, limit: u64, whole: bool, room: usize) -> Self {
        self.hashes.resize(room, 0);
        self.ends.clear();
        Self {
            below: 0,
            limit,
            whole,
            next_stretch: FIRST_STRETCH,
            ..self
        }
    }

    /// The number of the word before which [`Self::next_stretch`] is to be called.
    pub(crate) const fn stretch_ends(&self) -> usize {
        self.next_stretch
    }

    /// The words that follow belong to the next stretch.
    pub(crate) fn next_stretch(&mut self) {
        self.ends.push(self.below);
        self.next_stretch = if self.ends.len() < LAST_STRETCH as usize {
            2 * self.next_stretch + FIRST_STRETCH
        } else {
            usize::MAX
        };
        if !self.whole {
            self.limit >>= 1;
        }
    }

    /// One hash.
    #[inline(always)]
    pub(crate) fn push(&mut self, hash: u64) {
        // Written in any case and kept by counting: nothing to guess for the processor.
        if let Some(place) = self.hashes.get_mut(self.below) {
            *place = hash;
        }
        self.below += usize::from(hash <= self.limit);
    }

    /// The keys of the `k` distinct hashes of the lowest rank, ascending; fewer if there are no more. `None`: too many were
    /// left out.
    pub(crate) fn finish(&mut self, k: usize) -> Option<&[ShingleKey]> {
        self.ends.push(self.below);
        self.chosen.clear();
        if self.whole {
            let mut ranks: Vec<u128> = Vec::with_capacity(self.below);
            self.each_stretch(|stretch, hashes| {
                let rank = |h: &u64| (u128::from(*h) << stretch) & !u128::from(STRETCH) | u128::from(stretch);
                ranks.extend(hashes.iter().map(rank));
            });
            ranks.sort_unstable();
            self.choose(
                k,
                ranks.iter().map(|r| key((r >> (r & u128::from(STRETCH))) as u64)),
            );
        } else {
            // None is above the limit of the first stretch. So a rank has room in 64 bits, and what it is made of beside it.
            self.each_stretch(|stretch, hashes| {
                for hash in hashes {
                    *hash = (*hash << stretch) & !STRETCH | stretch;
                }
            });
            let mut ranks = std::mem::take(&mut self.hashes);
            ranks.truncate(self.below);
            ranks.sort_unstable();
            self.choose(k, ranks.iter().map(|r| key(r >> (r & STRETCH))));
            self.hashes = ranks;
            if self.chosen.len() < k {
                return None;
            }
        }
        self.chosen.sort_unstable();
        Some(&self.chosen)
    }

    fn each_stretch(&mut self, mut f: impl FnMut(u64, &mut [u64])) {
        let mut from = 0;
        for (stretch, end) in (0..).zip(&self.ends) {
            f(stretch, self.hashes.get_mut(from..*end).unwrap_or_default());
            from = *end;
        }
    }

    fn choose(&mut self, k: usize, keys: impl Iterator<Item = ShingleKey>) {
        for key in keys {
            if self.chosen.len() == k {
                break;
            }
            // A sentence that repeats further on comes again with a higher rank.
            if !self.chosen.contains(&key) {
                self.chosen.push(key);
            }
        }
    }
}

/// The key of a shingle: its hash without the bits that a rank has no room for. Never negative.
const fn key(hash: u64) -> ShingleKey {
    ShingleKey((hash >> (STRETCH_BITS + 1)).cast_signed())
}

/// How many hashes of the first stretch count for as much as so many from the beginning of a text.
fn weight(hashes: usize) -> u64 {
    let (mut weight, mut left, mut length) = (0, hashes, FIRST_STRETCH);
    for stretch in 0..LAST_STRETCH {
        let here = left.min(length);
        weight += (here as u64) >> stretch;
        left -= here;
        length *= 2;
    }
    weight + (left as u64 >> LAST_STRETCH)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn given(mut choice: Choice, hashes: &[u64]) -> Choice {
        for (at, hash) in hashes.iter().enumerate() {
            if at == choice.stretch_ends() {
                choice.next_stretch();
            }
            choice.push(*hash);
        }
        choice
    }

    /// By the definition, with nothing left out and nothing shifted.
    fn expected(hashes: &[u64], k: usize) -> Vec<ShingleKey> {
        let mut ranked: Vec<(f64, f64, u64)> = Vec::new();
        for (at, hash) in hashes.iter().enumerate() {
            let stretch = (at as f64 / FIRST_STRETCH as f64 + 1.0).log2().floor();
            ranked.push((*hash as f64 * stretch.exp2(), stretch, *hash));
        }
        ranked.sort_by(|a, b| a.partial_cmp(b).unwrap());
        let mut chosen = Vec::new();
        for (.., hash) in ranked {
            let key = ShingleKey((hash / 32) as i64);
            if chosen.len() < k && !chosen.contains(&key) {
                chosen.push(key);
            }
        }
        chosen.sort_unstable();
        chosen
    }

    proptest! {
        #[test]
        fn those_of_the_lowest_rank_are_chosen(
            // As many bits as a float holds: the expectation is reckoned in floats.
            hashes in prop_oneof![
                prop::collection::vec(any::<u64>().prop_map(|h| h >> 12 << 12), 0..1_200),
                prop::collection::vec((0..40_u64).prop_map(|h| h << 5), 0..300),
                prop::collection::vec(((1_u64 << 52) - 300..1 << 52).prop_map(|h| h << 5), 0..300),
                prop::collection::vec(((1_u64 << 52) - 300..1 << 52).prop_map(|h| h << 12), 0..300),
            ],
            k in 1..30_usize,
        ) {
            let expected = expected(&hashes, k);
            let mut choice = given(Choice::default().of(hashes.len(), k), &hashes);
            if let Some(chosen) = choice.finish(k) {
                prop_assert_eq!(chosen, expected.as_slice());
            }
            let mut choice = given(choice.all(hashes.len()), &hashes);
            prop_assert_eq!(choice.finish(k), Some(expected.as_slice()));
        }
    }

    #[test]
    fn evenly_spread_hashes_are_given_once() {
        let hashes: Vec<u64> = (1..=2_000_u64)
            .map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15))
            .collect();
        for length in [1, 10, 40, 64, 65, 200, 500, 2_000] {
            let mut choice = given(Choice::default().of(length, 16), &hashes[..length]);
            assert!(choice.finish(16).is_some(), "{length}");
            assert!(choice.below <= 80, "{length}: {} were not left out", choice.below);
        }
    }

    #[test]
    fn every_stretch_has_its_share() {
        let hashes: Vec<u64> = (1..=960_u64)
            .map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15))
            .collect();
        let mut choice = given(Choice::default().of(hashes.len(), 64), &hashes);
        let chosen = choice.finish(64).unwrap();
        for (from, to) in [(0, 64), (64, 192), (192, 448), (448, 960)] {
            let here = hashes[from..to]
                .iter()
                .filter(|h| chosen.contains(&key(**h)))
                .count();
            assert!((10..=24).contains(&here), "{here} of 64 in words {from} to {to}");
        }
    }
}
