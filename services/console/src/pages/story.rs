//! A story: its articles in time, why each is in it, the canonical one whole.

use std::sync::Arc;

use copydesk_article::ArticleId;
use copydesk_store::reads::{BlockRow, EventRow, MemberRow, StoryRow};
use copydesk_store::{Explanation, StoreError};
use maud::{Markup, html};
use serde::Serialize;
use serde_json::Value;

use super::text_of::text;
use super::{article, log, signs};
use crate::answer::Page;
use crate::app::{App, permitted};
use crate::ask::Ask;
use crate::changes::story::forms;
use crate::chart::timeline;
use crate::layout::Section;
use crate::problem::Problem;
use crate::text::{beginning, counted, number, percent, published, relation, site, title, when, when_ago};

/// Articles of a page.
const MEMBERS: u32 = 100;
/// Events of a story that are shown.
const EVENTS: u32 = 50;
/// Links that are explained on the page: each is decided again from stored evidence. The article's own page
/// has the others.
const EXPLAINED: usize = 6;

#[derive(Serialize)]
struct Story {
    story: StoryRow,
    articles: Vec<MemberRow>,
    canonical: Vec<BlockRow>,
    events: Vec<EventRow>,
    /// Why articles are in it. Null: this login may not see the evidence.
    decisions: Option<Vec<Value>>,
    next: Option<String>,
}

pub(crate) async fn show(app: Arc<App>, ask: Ask) -> Result<Page, Problem> {
    let id = ask.number("story")?;
    let after: Option<i64> = ask.parsed("after")?;
    let store = app.reads().await?;
    let Some(story) = store.read_story(id).await? else {
        return Err(Problem::NotFound(format!(
            "There is neither a story nor an article {id}."
        )));
    };
    let articles = store.read_members(story.story_id, after, MEMBERS).await?;
    let events = store.read_story_events(story.story_id, EVENTS).await?;
    let canonical = article::latest_blocks(store, story.canonical_article).await?;
    let explained = explained(&app, &articles).await?;
    let next = articles
        .last()
        .filter(|_| articles.len() >= MEMBERS as usize)
        .map(|last| ask.with(&[("after", &last.article_id.to_string())]));
    let data = Story {
        decisions: explained
            .as_ref()
            .map(|all| all.iter().map(signs::data).collect()),
        story,
        articles,
        canonical,
        events,
        next,
    };
    let heading = beginning(data.story.title.as_deref().unwrap_or("Story"), 80);
    ask.page(Section::Stories, &heading, &data, || {
        draw(&ask, &data, explained.as_deref())
    })
}

/// The decisions on the first articles that are linked. `None`: the login may not see the evidence.
async fn explained(app: &App, articles: &[MemberRow]) -> Result<Option<Vec<Explanation>>, Problem> {
    let store = app.looks_deeper().await?;
    let mut all = Vec::new();
    for member in articles.iter().filter(|m| m.linked_to.is_some()).take(EXPLAINED) {
        let read: Result<_, StoreError> = store.explain(ArticleId(member.article_id)).await;
        match permitted(read)? {
            Some(found) => all.extend(found),
            None => return Ok(None),
        }
    }
    Ok(Some(all))
}

fn draw(ask: &Ask, data: &Story, explained: Option<&[Explanation]>) -> Markup {
    let story = &data.story;
    html! {
        h1 { (title(story.title.as_deref(), story.language.as_deref())) }
        p.about {
            "Story " (story.story_id) " · " (counted(story.articles, "article", "articles")) " on "
                (counted(story.sites, "site", "sites"))
            " · first stored " (when_ago(story.first_seen)) " · last " (when_ago(story.last_seen))
        }
        @if story.articles > 1 { (timeline(&data.articles)) (legend()) }
        (members(ask, data))
        @if let Some(next) = &data.next { p { a.next href=(next) rel="next" { "Next articles" } } }
        h2 id="why" { "Why they are one story" }
        @match explained {
            None => (signs::hidden()),
            Some([]) if story.articles > 1 => p { "None of these articles is linked to another. What changed the \
                story is below." },
            Some([]) => p { "It has one article, which is linked to no other." },
            Some(all) => @for found in all {
                details {
                    summary { "Article " (found.article_id) ": " (title(found.title.as_deref(), None)) }
                    (signs::draw(found))
                }
            },
        }
        h2 { "The canonical article" }
        p.about {
            a href={ "/articles/" (story.canonical_article) } { "Article " (story.canonical_article) }
            ": of the articles with at least four fifths of the words of the longest one, it was published \
                first"
        }
        (text(&data.canonical, story.language.as_deref(), Some(story.canonical_article)))
        @if !data.events.is_empty() {
            h2 { "What changed it" }
            (log::table(ask, &data.events))
        }
        @if ask.can_write { (forms(story.story_id, data.articles.len())) }
    }
}

