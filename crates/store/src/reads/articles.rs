//! One article: its row, its blocks, its versions, its messages.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{read_all, read_first};
use crate::connect::config::Store;
use crate::error::StoreError;

/// A row of the view `articles`, whole but for the body and the captions, which its blocks have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(
    missing_docs,
    reason = "each field is the view's column of that name: docs/schema.md"
)]
pub struct ArticleRow {
    pub article_id: i64,
    pub story_id: i64,
    pub relation: String,
    pub title: Option<String>,
    pub title_source: Option<String>,
    pub dek: Option<String>,
    pub dek_source: Option<String>,
    pub authors: Option<Vec<String>>,
    pub authors_source: Option<String>,
    pub site: Option<String>,
    pub site_source: Option<String>,
    pub site_name: Option<String>,
    pub site_name_source: Option<String>,
    pub url: Option<String>,
    pub canonical_url: Option<String>,
    pub canonical_url_source: Option<String>,
    pub published_at: Option<DateTime<Utc>>,
    pub published_offset_minutes: Option<i64>,
    pub published_source: Option<String>,
    pub modified_at: Option<DateTime<Utc>>,
    pub modified_source: Option<String>,
    pub language: Option<String>,
    pub language_source: Option<String>,
    pub section: Option<String>,
    pub section_source: Option<String>,
    pub tags: Option<Vec<String>>,
    pub agency: Option<String>,
    pub agency_source: Option<String>,
    pub paywalled: Option<bool>,
    pub word_count: i64,
    pub image_url: Option<String>,
    pub image_url_source: Option<String>,
    pub version: i64,
    pub linked_to: Option<i64>,
    pub similarity: Option<f64>,
    pub containment: Option<f64>,
    pub containment_of_linked: Option<f64>,
    pub shared_shingles: Option<i64>,
    pub link_reason: Option<String>,
    pub replaces: Option<i64>,
    pub fetched_at: Option<DateTime<Utc>>,
    pub message_time: Option<DateTime<Utc>>,
    pub ingested_at: DateTime<Utc>,
    pub version_at: Option<DateTime<Utc>>,
    pub warnings: Option<Vec<String>>,
    pub extra: Option<Value>,
    pub rules_version: Option<String>,
    pub fingerprint_version: Option<i64>,
    pub common_version: Option<i64>,
}

/// A row of the view `article_blocks`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockRow {
    /// Place among all blocks of the version, from 0.
    pub position: i64,
    /// What the block is.
    pub kind: String,
    /// Whether it stayed in the article.
    pub kept: bool,
    /// The rule that took it out.
    pub rule: Option<String>,
    /// What the rule saw.
    pub evidence: Option<String>,
    /// Its text.
    pub text: Option<String>,
}

/// A version without its text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VersionRow {
    /// Its number, from 1.
    pub version: i64,
    /// Whether it is the one that `articles` shows.
    pub latest: bool,
    /// Its headline.
    pub title: Option<String>,
    /// Words of its body.
    pub word_count: i64,
    /// Jaccard similarity to the version before.
    pub version_similarity: Option<f64>,
    /// Timestamp of its message.
    pub message_time: Option<DateTime<Utc>>,
    /// When it was stored.
    pub version_at: Option<DateTime<Utc>>,
    /// `rules`: the message of the version before, cleaned by other rules. `None`: another message brought it.
    pub cause: Option<String>,
}

/// What a version says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionText {
    /// The article.
    pub article_id: i64,
    /// The version.
    pub version: i64,
    /// Its headline.
    pub title: Option<String>,
    /// Its dek.
    pub dek: Option<String>,
    /// Its body: paragraphs with a blank line between two.
    pub body: Option<String>,
}

/// A message that an article came with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SightingRow {
    /// Kafka topic.
    pub topic: String,
    /// Its partition.
    pub partition: i64,
    /// Its offset.
    pub offset: i64,
    /// The version of the article that the message is.
    pub version: i64,
    /// What became of the message.
    pub verdict: String,
    /// The message's own timestamp.
    pub message_time: Option<DateTime<Utc>>,
    /// When it was stored.
    pub ingested_at: DateTime<Utc>,
}

const ARTICLE: &str = "SELECT article_id, story_id, relation, title, title_source, dek, dek_source, authors, authors_source, site,
        site_source, site_name, site_name_source, url, canonical_url, canonical_url_source, published_at, published_offset_minutes,
        published_source, modified_at, modified_source, language, language_source, section, section_source, tags, agency, agency_source,
        paywalled, word_count, image_url, image_url_source, version, linked_to, similarity, containment, containment_of_linked,
        shared_shingles, link_reason, replaces, fetched_at, message_time, ingested_at, version_at, warnings, extra, rules_version,
        fingerprint_version, common_version
    FROM articles WHERE article_id = $1";

impl Store {
    /// An article in its latest version. `None`: there is none of that number.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn read_article(&self, article: i64) -> Result<Option<ArticleRow>, StoreError> {
        read_first!(self, "cannot read the article"; ARTICLE, article)
    }

    /// The blocks of a version in their order, kept and removed ones, from the first.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn read_blocks(
        &self,
        article: i64,
        version: i64,
        most: u32,
    ) -> Result<Vec<BlockRow>, StoreError> {
        read_all!(self, "cannot read the blocks of the article";
            "SELECT position, kind, kept, rule, evidence, text FROM article_blocks
             WHERE article_id = $1 AND version = $2 ORDER BY position LIMIT $3",
            article, version, i64::from(most)
        )
    }

    /// The versions of an article, the latest first.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn read_versions(&self, article: i64, most: u32) -> Result<Vec<VersionRow>, StoreError> {
        read_all!(self, "cannot read the versions of the article";
            "SELECT version, latest, title, word_count, version_similarity, message_time, version_at, cause
             FROM article_versions WHERE article_id = $1 ORDER BY version DESC LIMIT $2",
            article, i64::from(most)
        )
    }

    /// What a version says; the latest if none is named. `None`: there is no such version.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn read_version_text(
        &self,
        article: i64,
        version: Option<i64>,
    ) -> Result<Option<VersionText>, StoreError> {
        let which = if version.is_some() {
            "version = $2"
        } else {
            "latest AND $2::int8 IS NULL"
        };
        read_first!(self, "cannot read a version of the article";
            &format!("SELECT article_id, version, title, dek, body FROM article_versions WHERE article_id = $1 AND {which}"),
            article, version
        )
    }

    /// The messages that an article came with, the first stored first.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn read_sightings(&self, article: i64, most: u32) -> Result<Vec<SightingRow>, StoreError> {
        read_all!(self, "cannot read the messages of the article";
            "SELECT topic, partition, \"offset\", version, verdict, message_time, ingested_at
             FROM sightings WHERE article_id = $1 ORDER BY ingested_at, topic, partition, \"offset\" LIMIT $2",
            article, i64::from(most)
        )
    }
}
