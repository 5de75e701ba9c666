//! One refused message, its bytes shown as text that does nothing.

use std::sync::Arc;

use copydesk_article::{Coordinates, Message, Offset, Partition, Topic, TopicPartition};
use copydesk_store::reads::{MessageKey, MessageRow};
use maud::{Markup, html};
use serde::Serialize;

use crate::answer::Page;
use crate::app::{App, permitted};
use crate::ask::Ask;
use crate::changes::quarantine::forms_for_one;
use crate::layout::Section;
use crate::problem::Problem;
use crate::text::{beginning, counted, number, relation, site, when, when_ago};

/// Characters of a value that are shown.
const SHOWN: usize = 20_000;
/// Characters of a header that are shown.
const OF_HEADER: usize = 500;

#[derive(Serialize)]
struct Refused {
    message: MessageRow,
    /// Null: its bytes were dropped, or this login may not see them.
    content: Option<Content>,
    may_see: bool,
}

/// What came, as text: bytes that are no UTF-8 are marks.
#[derive(Serialize)]
struct Content {
    key: Option<String>,
    headers: Vec<(String, String)>,
    /// Null: a tombstone.
    value: Option<String>,
    /// Whether more came than is shown.
    cut: bool,
}

pub(crate) async fn show(app: Arc<App>, ask: Ask) -> Result<Page, Problem> {
    let key = MessageKey {
        topic: ask.part("topic").to_owned(),
        partition: ask.number("partition")?,
        offset: ask.number("offset")?,
    };
    let at = coordinates(&key)?;
    let Some(message) = app.reads().await?.read_message(&key).await? else {
        return Err(Problem::NotFound(format!("{at} is not in quarantine.")));
    };
    let read = permitted(app.looks_deeper().await?.quarantine_message(&at).await)?;
    let may_see = read.is_some();
    let content = read.flatten().map(|m| content(&m));
    let data = Refused {
        message,
        content,
        may_see,
    };
    ask.page(Section::Quarantine, &at.to_string(), &data, || {
        draw(&ask, &at, &data)
    })
}

/// The key as the store knows it.
pub(crate) fn coordinates(key: &MessageKey) -> Result<Coordinates, Problem> {
    let partition = i32::try_from(key.partition)
        .map_err(|_| Problem::NotFound(format!("{} is no partition", key.partition)))?;
    Ok(Coordinates {
        source: TopicPartition {
            topic: Topic::new(key.topic.as_str()),
            partition: Partition::new(partition),
        },
        offset: Offset::new(key.offset),
    })
}

fn content(message: &Message) -> Content {
    let text = |bytes: &[u8], most| beginning(&String::from_utf8_lossy(bytes), most);
    let value = message.payload.as_deref().map(|p| text(p, SHOWN));
    Content {
        key: message.key.as_deref().map(|k| text(k, OF_HEADER)),
        headers: message
            .headers
            .iter()
            .map(|h| (beginning(&h.name, OF_HEADER), text(&h.value, OF_HEADER)))
            .collect(),
        cut: value.as_deref().is_some_and(|v| v.chars().count() > SHOWN),
        value,
    }
}

fn draw(ask: &Ask, at: &Coordinates, data: &Refused) -> Markup {
    let m = &data.message;
    html! {
        h1 { code { (at.to_string()) } }
        p { strong { (relation(&m.reason)) } " · refused by " (m.stage) " · " (m.state) " · tried "
            (counted(m.attempts, "time", "times")) }
        p dir="auto" { (m.detail) }
        p.about {
            "refused " (when_ago(m.first_seen))
            @if let Some(time) = m.message_time { " · sent " (when(time)) }
            @if let Some(time) = m.settled_at { " · settled " (when(time)) }
            @if let Some(who) = &m.settled_by { " by " bdi { (who) } }
            @if let Some(name) = &m.site { " · of " (site(Some(name))) }
            " · " (number(m.raw_size.unwrap_or(0))) " bytes"
            @if m.truncated { " · not whole, so it cannot be replayed" }
        }
        h2 { "As it came" }
        @match (&data.content, data.may_see) {
            (Some(content), _) => (drawn(content)),
            (None, true) => p { "Its bytes were dropped" @if let Some(why) = &m.content_dropped_for { " ("
                (why) ")" } "." },
            (None, false) => p.quiet { "This login may not read the bytes of messages. Set \
                console.write_url to a login with copydesk_writer, or ask "
                code { "copydesk quarantine show '" (at.to_string()) "'" } "." },
        }
        @if ask.can_write && m.state == "held" { (forms_for_one(m)) }
    }
}

fn drawn(content: &Content) -> Markup {
    html! {
        @if let Some(key) = &content.key { p { "Key: " code dir="auto" { (key) } } }
        @if !content.headers.is_empty() {
            table.facts { tbody { @for (name, value) in &content.headers {
                tr { th scope="row" dir="auto" { (name) } td { code dir="auto" { (value) } } }
            } } }
        }
        @match &content.value {
            None => p { "No value: a tombstone." },
            Some(value) => {
                pre.bytes tabindex="0" role="region" aria-label="The value of the message" dir="auto" {
                    (value) }
                @if content.cut { p.quiet { "These are the first " (SHOWN) " characters; " code {
                    "copydesk quarantine show --raw" } " writes all of it." } }
            },
        }
    }
}
