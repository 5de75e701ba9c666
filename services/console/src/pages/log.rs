//! Who changed what and when.

use std::sync::Arc;

use copydesk_store::reads::{EventRow, EventSource};
use maud::{Markup, html};
use serde::Serialize;

use super::ROWS;
use crate::answer::Page;
use crate::app::App;
use crate::ask::Ask;
use crate::layout::Section;
use crate::problem::Problem;
use crate::text::when_ago;

#[derive(Serialize)]
struct Log {
    events: Vec<EventRow>,
    next: Option<String>,
}

pub(crate) async fn show(app: Arc<App>, ask: Ask) -> Result<Page, Problem> {
    let events = app.reads().await?.read_events(ask.time("before")?, ROWS).await?;
    let next = events
        .last()
        .filter(|_| events.len() >= ROWS as usize)
        .map(|last| ask.with(&[("before", &last.at.to_rfc3339())]));
    let data = Log { events, next };
    ask.page(Section::Log, "Log", &data, || {
        html! {
            h1 { "Log" }
            p.about { "Changes to stored articles and stories, the latest first: by people, and by the pipeline \
                where it learned more later." }
            @if data.events.is_empty() { p { "Nothing was changed yet." } } @else { (table(&ask,
                &data.events)) }
            @if let Some(next) = &data.next { p { a.next href=(next) rel="next" { "Earlier" } } }
        }
    })
}

/// Events as a table.
pub(crate) fn table(ask: &Ask, events: &[EventRow]) -> Markup {
    html! {
        table.stack {
            caption.hidden { "Changes" }
            thead { tr { th scope="col" { "when" } th scope="col" { "what" } th scope="col" { "of what" } th
                scope="col" { "why" } } }
            tbody { @for run in events.chunk_by(belong_together) { @if let Some(e) = run.first() { tr {
                td data-name="when" { (when_ago(e.at)) }
                td data-name="what" { (e.kind) @if let Some(id) = e.event_id { " " span.quiet {
                    @if e.source == EventSource::Takedown { "takedown " } @else { "event " } (id) } } }
                td data-name="of what" {
                    @if run.len() > 1 { details {
                        summary { (run.len()) " messages" }
                        ul { @for e in run { li { (of_what(e)) } } }
                    } } @else { (of_what(e)) }
                }
                td data-name="why" { bdi { (e.why.as_deref().unwrap_or_default()) } @if let Some(who) =
                    &e.who { span.quiet { " " bdi { (who) } } }
                    @if ask.can_write { (undo(e)) }
                }
            } } } }
        }
    }
}

/// Messages that were settled in one go are one line.
fn belong_together(a: &EventRow, b: &EventRow) -> bool {
    let of = |e: &EventRow| (e.kind.clone(), e.why.clone(), e.who.clone());
    a.source == EventSource::Quarantine
        && b.source == EventSource::Quarantine
        && of(a) == of(b)
        && (a.at - b.at).num_seconds() < 60
}

fn of_what(e: &EventRow) -> Markup {
    let story =
        |id: Option<i64>| html! { @if let Some(id) = id { a href={ "/stories/" (id) } { "story " (id) } } };
    html! {
        @match e.source {
            EventSource::Story => {
                @if let Some(moved) = e.moved { (moved) " articles, " }
                (story(e.from_story)) " → " (story(e.to_story))
            },
            EventSource::Clean => @if let Some(id) = e.article_id { a href={ "/articles/" (id) } { "article "
                (id) } },
            EventSource::Site | EventSource::Quarantine => bdi dir="auto" {
                (e.subject.as_deref().unwrap_or_default()) },
            EventSource::Takedown => {
                @if let Some(id) = e.article_id { "article " (id) }
                @if let Some(state) = &e.subject { " · " (state) }
            },
        }
    }
}

/// The button that takes a change back, where that can be done.
fn undo(e: &EventRow) -> Markup {
    let (before, after, button) = match e.source {
        EventSource::Story if e.kind != "undo" => ("/events/", "/undo", "Take back…"),
        EventSource::Clean if e.kind != "undo" => ("/clean-events/", "/undo", "Take back…"),
        EventSource::Takedown if e.subject.as_deref() == Some("holds") => ("/takedowns/", "/lift", "Lift…"),
        _ => return html! {},
    };
    html! {
        @if let Some(id) = e.event_id {
            form.inline method="post" action={ (before) (id) (after) } { button { (button) } }
        }
    }
}
