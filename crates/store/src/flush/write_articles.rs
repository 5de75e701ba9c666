//! Writes articles, their versions and their evidence: one statement a table, and `COPY` for new rows.
//!
//! In: a batch's articles, without the blocks that site memory takes out. [`ArticleRows::new`] lays out all
//! rows that depend on no decision. [`ArticleRows::insert_new`] writes those of new articles, before the
//! flush locks any keys. [`ArticleRows::write`] writes the others behind the lock: new versions, and the
//! memberships of new articles.

use std::collections::HashMap;
use std::sync::LazyLock;

use copydesk_article::ArticleId;
use sqlx::PgConnection;

use crate::error::{Context as _, StoreError};
use crate::flush::article_rows::{
    Content, ContentColumns, EvidenceColumns, EvidenceRow, Membership, NewArticleColumns, VersionColumns,
    VersionRow, content, evidence_row, membership,
};
use crate::flush::article_text::{self, TextColumns, TextRow};
use crate::flush::dispositions::Disposition;
use crate::flush::pending_article::PendingArticle;
use crate::flush::plan::Decided;
use crate::flush::site_memory::Cleaned;
use crate::flush::stories::Stories;
use crate::flush::story_rows::Member;
use crate::rows::{ContentHash, CopyInto, copy, execute, list, numbers, sql};

/// Converts a column of the parameters to the column of the table: lists are split, JSON is parsed.
fn select_expression(column: &str) -> String {
    match column {
        "authors" | "tags" | "warnings" | "captions" => format!("string_to_array(r.\"{column}\", E'\\x1f')"),
        "extra" | "blocks" => format!("r.\"{column}\"::jsonb"),
        _ => format!("r.\"{column}\""),
    }
}

fn select_list(names: &[&str]) -> String {
    names
        .iter()
        .map(|n| select_expression(n))
        .collect::<Vec<_>>()
        .join(", ")
}

/// `ingested_at` and `version_at` are the transaction's time: their default.
static INTO_ARTICLE: LazyLock<CopyInto> =
    LazyLock::new(|| CopyInto::new("article", &[Content::NAMES, NewArticleColumns::NAMES].concat()));

/// `ingested_at` as in `article`.
static INTO_MEMBERSHIP: LazyLock<CopyInto> = LazyLock::new(|| CopyInto::new("membership", Membership::NAMES));

static INTO_EVIDENCE: LazyLock<CopyInto> = LazyLock::new(|| CopyInto::new("evidence", EvidenceRow::NAMES));

static UPDATE_ARTICLES: LazyLock<String> = LazyLock::new(|| {
    let set: Vec<String> = Content::NAMES
        .iter()
        .filter(|n| **n != "article_id")
        .map(|n| format!("\"{n}\" = {}", select_expression(n)))
        .collect();
    format!(
        // The message is the same and the text is another one: the rules have changed it, not the publisher.
        "UPDATE article a SET {}, version_at = now(), version_cause = CASE WHEN a.raw_hash = r.raw_hash THEN 'rules' END
         FROM {} WHERE a.article_id = r.article_id",
        set.join(", "),
        ContentColumns::unnest(),
    )
});

static ARCHIVE: LazyLock<String> = LazyLock::new(|| {
    let columns = list(VersionRow::NAMES, "");
    format!(
        "INSERT INTO article_version ({columns}, version_at, version_cause)
         SELECT {columns}, version_at, version_cause FROM article JOIN article_text USING (article_id) WHERE article_id = ANY ($1)"
    )
});

static INSERT_VERSIONS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "INSERT INTO article_version ({}, version_at) SELECT {}, now() FROM {}",
        list(VersionRow::NAMES, ""),
        select_list(VersionRow::NAMES),
        VersionColumns::unnest(),
    )
});

