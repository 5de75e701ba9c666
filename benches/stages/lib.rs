//! The corpus that ships with the project: articles invented from a seed, with the boilerplate of real ones
//! around them.
//!
//! Words are drawn as unevenly as in a language, so that hashes, compression and language detection have as much to do
//! as with real text; no two articles share more than a run of three words by chance. Every fifth is a copy
//! of an earlier one: another headline, a cut tail.

#![allow(clippy::missing_panics_doc, reason = "benches are run by developers")]

mod decision;

use std::fmt::Write as _;

use copydesk_article::{Coordinates, Message, Offset, Partition, RawArticle, Topic, TopicPartition};
use copydesk_decode::{Limits, decode};
pub use decision::DecisionInput;

/// Words in the vocabulary.
const WORDS: usize = 20_000;
/// The commonest words of English: what a language is recognised by.
const COMMON: &str = "the of and to in a is that for it was on with as his he be at by had not are but from or have an they \
which one you were her all she there would their we him been has when who will more no if out so said what up its about into than \
them can only other new some could time these two may then do first any my now such like our over man me even most made after also";
/// Articles that may still be copied.
const RECENT: usize = 2_000;

/// An invented article, before it is put into a page or an envelope.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The site that published it.
    pub site: String,
    /// Its address.
    pub url: String,
    /// Its headline.
    pub title: String,
    /// Who signed it.
    pub author: String,
    /// Its paragraphs.
    pub paragraphs: Vec<String>,
}

/// Invents articles.
#[derive(Debug)]
pub struct Corpus {
    random: Random,
    words: Vec<String>,
    recent: Vec<Draft>,
    number: usize,
    copies: bool,
}

impl Corpus {
    /// Starts from a seed. `copies`: whether every fifth article is a copy of an earlier one.
    pub fn new(seed: u64, copies: bool) -> Self {
        let mut random = Random::new(seed);
        let mut words: Vec<String> = COMMON.split_whitespace().map(str::to_owned).collect();
        while words.len() < WORDS {
            let syllables = 1 + random.below(if words.len() < 1_000 { 2 } else { 3 });
            words.push(word(&mut random, syllables));
        }
        Self {
            random,
            words,
            recent: Vec::new(),
            number: 0,
            copies,
        }
    }

    /// The next article, with a body of at least so many bytes.
    pub fn article(&mut self, bytes: usize) -> Draft {
        self.number += 1;
        let site = format!("site{}.example", self.random.below(400));
        let url = format!("https://www.{site}/news/{}", self.number);
        let title = self.headline();
        let draft = if self.copies && self.number.is_multiple_of(5) && !self.recent.is_empty() {
            let original = &self.recent[self.random.below(self.recent.len())];
            let kept = original.paragraphs.len() * 2 / 3 + 1;
            Draft {
                paragraphs: original.paragraphs.iter().take(kept).cloned().collect(),
                author: original.author.clone(),
                site,
                url,
                title,
            }
        } else {
            let mut paragraphs = Vec::new();
            let mut length = 0;
            while length < bytes {
                let sentences = 2 + self.random.below(2);
                let paragraph = self.paragraph(sentences);
                length += paragraph.len() + 2;
                paragraphs.push(paragraph);
            }
            Draft {
                author: format!("{} {}", self.name(), self.name()),
                paragraphs,
                site,
                url,
                title,
            }
        };
        if self.copies {
            if self.recent.len() < RECENT {
                self.recent.push(draft.clone());
            } else {
                let place = self.random.below(RECENT);
                self.recent[place] = draft.clone();
            }
        }
        draft
    }

    /// The article as somebody's scraper would have it: headline, byline, body, share bar, another story's teaser.
    pub fn text(&mut self, draft: &Draft) -> String {
        let mut out = format!("{}\n\nBy {}\n\n", draft.title, draft.author);
        for (n, paragraph) in draft.paragraphs.iter().enumerate() {
            out.push_str(paragraph);
            out.push_str("\n\n");
            if n == 2 {
                out.push_str("Advertisement\n\n");
            }
        }
        let (teaser, line) = (self.headline(), self.paragraph(1));
        let _ = write!(out, "Share this article\n\nCheck Also\n\n{teaser}\n\n{line}");
        out
    }

