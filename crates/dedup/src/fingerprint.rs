//! From text to a fingerprint.

use std::cell::RefCell;

use copydesk_article::{
    BlockHash, BodyHash, CleanArticle, Fingerprint, FingerprintVersion, MarkKind, ShingleAt, ShingleKey,
};
use xxhash_rust::xxh3::xxh3_128;

use crate::calendar;
use crate::hash::{self, RollingFour, short};
use crate::keys::Choice;
use crate::order;
use crate::tokens::{Reader, Tokens};

/// The recipe of this crate. Raise it with any change that alters a hash: folding, tokens, shingles, keys.
/// A test pins fingerprints of known texts, so the recipe cannot change unnoticed.
pub const FINGERPRINT_VERSION: FingerprintVersion = FingerprintVersion(3);

/// Words in a shingle.
pub const SHINGLE_WORDS: usize = 4;
/// Characters in a shingle that begins in a script without spaces.
pub const SHINGLE_CHARACTERS: usize = 5;
/// Shingle keys of an article, beside the one of its body hash.
pub const SHINGLE_KEYS: usize = 16;
/// A text with fewer distinct shingles has no shingle keys: it is found by its body hash alone.
pub const MIN_SHINGLES: usize = 8;
/// Words from the beginning of a text that [`Fingerprint::lead_words`] keeps.
pub const LEAD_WORDS: usize = 40;
/// Distinct shingles that are kept at most; longer texts (some 20 pages) keep a sample by hash.
pub const MAX_SHINGLES: usize = 16_384;

/// The fingerprint of an article's kept body and title.
///
/// Pure and without errors. Some 13 µs for a news article of 3 KB (figures: docs/near-copies.md).
pub fn fingerprint(article: &CleanArticle) -> Fingerprint {
    let title = article.metadata.title.as_ref().map(|t| t.value.as_str());
    fingerprint_parts(title, article.paragraphs())
}

/// [`fingerprint`] of a title and paragraphs, without an article.
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
    match Reader::default().read(text, &mut Tokens::default()) {
        0 => None,
        hash => Some(BlockHash(hash)),
    }
}

/// The distinct words of a title as in [`Fingerprint::title_words`].
pub fn title_words(title: &str) -> Vec<u32> {
    read_title(title, &mut Reader::default(), &mut Tokens::default()).0
}

/// The distinct words of a title, and those of them that are numbers or dates; both ascending.
fn read_title(title: &str, reader: &mut Reader, tokens: &mut Tokens) -> (Vec<u32>, Vec<u32>) {
    tokens.clear();
    reader.read(title, tokens);
    let mut words: Vec<u32> = tokens
        .hashes
        .iter()
        .map(|t| short(u64::from_le_bytes(*t)))
        .collect();
    words.sort_unstable();
    words.dedup();
    let mut dates: Vec<u32> = tokens
        .marks()
        .iter()
        .filter(|m| m.kind == MarkKind::Number)
        .map(|m| m.hash)
        .chain(words.iter().copied().filter(|w| calendar::names_a_date(*w)))
        .collect();
    dates.sort_unstable();
    dates.dedup();
    (words, dates)
}

/// The distinct words that a body begins with, ascending.
fn lead_words(tokens: &[hash::Token]) -> Vec<u16> {
    let mut words: Vec<u16> = tokens
        .iter()
        .take(LEAD_WORDS)
        .map(|t| (short(u64::from_le_bytes(*t)) >> 16) as u16)
        .collect();
    words.sort_unstable();
    words.dedup();
    words
}

/// Fingerprints one article after the other with the same buffers.
#[derive(Debug, Default)]
pub struct Fingerprinter {
    tokens: Tokens,
    title: Tokens,
    reader: Reader,
    /// Where the paragraphs end among the tokens.
    ends: Vec<usize>,
    choice: Choice,
    packed: Vec<u64>,
    scratch: order::Scratch,
}

