//! Which parts of a text are shared: how much of it, in which paragraphs, and what lies between those.

use copydesk_article::{BlockHash, Fingerprint};

/// Shingles at the end of a paragraph that run into the next one, which may be another.
const RUN_ON: u32 = 3;

/// How many shingles of a text begin in each of its paragraphs.
pub(crate) struct Paragraphs {
    shingles: [u32; 256],
    /// Paragraphs up to the last one that has a shingle.
    count: usize,
    /// Shingles of the whole text.
    all: u32,
}

impl Paragraphs {
    pub(crate) fn of(text: &Fingerprint) -> Self {
        let mut shingles = [0_u32; 256];
        for shingle in &text.shingles {
            shingles[shingle.paragraph as usize] += 1;
        }
        Self {
            shingles,
            count: shingles.iter().rposition(|n| *n > 0).map_or(0, |last| last + 1),
            all: text.shingles.len() as u32,
        }
    }

    /// The number of each paragraph's shingles beside the number of those that are shared.
    fn beside<'p>(&'p self, shared: &'p [u16; 256]) -> impl Iterator<Item = (u32, u16)> + 'p {
        self.shingles
            .iter()
            .copied()
            .zip(shared.iter().copied())
            .take(self.count)
    }
}

/// One text's part in what is shared. Shares are 0 to 1.
pub(crate) struct Part {
    /// Share of the text that lies in paragraphs which share something.
    pub(crate) extent: f64,
    /// Share of the text that lies in paragraphs which share nothing, between two that share something.
    pub(crate) between: f64,
    /// Paragraphs that share something.
    pub(crate) shared: u32,
    /// Paragraphs that have a shingle.
    pub(crate) paragraphs: u32,
    /// Share of the text's first paragraph that is shared.
    pub(crate) first_paragraph: f64,
}

impl Part {
    /// `counts`: shared shingles by paragraph; a paragraph shares something from `least` on.
    pub(crate) fn of(text: &Paragraphs, counts: &[u16; 256], least: u16) -> Self {
        let mut part = Self {
            extent: 0.0,
            between: 0.0,
            shared: 0,
            paragraphs: 0,
            first_paragraph: 0.0,
        };
        let (mut extent, mut between, mut since) = (0, 0, 0);
        for (all, shared) in text.beside(counts) {
            if part.paragraphs == 0 && all > 0 {
                part.first_paragraph = share(u32::from(shared), all);
            }
            part.paragraphs += u32::from(all > 0);
            if shared >= least {
                part.shared += 1;
                extent += all;
                // What came since the one before lies between the two.
                between += since;
                since = 0;
            } else if part.shared > 0 {
                since += all;
            }
        }
        part.extent = share(extent, text.all);
        part.between = share(between, text.all);
        part
    }
}

/// Shingles of a text that `other` has not, in paragraphs that it has with other digits. `blocks`: the text's own.
///
/// A block hash does not see digits: a paragraph whose block the other text has, and whose shingles it has not, differs in
/// digits alone.
pub(crate) fn other_digits(
    text: &Paragraphs,
    blocks: &[BlockHash],
    counts: &[u16; 256],
    other: &Fingerprint,
) -> u32 {
    text.beside(counts)
        .zip(blocks)
        // Number 255 stands for several paragraphs.
        .take(255)
        .map(|((all, shared), block)| (all.saturating_sub(u32::from(shared) + RUN_ON), block))
        .filter(|(missing, block)| *missing > 0 && block.0 != 0 && other.blocks.contains(block))
        .map(|(missing, _)| missing)
        .sum()
}

pub(crate) fn share(part: u32, whole: u32) -> f64 {
    if whole == 0 {
        0.0
    } else {
        f64::from(part) / f64::from(whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fingerprint_parts;
    use crate::overlap::{Indexed, Overlap};

    const FRAME: [&str; 2] = [
        "Our readers have named the places that they would not want to miss, and thousands of letters came.",
        "Opening hours change with the season, so call ahead and take some cash for the car park with you.",
    ];

    fn with(between: &'static str) -> Fingerprint {
        fingerprint_parts(None, [FRAME[0], between, FRAME[1]])
    }

    fn part_of(text: &Fingerprint, other: &Fingerprint) -> Part {
        let text = Indexed::of(text);
        Part::of(&text.paragraphs, &Overlap::of(&text, other, None).in_a, 2)
    }

    #[test]
    fn what_lies_between_shared_paragraphs_is_not_what_lies_around_them() {
        let own =
            "The mill has a wheel that still turns on Sundays, and the miller bakes bread for whoever asks.";
        let (framed, other) = (with(own), with("At the quarry there is a pool of green water."));
        let part = part_of(&framed, &other);
        assert!(part.between > 0.25 && part.extent + part.between > 0.99);
        assert_eq!((part.shared, part.paragraphs), (2, 3));

        let around = fingerprint_parts(None, [own, FRAME[0], FRAME[1]]);
        assert_eq!(part_of(&around, &other).between, 0.0);
    }

    #[test]
    fn digits_that_differ_are_told_from_words_that_differ() {
        let one =
            with("Brackwater 2 Old Mill 1. Saltings Rovers 0 Penbury 0. Fallow Athletic 3 Greystone 2.");
        let digits =
            with("Brackwater 1 Old Mill 1. Saltings Rovers 2 Penbury 0. Fallow Athletic 0 Greystone 3.");
        let words =
            with("Brackwater 2 Old Mill 1. Saltings Rovers lost to Penbury. Fallow Athletic 3 Greystone 2.");
        let changed = |other: &Fingerprint| {
            let one = Indexed::of(&one);
            let counts = Overlap::of(&one, other, None).in_a;
            other_digits(&one.paragraphs, &one.text.blocks, &counts, other)
        };
        assert!(changed(&digits) >= 8);
        assert_eq!(changed(&words), 0);
        assert_eq!(changed(&one), 0);
        // The same paragraph before another one: its last shingles run on.
        let elsewhere = fingerprint_parts(
            None,
            [
                FRAME[1],
                "Brackwater 2 Old Mill 1. Saltings Rovers 0 Penbury 0. Fallow Athletic 3 Greystone 2.",
                FRAME[0],
            ],
        );
        assert_eq!(changed(&elsewhere), 0);
    }
}
