//! How the stream flows: partitions with their lag, hours of the last days, sources that are not as usual,
//! what waits to be published.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::Utc;
use copydesk_store::reads::{FlowHour, LastRefusal, OutputRow, PartitionRow, UnusualSource};
use copydesk_store::{ReplicaStatus, Store, StoreError};
use maud::{Markup, html};
use serde::Serialize;

use super::article::message_address;
use super::flow_remarks::{Remark, remarks, replica_remark};
use crate::answer::Page;
use crate::app::App;
use crate::ask::Ask;
use crate::chart;
use crate::ends::TopicEnd;
use crate::kept::Kept;
use crate::layout::Section;
use crate::problem::Problem;
use crate::text::{number, relation, site, when, when_ago};

/// Days that are looked at if none are named, and at the most.
const DAYS: u32 = 7;
const MOST_DAYS: u32 = 31;
/// Partitions that are shown.
const PARTITIONS: u32 = 500;
/// Sources that are not as usual, at the most.
const UNUSUAL: u32 = 100;
/// What reads a week of articles is asked once in this time, however many look.
const HOURS_KEPT: Duration = Duration::from_secs(60);
/// What reads two weeks of them. The sources of an hour ago are those of now.
const SOURCES_KEPT: Duration = Duration::from_secs(600);
/// How long a page waits for either.
const PATIENCE: Duration = Duration::from_secs(3);
/// Questions that are remembered.
const REMEMBERED: usize = 64;

/// Days, a site, a language.
type Question = (u32, Option<String>, Option<String>);

/// `None`: Postgres did not count them in time.
type Hours = Kept<Option<Vec<FlowHour>>>;

/// The answers of the last minutes.
pub(crate) struct FlowCache {
    hours: Mutex<HashMap<Question, Arc<Hours>>>,
    sources: Kept<Option<Vec<UnusualSource>>>,
}

impl Default for FlowCache {
    fn default() -> Self {
        Self {
            hours: Mutex::default(),
            sources: Kept::new(SOURCES_KEPT, PATIENCE),
        }
    }
}

impl FlowCache {
    fn hours_of(&self, question: &Question) -> Arc<Hours> {
        let mut all = self.hours.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= REMEMBERED && !all.contains_key(question) {
            all.clear();
        }
        let new = || Arc::new(Kept::new(HOURS_KEPT, PATIENCE));
        Arc::clone(all.entry(question.clone()).or_insert_with(new))
    }
}

/// A partition with what Kafka has of it.
#[derive(Serialize)]
pub(super) struct Partition {
    #[serde(flatten)]
    pub(super) row: PartitionRow,
    /// Where the next message of the topic will stand. Null: Kafka did not say.
    pub(super) end: Option<i64>,
    /// Messages that wait. Null: Kafka did not say.
    pub(super) lag: Option<i64>,
    pub(super) last_refusal: Option<LastRefusal>,
}

#[derive(Serialize)]
struct Flow {
    partitions: Vec<Partition>,
    outputs: Vec<OutputRow>,
    days: u32,
    /// Null: they could not be counted in time.
    hours: Option<Vec<FlowHour>>,
    /// Sites and languages that are not as usual. Null: they could not be looked at in time.
    unusual: Option<Vec<UnusualSource>>,
    /// The replica that this was read from. Null: it was read from the primary.
    replica: Option<ReplicaStatus>,
    /// What deserves a look, with the alert that says the same.
    remarks: Vec<Remark>,
}

