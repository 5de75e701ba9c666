//! Takedown of an article, and lifting one.

use std::sync::Arc;

use copydesk_article::ArticleId;
use copydesk_store::{StoreError, TakedownTarget};
use maud::{Markup, html};
use serde_json::json;

use super::{ask_once, is_sure, record, why};
use crate::answer::Page;
use crate::app::App;
use crate::ask::Ask;
use crate::layout::Section;
use crate::pages::article_missing;
use crate::problem::{Problem, is_forbidden};
use crate::text::title;

pub(crate) async fn take_down(app: Arc<App>, ask: Ask) -> Result<Page, Problem> {
    let store = app.writes().await?;
    let id = ask.number("article")?;
    let Some(article) = store.read_article(id).await? else {
        return Err(article_missing(store, id).await?);
    };
    if ask.field("why").is_none() {
        return Err(Problem::Bad("because: say why it is taken down".to_owned()));
    }
    if !is_sure(&ask) {
        let would = html! {
            p { "Article " (id) ", " (title(article.title.as_deref(), article.language.as_deref()))
                ", would be removed with its versions, blocks, words, evidence and events, for good." }
            p { "Its address and its text are held: messages that bring either are not stored. What was \
                removed does not come \
                back when the takedown is lifted; the same may then come again, as a new article." }
        };
        return ask_once(
            &ask,
            Section::Stories,
            "Take this article down?",
            &would,
            "Take it down",
        );
    }
    let done = store
        .take_down(&TakedownTarget::Article(ArticleId(id)), &why(&ask))
        .await?;
    record(
        &ask,
        "takedown",
        &format!("takedown {} of article {id}", done.takedown_id),
    );
    let data = json!({"done": true, "takedown_id": done.takedown_id, "article_id": id});
    ask.page(Section::Log, "Taken down", &data, || {
        html! {
            h1 { "Taken down" }
            p { "Article " (id) " is removed. This is takedown " (done.takedown_id) "; the "
                a href="/log" { "log" } " has it, and can lift it." }
        }
    })
}

pub(crate) async fn lift(app: Arc<App>, ask: Ask) -> Result<Page, Problem> {
    let store = app.writes().await?;
    let id = ask.number("takedown")?;
    if !is_sure(&ask) {
        let would = html! { p { "Takedown " (id) " would hold no longer: the same address and the same text may come \
        again, as a new article. What was removed does not come back by itself." } };
        return ask_once(&ask, Section::Log, "Lift a takedown?", &would, "Lift it");
    }
    if !store.lift_takedown(id).await.map_err(owner_only)? {
        return Err(Problem::NotFound(format!(
            "There is no takedown {id} that holds."
        )));
    }
    record(&ask, "lift takedown", &id.to_string());
    ask.changed(&json!({"done": true, "takedown_id": id}), "/log".to_owned())
}

/// A writer may take down, and may not let the same come again.
fn owner_only(error: StoreError) -> Problem {
    if is_forbidden(&error) {
        Problem::NeedsOwner
    } else {
        error.into()
    }
}

/// The form below an article.
pub(crate) fn form(article: i64) -> Markup {
    html! {
        h2 { "Take it down" }
        form.filters method="post" action={ "/articles/" (article) "/takedown" } {
            label { "Remove it and hold its address, because " input name="why" size="28" required dir="auto"; }
            button.grave { "Take down…" }
        }
    }
}
