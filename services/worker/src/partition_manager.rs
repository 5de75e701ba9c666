//! Which partitions this worker has: claims at assignment, tasks while it lasts, drain and fence at revocation.
//!
//! Rebalance callbacks run on the poll thread, which is a plain thread and may block; the work happens on
//! tokio. [`Bridge`] is the poll thread's end. [`PartitionManager`] is the other end: one task, so that claims and
//! drains never overlap. The manager never waits for the poll thread, so the two cannot wait for each other.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use copydesk_article::{NextOffset, TopicPartition};
use copydesk_store::{Claimed, OnLostRange, Progress, RetryClass, StoreError, Wanted as ClaimWanted};
use copydesk_stream::{PartitionStream, Start, Wanted};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tracing::{debug, error, info, warn};

use crate::backoff::backoff;
use crate::bridge::{Bridge, CLAIM_DEADLINE, Request};
use crate::database::Database;
use crate::partition::{self, Context, PartitionExit, PublishLock, most_in_hand};

/// How often the ledger is read for epochs that are not ours.
const LOOK_EVERY: Duration = Duration::from_secs(4);

/// What a person does about a partition that the breaker stopped.
const WHAT_TO_DO: &str = "What came before is stored or in quarantine, nothing is lost, other partitions go \
    on. Look at \
    `copydesk quarantine list`: if the producer is broken, mend it; then restart the worker, which counts \
    afresh, or raise \
    the limit to let everything through to quarantine (docs/quarantine.md)";

/// Partitions that the breaker stopped, and the sentence for the log.
pub(crate) type Stopped = BTreeMap<TopicPartition, String>;

/// Has the consumer drop partitions and claim them anew.
pub(crate) type StartOver = Box<dyn Fn(&[TopicPartition]) + Send>;

/// One partition at work.
struct Working {
    claimed: Claimed,
    /// The ledger had another epoch, or an older offset, when it was read last.
    epoch_mismatch: bool,
    /// A flush was refused because the claim is over.
    fenced: bool,
    /// What was acknowledged when the ledger was looked at last.
    acknowledged_before: NextOffset,
    lock: PublishLock,
    acknowledged: watch::Receiver<NextOffset>,
    /// Ends with whether nothing was left in progress.
    task: JoinHandle<bool>,
}

/// Claims, starts and drains this worker's partitions: see the module.
pub(crate) struct PartitionManager {
    context: Arc<Context>,
    name: String,
    on_lost_range: OnLostRange,
    requests: mpsc::UnboundedReceiver<Request>,
    /// Partitions that may have been deleted and created again: the ledger was beyond the end that Kafka had
    /// named. The value is the ledger's offset. The poll thread asks Kafka for the end again.
    recreation_suspects: BTreeMap<TopicPartition, NextOffset>,
    claimed: BTreeMap<TopicPartition, Claimed>,
    working: BTreeMap<TopicPartition, Working>,
    stopped: watch::Sender<Stopped>,
    to_self: mpsc::WeakUnboundedSender<Request>,
    start_over: StartOver,
    fatal: mpsc::UnboundedSender<anyhow::Error>,
}

impl PartitionManager {
    /// Both ends, and where errors that must stop the worker come out.
    pub(crate) fn new(
        context: Arc<Context>,
        name: String,
        on_lost_range: OnLostRange,
        start_over: StartOver,
    ) -> (Bridge, Self, mpsc::UnboundedReceiver<anyhow::Error>) {
        let (sender, requests) = mpsc::unbounded_channel();
        let (fatal, fatal_errors) = mpsc::unbounded_channel();
        let manager = Self {
            context,
            name,
            on_lost_range,
            requests,
            recreation_suspects: BTreeMap::new(),
            claimed: BTreeMap::new(),
            working: BTreeMap::new(),
            stopped: watch::Sender::default(),
            to_self: sender.downgrade(),
            start_over,
            fatal,
        };
        (Bridge { requests: sender }, manager, fatal_errors)
    }

    /// Partitions that the breaker stopped, with the reason.
    pub(crate) fn stopped(&self) -> watch::Receiver<Stopped> {
        self.stopped.subscribe()
    }

