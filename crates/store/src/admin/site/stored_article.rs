//! An article as it is stored, read back: its blocks, and what site memory's decision on it needs besides.

use copydesk_article::{ArticleId, CleanArticle, Metadata, MetadataSource, Sourced};
use copydesk_site::Subject;
use serde_json::Value;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row as _};

use crate::error::{Doing as _, StoreError};
use crate::flush::evidence::words_from_bytes;
use crate::flush::story_moves;
use crate::rows::blocks::{self, StoredText};

const DOING: &str = "cannot read a stored article";

/// A stored article, read back.
pub(crate) struct StoredArticle {
    pub(crate) id: i64,
    pub(crate) version: i32,
    pub(crate) clean: CleanArticle,
    pub(crate) site_hash: Option<i64>,
    pub(crate) url_hash: Option<u64>,
    pub(crate) title_words: Vec<u32>,
    /// Articles that the recorded decision looked at.
    pub(crate) site_view: Option<Vec<i64>>,
}

const READ: &str = "SELECT a.article_id, a.version, a.title, a.dek, a.captions, t.body, t.blocks, a.rules_version,
        e.site_hash, e.url_hash, e.title_words, e.site_view
    FROM article a JOIN article_text t USING (article_id) JOIN evidence e USING (article_id) WHERE a.article_id = ANY ($1) ORDER BY a.article_id";

/// Reads an article, and locks it if it is to be changed.
pub(crate) async fn read(
    connection: &mut PgConnection,
    article: i64,
    lock: bool,
) -> Result<Option<StoredArticle>, StoreError> {
    if lock {
        // A worker that stores a new version of it, or moves it, waits, or has it done already.
        story_moves::lock(&mut *connection, &[ArticleId(article)], &[]).await?;
    }
    let row = sqlx::query(READ)
        .bind([article].as_slice())
        .fetch_optional(connection)
        .await
        .doing(DOING)?;
    row.map(|row| stored(&row)).transpose()
}

/// Reads several articles, in ascending order.
pub(crate) async fn read_all(
    connection: &mut PgConnection,
    articles: &[i64],
) -> Result<Vec<StoredArticle>, StoreError> {
    let rows = sqlx::query(READ)
        .bind(articles)
        .fetch_all(connection)
        .await
        .doing(DOING)?;
    rows.iter().map(stored).collect()
}

fn stored(row: &PgRow) -> Result<StoredArticle, StoreError> {
    let id: i64 = row.try_get(0).doing(DOING)?;
    let (title, dek): (Option<String>, Option<String>) =
        (row.try_get(2).doing(DOING)?, row.try_get(3).doing(DOING)?);
    let (captions, body): (Vec<String>, String) =
        (row.try_get(4).doing(DOING)?, row.try_get(5).doing(DOING)?);
    let json: Value = row.try_get(6).doing(DOING)?;
    let text = StoredText {
        title: title.as_deref(),
        dek: dek.as_deref(),
        captions: &captions,
        body: &body,
    };
    let blocks = blocks::from_json(&json, &text)
        .ok_or_else(|| StoreError::Unknown(format!("the stored blocks of article {id}")))?;
    let sourced = |text: Option<String>| text.map(|t| Sourced::new(t, MetadataSource::Envelope));
    let view: Option<&[u8]> = row.try_get(11).doing(DOING)?;
    Ok(StoredArticle {
        id,
        version: row.try_get(1).doing(DOING)?,
        clean: CleanArticle {
            metadata: Metadata {
                title: sourced(title),
                dek: sourced(dek),
                ..Metadata::default()
            },
            blocks,
            warnings: Vec::new(),
            rules_version: row.try_get(7).doing(DOING)?,
        },
        site_hash: row.try_get(8).doing(DOING)?,
        url_hash: row
            .try_get::<Option<i64>, _>(9)
            .doing(DOING)?
            .map(i64::cast_unsigned),
        title_words: words_from_bytes(row.try_get(10).doing(DOING)?),
        site_view: view.map(|v| v.as_chunks().0.iter().map(|id| i64::from_le_bytes(*id)).collect()),
    })
}

impl StoredArticle {
    pub(crate) fn subject(&self) -> Subject<'_> {
        Subject {
            id: ArticleId(self.id),
            url_hash: self.url_hash,
            title_words: &self.title_words,
        }
    }
}
