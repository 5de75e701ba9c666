//! How the stream flows: partitions, hours of the last days, sites that fell silent, what waits to be published.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use copydesk_store::reads::{FlowHour, OutputRow, PartitionRow, SilentSite};
use maud::{Markup, html};
use serde::Serialize;
use tokio::sync::Mutex;

use crate::answer::Page;
use crate::app::App;
use crate::ask::Ask;
use crate::chart;
use crate::layout::Section;
use crate::problem::{Problem, is_too_slow};
use crate::text::{number, site, span, when, when_ago};

/// Days that are looked at if none are named, and at the most.
const DAYS: u32 = 7;
const MOST_DAYS: u32 = 31;
/// Partitions that are shown.
const PARTITIONS: u32 = 500;
/// A partition whose owner has not written for so long while it was at work is worth a look.
const STILL: i64 = 600;
/// A site with so many articles a day is missed on a day without any.
const A_DAY: u32 = 3;
/// Silent sites that are shown.
const SILENT: u32 = 50;
/// What reads every article of a week is asked once in this time, however many look.
const KEPT: Duration = Duration::from_secs(60);
/// Questions that are remembered.
const REMEMBERED: usize = 64;

type Question = (u32, Option<String>, Option<String>);

/// What the last days brought, for a question; `None` where it took too long.
#[derive(Clone, Serialize)]
struct Week {
    hours: Vec<FlowHour>,
    silent: Vec<SilentSite>,
}

/// The answers of the last minute.
#[derive(Default)]
pub(crate) struct FlowCache(Mutex<HashMap<Question, (Instant, Option<Week>)>>);

#[derive(Serialize)]
struct Flow {
    partitions: Vec<PartitionRow>,
    outputs: Vec<OutputRow>,
    days: u32,
    /// Null: it took too long.
    week: Option<Week>,
    /// What deserves a look, in words.
    remarks: Vec<String>,
}

pub(crate) async fn show(app: Arc<App>, ask: Ask) -> Result<Page, Problem> {
    let days = ask.parsed::<u32>("days")?.unwrap_or(DAYS).clamp(1, MOST_DAYS);
    let question = (
        days,
        ask.get("site").map(str::to_owned),
        ask.get("language").map(str::to_lowercase),
    );
    let store = app.reads().await?;
    let partitions = store.read_partitions(PARTITIONS).await?;
    let outputs = store.read_outputs().await?;
    let week = week(&app, &question).await?;
    let data = Flow {
        remarks: remarks(&partitions, &outputs, Utc::now()),
        partitions,
        outputs,
        days,
        week,
    };
    ask.page(Section::Flow, "Flow", &data, || draw(&ask, &data))
}

/// The lock is held while Postgres works: those who ask the same meanwhile wait for that answer and do not ask again.
async fn week(app: &App, question: &Question) -> Result<Option<Week>, Problem> {
    let mut kept = app.flow.0.lock().await;
    kept.retain(|_, (at, _)| at.elapsed() < KEPT);
    if let Some((_, week)) = kept.get(question) {
        return Ok(week.clone());
    }
    let (days, site, language) = question;
    let store = app.reads().await?;
    let read = async {
        let hours = store
            .read_hours(*days, site.as_deref(), language.as_deref())
            .await?;
        let silent = match (site, language) {
            (None, None) => store.read_silent_sites(*days, A_DAY * days, SILENT).await?,
            _ => Vec::new(),
        };
        Ok(Week { hours, silent })
    };
    let week = match read.await {
        Ok(week) => Some(week),
        Err(error) if is_too_slow(&error) => None,
        Err(error) => return Err(error.into()),
    };
    if kept.len() < REMEMBERED {
        kept.insert(question.clone(), (Instant::now(), week.clone()));
    }
    Ok(week)
}

fn remarks(partitions: &[PartitionRow], outputs: &[OutputRow], now: DateTime<Utc>) -> Vec<String> {
    let mut said = Vec::new();
    for p in partitions {
        let still = (now - p.updated_at).num_seconds();
        let name = format!("{}[{}]", p.topic, p.partition);
        if still > STILL {
            said.push(format!(
                "{name}: nothing was stored for {}: no new messages, or no worker",
                span(still)
            ));
        }
        if p.skipped > 0 {
            said.push(format!(
                "{name}: {} offsets brought no message (the view gaps says why)",
                number(p.skipped)
            ));
        }
        if p.quarantined * 5 > p.stored + p.quarantined {
            said.push(format!(
                "{name}: more than a fifth of its messages is in quarantine"
            ));
        }
    }
    for o in outputs {
        let old = o.oldest.map_or(0, |t| (now - t).num_seconds());
        if old > STILL {
            said.push(format!(
                "output {}: {} messages wait, the oldest for {}",
                o.output,
                number(o.waiting),
                span(old)
            ));
        }
    }
    said
}