static UPSERT_EVIDENCE: LazyLock<String> = LazyLock::new(|| {
    let set: Vec<String> = EvidenceRow::NAMES
        .iter()
        .filter(|n| **n != "article_id")
        .map(|n| format!("\"{n}\" = EXCLUDED.\"{n}\""))
        .collect();
    format!(
        "INSERT INTO evidence ({}) SELECT {} FROM {} ON CONFLICT (article_id) DO UPDATE SET {}",
        list(EvidenceRow::NAMES, ""),
        select_list(EvidenceRow::NAMES),
        EvidenceColumns::unnest(),
        set.join(", "),
    )
});

/// Refusals belong to the text that was decided on.
const FORGET_REFUSALS: &str = "UPDATE membership SET between_stories = false, refusals = NULL
     WHERE article_id = ANY ($1) AND (between_stories OR refusals IS NOT NULL)";

const STORING_EVIDENCE: &str = "cannot store evidence";

/// All rows of a batch's articles.
#[derive(Default)]
pub(crate) struct ArticleRows<'b> {
    new: Vec<NewArticle<'b>>,
    /// Row by row beside `new`.
    new_texts: Vec<TextRow<'b>>,
    new_evidence: Vec<EvidenceRow<'b>>,
    updated: ContentColumns<'b>,
    /// Row by row beside `updated`.
    updated_texts: TextColumns<'b>,
    updated_evidence: EvidenceColumns<'b>,
    updated_ids: Vec<ArticleId>,
    /// Versions that came and went within the batch.
    superseded: VersionColumns<'b>,
    superseded_count: usize,
    /// For each article of the batch in order, the hash of the version that it brings; `None`: it brings
    /// none.
    hashes: Vec<Option<ContentHash>>,
}

/// A new article.
struct NewArticle<'b> {
    /// Of its last version in the batch.
    content: Content<'b>,
    founding: NewArticleColumns<'b>,
    /// The place in the batch of its first version.
    first: usize,
}

