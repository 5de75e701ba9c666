//! Everything at once: workers killed, frozen, joining and leaving, Postgres and the broker crashing, the
//! network slow and cut, while production goes on and people take articles down; some messages end whoever
//! prepares them. At the end every offset is in the ledger exactly once, and what was taken down is gone.
//!
//! `make chaos` runs it for ten minutes; `make test` for some seconds. COPYDESK_CHAOS_SECONDS and COPYDESK_CHAOS_SEED
//! change that; the seed is printed. The same seed gives the same faults in the same order; what they meet is up to the
//! machine.
mod takedowns;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt as _;
use std::time::{Duration, Instant};

use copydesk_testkit::{
    ArticleGenerator, Copydesk, Outgoing, PrivateKafka, PrivatePostgres, Proxy, Running, hostile,
};
use copydesk_tests::Pipeline;

const PARTITIONS: i32 = 8;
/// Workers at the most.
const WORKERS: usize = 4;
const SIGABRT: i32 = 6;
/// Of so many messages one ends the process that prepares it.
const KILLERS: usize = 4_000;
/// How long the last messages may take when all is well again.
const DRAIN: Duration = Duration::from_secs(300);

fn setting(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(
        value
            .parse()
            .unwrap_or_else(|_| panic!("{name}={value} is no number")),
    )
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    KillWorker,
    FreezeWorker,
    Join,
    Leave,
    CrashPostgres,
    TerminateBackends,
    CrashBroker,
    CutNetwork,
    SlowNetwork,
}

/// Faults with their weights.
const FAULTS: [(Fault, usize); 9] = [
    (Fault::KillWorker, 20),
    (Fault::FreezeWorker, 10),
    (Fault::Join, 15),
    (Fault::Leave, 12),
    (Fault::CrashPostgres, 6),
    (Fault::TerminateBackends, 15),
    (Fault::CrashBroker, 3),
    (Fault::CutNetwork, 12),
    (Fault::SlowNetwork, 7),
];

fn pick(random: &mut ArticleGenerator) -> Fault {
    let all: usize = FAULTS.iter().map(|(_, w)| w).sum();
    let mut at = random.below(all);
    for (fault, weight) in FAULTS {
        if at < weight {
            return fault;
        }
        at -= weight;
    }
    unreachable!("the weights add up")
}

/// Workers, and which of them are frozen until when.
struct Crew {
    copydesk: Copydesk,
    workers: Vec<(Running, Option<Instant>)>,
    /// Workers that a message has ended.
    died: u32,
}

impl Crew {
    fn join(&mut self) {
        self.workers.push((self.copydesk.start(&["worker"]), None));
    }

    /// Wakes who slept long enough, starts anew whom a message has ended, and panics for who ended by itself.
    fn look_after(&mut self) {
        for (worker, frozen) in &mut self.workers {
            if let Some(status) = worker.ended() {
                assert_eq!(
                    status.signal(),
                    Some(SIGABRT),
                    "a worker ended by itself ({status})\n{}",
                    worker.log()
                );
                self.died += 1;
                *worker = self.copydesk.start(&["worker"]);
                *frozen = None;
            }
            if frozen.is_some_and(|until| until <= Instant::now()) {
                worker.signal("CONT");
                *frozen = None;
            }
        }
    }

    /// One that is awake.
    fn awake(&self, random: &mut ArticleGenerator) -> Option<usize> {
        let awake: Vec<usize> = (0..self.workers.len())
            .filter(|n| self.workers[*n].1.is_none())
            .collect();
        (!awake.is_empty()).then(|| awake[random.below(awake.len())])
    }
}

/// What a message of the chaos is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Good,
    Bad,
    Killer,
    /// It takes an article down, which may have been sent before or come again.
    Tombstone,
}

/// Of so many messages one is a tombstone.
const TOMBSTONES: usize = 50;

fn address(article: usize) -> String {
    format!("https://site{}.example/{article}", article % 97)
}

