//! Invented articles from a seed: same seed, same text, on every machine.

const SUBJECTS: &[&str] = &[
    "harbour",
    "council",
    "ferry",
    "orchard",
    "library",
    "tram",
    "reservoir",
    "school",
    "bakery",
    "museum",
    "bridge",
    "market",
    "clinic",
    "quarry",
    "theatre",
    "lighthouse",
    "station",
    "vineyard",
    "workshop",
    "archive",
    "garden",
    "mill",
    "observatory",
    "printing house",
    "fish hall",
    "canal",
    "power plant",
    "choir",
    "greenhouse",
    "airfield",
];
const VERBS: &[&str] = &[
    "opened",
    "closed",
    "repaired",
    "inspected",
    "sold",
    "painted",
    "measured",
    "postponed",
    "welcomed",
    "rejected",
    "extended",
    "moved",
    "counted",
    "flooded",
    "restored",
    "planned",
    "delivered",
    "tested",
    "lost",
    "found",
];
const ADJECTIVES: &[&str] = &[
    "northern",
    "old",
    "crowded",
    "quiet",
    "wooden",
    "municipal",
    "famous",
    "narrow",
    "busy",
    "renovated",
    "temporary",
    "private",
    "coastal",
    "forgotten",
    "costly",
    "modern",
    "steep",
    "popular",
    "disputed",
    "windy",
];
const PLACES: &[&str] = &[
    "Velmora",
    "Drennick",
    "Oostvale",
    "Harnsby",
    "Calligore",
    "Pellworth",
    "Stennhaven",
    "Mirrowdale",
    "Tarquin Bay",
    "Lower Essing",
    "Brackwater",
    "Kessel Point",
    "Norrhaven",
    "Ardent Hill",
    "Sallow Creek",
    "Winterbourne Quay",
];
const PEOPLE: &[&str] = &[
    "Ada Pell",
    "Jonas Verhune",
    "Mirela Strand",
    "Tobias Okker",
    "Lena Quist",
    "Samir Halvorsen",
    "Greta Lindqvist",
    "Pavel Dorin",
    "Ines Caldeira",
    "Hugo Brandt",
    "Noor Vasari",
    "Elin Marsh",
];

/// A seeded generator of articles.
#[derive(Debug, Clone)]
pub struct ArticleGenerator {
    state: u64,
}

impl ArticleGenerator {
    /// Starts from a seed.
    pub const fn new(seed: u64) -> Self {
        Self {
            state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x2545_f491_4f6c_dd1d,
        }
    }

    /// The next number (splitmix64, public domain).
    pub const fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n.max(1) as u64).unwrap()
    }

    fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len())]
    }

    /// One sentence of some twenty words.
    pub fn sentence(&mut self) -> String {
        format!(
            "The {} {} in {} was {} after {} {} the {} {} with {} others on day {} of the year.",
            self.pick(ADJECTIVES),
            self.pick(SUBJECTS),
            self.pick(PLACES),
            self.pick(VERBS),
            self.pick(PEOPLE),
            self.pick(VERBS),
            self.pick(ADJECTIVES),
            self.pick(SUBJECTS),
            self.below(900) + 3,
            self.below(365) + 1,
        )
    }

    /// A paragraph of three to five sentences.
    pub fn paragraph(&mut self) -> String {
        let sentences = 3 + self.below(3);
        (0..sentences)
            .map(|_| self.sentence())
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// A headline.
    pub fn headline(&mut self) -> String {
        format!(
            "{} {} {} in {}",
            self.pick(PEOPLE),
            self.pick(VERBS),
            self.pick(SUBJECTS),
            self.pick(PLACES)
        )
    }

    /// A text of so many paragraphs, blank lines between, no headline.
    pub fn text(&mut self, paragraphs: usize) -> String {
        (0..paragraphs)
            .map(|_| self.paragraph())
            .collect::<Vec<_>>()
            .join("\n\n")
    }

    /// A text of so many paragraphs of 30 invented words each: unlike [`Self::text`], two of them share next to no
    /// run of four words, however many there are.
    pub fn babble(&mut self, paragraphs: usize) -> String {
        const SYLLABLES: [&str; 16] = [
            "ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe", "ri", "so", "tu", "ve",
        ];
        let mut paragraph = |n: usize| {
            let mut words: Vec<String> = Vec::with_capacity(n);
            for _ in 0..n {
                let mut bits = self.next();
                let word: String = (0..3)
                    .map(|_| {
                        bits >>= 4;
                        SYLLABLES[(bits & 15) as usize]
                    })
                    .collect();
                words.push(word);
            }
            words.join(" ") + "."
        };
        (0..paragraphs)
            .map(|_| paragraph(30))
            .collect::<Vec<_>>()
            .join("\n\n")
    }

    /// A JSON envelope with a fresh text of six paragraphs.
    pub fn envelope(&mut self, site: &str, number: usize) -> String {
        serde_json::json!({
            "url": format!("https://{site}/story-{number}"),
            "title": self.headline(),
            "text": self.text(6),
        })
        .to_string()
    }
}

/// A scan of a text that has every seventh word wrong, from the word at `from` on (0 to 6).
pub fn scan(text: &str, from: usize) -> String {
    let words = text.split(' ').enumerate();
    let words = words.map(|(n, word)| {
        if n % 7 == from {
            format!("x{word}")
        } else {
            word.to_owned()
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seed_decides() {
        assert_eq!(ArticleGenerator::new(1).text(3), ArticleGenerator::new(1).text(3));
        assert_ne!(ArticleGenerator::new(1).text(3), ArticleGenerator::new(2).text(3));
    }
}
