//! The worker: raw articles from a Kafka topic, through cleaning and fingerprinting, into Postgres.
//!
//! In: a topic, a database whose schema is up to date, [`WorkerOptions`]. Out: rows; nothing else is kept
//! anywhere, so a worker can be killed at any moment. What may fail: see [`run`].
//!
//! The stages, each a file:
//!
//! 1. the poll thread and its bounded queues (crate `copydesk-stream`)
//! 2. `partition_manager`: claims partitions in the ledger, drains and fences them
//! 3. `partition`: chunks to the pool, order restored, batches cut, one flush in flight
//! 4. `pool` and `prepare`: decode → clean → fingerprint on plain threads (`isolated`: messages that a worker
//!    may have died of)
//! 5. the flush: one transaction (crate `copydesk-store`)
//! 6. `publisher`: what the outbox holds goes on other topics, where that is switched on
//!
//! docs/architecture.md walks one article through all of it; docs/delivery.md proves that none is lost.

mod backoff;
mod batch;
mod breaker;
mod bridge;
mod counters;
mod database;
mod dead_letter;
mod desks;
mod index_search;
mod isolated;
mod key_windows;
mod monitor;
mod partition;
mod partition_manager;
mod pool;
mod prepare;
mod publisher;
mod reclean;
mod replay;
mod schema;
#[cfg(test)]
mod simulation;
mod spans;
mod stalled_sessions;
mod until_end;
mod workspace;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use copydesk_article::Message;
use copydesk_clean::Cleaner;
use copydesk_decode::Limits;
use copydesk_registry::Registry;
use copydesk_store::{OnLostRange, Store};
use copydesk_stream::{Consumer, StreamConfig};
use copydesk_telemetry::Tracer;
use tokio::sync::watch;
use tracing::{error, info};

pub use batch::BatchLimits;
pub use breaker::BreakerLimits;
pub use counters::Tally;
pub use isolated::{CleanedAlone, IsolatedCommand, clean_alone, serve as serve_isolated, serve_one};
pub use prepare::quiet_panics;
pub use publisher::OutputTopics;
pub use reclean::{RecleanReport, reclean};
pub use replay::{ReplayReport, ReplayStages, replay, replay_messages};
pub use schema::while_away;

use counters::Counters;
use isolated::Isolation;
use monitor::Monitor;
use partition::{Chunk, Context, PreparePool};
use partition_manager::{PartitionManager, Stopped};
use pool::Pool;
use prepare::Stages;
use publisher::Phase;
use workspace::Workspace;

/// How often a busy worker says how it gets on.
const REPORT_EVERY: Duration = Duration::from_secs(10);
/// How long `--until-end` waits for the outbox to be empty.
const EMPTY_WITHIN: Duration = Duration::from_secs(60);

/// Everything that a worker needs to know.
pub struct WorkerOptions {
    /// Kafka: brokers, topic, group, queues and budget.
    pub stream: StreamConfig,
    /// Where the records go; its schema must be up to date.
    pub store: Store,
    /// Threads that clean and fingerprint; 0 is one per core.
    pub threads: usize,
    /// Bytes that all threads together may take for decoding and cleaning, and for articles that wait to be
    /// stored. One message that needs more passes alone.
    pub cleaning_memory: usize,
    /// When a batch is cut.
    pub batch: BatchLimits,
    /// How much bad input stops a partition.
    pub breaker: BreakerLimits,
    /// What to do when Kafka has deleted messages before they were read.
    pub on_lost_range: OnLostRange,
    /// Limits of one message.
    pub limits: Limits,
    /// Rules and budget of the cleaning.
    pub cleaner: Cleaner,
    /// Where schemas are of values that name one.
    pub registry: Option<Arc<Registry>>,
    /// Keep the message of each article's shown version, compressed, so that [`reclean()`] can clean it
    /// again.
    pub keep_raw: bool,
    /// Starts a process that calls [`serve_isolated`] with the same limits and rules.
    pub isolated: IsolatedCommand,
    /// Tests only: a message whose body holds this text ends the process. `None` in every real worker.
    pub abort_on: Option<String>,
    /// Where metrics and health are answered over HTTP.
    pub metrics: Option<std::net::SocketAddr>,
    /// Where spans of messages go; `None`: nowhere.
    pub traces: Option<Tracer>,
    /// Make stored articles searchable in the background.
    pub index_search: bool,
    /// Stop when everything that was on the topic at the start is stored, by whichever worker.
    pub until_end: bool,
    /// Topics that get what was stored and refused. The store's own [`copydesk_store::Outputs`] must agree.
    pub outputs: OutputTopics,
}

