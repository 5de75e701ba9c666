//! The rows of an article: metadata, membership, evidence, and versions that are not shown. No I/O.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use copydesk_article::{ArticleId, Metadata, MetadataSource, Relation, Sourced, StoryId, Timestamp};
use copydesk_dedup::evidence::{Sampling, encode};
use copydesk_dedup::{Decision, RULE_VERSION};

use crate::flush::article_text::TextRow;
use crate::flush::dispositions::Disposition;
use crate::flush::evidence::{blocks_to_bytes, words_to_bytes};
use crate::flush::pending_article::PendingArticle;
use crate::flush::site_memory::Outcome;
use crate::flush::stories::{Stories, refusals};
use crate::rows::{Bytes, ContentHash, Json, List, columns, row};

columns! {
    /// The metadata of one version of an article; a new version replaces it.
    ContentColumns of Content<'b> {
        article_id: i64 = "int8",
        published_at: Option<DateTime<Utc>> = "timestamptz",
        modified_at: Option<DateTime<Utc>> = "timestamptz",
        fetched_at: Option<DateTime<Utc>> = "timestamptz",
        message_time: Option<DateTime<Utc>> = "timestamptz",
        version: i32 = "int4",
        word_count: i32 = "int4",
        published_offset_minutes: Option<i32> = "int4",
        modified_offset_minutes: Option<i32> = "int4",
        version_similarity: Option<f32> = "float4",
        fingerprint_version: i16 = "int2",
        recents: i16 = "int2",
        paywalled: Option<bool> = "bool",
        body_hash: Vec<u8> = "bytea",
        raw_hash: &'b [u8] = "bytea",
        rules_version: &'b str = "text",
        site: Option<&'b str> = "text",
        site_source: Option<&'b str> = "text",
        site_name: Option<&'b str> = "text",
        site_name_source: Option<&'b str> = "text",
        title: Option<&'b str> = "text",
        title_source: Option<&'b str> = "text",
        dek: Option<&'b str> = "text",
        dek_source: Option<&'b str> = "text",
        authors: List = "text",
        authors_source: Option<&'b str> = "text",
        published_source: Option<&'b str> = "text",
        modified_source: Option<&'b str> = "text",
        language: Option<&'b str> = "text",
        language_source: Option<&'b str> = "text",
        section: Option<&'b str> = "text",
        section_source: Option<&'b str> = "text",
        agency: Option<&'b str> = "text",
        agency_source: Option<&'b str> = "text",
        tags: List = "text",
        image_url: Option<&'b str> = "text",
        image_url_source: Option<&'b str> = "text",
        url: Option<&'b str> = "text",
        canonical_url: Option<&'b str> = "text",
        canonical_url_source: Option<&'b str> = "text",
        own_url: Option<&'b str> = "text",
        warnings: List = "text",
        captions: List = "text",
        extra: Option<Json<'b>> = "text",
    }
}

impl Content<'_> {
    pub(crate) fn hash(&self, text: &TextRow<'_>) -> ContentHash {
        ContentHash::of(self.title, self.dek, &self.captions, &text.body, &text.blocks.0)
    }
}

columns! {
    /// A version that is not shown.
    VersionColumns of VersionRow<'b> {
        article_id: i64 = "int8",
        fetched_at: Option<DateTime<Utc>> = "timestamptz",
        message_time: Option<DateTime<Utc>> = "timestamptz",
        modified_at: Option<DateTime<Utc>> = "timestamptz",
        version: i32 = "int4",
        word_count: i32 = "int4",
        version_similarity: Option<f32> = "float4",
        fingerprint_version: i16 = "int2",
        body_hash: Vec<u8> = "bytea",
        rules_version: &'b str = "text",
        title: Option<&'b str> = "text",
        dek: Option<&'b str> = "text",
        captions: List = "text",
        blocks: Json<'b> = "text",
        body: Cow<'b, str> = "text",
    }
}

