//! Merge, split, undo.

use std::sync::Arc;

use copydesk_article::{ArticleId, StoryId};
use copydesk_store::StoryEvent;
use maud::{Markup, html};
use serde_json::{Value, json};

use super::{ask_once, is_sure, record, why};
use crate::answer::Page;
use crate::app::App;
use crate::ask::Ask;
use crate::layout::Section;
use crate::problem::Problem;
use crate::text::{counted, title};

/// Articles that are taken out of a story at once.
const MOST_SPLIT: usize = 500;

pub(crate) async fn merge(app: Arc<App>, ask: Ask) -> Result<Page, Problem> {
    let store = app.writes().await?;
    let (from, into) = (ask.number("story")?, ask.parsed_field::<i64>("into")?);
    let missing = |id: i64| Problem::NotFound(format!("There is neither a story nor an article {id}."));
    let left = store.read_story(from).await?.ok_or_else(|| missing(from))?;
    let joined = store.read_story(into).await?.ok_or_else(|| missing(into))?;
    if left.story_id == joined.story_id {
        return Err(Problem::Bad(format!("into: {into} is in this story already")));
    }
    if !is_sure(&ask) {
        let would = html! {
            p { (counted(left.articles, "article", "articles")) " of story " (left.story_id) ", "
                (title(left.title.as_deref(), left.language.as_deref())) ", would join story "
                    (joined.story_id) ", "
                (title(joined.title.as_deref(), joined.language.as_deref())) ", which has "
                    (counted(joined.articles, "article", "articles")) "." }
        };
        return ask_once(&ask, Section::Stories, "Merge two stories?", &would, "Merge them");
    }
    let event = store
        .merge_stories(StoryId(left.story_id), StoryId(joined.story_id), &why(&ask))
        .await?;
    changed(&ask, &event)
}

pub(crate) async fn split(app: Arc<App>, ask: Ask) -> Result<Page, Problem> {
    let store = app.writes().await?;
    let story = ask.number("story")?;
    let articles: Vec<i64> = ask.parsed_fields("article")?;
    if articles.is_empty() || articles.len() > MOST_SPLIT {
        return Err(Problem::Bad(format!(
            "article: tick 1 to {MOST_SPLIT} articles to take out"
        )));
    }
    for article in &articles {
        if store
            .read_article(*article)
            .await?
            .is_none_or(|a| a.story_id != story)
        {
            return Err(Problem::Bad(format!(
                "article: {article} is not in story {story}"
            )));
        }
    }
    if !is_sure(&ask) {
        let would = html! {
            p { "These articles, and those that are linked to them alone, would become a story of their own:"
                }
            ul { @for id in &articles { li { a href={ "/articles/" (id) } { "article " (id) } } } }
        };
        return ask_once(
            &ask,
            Section::Stories,
            "Take articles out of the story?",
            &would,
            "Take them out",
        );
    }
    let articles: Vec<ArticleId> = articles.into_iter().map(ArticleId).collect();
    let event = store.split_story(&articles, &why(&ask)).await?;
    changed(&ask, &event)
}

pub(crate) async fn undo(app: Arc<App>, ask: Ask) -> Result<Page, Problem> {
    let store = app.writes().await?;
    let event = ask.number("event")?;
    if !is_sure(&ask) {
        let would = html! { p { "Event " (event) " would be taken back: its articles return to the story \
        that they left." } };
        return ask_once(&ask, Section::Log, "Take a change back?", &would, "Take it back");
    }
    let event = store.undo_story_event(event).await?;
    changed(&ask, &event)
}

/// Takes back that an article was cleaned again.
pub(crate) async fn undo_clean(app: Arc<App>, ask: Ask) -> Result<Page, Problem> {
    let store = app.writes().await?;
    let event = ask.number("event")?;
    if !is_sure(&ask) {
        let would = html! { p { "Cleaning event " (event)
        " would be taken back: the article gets the blocks that it had before." } };
        return ask_once(
            &ask,
            Section::Log,
            "Take a cleaning back?",
            &would,
            "Take it back",
        );
    }
    let undone = store.undo_clean_event(event).await?;
    record(&ask, "undo clean", &event.to_string());
    let data = json!({"done": true, "event_id": undone.event_id, "article_id": undone.article_id.0});
    ask.changed(&data, format!("/articles/{}", undone.article_id))
}

fn changed(ask: &Ask, event: &StoryEvent) -> Result<Page, Problem> {
    record(
        ask,
        &event.kind,
        &format!(
            "event {}: story {} to story {}",
            event.event_id, event.from_story, event.to_story
        ),
    );
    let data: Value = json!({
        "done": true, "event_id": event.event_id, "kind": event.kind, "moved": event.moved,
        "from_story": event.from_story, "to_story": event.to_story,
    });
    ask.changed(&data, format!("/stories/{}", event.to_story))
}

/// The forms below a story; the boxes beside its articles belong to the second.
pub(crate) fn forms(story: i64, articles: usize) -> Markup {
    html! {
        h2 { "Change it" }
        form.filters method="post" action={ "/stories/" (story) "/merge" } {
            label { "Merge it into story " input name="into" size="8" inputmode="numeric" required; }
            label { "because " input name="why" size="28" dir="auto"; }
            button.grave { "Merge…" }
        }
        @if articles > 1 {
            form.filters id="split" method="post" action={ "/stories/" (story) "/split" } {
                label { "Take out the articles that are ticked above, because " input name="why" size="28"
                    dir="auto"; }
                button.grave { "Take out…" }
            }
        }
    }
}
