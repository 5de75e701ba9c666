//! Memory that preparing takes besides the messages themselves, bounded for all threads together.
//!
//! A page of 1 MB may take sixty times its size while it is cleaned, and its article can be larger than its message
//! until it is stored. So before a thread decodes a message, and again before it cleans it, it takes room by
//! an estimate, and waits while there is none; what the article takes stays taken until it is stored.
//! Ordinary messages are below [`SMALL`] and take nothing, so that they never wait.
//!
//! Who waits to clean holds a decoded message; so one thread may always clean, whether there is room or not.
//! The bound is thus the limit, and one message more.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use copydesk_article::{Block, Message, RawBody};
use copydesk_store::Prepared;

/// What is below is not counted: a thread may take it once for each of its stages.
const SMALL: usize = 1 << 20;

/// The room.
#[derive(Debug, Clone)]
pub(crate) struct Workspace(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    limit: usize,
    /// The most that cleaning one article takes: [`copydesk_clean::Budget::peak_memory`].
    most_of_one: usize,
    state: Mutex<State>,
    freed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    used: usize,
    /// Messages that are being decoded or cleaned with room that they took.
    active: usize,
    /// Those of them that are being cleaned.
    cleaning: usize,
}

/// What a job has taken; given back when dropped.
#[derive(Debug)]
pub(crate) struct Space {
    room: Workspace,
    /// For articles that wait to be stored.
    kept: usize,
    /// For the message in progress.
    taken: usize,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Idle,
    Decoding,
    Cleaning,
}

impl Workspace {
    /// Room of `limit` bytes, for a cleaner of which one article takes `most_of_one` bytes at most. A message that
    /// needs more room than there is passes when it is alone.
    pub(crate) fn new(limit: usize, most_of_one: usize) -> Self {
        Self(Arc::new(Shared {
            limit,
            most_of_one,
            state: Mutex::default(),
            freed: Condvar::new(),
        }))
    }

    /// Room without end, for one message at a time.
    pub(crate) fn unbounded() -> Self {
        Self::new(usize::MAX, usize::MAX)
    }

    /// For a job that begins: nothing is taken yet.
    pub(crate) fn space(&self) -> Space {
        Space {
            room: self.clone(),
            kept: 0,
            taken: 0,
            stage: Stage::Idle,
        }
    }

