//! Evidence: a fingerprint as it is stored, and read again to verify a later article.
//!
//! Layout, version 2 (all integers little endian, then one row of bits):
//! format (1 byte), recipe (2), body hash (16), words (4), sampling (1), highest paragraph number (1),
//! numbers of shingles (4), blocks (2), marks (4), title words (2); block hashes (8 each); bits: shingle hashes
//! in Rice code, their paragraphs in equal width; mark hashes, paragraphs, kinds; title words, and of each whether it is
//! a number or a date; the words of the lead, counted in 8 bits, in 16 each.
//! About 3.7 bytes per shingle, 1.3 KB for a mean news article.
//!
//! Version 1 ends with the title words. It is read as well: what it does not say is not known then.
//!
//! [`decode`] trusts nothing: it allocates no more than the bytes can hold and refuses what is out of order.

use std::borrow::Cow;

use copydesk_article::{
    BlockHash, BodyHash, Fingerprint, FingerprintVersion, MarkKind, ParagraphMark, ShingleAt,
};

use crate::bits::{BitReader, BitWriter};
use crate::fingerprint::LEAD_WORDS;

const FORMAT: u8 = 2;
/// The format before it, which is still read.
const FORMAT_BEFORE: u8 = 1;

/// A set with more shingles than this may be stored as a sample; shorter ones are never sampled (a template
/// of 80 shingles cannot be told from a copy by 20 of them).
pub const SAMPLE_ABOVE: usize = 128;

/// How the verification set is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sampling {
    /// All shingles.
    #[default]
    Full,
    /// A quarter of them where there are more than [`SAMPLE_ABOVE`]. Use it only together with the list of common
    /// shingles: without it precision falls (docs/near-copies.md has the figures).
    Quarter,
}

/// Bytes are no evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceError {
    /// The first byte names a layout that this program does not know.
    #[error("evidence of format {0} is unknown here: it was written by a newer program")]
    UnknownFormat(u8),
    /// The bytes end early, go on after the end or are out of order.
    #[error("the evidence is damaged: {0}")]
    Damaged(&'static str),
}

