//! Which parts of a text are shared: how much of it, in which paragraphs, and what lies between those.

use copydesk_article::{BlockHash, Fingerprint};

use crate::facts::share;

/// Shingles at the end of a paragraph that run into the next one, which may be another.
const RUN_ON: u32 = 3;

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
    /// Shingles of each paragraph.
    by_paragraph: [u32; 256],
}

impl Part {
    /// `counts`: shared shingles by paragraph; a paragraph shares something from `least` on.
    pub(crate) fn of(text: &Fingerprint, counts: &[u16; 256], least: u16) -> Self {
        let mut seen = [0_u32; 256];
        for shingle in &text.shingles {
            seen[shingle.paragraph as usize] += 1;
        }
        let is_shared = |n: &u16| *n >= least;
        let shingles = |from: usize, to: usize, shared: bool| -> u32 {
            let paragraphs = seen.iter().zip(counts).take(to).skip(from);
            paragraphs
                .filter(|(_, n)| is_shared(n) == shared)
                .map(|(all, _)| all)
                .sum()
        };
        let first = counts.iter().position(is_shared).unwrap_or(0);
        let last = counts.iter().rposition(is_shared).unwrap_or(0);
        let all = text.shingles.len() as u32;
        Self {
            extent: share(shingles(0, 256, true), all),
            between: share(shingles(first, last, false), all),
            shared: counts.iter().filter(|n| is_shared(n)).count() as u32,
            paragraphs: seen.iter().filter(|n| **n > 0).count() as u32,
            by_paragraph: seen,
        }
    }

    /// Share of the text's first paragraph that is shared.
    pub(crate) fn first_paragraph(&self, counts: &[u16; 256]) -> f64 {
        let mut paragraphs = self.by_paragraph.iter().zip(counts);
        let first = paragraphs.find(|(all, _)| **all > 0);
        first.map_or(0.0, |(all, shared)| share(u32::from(*shared), *all))
    }

    /// Shingles of the text that `other` has not, in paragraphs that it has with other digits. `blocks`: the text's own.
    ///
    /// A block hash does not see digits: a paragraph whose block the other text has, and whose shingles it has not, differs in
    /// digits alone.
    pub(crate) fn other_digits(&self, blocks: &[BlockHash], counts: &[u16; 256], other: &Fingerprint) -> u32 {
        let paragraphs = self.by_paragraph.iter().zip(counts).zip(blocks);
        paragraphs
            // Number 255 stands for several paragraphs.
            .take(255)
            .map(|((all, shared), block)| (all.saturating_sub(u32::from(*shared) + RUN_ON), block))
            .filter(|(missing, block)| *missing > 0 && block.0 != 0 && other.blocks.contains(block))
            .map(|(missing, _)| missing)
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fingerprint_parts;
    use crate::overlap::Overlap;

    const FRAME: [&str; 2] = [
        "Our readers have named the places that they would not want to miss, and thousands of letters came.",
        "Opening hours change with the season, so call ahead and take some cash for the car park with you.",
    ];

    fn with(between: &'static str) -> Fingerprint {
        fingerprint_parts(None, [FRAME[0], between, FRAME[1]])
    }

    #[test]
    fn what_lies_between_shared_paragraphs_is_not_what_lies_around_them() {
        let own =
            "The mill has a wheel that still turns on Sundays, and the miller bakes bread for whoever asks.";
        let (framed, other) = (with(own), with("At the quarry there is a pool of green water."));
        let overlap = Overlap::of(&framed, &other, None);
        let part = Part::of(&framed, &overlap.in_a, 2);
        assert!(part.between > 0.25 && part.extent + part.between > 0.99);
        assert_eq!((part.shared, part.paragraphs), (2, 3));

        let around = fingerprint_parts(None, [own, FRAME[0], FRAME[1]]);
        let overlap = Overlap::of(&around, &other, None);
        assert_eq!(Part::of(&around, &overlap.in_a, 2).between, 0.0);
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
            let counts = Overlap::of(&one, other, None).in_a;
            Part::of(&one, &counts, 2).other_digits(&one.blocks, &counts, other)
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
