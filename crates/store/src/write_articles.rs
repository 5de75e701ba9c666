//! Rows of articles, their versions and their evidence: one statement a table, and `COPY` for those that are new. Their texts: [`article_text`].

use std::collections::HashMap;
use std::sync::LazyLock;

use sqlx::PgConnection;

use crate::article_rows::{
    Content, ContentColumns, EvidenceColumns, EvidenceRow, Founding, VersionColumns, VersionRow, content,
    evidence_row, founding,
};
use crate::article_text::{self, TextColumns, TextRow};
use crate::content_hash::ContentHash;
use crate::copy::{CopyInto, copy};
use crate::dispositions::Disposition;
use crate::error::{Doing as _, StoreError};
use crate::plan::Decided;
use crate::site_memory::Cleaned;
use crate::stories::Stories;
use crate::story_rows::Member;
use crate::values::list;
use crate::work::Work;

/// How a column of text becomes the column of the table: lists are taken apart, JSON is parsed.
fn select_expression(column: &str) -> String {
    match column {
        "authors" | "tags" | "warnings" | "captions" => format!("string_to_array(r.\"{column}\", E'\\x1f')"),
        // Of an article that is there: it was read before others were waited for, who may have moved it. Its row is locked by now.
        "story_id" => "(SELECT a.story_id FROM article a WHERE a.article_id = r.article_id)".to_owned(),
        "extra" | "blocks" | "refusals" => format!("r.\"{column}\"::jsonb"),
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

const STORING_EVIDENCE: &str = "cannot store evidence";

/// All rows of a batch's articles.
#[derive(Default)]
pub(crate) struct ArticleRows<'b> {
    inserted: Vec<Inserted<'b>>,
    updated: ContentColumns<'b>,
    /// Row by row beside `updated`.
    updated_evidence: EvidenceColumns<'b>,
    updated_ids: Vec<i64>,
    /// Texts of versions, and of new articles from which site memory takes something out.
    changed_texts: TextColumns<'b>,
    changed_texts_count: usize,
    /// Versions that came and went within the batch.
    superseded: VersionColumns<'b>,
    superseded_count: usize,
    /// Of each work in its order, the hash of the version that it brings; `None`: it brings none.
    hashes: Vec<Option<ContentHash>>,
}

/// The rows of a new article.
struct Inserted<'b> {
    content: Content<'b>,
    founding: Founding<'b>,
    evidence: EvidenceRow<'b>,
}

impl<'b> ArticleRows<'b> {
    /// Lays out the rows.
    pub(crate) fn new(
        works: &'b [Work<'b>],
        dispositions: &[Disposition],
        decided: &'b Decided,
        stories: &Stories,
        cleaned: &'b Cleaned,
        common_version: Option<i32>,
        keeps_markup: bool,
    ) -> Self {
        let mut rows = Self {
            hashes: vec![None; works.len()],
            ..Self::default()
        };
        // What the tables show.
        let last = article_text::last_shown(works, dispositions);
        let mut founded: HashMap<i64, Founding<'b>> = HashMap::new();
        let decisions = decided.of_work.iter().zip(&decided.notes);
        for (n, ((work, disposition), (decision, note))) in
            works.iter().zip(dispositions).zip(decisions).enumerate()
        {
            let Some(Some(site)) = cleaned.of_work.get(n) else {
                continue;
            };
            let id = disposition.article(work.fresh);
            if let (Disposition::New { replaces }, Some(decision)) = (disposition, decision) {
                let founding = Founding {
                    common_version,
                    ..founding(work, *replaces, decision, stories)
                };
                founded.insert(id, founding);
            }
            let content = content(work, id, *disposition, site);
            let text = TextRow::of(work, id, site, keeps_markup);
            if let Some(hash) = rows.hashes.get_mut(n) {
                *hash = Some(match &site.changed {
                    None => work.article.ready.content,
                    Some(_) => content.hash(&text),
                });
            }
            // No decision is made on an older version: it goes behind the one that is shown.
            let (Some(decision), true) = (decision, last.get(&id) == Some(&n)) else {
                rows.superseded.push(VersionRow::of(content, text));
                rows.superseded_count += 1;
                continue;
            };
            let evidence = evidence_row(work, id, decision, *note, site);
            let founding = founded.remove(&id);
            if founding.is_none() || site.changed.is_some() {
                rows.changed_texts.push(text);
                rows.changed_texts_count += 1;
            }
            if let Some(founding) = founding {
                rows.inserted.push(Inserted {
                    content,
                    founding,
                    evidence,
                });
            } else {
                rows.updated.push(content);
                rows.updated_evidence.push(evidence);
                rows.updated_ids.push(id);
            }
        }
        rows
    }

    /// The new articles, as their stories' rows see them.
    pub(crate) fn members(&self) -> impl Iterator<Item = Member> {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        self.inserted.iter().map(move |new| Member {
            article: new.content.article_id,
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
    pub(crate) fn updated(&self) -> &[i64] {
        &self.updated_ids
    }

    /// Of each work in its order, the hash of the version that it brings; `None`: it brings none.
    pub(crate) fn into_hashes(self) -> Vec<Option<ContentHash>> {
        self.hashes
    }

    /// Writes them.
    pub(crate) async fn write(&self, connection: &mut PgConnection) -> Result<(), StoreError> {
        if !self.updated_ids.is_empty() {
            sqlx::query(ARCHIVE.as_str())
                .bind(&self.updated_ids)
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
        }
        if self.changed_texts_count > 0 {
            article_text::update(connection, &self.changed_texts).await?;
        }
        if self.superseded_count > 0 {
            self.superseded
                .bind(sqlx::query(INSERT_VERSIONS.as_str()))
                .execute(&mut *connection)
                .await
                .doing("cannot store superseded versions")?;
        }
        if !self.inserted.is_empty() {
            copy(&mut *connection, &INTO_ARTICLE, &self.inserted, |new, row| {
                new.content.put(row);
                new.founding.put(row);
            })
            .await
            .doing("cannot store articles")?;
            copy(&mut *connection, &INTO_EVIDENCE, &self.inserted, |new, row| {
                new.evidence.put(row);
            })
            .await
            .doing(STORING_EVIDENCE)?;
        }
        Ok(())
    }
}
