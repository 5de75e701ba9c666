//! Two versions of an article, side by side.

use std::sync::Arc;

use copydesk_store::reads::VersionText;
use serde::Serialize;

use super::compare::{differences, draw_pair};
use crate::answer::Page;
use crate::app::App;
use crate::ask::Ask;
use crate::diff::Piece;
use crate::layout::Section;
use crate::problem::Problem;

#[derive(Serialize)]
struct Versions {
    older: VersionText,
    newer: VersionText,
    title: Vec<Piece>,
    body: Vec<Piece>,
}

pub(crate) async fn show(app: Arc<App>, ask: Ask) -> Result<Page, Problem> {
    let id = ask.number("article")?;
    let store = app.reads().await?;
    let to: Option<i64> = ask.parsed("to")?;
    let missing = || Problem::NotFound(format!("Article {id} has no such version."));
    let newer = store.read_version_text(id, to).await?.ok_or_else(missing)?;
    let from = ask.parsed("from")?.unwrap_or_else(|| (newer.version - 1).max(1));
    let older = store
        .read_version_text(id, Some(from))
        .await?
        .ok_or_else(missing)?;
    let language = store.read_article(id).await?.and_then(|a| a.language);
    let (title, body) = differences(&older, &newer).await?;
    let data = Versions {
        older,
        newer,
        title,
        body,
    };
    let names = [
        format!("Version {}", data.older.version),
        format!("Version {}", data.newer.version),
    ];
    ask.page(
        Section::Stories,
        &format!("Versions of article {id}"),
        &data,
        || {
            let address = format!("/articles/{id}");
            let links = [address.clone(), address];
            draw_pair(
                &format!("What changed in article {id}"),
                &names,
                &links,
                &data.title,
                &data.body,
                [language.as_deref(); 2],
            )
        },
    )
}
