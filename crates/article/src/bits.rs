//! Many answers in few bits.

use wide::u8x16;

/// One bit for each byte, which is 0 or 1; the first one lowest.
#[inline]
pub fn gather_bits(ones: &[u8; 64]) -> u64 {
    let (sixteens, _) = ones.as_chunks();
    sixteens
        .iter()
        .rev()
        .fold(0, |all, sixteen| all << 16 | u64::from(gather_sixteen(sixteen)))
}

/// The same of sixteen bytes.
#[inline]
pub fn gather_sixteen(ones: &[u8; 16]) -> u32 {
    // What is gathered is the highest bit of each byte.
    (u8x16::ZERO - u8x16::new(*ones)).to_bitmask()
}

/// The first bytes, or all there are with `fill` behind them: what loops over whole blocks see of the last
/// one. `tail` is where that is made.
#[inline]
pub fn block_of<'b, const N: usize>(bytes: &'b [u8], fill: u8, tail: &'b mut Option<[u8; N]>) -> &'b [u8; N] {
    bytes.first_chunk().unwrap_or_else(|| {
        let all = tail.insert([fill; N]);
        if let Some(front) = all.get_mut(..bytes.len()) {
            front.copy_from_slice(bytes);
        }
        all
    })
}

/// One bit for each hash, by its lowest bits: hashes that are certainly not among those that were put in. For
/// hashes that are spread evenly, and far fewer than the 64 bits of each word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HashBits<const WORDS: usize>([u64; WORDS]);

impl<const WORDS: usize> Default for HashBits<WORDS> {
    fn default() -> Self {
        Self([0; WORDS])
    }
}

impl<const WORDS: usize> HashBits<WORDS> {
    const fn place(hash: u64) -> (usize, u64) {
        ((hash >> 6) as usize % WORDS, 1 << (hash & 63))
    }

    /// Puts a hash in.
    #[inline]
    pub const fn insert(&mut self, hash: u64) {
        let (word, bit) = Self::place(hash);
        self.0[word] |= bit;
    }

    /// Whether the hash may be one of them. Never wrong where it says no.
    #[inline]
    pub const fn may_have(&self, hash: u64) -> bool {
        let (word, bit) = Self::place(hash);
        self.0[word] & bit != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_there_is_said_not_to_be() {
        let mut few = HashBits::<16>::default();
        (0..20_u64).for_each(|n| few.insert(n * 0x9e37_79b9));
        assert!((0..20_u64).all(|n| few.may_have(n * 0x9e37_79b9)));
        let others = (0..10_000_u64).map(|n| n.wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 7);
        assert!(others.filter(|n| few.may_have(*n)).count() < 400);
    }

    #[test]
    fn the_last_block_is_filled() {
        assert_eq!(block_of(b"abcde", b'.', &mut None), b"abcd");
        assert_eq!(block_of(b"abcd", b'.', &mut None), b"abcd");
        assert_eq!(block_of(b"ab", b'.', &mut None), b"ab..");
        assert_eq!(block_of(b"", b' ', &mut None), b"    ");
    }

    #[test]
    fn every_byte_has_its_own_bit() {
        for at in 0..64 {
            let mut ones = [0; 64];
            ones[at] = 1;
            assert_eq!(gather_bits(&ones), 1 << at);
            let bits = ones.first_chunk().map(gather_sixteen);
            assert_eq!(bits, Some(if at < 16 { 1 << at } else { 0 }));
        }
        assert_eq!(gather_bits(&[1; 64]), u64::MAX);
    }
}