/// The stored form of a fingerprint. Keys are left out: they are in the key table.
///
/// What exceeds the counters is cut off: 65,535 blocks and title words.
pub fn encode(fingerprint: &Fingerprint, sampling: Sampling) -> Vec<u8> {
    let (shingles, rate) = sample(fingerprint, sampling);
    let blocks = fingerprint
        .blocks
        .get(..usize::from(u16::MAX))
        .unwrap_or(&fingerprint.blocks);
    let title = fingerprint
        .title_words
        .get(..usize::from(u16::MAX))
        .unwrap_or(&fingerprint.title_words);
    let marks = &fingerprint.marks;
    let top = shingles
        .iter()
        .map(|s| s.paragraph)
        .chain(marks.iter().map(|m| m.paragraph))
        .max()
        .unwrap_or(0);

    let mut bytes = Vec::with_capacity(64 + 4 * shingles.len() + 8 * blocks.len() + 6 * marks.len());
    bytes.push(FORMAT);
    bytes.extend_from_slice(&fingerprint.version.0.to_le_bytes());
    bytes.extend_from_slice(&fingerprint.body_hash.0.to_le_bytes());
    bytes.extend_from_slice(&fingerprint.word_count.to_le_bytes());
    bytes.push(rate);
    bytes.push(top);
    bytes.extend_from_slice(&(shingles.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&(blocks.len() as u16).to_le_bytes());
    bytes.extend_from_slice(&(marks.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&(title.len() as u16).to_le_bytes());
    for block in blocks {
        bytes.extend_from_slice(&block.0.to_le_bytes());
    }

    let mut bits = BitWriter::after(bytes);
    let width = paragraph_width(top);
    bits.push_ascending(shingles.iter().map(|s| s.hash), shingles.len());
    for shingle in shingles {
        bits.push(u32::from(shingle.paragraph), width);
    }
    // The same word may stand in several paragraphs: a bit says whether the hash is new.
    let distinct: Vec<u32> = marks
        .chunk_by(|a, b| a.hash == b.hash)
        .filter_map(|m| Some(m.first()?.hash))
        .collect();
    bits.push(distinct.len() as u32, 32);
    bits.push_ascending(distinct.iter().copied(), distinct.len());
    let mut last = None;
    for mark in marks {
        bits.push(u32::from(last != Some(mark.hash)), 1);
        bits.push(u32::from(mark.paragraph), width);
        bits.push(u32::from(mark.kind == MarkKind::Name), 1);
        last = Some(mark.hash);
    }
    bits.push_ascending(title.iter().copied(), title.len());
    for word in title {
        bits.push(u32::from(fingerprint.title_dates.contains(word)), 1);
    }
    let lead = fingerprint
        .lead_words
        .get(..LEAD_WORDS)
        .unwrap_or(&fingerprint.lead_words);
    bits.push(lead.len() as u32, 8);
    for word in lead {
        bits.push(u32::from(*word), 16);
    }
    bits.finish()
}

/// The shingles to store and their rate.
fn sample(fingerprint: &Fingerprint, sampling: Sampling) -> (&[ShingleAt], u8) {
    let all = fingerprint.shingles.as_slice();
    if sampling == Sampling::Full || all.len() <= SAMPLE_ABOVE || fingerprint.sampling >= 2 {
        return (all, fingerprint.sampling);
    }
    let kept = all
        .get(..all.partition_point(|s| s.hash < 1 << 30))
        .unwrap_or(all);
    (kept, 2)
}

/// What [`decode`] gives back for the [`encode`]d form, without the way over bytes.
pub(crate) fn stored(fingerprint: Cow<'_, Fingerprint>, sampling: Sampling) -> Fingerprint {
    let (shingles, rate) = sample(&fingerprint, sampling);
    let count = shingles.len();
    let mut stored = fingerprint.into_owned();
    stored.shingles.truncate(count);
    stored.sampling = rate;
    stored.keys.clear();
    stored
}

const fn paragraph_width(top: u8) -> u32 {
    u8::BITS - top.leading_zeros()
}

/// Reads a stored fingerprint. `keys` comes back empty.
///
/// # Errors
/// [`EvidenceError`] for anything that [`encode`] does not write. Never panics, and allocates at most
/// some 40 times the length of `bytes`.
pub fn decode(bytes: &[u8]) -> Result<Fingerprint, EvidenceError> {
    let mut head = Head(bytes);
    let [format] = head.take()?;
    if format != FORMAT && format != FORMAT_BEFORE {
        return Err(EvidenceError::UnknownFormat(format));
    }
    let version = FingerprintVersion(i16::from_le_bytes(head.take()?));
    let body_hash = BodyHash(u128::from_le_bytes(head.take()?));
    let word_count = u32::from_le_bytes(head.take()?);
    let [sampling, top] = head.take()?;
    let shingle_count = u32::from_le_bytes(head.take()?) as usize;
    let block_count = usize::from(u16::from_le_bytes(head.take()?));
    let mark_count = u32::from_le_bytes(head.take()?) as usize;
    let title_count = usize::from(u16::from_le_bytes(head.take()?));
    if sampling > 31 {
        return Err(EvidenceError::Damaged("its sampling rate is out of range"));
    }
    if block_count * 8 > head.0.len() {
        return Err(EvidenceError::Damaged("it ends within its blocks"));
    }
    let mut blocks = Vec::with_capacity(block_count);
    for _ in 0..block_count {
        blocks.push(BlockHash(i64::from_le_bytes(head.take()?)));
    }

    let mut bits = BitReader::new(head.0);
    // Each shingle takes a bit at least, each mark two: a count beyond that is a lie.
    if shingle_count > bits.left() || mark_count > bits.left() || title_count > bits.left() {
        return Err(EvidenceError::Damaged("it is shorter than its counters say"));
    }
    let mut shingles = Vec::with_capacity(shingle_count);
    bits.read_ascending(shingle_count, |hash| {
        shingles.push(ShingleAt { hash, paragraph: 0 });
    })
    .ok_or(EvidenceError::Damaged("its shingles are cut off"))?;
    let width = paragraph_width(top);
    for shingle in &mut shingles {
        shingle.paragraph = bits
            .read(width)
            .ok_or(EvidenceError::Damaged("its paragraphs are cut off"))? as u8;
    }
    let marks = read_marks(&mut bits, mark_count, width)?;
    let mut title_words = Vec::with_capacity(title_count);
    bits.read_ascending(title_count, |word| title_words.push(word))
        .ok_or(EvidenceError::Damaged("its title is cut off"))?;
    let (title_dates, lead_words) = if format == FORMAT_BEFORE {
        (Vec::new(), Vec::new())
    } else {
        read_lead(&mut bits, &title_words)?
    };
    if bits.left() >= 8 {
        return Err(EvidenceError::Damaged("it goes on after its end"));
    }
    Ok(Fingerprint {
        version,
        body_hash,
        keys: Vec::new(),
        shingles,
        sampling,
        blocks,
        marks,
        title_words,
        title_dates,
        lead_words,
        word_count,
    })
}

/// Which words of the title are numbers or dates, and the words of the lead.
fn read_lead(bits: &mut BitReader<'_>, title_words: &[u32]) -> Result<(Vec<u32>, Vec<u16>), EvidenceError> {
    const CUT: EvidenceError = EvidenceError::Damaged("its lead is cut off");
    let mut dates = Vec::new();
    for word in title_words {
        if bits.read(1).ok_or(CUT)? == 1 {
            dates.push(*word);
        }
    }
    let count = bits.read(8).ok_or(CUT)? as usize;
    if count > LEAD_WORDS {
        return Err(EvidenceError::Damaged("its lead is too long"));
    }
    let mut lead: Vec<u16> = Vec::with_capacity(count);
    for _ in 0..count {
        let word = bits.read(16).ok_or(CUT)? as u16;
        if lead.last().is_some_and(|last| *last >= word) {
            return Err(EvidenceError::Damaged("its lead is out of order"));
        }
        lead.push(word);
    }
    Ok((dates, lead))
}

fn read_marks(
    bits: &mut BitReader<'_>,
    count: usize,
    width: u32,
) -> Result<Vec<ParagraphMark>, EvidenceError> {
    const CUT: EvidenceError = EvidenceError::Damaged("its numbers and names are cut off");
    let distinct_count = bits.read(32).ok_or(CUT)? as usize;
    if distinct_count > count {
        return Err(EvidenceError::Damaged("its numbers and names are miscounted"));
    }
    let mut distinct = Vec::with_capacity(distinct_count);
    bits.read_ascending(distinct_count, |hash| distinct.push(hash))
        .ok_or(CUT)?;
    let mut hashes = distinct.into_iter();
    let mut hash = None;
    let mut marks: Vec<ParagraphMark> = Vec::with_capacity(count);
    for _ in 0..count {
        if bits.read(1).ok_or(CUT)? == 1 {
            hash = hashes.next();
        }
        let paragraph = bits.read(width).ok_or(CUT)? as u8;
        let kind = if bits.read(1).ok_or(CUT)? == 1 {
            MarkKind::Name
        } else {
            MarkKind::Number
        };
        let hash = hash.ok_or(EvidenceError::Damaged("its numbers and names are miscounted"))?;
        let mark = ParagraphMark {
            hash,
            paragraph,
            kind,
        };
        if marks.last().is_some_and(|last| *last >= mark) {
            return Err(EvidenceError::Damaged("its numbers and names are out of order"));
        }
        marks.push(mark);
    }
    Ok(marks)
}

/// The fields of fixed width at the front.
struct Head<'a>(&'a [u8]);

impl Head<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], EvidenceError> {
        let (taken, rest) = self
            .0
            .split_first_chunk::<N>()
            .ok_or(EvidenceError::Damaged("it ends within its head"))?;
        self.0 = rest;
        Ok(*taken)
    }
}
