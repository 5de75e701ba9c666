//! Sorting hashes. They are spread evenly, so where one belongs is known before it is compared with another.

/// Sorts packed hashes ascending (`hash << 8 | anything`, the hash 32 bits wide) and leaves the first one of each hash.
///
/// Counts by the highest bits into about as many buckets as there are numbers, then moves each one over the few that
/// are out of order. The result is that of any other sort. Numbers that are not spread evenly (somebody made them so)
/// go to the sort of the standard library, because that one has no bad case.
pub(crate) fn sort_hashes(numbers: &mut Vec<u64>, scratch: &mut Scratch) {
    let spread = numbers.len() >= 64 && {
        into_buckets(numbers, scratch);
        std::mem::swap(numbers, &mut scratch.sorted);
        true
    };
    let sorted = if spread { insert(numbers) } else { Sorted::No };
    if sorted == Sorted::No {
        numbers.sort_unstable();
    }
    if sorted != Sorted::Distinct {
        numbers.dedup_by_key(|n| *n >> 8);
    }
}

/// Writes numbers to `scratch.sorted` in the order of their highest bits.
fn into_buckets(numbers: &[u64], scratch: &mut Scratch) {
    let Scratch { counts, sorted } = scratch;
    let bits = usize::BITS - numbers.len().leading_zeros();
    let shift = 40_u32.saturating_sub(bits);
    counts.clear();
    counts.resize(1 << bits, 0_u32);
    let counts = counts.as_mut_slice();
    // The mask is the length less one, and so the compiler knows that every bucket is there.
    let bucket = |number: u64, buckets: usize| (number >> shift) as usize & (buckets - 1);
    for number in numbers {
        counts[bucket(*number, counts.len())] += 1;
    }
    let mut start = 0;
    for count in counts.iter_mut() {
        start += std::mem::replace(count, start);
    }
    // Whatever it held is written over.
    sorted.resize(numbers.len(), 0);
    let sorted = sorted.as_mut_slice();
    for number in numbers {
        let place = &mut counts[bucket(*number, counts.len())];
        sorted[*place as usize] = *number;
        *place += 1;
    }
}

/// What became of numbers that were nearly in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sorted {
    /// They are in order, and every hash is there once.
    Distinct,
    /// They are in order.
    Yes,
    /// They were too far from it.
    No,
}

/// Moves each number over those before it that are larger.
fn insert(numbers: &mut [u64]) -> Sorted {
    /// Places that a number is moved by, on average, before somebody is thought to have made them so.
    const MOVES: usize = 8;
    let mut moves = 0;
    let mut sorted = Sorted::Distinct;
    // The largest number yet, and with the largest that has its hash, so that one comparison tells both.
    let (mut last, mut last_of_hash) = (0, 0);
    for at in 0..numbers.len() {
        let number = numbers[at];
        if number > last_of_hash {
            (last, last_of_hash) = (number, number | 0xff);
            continue;
        }
        if number >= last {
            last = number;
            sorted = Sorted::Yes;
            continue;
        }
        let mut to = at;
        while to > 0 && numbers[to - 1] > number {
            numbers[to] = numbers[to - 1];
            to -= 1;
        }
        numbers[to] = number;
        let alike = |other: Option<&u64>| other.is_some_and(|o| o >> 8 == number >> 8);
        if alike(numbers.get(to + 1)) || alike(numbers.get(to.wrapping_sub(1))) {
            sorted = Sorted::Yes;
        }
        moves += at - to;
        if moves > MOVES * numbers.len() {
            return Sorted::No;
        }
    }
    sorted
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
/// at the end: if they are fewer than were asked for, the hashes must be given again [with nothing left out](Self::all).
#[derive(Debug, Default)]
pub(crate) struct Smallest {
    /// The first `below` are at most `limit`; beyond is room.
    hashes: Vec<u64>,
    below: usize,
    limit: u64,
}

impl Smallest {
    /// Begins anew, for the `k` smallest of at most so many hashes.
    pub(crate) fn of(self, hashes: usize, k: usize) -> Self {
        // Of evenly spread hashes this limit leaves about 2 k.
        let share = u64::MAX / (hashes as u64).max(1);
        self.below(share.saturating_mul(2 * k as u64), hashes)
    }

    /// Begins anew, and leaves out none of at most so many hashes.
    pub(crate) fn all(self, hashes: usize) -> Self {
        self.below(u64::MAX, hashes)
    }

    fn below(mut self, limit: u64, room: usize) -> Self {
        self.hashes.resize(room, 0);
        Self {
            hashes: self.hashes,
            below: 0,
            limit,
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
                // The same few hashes again and again, in the order of their paragraphs or not.
                prop::collection::vec((0..300_u64, 0..4_u64).prop_map(|(h, p)| h << 31 | p), 0..600),
                prop::collection::vec(any::<u64>().prop_map(|n| n >> 24 & !0xfe), 0..600),
                prop::collection::vec(0..1_u64 << 12, 0..300),
                prop::collection::vec((1_u64 << 39)..(1 << 39) + 1_000_000, 0..300),
            ],
        ) {
            let mut expected = numbers.clone();
            expected.sort_unstable();
            expected.dedup_by_key(|n| *n >> 8);
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
            let mut smallest = Smallest::default().of(hashes.len(), 24);
            hashes.iter().for_each(|h| smallest.push(*h));
            if let Some(found) = smallest.finish(24) {
                prop_assert_eq!(found, expected.as_slice());
            }
            smallest = smallest.all(hashes.len());
            hashes.iter().for_each(|h| smallest.push(*h));
            prop_assert_eq!(smallest.finish(24), Some(expected.as_slice()));
        }
    }
}