impl<'b> ArticleRows<'b> {
    /// Lays out the rows.
    pub(crate) fn new(
        batch: &'b [PendingArticle<'b>],
        dispositions: &[Disposition],
        cleaned: &'b Cleaned,
        keeps_markup: bool,
    ) -> Self {
        let mut rows = Self {
            hashes: vec![None; batch.len()],
            ..Self::default()
        };
        // Only the last version of an article in the batch goes into `article`.
        let last = last_shown(batch, dispositions);
        let mut founded: HashMap<ArticleId, (usize, Option<ArticleId>)> = HashMap::new();
        for (n, ((pending, disposition), site)) in
            batch.iter().zip(dispositions).zip(&cleaned.outcomes).enumerate()
        {
            let Some(site) = site else { continue };
            let id = disposition.article(pending.fresh);
            if let Disposition::New { replaces } = disposition {
                founded.insert(id, (n, *replaces));
            }
            let content = content(pending, id, *disposition, site);
            let text = TextRow::of(pending, id, site, keeps_markup);
            if let Some(hash) = rows.hashes.get_mut(n) {
                *hash = Some(match &site.changed {
                    None => pending.prepared.ready.content,
                    Some(_) => content.hash(&text),
                });
            }
            // All others go into `article_version`.
            if last.get(&id) != Some(&n) {
                rows.superseded.push(VersionRow::of(content, text));
                rows.superseded_count += 1;
                continue;
            }
            let evidence = evidence_row(pending, id, site);
            if let Some((first, replaces)) = founded.remove(&id) {
                rows.new.push(NewArticle {
                    content,
                    founding: NewArticleColumns {
                        replaces,
                        identity: &pending.identity.0,
                    },
                    first,
                });
                rows.new_texts.push(text);
                rows.new_evidence.push(evidence);
            } else {
                rows.updated.push(content);
                rows.updated_texts.push(text);
                rows.updated_evidence.push(evidence);
                rows.updated_ids.push(id);
            }
        }
        rows
    }

    /// The new articles, as their stories' rows see them.
    pub(crate) fn members(&self) -> impl Iterator<Item = Member> {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        self.new.iter().map(move |new| Member {
            article: ArticleId(new.content.article_id),
            site: owned(new.content.site),
            title: owned(new.content.title),
            url: owned(new.content.url),
            language: owned(new.content.language),
            words: new.content.word_count,
            published_at: new.content.published_at,
            message_time: new.content.message_time,
        })
    }

    /// The articles that have a new version.
    pub(crate) fn updated(&self) -> &[ArticleId] {
        &self.updated_ids
    }

    /// For each article of the batch in order, the hash of the version that it brings; `None`: it brings
    /// none.
    pub(crate) fn into_hashes(self) -> Vec<Option<ContentHash>> {
        self.hashes
    }

    /// Writes metadata, texts and evidence of new articles. Nobody else knows their numbers yet, so this
    /// waits for no lock.
    pub(crate) async fn insert_new(&self, connection: &mut PgConnection) -> Result<(), StoreError> {
        if self.new.is_empty() {
            return Ok(());
        }
        copy(connection, &INTO_ARTICLE, &self.new, |new, row| {
            new.content.put(row);
            new.founding.put(row);
        })
        .await
        .context("cannot store articles")?;
        article_text::insert(connection, &self.new_texts).await?;
        copy(connection, &INTO_EVIDENCE, &self.new_evidence, |new, row| {
            new.put(row);
        })
        .await
        .context(STORING_EVIDENCE)
    }

    /// Writes the new versions, and the memberships of the new articles. `common_version`: the list of common
    /// shingles that the decisions used.
    pub(crate) async fn write(
        &self,
        connection: &mut PgConnection,
        decided: &Decided,
        stories: &Stories,
        common_version: Option<i32>,
    ) -> Result<(), StoreError> {
        if !self.updated_ids.is_empty() {
            execute!(&mut *connection, "cannot archive replaced versions";
                ARCHIVE.as_str(), numbers(&self.updated_ids)
            )?;
            execute!(&mut *connection, "cannot forget what a replaced version was not linked to";
                FORGET_REFUSALS, numbers(&self.updated_ids)
            )?;
            let statement = self.updated.bind(sqlx::query(UPDATE_ARTICLES.as_str()));
            sql::run(statement, &mut *connection, "cannot store new versions").await?;
            let statement = self.updated_evidence.bind(sqlx::query(UPSERT_EVIDENCE.as_str()));
            sql::run(statement, &mut *connection, STORING_EVIDENCE).await?;
            article_text::update(connection, &self.updated_texts).await?;
        }
        if self.superseded_count > 0 {
            let statement = self.superseded.bind(sqlx::query(INSERT_VERSIONS.as_str()));
            sql::run(statement, &mut *connection, "cannot store superseded versions").await?;
        }
        let decided_on = |new: &NewArticle<'_>| {
            let decision = decided.decisions.get(new.first)?.as_ref()?;
            let between_stories = decided.between_stories.get(new.first).copied()?;
            let article = ArticleId(new.content.article_id);
            Some(membership(
                article,
                decision,
                between_stories,
                stories,
                common_version,
            ))
        };
        let new: Vec<Membership<'_>> = self.new.iter().filter_map(decided_on).collect();
        if new.is_empty() {
            return Ok(());
        }
        copy(connection, &INTO_MEMBERSHIP, &new, |new, row| new.put(row))
            .await
            .context("cannot store where articles belong")
    }
}

/// For each article the place in the batch of the last version that is shown.
fn last_shown(batch: &[PendingArticle<'_>], dispositions: &[Disposition]) -> HashMap<ArticleId, usize> {
    let shown = batch.iter().zip(dispositions).enumerate();
    let shown = shown.filter(|(_, (_, disposition))| disposition.is_shown());
    shown
        .map(|(n, (pending, disposition))| (disposition.article(pending.fresh), n))
        .collect()
}
