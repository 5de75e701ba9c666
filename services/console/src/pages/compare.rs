//! Two articles side by side, with what differs word by word.

use std::sync::Arc;

use copydesk_store::reads::VersionText;
use maud::{Markup, html};
use serde::Serialize;

use crate::answer::Page;
use crate::app::App;
use crate::ask::Ask;
use crate::diff::{Kind, Piece, side, words};
use crate::layout::Section;
use crate::problem::Problem;

#[derive(Serialize)]
struct Compared {
    a: VersionText,
    b: VersionText,
    title: Vec<Piece>,
    body: Vec<Piece>,
}

pub(crate) async fn show(app: Arc<App>, ask: Ask) -> Result<Page, Problem> {
    let (Some(a), Some(b)) = (ask.parsed::<i64>("a")?, ask.parsed::<i64>("b")?) else {
        return Err(Problem::Bad("Name two articles: /compare?a=17&b=18".to_owned()));
    };
    let store = app.reads().await?;
    let missing = |id: i64| Problem::NotFound(format!("There is no article {id}."));
    let older = store
        .read_version_text(a, None)
        .await?
        .ok_or_else(|| missing(a))?;
    let newer = store
        .read_version_text(b, None)
        .await?
        .ok_or_else(|| missing(b))?;
    let mut languages = [None, None];
    let mut names = [format!("A: article {a}"), format!("B: article {b}")];
    for (number, id) in [a, b].into_iter().enumerate() {
        let Some(row) = store.read_article(id).await? else {
            continue;
        };
        if let (Some(name), Some(site)) = (names.get_mut(number), &row.site) {
            name.push_str(&format!(" of {site}"));
        }
        if let Some(language) = languages.get_mut(number) {
            *language = row.language;
        }
    }
    let (title, body) = differences(&older, &newer).await?;
    let data = Compared {
        a: older,
        b: newer,
        title,
        body,
    };
    ask.page(Section::Stories, &format!("Articles {a} and {b}"), &data, || {
        let links = [format!("/articles/{a}"), format!("/articles/{b}")];
        let languages = [languages[0].as_deref(), languages[1].as_deref()];
        draw_pair(
            "Two articles, word by word",
            &names,
            &links,
            &data.title,
            &data.body,
            languages,
        )
    })
}

/// What differs between two texts: of their titles, of their bodies.
pub(crate) async fn differences(
    older: &VersionText,
    newer: &VersionText,
) -> Result<(Vec<Piece>, Vec<Piece>), Problem> {
    let text = |t: &Option<String>| t.clone().unwrap_or_default();
    let (titles, bodies) = (
        (text(&older.title), text(&newer.title)),
        (text(&older.body), text(&newer.body)),
    );
    // Long texts take a while: not on a thread that drives connections.
    tokio::task::spawn_blocking(move || (words(&titles.0, &titles.1), words(&bodies.0, &bodies.1)))
        .await
        .map_err(|e| Problem::Failed(e.to_string()))
}

/// Both texts, each with what only it has.
pub(crate) fn draw_pair(
    heading: &str,
    names: &[String; 2],
    links: &[String; 2],
    title: &[Piece],
    body: &[Piece],
    languages: [Option<&str>; 2],
) -> Markup {
    let same = title.iter().chain(body).all(|p| p.kind == Kind::Same);
    let sides = names
        .iter()
        .zip(links)
        .zip(languages)
        .zip([Kind::Gone, Kind::New]);
    html! {
        h1 { (heading) }
        @if same { p { "They are the same, word for word." } }
        @else { p.about { del { "struck out" } ": in the first alone · " ins { "underlined" }
            ": in the second alone" } }
        div.pair {
            @for (((name, link), language), kind) in sides {
                section {
                    h2 { a href=(link) dir="auto" { (name) } }
                    div.headline { (side(title, kind, language)) }
                    (side(body, kind, language))
                }
            }
        }
    }
}