    /// Whether new jobs should wait.
    pub(crate) fn is_full(&self) -> bool {
        self.lock().used >= self.0.limit
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `bytes` more fit, or until `may` says that they need not.
    fn wait(&self, bytes: usize, may: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let mut state = self.lock();
        while state.used.saturating_add(bytes) > self.0.limit && !may(&state) {
            state = self.0.freed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state
    }
}

impl Space {
    /// Before a message is decoded: waits for room.
    pub(crate) fn decode(&mut self, message: &Message) {
        self.begin(to_decode(message));
    }

    /// Before another process decodes and cleans it: waits for room for all of that.
    pub(crate) fn isolate(&mut self, message: &Message) {
        let payload = message.payload.as_deref().unwrap_or_default();
        let bytes = match message.header("content-encoding") {
            Some(_) => self.room.0.most_of_one,
            None => self.to_clean(payload, true).saturating_add(to_decode(message)),
        };
        self.begin(bytes);
    }

    fn begin(&mut self, bytes: usize) {
        if bytes >= SMALL {
            let room = self.room.clone();
            let mut state = room.wait(bytes, |s| s.active == 0);
            state.used = state.used.saturating_add(bytes);
            state.active += 1;
            self.taken = bytes;
            self.stage = Stage::Decoding;
        }
    }

    /// Bytes that cleaning may take by what it is given: an upper bound of what the worst pages of each kind took
    /// (docs/delivery.md, "Memory"). A tree costs by its tags, text and JSON by their length; ordinary pages
    /// take a sixth of it. The limits of the cleaner end what would take more than its budget.
    fn to_clean(&self, body: &[u8], is_html: bool) -> usize {
        const OF_A_BYTE: usize = 64;
        const OF_A_TAG: usize = 100;
        let tags = if is_html {
            body.iter().filter(|b| **b == b'<').count()
        } else {
            0
        };
        let bytes = body.len().saturating_mul(OF_A_BYTE);
        bytes
            .saturating_add(tags.saturating_mul(OF_A_TAG))
            .min(self.room.0.most_of_one)
    }

    /// Before its article is cleaned: waits for room.
    pub(crate) fn clean(&mut self, body: &RawBody) {
        let bytes = self.to_clean(body.as_str().as_bytes(), matches!(body, RawBody::Html(_)));
        if bytes < SMALL && self.stage == Stage::Idle {
            return;
        }
        let room = self.room.clone();
        let more = bytes.saturating_sub(self.taken);
        let mut state = room.wait(more, |s| s.cleaning == 0);
        state.used = state.used.saturating_add(more);
        state.active += usize::from(self.stage == Stage::Idle);
        state.cleaning += 1;
        self.taken += more;
        self.stage = Stage::Cleaning;
    }

    /// The message is through; this is what is left of it.
    pub(crate) fn keep(&mut self, article: Option<&Prepared>) {
        let bytes = article.map_or(0, to_store);
        let bytes = if bytes < SMALL { 0 } else { bytes };
        if self.stage == Stage::Idle && bytes == 0 {
            return;
        }
        let mut state = self.room.lock();
        state.used = state.used.saturating_sub(self.taken).saturating_add(bytes);
        state.active -= usize::from(self.stage != Stage::Idle);
        state.cleaning -= usize::from(self.stage == Stage::Cleaning);
        drop(state);
        self.room.0.freed.notify_all();
        (self.taken, self.stage) = (0, Stage::Idle);
        self.kept += bytes;
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        // A job that ended in the middle of a message.
        self.keep(None);
        if self.kept > 0 {
            let mut state = self.room.lock();
            state.used = state.used.saturating_sub(self.kept);
            drop(state);
            self.room.0.freed.notify_all();
        }
    }
}

/// Bytes that decoding may take: what it is unpacked to, its text in UTF-8, and the strings of an envelope.
fn to_decode(message: &Message) -> usize {
    let bytes = message.payload.as_ref().map_or(0, Vec::len);
    if message.header("content-encoding").is_some() {
        // As far as the limits of decoding let it grow.
        2 * bytes.saturating_mul(200).min(16 << 20)
    } else {
        // A value of a schema registry is taken apart before it is JSON: an element of one byte takes some dozen.
        let framed = message.payload.as_ref().is_some_and(|p| p.first() == Some(&0));
        if framed { 64 * bytes } else { 3 * bytes }
    }
}

/// Bytes that an article may take until it is stored: itself, the columns of its rows, and the connection's buffer.
pub(crate) fn to_store(article: &Prepared) -> usize {
    let blocks = article.blocks();
    let text: usize = blocks.iter().map(|b| b.text.len()).sum();
    3 * (text + blocks.len() * (size_of::<Block>() + 32))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    const MIB: usize = 1 << 20;

    fn page(mib: usize) -> RawBody {
        RawBody::Html("x".repeat(mib * MIB / 64))
    }

    fn message(mib: usize) -> Message {
        use copydesk_article::{Coordinates, Offset, Partition, Topic, TopicPartition};
        let source = TopicPartition {
            topic: Topic::new("t"),
            partition: Partition::new(0),
        };
        Message {
            coordinates: Coordinates {
                source,
                offset: Offset::new(0),
            },
            timestamp: None,
            key: None,
            payload: Some(vec![b'x'; mib * MIB / 3 + 1]),
            headers: Vec::new(),
        }
    }

    /// What happens on another thread, in order.
    fn elsewhere(room: &Workspace, work: impl FnOnce(&mut Space) + Send + 'static) -> mpsc::Receiver<()> {
        let (done, is_done) = mpsc::channel();
        let mut space = room.space();
        std::thread::spawn(move || {
            work(&mut space);
            let _ = done.send(());
        });
        is_done
    }

    #[test]
    fn large_pages_go_one_after_the_other_and_small_ones_pass_by() {
        let room = Workspace::new(10 * MIB, usize::MAX);
        let mut first = room.space();
        first.clean(&page(6));
        let second = elsewhere(&room, |space| space.clean(&page(6)));
        let small = elsewhere(&room, |space| space.clean(&RawBody::Html("<p>a</p>".into())));
        small.recv().unwrap();
        assert!(second.try_recv().is_err(), "there is no room for both");
        drop(first);
        second.recv().unwrap();
        // The other thread drops its space after its word.
        let mut third = room.space();
        third.clean(&page(6));
        drop(third);
        assert_eq!(room.lock().used, 0);
    }

    #[test]
    fn who_has_decoded_may_clean_though_others_have_filled_the_room() {
        let room = Workspace::new(10 * MIB, usize::MAX);
        let (mut first, mut second) = (room.space(), room.space());
        first.decode(&message(4));
        second.decode(&message(4));
        // Neither fits; one of them has to go on all the same.
        first.clean(&page(40));
        let other = elsewhere(&room, move |_| second.clean(&page(40)));
        assert!(other.try_recv().is_err());
        first.keep(None);
        other.recv().unwrap();
        drop(first);
        assert!(!room.is_full());
    }

    #[test]
    fn no_page_counts_with_more_than_the_cleaner_takes() {
        let room = Workspace::new(10 * MIB, 4 * MIB);
        let (mut first, mut second) = (room.space(), room.space());
        first.clean(&page(40));
        second.clean(&page(40));
        assert_eq!(room.lock().used, 8 * MIB);
    }
}
