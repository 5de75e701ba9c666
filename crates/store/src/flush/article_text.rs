//! The texts of articles: body and blocks, in a table of their own.
//!
//! In: a batch's articles, without the blocks that site memory takes out. Texts of new articles are written
//! before the flush locks any keys, texts of new versions behind the lock.

use std::borrow::Cow;
use std::sync::LazyLock;

use copydesk_article::ArticleId;
use sqlx::PgConnection;

use crate::error::{Context as _, StoreError};
use crate::flush::pending_article::PendingArticle;
use crate::flush::site_memory::Outcome;
use crate::rows::{CopyInto, Json, blocks, columns, copy, sql};

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
    /// The text without the blocks that site memory takes out.
    pub(crate) fn of(
        pending: &'b PendingArticle<'b>,
        article: ArticleId,
        site: &'b Outcome,
        keeps_markup: bool,
    ) -> Self {
        let ready = &pending.prepared.ready;
        let (blocks, body) = match &site.changed {
            Some((clean, _)) => (Cow::from(blocks::to_json(clean)), clean.body().into()),
            None => (Cow::from(&ready.blocks), Cow::from(&ready.body)),
        };
        Self {
            article_id: article.0,
            blocks: Json(blocks),
            markup: keeps_markup.then(|| Json(Cow::from(&ready.markup))),
            body,
        }
    }
}

/// Writes the texts of new articles. Nobody else knows their numbers yet, so this waits for no lock.
pub(crate) async fn insert(connection: &mut PgConnection, rows: &[TextRow<'_>]) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    copy(connection, &INTO_TEXT, rows, |row, into| row.put(into))
        .await
        .context(STORING)
}

/// Changes texts that are there.
pub(crate) async fn update(connection: &mut PgConnection, rows: &TextColumns<'_>) -> Result<(), StoreError> {
    sql::run(rows.bind(sqlx::query(UPDATE.as_str())), connection, STORING).await?;
    Ok(())
}
