//! The counts of a flush.

use std::fmt;
use std::str::FromStr;

use copydesk_article::Relation;

use crate::error::StoreError;
use crate::rows::named;

named! {
    /// The outcome of a message that is an article. Stored in `sighting.verdict`.
    pub enum Verdict {
        /// A new article that founded a story.
        NewArticle = "new_article",
        /// Another text at a known address.
        NewVersion = "new_version",
        /// Another text at a known address, seen before the shown one.
        OlderVersion = "older_version",
        /// Not stored: a takedown holds against its address or its text.
        TakenDown = "taken_down",
        /// A text that a known address has, or has had: nothing to store but the sighting.
        Unchanged = "unchanged",
        /// A new article with the same text as an older one.
        ExactCopy = "exact_copy",
        /// A new article that has most of its text in common with an older one.
        NearCopy = "near_copy",
        /// A new article, most of which is in an older one.
        Excerpt = "excerpt",
        /// A new article that has most of an older one in it.
        Contains = "contains",
    }
}

impl From<Relation> for Verdict {
    fn from(relation: Relation) -> Self {
        match relation {
            Relation::Original | Relation::Digest => Self::NewArticle,
            Relation::ExactCopy => Self::ExactCopy,
            Relation::NearCopy => Self::NearCopy,
            Relation::Excerpt => Self::Excerpt,
            Relation::Contains => Self::Contains,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Verdict {
    type Err = StoreError;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::from_name(s).ok_or_else(|| StoreError::Unknown(format!("the verdict {s:?}")))
    }
}

/// The outcome of a flush: counts of messages, but for the last three.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FlushReport {
    /// New articles that founded a story.
    pub new_articles: u64,
    /// New versions of known articles.
    pub new_versions: u64,
    /// Versions of known articles that were seen before the shown one.
    pub older_versions: u64,
    /// Messages that were not stored, because of a takedown.
    pub taken_down: u64,
    /// Known articles seen again.
    pub unchanged: u64,
    /// New articles with the text of an older one.
    pub exact_copies: u64,
    /// New articles with most of their text in common with an older one.
    pub near_copies: u64,
    /// New articles that are a part of an older one.
    pub excerpts: u64,
    /// New articles that have an older one in them.
    pub contains: u64,
    /// Messages that went to quarantine, whoever refused them.
    pub quarantined: u64,
    /// Of these, the ones that the database refused.
    pub refused_by_database: u64,
    /// Offsets without a message.
    pub skipped: u64,
    /// Older articles that changed their story.
    pub relinked: u64,
    /// Blocks that site memory took out of the articles and versions.
    pub site_memory_blocks: u64,
    /// The words in them.
    pub site_memory_words: u64,
}

impl FlushReport {
    /// Messages stored as articles, versions or repeats.
    pub const fn stored(&self) -> u64 {
        self.new_articles
            + self.new_versions
            + self.older_versions
            + self.taken_down
            + self.unchanged
            + self.copies()
    }

    /// New articles that are copies, in whole or in part, of an older one.
    pub const fn copies(&self) -> u64 {
        self.exact_copies + self.near_copies + self.excerpts + self.contains
    }

    pub(crate) fn count(&mut self, verdict: Verdict, messages: u64) {
        *match verdict {
            Verdict::NewArticle => &mut self.new_articles,
            Verdict::NewVersion => &mut self.new_versions,
            Verdict::OlderVersion => &mut self.older_versions,
            Verdict::TakenDown => &mut self.taken_down,
            Verdict::Unchanged => &mut self.unchanged,
            Verdict::ExactCopy => &mut self.exact_copies,
            Verdict::NearCopy => &mut self.near_copies,
            Verdict::Excerpt => &mut self.excerpts,
            Verdict::Contains => &mut self.contains,
        } += messages;
    }

    /// Adds the counts of another flush.
    pub fn add(&mut self, other: &Self) {
        self.new_articles += other.new_articles;
        self.new_versions += other.new_versions;
        self.older_versions += other.older_versions;
        self.taken_down += other.taken_down;
        self.unchanged += other.unchanged;
        self.exact_copies += other.exact_copies;
        self.near_copies += other.near_copies;
        self.excerpts += other.excerpts;
        self.contains += other.contains;
        self.quarantined += other.quarantined;
        self.refused_by_database += other.refused_by_database;
        self.skipped += other.skipped;
        self.relinked += other.relinked;
        self.site_memory_blocks += other.site_memory_blocks;
        self.site_memory_words += other.site_memory_words;
    }
}
