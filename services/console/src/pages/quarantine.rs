//! Messages that were refused: by reason and time, with what their sentences contain and what they do not.

use std::sync::Arc;

use copydesk_store::reads::{MessageKey, MessageQuery, MessageRow, ReasonCount};
use maud::{Markup, html};
use serde::Serialize;

use super::ROWS;
use super::article::message_address;
use crate::answer::Page;
use crate::app::App;
use crate::ask::{Ask, address, parse_time};
use crate::changes::quarantine::forms_for_all;
use crate::layout::Section;
use crate::problem::Problem;
use crate::text::{number, relation, site, when_ago};

/// Held messages that are counted by reason.
const COUNTED: u32 = 10_000;

#[derive(Serialize)]
struct Quarantine {
    messages: Vec<MessageRow>,
    reasons: Vec<ReasonCount>,
    /// Whether more are held than were counted.
    more_than_counted: bool,
    next: Option<String>,
}

pub(crate) async fn show(app: Arc<App>, ask: Ask) -> Result<Page, Problem> {
    let store = app.reads().await?;
    let query = query_of(|name| ask.get(name))?;
    let page = store.read_messages(&query).await?;
    let reasons = store.read_reasons(COUNTED).await?;
    let next = page.next.map(|key| ask.with(&[("after", &key_text(&key))]));
    let counted: i64 = reasons.iter().map(|r| r.messages).sum();
    let data = Quarantine {
        messages: page.messages,
        reasons,
        more_than_counted: counted >= i64::from(COUNTED),
        next,
    };
    ask.page(Section::Quarantine, "Quarantine", &data, || draw(&ask, &data))
}

/// The filters of an address or a form. Without a state: what is held.
pub(crate) fn query_of<'a>(value: impl Fn(&str) -> Option<&'a str>) -> Result<MessageQuery, Problem> {
    let text = |name| value(name).map(str::to_owned);
    let time = |name| value(name).map(|t| parse_time(name, t)).transpose();
    Ok(MessageQuery {
        state: match value("state") {
            None => Some("held".to_owned()),
            Some("any") => None,
            Some(state) => Some(state.to_owned()),
        },
        reason: text("reason"),
        stage: text("stage"),
        topic: text("topic"),
        site: text("site").map(|s| s.to_lowercase()),
        since: time("since")?,
        until: time("until")?,
        contains: text("contains"),
        lacks: text("lacks"),
        after: value("after").map(key).transpose()?,
        most: ROWS,
    })
}

/// The key of a page that ends with this message, and the name of a box beside it.
pub(crate) fn key_text(key: &MessageKey) -> String {
    format!("{}/{}/{}", key.topic, key.partition, key.offset)
}

pub(crate) fn key(text: &str) -> Result<MessageKey, Problem> {
    let mut parts = text.rsplitn(3, '/');
    let parsed = (|| {
        let (offset, partition, topic) = (parts.next()?, parts.next()?, parts.next()?);
        Some(MessageKey {
            topic: topic.to_owned(),
            partition: partition.parse().ok()?,
            offset: offset.parse().ok()?,
        })
    })();
    parsed.ok_or_else(|| {
        Problem::Bad(format!(
            "{text:?} names no message; write it as topic/partition/offset"
        ))
    })
}

fn draw(ask: &Ask, data: &Quarantine) -> Markup {
    let value = |name| ask.get(name).unwrap_or_default();
    html! {
        h1 { "Quarantine" }
        @if !data.reasons.is_empty() {
            h2 { "Held, by reason" }
            ul.counts { @for r in &data.reasons {
                li {
                    a href=(address("/quarantine", &[("reason", &r.reason), ("stage", &r.stage)])) {
                        (relation(&r.reason)) }
                    " " strong { (number(r.messages)) } " " span.quiet { (r.stage) }
                }
            } }
            @if data.more_than_counted { p.quiet { "These are counts of the first " (number(COUNTED.into()))
                " that are held; more are." } }
        }
        form.filters method="get" action="/quarantine" {
            label { "State "
                select name="state" {
                    @for state in ["held", "replayed", "discarded", "any"] {
                        option value=(state) selected[value("state") == state] { (state) }
                    }
                }
            }
            label { "Reason " input name="reason" value=(value("reason")) size="16"; }
            label { "Site " input name="site" value=(value("site")) size="16"; }
            label { "Contains " input name="contains" value=(value("contains")) size="16"; }
            label { "Does not contain " input name="lacks" value=(value("lacks")) size="16"; }
            label { "From " input name="since" value=(value("since")) size="11" placeholder="2026-11-24"; }
            label { "Before " input name="until" value=(value("until")) size="11"; }
            button { "Show" }
        }
        @if data.messages.is_empty() && data.next.is_some() {
            p { "No message matches among those that one page looks into." }
        } @else if data.messages.is_empty() {
            p { "No message matches." @if ask.get("state").is_none() { " Nothing that matches is held." } }
        } @else { (table(ask, &data.messages)) }
        @if let Some(next) = &data.next { p { a.next href=(next) rel="next" { "Next page" } } }
        @if ask.can_write && matches!(value("state"), "" | "held") && !data.messages.is_empty() {
            (forms_for_all(ask)) }
    }
}

fn table(ask: &Ask, messages: &[MessageRow]) -> Markup {
    html! {
        table.stack {
            caption.hidden { "Refused messages" }
            thead { tr {
                @if ask.can_write { th scope="col" { "settle" } }
                th scope="col" { "message" } th scope="col" { "reason" } th scope="col" { "what was wrong" }
                    th scope="col" { "site" } th scope="col" { "since" } th scope="col" { "bytes" }
            } }
            tbody { @for m in messages {
                tr {
                    @if ask.can_write { td data-name="settle" { @if m.state == "held" {
                        input type="checkbox" form="ticked" name="message" value=(key_text(&m.key()))
                            aria-label={ "settle " (m.topic) "[" (m.partition) "]@" (m.offset) };
                    } } }
                    td data-name="message" { a href=(message_address(&m.topic, m.partition, m.offset)) { code
                        { (m.topic) "[" (m.partition) "]@" (m.offset) } } }
                    td data-name="reason" { (relation(&m.reason)) " " span.quiet { (m.stage) @if m.state !=
                        "held" { ", " (m.state) } } }
                    td data-name="what was wrong" dir="auto" { (m.detail) }
                    td data-name="site" { (site(m.site.as_deref())) }
                    td data-name="since" { (when_ago(m.first_seen)) }
                    td.number data-name="bytes" { (number(m.raw_size.unwrap_or(0))) @if
                        m.content_dropped_at.is_some() { " (dropped)" } }
                }
            } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_a_page_is_read_back() {
        let read = key("articles.raw/3/1207").unwrap();
        assert_eq!(
            (read.topic.as_str(), read.partition, read.offset),
            ("articles.raw", 3, 1207)
        );
        for bad in ["", "x", "a/b/c", "a/1"] {
            assert!(key(bad).is_err(), "{bad}");
        }
    }
}
