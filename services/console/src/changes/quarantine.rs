//! Refused messages again through the pipeline, or given up: one, many, or all that match.

use std::sync::Arc;

use copydesk_article::{Coordinates, Reason, Reject};
use copydesk_store::reads::{MessageKey, MessageRow};
use copydesk_store::{QuarantineFilter, Store};
use copydesk_worker::ReplayStages;
use maud::{Markup, html};
use serde_json::json;

use super::{ask_once, is_sure, record};
use crate::answer::Page;
use crate::app::App;
use crate::ask::{Ask, address};
use crate::layout::Section;
use crate::pages::clean::try_one;
use crate::pages::message::coordinates;
use crate::pages::quarantine::query_of;
use crate::problem::Problem;
use crate::text::{number, relation};

/// Messages that one form settles: a page must come to an end.
const AT_ONCE: u32 = 200;
/// Messages that are tried for the page that asks.
const TRIED: usize = 10;
/// What a form may narrow the messages down with.
const FILTERS: [&str; 8] = [
    "state", "reason", "stage", "topic", "since", "until", "contains", "lacks",
];

pub(crate) async fn replay(app: Arc<App>, ask: Ask) -> Result<Page, Problem> {
    let store = app.writes().await?;
    let held = meant(store, &ask).await?;
    if !is_sure(&ask) {
        let would = html! {
            (these(&held))
            (preview(&app, store, &held).await?)
        };
        return ask_once(
            &ask,
            Section::Quarantine,
            "Try these messages again?",
            &would,
            "Try them again",
        );
    }
    let messages: Vec<Coordinates> = held
        .iter()
        .map(|m| coordinates(&key(m)))
        .collect::<Result<_, _>>()?;
    let cleaner = (app.make_cleaner)().map_err(|e| Problem::Failed(format!("{e:#}")))?;
    let report = copydesk_worker::replay_messages(
        store,
        ReplayStages {
            cleaner,
            limits: app.limits.clone(),
            isolated: app.isolated.clone(),
            registry: app.registry.clone(),
        },
        &messages,
    )
    .await
    .map_err(|e| Problem::Failed(format!("{e:#}")))?;
    let of = format!(
        "{} messages: {} stored, {} refused again",
        messages.len(),
        report.stored,
        report.refused_again
    );
    record(&ask, "replay", &of);
    let data = json!({
        "done": true, "stored": report.stored, "refused_again": report.refused_again, "settled_meanwhile":
            report.settled_meanwhile,
        "truncated": report.truncated, "dropped": report.dropped,
    });
    ask.page(Section::Quarantine, "Tried again", &data, || {
        html! {
            h1 { "Tried again" }
            p { (of) "." }
            @if report.truncated + report.dropped > 0 { p { (report.truncated) " are not whole, of "
                (report.dropped) " the bytes were dropped." } }
            p { a href="/quarantine" { "Quarantine" } " · " a href="/stories" { "Stories" } }
        }
    })
}

pub(crate) async fn discard(app: Arc<App>, ask: Ask) -> Result<Page, Problem> {
    let store = app.writes().await?;
    let held = meant(store, &ask).await?;
    if !is_sure(&ask) {
        let would = html! {
            (these(&held))
            p { "Their bytes would be dropped for good. Their rows stay, and are counted still." }
        };
        return ask_once(
            &ask,
            Section::Quarantine,
            "Give these messages up?",
            &would,
            "Give them up",
        );
    }
    let (mut messages, mut bytes) = (0, 0);
    for message in &held {
        let dropped = store
            .quarantine_discard(&QuarantineFilter::of(&coordinates(&key(message))?))
            .await?;
        messages += dropped.messages;
        bytes += dropped.bytes;
    }
    record(&ask, "discard", &format!("{messages} messages"));
    let data = json!({"done": true, "messages": messages, "bytes": bytes});
    let pairs: Vec<(&str, &str)> = FILTERS.iter().filter_map(|n| Some((*n, ask.field(n)?))).collect();
    ask.changed(&data, address("/quarantine", &pairs))
}