/// Runs until `stop` turns true, until the end is reached (`until_end`), or until something fails.
///
/// Longer than other functions: it is the list of all that a worker starts, and of all that it ends, in their order.
///
/// # Errors
/// A schema that is not up to date, a topic that does not exist, a lost range under
/// [`OnLostRange::Stop`], a recreated topic, a refusal by Postgres that no retry can mend; under
/// `until_end` a partition that the breaker stopped. Outages of Kafka or Postgres are no errors: the worker waits.
pub async fn run(options: WorkerOptions, mut stop: watch::Receiver<bool>) -> Result<Tally> {
    let started = Instant::now();
    quiet_panics();
    if !schema::is_up_to_date(&options.store, &mut stop).await? {
        return Ok(Tally::default());
    }
    let threads = match options.threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        n => n,
    };
    let workspace = Workspace::new(options.cleaning_memory, options.cleaner.budget().peak_memory());
    let stages = Arc::new(Stages::new(
        options.limits,
        options.cleaner,
        options.registry,
        options.keep_raw,
        options.abort_on,
    ));
    let monitor = Arc::new(Monitor::new(&options.stream.topics, options.traces));
    let isolation = Isolation::new(options.isolated, Arc::clone(&stages), workspace.clone());
    let (pool, isolated) =
        start_pools(threads, stages, isolation, &monitor).context("cannot start the cleaning threads")?;

    let targets = if options.until_end {
        Some(
            until_end::Targets::read(&options.stream)
                .await
                .context("cannot read the ends of the topic")?,
        )
    } else {
        None
    };
    let counters = Arc::new(Counters::default());
    let (consumer_slot, consumer) = watch::channel(None);
    let context = Arc::new(Context {
        database: Arc::new(options.store.clone()),
        pool,
        isolated,
        workspace,
        limits: options.batch,
        breaker: options.breaker,
        counters: Arc::clone(&counters),
        monitor: Arc::clone(&monitor),
        consumer: consumer.clone(),
    });
    let consumer_of_manager = consumer.clone();
    let name = format!("{}:{}", hostname(), std::process::id());
    let start_over = move |partitions: &[_]| {
        if let Some(consumer) = consumer_of_manager.borrow().as_ref() {
            consumer.start_over(partitions);
        }
    };
    let (bridge, manager, mut fatal) =
        PartitionManager::new(context, name.clone(), options.on_lost_range, Box::new(start_over));
    let mut stopped = manager.stopped();
    let serving = options
        .metrics
        .map(|address| {
            let (store, stopped) = (options.store.clone(), stopped.clone());
            monitor::serve(Arc::clone(&monitor), address, store, consumer, stopped)
        })
        .transpose()?;
    let looking = serving.as_ref().map(|_| {
        tokio::spawn(monitor::look(
            Arc::clone(&monitor),
            options.store.clone(),
            options.stream.clone(),
            options.outputs.names(),
        ))
    });
    let (phase, phases) = watch::channel(Phase::Run);
    let publishers = publisher::start(
        &options.outputs,
        &options.stream,
        &options.store,
        &monitor,
        &phases,
    )?;
    let background = start_background(&options.store, options.index_search, &counters, &monitor);
    manager.watch_epochs();
    let manager = tokio::spawn(manager.run());
    info!(
        worker = name,
        topics = options.stream.topics.join(", "),
        threads,
        "worker starts"
    );
    let handle =
        Consumer::start(options.stream, Arc::new(bridge)).context("cannot start the Kafka consumer")?;
    consumer_slot.send_replace(Some(handle.clone()));

    // A task of its own: taking a connection from the pool must not be raced in a select.
    let mut end = tokio::spawn(until_end::reached(options.store.clone(), targets));
    let outcome = tokio::select! {
        _ = stop.wait_for(|s| *s) => {
            info!("stopping: storing what was read");
            Ok(())
        }
        Some(error) = fatal.recv() => Err(error),
        error = handle.wait_fatal() => Err(anyhow::Error::new(error)),
        ended = &mut end => ended.map_err(anyhow::Error::new),
        error = report(&counters, &mut stopped, options.until_end) => Err(error),
    };
    // Graceful on every way out: partitions that still work store what they have, then the group is left.
    end.abort();
    handle.stop().await;
    consumer_slot.send_replace(None);
    drop(handle);
    manager.abort();
    finish(publishers, &phase, options.until_end && outcome.is_ok()).await;
    background.iter().for_each(tokio::task::JoinHandle::abort);
    if outcome.is_ok() && options.until_end && options.index_search && !*stop.borrow() {
        index_search::to_the_end(&options.store, &stop).await;
    }
    looking.iter().for_each(tokio::task::JoinHandle::abort);
    drop(serving);
    // What is still waiting for the collector; it blocks for some seconds at most.
    let _ = tokio::task::spawn_blocking(move || monitor.end_traces()).await;
    let tally = counters.tally();
    info!(
        stored = tally.stored,
        quarantined = tally.quarantined,
        copies = tally.copies,
        flushes = tally.flushes,
        took_ms = started.elapsed().as_millis() as u64,
        "worker ends"
    );
    outcome.map(|()| tally)
}

