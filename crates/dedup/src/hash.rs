//! The hashes. Fixed constants, no seed, no platform in them: the same text gives the same bits everywhere.

/// Odd constants without structure (fractional parts of √2, √3, √5, the golden ratio).
const K1: u64 = 0x6a09_e667_f3bc_c909;
const K2: u64 = 0xbb67_ae85_84ca_a73b;
const BASE: u64 = 0x3c6e_f372_fe94_f82b;
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// Running hash of one word, fed with eight folded bytes at a time (little endian, zeros at the end).
/// Distinct words of up to eight bytes have distinct hashes.
#[derive(Clone, Copy, Default)]
pub(crate) struct WordHash(u64);

impl WordHash {
    pub(crate) const fn push(self, eight: u64) -> Self {
        Self((self.0.rotate_left(29) ^ eight).wrapping_mul(K1))
    }

    pub(crate) const fn finish(self) -> u64 {
        (self.0 ^ (self.0 >> 32)).wrapping_mul(K2)
    }
}

/// Hash of a word as the bytes that the body hash is made of: little endian everywhere.
pub(crate) type Token = [u8; 8];

/// Hash of consecutive tokens: a polynomial, so that order counts, then [`finalise`].
pub(crate) fn shingle(tokens: &[Token]) -> u64 {
    finalise(
        tokens
            .iter()
            .fold(tokens.len() as u64, |h, t| pair(h, u64::from_le_bytes(*t))),
    )
}

/// [`shingle`] of four tokens in a row, one row after the other. Two products a shingle instead of four: neighbours share
/// theirs.
#[derive(Clone, Copy)]
pub(crate) struct RollingFour {
    /// What the first and the second pair of the next row come to.
    pairs: (u64, u64),
}

impl RollingFour {
    /// Before a row that begins with these three.
    pub(crate) const fn before([a, b, c]: [Token; 3]) -> Self {
        let [a, b, c] = [
            u64::from_le_bytes(a),
            u64::from_le_bytes(b),
            u64::from_le_bytes(c),
        ];
        Self {
            pairs: (pair(a, b), pair(b, c)),
        }
    }

    /// The shingle of the row that ends with these two; rows must follow one another.
    #[inline]
    pub(crate) const fn next(&mut self, c: Token, d: Token) -> u64 {
        const SQUARE: u64 = BASE.wrapping_mul(BASE);
        const FRONT: u64 = SQUARE.wrapping_mul(SQUARE).wrapping_mul(4);
        let third = pair(u64::from_le_bytes(c), u64::from_le_bytes(d));
        let (first, second) = self.pairs;
        self.pairs = (second, third);
        finalise(first.wrapping_mul(SQUARE).wrapping_add(FRONT).wrapping_add(third))
    }
}

const fn pair(a: u64, b: u64) -> u64 {
    a.wrapping_mul(BASE).wrapping_add(b)
}

/// The 32 bits of a hash that verification uses.
pub(crate) const fn short(hash: u64) -> u32 {
    (hash >> 32) as u32
}

/// The next state of a hash over a list of tokens of any length.
pub(crate) const fn chain(state: u64, token: u64) -> u64 {
    (state.rotate_left(23) ^ token).wrapping_mul(K1)
}

/// Spreads every bit of the input over every bit of the output (Stafford's variant 13 of Murmur3's
/// finaliser): the smallest hashes are a random sample only if the high bits are random.
pub(crate) const fn finalise(mut h: u64) -> u64 {
    h = h.wrapping_add(GOLDEN);
    h = (h ^ (h >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    h = (h ^ (h >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    h ^ (h >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn four_in_a_row_are_shingles(tokens in prop::collection::vec(any::<Token>(), 4..20)) {
            let mut rolling = RollingFour::before([tokens[0], tokens[1], tokens[2]]);
            for row in tokens.windows(4) {
                prop_assert_eq!(rolling.next(row[2], row[3]), shingle(row));
            }
        }
    }
}
