//! One simulated worker: the real partition manager and partitions on a runtime of their own, and a poll
//! thread that the world moves.

use std::collections::{BTreeMap, VecDeque};
use std::sync::mpsc as blocking;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use copydesk_article::{
    Block, BlockKind, CleanArticle, Coordinates, Message, Metadata, NextOffset, Offset, Reason, Reject,
    Stage, TopicPartition,
};
use copydesk_store::{Content, Item, OnLostRange, Prepared, StoreError, Tombstone};
use copydesk_stream::testing::Feed;
use copydesk_stream::{Start, Wanted};
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, watch};

use super::memory::{Kind, MemoryDatabase, SharedCalls, kind, locked, source};
use crate::batch::BatchLimits;
use crate::breaker::BreakerLimits;
use crate::bridge::{Bridge, Request};
use crate::counters::Counters;
use crate::database::Database;
use crate::monitor::Monitor;
use crate::partition::{Chunk, Context};
use crate::partition_manager::PartitionManager;
use crate::pool::Pool;
use crate::workspace::Workspace;

/// Turns of a worker's scheduler after which nothing moves any more without the world.
const TURNS_TO_SETTLE: usize = 40;

/// What the group or the partition manager wants of a worker's poll thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Task {
    Assign(i32),
    Revoke(i32, u64),
    Lost(i32),
}

/// What the poll thread is blocked by.
pub(super) enum Waiting {
    Claim(i32, blocking::Receiver<Result<Vec<Start>, StoreError>>),
    Drain(i32, u64, blocking::Receiver<Vec<(TopicPartition, NextOffset)>>),
}

pub(super) struct Worker {
    pub(super) id: u64,
    pub(super) runtime: Runtime,
    pub(super) requests: mpsc::UnboundedSender<Request>,
    pub(super) fatal: mpsc::UnboundedReceiver<anyhow::Error>,
    pub(super) start_over: Arc<Mutex<Vec<TopicPartition>>>,
    /// Messages that have ended its process; it is gone before anything else happens.
    pub(super) deaths: Deaths,
    pub(super) feed: Feed,
    /// What the consumer fetches: the next offset by partition.
    pub(super) fetching: BTreeMap<i32, i64>,
    pub(super) tasks: VecDeque<Task>,
    pub(super) waiting: Option<Waiting>,
    pub(super) frozen: bool,
    /// Something has happened to it since it was run last.
    pub(super) stirred: bool,
}

static ARTICLE: LazyLock<Prepared> = LazyLock::new(|| {
    let clean = CleanArticle {
        metadata: Metadata::default(),
        blocks: vec![Block::kept(BlockKind::Body, "The ferry sails again.")],
        warnings: Vec::new(),
        rules_version: "simulation".into(),
    };
    let fingerprint = copydesk_dedup::fingerprint(&clean);
    Prepared::new(clean, fingerprint, None, serde_json::Map::new())
});

/// Messages that have ended the worker's process.
type Deaths = Arc<Mutex<Vec<(i32, i64)>>>;

/// As the pool does it: a killer ends the process, whatever it has prepared.
fn prepare(messages: Vec<Message>, deaths: &Deaths) -> Chunk {
    let at = |m: &Message| (m.coordinates.source.partition.get(), m.coordinates.offset.get());
    let killer = messages
        .iter()
        .map(at)
        .find(|(p, o)| kind(*p, *o) == Kind::Killer);
    locked(deaths).extend(killer);
    prepare_all_alone(messages)
}

fn prepare_all_alone(messages: Vec<Message>) -> Chunk {
    Chunk {
        items: messages.into_iter().map(prepare_alone).collect(),
        space: Workspace::unbounded().space(),
    }
}

/// As the thread for suspects does it.
fn prepare_alone(message: Message) -> Item {
    let at = &message.coordinates;
    let outcome = match kind(at.source.partition.get(), at.offset.get()) {
        Kind::Killer => Err(Reject::new(Stage::Clean, Reason::KillsWorker, "simulated")),
        Kind::Bad => Err(Reject::new(Stage::Decode, Reason::BadJson, "simulated")),
        Kind::Tombstone => Ok(Content::Tombstone(Tombstone {
            address: "https://a.example/".to_owned(),
        })),
        _ => Ok(ARTICLE.clone().into()),
    };
    Item { message, outcome }
}

pub(super) fn message(partition: i32, offset: i64) -> Message {
    Message {
        coordinates: Coordinates {
            source: source(partition),
            offset: Offset::new(offset),
        },
        timestamp: None,
        key: None,
        payload: Some(vec![0; 10]),
        headers: Vec::new(),
    }
}

