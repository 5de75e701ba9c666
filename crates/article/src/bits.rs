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

/// Which of many hashes are certainly not among a few: one bit of 1,024 for each of the few. For hashes that are spread
/// evenly.
#[derive(Debug, Clone, Default)]
pub struct FewHashes([u64; 16]);

impl FewHashes {
    const fn place(hash: u64) -> (usize, u64) {
        ((hash >> 6) as usize & 15, 1 << (hash & 63))
    }

    /// Whether the hash may be one of them. Never wrong where it says no.
    #[inline]
    pub const fn may_have(&self, hash: u64) -> bool {
        let (word, bit) = Self::place(hash);
        self.0[word] & bit != 0
    }
}

impl FromIterator<u64> for FewHashes {
    fn from_iter<I: IntoIterator<Item = u64>>(hashes: I) -> Self {
        let mut few = Self::default();
        for hash in hashes {
            let (word, bit) = Self::place(hash);
            few.0[word] |= bit;
        }
        few
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_there_is_said_not_to_be() {
        let few: FewHashes = (0..20_u64).map(|n| n * 0x9e37_79b9).collect();
        assert!((0..20_u64).all(|n| few.may_have(n * 0x9e37_79b9)));
        let others = (0..10_000_u64).map(|n| n.wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 7);
        assert!(others.filter(|n| few.may_have(*n)).count() < 400);
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