impl<'b> VersionRow<'b> {
    pub(crate) fn of(content: Content<'b>, text: TextRow<'b>) -> Self {
        Self {
            article_id: content.article_id,
            fetched_at: content.fetched_at,
            message_time: content.message_time,
            modified_at: content.modified_at,
            version: content.version,
            word_count: content.word_count,
            version_similarity: content.version_similarity,
            fingerprint_version: content.fingerprint_version,
            body_hash: content.body_hash,
            rules_version: content.rules_version,
            title: content.title,
            dek: content.dek,
            captions: content.captions,
            blocks: text.blocks,
            body: text.body,
        }
    }
}

row! {
    /// The columns that no version changes.
    NewArticleColumns<'b> {
        replaces: Option<ArticleId>,
        identity: &'b [u8],
    }
}

row! {
    /// The decision on a new article: its story and its link.
    Membership<'b> {
        article_id: ArticleId,
        story_id: StoryId,
        linked_to: Option<ArticleId>,
        shared_shingles: Option<i32>,
        similarity: Option<f32>,
        containment: Option<f32>,
        containment_of_linked: Option<f32>,
        link_rule_version: i16,
        common_version: Option<i32>,
        relation: &'b str,
        link_reason: Option<&'b str>,
        between_stories: bool,
        refusals: Option<Json<'b>>,
    }
}

columns! {
    /// Evidence of the latest version.
    EvidenceColumns of EvidenceRow<'b> {
        article_id: i64 = "int8",
        site_hash: Option<i64> = "int8",
        url_hash: Option<i64> = "int8",
        fingerprint_version: i16 = "int2",
        site_stories: Option<i16> = "int2",
        block_hashes: Vec<u8> = "bytea",
        title_words: Vec<u8> = "bytea",
        dropped_blocks: Option<Vec<u8>> = "bytea",
        page_blocks: Vec<u8> = "bytea",
        site_view: Option<Vec<u8>> = "bytea",
        evidence: Bytes<'b> = "bytea",
    }
}

fn value<T: AsRef<str>>(sourced: Option<&Sourced<T>>) -> Option<&str> {
    sourced.map(|s| s.value.as_ref())
}

fn source<T>(sourced: Option<&Sourced<T>>) -> Option<&'static str> {
    sourced.map(|s| s.source.as_str())
}

fn instant(sourced: Option<&Sourced<Timestamp>>) -> Option<DateTime<Utc>> {
    sourced.map(|s| s.value.instant())
}

fn offset(sourced: Option<&Sourced<Timestamp>>) -> Option<i32> {
    sourced.and_then(|s| s.value.offset_minutes())
}

