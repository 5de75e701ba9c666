//! A ledger in memory, and workers that write to it: what Postgres and the worker are in production.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use copydesk_article::{NextOffset, TopicPartition};
use copydesk_stream::{
    Charge, ConsumerHandle, Coordinator, CoordinatorError, Delivery, PartitionStream, Start, Wanted,
};
use tokio::runtime::Handle;
use tokio::sync::watch;

/// One partition's row.
#[derive(Debug, Clone, Default)]
pub(crate) struct Row {
    pub(crate) next: i64,
    pub(crate) epoch: u64,
    /// Every offset that was stored.
    pub(crate) stored: Vec<i64>,
    /// Where the end of the partition was told.
    pub(crate) ends: Vec<i64>,
}

/// What happened, in order, over all workers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    Claimed(&'static str, Vec<i32>),
    Drained(&'static str, Vec<i32>),
    Lost(&'static str, Vec<i32>),
}

#[derive(Debug, Default)]
pub(crate) struct Ledger {
    rows: Mutex<BTreeMap<i32, Row>>,
    events: Mutex<Vec<Event>>,
    /// What must never happen.
    faults: Mutex<Vec<String>>,
    /// Claims that fail before one succeeds.
    pub(crate) claims_to_fail: Mutex<u32>,
    /// The lowest offset at a claim wins over this.
    pub(crate) starts: Mutex<HashMap<i32, i64>>,
}

impl Ledger {
    pub(crate) fn row(&self, partition: i32) -> Row {
        self.rows
            .lock()
            .unwrap()
            .get(&partition)
            .cloned()
            .unwrap_or_default()
    }

    pub(crate) fn stored(&self) -> usize {
        self.rows.lock().unwrap().values().map(|r| r.stored.len()).sum()
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        self.events.lock().unwrap().clone()
    }

    pub(crate) fn note(&self, event: Event) {
        self.events.lock().unwrap().push(event);
    }

    /// Every offset of these ranges exactly once, in order, and nothing that must not happen.
    #[track_caller]
    pub(crate) fn check(&self, partitions: impl IntoIterator<Item = i32>, from: i64, to: i64) {
        assert_eq!(*self.faults.lock().unwrap(), Vec::<String>::new());
        for partition in partitions {
            let row = self.row(partition);
            assert_eq!(
                row.stored,
                (from..to).collect::<Vec<_>>(),
                "partition {partition}"
            );
        }
    }

    fn claim(&self, partition: i32, low: i64) -> (i64, u64) {
        let first = self
            .starts
            .lock()
            .unwrap()
            .get(&partition)
            .copied()
            .unwrap_or(low);
        let mut rows = self.rows.lock().unwrap();
        let row = rows.entry(partition).or_insert_with(|| Row {
            next: first,
            ..Row::default()
        });
        row.epoch += 1;
        (row.next, row.epoch)
    }

    /// Stores one offset, if the epoch is still the newest.
    fn store(&self, partition: i32, epoch: u64, offset: i64) -> Option<i64> {
        let mut rows = self.rows.lock().unwrap();
        let row = rows.get_mut(&partition)?;
        if row.epoch != epoch {
            return None;
        }
        if offset != row.next {
            let fault = format!(
                "partition {partition}: offset {offset} where {} was next",
                row.next
            );
            self.faults.lock().unwrap().push(fault);
        }
        row.next = offset + 1;
        row.stored.push(offset);
        Some(row.next)
    }

    fn end(&self, partition: i32, epoch: u64, at: i64) {
        let mut rows = self.rows.lock().unwrap();
        if let Some(row) = rows.get_mut(&partition).filter(|r| r.epoch == epoch) {
            row.ends.push(at);
            row.next = row.next.max(at);
        }
    }
}

/// How a worker treats what it gets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Habits {
    /// Charges that it keeps before it gives the oldest back.
    pub(crate) keeps: usize,
    /// Waits this long for each delivery.
    pub(crate) slow: Duration,
}

impl Default for Habits {
    fn default() -> Self {
        Self {
            keeps: 0,
            slow: Duration::ZERO,
        }
    }
}

struct Working {
    epoch: u64,
    done: mpsc::Receiver<()>,
}

/// One worker.
pub(crate) struct Worker {
    name: &'static str,
    ledger: Arc<Ledger>,
    runtime: Handle,
    habits: Habits,
    claimed: Mutex<HashMap<TopicPartition, u64>>,
    working: Mutex<HashMap<TopicPartition, Working>>,
    pub(crate) consumer: watch::Sender<Option<ConsumerHandle>>,
    /// Bytes in flight, as this worker sees them, and the most there ever were.
    pub(crate) most_bytes: Arc<Mutex<(usize, usize)>>,
}

impl Worker {
    pub(crate) fn new(name: &'static str, ledger: &Arc<Ledger>, habits: Habits) -> Arc<Self> {
        Arc::new(Self {
            name,
            ledger: Arc::clone(ledger),
            runtime: Handle::current(),
            habits,
            claimed: Mutex::default(),
            working: Mutex::default(),
            consumer: watch::Sender::new(None),
            most_bytes: Arc::default(),
        })
    }

