//! Sixty-four answers in one number: what loops that the compiler vectorises hand over.

/// One bit for each byte, which is 0 or 1; the first one lowest.
#[inline]
pub fn gather_bits(ones: &[u8; 64]) -> u64 {
    let (eights, _) = ones.as_chunks::<8>();
    // The product has the sum of eight bits, each at a place of its own, in its top byte.
    let bits = |eight: &[u8; 8]| u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
    eights.iter().rev().fold(0, |all, eight| all << 8 | bits(eight))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_its_own_bit() {
        for at in 0..64 {
            let mut ones = [0; 64];
            ones[at] = 1;
            assert_eq!(gather_bits(&ones), 1 << at);
        }
        assert_eq!(gather_bits(&[1; 64]), u64::MAX);
    }
}