    /// The article as a page of about so many bytes: menus, scripts, figures, teasers and comments around it.
    pub fn page(&mut self, draft: &Draft, bytes: usize) -> String {
        let mut out = String::with_capacity(bytes + 4_096);
        let (title, author, url) = (&draft.title, &draft.author, &draft.url);
        let _ = write!(
            out,
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title} | The Brenmark Post</title>\
             <link rel=\"canonical\" href=\"{url}\"><meta property=\"og:title\" content=\"{title}\"><meta name=\"author\" content=\"{author}\">\
             <meta property=\"article:published_time\" content=\"2026-03-14T09:26:53+01:00\"><script type=\"application/ld+json\">\
             {{\"@type\":\"NewsArticle\",\"headline\":\"{title}\",\"datePublished\":\"2026-03-14T09:26:53+01:00\",\"author\":[{{\"@type\":\"Person\",\"name\":\"{author}\"}}]}}</script>",
        );
        // A third of a page is script and style, a third menus and teasers.
        self.script(&mut out, bytes / 3);
        out.push_str(
            "</head><body class=\"post single\"><header class=\"site-header\"><nav class=\"main-menu\"><ul>",
        );
        for _ in 0..60 {
            let (label, to) = (self.words_of(2), self.words_of(1));
            let _ = write!(
                out,
                "<li class=\"menu-item\"><a href=\"/{to}\" title=\"{label}\">{label}</a></li>"
            );
        }
        let _ = write!(
            out,
            "</ul></nav></header><main><article class=\"article\"><h1 class=\"headline\">{title}</h1><div class=\"byline\">By \
             <a rel=\"author\" href=\"/author/x\">{author}</a> <time datetime=\"2026-03-14T09:26:53+01:00\">March 14, 2026</time></div>\
             <div class=\"article-body\" itemprop=\"articleBody\">",
        );
        for (n, paragraph) in draft.paragraphs.iter().enumerate() {
            let _ = write!(out, "<p>{paragraph}</p>");
            if n == 1 {
                let caption = self.paragraph(1);
                let _ = write!(
                    out,
                    "<figure><img src=\"/i/{n}.jpg\" alt=\"\"><figcaption>{caption} Photo: {author}</figcaption></figure>"
                );
            }
            if n % 4 == 3 {
                let teaser = self.headline();
                let _ = write!(
                    out,
                    "<div class=\"read-also\"><a href=\"/x/{n}\">{teaser}</a></div>"
                );
            }
        }
        out.push_str("</div><div class=\"share-bar\"><a href=\"#\">Share</a><a href=\"#\">Tweet</a></div></article><aside class=\"related-posts\">");
        while out.len() + 600 < bytes {
            let (teaser, line, name) = (self.headline(), self.paragraph(1), self.name());
            let _ = write!(
                out,
                "<div class=\"teaser card\" data-id=\"{}\"><a class=\"teaser__link\" href=\"/t/{}\"><img class=\"lazy\" data-src=\"/t/{}.webp\" alt=\"{teaser}\">\
                 <h3 class=\"teaser__title\"><span>{teaser}</span></h3></a><p class=\"teaser__text\">{line}</p><span class=\"teaser__meta\">{name}</span></div>",
                self.random.below(99_999),
                self.random.below(99_999),
                self.random.below(99_999),
            );
        }
        out.push_str("</aside></main><footer class=\"site-footer\"><p>The Brenmark Post is published every day but Sunday.</p></footer></body></html>");
        out
    }

    /// The JSON envelope of docs/messages.md around a text.
    pub fn text_envelope(&mut self, draft: &Draft) -> Vec<u8> {
        let text = self.text(draft);
        envelope(draft, "text", &text)
    }

    /// The JSON envelope of docs/messages.md around a page.
    pub fn page_envelope(&mut self, draft: &Draft, bytes: usize) -> Vec<u8> {
        let page = self.page(draft, bytes);
        envelope(draft, "html", &page)
    }

    fn script(&mut self, out: &mut String, bytes: usize) {
        let until = out.len() + bytes;
        while out.len() < until {
            out.push_str("<script>(function(w,d){var q={");
            for _ in 0..80 {
                let (key, value) = (self.words_of(1), self.random.next());
                let _ = write!(out, "\"{key}\":{value},");
            }
            out.push_str("};w.push(q)})(window,document);</script><style>.card>.teaser__title{margin:0 auto;font:700 1.2em/1.3 serif}</style>");
        }
    }

    fn headline(&mut self) -> String {
        let words = 6 + self.random.below(4);
        capital(&self.words_of(words))
    }

    fn paragraph(&mut self, sentences: usize) -> String {
        let mut out = String::new();
        for _ in 0..sentences {
            let words = 12 + self.random.below(14);
            let mut sentence = capital(&self.words_of(words));
            if self.random.below(3) == 0 {
                let _ = write!(sentence, " {} {}", self.name(), self.random.below(900) + 2);
            }
            if !out.is_empty() {
                out.push(' ');
            }
            out.push_str(&sentence);
            out.push('.');
        }
        out
    }

    fn words_of(&mut self, count: usize) -> String {
        let mut out = String::new();
        for n in 0..count {
            if n > 0 {
                out.push(' ');
            }
            // Zipf's law: the rank is the exponential of an even draw.
            let even = self.random.below(1 << 20) as f64 / f64::from(1 << 20);
            let rank = ((WORDS as f64).powf(even) - 1.0) as usize;
            out.push_str(&self.words[rank.min(WORDS - 1)]);
        }
        out
    }

    fn name(&mut self) -> String {
        let syllables = 2 + self.random.below(2);
        capital(&word(&mut self.random, syllables))
    }
}

