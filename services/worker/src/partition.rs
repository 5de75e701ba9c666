//! The way of one partition's messages: queue, pool, order restored, batch, one flush in flight.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use copydesk_article::{Message, NextOffset};
use copydesk_store::{Batch, Claimed, Content, FlushError, FlushReport, Item, RetryClass};
use copydesk_stream::{Charge, ConsumerHandle, Delivery, PartitionStream};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tracing::{debug, error, warn};

use crate::backoff::backoff;
use crate::batch::{BatchLimits, Fill};
use crate::breaker::{Breaker, BreakerLimits, Trip};
use crate::counters::Counters;
use crate::database::Database;
use crate::monitor::Monitor;
use crate::pool::Pool;
use crate::workspace::{Space, Workspace, to_store};

/// Messages in one job of the pool: large enough that handing over costs nothing beside cleaning, small
/// enough that two threads share one batch.
const CHUNK_MESSAGES: usize = 32;
/// Bytes in one job of the pool.
const CHUNK_BYTES: usize = 1 << 20;
/// Jobs that one partition may have with the pool at once.
const CHUNKS_IN_FLIGHT: usize = 8;

/// Messages of one partition that may be in progress at once: with the pool, in the batch that is being
/// filled and in the one that is being stored, each a job larger than its limit.
pub(crate) fn most_in_hand(limits: &BatchLimits) -> usize {
    CHUNKS_IN_FLIGHT * CHUNK_MESSAGES + 2 * (limits.articles + CHUNK_MESSAGES)
}

/// The longest wait between two tries at a database that is away.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// The pool that prepares chunks of messages.
pub(crate) type PreparePool = Pool<Vec<Message>, Chunk>;

/// Messages that are prepared, and the room that they take until they are stored.
pub(crate) struct Chunk {
    pub(crate) items: Vec<Item>,
    pub(crate) space: Space,
}

/// Whether a partition may still be written. Killed when the partition is lost or its drain is over.
///
/// The database's epoch is what keeps a zombie out; this lock only saves it the attempt.
#[derive(Debug, Clone, Default)]
pub(crate) struct PublishLock(Arc<AtomicBool>);