/// What runs beside the pipeline and is never waited for by it.
fn start_background(
    store: &Store,
    index_search: bool,
    counters: &Arc<Counters>,
    monitor: &Arc<Monitor>,
) -> Vec<tokio::task::JoinHandle<()>> {
    let mut tasks = vec![
        tokio::spawn(key_windows::run(store.clone())),
        tokio::spawn(monitor::log_slow_messages(Arc::clone(monitor))),
        tokio::spawn(stalled_sessions::run(store.clone())),
    ];
    if index_search {
        tasks.push(tokio::spawn(index_search::run(
            store.clone(),
            Arc::clone(counters),
        )));
    }
    tasks
}

/// Logs every few seconds how the worker gets on, and the partitions that the breaker stopped. Ends, with the error that ends the worker, where it
/// has to reach the end of the topic and a partition is stopped before it.
async fn report(
    counters: &Counters,
    stopped: &mut watch::Receiver<Stopped>,
    until_end: bool,
) -> anyhow::Error {
    let mut report = tokio::time::interval(REPORT_EVERY);
    report.tick().await;
    let mut before = Tally::default();
    loop {
        tokio::select! {
            Ok(()) = stopped.changed(), if until_end => {
                if let Some(reason) = stopped.borrow_and_update().values().next() {
                    return anyhow::anyhow!("the end cannot be reached: {reason}");
                }
            }
            _ = report.tick() => {
                let now = counters.tally();
                if now != before {
                    let done = now.stored + now.quarantined - before.stored - before.quarantined;
                    let rate = done / REPORT_EVERY.as_secs();
                    info!(stored = now.stored, quarantined = now.quarantined, per_second = rate, "at work");
                    before = now;
                }
                for reason in stopped.borrow().values() {
                    error!("still stopped: {reason}");
                }
            }
        }
    }
}

/// Threads that take the place of those with a slow message; more such messages at once than this hold up others.
const SPARE_THREADS: usize = 8;

/// The pool, and the one thread for messages that a worker may have died of.
fn start_pools(
    threads: usize,
    stages: Arc<Stages>,
    isolation: Isolation,
    monitor: &Arc<Monitor>,
) -> std::io::Result<(PreparePool, PreparePool)> {
    let (workspace, of_pool) = (isolation.workspace.clone(), Arc::clone(monitor));
    let pool = Pool::start(threads, SPARE_THREADS, move |messages: Vec<Message>, hand| {
        let mut space = workspace.space();
        let prepare = |message: Message| {
            hand.begin(message.coordinates.offset);
            stages.prepare(message, &mut space)
        };
        let items = of_pool.prepared(messages.into_iter().map(prepare).unzip());
        Chunk { items, space }
    })?;
    let of_isolated = Arc::clone(monitor);
    let isolated = Pool::start(1, 0, move |messages, hand| {
        let (items, space) = isolation.prepare(messages, hand);
        let items = of_isolated.prepared(items.into_iter().unzip());
        Chunk { items, space }
    })?;
    monitor.watch(pool.desks());
    monitor.watch(isolated.desks());
    Ok((pool, isolated))
}

/// Ends the publishers: after the round under way, or (`--until-end`) when the outbox is empty.
async fn finish(publishers: Vec<tokio::task::JoinHandle<()>>, phase: &watch::Sender<Phase>, empty: bool) {
    if publishers.is_empty() {
        return;
    }
    phase.send_replace(if empty { Phase::Empty } else { Phase::Stop });
    let all = futures_util::future::join_all(publishers);
    #[expect(
        clippy::disallowed_methods,
        reason = "no flush: a round that is cut off leaves its rows in the outbox, and its transaction ends \
            with the process"
    )]
    let all = tokio::time::timeout(EMPTY_WITHIN, all);
    if all.await.is_err() {
        tracing::warn!("not everything was published; the rest waits in the outbox for the next worker");
    }
}

/// The machine's name, for `ingest_status.owner`.
fn hostname() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .map(|s| s.trim().to_owned())
        .filter(|s| !s.is_empty())
        .or_else(|| std::env::var("HOSTNAME").ok())
        .unwrap_or_else(|| "unknown".to_owned())
}
