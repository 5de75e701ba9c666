//! The texts of articles: body and blocks, apart from all else of an article.
//!
//! In: a batch's articles, without what site memory takes out. The texts of new ones are written before the flush locks any keys, those of new
//! versions behind the lock.

use std::borrow::Cow;
use std::sync::LazyLock;

use sqlx::PgConnection;

use crate::error::{Doing as _, StoreError};
use crate::flush::site_memory::Outcome;
use crate::flush::work::Work;
use crate::rows::blocks;
use crate::rows::columns::columns;
use crate::rows::copy::{CopyInto, copy};
use crate::rows::values::Json;

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
    /// Without what site memory takes out.
    pub(crate) fn of(work: &'b Work<'b>, article_id: i64, site: &'b Outcome, keeps_markup: bool) -> Self {
        let ready = &work.article.ready;
        let (blocks, body) = match &site.changed {
            Some((clean, _)) => (Cow::from(blocks::to_json(clean)), clean.body().into()),
            None => (Cow::from(&ready.blocks), Cow::from(&ready.body)),
        };
        Self {
            article_id,
            blocks: Json(blocks),
            markup: keeps_markup.then(|| Json(Cow::from(&ready.markup))),
            body,
        }
    }
}

/// Writes the texts of new articles. Nobody else knows their numbers yet: nothing is waited for.
pub(crate) async fn insert(connection: &mut PgConnection, rows: &[TextRow<'_>]) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    copy(connection, &INTO_TEXT, rows, |row, into| row.put(into))
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
