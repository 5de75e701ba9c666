//! Refused messages again through the pipeline, or given up: one, those that are ticked, or all that match.

use std::sync::Arc;
use std::time::{Duration, Instant};

use copydesk_article::Coordinates;
use copydesk_store::Store;
use copydesk_store::reads::{MessageKey, MessageQuery, MessageRow};
use copydesk_worker::{ReplayReport, ReplayStages};
use maud::{Markup, html};
use serde_json::json;

use super::{ask_once, is_sure, record};
use crate::answer::Page;
use crate::app::App;
use crate::ask::{Ask, address};
use crate::layout::Section;
use crate::pages::clean::{try_one, why_not};
use crate::pages::message::coordinates;
use crate::pages::quarantine::{key, key_text, query_of};
use crate::problem::Problem;
use crate::text::{counted, number, relation};

/// Messages that are read at once.
const AT_ONCE: u32 = 200;
/// Messages that are counted, so that a page can say how many match.
const COUNTED: u32 = 100_000;
/// Messages of a replay between two looks at the clock.
const REPLAYED_AT_ONCE: usize = 10;
/// After so long a page says how far it came, and offers to go on.
const PATIENCE: Duration = Duration::from_secs(20);
/// Messages that are tried for the page that asks, and for how long at the most.
const TRIED: usize = 10;
const TRIED_FOR: Duration = Duration::from_secs(10);
/// What a form may narrow the messages down with.
const FILTERS: [&str; 9] = [
    "state", "reason", "stage", "topic", "site", "since", "until", "contains", "lacks",
];

/// What a form means.
enum Meant {
    /// These.
    These(Vec<MessageRow>),
    /// All held ones that match.
    All(Box<MessageQuery>),
}

pub(crate) async fn replay(app: Arc<App>, ask: Ask) -> Result<Page, Problem> {
    let store = app.writes().await?;
    let meant = meant(store, &ask).await?;
    if !is_sure(&ask) {
        let would = html! {
            (these(store, &meant).await?)
            (preview(&app, store, &meant).await?)
        };
        return ask_once(
            &ask,
            Section::Quarantine,
            "Try these messages again?",
            &would,
            "Try them again",
        );
    }
    let mut report = ReplayReport::default();
    let mut steps = Steps::new(store, meant);
    while let Some(held) = steps.next(REPLAYED_AT_ONCE).await? {
        let stages = ReplayStages {
            cleaner: (app.make_cleaner)().map_err(|e| Problem::Failed(format!("{e:#}")))?,
            limits: app.limits.clone(),
            isolated: app.isolated.clone(),
            registry: app.registry.clone(),
            keep_raw: app.keep_raw,
        };
        let done = copydesk_worker::replay_messages(store, stages, &held)
            .await
            .map_err(|e| Problem::Failed(format!("{e:#}")))?;
        store.quarantine_note_settler(&held, &ask.user).await?;
        report.stored += done.stored;
        report.refused_again += done.refused_again;
        report.settled_meanwhile += done.settled_meanwhile;
        report.truncated += done.truncated;
        report.dropped += done.dropped;
    }
    let of = format!(
        "{}: {} stored, {} refused again",
        counted(steps.settled, "message", "messages"),
        report.stored,
        report.refused_again
    );
    record(&ask, "replay", &of);
    let data = json!({
        "done": true, "stored": report.stored, "refused_again": report.refused_again,
        "settled_meanwhile": report.settled_meanwhile, "truncated": report.truncated,
        "dropped": report.dropped, "after": steps.goes_on(),
    });
    ask.page(Section::Quarantine, "Tried again", &data, || {
        html! {
            h1 { "Tried again" }
            p { (of) "." }
            @if report.truncated + report.dropped > 0 { p { "Not tried: " (report.truncated) " that are not whole, "
                (report.dropped) " whose bytes were dropped." } }
            (go_on(&ask, steps.goes_on()))
            p { a href="/quarantine" { "Quarantine" } " · " a href="/stories" { "Stories" } }
        }
    })
}

