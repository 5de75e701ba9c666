//! Sorting hashes. They are spread evenly, so where one belongs is known before it is compared with another.

/// Sorts packed hashes ascending: `hash << 8 | anything`, the hash 32 bits wide.
///
/// Counts by the highest bits into about as many buckets as there are numbers, then moves each one over the few that
/// are out of order. The result is that of any other sort. Numbers that are not spread evenly (somebody made them so)
/// go to the sort of the standard library, because that one has no bad case.
pub(crate) fn sort_hashes(numbers: &mut Vec<u64>, scratch: &mut Scratch) {
    /// Places that a number is moved by, on average, before somebody is thought to have made them so.
    const MOVES: usize = 8;
    let n = numbers.len();
    if n < 64 {
        numbers.sort_unstable();
        return;
    }
    let bits = usize::BITS - n.leading_zeros();
    let shift = 40_u32.saturating_sub(bits);
    let Scratch { counts, sorted } = scratch;
    counts.clear();
    counts.resize(1 << bits, 0_u32);
    // The mask is the length less one, and so the compiler knows that every bucket is there.
    let bucket = |number: u64, buckets: usize| (number >> shift) as usize & (buckets - 1);
    let counts = counts.as_mut_slice();
    for number in numbers.iter() {
        counts[bucket(*number, counts.len())] += 1;
    }
    let mut start = 0;
    for count in counts.iter_mut() {
        start += std::mem::replace(count, start);
    }
    // Whatever it held is written over.
    sorted.resize(n, 0);
    for number in numbers.iter() {
        let place = &mut counts[bucket(*number, counts.len())];
        sorted[*place as usize] = *number;
        *place += 1;
    }
    std::mem::swap(numbers, sorted);
    let mut moves = 0;
    let mut last = 0;
    for at in 0..n {
        let number = numbers[at];
        if number >= last {
            last = number;
            continue;
        }
        let mut to = at;
        while to > 0 && numbers[to - 1] > number {
            numbers[to] = numbers[to - 1];
            to -= 1;
        }
        numbers[to] = number;
        moves += at - to;
        if moves > MOVES * n {
            numbers.sort_unstable();
            return;
        }
    }
}

/// Memory that [`sort_hashes`] uses again.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    counts: Vec<u32>,
    sorted: Vec<u64>,
}

/// The smallest of many hashes, given one after the other.
///
/// Hashes are spread evenly, so that all but a few can be left out by one comparison. How many are left is known only
/// at the end: if they are fewer than were asked for, the hashes must be given again to a [`Smallest::of_all`].
#[derive(Debug, Default)]
pub(crate) struct Smallest {
    /// The first `below` are at most `limit`; beyond is room.
    hashes: Vec<u64>,
    below: usize,
    limit: u64,
}

impl Smallest {
    /// Begins anew, for the `k` smallest of `of` hashes.
    pub(crate) fn begin(&mut self, k: usize, of: usize) {
        // Of evenly spread hashes this limit leaves about 2 k.
        let share = u64::MAX / (of as u64).max(1);
        self.limit = share.saturating_mul(2 * k as u64);
        self.below = 0;
        self.hashes.resize(of, 0);
    }

    /// Begins anew and leaves out nothing.
    pub(crate) fn begin_with_all(&mut self, of: usize) {
        self.begin(0, of);
        self.limit = u64::MAX;
    }

    /// One hash. No more are taken than were announced.
    #[inline]
    pub(crate) fn push(&mut self, hash: u64) {
        // Written in any case and kept by counting: nothing to guess for the processor.
        if let Some(place) = self.hashes.get_mut(self.below) {
            *place = hash;
        }
        self.below += usize::from(hash <= self.limit);
    }

    /// The `k` smallest distinct ones, ascending; fewer if there are no more. `None`: too many were left out.
    pub(crate) fn finish(&mut self, k: usize) -> Option<&[u64]> {
        self.hashes.truncate(self.below);
        self.hashes.sort_unstable();
        self.hashes.dedup();
        if self.hashes.len() < k && self.limit != u64::MAX {
            return None;
        }
        self.hashes.truncate(k);
        Some(&self.hashes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn sorts_like_any_other(
            mut numbers in prop_oneof![
                prop::collection::vec(0..1_u64 << 40, 0..600),
                prop::collection::vec(0..1_u64 << 12, 0..300),
                prop::collection::vec((1_u64 << 39)..(1 << 39) + 1_000_000, 0..300),
            ],
        ) {
            let mut expected = numbers.clone();
            expected.sort_unstable();
            sort_hashes(&mut numbers, &mut Scratch::default());
            prop_assert_eq!(numbers, expected);
        }

        #[test]
        fn the_smallest_are_the_smallest(
            hashes in prop_oneof![
                prop::collection::vec(any::<u64>(), 0..600),
                prop::collection::vec(0..40_u64, 0..300),
                prop::collection::vec(u64::MAX - 200.., 0..300),
            ],
        ) {
            let mut expected = hashes.clone();
            expected.sort_unstable();
            expected.dedup();
            expected.truncate(24);
            let mut smallest = Smallest::default();
            smallest.begin(24, hashes.len());
            hashes.iter().for_each(|h| smallest.push(*h));
            if let Some(found) = smallest.finish(24) {
                prop_assert_eq!(found, expected.as_slice());
            }
            smallest.begin_with_all(hashes.len());
            hashes.iter().for_each(|h| smallest.push(*h));
            prop_assert_eq!(smallest.finish(24), Some(expected.as_slice()));
        }
    }
}
