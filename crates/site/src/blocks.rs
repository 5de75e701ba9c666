//! The blocks of an article as hashes: what the site's later articles are held against.

use copydesk_article::{Block, CleanArticle};

use crate::key::{BlockKey, BlockKeys};
use crate::params::SITE_MEMORY;

/// Blocks that are kept of one article at most: all kept ones first, then the removed ones nearest to them.
pub const MOST_BLOCKS: usize = 300;

/// The version of the stored form, and of [`crate::block_key`]. Blocks of another version are not read.
const FORMAT: u8 = 1;

/// Where a block stands and whether it was kept by the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Zone {
    /// Removed by a rule, before the first paragraph that stayed.
    Head,
    /// Kept by the rules. Site memory may have taken it out afterwards.
    Kept,
    /// Removed by a rule, between paragraphs that stayed.
    Within,
    /// Removed by a rule, after the last paragraph that stayed.
    Tail,
}

impl Zone {
    /// Every zone, in the order of a page.
    pub const ALL: [Self; 4] = [Self::Head, Self::Kept, Self::Within, Self::Tail];

    /// The name that people see.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Kept => "kept",
            Self::Within => "within",
            Self::Tail => "tail",
        }
    }
}

/// The blocks of one article by zone, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageBlocks {
    /// Ascending and distinct, by [`Zone`].
    zones: [Vec<BlockKey>; 4],
}

/// Stored blocks cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BlocksError {
    /// Another version of copydesk wrote them.
    #[error("the stored blocks have the unknown format {0}")]
    UnknownFormat(u8),
    /// They were cut or altered.
    #[error("the stored blocks are damaged")]
    Damaged,
}

/// Whether the rules left the block. What site memory took out counts as kept.
pub(crate) fn stays(block: &Block) -> bool {
    block.removed.as_ref().is_none_or(|r| r.rule == SITE_MEMORY)
}

impl PageBlocks {
    /// The blocks of an article as the rules left it: what site memory took out counts as kept, so that the hashes
    /// depend on the article alone.
    pub fn of(article: &CleanArticle) -> Self {
        Self::of_keys(article, &BlockKeys::of(article))
    }

    /// The same, with the keys of its blocks computed already.
    pub fn of_keys(article: &CleanArticle, keys: &BlockKeys) -> Self {
        let paragraph = |b: &Block| stays(b) && b.kind.is_body();
        let count = article.blocks.len();
        let first = article.blocks.iter().position(paragraph).unwrap_or(count);
        let last = article.blocks.iter().rposition(paragraph).unwrap_or(0);
        let mut found: Vec<(usize, Zone, BlockKey)> = Vec::with_capacity(count.min(MOST_BLOCKS));
        for (position, block) in article.blocks.iter().enumerate() {
            let Some((key, _)) = keys.get(position) else {
                continue;
            };
            // How far from the article: what is far away is the least likely to be taken for it.
            let (distance, zone) = match (stays(block), position) {
                (true, _) => (0, Zone::Kept),
                (false, p) if p < first => (first - p, Zone::Head),
                (false, p) if p > last => (p - last, Zone::Tail),
                _ => (0, Zone::Within),
            };
            found.push((distance, zone, key));
        }
        if found.len() > MOST_BLOCKS {
            found.sort_by_key(|(distance, ..)| *distance);
            found.truncate(MOST_BLOCKS);
        }
        let mut blocks = Self::default();
        for (_, zone, key) in found {
            blocks.zone_mut(zone).push(key);
        }
        for zone in &mut blocks.zones {
            zone.sort_unstable();
            zone.dedup();
        }
        blocks
    }

    fn zone_mut(&mut self, zone: Zone) -> &mut Vec<BlockKey> {
        let [head, kept, within, tail] = &mut self.zones;
        match zone {
            Zone::Head => head,
            Zone::Kept => kept,
            Zone::Within => within,
            Zone::Tail => tail,
        }
    }

    /// The blocks of a zone, ascending.
    pub fn zone(&self, zone: Zone) -> &[BlockKey] {
        let [head, kept, within, tail] = &self.zones;
        match zone {
            Zone::Head => head,
            Zone::Kept => kept,
            Zone::Within => within,
            Zone::Tail => tail,
        }
    }

    /// Its blocks, in every zone.
    pub(crate) const fn zones(&self) -> &[Vec<BlockKey>; 4] {
        &self.zones
    }

    /// Bytes of memory that its blocks take.
    pub fn bytes(&self) -> usize {
        self.zones.iter().map(|z| size_of_val(z.as_slice())).sum()
    }

    /// Whether the block is there, and where. A kept one first.
    pub fn find(&self, key: BlockKey) -> Option<Zone> {
        [Zone::Kept, Zone::Tail, Zone::Within, Zone::Head]
            .into_iter()
            .find(|zone| self.zone(*zone).binary_search(&key).is_ok())
    }

