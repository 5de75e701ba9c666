//! A page or a text cleaned on the spot, as a worker would.

use std::sync::Arc;

use copydesk_article::{
    CleanArticle, Coordinates, Header, Message, Offset, Partition, Reject, Topic, TopicPartition,
};
use copydesk_decode::decode;
use copydesk_store::reads::BlockRow;
use maud::{Markup, html};
use serde::Serialize;
use serde_json::Value;

use super::text_of::text;
use crate::answer::Page;
use crate::app::App;
use crate::ask::Ask;
use crate::layout::Section;
use crate::problem::Problem;
use crate::text::counted;

/// Of the thread that cleans: as a worker's, for deep pages.
const STACK: usize = 16 << 20;

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
    let message = message(page, ask.field("kind"), ask.field("url"));
    let outcome = try_one(&app, message).await?;
    let data = match &outcome {
        Ok(article) => Cleaned {
            article: serde_json::to_value(article).ok(),
            body: Some(article.body()),
            refused: None,
        },
        Err(reject) => Cleaned {
            article: None,
            body: None,
            refused: Some(reject.to_string()),
        },
    };
    ask.page(Section::Clean, "Clean", &data, || {
        html! {
            h1 { "Clean" }
            @match &outcome {
                Ok(article) => (drawn(article)),
                Err(reject) => p.notice dir="auto" { "It would go to quarantine: " (reject.to_string()) },
            }
            h2 { "Another" }
            (form(&ask))
        }
    })
}

/// One at a time, on a thread with a worker's stack, within the cleaner's own budget of time and size.
pub(crate) async fn try_one(app: &App, message: Message) -> Result<Result<CleanArticle, Reject>, Problem> {
    let Ok(permit) = Arc::clone(&app.cleaning).try_acquire_owned() else {
        return Err(Problem::Busy);
    };
    let (cleaner, limits) = (Arc::clone(&app.cleaner), app.limits.clone());
    let (answer, answered) = tokio::sync::oneshot::channel();
    std::thread::Builder::new()
        .name("clean-form".to_owned())
        .stack_size(STACK)
        .spawn(move || {
            let cleaned = decode(&message, &limits).and_then(|raw| cleaner.clean(&raw));
            drop(permit);
            // Nobody waits any more where the connection is gone.
            let _ = answer.send(cleaned);
        })
        .map_err(|e| Problem::Failed(format!("no thread to clean on: {e}")))?;
    // A page on which the cleaner panics is a bug of ours; its thread has said so.
    answered
        .await
        .map_err(|_| Problem::Failed("The cleaner failed on this page; please report it.".to_owned()))
}

fn message(page: &str, kind: Option<&str>, url: Option<&str>) -> Message {
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
        p.quiet { "The same as " code { "copydesk clean" } ", with a worker’s limits. Nothing is stored." }
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
        (text(&blocks, language))
    }
}
