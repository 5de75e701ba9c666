//! What the handle and the poll thread share.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use copydesk_article::TopicPartition;
use tokio::sync::watch;
use tracing::error;

use crate::StreamError;
use crate::hints::Hints;
use crate::vitals::Vitals;

/// Flags, hints and the outcome of the poll thread.
pub(crate) struct Shared {
    pub(crate) stop: AtomicBool,
    pub(crate) hints: Mutex<Hints>,
    pub(crate) start_over: Mutex<Vec<TopicPartition>>,
    pub(crate) fatal: watch::Sender<Option<StreamError>>,
    pub(crate) ended: watch::Sender<bool>,
    pub(crate) vitals: Vitals,
}

impl Shared {
    pub(crate) fn new() -> Self {
        Self {
            stop: AtomicBool::new(false),
            hints: Mutex::default(),
            start_over: Mutex::default(),
            fatal: watch::Sender::new(None),
            ended: watch::Sender::new(false),
            vitals: Vitals::new(),
        }
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    pub(crate) fn fail(&self, error: StreamError) {
        self.fatal.send_if_modified(|known| {
            let first = known.is_none();
            if first {
                error!(%error, "the consumer cannot go on");
                *known = Some(error);
            }
            first
        });
    }
}
