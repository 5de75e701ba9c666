//! Rows of articles, their versions and their evidence: one statement a table, and `COPY` for those that are new.
//!
//! In: a batch's articles, without what site memory takes out. [`ArticleRows::new`] lays out all that depends on no decision, and
//! [`ArticleRows::insert_new`] writes what of it is of new articles, before the flush locks any keys. [`ArticleRows::write`] writes the rest behind the
//! lock: new versions, and where each new article belongs.

use std::collections::HashMap;
use std::sync::LazyLock;

use copydesk_article::ArticleId;
use sqlx::PgConnection;

use crate::error::{Doing as _, StoreError};
use crate::flush::article_rows::{
    Content, ContentColumns, EvidenceColumns, EvidenceRow, Founding, Membership, VersionColumns, VersionRow,
    content, evidence_row, membership,
};
use crate::flush::article_text::{self, TextColumns, TextRow};
use crate::flush::dispositions::Disposition;
use crate::flush::plan::Decided;
use crate::flush::site_memory::Cleaned;
use crate::flush::stories::Stories;
use crate::flush::story_rows::Member;
use crate::flush::work::Work;
use crate::rows::content_hash::ContentHash;
use crate::rows::copy::{CopyInto, copy};
use crate::rows::ids::numbers;
use crate::rows::values::list;

/// How a column of text becomes the column of the table: lists are taken apart, JSON is parsed.
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
    LazyLock::new(|| CopyInto::new("article", &[Content::NAMES, Founding::NAMES].concat()));

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
        // The same bytes with another text: not the publisher has changed it, the rules have.
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

/// Refusals are of the text that was decided on.
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
    /// Of each work in its order, the hash of the version that it brings; `None`: it brings none.
    hashes: Vec<Option<ContentHash>>,
}

/// A new article.
struct NewArticle<'b> {
    /// Of its last version in the batch.
    content: Content<'b>,
    founding: Founding<'b>,
    /// The work that is its first version.
    work: usize,
}

impl<'b> ArticleRows<'b> {
    /// Lays out the rows.
    pub(crate) fn new(
        works: &'b [Work<'b>],
        dispositions: &[Disposition],
        cleaned: &'b Cleaned,
        keeps_markup: bool,
    ) -> Self {
        let mut rows = Self {
            hashes: vec![None; works.len()],
            ..Self::default()
        };
        // What the tables show.
        let last = last_shown(works, dispositions);
        let mut founded: HashMap<i64, (usize, Option<i64>)> = HashMap::new();
        for (n, ((work, disposition), site)) in
            works.iter().zip(dispositions).zip(&cleaned.of_work).enumerate()
        {
            let Some(site) = site else { continue };
            let id = disposition.article(work.fresh);
            if let Disposition::New { replaces } = disposition {
                founded.insert(id, (n, *replaces));
            }
            let content = content(work, id, *disposition, site);
            let text = TextRow::of(work, id, site, keeps_markup);
            if let Some(hash) = rows.hashes.get_mut(n) {
                *hash = Some(match &site.changed {
                    None => work.article.ready.content,
                    Some(_) => content.hash(&text),
                });
            }
            // An older version goes behind the one that is shown.
            if last.get(&id) != Some(&n) {
                rows.superseded.push(VersionRow::of(content, text));
                rows.superseded_count += 1;
                continue;
            }
            let evidence = evidence_row(work, id, site);
            if let Some((first, replaces)) = founded.remove(&id) {
                rows.new.push(NewArticle {
                    content,
                    founding: Founding {
                        replaces,
                        identity: &work.identity.0,
                    },
                    work: first,
                });
                rows.new_texts.push(text);
                rows.new_evidence.push(evidence);
            } else {
                rows.updated.push(content);
                rows.updated_texts.push(text);
                rows.updated_evidence.push(evidence);
                rows.updated_ids.push(ArticleId(id));
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

    /// Of each work in its order, the hash of the version that it brings; `None`: it brings none.
    pub(crate) fn into_hashes(self) -> Vec<Option<ContentHash>> {
        self.hashes
    }

    /// Writes what new articles say, with their evidence. Nobody else knows their numbers yet: nothing is waited for.
    pub(crate) async fn insert_new(&self, connection: &mut PgConnection) -> Result<(), StoreError> {
        if self.new.is_empty() {
            return Ok(());
        }
        copy(connection, &INTO_ARTICLE, &self.new, |new, row| {
            new.content.put(row);
            new.founding.put(row);
        })
        .await
        .doing("cannot store articles")?;
        article_text::insert(connection, &self.new_texts).await?;
        copy(connection, &INTO_EVIDENCE, &self.new_evidence, |new, row| {
            new.put(row);
        })
        .await
        .doing(STORING_EVIDENCE)
    }

    /// Writes the new versions, and what was decided on the new articles. `common_version`: of the list that the decisions used.
    pub(crate) async fn write(
        &self,
        connection: &mut PgConnection,
        decided: &Decided,
        stories: &Stories,
        common_version: Option<i32>,
    ) -> Result<(), StoreError> {
        if !self.updated_ids.is_empty() {
            sqlx::query(ARCHIVE.as_str())
                .bind(numbers(&self.updated_ids))
                .execute(&mut *connection)
                .await
                .doing("cannot archive replaced versions")?;
            sqlx::query(FORGET_REFUSALS)
                .bind(numbers(&self.updated_ids))
                .execute(&mut *connection)
                .await
                .doing("cannot forget what a replaced version was not linked to")?;
            self.updated
                .bind(sqlx::query(UPDATE_ARTICLES.as_str()))
                .execute(&mut *connection)
                .await
                .doing("cannot store new versions")?;
            self.updated_evidence
                .bind(sqlx::query(UPSERT_EVIDENCE.as_str()))
                .execute(&mut *connection)
                .await
                .doing(STORING_EVIDENCE)?;
            article_text::update(connection, &self.updated_texts).await?;
        }
        if self.superseded_count > 0 {
            self.superseded
                .bind(sqlx::query(INSERT_VERSIONS.as_str()))
                .execute(&mut *connection)
                .await
                .doing("cannot store superseded versions")?;
        }
        let decided_on = |new: &NewArticle<'_>| {
            let decision = decided.of_work.get(new.work)?.as_ref()?;
            let between_stories = decided.between_stories.get(new.work).copied()?;
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
            .doing("cannot store where articles belong")
    }
}

/// Of each article the place of the batch's last version of it that is shown.
fn last_shown(works: &[Work<'_>], dispositions: &[Disposition]) -> HashMap<i64, usize> {
    let shown = works.iter().zip(dispositions).enumerate();
    let shown = shown.filter(|(_, (_, disposition))| disposition.is_shown());
    shown
        .map(|(n, (work, disposition))| (disposition.article(work.fresh), n))
        .collect()
}