fn legend() -> Markup {
    html! {
        p.legend {
            svg.key viewBox="0 0 14 14" aria-hidden="true" { rect.original x="1" y="1" width="12" height="12"
                {} } " original "
            svg.key viewBox="0 0 14 14" aria-hidden="true" { circle.copy cx="7" cy="7" r="6" {} } " copy "
            svg.key viewBox="0 0 14 14" aria-hidden="true" { path.part d="M7 1l6 12h-12z" {} }
                " a part of another, or more than it"
        }
    }
}

/// The articles, with a choice of two to compare.
fn members(ask: &Ask, data: &Story) -> Markup {
    let others = data.articles.len() > 1;
    let canonical = data.story.canonical_article;
    let second = data
        .articles
        .iter()
        .map(|m| m.article_id)
        .find(|id| *id != canonical);
    html! {
        form method="get" action="/compare" {
            table.stack {
                caption.hidden { "Articles of the story" }
                thead { tr {
                    @if others { th scope="col" { "compare" } }
                    @if ask.can_write && others { th scope="col" { "take out" } }
                    th scope="col" { "article" } th scope="col" { "site" } th scope="col" { "published" }
                    th scope="col" { "relation" } th scope="col" { "words" }
                } }
                tbody { @for m in &data.articles {
                    tr {
                        @if others { td.pick {
                            label { input type="radio" name="a" value=(m.article_id) checked[m.article_id ==
                                canonical]; " A" } " "
                            label { input type="radio" name="b" value=(m.article_id)
                                checked[Some(m.article_id) == second]; " B" }
                        } }
                        @if ask.can_write && others { td data-name="take out" {
                            input type="checkbox" form="split" name="article" value=(m.article_id)
                                aria-label={ "take out article " (m.article_id) };
                        } }
                        td data-name="article" {
                            a href={ "/articles/" (m.article_id) } { (title(m.title.as_deref(),
                                m.language.as_deref())) }
                            @if m.article_id == canonical { " " strong.tag { "canonical" } }
                            @if m.version > 1 { " " a.tag href={ "/articles/" (m.article_id) "/versions" } {
                                "version " (m.version) } }
                        }
                        td data-name="site" { (site(m.site.as_deref())) }
                        td data-name="published" { (member_time(m)) }
                        td data-name="relation" { (tie(m)) }
                        td.number data-name="words" { (number(m.word_count)) }
                    }
                } }
            }
            @if others { p { button { "Compare A with B, word by word" } } }
        }
    }
}

fn member_time(m: &MemberRow) -> Markup {
    match (m.published_at, m.message_time) {
        (Some(time), _) => published(time, m.published_offset_minutes),
        (None, Some(time)) => html! { (when(time)) " " span.quiet { "(its message)" } },
        (None, None) => html! { (when(m.ingested_at)) " " span.quiet { "(stored)" } },
    }
}

/// What ties an article to its story, in words.
fn tie(m: &MemberRow) -> Markup {
    html! {
        (relation(&m.relation))
        @if let Some(to) = m.linked_to {
            " of " a href={ "/articles/" (to) } { (to) }
            @if let Some(similarity) = m.similarity { ", similarity " (format!("{similarity:.2}")) }
            @if let (Some(own), Some(other)) = (m.containment, m.containment_of_linked) {
                span.quiet { " (" (percent(own)) " of its text is there, " (percent(other)) " of that text is here)" }
            }
            " · " a href={ "/articles/" (m.article_id) "#why" } { "why" }
        }
    }
}