fn draw(ask: &Ask, data: &Flow) -> Markup {
    let value = |name| ask.get(name).unwrap_or_default();
    html! {
        h1 { "Flow" }
        @if !data.remarks.is_empty() {
            section.notice aria-label="What deserves a look" { ul { @for r in &data.remarks { li { (r) } } } }
        }
        h2 { "Partitions" }
        @if data.partitions.is_empty() { p { "No worker has read a partition yet: " code { "copydesk worker"
            } "." } }
        @else { (partitions(&data.partitions)) }
        p.quiet { "Lag is Kafka’s to tell, and the console does not ask Kafka: the worker’s metrics have it \
            (docs/metrics.md)." }
        h2 { "Articles an hour" }
        form.filters method="get" action="/flow" {
            label { "Days " input name="days" value=(data.days) size="3" inputmode="numeric"; }
            label { "Site " input name="site" value=(value("site")) size="18"; }
            label { "Language " input name="language" value=(value("language")) size="4"; }
            button { "Show" }
        }
        @match &data.week {
            None => p { "So many articles cannot be counted in the time that a page has. Ask for fewer \
                days, one site, or one language." },
            Some(week) => (drawn(week, data.days)),
        }
        @if !data.outputs.is_empty() {
            h2 { "Waiting to be published" }
            ul { @for o in &data.outputs { li {
                (o.output) ": " (number(o.waiting)) @if let Some(time) = o.oldest { ", the oldest from "
                    (when_ago(time)) }
            } } }
        }
    }
}

fn drawn(week: &Week, days: u32) -> Markup {
    let sum = |of: fn(&FlowHour) -> i64| number(week.hours.iter().map(of).sum());
    html! {
        (chart::hours(&week.hours, days, Utc::now()))
        p.legend {
            svg.key viewBox="0 0 14 14" aria-hidden="true" { rect.original x="1" y="1" width="12" height="12"
                {} } " originals " (sum(|h| h.originals)) " "
            svg.key viewBox="0 0 14 14" aria-hidden="true" { rect.copy x="1" y="1" width="12" height="12" {}
                } " copies, above them " (sum(|h| h.copies)) " "
            svg.key viewBox="0 0 14 14" aria-hidden="true" { rect.refused x="1" y="1" width="12" height="12"
                {} } " refused, on top " (sum(|h| h.refused))
        }
        details { summary { "The same as a table" }
            table { thead { tr { th scope="col" { "hour (UTC)" } th scope="col" { "originals" } th
                scope="col" { "copies" } th scope="col" { "refused" } } }
                tbody { @for h in week.hours.iter().rev() {
                    tr { td { (when(h.hour)) } td.number { (number(h.originals)) } td.number {
                        (number(h.copies)) } td.number { (number(h.refused)) } }
                } }
            }
        }
        @if !week.silent.is_empty() {
            h2 { "Sites that fell silent" }
            p.about { "At least " (A_DAY) " articles a day over the time above, and none in the last day." }
            ul { @for s in &week.silent { li { (site(Some(&s.site))) ": " (number(s.articles))
                " articles, the last " (when_ago(s.last_seen)) } } }
        }
    }
}

fn partitions(all: &[PartitionRow]) -> Markup {
    html! {
        table.stack {
            caption.hidden { "Partitions" }
            thead { tr {
                th scope="col" { "partition" } th scope="col" { "next offset" } th scope="col" { "stored" }
                    th scope="col" { "in quarantine" }
                th scope="col" { "skipped" } th scope="col" { "owner" } th scope="col" { "messages a second"
                    } th scope="col" { "last flush" }
            } }
            tbody { @for p in all {
                tr {
                    td data-name="partition" { code { (p.topic) "[" (p.partition) "]" } }
                    td.number data-name="next offset" { (number(p.next_offset)) }
                    td.number data-name="stored" { (number(p.stored)) }
                    td.number data-name="in quarantine" { (number(p.quarantined)) }
                    td.number data-name="skipped" { (number(p.skipped)) }
                    td data-name="owner" { bdi { (p.owner) } " " span.quiet { "claim " (p.epoch) } }
                    td.number data-name="messages a second" { (format!("{:.1}", p.messages_per_second)) }
                    td data-name="last flush" { (when_ago(p.updated_at)) }
                }
            } }
        }
    }
}
