//! From text to a fingerprint.

use std::cell::RefCell;

use copydesk_article::{
    BlockHash, BodyHash, CleanArticle, Fingerprint, FingerprintVersion, MarkKind, ParagraphMark, ShingleAt,
    ShingleKey,
};
use xxhash_rust::xxh3::xxh3_128;

use crate::hash;
use crate::order;
use crate::tokens::{Reader, Sink, Trait};

/// The recipe of this crate. Raise it with any change that alters a hash: folding, tokens, shingles, keys.
/// A test pins fingerprints of known texts, so the recipe cannot change unnoticed.
pub const FINGERPRINT_VERSION: FingerprintVersion = FingerprintVersion(1);

/// Words in a shingle.
pub const SHINGLE_WORDS: usize = 4;
/// Characters in a shingle that begins in a script without spaces.
pub const SHINGLE_CHARACTERS: usize = 5;
/// Shingle keys of an article, beside the one of its body hash.
pub const SHINGLE_KEYS: usize = 24;
/// A text with fewer distinct shingles has no shingle keys: it is found by its body hash alone.
pub const MIN_SHINGLES: usize = 8;
/// Distinct shingles that are kept at most; longer texts (some 20 pages) keep a sample by hash.
pub const MAX_SHINGLES: usize = 16_384;

/// The fingerprint of an article's kept body and title.
///
/// Pure and without errors. Some 20 µs for a news article of 3 KB (figures: docs/near-copies.md).
pub fn fingerprint(article: &CleanArticle) -> Fingerprint {
    let title = article.metadata.title.as_ref().map(|t| t.value.as_str());
    fingerprint_parts(title, article.paragraphs())
}

/// [`fingerprint`] of a title and paragraphs that are at hand.
pub fn fingerprint_parts<'a>(
    title: Option<&str>,
    paragraphs: impl IntoIterator<Item = &'a str>,
) -> Fingerprint {
    thread_local! {
        static BUFFERS: RefCell<Fingerprinter> = RefCell::default();
    }
    // Nothing in here can come back to this function, except an iterator that itself fingerprints:
    // that one gets buffers of its own.
    BUFFERS.with(|buffers| match buffers.try_borrow_mut() {
        Ok(mut fingerprinter) => fingerprinter.fingerprint(title, paragraphs),
        Err(_) => Fingerprinter::default().fingerprint(title, paragraphs),
    })
}

/// Hash of one block on its own, as in [`Fingerprint::blocks`]. `None` if it is too short to be known.
pub fn block_hash(text: &str) -> Option<BlockHash> {
    struct Nothing;
    impl Sink for Nothing {
        fn token(&mut self, _: u64, _: bool) {}
        fn note(&mut self, _: u64, _: Trait) {}
    }
    match Reader::default().read(text, &mut Nothing) {
        0 => None,
        hash => Some(BlockHash(hash)),
    }
}

/// The distinct words of a title as in [`Fingerprint::title_words`].
pub fn title_words(title: &str) -> Vec<u32> {
    struct Words(Vec<u32>);
    impl Sink for Words {
        fn token(&mut self, hash: u64, _: bool) {
            self.0.push(short(hash));
        }
        fn note(&mut self, _: u64, _: Trait) {}
    }
    let mut words = Words(Vec::new());
    Reader::default().read(title, &mut words);
    words.0.sort_unstable();
    words.0.dedup();
    words.0
}

/// The 32 bits of a hash that verification uses.
const fn short(hash: u64) -> u32 {
    (hash >> 32) as u32
}

/// Fingerprints one article after the other with the same buffers.
#[derive(Debug, Default)]
pub struct Fingerprinter {
    tokens: Tokens,
    reader: Reader,
    bytes: Vec<u8>,
    hashes: Vec<u64>,
    packed: Vec<u64>,
    scratch: order::Scratch,
}

#[derive(Debug, Default)]
struct Tokens {
    hashes: Vec<u64>,
    /// Same length as `hashes` once a token is dense; empty while none is.
    dense: Vec<bool>,
    /// Numbers and names: hash, paragraph and kind in one number, so that its order is theirs.
    marks: Vec<u64>,
    paragraph: u8,
}

impl Sink for Tokens {
    #[inline]
    fn token(&mut self, hash: u64, dense: bool) {
        if dense || !self.dense.is_empty() {
            self.dense.resize(self.hashes.len(), false);
            self.dense.push(dense);
        }
        self.hashes.push(hash);
    }

    fn note(&mut self, hash: u64, what: Trait) {
        let kind = match what {
            Trait::Number => 0,
            Trait::Name => 1,
        };
        self.marks
            .push(u64::from(short(hash)) << 9 | u64::from(self.paragraph) << 1 | kind);
    }
}

