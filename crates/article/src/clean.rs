//! A cleaned article: blocks with kinds, removed ones with their rule, metadata with its sources.

use std::borrow::Cow;
use std::fmt;

use chrono::{DateTime, FixedOffset, Utc};
use serde::{Deserialize, Serialize};

use crate::markup::Markup;

/// A moment with what is known of its zone.
///
/// News pages state local times: "2026-03-20T18:05+03:00" is another calendar day in UTC from time to
/// time, so the offset is kept beside the instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Timestamp {
    /// An instant with the offset that the source stated.
    Zoned(DateTime<FixedOffset>),
    /// A calendar day without a time: taken as midnight UTC wherever an instant is needed.
    Day(chrono::NaiveDate),
}

impl Timestamp {
    /// The instant in UTC. A bare day is its midnight in UTC.
    pub fn instant(&self) -> DateTime<Utc> {
        match self {
            Self::Zoned(t) => t.with_timezone(&Utc),
            Self::Day(d) => d.and_time(chrono::NaiveTime::MIN).and_utc(),
        }
    }

    /// The calendar day where the article was published, that is in the stated zone.
    pub fn local_day(&self) -> chrono::NaiveDate {
        match self {
            Self::Zoned(t) => t.date_naive(),
            Self::Day(d) => *d,
        }
    }

    /// The offset from UTC in minutes, if a zone was stated.
    pub fn offset_minutes(&self) -> Option<i32> {
        match self {
            Self::Zoned(t) => Some(t.offset().local_minus_utc() / 60),
            Self::Day(_) => None,
        }
    }
}

/// Where a piece of metadata came from. Closed: each value is documented in docs/cleaning.md.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetadataSource {
    /// The producer's envelope or record headers.
    Envelope,
    /// schema.org JSON-LD in the page.
    JsonLd,
    /// A `<meta>` element (Open Graph, article:*, Dublin Core, Parsely, …).
    Meta,
    /// A `<link>` element (canonical, amphtml).
    Link,
    /// A `<time>` element.
    TimeElement,
    /// Another element of the page (h1, rel=author, a byline class, `<html lang>`).
    Element,
    /// schema.org microdata (itemprop).
    Microdata,
    /// The HTTP headers that came with the message.
    HttpHeader,
    /// Data in the page's scripts, or the closing bracket of an agency.
    Engine,
    /// A line at the head of a text (byline, dateline, headline).
    TextHead,
    /// The URL itself (a date in its path, its host).
    Url,
    /// Agreement of several of the above (the title's vote).
    Vote,
    /// Detected from the text (language identification).
    Detected,
}

impl MetadataSource {
    /// The name stored in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Envelope => "envelope",
            Self::JsonLd => "json_ld",
            Self::Meta => "meta",
            Self::Link => "link",
            Self::TimeElement => "time_element",
            Self::Element => "element",
            Self::Microdata => "microdata",
            Self::HttpHeader => "http_header",
            Self::Engine => "engine",
            Self::TextHead => "text_head",
            Self::Url => "url",
            Self::Vote => "vote",
            Self::Detected => "detected",
        }
    }
}

/// A value and where it came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sourced<T> {
    /// The value.
    pub value: T,
    /// Its source.
    pub source: MetadataSource,
}

impl<T> Sourced<T> {
    /// Joins a value with its source.
    pub const fn new(value: T, source: MetadataSource) -> Self {
        Self { value, source }
    }
}

/// The name of a cleaning rule, as stored in `removed_blocks.rule`: lower case, kebab-case, stable.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RuleId(Cow<'static, str>);

impl RuleId {
    /// A rule that is part of the code.
    pub const fn of(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }

    /// A rule that a rules file defines.
    pub fn from_file(name: String) -> Self {
        Self(Cow::Owned(name))
    }

    /// The rule's name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a block of the article is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockKind {
    /// The article's own headline. Not part of the body.
    Headline,
    /// The dek (standfirst, summary) under the headline. Not part of the body.
    Dek,
    /// A paragraph of the body.
    Body,
    /// A heading within the body.
    SubHeadline,
    /// A quotation set apart.
    Quote,
    /// An item of a list.
    ListItem,
    /// The caption of a picture, with its credit where the two are one line. Not part of the body.
    Caption,
    /// A credit that stands alone ("Photo: …"). Not part of the body.
    Credit,
    /// Something that is not the article: always removed, always with a rule.
    Boilerplate,
}

impl BlockKind {
    /// Every value.
    pub const ALL: [Self; 9] = [
        Self::Headline,
        Self::Dek,
        Self::Body,
        Self::SubHeadline,
        Self::Quote,
        Self::ListItem,
        Self::Caption,
        Self::Credit,
        Self::Boilerplate,
    ];

    /// The kind with this stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// The name stored in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Headline => "headline",
            Self::Dek => "dek",
            Self::Body => "body",
            Self::SubHeadline => "sub_headline",
            Self::Quote => "quote",
            Self::ListItem => "list_item",
            Self::Caption => "caption",
            Self::Credit => "credit",
            Self::Boilerplate => "boilerplate",
        }
    }

    /// Whether a kept block of this kind is part of the body text.
    pub const fn is_body(self) -> bool {
        matches!(
            self,
            Self::Body | Self::SubHeadline | Self::Quote | Self::ListItem
        )
    }
}

/// Why a block was taken out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removal {
    /// The rule that did it.
    pub rule: RuleId,
    /// What the rule saw, for people: the marker that matched, the selector, the line it repeats.
    pub evidence: Option<String>,
}