pub(crate) async fn show(app: Arc<App>, ask: Ask) -> Result<Page, Problem> {
    let days = ask.parsed::<u32>("days")?.unwrap_or(DAYS).clamp(1, MOST_DAYS);
    let question = (
        days,
        ask.get("site").map(str::to_owned),
        ask.get("language").map(str::to_lowercase),
    );
    let store = app.reads().await?;
    let replica = store.replica_status().await?;
    let rows = store.read_partitions(PARTITIONS).await?;
    let refusals = store.read_last_refusals(PARTITIONS).await?;
    let outputs = store.read_outputs().await?;
    let (ends, hours, unusual) = tokio::join!(
        app.ends.get(),
        hours(&app, question.clone()),
        unusual(Arc::clone(&app))
    );
    let partitions: Vec<Partition> = rows
        .into_iter()
        .map(|row| with_end(row, ends.as_deref(), &refusals))
        .collect();
    // The hours of one site say nothing of the stream.
    let all_hours = hours
        .as_deref()
        .filter(|_| question.1.is_none() && question.2.is_none());
    let mut all = replica_remark(app.router.replica_is_away(), replica.as_ref());
    all.extend(remarks(
        &partitions,
        ends.as_deref(),
        &outputs,
        all_hours,
        unusual.as_deref(),
        Utc::now(),
    ));
    let data = Flow {
        remarks: all,
        replica,
        partitions,
        outputs,
        days,
        hours,
        unusual,
    };
    ask.page(Section::Flow, "Flow", &data, || draw(&ask, &data))
}

async fn hours(app: &Arc<App>, question: Question) -> Option<Vec<FlowHour>> {
    let kept = app.flow.hours_of(&question);
    let app = Arc::clone(app);
    let ask = || async move {
        let (days, site, language) = question;
        let read = |store: Store| {
            let (site, language) = (site.clone(), language.clone());
            async move { store.read_hours(days, site.as_deref(), language.as_deref()).await }
        };
        once_more(&app, read).await
    };
    kept.get(ask).await.flatten()
}

async fn unusual(app: Arc<App>) -> Option<Vec<UnusualSource>> {
    let asked = Arc::clone(&app);
    let read = |store: Store| async move { store.read_unusual_sources(UNUSUAL).await };
    let ask = || async move { once_more(&asked, read).await };
    app.flow.sources.get(ask).await.flatten()
}

/// Reads a part of the page, and once more where a replica went away or ended the query. `None`: the log says
/// why.
async fn once_more<T, F>(app: &App, read: impl Fn(Store) -> F) -> Option<T>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let mut tries = 0;
    loop {
        let store = app.reads().await.ok()?;
        match read(store.clone()).await {
            Ok(part) => return Some(part),
            Err(error) => noted(app.router.read_again(error, &mut tries).await)?,
        }
    }
}

fn noted<T>(read: Result<T, StoreError>) -> Option<T> {
    read.inspect_err(|error| tracing::warn!(%error, "a part of the page Flow is missing"))
        .ok()
}

fn with_end(row: PartitionRow, ends: Option<&[TopicEnd]>, refusals: &[LastRefusal]) -> Partition {
    let end = ends
        .unwrap_or_default()
        .iter()
        .find(|e| e.topic == row.topic && e.partition == row.partition)
        .map(|e| e.end);
    let last_refusal = refusals
        .iter()
        .find(|r| r.topic == row.topic && r.partition == row.partition)
        .cloned();
    Partition {
        lag: end.map(|end| (end - row.next_offset).max(0)),
        end,
        row,
        last_refusal,
    }
}

