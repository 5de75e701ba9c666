//! Steps from a thread of their own: whatever a read waits for, the run goes on and can be stopped.

use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::outgoing::{Origin, Step};
use crate::sources::Steps;

/// How long an input may send nothing before the run looks after other things.
const SILENCE: Duration = Duration::from_millis(100);
/// Steps that wait to be taken at most, however short their records are.
const STEPS: usize = 64;
/// Bytes of records that wait; the reader may hold one record more.
const BYTES: usize = 16 << 20;

/// Bytes that wait, and whether anybody still takes them.
#[derive(Debug, Default)]
struct Room {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    bytes: usize,
    closed: bool,
}

impl Room {
    /// Waits for room; `false` if nobody takes anything any more.
    fn enter(&self, bytes: usize) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let full = |s: &mut State| s.bytes >= BYTES && !s.closed;
        let mut state = self
            .changed
            .wait_while(state, full)
            .unwrap_or_else(PoisonError::into_inner);
        state.bytes += bytes;
        !state.closed
    }

    fn change(&self, with: impl FnOnce(&mut State)) {
        with(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
    }
}

/// The taking end.
struct Aside {
    steps: Receiver<Step>,
    room: Arc<Room>,
}

/// Runs `make` and the iterator that it gives on a thread. [`Step::Waiting`] comes while nothing else does.
/// The thread ends with its input, or at its next step after nobody takes any more; one that is blocked in a
/// read ends with the process.
pub(crate) fn aside(
    origin: Origin,
    make: impl FnOnce() -> Steps<'static> + Send + 'static,
) -> Steps<'static> {
    let (sender, receiver) = sync_channel(STEPS);
    let room = Arc::new(Room::default());
    let entrance = Arc::clone(&room);
    let read = move || {
        for step in make() {
            if !entrance.enter(bytes(&step)) || sender.send(step).is_err() {
                return;
            }
        }
    };
    if let Err(e) = std::thread::Builder::new().name("feed-read".into()).spawn(read) {
        let why = e.to_string();
        return Box::new(std::iter::once(Step::Unreadable { origin, why }));
    }
    Box::new(Aside {
        steps: receiver,
        room,
    })
}

fn bytes(step: &Step) -> usize {
    match step {
        Step::Article(outgoing) => outgoing.payload.len(),
        _ => 0,
    }
}

impl Iterator for Aside {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        match self.steps.recv_timeout(SILENCE) {
            Ok(step) => {
                let taken = bytes(&step);
                self.room.change(|s| s.bytes = s.bytes.saturating_sub(taken));
                Some(step)
            }
            Err(RecvTimeoutError::Timeout) => Some(Step::Waiting),
            Err(RecvTimeoutError::Disconnected) => None,
        }
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        self.room.change(|s| s.closed = true);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::outgoing::Outgoing;

    fn origin() -> Origin {
        Origin {
            file: "x".into(),
            line: None,
        }
    }

    fn record(bytes: usize) -> Step {
        Step::Article(Outgoing {
            key: None,
            payload: vec![0; bytes],
            headers: Vec::new(),
            origin: origin(),
            odd: false,
            address: Default::default(),
            notes: Vec::new(),
        })
    }

    #[test]
    fn steps_come_in_their_order() {
        let steps = aside(origin(), || Box::new((0..1_000).map(record)));
        let sizes: Vec<usize> = steps.filter(|s| *s != Step::Waiting).map(|s| bytes(&s)).collect();
        assert_eq!(sizes, (0..1_000).collect::<Vec<_>>());
    }

    #[test]
    fn a_read_that_blocks_holds_nobody_up() {
        let (never, nothing) = sync_channel::<Step>(0);
        let mut steps = aside(origin(), move || Box::new(nothing.into_iter()));
        assert_eq!(steps.next(), Some(Step::Waiting));
        drop(never);
        assert!(steps.all(|s| s == Step::Waiting));
    }

    #[test]
    fn what_waits_is_bounded_in_bytes_and_ends_with_its_taker() {
        let made = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&made);
        let one = BYTES / 4;
        let (ended, end) = sync_channel::<()>(0);
        let mut steps = aside(origin(), move || {
            // Dropped with the iterator: the other end then knows that the thread is through.
            Box::new((0..).map(move |_| {
                let _ = &ended;
                counted.fetch_add(1, Ordering::SeqCst);
                record(one)
            }))
        });
        // The thread fills the room and then waits; taking makes room again.
        for _ in 0..50 {
            while steps.next() == Some(Step::Waiting) {}
        }
        let ahead = made.load(Ordering::SeqCst) - 50;
        assert!(ahead <= BYTES / one + 2, "{ahead}");
        drop(steps);
        assert!(end.recv().is_err());
    }
}
