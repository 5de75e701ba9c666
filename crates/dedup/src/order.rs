//! Sorting hashes. They are spread evenly, so where one belongs is known before it is compared with another.

/// Sorts packed hashes ascending: `hash << 8 | anything`, the hash 32 bits wide.
///
/// Counts by the highest bits into a few times as many buckets as there are numbers, then moves each one over the few that
/// are out of order. The result is that of any other sort. Numbers that are not spread evenly (somebody made them so)
/// go to the sort of the standard library, because that one has no bad case.
pub(crate) fn sort_hashes(numbers: &mut Vec<u64>, scratch: &mut Scratch) {
    const CROWD: u32 = 24;
    let n = numbers.len();
    if n < 64 {
        numbers.sort_unstable();
        return;
    }
    let bits = usize::BITS - n.leading_zeros() + 1;
    let shift = 40_u32.saturating_sub(bits);
    let bucket = |number: u64| ((number >> shift) as usize) & ((1 << bits) - 1);
    let Scratch { counts, sorted } = scratch;
    counts.clear();
    counts.resize(1 << bits, 0_u32);
    for number in numbers.iter() {
        counts[bucket(*number)] += 1;
    }
    let mut start = 0;
    let mut crowded = false;
    for count in counts.iter_mut() {
        crowded |= *count > CROWD;
        start += std::mem::replace(count, start);
    }
    if crowded {
        numbers.sort_unstable();
        return;
    }
    sorted.clear();
    sorted.resize(n, 0);
    for number in numbers.iter() {
        let place = &mut counts[bucket(*number)];
        sorted[*place as usize] = *number;
        *place += 1;
    }
    for at in 1..n {
        let number = sorted[at];
        let mut to = at;
        while to > 0 && sorted[to - 1] > number {
            sorted[to] = sorted[to - 1];
            to -= 1;
        }
        sorted[to] = number;
    }
    std::mem::swap(numbers, sorted);
}

/// Memory that [`sort_hashes`] uses again.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    counts: Vec<u32>,
    sorted: Vec<u64>,
}

/// The `k` smallest distinct hashes, ascending. Reorders `hashes`.
pub(crate) fn smallest(hashes: &mut Vec<u64>, k: usize) -> &[u64] {
    // Of evenly spread hashes this limit leaves about 2 k.
    let share = u64::MAX / (hashes.len() as u64).max(1);
    let limit = share.saturating_mul(2 * k as u64);
    if hashes.len() > 4 * k {
        let mut below = 0;
        for at in 0..hashes.len() {
            if hashes[at] < limit {
                hashes.swap(at, below);
                below += 1;
            }
        }
        let (few, _) = hashes.split_at_mut(below);
        few.sort_unstable();
        let distinct = few.chunk_by(|a, b| a == b).count();
        if distinct >= k {
            hashes.truncate(below);
            hashes.dedup();
            hashes.truncate(k);
            return hashes;
        }
    }
    hashes.sort_unstable();
    hashes.dedup();
    hashes.truncate(k);
    hashes
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
            mut hashes in prop_oneof![
                prop::collection::vec(any::<u64>(), 0..600),
                prop::collection::vec(0..40_u64, 0..300),
                prop::collection::vec(u64::MAX - 200.., 0..300),
            ],
        ) {
            let mut expected = hashes.clone();
            expected.sort_unstable();
            expected.dedup();
            expected.truncate(24);
            prop_assert_eq!(smallest(&mut hashes, 24), expected.as_slice());
        }
    }
}