fn draw(ask: &Ask, data: &Flow) -> Markup {
    let value = |name| ask.get(name).unwrap_or_default();
    html! {
        h1 { "Flow" }
        @if !data.remarks.is_empty() {
            section.notice aria-label="What deserves a look" { ul { @for r in &data.remarks { li {
                (r.says) @if let Some(alert) = r.alert { " · " code { (alert) } }
            } }
            p { "docs/operations.md says what to do about each alert." } } }
        }
        @if let Some(replica) = &data.replica { p.quiet { "Read from a replica, " (replica) "." } }
        h2 { "Partitions" }
        @if data.partitions.is_empty() { p { "No worker has read a partition yet. Start one: " code { "copydesk worker"
            } "." } }
        @else { (partitions(&data.partitions)) }
        @if data.partitions.iter().any(|p| p.lag.is_none()) { p.quiet { "Kafka did not say where the topic ends, so \
            that lag is not known: the console asks kafka.brokers, as a worker does." } }
        h2 { "Articles an hour" }
        form.filters method="get" action="/flow" {
            label { "Days " input name="days" value=(data.days) size="3" inputmode="numeric"; }
            label { "Site " input name="site" value=(value("site")) size="18"; }
            label { "Language " input name="language" value=(value("language")) size="4"; }
            button { "Show" }
        }
        @match &data.hours {
            None => p { "So many articles cannot be counted in the time that a page has. Ask for fewer \
                days, one site, or one language." },
            Some(hours) => (drawn(hours, data.days)),
        }
        h2 { "Sites and languages that are not as usual" }
        @match data.unusual.as_deref() {
            None => p { "Postgres is still working this out. Open the page again in a minute." },
            Some([]) => p { "All are as usual: the last day is compared with the two weeks before." },
            Some(all) => ul { @for source in all { li { (not_usual(source)) } } },
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

fn drawn(hours: &[FlowHour], days: u32) -> Markup {
    let sum = |of: fn(&FlowHour) -> i64| number(hours.iter().map(of).sum());
    html! {
        (chart::hours(hours, days, Utc::now()))
        p.legend {
            svg.key viewBox="0 0 14 14" aria-hidden="true" { rect.original x="1" y="1" width="12" height="12"
                {} } " originals " (sum(|h| h.originals)) " "
            svg.key viewBox="0 0 14 14" aria-hidden="true" { rect.copy x="1" y="1" width="12" height="12" {}
                } " copies, above them " (sum(|h| h.copies)) " "
            svg.key viewBox="0 0 14 14" aria-hidden="true" { rect.refused x="1" y="1" width="12" height="12"
                {} } " refused, on top " (sum(|h| h.refused))
        }
        details { summary { "The same as a table" }
            table { thead { tr { th scope="col" { "hour" } th scope="col" { "originals" } th
                scope="col" { "copies" } th scope="col" { "refused" } } }
                tbody { @for h in hours.iter().rev() {
                    tr { td { (when(h.hour)) } td.number { (number(h.originals)) } td.number {
                        (number(h.copies)) } td.number { (number(h.refused)) } }
                } }
            }
        }
    }
}

fn not_usual(s: &UnusualSource) -> Markup {
    html! {
        @if s.of == "site" { (site(Some(&s.name))) } @else { (s.of) " " bdi { (s.name) } }
        ": "
        @if s.is_silent { "silent, the last article " (when_ago(s.last_ingested_at)) ", usually "
            (format!("{:.0}", s.articles_a_day)) " a day. " }
        @if let (true, Some(now), Some(usual)) = (s.has_other_length, s.words_24h, s.words_usual) {
            "articles have " (format!("{now:.0}")) " words in place of " (format!("{usual:.0}")) ". "
        }
        @if s.is_refused { (number(s.refused_24h)) " messages were refused in the last day, usually "
            (format!("{:.0}", s.refused_a_day)) ". " }
    }
}

fn partitions(all: &[Partition]) -> Markup {
    let unknown = || html! { span.quiet { "not known" } };
    html! {
        table.stack {
            caption.hidden { "Partitions" }
            thead { tr {
                th scope="col" { "partition" } th scope="col" { "next offset" } th scope="col" { "lag" }
                th scope="col" { "stored" } th scope="col" { "in quarantine" } th scope="col" { "skipped" }
                th scope="col" { "messages a second" } th scope="col" { "owner" } th scope="col" { "last flush" }
                th scope="col" { "last refused" }
            } }
            tbody { @for p in all {
                @let row = &p.row;
                tr {
                    td data-name="partition" { code { (row.topic) "[" (row.partition) "]" } }
                    td.number data-name="next offset" { (number(row.next_offset)) }
                    td.number data-name="lag" { @match p.lag { Some(lag) => (number(lag)), None => (unknown()) } }
                    td.number data-name="stored" { (number(row.stored)) }
                    td.number data-name="in quarantine" { (number(row.quarantined)) }
                    td.number data-name="skipped" { (number(row.skipped)) }
                    td.number data-name="messages a second" { (format!("{:.1}", row.messages_per_second)) }
                    td data-name="owner" { bdi { (row.owner) } " " span.quiet { "claim " (row.epoch) } }
                    td data-name="last flush" { (when_ago(row.updated_at)) }
                    td data-name="last refused" { @match &p.last_refusal {
                        None => "–",
                        Some(r) => {
                            a href=(message_address(&r.topic, r.partition, r.offset)) { (relation(&r.reason)) }
                            " " (when_ago(r.first_seen))
                        },
                    } }
                }
            } }
        }
    }
}
