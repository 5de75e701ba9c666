//! From the topic to Postgres, as a user has it: `make bench`.
//!
//! A real Kafka and a real Postgres of the bench's own, on this machine, with the settings of deploy/local. Articles are put
//! on a topic of four partitions before the clock starts; then workers read until they have caught up. In the same run: the
//! ceiling (`ceiling.rs`: the same rows written by four clients, and by one, that do nothing else) and the peer (`peer/peer.py`: the
//! script that a data engineer would write today). Compare rows of one run only: machines are noisy.
//!
//! Settings: COPYDESK_BENCH_KINDS (text,page100,page235), COPYDESK_BENCH_MESSAGES (texts; a twentieth as many pages),
//! COPYDESK_BENCH_PYTHON (an interpreter with peer/requirements.txt; without it the peer is left out, and said so),
//! COPYDESK_BENCH_PEER_SECONDS (the peer is stopped after so long: its rate counts, not its end).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a bench prints, and stops where something is wrong"
)]

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use copydesk_benches::ceiling::ceiling;
use copydesk_benches::cpu_seconds_of_tree;
use copydesk_stages::Corpus;
use copydesk_testkit::{Copydesk, Outgoing, PrivateKafka, PrivatePostgres, Running, ScratchTopic};
use sqlx::PgPool;

const PARTITIONS: i32 = 4;
/// How often progress is looked at.
const LOOK: Duration = Duration::from_millis(250);

/// What is on the topic.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Page(usize),
}

impl Kind {
    fn parse(name: &str) -> Self {
        match name {
            "text" => Self::Text,
            "page100" => Self::Page(100_000),
            "page235" => Self::Page(235_000),
            other => panic!("COPYDESK_BENCH_KINDS knows text, page100 and page235, not {other}"),
        }
    }

    fn name(self) -> String {
        match self {
            Self::Text => "text, 3 KB".to_owned(),
            Self::Page(bytes) => format!("pages, {} KB", bytes / 1_000),
        }
    }
}

/// One way to run workers.
#[derive(Clone, Copy)]
struct Variant {
    label: &'static str,
    workers: usize,
    search: bool,
    site_memory: bool,
}

/// A worker as it is run, with everything on but search.
const ONE: Variant = Variant {
    label: "copydesk, 1 worker",
    workers: 1,
    search: false,
    site_memory: true,
};

/// Something that is measured.
#[derive(Clone, Copy)]
enum Run {
    Workers(Variant),
    /// By so many clients.
    Ceiling(usize),
    Peer(usize),
}

/// A virtual machine's speed changes within minutes: what is compared with one worker is measured right beside it.
const RUNS: [Run; 17] = [
    // What fresh servers do first is not what they do.
    Run::Workers(Variant {
        label: "copydesk, 1 worker, first run",
        ..ONE
    }),
    Run::Ceiling(4),
    Run::Workers(ONE),
    Run::Ceiling(4),
    Run::Workers(ONE),
    Run::Ceiling(4),
    Run::Workers(Variant {
        label: "copydesk, 2 workers",
        workers: 2,
        ..ONE
    }),
    Run::Workers(Variant {
        label: "copydesk, 4 workers",
        workers: 4,
        ..ONE
    }),
    Run::Workers(Variant {
        label: "copydesk, 1 worker, no site memory",
        site_memory: false,
        ..ONE
    }),
    // Search is made behind the flushes by the same workers on the same cores, so that it is measured on its own.
    Run::Workers(Variant {
        label: "copydesk, 1 worker, and search",
        search: true,
        ..ONE
    }),
    Run::Ceiling(4),
    Run::Workers(ONE),
    Run::Ceiling(1),
    Run::Workers(ONE),
    Run::Peer(1),
    Run::Workers(ONE),
    Run::Peer(2),
];

/// One row of the table.
struct Row {
    run: Run,
    who: String,
    articles: i64,
    rate: f64,
    megabytes: f64,
    worker: f64,
    postgres: f64,
    kafka: f64,
    peak: Option<u64>,
}

struct Servers {
    kafka: PrivateKafka,
    postgres: PrivatePostgres,
}

impl Servers {
    fn cpu(&self) -> (f64, f64) {
        let of = |id: Option<u32>| id.map_or(0.0, cpu_seconds_of_tree);
        (of(self.postgres.id()), of(self.kafka.id()))
    }

    async fn database(&self, name: &str) -> String {
        let admin = PgPool::connect(&self.postgres.url())
            .await
            .expect("Postgres answers");
        sqlx::query(&format!("CREATE DATABASE {name}"))
            .execute(&admin)
            .await
            .expect("a database");
        format!("postgres://postgres@127.0.0.1:{}/{name}", self.postgres.port())
    }