/// What a worker's tasks need, with small batches.
pub(crate) fn context(database: impl Database + 'static) -> Arc<Context> {
    context_with(database, Deaths::default())
}

fn context_with(database: impl Database + 'static, deaths: Deaths) -> Arc<Context> {
    Arc::new(Context {
        database: Arc::new(database),
        pool: Pool::inline(move |messages| prepare(messages, &deaths)),
        isolated: Pool::inline(prepare_all_alone),
        workspace: Workspace::unbounded(),
        limits: BatchLimits {
            articles: 4,
            bytes: 1 << 20,
            linger: Duration::ZERO,
        },
        breaker: BreakerLimits { share: 0.0, run: 0 },
        counters: Arc::new(Counters::default()),
        monitor: Arc::new(Monitor::new(&[], None)),
        consumer: watch::channel(None).1,
    })
}

impl Worker {
    pub(super) fn start(id: u64, calls: &SharedCalls) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            // One task a turn: so a worker can die between any two of its awaits.
            .event_interval(1)
            .start_paused(true)
            .build()
            .expect("a runtime");
        let deaths = Deaths::default();
        let database = MemoryDatabase {
            worker: id,
            calls: Arc::clone(calls),
        };
        let context = context_with(database, Arc::clone(&deaths));
        let start_over: Arc<Mutex<Vec<TopicPartition>>> = Arc::default();
        let noted = Arc::clone(&start_over);
        let again = move |partitions: &[TopicPartition]| locked(&noted).extend_from_slice(partitions);
        let (bridge, manager, fatal) = PartitionManager::new(
            context,
            format!("worker {id}"),
            OnLostRange::Stop,
            Box::new(again),
        );
        runtime.block_on(async {
            manager.watch_epochs();
            tokio::spawn(manager.run());
        });
        let Bridge { requests } = bridge;
        Self {
            id,
            runtime,
            requests,
            fatal,
            start_over,
            deaths,
            feed: Feed::default(),
            fetching: BTreeMap::new(),
            tasks: VecDeque::new(),
            waiting: None,
            frozen: false,
            stirred: true,
        }
    }

    /// Lets everything in it run that can, for so many turns.
    pub(super) fn run(&self, turns: usize) {
        self.runtime.block_on(async {
            for _ in 0..turns {
                tokio::task::yield_now().await;
            }
        });
    }

    /// Runs it until nothing moves any more.
    pub(super) fn run_down(&mut self) {
        if std::mem::take(&mut self.stirred) {
            self.run(TURNS_TO_SETTLE);
        }
    }

    pub(super) fn pass_time(&mut self, time: Duration) {
        self.stirred = true;
        self.runtime.block_on(tokio::time::advance(time));
    }

    /// Its own clock, which stands still unless the world moves it.
    pub(super) fn after(&self, time: Duration) -> std::time::Instant {
        self.runtime
            .block_on(async { tokio::time::Instant::now() + time })
            .into_std()
    }
}

impl Worker {
    pub(super) fn begin(&mut self, task: Task, ends: &BTreeMap<i32, i64>, group: &BTreeMap<i32, u64>) {
        match task {
            Task::Assign(partition) => {
                if group.get(&partition) != Some(&self.id) || self.fetching.contains_key(&partition) {
                    return;
                }
                let (answer, received) = blocking::sync_channel(1);
                let wanted = vec![Wanted {
                    source: source(partition),
                    low: Offset::new(0),
                    high: Offset::new(ends[&partition]),
                }];
                let until = self.after(Duration::from_secs(30));
                self.requests
                    .send(Request::Claim {
                        wanted,
                        until,
                        answer,
                    })
                    .ok();
                self.waiting = Some(Waiting::Claim(partition, received));
            }
            Task::Revoke(partition, next) => {
                // The callback of a partition that never started has nothing to drain.
                let sources = [source(partition)];
                self.feed.close(&sources);
                self.fetching.remove(&partition);
                let (answer, received) = blocking::sync_channel(1);
                let until = self.after(Duration::from_secs(4));
                let revoked = sources.to_vec();
                self.requests
                    .send(Request::Drain {
                        revoked,
                        until,
                        answer,
                    })
                    .ok();
                self.waiting = Some(Waiting::Drain(partition, next, received));
            }
            Task::Lost(partition) => {
                if self.fetching.remove(&partition).is_some() {
                    let sources = vec![source(partition)];
                    self.requests.send(Request::Lost(sources.clone())).ok();
                    self.feed.discard(&sources);
                }
            }
        }
    }
}
