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

#[cfg(test)]
mod tests {
    use super::*;

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
