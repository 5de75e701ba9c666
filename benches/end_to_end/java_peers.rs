//! The peers that copy fields from the topic into one table and do nothing else: Flink SQL and Kafka Connect.

use std::fs::{self, File};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use copydesk_benches::cpu_seconds_of_tree;
use copydesk_testkit::{ScratchTopic, peak_memory};
use sqlx::PgPool;

use crate::plan::Run;
use crate::runs::Group;
use crate::servers::{Servers, watch};
use crate::table::Row;

/// One of them.
#[derive(Clone, Copy)]
pub(crate) enum JavaPeer {
    Flink,
    Connect,
}

impl JavaPeer {
    fn label(self) -> &'static str {
        match self {
            Self::Flink => "Flink SQL, fields copied",
            Self::Connect => "Kafka Connect, fields copied",
        }
    }

    /// The folder of its files in benches/peer, and that of its jars below COPYDESK_BENCH_JAVA.
    fn folder(self) -> &'static str {
        match self {
            Self::Flink => "flink",
            Self::Connect => "connect",
        }
    }

    /// What Java runs: a class of the jars, if no source file, and files of benches/peer.
    fn arguments(self) -> (&'static [&'static str], &'static [&'static str]) {
        match self {
            Self::Flink => (&[], &["SqlJob.java", "job.sql"]),
            Self::Connect => (
                &["org.apache.kafka.connect.cli.ConnectStandalone"],
                &["worker.properties", "sink.properties"],
            ),
        }
    }
}

/// The same columns and key for both, as Kafka Connect names them. A row that comes again after a restart
/// replaces itself.
const TABLE: &str = "CREATE TABLE peer_copy (
    __connect_topic text, __connect_partition integer, __connect_offset bigint, url text, text text, html text,
    PRIMARY KEY (__connect_topic, __connect_partition, __connect_offset))";

pub(crate) async fn java_peer(
    servers: &Servers,
    jars: &str,
    peer: JavaPeer,
    topic: &ScratchTopic,
    messages: usize,
    each: f64,
    name: &str,
) -> (Row, String) {
    let most: u64 =
        std::env::var("COPYDESK_BENCH_PEER_SECONDS").map_or(300, |s| s.parse().expect("a number"));
    let database = servers.database(name).await;
    let db = PgPool::connect(&database).await.expect("Postgres answers");
    sqlx::query(TABLE).execute(&db).await.expect("a table");
    servers.checkpoint().await;
    let folder = std::env::temp_dir().join(format!("copydesk-bench-{}-{name}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let (class, files) = peer.arguments();
    let address = database.split_once('@').expect("a URL with a user").1;
    let values = [
        ("@BROKERS@", servers.kafka.brokers()),
        ("@TOPIC@", topic.name().to_owned()),
        ("@GROUP@", format!("peer-{name}")),
        (
            "@JDBC@",
            format!("jdbc:postgresql://{address}?user=postgres&reWriteBatchedInserts=true"),
        ),
        ("@FOLDER@", folder.display().to_string()),
    ];
    let log = folder.join("log");
    let mut command = Command::new("java");
    command
        .args(["-Xmx1g", "--add-opens=java.base/java.util=ALL-UNNAMED", "-cp"])
        .arg(format!("{jars}/{}/*", peer.folder()))
        .args(class);
    for file in files {
        command.arg(fill(peer, file, &values, &folder));
    }
    command
        .process_group(0)
        .current_dir(&folder)
        .stdin(Stdio::null())
        .stdout(File::create(&log).expect("a log"))
        .stderr(File::create(folder.join("errors")).expect("a log"));
    let (postgres, kafka) = servers.cpu();
    let mut running = Group(command.spawn().expect("Java starts"));
    let seen = watch(
        &database,
        "SELECT count(*) FROM peer_copy",
        messages,
        Duration::from_secs(most),
        || {
            let ended = running.0.try_wait().expect("it can be asked");
            assert!(
                ended.is_none(),
                "{} ended; its log is {}",
                peer.label(),
                log.display()
            );
        },
    )
    .await;
    let (postgres_after, kafka_after) = servers.cpu();
    let id = running.0.id();
    let row = Row {
        run: Run::Java(peer),
        who: peer.label().to_owned(),
        articles: seen.last.1,
        rate: seen.rate(),
        megabytes: seen.rate() * each,
        worker: cpu_seconds_of_tree(id),
        postgres: postgres_after - postgres,
        kafka: kafka_after - kafka,
        peak: peak_memory(id),
    };
    drop(running);
    let _ = fs::remove_dir_all(&folder);
    (row, database)
}

/// A file of benches/peer with its values, in a folder of the run.
fn fill(peer: JavaPeer, file: &str, values: &[(&str, String)], folder: &Path) -> std::path::PathBuf {
    let template = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("peer")
        .join(peer.folder())
        .join(file);
    let mut text = fs::read_to_string(template).expect("a file of benches/peer");
    for (name, value) in values {
        text = text.replace(name, value);
    }
    let filled = folder.join(file);
    fs::write(&filled, text).expect("a file");
    filled
}
