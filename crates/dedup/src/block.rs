//! Sixty-four bytes at a time: in lower case, and which of them belong to words.
//!
//! The loops decide nothing and have no way out before their end, so that the compiler makes them look at sixteen bytes
//! with one instruction. A test holds them against a look at each byte.

use copydesk_article::gather_bits;

use crate::fold::{CAPITAL, DENSE};

/// One bit for each of 64 bytes, the first one lowest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Classes {
    /// Letters, digits and everything beyond ASCII.
    pub(crate) words: u64,
    /// ASCII digits and capitals.
    pub(crate) odd: u64,
}

/// Bytes with their ASCII letters in lower case (and eight zeros after them), and the classes of the bytes as they were.
#[inline]
#[allow(
    clippy::needless_range_loop,
    reason = "over arrays of one length, this is what the compiler joins best"
)]
pub(crate) fn to_lower(bytes: &[u8; 64]) -> ([u8; 72], Classes) {
    let (mut low, mut words, mut odd) = ([0; 72], [0; 64], [0; 64]);
    for at in 0..64 {
        let byte = bytes[at];
        let digit = is_within(byte, b'0', b'9');
        let capital = is_within(byte, b'A', b'Z');
        low[at] = byte | capital << 5;
        words[at] = is_within(low[at], b'a', b'z') | digit | byte >> 7;
        odd[at] = capital | digit;
    }
    let classes = Classes {
        words: gather_bits(&words),
        odd: gather_bits(&odd),
    };
    (low, classes)
}

/// Whether there is a marker of folding.
pub(crate) fn has_marker(block: &[u8]) -> bool {
    const { assert!(CAPITAL == 1 && DENSE == 2) };
    block.iter().fold(0, |any, b| any | is_within(*b, 1, 2)) != 0
}

/// 1 or 0.
#[inline]
const fn is_within(byte: u8, from: u8, to: u8) -> u8 {
    (byte.wrapping_sub(from) <= to - from) as u8
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn many_bytes_are_seen_as_each_is(bytes in prop::array::uniform32(any::<[u8; 2]>())) {
            let block: [u8; 64] = bytes.as_flattened().try_into().unwrap();
            let bits = |is: fn(&u8) -> bool| (0..64).fold(0, |bits, at| bits | u64::from(is(&block[at])) << at);
            let expected = Classes {
                words: bits(|b| b.is_ascii_alphanumeric() || !b.is_ascii()),
                odd: bits(|b| b.is_ascii_digit() || b.is_ascii_uppercase()),
            };
            prop_assert_eq!(has_marker(&block), block.contains(&CAPITAL) || block.contains(&DENSE));
            let (low, classes) = to_lower(&block);
            prop_assert_eq!(classes, expected);
            prop_assert_eq!(&low[..64], block.to_ascii_lowercase());
            prop_assert_eq!(&low[64..], [0; 8]);
        }
    }
}