    /// The stored form: a version byte, four counts of two bytes, four bytes a block, little endian.
    pub fn encode(&self) -> Vec<u8> {
        let count: usize = self.zones.iter().map(Vec::len).sum();
        let mut bytes = Vec::with_capacity(9 + 4 * count);
        bytes.push(FORMAT);
        for zone in &self.zones {
            // MOST_BLOCKS holds it far below.
            bytes.extend(u16::try_from(zone.len()).unwrap_or(u16::MAX).to_le_bytes());
        }
        for key in self.zones.iter().flatten() {
            bytes.extend(key.0.to_le_bytes());
        }
        bytes
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// Anything that [`Self::encode`] does not write. Never panics, and allocates no more than `bytes`.
    pub fn decode(bytes: &[u8]) -> Result<Self, BlocksError> {
        let (format, rest) = bytes.split_first().ok_or(BlocksError::Damaged)?;
        if *format != FORMAT {
            return Err(BlocksError::UnknownFormat(*format));
        }
        let (counts, rest) = rest.split_at_checked(8).ok_or(BlocksError::Damaged)?;
        let (keys, odd) = rest.as_chunks::<4>();
        let counts = counts.as_chunks::<2>().0;
        let total: usize = counts.iter().map(|c| usize::from(u16::from_le_bytes(*c))).sum();
        if total != keys.len() || !odd.is_empty() {
            return Err(BlocksError::Damaged);
        }
        let mut keys = keys.iter().map(|k| BlockKey(u32::from_le_bytes(*k)));
        let mut blocks = Self::default();
        for (zone, count) in blocks.zones.iter_mut().zip(counts) {
            zone.extend(keys.by_ref().take(usize::from(u16::from_le_bytes(*count))));
            if !zone.is_sorted_by(|a, b| a < b) {
                return Err(BlocksError::Damaged);
            }
        }
        Ok(blocks)
    }
}

#[cfg(test)]
mod tests {
    use copydesk_article::{Block, BlockKind, Metadata, RuleId};
    use proptest::prelude::*;

    use super::*;
    use crate::block_key;

    fn article(blocks: Vec<Block>) -> CleanArticle {
        CleanArticle {
            metadata: Metadata::default(),
            blocks,
            warnings: Vec::new(),
            rules_version: "1".into(),
        }
    }

    fn removed(text: impl Into<String>, rule: RuleId) -> Block {
        Block::removed(BlockKind::Boilerplate, text, rule, None)
    }

    #[test]
    fn every_block_is_there_with_its_zone_and_survives_the_way_through_bytes() {
        let menu = RuleId::of("outside-window");
        let blocks = PageBlocks::of(&article(vec![
            removed("Home News Sport", menu.clone()),
            Block::kept(BlockKind::Body, "The ferry sailed again on Tuesday."),
            removed("Story continues below", menu.clone()),
            Block::removed(BlockKind::Body, "Join our Velmora letter", SITE_MEMORY, None),
            Block::kept(BlockKind::Body, "Forty people were on board."),
            removed("About this paper", menu),
        ]));
        let zone = |text: &str| blocks.find(block_key(text).unwrap());
        assert_eq!(zone("Home News Sport"), Some(Zone::Head));
        assert_eq!(zone("Story continues below"), Some(Zone::Within));
        assert_eq!(
            zone("Join our Velmora letter"),
            Some(Zone::Kept),
            "as the rules left it"
        );
        assert_eq!(zone("About this paper"), Some(Zone::Tail));
        assert_eq!(zone("Something else"), None);
        assert_eq!(PageBlocks::decode(&blocks.encode()), Ok(blocks));
    }

    #[test]
    fn of_a_huge_page_the_blocks_near_the_article_stay() {
        let menu = RuleId::of("outside-window");
        let word = |n: usize| {
            format!(
                "menu entry {}",
                "abcdefghijklmnopqrst"
                    .get(..1 + n % 20)
                    .unwrap()
                    .repeat(1 + n / 20)
            )
        };
        let mut blocks: Vec<Block> = (0..2_000).map(|n| removed(word(n), menu.clone())).collect();
        blocks.push(Block::kept(BlockKind::Body, "The ferry sailed again on Tuesday."));
        let found = PageBlocks::of(&article(blocks));
        assert_eq!(found.zone(Zone::Kept).len(), 1);
        assert!(found.zone(Zone::Head).len() < MOST_BLOCKS);
        assert!(found.find(block_key(&word(1_999)).unwrap()).is_some());
        assert!(found.find(block_key(&word(0)).unwrap()).is_none());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(blocks) = PageBlocks::decode(&bytes) {
                prop_assert_eq!(blocks.encode(), bytes);
            }
        }
    }
}