pub(crate) fn content<'b>(
    pending: &'b PendingArticle<'b>,
    article: ArticleId,
    disposition: Disposition,
    site: &'b Outcome,
) -> Content<'b> {
    let prepared = pending.prepared;
    let (clean, word_count) = match &site.changed {
        Some((clean, words)) => (clean, *words),
        None => (
            &prepared.clean,
            i32::try_from(prepared.fingerprint.word_count).unwrap_or(i32::MAX),
        ),
    };
    let m: &'b Metadata = &clean.metadata;
    let version_similarity = match disposition {
        Disposition::Version { similarity, .. } | Disposition::Older { similarity, .. } => Some(similarity),
        Disposition::Unchanged { .. } | Disposition::New { .. } => None,
    };
    Content {
        article_id: article.0,
        published_at: instant(m.published_at.as_ref()),
        modified_at: instant(m.modified_at.as_ref()),
        fetched_at: prepared.fetched_at,
        message_time: pending.item.message.timestamp,
        version: disposition.version(),
        word_count,
        published_offset_minutes: offset(m.published_at.as_ref()),
        modified_offset_minutes: offset(m.modified_at.as_ref()),
        version_similarity,
        fingerprint_version: prepared.fingerprint.version.0,
        recents: site.recents,
        paywalled: m.paywalled,
        body_hash: prepared.fingerprint.body_hash.0.to_be_bytes().to_vec(),
        raw_hash: &pending.raw_hash,
        rules_version: &clean.rules_version,
        site: value(m.site.as_ref()),
        site_source: source(m.site.as_ref()),
        site_name: value(m.site_name.as_ref()),
        site_name_source: source(m.site_name.as_ref()),
        title: value(m.title.as_ref()),
        title_source: source(m.title.as_ref()),
        dek: value(m.dek.as_ref()),
        dek_source: source(m.dek.as_ref()),
        authors: List::of(&m.authors),
        authors_source: m.authors_source.map(MetadataSource::as_str),
        published_source: source(m.published_at.as_ref()),
        modified_source: source(m.modified_at.as_ref()),
        language: value(m.language.as_ref()),
        language_source: source(m.language.as_ref()),
        section: value(m.section.as_ref()),
        section_source: source(m.section.as_ref()),
        agency: value(m.agency.as_ref()),
        agency_source: source(m.agency.as_ref()),
        tags: List::of(&m.tags),
        image_url: value(m.image_url.as_ref()),
        image_url_source: source(m.image_url.as_ref()),
        // A page may state its address where the producer does not.
        url: m.url.as_deref().or_else(|| pending.canonical()),
        canonical_url: pending.canonical(),
        canonical_url_source: pending.named_by().map(|(_, source)| source.as_str()),
        own_url: pending.claimant(),
        warnings: List::of(&clean.warnings),
        captions: List::of(clean.captions()),
        extra: (!prepared.extra.is_empty()).then(|| {
            Json(
                serde_json::Value::Object(prepared.extra.clone())
                    .to_string()
                    .into(),
            )
        }),
    }
}

pub(crate) fn membership(
    article: ArticleId,
    decision: &Decision,
    between_stories: bool,
    stories: &Stories,
    common_version: Option<i32>,
) -> Membership<'static> {
    let link = decision.link.filter(|_| stories.keeps_link(article));
    Membership {
        article_id: article,
        story_id: stories.of(article),
        linked_to: link.map(|l| l.to),
        shared_shingles: link.map(|l| i32::try_from(l.shared).unwrap_or(i32::MAX)),
        similarity: link.map(|l| l.similarity as f32),
        containment: link.map(|l| l.in_linked as f32),
        containment_of_linked: link.map(|l| l.of_linked as f32),
        link_rule_version: RULE_VERSION,
        common_version,
        relation: match link {
            Some(link) => link.relation.as_str(),
            None if decision.digest || stories.is_found_digest(article) => Relation::Digest.as_str(),
            None => Relation::Original.as_str(),
        },
        link_reason: link.map(|l| l.reason.as_str()),
        between_stories,
        refusals: refusals(decision).map(|r| Json(r.into())),
    }
}

pub(crate) fn evidence_row<'b>(
    pending: &PendingArticle<'b>,
    article: ArticleId,
    site: &Outcome,
) -> EvidenceRow<'b> {
    let fingerprint = &pending.prepared.fingerprint;
    let dropped = &site.evidence.dropped;
    EvidenceRow {
        article_id: article.0,
        site_hash: pending.site_hash,
        url_hash: pending.url_hash.map(u64::cast_signed),
        fingerprint_version: fingerprint.version.0,
        site_stories: site.stories,
        block_hashes: blocks_to_bytes(&fingerprint.blocks),
        title_words: words_to_bytes(&fingerprint.title_words),
        dropped_blocks: (!dropped.is_empty()).then(|| blocks_to_bytes(dropped)),
        page_blocks: site.page.clone(),
        site_view: site.view.clone(),
        evidence: Bytes(match site.evidence.kept(fingerprint) {
            Cow::Borrowed(_) => Cow::from(&pending.prepared.ready.evidence),
            Cow::Owned(kept) => encode(&kept, Sampling::Full).into(),
        }),
    }
}
