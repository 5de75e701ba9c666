//! Sorting hashes. They are spread evenly, so where one belongs is known before it is compared with another.

use copydesk_article::ShingleAt;

/// A shingle in 40 bits, in an order that is that of its 32-bit hash, then of its paragraph.
pub(crate) const fn pack(hash: u32, paragraph: u8) -> u64 {
    (hash as u64) << 8 | paragraph as u64
}

const fn unpack(packed: u64) -> ShingleAt {
    ShingleAt {
        hash: (packed >> 8) as u32,
        paragraph: packed as u8,
    }
}

/// Distinct shingles, ascending, each with its first paragraph. Takes them [`pack`]ed, in the order of the text: paragraphs ascend.
///
/// Counts by the highest bits into about as many buckets as there are shingles, then moves each one over the few that
/// are out of order. The result is that of any other sort. Hashes that are not spread evenly (somebody made them so)
/// go to the sort of the standard library, because that one has no bad case.
pub(crate) fn distinct(packed: &mut Vec<u64>, scratch: &mut Scratch) -> Vec<ShingleAt> {
    let nearly = (packed.len() >= 64).then(|| into_buckets(packed, scratch));
    if let Some(sorted) = nearly.and_then(insert) {
        return sorted.iter().map(|p| unpack(*p)).collect();
    }
    packed.sort_unstable();
    packed.dedup_by_key(|p| *p >> 8);
    packed.iter().map(|p| unpack(*p)).collect()
}

/// Numbers in the order of their highest bits.
fn into_buckets<'a>(numbers: &[u64], scratch: &'a mut Scratch) -> &'a mut [u64] {
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
    sorted
}

/// Moves each number of a nearly sorted list over those that are larger and leaves the first one of each hash, which is
/// that of the first paragraph: into the buckets they came in the order of the text, and equal hashes, whose paragraphs ascend, never
/// change places. `None` if they are too far from being sorted.
///
/// Most numbers that are out of order are so by one place. The larger one of two neighbours is taken along to the next
/// place, and so these come in order without anything that the processor would have to guess.
fn insert(numbers: &mut [u64]) -> Option<&[u64]> {
    /// Places that a number is moved by, on average, before somebody is thought to have made the hashes.
    const MOVES: usize = 8;
    let (mut count, mut moves) = (0, 0);
    // The smallest number whose hash is larger than all before.
    let mut next = 0;
    let mut larger = *numbers.first()?;
    for at in 1..=numbers.len() {
        let here = numbers.get(at).copied().unwrap_or(u64::MAX);
        let number = larger.min(here);
        larger = larger.max(here);
        if number >= next {
            numbers[count] = number;
            count += 1;
            next = (number | 0xff) + 1;
            continue;
        }
        let mut to = count;
        while to > 0 && numbers[to - 1] > number {
            numbers[to] = numbers[to - 1];
            to -= 1;
        }
        numbers[to] = number;
        moves += count - to;
        count += 1;
        if to > 0 && numbers[to - 1] >> 8 == number >> 8 {
            numbers.copy_within(to + 1..count, to);
            count -= 1;
        }
        if moves > MOVES * numbers.len() {
            return None;
        }
    }
    numbers.get(..count)
}

/// Memory that [`distinct`] uses again.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    counts: Vec<u32>,
    sorted: Vec<u64>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn sorts_like_any_other(
            hashes in prop_oneof![
                prop::collection::vec(any::<u32>(), 0..600),
                prop::collection::vec(0..300_u32, 0..600),
                // The same hashes again and again, spread evenly.
                prop::collection::vec(any::<u32>().prop_map(|h| h & 0xff80_0000), 0..600),
                prop::collection::vec((1_u32 << 30)..(1 << 30) + 1_000_000, 0..300),
            ],
        ) {
            let mut packed: Vec<u64> = (0..).zip(&hashes).map(|(n, h)| pack(*h, (n / 40) as u8)).collect();
            let mut expected: Vec<ShingleAt> = packed.iter().map(|p| unpack(*p)).collect();
            expected.sort_by_key(|s| s.hash);
            expected.dedup_by_key(|s| s.hash);
            prop_assert_eq!(distinct(&mut packed, &mut Scratch::default()), expected);
        }
    }
}
