//! The list of stories.

use std::sync::Arc;

use chrono::DateTime;
use copydesk_store::reads::{StoryKey, StoryOrder, StoryQuery, StoryRow};
use maud::{Markup, html};
use serde::Serialize;

use super::ROWS;
use crate::answer::Page;
use crate::app::App;
use crate::ask::Ask;
use crate::layout::Section;
use crate::problem::Problem;
use crate::text::{counted, number, site, title, when_ago};

#[derive(Serialize)]
struct Stories {
    stories: Vec<StoryRow>,
    /// The address of the next page.
    next: Option<String>,
}

pub(crate) async fn show(app: Arc<App>, ask: Ask) -> Result<Page, Problem> {
    let order = order(&ask)?;
    let query = StoryQuery {
        order,
        site: ask.get("site").map(str::to_owned),
        language: ask.get("language").map(str::to_lowercase),
        since: ask.time("since")?,
        until: ask.time("until")?,
        after: key(&ask)?,
        most: ROWS,
    };
    let stories = app.reads().await?.read_stories(&query).await?;
    let next = stories
        .last()
        .filter(|_| stories.len() >= ROWS as usize)
        .map(|last| ask.with(&[("after", &key_text(last))]));
    let data = Stories { stories, next };
    ask.page(Section::Stories, "Stories", &data, || draw(&ask, &data, order))
}

fn order(ask: &Ask) -> Result<StoryOrder, Problem> {
    match ask.get("order") {
        None | Some("newest") => Ok(StoryOrder::Newest),
        Some("largest") => Ok(StoryOrder::Largest),
        Some(other) => Err(Problem::Bad(format!(
            "order: {other:?} is neither newest nor largest"
        ))),
    }
}

/// The key of a page that ends with this story: it serves both orders.
fn key_text(last: &StoryRow) -> String {
    format!(
        "{}-{}-{}",
        last.articles,
        last.first_seen.timestamp_micros(),
        last.story_id
    )
}

fn key(ask: &Ask) -> Result<Option<StoryKey>, Problem> {
    let Some(text) = ask.get("after") else {
        return Ok(None);
    };
    let mut numbers = text.split('-').map(|n| n.parse::<i64>().ok());
    let parsed = (|| {
        let (articles, micros, story_id) = (numbers.next()??, numbers.next()??, numbers.next()??);
        Some(StoryKey {
            articles,
            first_seen: DateTime::from_timestamp_micros(micros)?,
            story_id,
        })
    })();
    match parsed {
        Some(key) => Ok(Some(key)),
        None => Err(Problem::Bad(format!("after: {text:?} is no key of a page"))),
    }
}

fn draw(ask: &Ask, data: &Stories, order: StoryOrder) -> Markup {
    let largest = order == StoryOrder::Largest;
    html! {
        h1 { "Stories" }
        form.filters method="get" action="/stories" {
            label { "Order "
                select name="order" {
                    option value="newest" selected[!largest] { "newest" }
                    option value="largest" selected[largest] { "largest" }
                }
            }
            label { "Site " input name="site" value=(ask.get("site").unwrap_or_default()) size="18"; }
            label { "Language " input name="language" value=(ask.get("language").unwrap_or_default())
                size="4"; }
            label { "From " input name="since" value=(ask.get("since").unwrap_or_default()) size="11"
                placeholder="2026-11-24"; }
            label { "Before " input name="until" value=(ask.get("until").unwrap_or_default()) size="11"; }
            button { "Show" }
        }
        form.filters method="get" action="/search" role="search" {
            label { "Words " input type="search" name="q" size="28"; }
            button { "Search" }
        }
        @if data.stories.is_empty() { (empty(ask)) } @else { ol.rows {
            @for story in &data.stories { (row(story)) }
        } }
        @if let Some(next) = &data.next { p { a.next href=(next) rel="next" { "Next page" } } }
    }
}

fn row(story: &StoryRow) -> Markup {
    let more = story.sites - 1;
    html! {
        li {
            a.title href={ "/stories/" (story.story_id) } { (title(story.title.as_deref(),
                story.language.as_deref())) }
            span.about {
                (site(story.site.as_deref()))
                @if more > 0 { " and " (counted(more, "other site", "other sites")) }
                " · " (counted(story.articles, "article", "articles"))
                " · " (number(story.longest_words)) " words"
                @if let Some(language) = &story.language { " · " bdi { (language) } }
                " · " (when_ago(story.first_seen))
            }
        }
    }
}

/// Nothing matches, or nothing is there yet.
fn empty(ask: &Ask) -> Markup {
    let filtered = ["site", "language", "since", "until", "after", "order"]
        .iter()
        .any(|n| ask.get(n).is_some());
    html! {
        @if filtered {
            p { "No story matches. " a href="/stories" { "All stories" } }
        } @else {
            p { "No article is stored yet." }
            p { "Put some on the topic and have a worker read them:" }
            pre { "copydesk feed --samples\ncopydesk worker --until-end" }
            p { "Refused messages are in " a href="/quarantine" { "Quarantine" }
                "; how far workers are is in " a href="/flow" { "Flow" } "." }
        }
    }
}
