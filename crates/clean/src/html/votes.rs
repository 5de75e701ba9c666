//! Which blocks the page itself holds for the article: those in the `articleBody` that it states. Blocks are
//! found again by their letters.

use copydesk_article::{BlockKind, RuleId};

use super::page::PageBlock;

const NOT_STATED: RuleId = RuleId::of("not-in-stated-body");

/// The stated body is believed where it holds this share of the words that were kept.
const AGREE: f64 = 0.75;

/// Compares what was kept with the text that the page itself states to be the article (JSON-LD
/// `articleBody`): where the two mostly agree, paragraphs that only one of them has follow the statement.
pub(crate) fn follow_stated(blocks: &mut [PageBlock], stated: &str) {
    let voter = Voter::new(stated);
    if voter.squeezed.len() < 300 || blocks.len() > MOST_BLOCKS {
        return;
    }
    let shares: Vec<f32> = blocks
        .iter()
        .map(|b| {
            if b.draft.words >= 4 {
                voter.share(&b.draft.text)
            } else {
                1.0
            }
        })
        .collect();
    let (mut kept, mut both) = (0_u32, 0_u32);
    for (block, share) in blocks.iter().zip(&shares) {
        let d = &block.draft;
        if d.is_kept() && d.kind.is_body() && d.is_prose() {
            let words = u32::try_from(d.words).unwrap_or(0);
            kept += words;
            both += if *share >= 0.5 { words } else { 0 };
        }
    }
    if kept == 0 || f64::from(both) < AGREE * f64::from(kept) {
        return;
    }
    // What stands before the first paragraph that both have is the lead, which statements leave out.
    let first = blocks
        .iter()
        .zip(&shares)
        .position(|(b, share)| b.draft.is_kept() && b.draft.is_prose() && *share >= 0.5)
        .unwrap_or(0);
    for (block, share) in blocks.iter_mut().zip(&shares).skip(first) {
        let d = &mut block.draft;
        if d.is_kept() {
            if matches!(d.kind, BlockKind::Body | BlockKind::ListItem) && *share < 0.25 {
                d.remove(&NOT_STATED, None);
            }
        } else if *share >= 0.9 && d.words >= 12 && d.is_prose() && d.kind == BlockKind::Boilerplate {
            d.removed = None;
            d.kind = BlockKind::Body;
        }
    }
}

/// A voter's text, reduced to letters and digits for searching.
#[derive(Debug)]
struct Voter {
    squeezed: String,
}

/// Every block is searched for in the text of a voter: pages with more blocks are not put to the vote.
const MOST_BLOCKS: usize = 4_000;
/// The most of a voter's text that is searched, in letters.
const MOST_LETTERS: usize = 150_000;
/// Length of a probe, in characters.
const PROBE: usize = 24;

impl Voter {
    fn new(text: &str) -> Self {
        Self {
            squeezed: text
                .chars()
                .filter(|c| c.is_alphanumeric())
                .take(MOST_LETTERS)
                .collect(),
        }
    }

    /// The share of a block that the voter has, 0 to 1, by probes at even distances.
    fn share(&self, block: &str) -> f32 {
        let letters: Vec<char> = squeeze(block).chars().collect();
        if letters.is_empty() {
            return 0.0;
        }
        if letters.len() <= PROBE {
            let whole: String = letters.iter().collect();
            return if self.squeezed.contains(&whole) { 1.0 } else { 0.0 };
        }
        let probes = (letters.len() / (2 * PROBE)).clamp(2, 8);
        let last = letters.len() - PROBE;
        let found = (0..probes)
            .filter(|i| {
                let at = last * i / (probes - 1);
                let probe: String = letters.iter().skip(at).take(PROBE).collect();
                self.squeezed.contains(&probe)
            })
            .count();
        let (found, probes) = (
            u8::try_from(found).unwrap_or(u8::MAX),
            u8::try_from(probes).unwrap_or(u8::MAX),
        );
        f32::from(found) / f32::from(probes)
    }
}

fn squeeze(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}