    pub(crate) fn partitions(&self) -> Vec<i32> {
        let mut all: Vec<i32> = self
            .working
            .lock()
            .unwrap()
            .keys()
            .map(|s| s.partition.get())
            .collect();
        all.sort_unstable();
        all
    }
}

fn numbers(sources: &[TopicPartition]) -> Vec<i32> {
    let mut numbers: Vec<i32> = sources.iter().map(|s| s.partition.get()).collect();
    numbers.sort_unstable();
    numbers
}

impl Coordinator for Worker {
    fn claim(&self, wanted: Vec<Wanted>) -> Result<Vec<Start>, CoordinatorError> {
        {
            let mut fail = self.ledger.claims_to_fail.lock().unwrap();
            if *fail > 0 {
                *fail -= 1;
                return Err(CoordinatorError::new("the ledger is away"));
            }
        }
        let sources: Vec<TopicPartition> = wanted.iter().map(|w| w.source.clone()).collect();
        self.ledger.note(Event::Claimed(self.name, numbers(&sources)));
        let mut claimed = self.claimed.lock().unwrap();
        Ok(wanted
            .into_iter()
            .map(|w| {
                assert!(w.low <= w.high, "{w:?}");
                let (next, epoch) = self.ledger.claim(w.source.partition.get(), w.low.get());
                claimed.insert(w.source.clone(), epoch);
                Start {
                    source: w.source,
                    next_offset: NextOffset::new(next),
                }
            })
            .collect())
    }

    fn assigned(&self, streams: Vec<PartitionStream>) {
        for stream in streams {
            let source = stream.source().clone();
            let epoch = self
                .claimed
                .lock()
                .unwrap()
                .remove(&source)
                .expect("claimed before");
            let (finished, done) = mpsc::channel();
            let task = Task {
                ledger: Arc::clone(&self.ledger),
                habits: self.habits,
                consumer: self.consumer.subscribe(),
                most_bytes: Arc::clone(&self.most_bytes),
                epoch,
            };
            self.runtime.spawn(async move {
                task.run(stream).await;
                let _ = finished.send(());
            });
            self.working
                .lock()
                .unwrap()
                .insert(source, Working { epoch, done });
        }
    }

    fn drain(&self, revoked: &[TopicPartition], deadline: Duration) -> Vec<(TopicPartition, NextOffset)> {
        let mut reached = Vec::new();
        for source in revoked {
            let working = self
                .working
                .lock()
                .unwrap()
                .remove(source)
                .expect("works on what it drains");
            working.done.recv_timeout(deadline).expect("drained in time");
            let row = self.ledger.row(source.partition.get());
            if row.epoch != working.epoch {
                let fault = format!("{source}: {} drained after another had claimed", self.name);
                self.ledger.faults.lock().unwrap().push(fault);
            }
            reached.push((source.clone(), NextOffset::new(row.next)));
        }
        self.ledger.note(Event::Drained(self.name, numbers(revoked)));
        reached
    }

    fn lost(&self, partitions: &[TopicPartition]) {
        for source in partitions {
            self.working.lock().unwrap().remove(source);
        }
        self.ledger.note(Event::Lost(self.name, numbers(partitions)));
    }
}

struct Task {
    ledger: Arc<Ledger>,
    habits: Habits,
    consumer: watch::Receiver<Option<ConsumerHandle>>,
    most_bytes: Arc<Mutex<(usize, usize)>>,
    epoch: u64,
}

impl Task {
    async fn run(&self, mut stream: PartitionStream) {
        let source = stream.source().clone();
        let partition = source.partition.get();
        let mut kept: Vec<(usize, Charge)> = Vec::new();
        loop {
            let wait = stream.recv_many(8, 1 << 20);
            // Whoever keeps messages back has to store them some time, even if no more come.
            let deliveries = tokio::select! {
                deliveries = wait => deliveries,
                () = tokio::time::sleep(Duration::from_millis(20)), if !kept.is_empty() => {
                    self.give_back(&mut kept, 0);
                    continue;
                }
            };
            if deliveries.is_empty() {
                self.give_back(&mut kept, 0);
                return;
            }
            for delivery in deliveries {
                match delivery {
                    Delivery::Message(message, charge) => {
                        {
                            let mut most = self.most_bytes.lock().unwrap();
                            most.0 += charge.bytes();
                            most.1 = most.1.max(most.0);
                        }
                        kept.push((charge.bytes(), charge));
                        let offset = message.coordinates.offset.get();
                        if let Some(next) = self.ledger.store(partition, self.epoch, offset)
                            && let Some(consumer) = self.consumer.borrow().as_ref()
                        {
                            consumer.commit_hint(&source, NextOffset::new(next));
                        }
                    }
                    Delivery::End(at) => self.ledger.end(partition, self.epoch, at.get()),
                }
            }
            if self.habits.slow > Duration::ZERO {
                tokio::time::sleep(self.habits.slow).await;
            }
            self.give_back(&mut kept, self.habits.keeps);
        }
    }

    fn give_back(&self, kept: &mut Vec<(usize, Charge)>, keeps: usize) {
        let many = kept.len().saturating_sub(keeps);
        for (bytes, charge) in kept.drain(..many) {
            self.most_bytes.lock().unwrap().0 -= bytes;
            drop(charge);
        }
    }
}
