//! The texts of articles: body and blocks, apart from all else of an article.
//!
//! In: a batch's articles. Those that are new have their texts written before the flush locks any keys, as cleaning left them; texts from which site memory
//! takes something out, and those of new versions, are changed behind the lock. Whoever links, merges or splits does not touch them.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use sqlx::PgConnection;

use crate::blocks;
use crate::columns::columns;
use crate::copy::{CopyInto, copy};
use crate::dispositions::Disposition;
use crate::error::{Doing as _, StoreError};
use crate::site_memory::Outcome;
use crate::values::Json;
use crate::work::Work;

columns! {
    /// The text of one version of an article.
    TextColumns of TextRow<'b> {
        article_id: i64 = "int8",
        blocks: Json<'b> = "text",
        markup: Option<Json<'b>> = "text",
        body: Cow<'b, str> = "text",
    }
}

static INTO_TEXT: LazyLock<CopyInto> = LazyLock::new(|| CopyInto::new("article_text", TextRow::NAMES));

static UPDATE: LazyLock<String> = LazyLock::new(|| {
    format!(
        "UPDATE article_text t SET blocks = r.blocks::jsonb, markup = r.markup::jsonb, body = r.body FROM {} WHERE t.article_id = r.article_id",
        TextColumns::unnest(),
    )
});

const STORING: &str = "cannot store the articles' texts";

impl<'b> TextRow<'b> {
    /// As cleaning left it.
    fn as_cleaned(work: &'b Work<'b>, article_id: i64, keeps_markup: bool) -> Self {
        let ready = &work.article.ready;
        Self {
            article_id,
            blocks: Json(Cow::from(&ready.blocks)),
            markup: keeps_markup.then(|| Json(Cow::from(&ready.markup))),
            body: Cow::from(&ready.body),
        }
    }

    /// Without what site memory takes out.
    pub(crate) fn of(work: &'b Work<'b>, article_id: i64, site: &'b Outcome, keeps_markup: bool) -> Self {
        let mut text = Self::as_cleaned(work, article_id, keeps_markup);
        if let Some((clean, _)) = &site.changed {
            text.blocks = Json(blocks::to_json(clean).into());
            text.body = clean.body().into();
        }
        text
    }
}

/// Of each article the place of the batch's last version of it that is shown.
pub(crate) fn last_shown(works: &[Work<'_>], dispositions: &[Disposition]) -> HashMap<i64, usize> {
    let shown = works.iter().zip(dispositions).enumerate();
    let shown = shown.filter(|(_, (_, disposition))| disposition.is_shown());
    shown
        .map(|(n, (work, disposition))| (disposition.article(work.fresh), n))
        .collect()
}

/// Writes the texts of new articles, as cleaning left them. Nobody else knows their numbers yet: nothing is waited for.
pub(crate) async fn insert(
    connection: &mut PgConnection,
    works: &[Work<'_>],
    dispositions: &[Disposition],
    keeps_markup: bool,
) -> Result<(), StoreError> {
    let is_new = |d: &Disposition| matches!(d, Disposition::New { .. });
    let new = works.iter().zip(dispositions).filter(|(_, d)| is_new(d));
    let new: HashSet<i64> = new.map(|(work, _)| work.fresh).collect();
    let last = last_shown(works, dispositions);
    let rows: Vec<TextRow<'_>> = works
        .iter()
        .zip(dispositions)
        .enumerate()
        .map(|(n, (work, disposition))| (n, work, disposition.article(work.fresh)))
        .filter(|(n, _, id)| new.contains(id) && last.get(id) == Some(n))
        .map(|(_, work, id)| TextRow::as_cleaned(work, id, keeps_markup))
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    copy(connection, &INTO_TEXT, &rows, |row, into| row.put(into))
        .await
        .doing(STORING)
}

/// Changes texts that are there.
pub(crate) async fn update(connection: &mut PgConnection, rows: &TextColumns<'_>) -> Result<(), StoreError> {
    rows.bind(sqlx::query(UPDATE.as_str()))
        .execute(connection)
        .await
        .doing(STORING)?;
    Ok(())
}
