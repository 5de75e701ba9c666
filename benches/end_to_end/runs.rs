//! One run each: workers, the ceiling, the peer.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use copydesk_benches::ceiling::ceiling;
use copydesk_benches::cpu_seconds_of_tree;
use copydesk_testkit::{Copydesk, Running, ScratchTopic};
use sqlx::PgPool;

use crate::plan::{ONE, Run, Variant};
use crate::servers::{Servers, watch};
use crate::table::Row;

/// Whose workers run.
#[derive(Clone, Copy)]
pub(crate) enum Program<'a> {
    Present(Variant),
    /// One worker of this executable.
    Earlier(&'a Path),
}

pub(crate) async fn worker(
    servers: &Servers,
    topic: &ScratchTopic,
    messages: usize,
    program: Program<'_>,
    each: f64,
    name: &str,
) -> (Row, String) {
    let database = servers.database(name).await;
    let copydesk = Copydesk::at(&servers.kafka.brokers(), topic.name(), &database);
    let (variant, copydesk, run) = match program {
        Program::Present(variant) => (variant, copydesk, Run::Workers(variant)),
        Program::Earlier(executable) => {
            let variant = Variant {
                label: "earlier copydesk, 1 worker",
                ..ONE
            };
            (variant, copydesk.with_program(executable), Run::Earlier)
        }
    };
    let copydesk = copydesk
        .with("COPYDESK_KAFKA_GROUP", &format!("bench-{name}"))
        .with("COPYDESK_WORKER_INDEX_SEARCH", &variant.search.to_string())
        .with("COPYDESK_CLEAN_SITE_MEMORY", &variant.site_memory.to_string());
    copydesk.ok(&["migrate"]);
    servers.checkpoint().await;
    let (postgres, kafka) = servers.cpu();
    let mut running: Vec<Running> = (0..variant.workers)
        .map(|_| copydesk.start(&["worker"]))
        .collect();
    let seen = watch(
        &database,
        "SELECT coalesce(sum(next_offset - first_offset), 0)::int8 FROM partition_progress",
        messages,
        Duration::from_secs(1_800),
        || {
            for worker in &mut running {
                assert!(worker.ended().is_none(), "a worker ended:\n{}", worker.log());
            }
        },
    )
    .await;
    let (postgres_after, kafka_after) = servers.cpu();
    let cpus: Vec<f64> = running.iter().map(|w| cpu_seconds_of_tree(w.id())).collect();
    let peak = running.iter().filter_map(Running::peak_memory).max();
    for worker in &mut running {
        worker.stop(Duration::from_secs(60));
    }
    println!("{}\n", copydesk.ok(&["audit"]).lines().last().unwrap_or_default());
    println!("Lag, {}: {}\n", variant.label, seen.lag());
    if let [_, _, ..] = cpus.as_slice() {
        println!("CPU s of each worker: {cpus:.1?}\n");
    }
    let row = Row {
        run,
        who: variant.label.to_owned(),
        articles: seen.last.1,
        rate: seen.rate(),
        megabytes: seen.rate() * each,
        worker: cpus.iter().sum(),
        postgres: postgres_after - postgres,
        kafka: kafka_after - kafka,
        peak,
    };
    (row, database)
}

pub(crate) async fn bare_rows(
    servers: &Servers,
    stored: &str,
    clients: usize,
    each: f64,
    name: &str,
) -> (Row, String) {
    let database = servers.database(name).await;
    Copydesk::at(&servers.kafka.brokers(), "bench", &database).ok(&["migrate"]);
    let admin = PgPool::connect(stored).await.expect("Postgres answers");
    sqlx::query("ANALYZE").execute(&admin).await.expect("statistics");
    servers.checkpoint().await;
    let found = ceiling(stored, &database, clients, || servers.cpu().0).await;
    let row = Row {
        run: Run::Ceiling(clients),
        who: format!("ceiling: the same rows, COPY by {clients}"),
        articles: found.articles as i64,
        rate: found.rate,
        megabytes: found.rate * each,
        worker: found.client_seconds,
        postgres: found.postgres_seconds,
        kafka: 0.0,
        peak: None,
    };
    (row, database)
}

/// A program with processes of its own, ended with all of them.
pub(crate) struct Group(pub(crate) Child);

impl Drop for Group {
    fn drop(&mut self) {
        // Its processes are a group of their own.
        let _ = Command::new("kill")
            .args(["-KILL", "--", &format!("-{}", self.0.id())])
            .status();
        let _ = self.0.wait();
    }
}

pub(crate) async fn peer(
    servers: &Servers,
    python: &str,
    topic: &ScratchTopic,
    messages: usize,
    processes: usize,
    each: f64,
    name: &str,
) -> (Row, String) {
    use std::os::unix::process::CommandExt as _;
    let most: u64 = std::env::var("COPYDESK_BENCH_PEER_SECONDS").map_or(60, |s| s.parse().expect("a number"));
    let database = servers.database(name).await;
    servers.checkpoint().await;
    let (postgres, kafka) = servers.cpu();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/peer/peer.py");
    let mut child = Command::new(python);
    child
        .arg(script)
        .args([
            "--brokers",
            &servers.kafka.brokers(),
            "--topic",
            topic.name(),
            "--database",
            &database,
        ])
        .args([
            "--group",
            &format!("peer-{name}"),
            "--processes",
            &processes.to_string(),
        ])
        .process_group(0)
        .stdin(Stdio::null());
    let mut child = Group(child.spawn().expect("the peer starts"));
    let seen = watch(
        &database,
        "SELECT count(*) FROM peer_article",
        messages,
        Duration::from_secs(most),
        || {
            assert!(
                child.0.try_wait().expect("it can be asked").is_none(),
                "the peer ended"
            );
        },
    )
    .await;
    let (postgres_after, kafka_after) = servers.cpu();
    let row = Row {
        run: Run::Peer(processes),
        who: format!(
            "peer, {processes} process{}",
            if processes == 1 { "" } else { "es" }
        ),
        articles: seen.last.1,
        rate: seen.rate(),
        megabytes: seen.rate() * each,
        worker: cpu_seconds_of_tree(child.0.id()),
        postgres: postgres_after - postgres,
        kafka: kafka_after - kafka,
        peak: None,
    };
    (row, database)
}