    /// Reads the ledger every few seconds, so that a partition which somebody else has claimed or rewound is
    /// noticed also when it has nothing to flush. Ends with the manager.
    pub(crate) fn watch_epochs(&self) {
        let (database, manager) = (Arc::clone(&self.context.database), self.to_self.clone());
        // Not in the manager's own loop: a claim must not wait for a database that is slow to answer this.
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(LOOK_EVERY).await;
                if manager.strong_count() == 0 {
                    return;
                }
                match database.progress().await {
                    Ok(progress) => {
                        let Some(manager) = manager.upgrade() else { return };
                        let _ = manager.send(Request::Ledger(progress));
                    }
                    Err(error) => debug!(%error, "cannot read the ledger"),
                }
            }
        });
    }

    /// Serves the poll thread until it is gone.
    pub(crate) async fn run(mut self) {
        while let Some(request) = self.requests.recv().await {
            match request {
                Request::Claim {
                    wanted,
                    until,
                    answer,
                } => {
                    let claim = self.claim(wanted, until).await;
                    let suspect = match &claim {
                        Err(StoreError::TopicRecreated {
                            partition,
                            next_offset,
                            ..
                        }) => Some((partition.clone(), *next_offset)),
                        _ => None,
                    };
                    // If the poll thread has given up waiting, it does not ask Kafka again.
                    if answer.send(claim).is_ok() {
                        self.recreation_suspects.extend(suspect);
                    }
                }
                Request::Assigned(streams) => streams.into_iter().for_each(|s| self.start(s)),
                Request::Drain {
                    revoked,
                    until,
                    answer,
                } => {
                    let _ = answer.send(self.drain(&revoked, until).await);
                }
                Request::Lost(partitions) => self.lose(&partitions),
                Request::Ledger(progress) => self.compare(&progress),
                Request::Fenced(source, epoch) => {
                    if let Some(working) = self.working.get_mut(&source).filter(|w| w.claimed.epoch == epoch)
                    {
                        working.fenced = true;
                    }
                }
                Request::Tripped(source, epoch, reason) => {
                    if self
                        .working
                        .get(&source)
                        .is_some_and(|w| w.claimed.epoch == epoch)
                    {
                        self.stopped.send_modify(|s| {
                            s.insert(source, reason);
                        });
                    }
                }
            }
        }
    }

    /// Takes the partitions in the ledger: from here on, a flush under an older epoch is refused.
    async fn claim(&mut self, wanted: Vec<Wanted>, until: Instant) -> Result<Vec<Start>, StoreError> {
        let wanted: Vec<ClaimWanted> = wanted
            .into_iter()
            .map(|w| ClaimWanted {
                source: w.source,
                low: w.low,
                high: w.high,
                in_hand: i64::try_from(most_in_hand(&self.context.limits)).unwrap_or(i64::MAX),
            })
            .collect();
        let mut tries = 0;
        let claims = loop {
            match self
                .context
                .database
                .claim(&self.name, &wanted, self.on_lost_range)
                .await
            {
                Ok(claims) => break claims,
                Err(error) => {
                    if self.may_be_stale(&error) {
                        return Err(error);
                    }
                    let again = matches!(error.class(), RetryClass::RetryNow | RetryClass::WaitForDatabase);
                    if !again {
                        // Lost ranges, recreated topics, missing schema: waiting mends none of them.
                        let _ = self.fatal.send(anyhow::Error::msg(error.to_string()));
                        return Err(error);
                    }
                    tries += 1;
                    let pause = backoff(&self.name, tries, Duration::from_millis(500), CLAIM_DEADLINE / 4);
                    if tokio::time::Instant::now().into_std() + pause >= until {
                        return Err(error);
                    }
                    warn!(%error, wait_ms = pause.as_millis() as u64, "postgres is away or refuses; the \
                        claim is tried again");
                    tokio::time::sleep(pause).await;
                }
            }
        };
        Ok(claims
            .into_iter()
            .map(|claim| {
                info!(partition = %claim.source, from = claim.next_offset.get(), epoch = claim.epoch.get(), "claimed");
                if claim.unfinished_claims > 0 {
                    warn!(partition = %claim.source, from = claim.next_offset.get(), claims = claim.unfinished_claims, "an earlier owner ended without giving the partition back; each message that it may have taken is tried in a process of its own first");
                }
                let start = Start {
                    source: claim.source.clone(),
                    next_offset: claim.next_offset,
                };
                self.context.monitor.claimed(&claim);
                self.recreation_suspects.remove(&claim.source);
                self.claimed.insert(claim.source.clone(), claim);
                start
            })
            .collect())
    }

    /// Whether the end that Kafka named may be out of date. Kafka named it before the claim; the claim may
    /// have waited for Postgres while the owner before went on. Kafka is asked again: if the new end is
    /// behind the ledger's offset of the first look as well, the topic was created again.
    fn may_be_stale(&self, error: &StoreError) -> bool {
        let StoreError::TopicRecreated { partition, high, .. } = error else {
            return false;
        };
        let seen = self.recreation_suspects.get(partition);
        seen.is_none_or(|seen| high.get() >= seen.get())
    }

    fn start(&mut self, stream: PartitionStream) {
        let source = stream.source().clone();
        let Some(claimed) = self.claimed.remove(&source) else {
            warn!(partition = %source, "assigned without a claim; its messages wait for the next rebalance");
            return;
        };
        let lock = PublishLock::default();
        let acknowledged_before = claimed.next_offset;
        let (acknowledge, acknowledged) = watch::channel(claimed.next_offset);
        let (context, task_lock, fatal) = (Arc::clone(&self.context), lock.clone(), self.fatal.clone());
        let (name, to_self, epoch) = (source.clone(), self.to_self.clone(), claimed.epoch);
        let of_task = claimed.clone();
        let task = tokio::spawn(async move {
            let exit = partition::run(context, stream, of_task, task_lock, acknowledge).await;
            let is_drained = matches!(exit, PartitionExit::Drained);
            match exit {
                PartitionExit::Drained | PartitionExit::Killed => {}
                PartitionExit::Fenced => {
                    if let Some(manager) = to_self.upgrade() {
                        let _ = manager.send(Request::Fenced(name, epoch));
                    }
                }
                PartitionExit::Fatal(error) => {
                    let _ = fatal.send(anyhow::anyhow!("{name}: {error}"));
                }
                PartitionExit::Tripped { next, trip } => {
                    let reason = format!("{name} is stopped at {next}: {trip}. {WHAT_TO_DO}");
                    error!("{reason}");
                    if let Some(manager) = to_self.upgrade() {
                        let _ = manager.send(Request::Tripped(name, epoch, reason));
                    }
                }
            }
            is_drained
        });
        if let Some(before) = self.working.insert(
            source,
            Working {
                claimed,
                epoch_mismatch: false,
                fenced: false,
                acknowledged_before,
                lock,
                acknowledged,
                task,
            },
        ) {
            before.lock.kill();
        }
    }

    /// Drain first, fence second: what is in the queues is stored, then the locks are killed. In the other
    /// order a batch that is being stored is stored twice.
    async fn drain(
        &mut self,
        revoked: &[TopicPartition],
        until: Instant,
    ) -> Vec<(TopicPartition, NextOffset)> {
        let begun = Instant::now();
        let mut done = Vec::with_capacity(revoked.len());
        let mut given_back = Vec::new();
        for source in revoked {
            // Claimed, and taken away before it began.
            given_back.extend(self.claimed.remove(source));
            self.clear_stop(source);
            let Some(mut working) = self.working.remove(source) else {
                continue;
            };
            tokio::select! {
                ended = &mut working.task => {
                    if ended.is_ok_and(|is_drained| is_drained) {
                        given_back.push(working.claimed);
                    }
                }
                () = tokio::time::sleep_until(until.into()) => {
                    warn!(partition = %source, "not drained in time; the rest is stored by the next owner");
                }
            }
            working.lock.kill();
            done.push((source.clone(), *working.acknowledged.borrow()));
        }
        release(&*self.context.database, &given_back, until).await;
        self.context.monitor.drained(revoked, begun.elapsed());
        done
    }

    fn lose(&mut self, partitions: &[TopicPartition]) {
        self.context.monitor.lost(partitions);
        for source in partitions {
            self.claimed.remove(source);
            self.clear_stop(source);
            if let Some(working) = self.working.remove(source) {
                warn!(partition = %source, "lost to another worker; what was not stored is stored there");
                working.lock.kill();
            }
        }
    }

    /// Finds partitions that the group assigns to this worker and the ledger does not: a person has rewound
    /// them, a zombie that did not know better has claimed them, or the database has lost transactions (it
    /// was restored). Seen twice in a row, so that an ordinary rebalance has time to take them away, they are
    /// claimed anew.
    fn compare(&mut self, progress: &[Progress]) {
        let mut again = Vec::new();
        for (source, working) in &mut self.working {
            // The ledger was read after the look before: it cannot be behind what was acknowledged then.
            let agrees = progress.iter().any(|p| {
                p.source == *source
                    && p.epoch == working.claimed.epoch
                    && p.next_offset >= working.acknowledged_before
            });
            working.acknowledged_before = *working.acknowledged.borrow();
            let epoch_mismatch = working.fenced || !agrees;
            if epoch_mismatch && working.epoch_mismatch {
                again.push(source.clone());
            }
            working.epoch_mismatch = epoch_mismatch;
        }
        if again.is_empty() {
            return;
        }
        warn!(partitions = ?again.iter().map(ToString::to_string).collect::<Vec<_>>(), "claimed or set back \
            by somebody else while the group says that they are ours; claiming them anew");
        (self.start_over)(&again);
    }

    fn clear_stop(&self, source: &TopicPartition) {
        self.stopped.send_if_modified(|s| s.remove(source).is_some());
    }
}

/// Notes that nothing of these partitions is in progress any more. A note that does not come through costs
/// the next owner some time only, so nobody waits for it longer than for the drain.
async fn release(database: &dyn Database, claims: &[Claimed], until: Instant) {
    if claims.is_empty() {
        return;
    }
    let released = tokio::select! {
        released = database.release(claims) => released,
        () = tokio::time::sleep_until(until.into()) => return,
    };
    if let Err(error) = released {
        warn!(%error, "cannot note that partitions were given back; their next owner takes more care than it needs");
    }
}

#[cfg(test)]
mod tests;
