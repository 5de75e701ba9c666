//! Stages 1 to 3 for one message: decode, clean, fingerprint. A function; runs on the pool's threads.

use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::time::Instant;

use copydesk_article::{Message, Reason, Reject, Stage};
use copydesk_clean::Cleaner;
use copydesk_decode::{Limits, decode};
use copydesk_dedup::fingerprint;
use copydesk_store::{Item, Prepared};

/// When a message's stages ended. A stage that was not reached has no time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    pub(crate) begun: Instant,
    pub(crate) decoded: Option<Instant>,
    pub(crate) cleaned: Option<Instant>,
    pub(crate) fingerprinted: Option<Instant>,
}

impl Times {
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
    pub(crate) limits: Limits,
    pub(crate) cleaner: Cleaner,
}

impl Stages {
    /// Takes a message as far as the store: prepared, or refused with a reason.
    ///
    /// A panic in a stage costs this message only. It is a bug of ours or of an engine, so the message is
    /// kept in quarantine with its bytes, to be replayed when the bug is mended.
    pub(crate) fn prepare(&self, message: Message) -> (Item, Times) {
        let clock = Clock::start();
        let outcome =
            panic::catch_unwind(AssertUnwindSafe(|| self.run(&message, &clock))).unwrap_or_else(|panic| {
                Err(Reject::new(
                    clock.stage.get(),
                    Reason::Panicked,
                    panic_text(panic.as_ref()),
                ))
            });
        (Item { message, outcome }, clock.stop())
    }

    fn run(&self, message: &Message, clock: &Clock) -> Result<Box<Prepared>, Reject> {
        let raw = decode(message, &self.limits)?;
        clock.enter(Stage::Clean);
        let clean = self.cleaner.clean(&raw)?;
        clock.enter(Stage::Fingerprint);
        let fingerprint = fingerprint(&clean);
        Ok(Box::new(Prepared::new(
            clean,
            fingerprint,
            raw.fetched_at,
            raw.extra,
        )))
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
            times: Cell::new(Times {
                begun: Instant::now(),
                decoded: None,
                cleaned: None,
                fingerprinted: None,
            }),
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
pub(crate) fn quiet_panics() {
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
