//! Stages 1 to 3 for one message: decode, clean, fingerprint. A function; runs on the pool's threads.

use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};

use copydesk_article::{Message, Reason, Reject, Stage};
use copydesk_clean::Cleaner;
use copydesk_decode::{Limits, decode};
use copydesk_dedup::fingerprint;
use copydesk_store::{Item, Prepared};

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
    pub(crate) fn prepare(&self, message: Message) -> Item {
        let stage = Cell::new(Stage::Decode);
        let outcome =
            panic::catch_unwind(AssertUnwindSafe(|| self.run(&message, &stage))).unwrap_or_else(|panic| {
                Err(Reject::new(
                    stage.get(),
                    Reason::Panicked,
                    panic_text(panic.as_ref()),
                ))
            });
        Item { message, outcome }
    }

    fn run(&self, message: &Message, stage: &Cell<Stage>) -> Result<Box<Prepared>, Reject> {
        let raw = decode(message, &self.limits)?;
        stage.set(Stage::Clean);
        let clean = self.cleaner.clean(&raw)?;
        stage.set(Stage::Fingerprint);
        let fingerprint = fingerprint(&clean);
        Ok(Box::new(Prepared {
            clean,
            fingerprint,
            fetched_at: raw.fetched_at,
            extra: raw.extra,
        }))
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