impl Fingerprinter {
    /// The fingerprint of a title and paragraphs.
    pub fn fingerprint<'a>(
        &mut self,
        title: Option<&str>,
        paragraphs: impl IntoIterator<Item = &'a str>,
    ) -> Fingerprint {
        self.tokens.clear();
        self.ends.clear();
        let mut blocks = Vec::new();
        for text in paragraphs {
            self.tokens.paragraph = clamp(blocks.len());
            let block = self.reader.read(text, &mut self.tokens);
            blocks.push(BlockHash(block));
            self.ends.push(self.tokens.hashes.len());
        }
        let body_hash = BodyHash(xxh3_128(self.tokens.hashes.as_flattened()));
        let mut keys = self.keys(body_hash);
        let distinct = order::distinct(&mut self.packed, &mut self.scratch);
        let (title_words, title_dates) = title
            .map(|t| read_title(t, &mut self.reader, &mut self.title))
            .unwrap_or_default();
        let lead_words = lead_words(&self.tokens.hashes);
        if distinct.len() < MIN_SHINGLES {
            keys.truncate(1);
        }
        let (shingles, sampling) = sample(distinct);
        Fingerprint {
            version: FINGERPRINT_VERSION,
            body_hash,
            keys,
            shingles,
            sampling,
            blocks,
            marks: self.tokens.marks(),
            title_words,
            title_dates,
            lead_words,
            word_count: u32::try_from(self.tokens.hashes.len()).unwrap_or(u32::MAX),
        }
    }

    /// The shingles that [`crate::keys`] chooses and the key of the body, ascending.
    ///
    /// The body's key has the sign bit and shingle keys do not, so the two kinds never meet. Equal bodies
    /// always meet, also where one of 16 keys went to another owner.
    fn keys(&mut self, body_hash: BodyHash) -> Vec<ShingleKey> {
        if self.tokens.hashes.is_empty() {
            self.packed.clear();
            return Vec::new();
        }
        let mut keys = Vec::with_capacity(SHINGLE_KEYS + 1);
        keys.push(body_key(body_hash));
        let shingles = self.tokens.hashes.len();
        let mut choice = std::mem::take(&mut self.choice).of(shingles, SHINGLE_KEYS);
        choice = self.shingles(choice);
        if let Some(chosen) = choice.finish(SHINGLE_KEYS) {
            keys.extend_from_slice(chosen);
        } else {
            // A text that says the same over and over.
            choice = self.shingles(choice.all(shingles));
            keys.extend_from_slice(choice.finish(SHINGLE_KEYS).unwrap_or_default());
        }
        self.choice = choice;
        keys
    }

    /// Gives every shingle to `choice`, and its upper 32 bits above its paragraph to `packed`.
    ///
    /// A shingle begins at every token. It is four tokens long where that token is a word and five where it
    /// is a character of a script without spaces, whatever follows: text that mixes both needs no rule of
    /// its own. Shingles run over the ends of paragraphs (an extractor that joins or splits paragraphs
    /// changes nothing) and belong to the paragraph that they begin in.
    fn shingles(&mut self, mut choice: Choice) -> Choice {
        if self.tokens.dense.is_empty() {
            return self.word_shingles(choice);
        }
        self.packed.clear();
        let tokens = &self.tokens.hashes;
        let mut dense = self.tokens.dense.iter().copied().peekable();
        let mut from = 0;
        for (number, end) in self.ends.iter().enumerate() {
            let paragraph = clamp(number);
            for start in from..*end {
                if start == choice.stretch_ends() {
                    choice.next_stretch();
                }
                let wide = dense.next_if_eq(&start).is_some();
                let length = if wide { SHINGLE_CHARACTERS } else { SHINGLE_WORDS };
                let Some(window) = tokens.get(start..start + length) else {
                    continue;
                };
                let hash = hash::shingle(window);
                choice.push(hash);
                self.packed.push(order::pack(short(hash), paragraph));
            }
            from = *end;
        }
        choice
    }

    /// [`Self::shingles`] where all tokens are words: the same hashes, without a question at each.
    fn word_shingles(&mut self, mut choice: Choice) -> Choice {
        const { assert!(SHINGLE_WORDS == 4) };
        let tokens = self.tokens.hashes.as_slice();
        // The last three tokens of the text begin none. Whatever was there is written over.
        self.packed
            .resize(tokens.len().saturating_sub(SHINGLE_WORDS - 1), 0);
        let Some(three) = tokens.first_chunk() else {
            return choice;
        };
        let mut rolling = RollingFour::before(*three);
        let mut from = 0;
        for (number, end) in self.ends.iter().enumerate() {
            let end = self.packed.len().min(*end);
            let paragraph = clamp(number);
            while from < end {
                if from == choice.stretch_ends() {
                    choice.next_stretch();
                }
                let to = end.min(choice.stretch_ends());
                let rows = tokens.get(from..to + SHINGLE_WORDS - 1).unwrap_or_default();
                let places = self.packed.get_mut(from..to).unwrap_or_default();
                for ([.., c, d], place) in rows.array_windows::<SHINGLE_WORDS>().zip(places) {
                    let hash = rolling.next(*c, *d);
                    choice.push(hash);
                    *place = order::pack(short(hash), paragraph);
                }
                from = to;
            }
        }
        choice
    }
}

/// Shingles that are kept of many, and how they were sampled.
fn sample(mut set: Vec<ShingleAt>) -> (Vec<ShingleAt>, u8) {
    let mut sampling = 0;
    while set.len() > MAX_SHINGLES {
        sampling += 1;
        set.truncate(set.partition_point(|s| s.hash < 1 << (32 - sampling)));
    }
    (set, sampling)
}

/// The index key of a body hash.
pub fn body_key(body_hash: BodyHash) -> ShingleKey {
    ShingleKey((body_hash.0 as u64 | 1 << 63) as i64)
}

/// Paragraph numbers end at 255, which stands for all later ones.
fn clamp(paragraph: usize) -> u8 {
    u8::try_from(paragraph).unwrap_or(u8::MAX)
}