impl Fingerprinter {
    /// The fingerprint of a title and paragraphs.
    pub fn fingerprint<'a>(
        &mut self,
        title: Option<&str>,
        paragraphs: impl IntoIterator<Item = &'a str>,
    ) -> Fingerprint {
        self.tokens.hashes.clear();
        self.tokens.dense.clear();
        self.tokens.marks.clear();
        let mut blocks = Vec::new();
        let mut ends = Vec::new();
        for text in paragraphs {
            self.tokens.paragraph = clamp(blocks.len());
            let block = self.reader.read(text, &mut self.tokens);
            blocks.push(BlockHash(block));
            ends.push(self.tokens.hashes.len());
        }
        self.shingles(&ends);
        let body_hash = self.body_hash();
        let (shingles, sampling) = self.verification_set();
        let marks = self.marks();
        Fingerprint {
            version: FINGERPRINT_VERSION,
            body_hash,
            keys: self.keys(body_hash),
            shingles,
            sampling,
            blocks,
            marks,
            title_words: title.map(title_words).unwrap_or_default(),
            word_count: u32::try_from(self.tokens.hashes.len()).unwrap_or(u32::MAX),
        }
    }

    /// Fills `hashes` with every shingle and `packed` with its upper 32 bits above its paragraph.
    ///
    /// A shingle begins at every token. It is four tokens long where that token is a word and five where it
    /// is a character of a script without spaces, whatever follows: text that mixes both needs no rule of
    /// its own. Shingles run over the ends of paragraphs (an extractor that joins or splits paragraphs
    /// changes nothing) and belong to the paragraph that they begin in.
    fn shingles(&mut self, ends: &[usize]) {
        self.hashes.clear();
        self.packed.clear();
        if self.tokens.dense.is_empty() {
            return self.word_shingles(ends);
        }
        let tokens = &self.tokens.hashes;
        let mut from = 0;
        for (number, end) in ends.iter().enumerate() {
            for start in from..*end {
                let wide = self.tokens.dense.get(start).copied().unwrap_or(false);
                let length = if wide { SHINGLE_CHARACTERS } else { SHINGLE_WORDS };
                let Some(window) = tokens.get(start..start + length) else {
                    break;
                };
                let hash = hash::shingle(window);
                self.hashes.push(hash);
                self.packed.push(pack(hash, number));
            }
            from = *end;
        }
    }

    /// [`Self::shingles`] where all tokens are words: the same hashes, without a question at each.
    fn word_shingles(&mut self, ends: &[usize]) {
        const { assert!(SHINGLE_WORDS == 4) };
        hash::shingles_of_four(&self.tokens.hashes, &mut self.hashes);
        let mut from = 0;
        for (number, end) in ends.iter().enumerate() {
            let to = (*end).min(self.hashes.len());
            let of_paragraph = self.hashes.get(from..to).unwrap_or_default();
            self.packed
                .extend(of_paragraph.iter().map(|hash| pack(*hash, number)));
            from = to;
        }
    }

    fn marks(&mut self) -> Vec<ParagraphMark> {
        self.tokens.marks.sort_unstable();
        self.tokens.marks.dedup();
        self.tokens
            .marks
            .iter()
            .map(|m| ParagraphMark {
                hash: (m >> 9) as u32,
                paragraph: (m >> 1) as u8,
                kind: if m & 1 == 0 {
                    MarkKind::Number
                } else {
                    MarkKind::Name
                },
            })
            .collect()
    }

    fn body_hash(&mut self) -> BodyHash {
        self.bytes.clear();
        for token in &self.tokens.hashes {
            self.bytes.extend_from_slice(&token.to_le_bytes());
        }
        BodyHash(xxh3_128(&self.bytes))
    }

    /// Distinct shingles, ascending, each with its first paragraph; and how they were sampled.
    fn verification_set(&mut self) -> (Vec<ShingleAt>, u8) {
        order::sort_hashes(&mut self.packed, &mut self.scratch);
        self.packed.dedup_by_key(|p| *p >> 8);
        let mut set: Vec<ShingleAt> = self
            .packed
            .iter()
            .map(|p| ShingleAt {
                hash: (p >> 8) as u32,
                paragraph: *p as u8,
            })
            .collect();
        let mut sampling = 0;
        while set.len() > MAX_SHINGLES {
            sampling += 1;
            set.truncate(set.partition_point(|s| s.hash < 1 << (32 - sampling)));
        }
        (set, sampling)
    }

    /// The smallest shingle hashes and the key of the body.
    ///
    /// The body's key has the sign bit and shingle keys do not, so the two kinds never meet. Equal bodies
    /// always meet, also where one of 24 keys went to another owner.
    fn keys(&mut self, body_hash: BodyHash) -> Vec<ShingleKey> {
        if self.tokens.hashes.is_empty() {
            return Vec::new();
        }
        let mut keys = Vec::with_capacity(SHINGLE_KEYS + 1);
        keys.push(body_key(body_hash));
        if self.packed.len() >= MIN_SHINGLES {
            keys.extend(
                order::smallest(&mut self.hashes, SHINGLE_KEYS)
                    .iter()
                    .map(|h| ShingleKey((h >> 1) as i64)),
            );
        }
        keys
    }
}

/// The index key of a body hash.
pub fn body_key(body_hash: BodyHash) -> ShingleKey {
    ShingleKey((body_hash.0 as u64 | 1 << 63) as i64)
}

/// A shingle for the verification set, in an order that is that of its [`short`] hash, then of its paragraph.
fn pack(hash: u64, paragraph: usize) -> u64 {
    u64::from(short(hash)) << 8 | u64::from(clamp(paragraph))
}

/// Paragraph numbers end at 255, which stands for all later ones.
fn clamp(paragraph: usize) -> u8 {
    u8::try_from(paragraph).unwrap_or(u8::MAX)
}
