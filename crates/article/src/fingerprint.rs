//! Hashes of a text that find and verify near-copies. Made in `copydesk-dedup`.

/// Which recipe made a fingerprint. Two versions never see each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FingerprintVersion(pub i16);

/// 128-bit hash of the normalised body: equal texts, whatever their quotes, case and spacing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BodyHash(pub u128);

/// One index key. The 64 bits of a shingle hash, as Postgres' int8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShingleKey(pub i64);

/// 64-bit hash of one block (paragraph), digits folded to 0: what a site repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockHash(pub i64);

/// One shingle of the verification set and the paragraph that it starts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShingleAt {
    /// 32 bits of the shingle's hash.
    pub hash: u32,
    /// Paragraph number from 0; 255 stands for all later ones.
    pub paragraph: u8,
}

/// A number or a name within a paragraph: two texts that share the words but not these are a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ParagraphMark {
    /// 32-bit hash of the folded token.
    pub hash: u32,
    /// Paragraph number from 0; 255 stands for all later ones.
    pub paragraph: u8,
    /// What it is.
    pub kind: MarkKind,
}

/// The kind of a [`ParagraphMark`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MarkKind {
    /// A token with digits.
    Number,
    /// A capitalised word that does not open a sentence.
    Name,
}

/// Everything that finding and verifying near-copies needs: a pure function of the text and a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    /// The recipe.
    pub version: FingerprintVersion,
    /// Exact hash of the normalised body.
    pub body_hash: BodyHash,
    /// Index keys, ascending, distinct: the smallest shingle hashes of the unfiltered text and a key
    /// made of `body_hash`. Never empty for a text with a word in it; empty when read back from stored
    /// evidence, because keys live in the key table.
    pub keys: Vec<ShingleKey>,
    /// Distinct shingles sorted by hash, each with the first paragraph that has it.
    pub shingles: Vec<ShingleAt>,
    /// How `shingles` was sampled: only hashes below 2^(32 - sampling) are in it. 0: all of them.
    pub sampling: u8,
    /// Hash of each paragraph, in order (`blocks[i]` belongs to paragraph `i`). 0 for a paragraph that is
    /// too short to be known by its hash.
    pub blocks: Vec<BlockHash>,
    /// Numbers and names, sorted, distinct.
    pub marks: Vec<ParagraphMark>,
    /// 32-bit hashes of the distinct folded words of the title, sorted.
    pub title_words: Vec<u32>,
    /// Those of `title_words` that have a digit or name a month or a weekday, sorted. Empty as well where it is not
    /// known: evidence of format 1 has none.
    pub title_dates: Vec<u32>,
    /// 16-bit hashes of the distinct words that the body begins with, sorted. Empty: not known (evidence of format 1),
    /// or no text.
    pub lead_words: Vec<u16>,
    /// Words of the normalised body.
    pub word_count: u32,
}

/// Jaccard similarity of two ascending sets of words; 0 if one is empty.
pub fn jaccard_of_words(a: &[u32], b: &[u32]) -> f64 {
    let (mut i, mut j, mut shared) = (0, 0, 0_usize);
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        shared += usize::from(x == y);
        i += usize::from(x <= y);
        j += usize::from(y <= x);
    }
    let union = a.len() + b.len() - shared;
    if union == 0 {
        0.0
    } else {
        shared as f64 / union as f64
    }
}