/// One block of the page or text, in its original order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// What it is.
    pub kind: BlockKind,
    /// Its text: one paragraph, no line breaks except inside quotes and lists, white space folded.
    pub text: String,
    /// `Some` if it was taken out of the article.
    pub removed: Option<Removal>,
    /// What it was on its page besides its text. `None`: a plain paragraph, or nobody said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub markup: Option<Box<Markup>>,
}

impl Block {
    /// A block that stays.
    pub fn kept(kind: BlockKind, text: impl Into<String>) -> Self {
        Self {
            kind,
            text: text.into(),
            removed: None,
            markup: None,
        }
    }

    /// A block that a rule took out.
    pub fn removed(kind: BlockKind, text: impl Into<String>, rule: RuleId, evidence: Option<String>) -> Self {
        Self {
            kind,
            text: text.into(),
            removed: Some(Removal { rule, evidence }),
            markup: None,
        }
    }

    /// Whether it stays.
    pub const fn is_kept(&self) -> bool {
        self.removed.is_none()
    }
}

/// What is known about an article besides its text. Every field names its source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// The address it was fetched from, as given.
    pub url: Option<String>,
    /// The normalised address that names the article: tracking parameters and fragment dropped,
    /// rel=canonical honoured where it is plausible. Identity of the article across versions.
    pub canonical_url: Option<Sourced<String>>,
    /// The page's own address in the same form, where the page claims another one as canonical: what counts
    /// if that claim turns out to be a template's.
    pub own_url: Option<String>,
    /// The publishing site: host without `www.`, lower case.
    pub site: Option<Sourced<String>>,
    /// The site's own name ("The Example Times").
    pub site_name: Option<Sourced<String>>,
    /// The headline, without the site's suffix.
    pub title: Option<Sourced<String>>,
    /// The dek (standfirst, summary).
    pub dek: Option<Sourced<String>>,
    /// Clean names, in the order of the byline. Empty if none is known.
    pub authors: Vec<String>,
    /// Source of `authors`.
    pub authors_source: Option<MetadataSource>,
    /// When it was published.
    pub published_at: Option<Sourced<Timestamp>>,
    /// When it was last changed, by its own account.
    pub modified_at: Option<Sourced<Timestamp>>,
    /// ISO 639-1 code where there is one, else 639-3; lower case.
    pub language: Option<Sourced<String>>,
    /// The section or category.
    pub section: Option<Sourced<String>>,
    /// Tags or keywords, in the order of the page.
    pub tags: Vec<String>,
    /// Address of the lead image.
    pub image_url: Option<Sourced<String>>,
    /// News agency that the text or the credits name ("reuters", "ap", "afp", …).
    pub agency: Option<Sourced<String>>,
    /// Whether the page says that it is behind a paywall. `None`: the page does not say.
    pub paywalled: Option<bool>,
}

/// The result of cleaning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CleanArticle {
    /// Metadata with its sources.
    pub metadata: Metadata,
    /// All blocks in original order, kept and removed: the whole page as it was read can be rebuilt.
    pub blocks: Vec<Block>,
    /// What was less than ideal, for people and for `articles.warnings`: a text that was a whole page,
    /// a repaired charset. Short, stable codes ("whole-page-text", …).
    pub warnings: Vec<String>,
    /// Version of the rules that did this.
    pub rules_version: String,
}

impl CleanArticle {
    /// The body: the kept body blocks, a blank line between two.
    pub fn body(&self) -> String {
        self.paragraphs().collect::<Vec<_>>().join("\n\n")
    }

    /// The kept body blocks, in order: the paragraphs that fingerprints are made of.
    pub fn paragraphs(&self) -> impl Iterator<Item = &str> {
        self.blocks
            .iter()
            .filter(|b| b.is_kept() && b.kind.is_body())
            .map(|b| b.text.as_str())
    }

    /// The kept captions and credits, in order.
    pub fn captions(&self) -> impl Iterator<Item = &str> {
        self.blocks
            .iter()
            .filter(|b| b.is_kept() && matches!(b.kind, BlockKind::Caption | BlockKind::Credit))
            .map(|b| b.text.as_str())
    }

    /// The removed blocks with their position among all blocks.
    pub fn removed(&self) -> impl Iterator<Item = (usize, &Block, &Removal)> {
        self.blocks
            .iter()
            .enumerate()
            .filter_map(|(i, b)| b.removed.as_ref().map(|r| (i, b, r)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_is_what_remains() {
        let article = CleanArticle {
            metadata: Metadata::default(),
            blocks: vec![
                Block::kept(BlockKind::Headline, "Harbour reopens"),
                Block::kept(BlockKind::Body, "Ships came in at dawn."),
                Block::kept(BlockKind::Caption, "The harbour on Tuesday."),
                Block::removed(
                    BlockKind::Boilerplate,
                    "Check Also",
                    RuleId::of("related-marker"),
                    None,
                ),
                Block::kept(BlockKind::Body, "Cranes moved by noon."),
            ],
            warnings: Vec::new(),
            rules_version: "1".into(),
        };
        assert_eq!(article.body(), "Ships came in at dawn.\n\nCranes moved by noon.");
        assert_eq!(
            article.captions().collect::<Vec<_>>(),
            ["The harbour on Tuesday."]
        );
        assert_eq!(article.removed().map(|(i, ..)| i).collect::<Vec<_>>(), [3]);
    }

    #[test]
    fn a_zoned_time_keeps_its_local_day() {
        let t = Timestamp::Zoned(DateTime::parse_from_rfc3339("2026-03-20T01:30:00+03:00").unwrap());
        assert_eq!(t.local_day().to_string(), "2026-03-20");
        assert_eq!(t.instant().date_naive().to_string(), "2026-03-19");
        assert_eq!(t.offset_minutes(), Some(180));
    }
}
