//! From the topic to Postgres, as a user has it: `make bench`.
//!
//! A real Kafka and a real Postgres of the bench's own, on this machine, with the settings of deploy/local.
//! Articles are put on a topic of four partitions before the clock starts; then workers read until they have
//! caught up. In the same run: the ceiling (`ceiling.rs`: the same rows written by four clients, and by one,
//! that do nothing else), the peer (`peer/peer.py`: the script that a data engineer would write today), and
//! Flink SQL and Kafka Connect, which copy fields and do nothing else (`peer/flink/job.sql`,
//! `peer/connect/sink.properties`). Compare rows of one run only: machines are noisy.
//!
//! Settings: COPYDESK_BENCH_KINDS (text,page100,page235), COPYDESK_BENCH_MESSAGES (texts; a twentieth as many
//! pages), COPYDESK_BENCH_PYTHON (an interpreter with peer/requirements.txt; without it the peer is left out,
//! and said so), COPYDESK_BENCH_JAVA (a folder with the jars that peer/*/pom.xml name; without it Flink and
//! Kafka Connect are left out, and said so), COPYDESK_BENCH_PEER_SECONDS (a peer is stopped after so long:
//! its rate counts, not its end), COPYDESK_BENCH_EARLIER (the executable of an earlier copydesk, whose one
//! worker runs in turn with this one's).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a bench prints, and stops where something is wrong"
)]

mod java_peers;
mod plan;
mod runs;
mod servers;
mod table;
mod topic;

use std::path::PathBuf;

use copydesk_testkit::{PrivateKafka, PrivatePostgres};

use java_peers::java_peer;
use plan::{RUNS, Run};
use runs::{Program, bare_rows, peer, worker};
use servers::Servers;
use table::{compare, print};
use topic::{Kind, PARTITIONS, preload};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let setting = |name: &str, default: &str| std::env::var(name).unwrap_or_else(|_| default.to_owned());
    let texts: usize = setting("COPYDESK_BENCH_MESSAGES", "60000")
        .parse()
        .expect("a number");
    let servers = Servers {
        // Workers that start at the same moment share the topic from the first message on, instead of a few
        // seconds later.
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
        let jars = std::env::var("COPYDESK_BENCH_JAVA").ok();
        if jars.is_none() {
            println!("Flink and Kafka Connect are left out: COPYDESK_BENCH_JAVA names no folder of jars.");
        }
        let earlier = std::env::var_os("COPYDESK_BENCH_EARLIER").map(PathBuf::from);
        for (r, run) in RUNS.into_iter().enumerate() {
            let name = format!("r{n}_{r}");
            let (row, database) = match (run, &python) {
                (Run::Workers(variant), _) => {
                    worker(&servers, &topic, messages, Program::Present(variant), each, &name).await
                }
                (Run::Earlier, _) => {
                    let Some(earlier) = &earlier else { continue };
                    worker(&servers, &topic, messages, Program::Earlier(earlier), each, &name).await
                }
                (Run::Ceiling(clients), _) => bare_rows(&servers, &stored, clients, each, &name).await,
                (Run::Peer(processes), Some(python)) => {
                    peer(&servers, python, &topic, messages, processes, each, &name).await
                }
                (Run::Peer(_), None) => continue,
                (Run::Java(peer), _) => {
                    let Some(jars) = &jars else { continue };
                    java_peer(&servers, jars, peer, &topic, messages, each, &name).await
                }
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
