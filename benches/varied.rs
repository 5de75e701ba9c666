//! Articles that differ in all that people ask for: sites, languages, sections, tags, authors, agencies,
//! times, words from frequent to rare.

use chrono::{DateTime, Utc};
use copydesk_article::{
    Block, BlockKind, CleanArticle, Coordinates, Message, Metadata, MetadataSource, Offset, Removal, RuleId,
    Sourced, Timestamp,
};
use copydesk_store::{Item, Prepared};
use copydesk_testkit::ArticleGenerator;

use crate::source;

/// Distinct words: the first are in most texts, most are in hardly any.
const WORDS: f64 = 50_000.0;

/// Makes articles as the stages before the store would hand them over: some 3 KB each, every fifth a copy
/// (cut or whole) of a recent one.
pub struct VariedArticles {
    random: ArticleGenerator,
    recent: Vec<String>,
}

impl VariedArticles {
    /// Starts from a seed.
    pub fn new(seed: u64) -> Self {
        Self {
            random: ArticleGenerator::new(seed),
            recent: Vec::new(),
        }
    }

    /// A word as often as it is in the texts.
    pub fn word(random: &mut ArticleGenerator) -> String {
        let place = random.below(1_000_000) as f64 / 1_000_000.0;
        name(WORDS.powf(place) as usize)
    }

    /// A word that is in most of the texts.
    pub fn common_word(random: &mut ArticleGenerator) -> String {
        name(20 + random.below(80))
    }

    fn text(&mut self) -> String {
        let random = &mut self.random;
        let mut paragraph = || {
            let words: Vec<String> = (0..42).map(|_| Self::word(random)).collect();
            words.join(" ") + "."
        };
        let paragraphs: Vec<String> = (0..10).map(|_| paragraph()).collect();
        paragraphs.join("\n\n")
    }

    /// The next article, as the message at this offset.
    pub fn next(&mut self, offset: i64, at: DateTime<Utc>) -> Item {
        let text = if self.random.below(5) == 0 && !self.recent.is_empty() {
            let original = self.recent[self.random.below(self.recent.len())].clone();
            // Whole, or what is left of it.
            let kept = [10, 10, 9, 6, 4][self.random.below(5)];
            original.split("\n\n").take(kept).collect::<Vec<_>>().join("\n\n")
        } else {
            let text = self.text();
            if self.recent.len() < 5_000 {
                self.recent.push(text.clone());
            } else {
                let place = self.random.below(self.recent.len());
                self.recent[place].clone_from(&text);
            }
            text
        };
        let payload = text.clone().into_bytes();
        let clean = self.clean(&text, offset, at);
        let fingerprint = copydesk_dedup::fingerprint(&clean);
        Item {
            message: Message {
                coordinates: Coordinates {
                    source: source(0),
                    offset: Offset::new(offset),
                },
                timestamp: Some(at),
                key: None,
                payload: Some(payload),
                headers: Vec::new(),
            },
            outcome: Ok(Prepared::new(clean, fingerprint, None, Default::default()).into()),
        }
    }

    fn clean(&mut self, text: &str, offset: i64, at: DateTime<Utc>) -> CleanArticle {
        let sourced = |s: String| Sourced::new(s, MetadataSource::Envelope);
        let random = &mut self.random;
        let site = format!("site{}.example", random.below(2_000));
        let url = format!("https://{site}/{offset}");
        let title: Vec<String> = (0..8).map(|_| Self::word(random)).collect();
        let title = title.join(" ");
        let mut blocks = vec![Block::kept(BlockKind::Headline, title.as_str())];
        blocks.extend(text.split("\n\n").map(|p| Block::kept(BlockKind::Body, p)));
        if random.below(3) == 0 {
            blocks.push(Block {
                removed: Some(Removal {
                    rule: RuleId::of("related-marker"),
                    evidence: None,
                }),
                ..Block::kept(BlockKind::Boilerplate, "Check Also")
            });
        }
        let languages = ["en", "en", "en", "de", "fr", "es"];
        CleanArticle {
            metadata: Metadata {
                url: Some(url.clone()),
                canonical_url: Some(sourced(url)),
                site: Some(sourced(site)),
                title: Some(sourced(title)),
                published_at: Some(Sourced::new(
                    Timestamp::Zoned(at.fixed_offset()),
                    MetadataSource::Envelope,
                )),
                language: Some(sourced(languages[random.below(languages.len())].to_owned())),
                section: Some(sourced(
                    ["Politics", "Sport", "Economy", "World"][random.below(4)].to_owned(),
                )),
                agency: (random.below(4) == 0)
                    .then(|| sourced(["Reuters", "AP", "AFP"][random.below(3)].to_owned())),
                authors: vec![format!("Author {}", random.below(5_000))],
                tags: (0..3).map(|_| format!("tag {}", random.below(700))).collect(),
                ..Metadata::default()
            },
            blocks,
            warnings: Vec::new(),
            rules_version: "bench".into(),
        }
    }
}

fn name(n: usize) -> String {
    format!("w{n}{}", char::from(b'a' + (n % 26) as u8))
}
