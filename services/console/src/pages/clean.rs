//! A page or a text cleaned on the spot, as a worker would.

use std::sync::Arc;
use std::time::Duration;

use copydesk_article::{
    CleanArticle, Coordinates, Header, Message, Offset, Partition, Topic, TopicPartition,
};
use copydesk_store::reads::BlockRow;
use copydesk_worker::{CleanedAlone, clean_alone};
use maud::{Markup, html};
use serde::Serialize;
use serde_json::Value;

use super::report;
use super::text_of::text;
use crate::answer::Page;
use crate::app::App;
use crate::ask::Ask;
use crate::layout::Section;
use crate::problem::Problem;
use crate::text::counted;

/// For a page; the cleaner's own budget ends it long before.
const PATIENCE: Duration = Duration::from_secs(10);

/// Bytes of a page that is sent back with the form for a report.
const REPORTED: usize = 2 << 20;

#[derive(Serialize)]
struct Cleaned {
    /// The article as it would be stored. Null: it would be refused.
    article: Option<Value>,
    body: Option<String>,
    /// Why it would go to quarantine.
    refused: Option<String>,
}

/// The form alone.
pub(crate) async fn ask_for(_: Arc<App>, ask: Ask) -> Result<Page, Problem> {
    ask.page(
        Section::Clean,
        "Clean",
        &Value::Null,
        || html! { h1 { "Clean" } (form(&ask)) },
    )
}

pub(crate) async fn show(app: Arc<App>, ask: Ask) -> Result<Page, Problem> {
    let Some(page) = ask.field("page") else {
        return Err(Problem::Bad("page: paste a page or a text".to_owned()));
    };
    let outcome = try_one(&app, message(page, ask.field("kind"), ask.field("url"))).await?;
    let data = match &outcome {
        CleanedAlone::Article(article) => Cleaned {
            article: serde_json::to_value(article).ok(),
            body: Some(article.body()),
            refused: None,
        },
        other => Cleaned {
            article: None,
            body: None,
            refused: why_not(other),
        },
    };
    ask.page(Section::Clean, "Clean", &data, || {
        html! {
            h1 { "Clean" }
            @match &outcome {
                CleanedAlone::Article(article) => (drawn(article)),
                other => p.notice dir="auto" { "It would go to quarantine: "
                    (why_not(other).unwrap_or_default()) },
            }
            @if page.len() <= REPORTED { (report::form_for_page(&ask, page)) }
            h2 { "Another" }
            (form(&ask))
        }
    })
}

/// Why it would go to quarantine. `None`: it would not.
pub(crate) fn why_not(outcome: &CleanedAlone) -> Option<String> {
    match outcome {
        CleanedAlone::Article(_) => None,
        CleanedAlone::Refused(why) => Some(why.clone()),
        CleanedAlone::Ended(how) => Some(format!("kills_worker: {how}")),
    }
}

/// One at a time, in a process of its own with a worker's limits: a hostile page stalls, fills or ends that
/// process and nothing else.
pub(crate) async fn try_one(app: &App, message: Message) -> Result<CleanedAlone, Problem> {
    let Ok(permit) = Arc::clone(&app.may_clean).try_acquire_owned() else {
        return Err(Problem::Busy);
    };
    let command = app.cleaning.clone();
    tokio::task::spawn_blocking(move || {
        let outcome = clean_alone(&command, message, PATIENCE);
        drop(permit);
        outcome
    })
    .await
    .map_err(|e| Problem::Failed(e.to_string()))?
    .map_err(|e| Problem::Failed(format!("The process that cleans cannot be started: {e}")))
}

pub(crate) fn message(page: &str, kind: Option<&str>, url: Option<&str>) -> Message {
    let content_type = match kind {
        Some("html") => Some("text/html"),
        Some("text") => Some("text/plain"),
        Some("json") => Some("application/json"),
        _ => None,
    };
    let header = |name: &str, value: Option<&str>| {
        value.map(|v| Header {
            name: name.to_owned(),
            value: v.as_bytes().to_vec(),
        })
    };
    Message {
        coordinates: Coordinates {
            source: TopicPartition {
                topic: Topic::new("console"),
                partition: Partition::new(0),
            },
            offset: Offset::new(0),
        },
        timestamp: None,
        key: None,
        payload: Some(page.as_bytes().to_vec()),
        headers: header("content-type", content_type)
            .into_iter()
            .chain(header("url", url))
            .collect(),
    }
}

fn form(ask: &Ask) -> Markup {
    let kind = ask.field("kind").unwrap_or("any");
    html! {
        form method="post" action="/clean" {
            p { label { "A page, a text or a message as JSON"
                textarea name="page" rows="12" required dir="auto" spellcheck="false" { }
            } }
            p.filters {
                label { "It is " select name="kind" {
                    @for (value, name) in [("any", "whatever it looks like"), ("html", "HTML"), ("text",
                        "plain text"), ("json", "a message as JSON")] {
                        option value=(value) selected[value == kind] { (name) }
                    }
                } }
                label { "Its address " input name="url" size="32"
                    value=(ask.field("url").unwrap_or_default()) placeholder="https://news.example/a"; }
                button { "Clean" }
            }
        }
        p.quiet { "The same as " code { "copydesk clean" } ", with a worker’s limits. Nothing is stored. \
            What the site of \
            the page repeats is not taken out here: a worker knows it, a single page does not show it." }
    }
}

fn drawn(cleaned: &CleanArticle) -> Markup {
    let blocks: Vec<BlockRow> = (0..)
        .zip(&cleaned.blocks)
        .map(|(position, b)| BlockRow {
            position,
            kind: b.kind.as_str().to_owned(),
            kept: b.removed.is_none(),
            rule: b.removed.as_ref().map(|r| r.rule.to_string()),
            evidence: b.removed.as_ref().and_then(|r| r.evidence.clone()),
            text: Some(b.text.clone()),
        })
        .collect();
    let m = &cleaned.metadata;
    let language = m.language.as_ref().map(|l| l.value.as_str());
    let words = cleaned.body().split_whitespace().count();
    html! {
        p.about {
            (counted(i64::try_from(words).unwrap_or(i64::MAX), "word", "words")) " in the body"
            @if let Some(title) = &m.title { " · title: " bdi { (title.value) } " (" (title.source.as_str())
                ")" }
            @if let Some(language) = language { " · language " bdi { (language) } }
            " · rules " (cleaned.rules_version)
        }
        @for warning in &cleaned.warnings { span.tag.warn { (warning) } " " }
        (text(&blocks, language, None))
    }
}