pub(crate) async fn discard(app: Arc<App>, ask: Ask) -> Result<Page, Problem> {
    let store = app.writes().await?;
    let meant = meant(store, &ask).await?;
    if !is_sure(&ask) {
        let would = html! {
            (these(store, &meant).await?)
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
    let mut steps = Steps::new(store, meant);
    while let Some(held) = steps.next(AT_ONCE as usize).await? {
        let dropped = store.quarantine_discard_these(held.clone()).await?;
        store.quarantine_note_settler(&held, &ask.user).await?;
        messages += dropped.messages;
        bytes += dropped.bytes;
    }
    record(&ask, "discard", &format!("{messages} messages"));
    let data = json!({"done": true, "messages": messages, "bytes": bytes, "after": steps.goes_on()});
    if steps.goes_on().is_none() {
        let pairs: Vec<(&str, &str)> = FILTERS.iter().filter_map(|n| Some((*n, ask.field(n)?))).collect();
        return ask.changed(&data, address("/quarantine", &pairs));
    }
    ask.page(Section::Quarantine, "Given up", &data, || {
        html! {
            h1 { "Given up" }
            p { (messages) " messages were given up, and there are more." }
            (go_on(&ask, steps.goes_on()))
        }
    })
}

/// The messages that a form means, a few at a time, for as long as a page may take.
struct Steps<'s> {
    store: &'s Store,
    begun: Instant,
    waiting: Vec<MessageRow>,
    /// What is read next, if anything.
    query: Option<MessageQuery>,
    /// Messages that were handed out.
    settled: i64,
    last: Option<String>,
}

impl<'s> Steps<'s> {
    fn new(store: &'s Store, meant: Meant) -> Self {
        let (waiting, query) = match meant {
            Meant::These(these) => (these, None),
            Meant::All(query) => (Vec::new(), Some(*query)),
        };
        Self {
            store,
            begun: Instant::now(),
            waiting,
            query,
            settled: 0,
            last: None,
        }
    }

    /// The next ones. `None`: there are none, or the time is over.
    async fn next(&mut self, most: usize) -> Result<Option<Vec<Coordinates>>, Problem> {
        if self.begun.elapsed() > PATIENCE {
            return Ok(None);
        }
        if self.waiting.is_empty()
            && let Some(query) = self.query.take()
        {
            (self.waiting, self.query) = next_found(self.store, query).await?;
        }
        let rest = self.waiting.split_off(most.min(self.waiting.len()));
        let step = std::mem::replace(&mut self.waiting, rest);
        let Some(last) = step.last() else { return Ok(None) };
        self.last = Some(key_text(&last.key()));
        self.settled += i64::try_from(step.len()).unwrap_or(0);
        step.iter()
            .map(|m| coordinates(&m.key()))
            .collect::<Result<_, _>>()
            .map(Some)
    }

    /// The last message that was settled, where others are left.
    fn goes_on(&self) -> Option<&str> {
        let more = !self.waiting.is_empty() || self.query.is_some();
        self.last.as_deref().filter(|_| more)
    }
}

/// The next messages that match, and the question for those behind them.
async fn next_found(
    store: &Store,
    mut query: MessageQuery,
) -> Result<(Vec<MessageRow>, Option<MessageQuery>), Problem> {
    loop {
        let page = store.read_messages(&query).await?;
        let Some(next) = page.next else {
            return Ok((page.messages, None));
        };
        query.after = Some(next);
        if !page.messages.is_empty() {
            return Ok((page.messages, Some(query)));
        }
    }
}

/// The form that goes on where the time was over.
fn go_on(ask: &Ask, after: Option<&str>) -> Markup {
    html! {
        @if let Some(after) = after {
            form method="post" action=(ask.path) {
                @for (name, value) in ask.fields().iter().filter(|(n, _)| n != "after") {
                    input type="hidden" name=(name) value=(value);
                }
                input type="hidden" name="after" value=(after);
                p { button.grave { "Go on with the others" } }
            }
        }
    }
}

async fn meant(store: &Store, ask: &Ask) -> Result<Meant, Problem> {
    let mut keys: Vec<MessageKey> = Vec::new();
    for ticked in ask.parsed_fields::<String>("message")? {
        keys.push(key(&ticked)?);
    }
    if ask.field("offset").is_some() {
        keys.push(MessageKey {
            topic: ask.parsed_field("topic")?,
            partition: ask.parsed_field("partition")?,
            offset: ask.parsed_field("offset")?,
        });
    }
    let none = || Problem::NotFound("No message that matches is held.".to_owned());
    if ask.field("these").is_some() && keys.is_empty() {
        return Err(Problem::Bad(
            "message: tick the messages that you mean".to_owned(),
        ));
    }
    if keys.is_empty() {
        let mut query = query_of(|name| ask.field(name))?;
        query.state = Some("held".to_owned());
        query.most = AT_ONCE;
        if store.count_messages(&query, 1).await? == 0 {
            return Err(none());
        }
        return Ok(Meant::All(Box::new(query)));
    }
    let mut held = Vec::new();
    for key in keys.iter().take(AT_ONCE as usize) {
        held.extend(store.read_message(key).await?.filter(|m| m.state == "held"));
    }
    if held.is_empty() {
        return Err(none());
    }
    Ok(Meant::These(held))
}

/// How many there are, by reason.
async fn these(store: &Store, meant: &Meant) -> Result<Markup, Problem> {
    let (count, first) = match meant {
        Meant::These(held) => (i64::try_from(held.len()).unwrap_or(0), held.clone()),
        Meant::All(query) => (
            store.count_messages(query, COUNTED).await?,
            next_found(store, (**query).clone()).await?.0,
        ),
    };
    let mut reasons: Vec<(&str, usize)> = Vec::new();
    for m in &first {
        match reasons.iter_mut().find(|(r, _)| *r == m.reason) {
            Some((_, n)) => *n += 1,
            None => reasons.push((&m.reason, 1)),
        }
    }
    let all = count <= i64::try_from(first.len()).unwrap_or(0);
    Ok(html! {
        p { (counted(count, "message", "messages")) @if count >= i64::from(COUNTED) { " or more" } @if all { ":" }
            @else { ". Of the first " (number(i64::try_from(first.len()).unwrap_or(0))) ":" } }
        ul { @for (reason, n) in reasons { li { (n) " × " (relation(reason)) } } }
    })
}

/// What would happen: the first messages are cleaned, each in a process of its own, and nothing is stored.
async fn preview(app: &App, store: &Store, meant: &Meant) -> Result<Markup, Problem> {
    let first = match meant {
        Meant::These(held) => held.iter().take(TRIED).cloned().collect(),
        Meant::All(query) => {
            let most = u32::try_from(TRIED).unwrap_or(u32::MAX);
            let first = MessageQuery {
                most,
                ..(**query).clone()
            };
            next_found(store, first).await?.0
        }
    };
    let begun = Instant::now();
    let mut outcomes: Vec<(Coordinates, Option<String>)> = Vec::new();
    for m in &first {
        if begun.elapsed() > TRIED_FOR {
            break;
        }
        let at = coordinates(&m.key())?;
        let why_not = match store.quarantine_message(&at).await? {
            None => Some("its bytes are not here".to_owned()),
            // The process that tries it does not speak with a registry.
            Some(message)
                if app.registry.is_some()
                    && message.payload.as_deref().is_some_and(|p| p.first() == Some(&0)) =>
            {
                Some("not tried: its schema is in a registry".to_owned())
            }
            Some(message) => match try_one(app, message).await {
                Ok(outcome) => why_not(&outcome),
                Err(Problem::Busy) => {
                    Some("not tried: others are having pages cleaned at this moment".to_owned())
                }
                Err(other) => return Err(other),
            },
        };
        outcomes.push((at, why_not));
    }
    Ok(html! {
        p { "The first of them were tried just now, without storing anything:" }
        ul { @for (at, why_not) in &outcomes {
            li { code { (at.to_string()) } ": " @match why_not {
                None => "would be stored",
                Some(why) => bdi dir="auto" { (why) },
            } }
        } }
    })
}

/// The forms below a list: for those that are ticked, and for all that its filters match.
pub(crate) fn forms_for_all(ask: &Ask) -> Markup {
    let filters: Vec<(&str, &str)> = FILTERS.iter().filter_map(|n| Some((*n, ask.get(n)?))).collect();
    html! {
        h2 { "Settle them" }
        p.about { "Those that are ticked above" }
        form.filters id="ticked" method="post" action="/quarantine/replay" {
            input type="hidden" name="these" value="ticked";
            button { "Try the ticked again…" }
            button.grave formaction="/quarantine/discard" { "Give the ticked up…" }
        }
        p.about { "All that the filters match and that are held, also those of the next pages" }
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