/// One small message: mostly a new article, now and then one that was sent before, a tombstone, or rubbish,
/// seldom a killer.
fn message(random: &mut ArticleGenerator, number: usize) -> (Outgoing, Kind) {
    let partition = Some(i32::try_from(random.below(PARTITIONS as usize)).unwrap());
    if number % KILLERS == KILLERS / 4 {
        let text = format!("{} {number}", Copydesk::KILLER);
        let payload = format!("{{\"text\": \"{text}\"}}");
        let killer = Outgoing {
            partition,
            ..Outgoing::value(payload)
        };
        return (killer, Kind::Killer);
    }
    if random.below(100) == 0 {
        let bad = hostile(random);
        // The huge ones have a test of their own.
        if bad.payload.as_ref().is_none_or(|p| p.len() < 100_000) {
            return (Outgoing { partition, ..bad }, Kind::Bad);
        }
    }
    if random.below(TOMBSTONES) == 0 {
        let address = address(random.below(number + 1));
        let tombstone = match random.below(2) {
            0 => Outgoing {
                key: Some(address),
                payload: None,
                ..Outgoing::default()
            },
            _ => Outgoing::value(format!("{{\"url\": \"{address}\", \"deleted\": true}}")),
        };
        return (
            Outgoing {
                partition,
                ..tombstone
            },
            Kind::Tombstone,
        );
    }
    // One in three is an article that was sent before.
    let article = if random.below(3) == 0 {
        random.below(number + 1)
    } else {
        number
    };
    let mut own = ArticleGenerator::new(0xdead_0000 + article as u64);
    let text = format!("{} {}", own.sentence(), own.sentence());
    let payload = format!("{{\"url\": \"{}\", \"text\": \"{text}\"}}", address(article));
    let good = Outgoing {
        partition,
        ..Outgoing::value(payload)
    };
    (good, Kind::Good)
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_and_nothing_is_stored_twice_in_chaos() {
    let seconds = setting("COPYDESK_CHAOS_SECONDS").unwrap_or(20);
    let seed = setting("COPYDESK_CHAOS_SEED").unwrap_or_else(|| {
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap();
        now.as_secs() % 1_000_000
    });
    // Messages on the topic that are not stored yet, at the most: so that the end is near when the faults are over.
    let backlog = if seconds <= 60 { 1_000 } else { 40_000 };
    eprintln!(
        "chaos: seed {seed}, {seconds} s (COPYDESK_CHAOS_SEED={seed} COPYDESK_CHAOS_SECONDS={seconds} repeats it)"
    );
    let mut postgres = PrivatePostgres::start().await;
    let mut kafka = PrivateKafka::start().await;
    let pipeline = Pipeline::on(&kafka.brokers(), &postgres.url(), "chaos", PARTITIONS).await;
    let proxy = Proxy::to(&format!("127.0.0.1:{}", postgres.port()));
    let copydesk = pipeline
        .copydesk
        .clone()
        .at_database(&format!("postgres://postgres@{}/postgres", proxy.address()))
        .with("COPYDESK_WORKER_THREADS", "1")
        .deadly();
    let person = copydesk.clone();
    let produced = Cell::new(0);
    let mut crew = Crew {
        copydesk,
        workers: Vec::new(),
        died: 0,
    };
    crew.join();
    crew.join();

    let end = Instant::now() + Duration::from_secs(seconds);
    let faults = async {
        let mut random = ArticleGenerator::new(seed);
        let mut done: BTreeMap<Fault, u32> = BTreeMap::new();
        let mut slow_until = None;
        let mut next = Instant::now() + Duration::from_secs(3);
        while Instant::now() < end {
            tokio::time::sleep(Duration::from_millis(100)).await;
            crew.look_after();
            if slow_until.is_some_and(|until| until <= Instant::now()) {
                proxy.delay(Duration::ZERO);
                slow_until = None;
            }
            if Instant::now() < next {
                continue;
            }
            next = Instant::now() + Duration::from_millis(300 + random.below(4_000) as u64);
            let fault = pick(&mut random);
            let victim = crew.awake(&mut random);
            let can = match (fault, victim) {
                (Fault::KillWorker, Some(victim)) => {
                    crew.workers.remove(victim).0.kill_9();
                    if crew.workers.is_empty() || random.below(3) > 0 {
                        crew.join();
                    }
                    true
                }
                (Fault::FreezeWorker, Some(victim)) => {
                    let (worker, frozen) = &mut crew.workers[victim];
                    worker.signal("STOP");
                    // Some wake within the session timeout (6 s), some are zombies by then.
                    *frozen = Some(Instant::now() + Duration::from_millis(500 + random.below(11_000) as u64));
                    true
                }
                (Fault::Leave, Some(victim)) if crew.workers.len() > 1 => {
                    // Gone in its own time, like after a SIGTERM of an orchestrator, which kills after a while.
                    let (mut worker, _) = crew.workers.remove(victim);
                    worker.signal("TERM");
                    let until = Instant::now() + Duration::from_secs(15);
                    while worker.ended().is_none() && Instant::now() < until {
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                    true
                }
                (Fault::Join, _) if crew.workers.len() < WORKERS => {
                    crew.join();
                    true
                }
                (Fault::CrashPostgres, _) => {
                    postgres.stop_immediate();
                    tokio::time::sleep(Duration::from_millis(random.below(2_000) as u64)).await;
                    postgres.start_again().await;
                    true
                }
                (Fault::TerminateBackends, _) => sqlx::query(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                     WHERE application_name = 'copydesk' AND xact_start IS NOT NULL",
                )
                .execute(&pipeline.db)
                .await
                .is_ok(),
                (Fault::CrashBroker, _) => {
                    kafka.kill_9();
                    kafka.start_again().await;
                    true
                }
                (Fault::CutNetwork, _) => {
                    proxy.cut();
                    true
                }
                (Fault::SlowNetwork, _) => {
                    proxy.delay(Duration::from_millis(1 + random.below(30) as u64));
                    slow_until = Some(Instant::now() + Duration::from_secs(2 + random.below(5) as u64));
                    true
                }
                _ => false,
            };
            if can {
                *done.entry(fault).or_default() += 1;
            }
        }
        proxy.delay(Duration::ZERO);
        done
    };
    let production = async {
        let mut random = ArticleGenerator::new(seed ^ 0x5eed);
        let (mut number, mut bad, mut killers, mut tombstones) = (0_usize, 0_i64, 0_i64, 0_i64);
        while Instant::now() < end {
            let stored = ledger(&pipeline).await.unwrap_or(0);
            if number as i64 - stored > backlog {
                tokio::time::sleep(Duration::from_millis(200)).await;
                continue;
            }
            let messages: Vec<(Outgoing, Kind)> =
                (0..500).map(|n| message(&mut random, number + n)).collect();
            number += messages.len();
            produced.set(number);
            let of = |kind| messages.iter().filter(|(_, k)| *k == kind).count() as i64;
            bad += of(Kind::Bad);
            killers += of(Kind::Killer);
            tombstones += of(Kind::Tombstone);
            pipeline.topic.produce(messages.into_iter().map(|(m, _)| m)).await;
        }
        (number as i64, bad, killers, tombstones)
    };
    let people = takedowns::by_people(person, &produced, seed, end);
    let (done, (sent, bad, killers, tombstones), people) = tokio::join!(faults, production, people);

    // All is well again: what is left must arrive.
    for (worker, frozen) in &mut crew.workers {
        if frozen.take().is_some() {
            worker.signal("CONT");
        }
    }
    while crew.workers.len() < 2 {
        crew.join();
    }
    let drain = Instant::now();
    while ledger(&pipeline).await.is_none_or(|stored| stored < sent) {
        crew.look_after();
        if drain.elapsed() > DRAIN {
            let logs: Vec<String> = crew.workers.iter().map(|(w, _)| w.log()).collect();
            panic!(
                "seed {seed}: {:?} of {sent} are in the ledger {DRAIN:?} after the last fault\n{}",
                ledger(&pipeline).await,
                logs.join("\n--- worker\n")
            );
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let took = drain.elapsed();
    for (worker, _) in &mut crew.workers {
        worker.stop(Duration::from_secs(60));
    }
    let on_topic = pipeline.topic.messages().await;
    let quarantined = pipeline.count("SELECT count(*) FROM quarantine").await;
    let articles = pipeline.count("SELECT count(*) FROM article").await;
    let addresses = pipeline
        .count("SELECT count(DISTINCT canonical_url) FROM article")
        .await;
    let killed = pipeline
        .count("SELECT count(*) FROM quarantine WHERE reason = 'kills_worker'")
        .await;
    let faults: u32 = done.values().sum();
    let died = crew.died;
    eprintln!(
        "chaos: seed {seed}: {on_topic} messages, {articles} articles, {quarantined} quarantined, {faults} faults {done:?}, \
         {died} workers ended by {killers} messages, drained in {took:.1?}"
    );
    assert_eq!(on_topic, sent, "the producer is idempotent");
    pipeline.assert_every_offset_once(sent).await;
    assert_eq!(
        quarantined,
        bad + killers,
        "what is bad is quarantined, and nothing else"
    );
    assert_eq!(killed, killers, "of those, for ending processes");
    assert!(
        i64::from(died) <= 2 * killers,
        "{died} workers were ended by {killers} messages"
    );
    assert_eq!(articles, addresses, "no article twice");
    takedowns::assert_held(&pipeline, tombstones, &people).await;
    eprintln!("chaos: 0 lost, 0 twice, by `copydesk audit` and by SQL");
}

/// How many offsets the ledger has done. `None`: Postgres is down.
async fn ledger(pipeline: &Pipeline) -> Option<i64> {
    sqlx::query_scalar("SELECT coalesce(sum(next_offset - first_offset), 0)::int8 FROM partition_progress")
        .fetch_one(&pipeline.db)
        .await
        .ok()
}