impl PublishLock {
    pub(crate) fn kill(&self) {
        self.0.store(true, Ordering::Release);
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// Why a partition's task ended.
#[derive(Debug)]
pub(crate) enum PartitionExit {
    /// The queue was closed and everything in it is stored.
    Drained,
    /// The lock was killed: somebody else owns the partition, or will soon.
    Killed,
    /// The database says that the claim is over: somebody else has claimed the partition, or the ledger was set back.
    Fenced,
    /// The database refused in a way that trying again cannot mend.
    Fatal(FlushError),
    /// Too much bad input: what came before it is stored, the rest stays on the topic.
    Tripped { next: NextOffset, trip: Trip },
}

/// What the partition's task needs from the worker.
pub(crate) struct Context {
    pub(crate) database: Arc<dyn Database>,
    pub(crate) pool: PreparePool,
    /// For messages that the owner before may have died of.
    pub(crate) isolated: PreparePool,
    pub(crate) workspace: Workspace,
    pub(crate) limits: BatchLimits,
    pub(crate) breaker: BreakerLimits,
    pub(crate) counters: Arc<Counters>,
    pub(crate) monitor: Arc<Monitor>,
    pub(crate) consumer: watch::Receiver<Option<ConsumerHandle>>,
}

/// What is on its way to the pool and back, in the order of the offsets.
enum Step {
    Chunk {
        prepared: oneshot::Receiver<Chunk>,
        charges: Vec<Charge>,
    },
    End(NextOffset),
}

/// The batch being filled.
struct Filling {
    from: NextOffset,
    to: NextOffset,
    items: Vec<Item>,
    charges: Vec<Charge>,
    spaces: Vec<Space>,
    fill: Fill,
}

impl Filling {
    fn starting_at(from: NextOffset) -> Self {
        Self {
            from,
            to: from,
            items: Vec::new(),
            charges: Vec::new(),
            spaces: Vec::new(),
            fill: Fill::default(),
        }
    }
}

/// One flush in flight; gives back the outcome and how far it got.
type Flush = JoinHandle<Result<NextOffset, PartitionExit>>;

/// Works one partition until its queue is closed and stored, or until it is taken away.
///
/// One loop of more than 80 lines: each branch of the select changes the state that the next turn decides by, and apart they would need it all.
pub(crate) async fn run(
    context: Arc<Context>,
    mut stream: PartitionStream,
    claimed: Claimed,
    lock: PublishLock,
    acknowledged: watch::Sender<NextOffset>,
) -> PartitionExit {
    let mut steps: VecDeque<Step> = VecDeque::new();
    let mut filling = Filling::starting_at(claimed.next_offset);
    let mut flush: Option<Flush> = None;
    let mut open = true;
    let mut breaker = Breaker::new(context.breaker);
    let mut tripped: Option<Trip> = None;
    // Messages that were in progress when the owner before died, as far as anybody knows.
    let mut suspects = match claimed.unfinished_claims {
        0 => 0,
        _ => most_in_hand(&context.limits),
    };
    loop {
        if lock.is_dead() {
            return PartitionExit::Killed;
        }
        let closing = !open && steps.is_empty();
        if flush.is_none() {
            if filling.fill.is_due(&context.limits, Instant::now(), closing) {
                let next = filling.to;
                let full = std::mem::replace(&mut filling, Filling::starting_at(next));
                flush = Some(start_flush(&context, &claimed, &lock, full));
            } else if closing {
                return match tripped {
                    None => PartitionExit::Drained,
                    Some(trip) => PartitionExit::Tripped {
                        next: filling.from,
                        trip,
                    },
                };
            }
        }
        let room = !filling.fill.is_due(&context.limits, Instant::now(), false);
        let due = filling.fill.due_at(&context.limits);
        tokio::select! {
            biased;
            ended = joined(&mut flush), if flush.is_some() => {
                flush = None;
                match ended {
                    Ok(next) => {
                        acknowledged.send_replace(next);
                        if let Some(consumer) = context.consumer.borrow().as_ref() {
                            consumer.commit_hint(&claimed.source, next);
                        }
                    }
                    Err(exit) => return exit,
                }
            }
            // A batch that is due but has to wait for the flush before it takes no more: that is the backpressure.
            step = front(&mut steps), if !steps.is_empty() && room => match step {
                Some(Arrived::Items(chunk, charges)) => {
                    tripped = take(&mut filling, &mut breaker, chunk, charges);
                    if tripped.is_some() {
                        // What came before is still stored; the rest is given back with the stream.
                        open = false;
                        steps.clear();
                    }
                }
                Some(Arrived::End(next)) => {
                    if next > filling.to {
                        filling.to = next;
                        filling.fill.touch(Instant::now());
                    }
                }
                None => {
                    error!(partition = %claimed.source, "a cleaning thread is gone; the partition stops here \
                        and its messages are read again");
                    return PartitionExit::Killed;
                }
            },
            deliveries = stream.recv_many(CHUNK_MESSAGES, CHUNK_BYTES), if open && may_hand_over(&context, &steps) => {
                if deliveries.is_empty() {
                    open = false;
                } else {
                    let messages = note(&context.monitor, &claimed, &deliveries);
                    let pool = if suspects > 0 { &context.isolated } else { &context.pool };
                    suspects = suspects.saturating_sub(messages);
                    hand_over(pool, &claimed, deliveries, &mut steps);
                }
            }
            () = sleep_until(due), if flush.is_none() && due.is_some() => {}
        }
    }
}

/// While there is no room for what articles take, a partition has one job at a time with the pool.
fn may_hand_over(context: &Context, steps: &VecDeque<Step>) -> bool {
    steps.is_empty() || steps.len() < CHUNKS_IN_FLIGHT && !context.workspace.is_full()
}

/// What came to the front of the steps.
enum Arrived {
    Items(Chunk, Vec<Charge>),
    End(NextOffset),
}

/// Waits for the oldest step. Safe to cancel: a step leaves the queue only when its answer is there.
async fn front(steps: &mut VecDeque<Step>) -> Option<Arrived> {
    let items = match steps.front_mut()? {
        Step::Chunk { prepared, .. } => Some(prepared.await.ok()?),
        Step::End(_) => None,
    };
    match (steps.pop_front()?, items) {
        (Step::Chunk { charges, .. }, Some(items)) => Some(Arrived::Items(items, charges)),
        (Step::End(next), _) => Some(Arrived::End(next)),
        (Step::Chunk { .. }, None) => None,
    }
}

async fn joined(flush: &mut Option<Flush>) -> Result<NextOffset, PartitionExit> {
    match flush {
        Some(task) => match task.await {
            Ok(result) => result,
            Err(panic) => {
                error!(error = %panic, "a flush panicked; the partition stops here and its messages are read again");
                Err(PartitionExit::Killed)
            }
        },
        None => std::future::pending().await,
    }
}

async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}

/// Tells monitoring what came; gives back how many messages.
fn note(monitor: &Monitor, claimed: &Claimed, deliveries: &[Delivery]) -> usize {
    let sizes = deliveries.iter().filter_map(|d| match d {
        Delivery::Message(message, _) => Some(message.size() as u64),
        Delivery::End(_) => None,
    });
    let (messages, bytes) = sizes.fold((0_usize, 0), |(n, sum), size| (n + 1, sum + size));
    monitor.received(&claimed.source, messages as u64, bytes);
    messages
}

/// Cuts deliveries into chunks for the pool, ends of the partition between them.
fn hand_over(pool: &PreparePool, claimed: &Claimed, deliveries: Vec<Delivery>, steps: &mut VecDeque<Step>) {
    let mut messages = Vec::with_capacity(deliveries.len());
    let mut charges = Vec::with_capacity(deliveries.len());
    let push = |messages: &mut Vec<Message>, charges: &mut Vec<Charge>, steps: &mut VecDeque<Step>| {
        if !messages.is_empty() {
            let prepared = pool.submit(&claimed.source, std::mem::take(messages));
            steps.push_back(Step::Chunk {
                prepared,
                charges: std::mem::take(charges),
            });
        }
    };
    for delivery in deliveries {
        match delivery {
            Delivery::Message(message, charge) => {
                messages.push(message);
                charges.push(charge);
            }
            Delivery::End(next) => {
                push(&mut messages, &mut charges, steps);
                steps.push_back(Step::End(next));
            }
        }
    }
    push(&mut messages, &mut charges, steps);
}

/// Adds items to the batch, up to the one at which the breaker trips.
fn take(filling: &mut Filling, breaker: &mut Breaker, chunk: Chunk, charges: Vec<Charge>) -> Option<Trip> {
    let now = Instant::now();
    filling.spaces.push(chunk.space);
    for (item, charge) in chunk.items.into_iter().zip(charges) {
        if let Some(trip) = breaker.count(item.outcome.is_err()) {
            return Some(trip);
        }
        let article = item.outcome.as_ref().ok().and_then(Content::article);
        let article = article.map_or(0, |a| to_store(a) / 3);
        filling.fill.add(item.message.size().max(article), now);
        filling.to = item.message.coordinates.offset.next();
        filling.items.push(item);
        filling.charges.push(charge);
    }
    None
}

fn start_flush(context: &Arc<Context>, claimed: &Claimed, lock: &PublishLock, full: Filling) -> Flush {
    let (context, claimed, lock) = (Arc::clone(context), claimed.clone(), lock.clone());
    // A task of its own, never cancelled: a dropped flush would leave its statement running on the server.
    tokio::spawn(async move {
        let Filling {
            from,
            to,
            items,
            charges,
            spaces,
            ..
        } = full;
        let noted = context.monitor.flushing(&items);
        let result = store(&context, &claimed, &lock, Batch { from, to, items }).await;
        // The messages leave the memory budget only now that they are stored (or given up).
        drop((charges, spaces));
        let report = result?;
        context.counters.add(&report);
        context.monitor.flushed(&claimed.source, to, &noted, &report);
        Ok(to)
    })
}

/// Tries until the batch is stored or must not be.
async fn store(
    context: &Context,
    claimed: &Claimed,
    lock: &PublishLock,
    batch: Batch,
) -> Result<FlushReport, PartitionExit> {
    let who = (&claimed.source, claimed.epoch);
    let mut tries: u32 = 0;
    loop {
        if lock.is_dead() {
            return Err(PartitionExit::Killed);
        }
        let error = match context.database.flush(claimed, &batch).await {
            Ok(report) => return Ok(report),
            Err(error) => error,
        };
        tries += 1;
        context.monitor.flush_failed(error.class());
        match error.class() {
            RetryClass::Fenced => {
                warn!(partition = %claimed.source, epoch = claimed.epoch.get(), %error, "the claim to this \
                    partition is over; its unsaved messages are dropped here and stored by whoever claims it next");
                return Err(PartitionExit::Fenced);
            }
            RetryClass::RetryNow => {
                debug!(partition = %claimed.source, tries, %error, "flush is tried again");
                wait(
                    backoff(&who, tries, Duration::from_millis(20), Duration::from_secs(1)),
                    lock,
                )
                .await;
            }
            RetryClass::WaitForDatabase => {
                let pause = backoff(&who, tries, Duration::from_millis(200), LONGEST_WAIT);
                warn!(partition = %claimed.source, tries, %error, wait_ms = pause.as_millis() as u64, "postgres is away or refuses; nothing is lost, the partition waits");
                wait(pause, lock).await;
            }
            RetryClass::DataError | RetryClass::Fatal => return Err(PartitionExit::Fatal(error)),
        }
    }
}

/// Sleeps, but wakes early for a killed lock.
async fn wait(pause: Duration, lock: &PublishLock) {
    let until = tokio::time::Instant::now() + pause;
    while tokio::time::Instant::now() < until && !lock.is_dead() {
        tokio::time::sleep(Duration::from_millis(50).min(pause)).await;
    }
}