    async fn drop(&self, url: &str) {
        let admin = PgPool::connect(&self.postgres.url())
            .await
            .expect("Postgres answers");
        let name = url.rsplit('/').next().expect("a name");
        sqlx::query(&format!("DROP DATABASE {name} WITH (FORCE)"))
            .execute(&admin)
            .await
            .expect("it goes");
    }

    async fn checkpoint(&self) {
        let admin = PgPool::connect(&self.postgres.url())
            .await
            .expect("Postgres answers");
        sqlx::query("CHECKPOINT")
            .execute(&admin)
            .await
            .expect("a checkpoint");
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let setting = |name: &str, default: &str| std::env::var(name).unwrap_or_else(|_| default.to_owned());
    let texts: usize = setting("COPYDESK_BENCH_MESSAGES", "60000")
        .parse()
        .expect("a number");
    let servers = Servers {
        // Workers that start at the same moment share the topic from the first message on, instead of a few seconds later.
        kafka: PrivateKafka::start_with_settings("group.initial.rebalance.delay.ms=1000").await,
        postgres: PrivatePostgres::start_as_deployed().await,
    };
    println!("{}", machine());
    for (n, kind) in setting("COPYDESK_BENCH_KINDS", "text,page100,page235")
        .split(',')
        .enumerate()
    {
        let kind = Kind::parse(kind.trim());
        let messages = if kind == Kind::Text {
            texts
        } else {
            (texts / 20).max(100)
        };
        println!(
            "\n## {}: {messages} articles preloaded on {PARTITIONS} partitions\n",
            kind.name()
        );
        let (topic, bytes) = preload(&servers.kafka, kind, messages).await;
        let each = bytes as f64 / messages as f64 / 1e6;
        let mut rows = Vec::new();
        let mut stored = String::new();
        let python = std::env::var("COPYDESK_BENCH_PYTHON").ok();
        if python.is_none() {
            println!("The peer is left out: COPYDESK_BENCH_PYTHON names no interpreter.");
        }
        for (r, run) in RUNS.into_iter().enumerate() {
            let name = format!("r{n}_{r}");
            let (row, database) = match (run, &python) {
                (Run::Workers(variant), _) => worker(&servers, &topic, messages, variant, each, &name).await,
                (Run::Ceiling(clients), _) => bare_rows(&servers, &stored, clients, each, &name).await,
                (Run::Peer(processes), Some(python)) => {
                    peer(&servers, python, &topic, messages, processes, each, &name).await
                }
                (Run::Peer(_), None) => continue,
            };
            rows.push(row);
            if r == 0 {
                stored = database;
            } else {
                // Nobody's vacuum runs beside the next one.
                servers.drop(&database).await;
            }
        }
        print(&rows);
        compare(&rows);
    }
}

fn machine() -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|l| l.strip_prefix("model name"))
        .map_or("?", |l| l.trim_start_matches([':', ' ', '\t']));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    format!(
        "{cores} cores of {model}, shared by the workers, Kafka and Postgres; load before the run: {}",
        load.split(' ').next().unwrap_or("?")
    )
}

/// Puts the articles on a topic and says how many bytes they have.
async fn preload(kafka: &PrivateKafka, kind: Kind, messages: usize) -> (ScratchTopic, usize) {
    let topic = ScratchTopic::create_at(&kafka.brokers(), "bench", PARTITIONS).await;
    let mut corpus = Corpus::new(11, true);
    let (mut bytes, mut left) = (0, messages);
    while left > 0 {
        let chunk = left.min(500);
        left -= chunk;
        let records: Vec<Outgoing> = (0..chunk)
            .map(|_| {
                let draft = corpus.article(3_000);
                let payload = match kind {
                    Kind::Text => corpus.text_envelope(&draft),
                    Kind::Page(size) => corpus.page_envelope(&draft, size),
                };
                bytes += payload.len();
                Outgoing {
                    key: Some(draft.site),
                    ..Outgoing::value(payload)
                }
            })
            .collect();
        for delivery in topic.send(records).await {
            delivery.await.expect("an answer").expect("Kafka has it");
        }
    }
    (topic, bytes)
}

/// When the first and the last article were in, and how many were missing in between.
struct Watch {
    first: Option<(Instant, i64)>,
    last: (Instant, i64),
    lag: Vec<(f64, i64)>,
}

