//! A Bloom filter of a window's keys: a key that is not in the [`KeyFilter`] is certainly absent.

use futures_util::TryStreamExt as _;
use sqlx::PgConnection;

use crate::error::{Context as _, StoreError};
use crate::rows::fetch_one;

use super::window::{HASH_BITS, HASH_MASK, Window};

pub(super) const READING: &str = "cannot read the keys of a window";

/// Bits of a filter for each key: one in 150 absent keys is taken for present.
const BITS_A_KEY: usize = 12;

/// Rows of `near_key` on a page of its table, at the most: 8,168 bytes, 44 a row.
const ROWS_A_PAGE: usize = 185;

/// How many keys a window can have in its pages. `None`: it has no partition of its own.
pub(super) async fn keys_at_most(
    connection: &mut PgConnection,
    window: Window,
) -> Result<Option<usize>, StoreError> {
    let pages: Option<i64> = fetch_one!(connection, READING;
        "SELECT pg_relation_size(to_regclass('near_key_w' || lpad($1::text, 4, '0'))) / 8192", window.0
    )?;
    Ok(pages.map(|pages| {
        usize::try_from(pages)
            .unwrap_or(usize::MAX)
            .saturating_mul(ROWS_A_PAGE)
    }))
}

/// A set of keys of one window that may have others in it as well: a split block Bloom filter (Putze, Sanders, Singler, "Cache-, hash-
/// and space-efficient Bloom filters", 2007; the shape is that of Apache Parquet). One block of 32 bytes a key is looked at, and
/// ascending keys are in ascending blocks.
#[derive(Debug)]
pub(super) struct KeyFilter {
    blocks: Vec<[u32; 8]>,
}

impl KeyFilter {
    pub(super) fn new(keys: usize) -> Self {
        Self {
            blocks: vec![[0; 8]; Self::bytes_for(keys) / 32],
        }
    }

    /// The keys that a window has, and room for `keys` of them.
    pub(super) async fn of_window(
        connection: &mut PgConnection,
        window: Window,
        keys: usize,
    ) -> Result<Self, StoreError> {
        let mut filter = Self::new(keys);
        let (first, last) = window.borders();
        let mut rows = sqlx::query_scalar::<_, i64>("SELECT key FROM near_key WHERE key BETWEEN $1 AND $2")
            .bind(first)
            .bind(last)
            .fetch(connection);
        while let Some(key) = rows.try_next().await.context(READING)? {
            filter.add(key);
        }
        Ok(filter)
    }

    pub(super) fn bytes_for(keys: usize) -> usize {
        keys.saturating_mul(BITS_A_KEY)
            .div_ceil(256)
            .max(1)
            .saturating_mul(32)
    }

    pub(super) fn bytes(&self) -> usize {
        self.blocks.len() * 32
    }

    pub(super) fn add(&mut self, key: i64) {
        let at = self.block(key);
        if let Some(block) = self.blocks.get_mut(at) {
            for (word, bit) in block.iter_mut().zip(bits(key)) {
                *word |= bit;
            }
        }
    }

    pub(super) fn may_have(&self, key: i64) -> bool {
        self.blocks
            .get(self.block(key))
            .is_none_or(|block| block.iter().zip(bits(key)).all(|(word, bit)| word & bit != 0))
    }

    /// The hash in a key is spread evenly, so its upper bits say where.
    fn block(&self, key: i64) -> usize {
        let hash = (key & HASH_MASK).unsigned_abs();
        ((u128::from(hash) * self.blocks.len() as u128) >> HASH_BITS) as usize
    }
}

/// One bit in each word of a key's block.
fn bits(key: i64) -> [u32; 8] {
    // Odd numbers, drawn once.
    const SALTS: [u32; 8] = [
        0x7984_a8ab,
        0x71e2_73a9,
        0x081c_5253,
        0x9fb9_3535,
        0xabd2_d9f3,
        0xf93f_e42f,
        0x14be_09ab,
        0xdb14_9e47,
    ];
    let lower = ((key & HASH_MASK)
        .unsigned_abs()
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        >> 32) as u32;
    SALTS.map(|salt| 1 << (lower.wrapping_mul(salt) >> 27))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Keys as they come: the hash spread evenly over 50 bits.
    pub(in crate::keys) fn key(window: i32, n: u64) -> i64 {
        let hash =
            n.wrapping_mul(0xd6e8_feb8_6659_fd93) ^ n.rotate_left(32).wrapping_mul(0xa076_1d64_78bd_642f);
        i64::from(window) << HASH_BITS | (hash >> 14).cast_signed()
    }

    #[test]
    fn a_filter_has_every_key_and_few_others() {
        for count in [1, 1_000, 200_000] {
            let mut filter = KeyFilter::new(count);
            (0..count as u64).for_each(|n| filter.add(key(7, n)));
            assert!((0..count as u64).all(|n| filter.may_have(key(7, n))), "{count}");
            let others = (1 << 40..(1_u64 << 40) + 100_000).filter(|n| filter.may_have(key(7, *n)));
            let share = others.count() as f64 / 100_000.0;
            assert!(share < 0.012, "{count}: {share}");
        }
        assert_eq!(KeyFilter::bytes_for(16_000_000) / 1_000_000, 24);
    }
}
