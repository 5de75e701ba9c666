//! An article as it is stored, read back: its blocks, and what site memory's decision on it needs besides.

use copydesk_article::{ArticleId, CleanArticle, Metadata, MetadataSource, Sourced};
use copydesk_site::Subject;
use serde_json::Value;
use sqlx::PgConnection;

use crate::error::StoreError;
use crate::flush::evidence::words_from_bytes;
use crate::flush::story_moves;
use crate::rows::blocks::{self, StoredText};
use crate::rows::{fetch_all, numbers, record};

const CONTEXT: &str = "cannot read a stored article";

/// A stored article, read back.
pub(crate) struct StoredContent {
    pub(crate) id: ArticleId,
    pub(crate) version: i32,
    pub(crate) clean: CleanArticle,
    pub(crate) site_hash: Option<i64>,
    pub(crate) url_hash: Option<u64>,
    pub(crate) title_words: Vec<u32>,
    /// Articles that the recorded decision looked at.
    pub(crate) site_view: Option<Vec<ArticleId>>,
}

record! {
    struct Row {
        article_id: ArticleId,
        version: i32,
        title: Option<String>,
        dek: Option<String>,
        captions: Vec<String>,
        body: String,
        blocks: Value,
        rules_version: String,
        site_hash: Option<i64>,
        url_hash: Option<i64>,
        title_words: Vec<u8>,
        site_view: Option<Vec<u8>>,
    }
}

const READ: &str = "SELECT a.article_id, a.version, a.title, a.dek, a.captions, t.body, t.blocks, a.rules_version,
        e.site_hash, e.url_hash, e.title_words, e.site_view
    FROM article a JOIN article_text t USING (article_id) JOIN evidence e USING (article_id) WHERE a.article_id = ANY ($1) ORDER BY a.article_id";

/// Reads an article, and locks it if it is to be changed.
pub(crate) async fn read(
    connection: &mut PgConnection,
    article: ArticleId,
    lock: bool,
) -> Result<Option<StoredContent>, StoreError> {
    if lock {
        // A worker that stores a new version of it, or moves it, waits, or has it done already.
        story_moves::lock(&mut *connection, &[article], &[]).await?;
    }
    Ok(read_all(connection, &[article]).await?.pop())
}

/// Reads several articles, in ascending order.
pub(crate) async fn read_all(
    connection: &mut PgConnection,
    articles: &[ArticleId],
) -> Result<Vec<StoredContent>, StoreError> {
    let rows: Vec<Row> = fetch_all!(connection, CONTEXT; READ, numbers(articles))?;
    rows.into_iter().map(stored).collect()
}

fn stored(row: Row) -> Result<StoredContent, StoreError> {
    let id = row.article_id;
    let text = StoredText {
        title: row.title.as_deref(),
        dek: row.dek.as_deref(),
        captions: &row.captions,
        body: &row.body,
    };
    let blocks = blocks::from_json(&row.blocks, &text)
        .ok_or_else(|| StoreError::Unknown(format!("the stored blocks of article {id}")))?;
    let sourced = |text: Option<String>| text.map(|t| Sourced::new(t, MetadataSource::Envelope));
    let ids = |bytes: Vec<u8>| {
        let numbers = bytes.as_chunks().0.iter().map(|id| i64::from_le_bytes(*id));
        numbers.map(ArticleId).collect()
    };
    Ok(StoredContent {
        id,
        version: row.version,
        clean: CleanArticle {
            metadata: Metadata {
                title: sourced(row.title),
                dek: sourced(row.dek),
                ..Metadata::default()
            },
            blocks,
            warnings: Vec::new(),
            rules_version: row.rules_version,
        },
        site_hash: row.site_hash,
        url_hash: row.url_hash.map(i64::cast_unsigned),
        title_words: words_from_bytes(&row.title_words),
        site_view: row.site_view.map(ids),
    })
}

impl StoredContent {
    pub(crate) fn subject(&self) -> Subject<'_> {
        Subject {
            id: self.id,
            url_hash: self.url_hash,
            title_words: &self.title_words,
        }
    }
}
