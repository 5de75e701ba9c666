//! Stages 1 to 3 for one message: decode, clean, fingerprint. A function; runs on the pool's threads.

use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::time::Instant;

use copydesk_article::{Message, Reason, Reject, Stage};
use copydesk_clean::{Cleaner, normalise_url};
use copydesk_decode::{Decoded, Limits, read};
use copydesk_dedup::fingerprint;
use copydesk_registry::{Refused, Registry};
use copydesk_store::{Content, Item, Prepared, Tombstone};

use crate::workspace::Space;

/// When a message's stages ended. A stage that was not reached has no time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    pub(crate) begun: Instant,
    pub(crate) decoded: Option<Instant>,
    pub(crate) cleaned: Option<Instant>,
    pub(crate) fingerprinted: Option<Instant>,
}

impl Times {
    /// Those of a message that reached no stage.
    pub(crate) fn none(begun: Instant) -> Self {
        Self {
            begun,
            decoded: None,
            cleaned: None,
            fingerprinted: None,
        }
    }

    /// The stages that ended, each with its beginning and its end.
    pub(crate) fn stages(&self) -> impl Iterator<Item = (Stage, Instant, Instant)> {
        let mut begun = self.begun;
        [
            (Stage::Decode, self.decoded),
            (Stage::Clean, self.cleaned),
            (Stage::Fingerprint, self.fingerprinted),
        ]
        .into_iter()
        .map_while(move |(stage, ended)| {
            let ended = ended?;
            Some((stage, std::mem::replace(&mut begun, ended), ended))
        })
    }
}

/// What the stages need: shared by all threads, never changed.
pub(crate) struct Stages {
    limits: Limits,
    cleaner: Cleaner,
    /// Where schemas are of values that name one.
    registry: Option<Arc<Registry>>,
    /// Whether messages are kept with their articles.
    keep_raw: bool,
    /// Tests only: a message that holds this text ends the process, as a bug in an engine might.
    abort_on: Option<String>,
}

impl Stages {
    pub(crate) fn new(
        limits: Limits,
        cleaner: Cleaner,
        registry: Option<Arc<Registry>>,
        keep_raw: bool,
        abort_on: Option<String>,
    ) -> Self {
        Self {
            limits,
            cleaner,
            registry,
            keep_raw,
            abort_on,
        }
    }

    /// Takes a message as far as the store: prepared, a tombstone, or refused with a reason.
    ///
    /// A panic in a stage costs this message only. It is a bug of ours or of an engine, so the message is
    /// kept in quarantine with its bytes, to be replayed when the bug is mended. Takes `space`, and waits for it.
    pub(crate) fn prepare(&self, message: Message, space: &mut Space) -> (Item, Times) {
        self.prepare_reporting(message, space, &mut |_| ())
    }

    /// The same, and reports each stage before it begins.
    pub(crate) fn prepare_reporting(
        &self,
        message: Message,
        space: &mut Space,
        report: &mut dyn FnMut(Stage),
    ) -> (Item, Times) {
        space.decode(&message);
        let clock = Clock::start();
        let run = AssertUnwindSafe(|| self.run(&message, space, &clock, report));
        let outcome = panic::catch_unwind(run).unwrap_or_else(|panic| {
            Err(Reject::new(
                clock.stage.get(),
                Reason::Panicked,
                panic_text(panic.as_ref()),
            ))
        });
        space.keep(outcome.as_ref().ok().and_then(Content::article));
        (Item { message, outcome }, clock.stop())
    }

    /// The message with its value out of the frame of a schema registry. `None`: it is in none. Waits while
    /// the registry is away.
    fn unframe(&self, message: &Message) -> Result<Option<Message>, Reject> {
        let (Some(registry), Some(value)) = (&self.registry, &message.payload) else {
            return Ok(None);
        };
        let converted = registry.convert(value).map_err(|refused| {
            let reason = match &refused {
                Refused::UnknownSchema { .. } => Reason::UnknownSchema,
                Refused::Mismatch { .. } => Reason::SchemaMismatch,
            };
            Reject::new(Stage::Decode, reason, refused.to_string())
        })?;
        Ok(converted.map(|value| Message {
            coordinates: message.coordinates.clone(),
            timestamp: message.timestamp,
            key: message.key.clone(),
            payload: Some(value),
            headers: message.headers.clone(),
        }))
    }

    fn run(
        &self,
        message: &Message,
        space: &mut Space,
        clock: &Clock,
        report: &mut dyn FnMut(Stage),
    ) -> Result<Content, Reject> {
        report(Stage::Decode);
        let unframed = self.unframe(message)?;
        let raw = match read(unframed.as_ref().unwrap_or(message), &self.limits)? {
            Decoded::Article(raw) => raw,
            Decoded::Tombstone(tombstone) => {
                let address = normalise_url(&tombstone.url).ok_or_else(|| {
                    let detail = "the address of the article to be taken down cannot be read";
                    Reject::new(Stage::Decode, Reason::BadUrl, detail)
                })?;
                return Ok(Content::Tombstone(Tombstone { address }));
            }
        };
        space.clean(&raw.body);
        clock.enter(Stage::Clean);
        report(Stage::Clean);
        if self
            .abort_on
            .as_ref()
            .is_some_and(|text| raw.body.as_str().contains(text))
        {
            std::process::abort();
        }
        let clean = self.cleaner.clean(&raw)?;
        clock.enter(Stage::Fingerprint);
        report(Stage::Fingerprint);
        let fingerprint = fingerprint(&clean);
        let prepared = Prepared::new(clean, fingerprint, raw.fetched_at, raw.extra);
        Ok(match self.keep_raw {
            true => prepared.keeping(message).into(),
            false => prepared.into(),
        })
    }
}

/// Which stage a message is in, and since when: kept outside the stages, where a panic leaves it as it was.
struct Clock {
    stage: Cell<Stage>,
    times: Cell<Times>,
}

impl Clock {
    fn start() -> Self {
        Self {
            stage: Cell::new(Stage::Decode),
            times: Cell::new(Times::none(Instant::now())),
        }
    }

    /// The stage before is over.
    fn enter(&self, stage: Stage) {
        self.end();
        self.stage.set(stage);
    }

    fn end(&self) {
        let (mut times, now) = (self.times.get(), Some(Instant::now()));
        match self.stage.get() {
            Stage::Decode => times.decoded = now,
            Stage::Clean => times.cleaned = now,
            Stage::Fingerprint => times.fingerprinted = now,
            // Not run here.
            Stage::Store => {}
        }
        self.times.set(times);
    }

    fn stop(self) -> Times {
        self.end();
        self.times.get()
    }
}

/// What a panic said: the place is in the log (see [`quiet_panics`]), the text may quote the article, so
/// only its first line's kind is kept.
fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .map(|s| (*s).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    // Slicing panics quote the text after the first back-quote.
    let safe = text.split('`').next().unwrap_or_default().trim();
    format!("a bug in this stage: {safe}; please report it with the message (copydesk quarantine)")
}

/// Makes panics of the cleaning threads one log line with the place and without any article text.
///
/// Other threads keep the usual message. Call once, at start.
pub fn quiet_panics() {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let cleaning = std::thread::current()
            .name()
            .is_some_and(|n| n.starts_with("clean-"));
        if cleaning {
            let place = info.location().map(ToString::to_string).unwrap_or_default();
            tracing::error!(place, "a message made a stage panic; it goes to quarantine");
        } else {
            usual(info);
        }
    }));
}
