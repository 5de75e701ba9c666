//! Rows of articles, their versions and their evidence: one statement a table, and `COPY` for those that are new.
//!
//! In: a batch's articles, without what site memory takes out. [`ArticleRows::new`] lays out all that depends on no decision, and
//! [`ArticleRows::insert_new`] writes what of it is of new articles, before the flush locks any keys; [`ArticleRows::write`] the rest behind the lock.

use std::collections::HashMap;
use std::sync::LazyLock;

use copydesk_article::ArticleId;
use sqlx::PgConnection;

use crate::error::{Doing as _, StoreError};
use crate::flush::article_rows::{
    Content, ContentColumns, EvidenceColumns, EvidenceRow, Founding, VersionColumns, VersionRow, content,
    evidence_row, founding,
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

static INTO_EVIDENCE: LazyLock<CopyInto> = LazyLock::new(|| CopyInto::new("evidence", EvidenceRow::NAMES));

static UPDATE_ARTICLES: LazyLock<String> = LazyLock::new(|| {
    let set: Vec<String> = Content::NAMES
        .iter()
        .filter(|n| **n != "article_id")
        .map(|n| format!("\"{n}\" = {}", select_expression(n)))
        .collect();
    format!(
        // The same bytes with another text: not the publisher has changed it, the rules have.
        "UPDATE article a SET {}, between_stories = false, refusals = NULL, version_at = now(), version_cause = CASE WHEN a.raw_hash = r.raw_hash THEN 'rules' END
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
    /// The work that is its first version.
    work: usize,
    replaces: Option<i64>,
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
            if let Some((work, replaces)) = founded.remove(&id) {
                rows.new.push(NewArticle {
                    content,
                    work,
                    replaces,
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

    /// Writes the texts and the evidence of new articles. Nobody else knows their numbers yet: nothing is waited for.
    pub(crate) async fn insert_new(&self, connection: &mut PgConnection) -> Result<(), StoreError> {
        if self.new.is_empty() {
            return Ok(());
        }
        article_text::insert(connection, &self.new_texts).await?;
        copy(connection, &INTO_EVIDENCE, &self.new_evidence, |new, row| {
            new.put(row);
        })
        .await
        .doing(STORING_EVIDENCE)
    }

    /// Writes the new articles with what was decided on them, and the new versions. `common_version`: of the list that the decisions used.
    pub(crate) async fn write(
        &self,
        connection: &mut PgConnection,
        works: &[Work<'_>],
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
        let founding = |new: &NewArticle<'_>| {
            let work = works.get(new.work)?;
            let decision = decided.of_work.get(new.work)?.as_ref()?;
            let between_stories = decided.between_stories.get(new.work).copied()?;
            Some(Founding {
                replaces: new.replaces,
                common_version,
                ..founding(work, decision, between_stories, stories)
            })
        };
        let new: Vec<(&Content<'_>, Founding<'_>)> = self
            .new
            .iter()
            .filter_map(|new| Some((&new.content, founding(new)?)))
            .collect();
        if new.is_empty() {
            return Ok(());
        }
        copy(connection, &INTO_ARTICLE, &new, |(content, founding), row| {
            content.put(row);
            founding.put(row);
        })
        .await
        .doing("cannot store articles")
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
