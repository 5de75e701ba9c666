//! What the benches share: articles ready to be stored, CPU time of this process and of Postgres.
//!
//! Benches print tables; they assert nothing about time. Machines are noisy: compare rows of one run.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    clippy::print_stdout,
    reason = "benches are run by developers: a panic with a clear message is enough"
)]

pub mod asking;
pub mod ceiling;
pub mod filling;
pub mod storing;
pub mod varied;

use chrono::{DateTime, Utc};
use copydesk_article::{
    Block, BlockKind, CleanArticle, Coordinates, Message, Metadata, MetadataSource, Offset, Partition,
    Sourced, Topic, TopicPartition,
};
use copydesk_store::{Item, Prepared};
use copydesk_testkit::ArticleGenerator;

/// One partition of the topic of the benches.
pub fn source(partition: i32) -> TopicPartition {
    TopicPartition {
        topic: Topic::new("bench"),
        partition: Partition::new(partition),
    }
}

/// Makes articles as the stages before the store would hand them over: some 3 KB each, every fifth a cut copy of an
/// earlier one at another site.
pub struct PreparedArticles {
    generator: ArticleGenerator,
    recent: Vec<String>,
    number: usize,
}

impl PreparedArticles {
    /// Starts from a seed.
    pub fn new(seed: u64) -> Self {
        Self {
            generator: ArticleGenerator::new(seed),
            recent: Vec::new(),
            number: 0,
        }
    }

    /// The next article, as the message at this place.
    pub fn next(&mut self, partition: i32, offset: i64, at: DateTime<Utc>) -> Item {
        self.number += 1;
        let text = if self.number.is_multiple_of(5) && !self.recent.is_empty() {
            let original = &self.recent[self.generator.below(self.recent.len())];
            original.split("\n\n").take(10).collect::<Vec<_>>().join("\n\n")
        } else {
            let text = self.generator.babble(14);
            if self.recent.len() < 5_000 {
                self.recent.push(text.clone());
            } else {
                let place = self.generator.below(self.recent.len());
                self.recent[place].clone_from(&text);
            }
            text
        };
        let site = format!("site{}.example", self.generator.below(2_000));
        let url = format!("https://{site}/{partition}-{offset}");
        Item {
            message: Message {
                coordinates: Coordinates {
                    source: source(partition),
                    offset: Offset::new(offset),
                },
                timestamp: Some(at),
                key: None,
                payload: Some(text.clone().into_bytes()),
                headers: Vec::new(),
            },
            outcome: Ok(prepare(&site, &url, &self.generator.headline(), &text).into()),
        }
    }
}

fn prepare(site: &str, url: &str, title: &str, text: &str) -> Prepared {
    let sourced = |s: &str| Sourced::new(s.to_owned(), MetadataSource::Envelope);
    let mut blocks = vec![Block::kept(BlockKind::Headline, title)];
    blocks.extend(text.split("\n\n").map(|p| Block::kept(BlockKind::Body, p)));
    let clean = CleanArticle {
        metadata: Metadata {
            url: Some(url.to_owned()),
            canonical_url: Some(sourced(url)),
            site: Some(sourced(site)),
            title: Some(sourced(title)),
            ..Metadata::default()
        },
        blocks,
        warnings: Vec::new(),
        rules_version: "bench".into(),
    };
    let fingerprint = copydesk_dedup::fingerprint(&clean);
    Prepared::new(clean, fingerprint, None, Default::default())
}

/// Seconds of CPU that a process has used, user and system. 0 if there is no such process.
pub fn cpu_seconds(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name in brackets may hold spaces: count from the closing one.
    let fields: Vec<&str> = stat
        .rsplit_once(')')
        .map_or("", |(_, rest)| rest)
        .split_whitespace()
        .collect();
    let ticks = |n: usize| fields.get(n).and_then(|f| f.parse::<f64>().ok()).unwrap_or(0.0);
    // 100 ticks a second on every Linux that copydesk runs on.
    (ticks(11) + ticks(12)) / 100.0
}

/// [`cpu_seconds`] of a process, of its children that live, and of those that have ended.
pub fn cpu_seconds_of_tree(pid: u32) -> f64 {
    let mut total = 0.0;
    let mut parents = vec![pid];
    let all = processes();
    while let Some(parent) = parents.pop() {
        if let Some(process) = all.iter().find(|p| p.pid == parent) {
            total += process.seconds;
        }
        parents.extend(all.iter().filter(|p| p.parent == parent).map(|p| p.pid));
    }
    total
}

struct Process {
    pid: u32,
    parent: u32,
    /// Its own, and that of its children that were waited for.
    seconds: f64,
}

fn processes() -> Vec<Process> {
    let read = |entry: std::fs::DirEntry| {
        let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
        let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
        let (_, rest) = stat.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let ticks = |n: usize| fields.get(n).and_then(|f| f.parse::<f64>().ok()).unwrap_or(0.0);
        Some(Process {
            pid,
            parent: fields.get(1)?.parse().ok()?,
            seconds: (11..=14).map(ticks).sum::<f64>() / 100.0,
        })
    };
    let folder = std::fs::read_dir("/proc").expect("/proc");
    folder.flatten().filter_map(read).collect()
}
