//! Sixty-four answers in one number: what loops that the compiler vectorises hand over.

use wide::u8x16;

/// One bit for each byte, which is 0 or 1; the first one lowest.
#[inline]
pub fn gather_bits(ones: &[u8; 64]) -> u64 {
    let (sixteens, _) = ones.as_chunks::<16>();
    // What is gathered is the highest bit of each byte.
    let bits = |sixteen: &[u8; 16]| u64::from((u8x16::ZERO - u8x16::new(*sixteen)).to_bitmask());
    sixteens
        .iter()
        .rev()
        .fold(0, |all, sixteen| all << 16 | bits(sixteen))
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