fn envelope(draft: &Draft, field: &str, body: &str) -> Vec<u8> {
    serde_json::json!({ "url": draft.url, field: body })
        .to_string()
        .into_bytes()
}

fn word(random: &mut Random, syllables: usize) -> String {
    const ONSETS: [&str; 20] = [
        "b", "c", "d", "f", "g", "h", "l", "m", "n", "p", "r", "s", "t", "v", "w", "st", "tr", "pl", "sh",
        "br",
    ];
    const RHYMES: [&str; 16] = [
        "a", "e", "i", "o", "u", "an", "er", "in", "or", "est", "ing", "al", "ed", "on", "ea", "ight",
    ];
    (0..syllables)
        .map(|_| {
            format!(
                "{}{}",
                ONSETS[random.below(ONSETS.len())],
                RHYMES[random.below(RHYMES.len())]
            )
        })
        .collect()
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// Numbers from a seed (splitmix64, public domain).
#[derive(Debug)]
struct Random(u64);

impl Random {
    const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x2545_f491_4f6c_dd1d)
    }

    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    const fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
}

/// An envelope as a message at no place in particular.
pub fn message(payload: Vec<u8>) -> Message {
    Message {
        coordinates: Coordinates {
            source: TopicPartition {
                topic: Topic::new("bench"),
                partition: Partition::new(0),
            },
            offset: Offset::new(0),
        },
        timestamp: None,
        key: None,
        payload: Some(payload),
        headers: Vec::new(),
    }
}

/// Scraped texts of 3 KB.
pub fn texts(count: usize) -> Vec<Message> {
    let mut corpus = Corpus::new(1, false);
    (0..count)
        .map(|_| {
            let draft = corpus.article(3_000);
            message(corpus.text_envelope(&draft))
        })
        .collect()
}

/// Pages of so many bytes around articles of 3 KB.
pub fn pages(count: usize, bytes: usize) -> Vec<Message> {
    let mut corpus = Corpus::new(2, false);
    (0..count)
        .map(|_| {
            let draft = corpus.article(3_000);
            message(corpus.page_envelope(&draft, bytes))
        })
        .collect()
}

/// What decoding makes of them.
pub fn decoded(messages: &[Message]) -> Vec<RawArticle> {
    let limits = Limits::default();
    let raw: Result<Vec<RawArticle>, _> = messages.iter().map(|m| decode(m, &limits)).collect();
    raw.unwrap_or_default()
}