impl Watch {
    fn rate(&self) -> f64 {
        let Some((at, count)) = self.first else { return 0.0 };
        let seconds = (self.last.0 - at).as_secs_f64();
        if seconds > 0.0 {
            (self.last.1 - count) as f64 / seconds
        } else {
            0.0
        }
    }

    fn lag(&self) -> String {
        let step = (self.lag.len() / 10).max(1);
        let shown: Vec<String> = self
            .lag
            .iter()
            .step_by(step)
            .map(|(at, missing)| format!("{at:.0} s: {missing}"))
            .collect();
        shown.join(", ")
    }
}

/// Looks at a count until it is there or the time is over. The rate counts from the first articles that are seen: starting up
/// and the group's first rebalance are no part of it.
async fn watch(
    database: &str,
    count: &'static str,
    messages: usize,
    most: Duration,
    mut ended: impl FnMut(),
) -> Watch {
    let db = PgPool::connect(database).await.expect("Postgres answers");
    let begun = Instant::now();
    let mut watch = Watch {
        first: None,
        last: (begun, 0),
        lag: Vec::new(),
    };
    let all = messages as i64;
    loop {
        ended();
        let done: i64 = sqlx::query_scalar(count).fetch_one(&db).await.unwrap_or(0);
        let now = Instant::now();
        if done > 0 && watch.first.is_none() {
            watch.first = Some((now, done));
        }
        watch.last = (now, done);
        watch.lag.push(((now - begun).as_secs_f64(), all - done));
        if done >= all || now - begun > most {
            return watch;
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn worker(
    servers: &Servers,
    topic: &ScratchTopic,
    messages: usize,
    variant: Variant,
    each: f64,
    name: &str,
) -> (Row, String) {
    let database = servers.database(name).await;
    let copydesk = Copydesk::at(&servers.kafka.brokers(), topic.name(), &database)
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
        run: Run::Workers(variant),
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

async fn bare_rows(servers: &Servers, stored: &str, clients: usize, each: f64, name: &str) -> (Row, String) {
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

struct Peer(Child);

impl Drop for Peer {
    fn drop(&mut self) {
        // Its processes are a group of their own.
        let _ = Command::new("kill")
            .args(["-KILL", "--", &format!("-{}", self.0.id())])
            .status();
        let _ = self.0.wait();
    }
}

async fn peer(
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
    let mut child = Peer(child.spawn().expect("the peer starts"));
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

fn print(rows: &[Row]) {
    println!(
        "| | articles | articles/s | MB/s | CPU s: program | Postgres | Kafka | CPU ms an article | peak RSS |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for row in rows {
        let peak = row
            .peak
            .map_or_else(|| "-".to_owned(), |b| format!("{} MiB", b >> 20));
        println!(
            "| {} | {} | {:.0} | {:.1} | {:.1} | {:.1} | {:.1} | {:.2} | {peak} |",
            row.who,
            row.articles,
            row.rate,
            row.megabytes,
            row.worker,
            row.postgres,
            row.kafka,
            (row.worker + row.postgres + row.kafka) * 1_000.0 / (row.articles.max(1) as f64),
        );
    }
}

/// One worker against what was measured right before and after it.
fn compare(rows: &[Row]) {
    let one = |row: &Row| matches!(row.run, Run::Workers(v) if v.label == ONE.label);
    let (mut of_four, mut of_one) = (Vec::new(), Vec::new());
    let mut of_peer = Vec::new();
    for (a, b) in rows.iter().zip(rows.iter().skip(1)) {
        let (worker, other) = if one(a) { (a, b) } else { (b, a) };
        match other.run {
            Run::Ceiling(4) if one(worker) => of_four.push(worker.rate / other.rate),
            Run::Ceiling(_) if one(worker) => of_one.push(worker.rate / other.rate),
            Run::Peer(1) if one(worker) => of_peer.push(worker.rate / other.rate),
            _ => {}
        }
    }
    let shown = |ratios: &[f64], digits: usize| {
        let each: Vec<String> = ratios.iter().map(|r| format!("{r:.digits$}")).collect();
        let mut sorted = ratios.to_vec();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN);
        format!("{} (median {middle:.digits$})", each.join(", "))
    };
    println!(
        "\n1 worker to the ceiling of four clients beside it: {}",
        shown(&of_four, 2)
    );
    println!(
        "1 worker to the ceiling of one client beside it: {}",
        shown(&of_one, 2)
    );
    if !of_peer.is_empty() {
        println!(
            "1 worker to the peer with 1 process beside it: {}",
            shown(&of_peer, 1)
        );
    }
}