/// The messages that the form means: one by its place, or the first that match its filters. Held ones alone.
async fn meant(store: &Store, ask: &Ask) -> Result<Vec<MessageRow>, Problem> {
    let held = match ask.field("offset") {
        Some(_) => {
            let key = MessageKey {
                topic: ask.parsed_field("topic")?,
                partition: ask.parsed_field("partition")?,
                offset: ask.parsed_field("offset")?,
            };
            store
                .read_message(&key)
                .await?
                .into_iter()
                .filter(|m| m.state == "held")
                .collect()
        }
        None => {
            let mut query = query_of(|name| ask.field(name))?;
            query.state = Some("held".to_owned());
            query.most = AT_ONCE;
            store.read_messages(&query).await?
        }
    };
    if held.is_empty() {
        return Err(Problem::NotFound("No message that matches is held.".to_owned()));
    }
    Ok(held)
}

fn key(m: &MessageRow) -> MessageKey {
    MessageKey {
        topic: m.topic.clone(),
        partition: m.partition,
        offset: m.offset,
    }
}

fn these(held: &[MessageRow]) -> Markup {
    let mut reasons: Vec<(&str, usize)> = Vec::new();
    for m in held {
        match reasons.iter_mut().find(|(r, _)| *r == m.reason) {
            Some((_, n)) => *n += 1,
            None => reasons.push((&m.reason, 1)),
        }
    }
    let more = held.len() >= AT_ONCE as usize;
    html! {
        p { @if more { "The first " (AT_ONCE) " messages that match; there may be more, for another time:" }
            @else { (number(held.len() as i64)) " messages:" } }
        ul { @for (reason, n) in reasons { li { (n) " × " (relation(reason)) } } }
    }
}

/// What would happen: the first messages are decoded and cleaned, and nothing is stored.
async fn preview(app: &App, store: &Store, held: &[MessageRow]) -> Result<Markup, Problem> {
    let mut outcomes: Vec<(Coordinates, Result<(), String>)> = Vec::new();
    for m in held.iter().take(TRIED) {
        let at = coordinates(&key(m))?;
        let outcome = if m.reason == Reason::KillsWorker.as_str() {
            Err("it has ended processes: tried in one of its own, not for this page".to_owned())
        } else {
            match store.quarantine_message(&at).await? {
                None => Err("its bytes are not here".to_owned()),
                Some(message) => try_one(app, message)
                    .await?
                    .map(drop)
                    .map_err(|r: Reject| r.to_string()),
            }
        };
        outcomes.push((at, outcome));
    }
    Ok(html! {
        p { "Tried on the spot, without storing anything:" }
        ul { @for (at, outcome) in &outcomes {
            li { code { (at.to_string()) } ": " @match outcome {
                Ok(()) => "would be stored",
                Err(why) => bdi dir="auto" { (why) },
            } }
        } }
        @if held.len() > outcomes.len() { p.quiet { "and " (held.len() - outcomes.len()) " more." } }
    })
}

/// The forms below a list, for all that its filters match.
pub(crate) fn forms_for_all(ask: &Ask) -> Markup {
    let filters: Vec<(&str, &str)> = FILTERS.iter().filter_map(|n| Some((*n, ask.get(n)?))).collect();
    html! {
        h2 { "All that match" }
        p.about { "Held messages, " (AT_ONCE) " at a time" }
        (pair(&filters))
    }
}

/// The forms of one message.
pub(crate) fn forms_for_one(m: &MessageRow) -> Markup {
    let (partition, offset) = (m.partition.to_string(), m.offset.to_string());
    html! {
        h2 { "Settle it" }
        (pair(&[("topic", &m.topic), ("partition", &partition), ("offset", &offset)]))
    }
}

fn pair(fields: &[(&str, &str)]) -> Markup {
    html! {
        div.filters {
            @for (action, button) in [("/quarantine/replay", "Try again…"), ("/quarantine/discard",
                "Give up…")] {
                form method="post" action=(action) {
                    @for (name, value) in fields { input type="hidden" name=(name) value=(value); }
                    button.grave[action.ends_with("discard")] { (button) }
                }
            }
        }
    }
}
