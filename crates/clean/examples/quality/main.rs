//! The quality bench: cleans a corpus file and scores the result as the scorer of the corpus (score_clean.py) does.
//!
//! cargo run --release -p copydesk-clean --example quality -- FILE.jsonl.gz [--out predictions.jsonl] [--worst N] [--only ID]
//!
//! `--dek` puts the dek before the body (fundus gold has it there), `--news` takes news pages only, `--time N`
//! prints nothing but the rates of N rounds.
//!
//! Prints precision, recall and F1 of the body (multiset of word 4-grams per page), the table of metadata,
//! the rates per second and core, and the worst pages with what was missed and what leaked. `--only` prints
//! every block of one page.
#![allow(
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::cast_precision_loss,
    clippy::disallowed_types
)]

mod score;

use std::io::{BufRead, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use copydesk_article::{CleanArticle, RawArticle, RawBody};
use copydesk_clean::{Budget, Cleaner, Rules};
use score::{Gold, Prediction};
use serde_json::Value;

struct Page {
    id: String,
    raw: RawArticle,
    gold: Gold,
    news: bool,
}

struct Options {
    file: String,
    out: Option<String>,
    worst: usize,
    only: Option<String>,
    dek: bool,
    news: bool,
    time: usize,
}

fn options() -> Options {
    let mut args = std::env::args().skip(1);
    let mut options = Options {
        file: String::new(),
        out: None,
        worst: 0,
        only: None,
        dek: false,
        news: false,
        time: 0,
    };
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--out" => options.out = args.next(),
            "--worst" => options.worst = args.next().and_then(|n| n.parse().ok()).unwrap_or(10),
            "--only" => options.only = args.next(),
            "--dek" => options.dek = true,
            "--news" => options.news = true,
            "--time" => options.time = args.next().and_then(|n| n.parse().ok()).unwrap_or(3),
            _ => options.file = arg,
        }
    }
    assert!(
        !options.file.is_empty(),
        "usage: quality FILE.jsonl.gz [--out predictions.jsonl] [--worst N] [--only ID] [--dek]"
    );
    options
}

fn read(path: &str) -> Vec<Page> {
    let file = std::fs::File::open(path).unwrap_or_else(|e| panic!("cannot open {path}: {e}"));
    let lines = std::io::BufReader::new(flate2::read::GzDecoder::new(file)).lines();
    lines
        .map(|line| {
            let v: Value = serde_json::from_str(&line.unwrap()).unwrap();
            let body = match (&v["html"], &v["text"]) {
                (Value::String(html), _) => RawBody::Html(html.clone()),
                (_, Value::String(text)) => RawBody::Text(text.clone()),
                _ => panic!("a line without html and text"),
            };
            let mut raw = RawArticle::from_body(body);
            raw.url = v["url"].as_str().map(str::to_owned);
            Page {
                id: v["id"].as_str().unwrap_or_default().to_owned(),
                raw,
                gold: Gold::read(&v["gold"]),
                news: v["news"].as_bool().unwrap_or(false),
            }
        })
        .collect()
}

/// What the scorer sees: the dek where it was kept as a block of its own (fundus gold has it first in the
/// text), then the body.
fn predict(id: &str, clean: &CleanArticle, dek: bool) -> Prediction {
    let m = &clean.metadata;
    let mut text = String::new();
    if dek
        && let Some(dek) = clean
            .blocks
            .iter()
            .find(|b| b.is_kept() && b.kind == copydesk_article::BlockKind::Dek)
    {
        text.push_str(&dek.text);
        text.push_str("\n\n");
    }
    text.push_str(&clean.body());
    Prediction {
        id: id.to_owned(),
        text,
        title: m.title.as_ref().map(|t| t.value.clone()),
        authors: m.authors.clone(),
        date: m.published_at.as_ref().map(|t| t.value.local_day().to_string()),
        lang: m.language.as_ref().map(|l| l.value.clone()),
        removed: clean
            .blocks
            .iter()
            .map(|b| {
                let rule = b
                    .removed
                    .as_ref()
                    .map_or_else(|| format!("kept as {}", b.kind.as_str()), |r| r.rule.to_string());
                (b.text.clone(), rule)
            })
            .collect(),
    }
}

/// The rates, each page cleaned once a round; the best round counts.
fn rates(options: &Options, pages: &[Page], cleaner: &Cleaner) {
    let bytes: usize = pages.iter().map(|p| p.raw.body.as_str().len()).sum();
    let mut best = f64::INFINITY;
    for _ in 0..options.time {
        let mut spent = 0.0;
        for page in pages {
            let start = score::cpu();
            let _ = std::hint::black_box(cleaner.clean(&page.raw));
            spent += (score::cpu() - start).as_secs_f64();
        }
        best = best.min(spent);
    }
    println!(
        "{}: {} articles, {:.0} KB each; {:.0} articles/s/core, {:.1} MB/s/core",
        options.file,
        pages.len(),
        bytes as f64 / 1e3 / pages.len() as f64,
        pages.len() as f64 / best,
        bytes as f64 / 1e6 / best
    );
}

fn main() {
    let options = options();
    let pages: Vec<Page> = read(&options.file)
        .into_iter()
        .filter(|p| !options.news || p.news)
        .filter(|p| options.only.as_ref().is_none_or(|o| &p.id == o))
        .collect();
    let cleaner = Cleaner::new(Rules::builtin(), Budget::default());
    if options.only.is_some() {
        for page in &pages {
            score::show(&cleaner.clean(&page.raw));
        }
    }
    if options.time > 0 {
        rates(&options, &pages, &cleaner);
        return;
    }
    let next = Arc::new(AtomicUsize::new(0));
    let found: Mutex<Vec<Option<Prediction>>> = Mutex::new(pages.iter().map(|_| None).collect());
    let spent = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    let Some(page) = pages.get(i) else { break };
                    let start = Instant::now();
                    let cpu = score::cpu();
                    let result = cleaner.clean(&page.raw);
                    spent.lock().unwrap().push((score::cpu() - cpu, start.elapsed()));
                    match result {
                        Ok(clean) => found.lock().unwrap()[i] = Some(predict(&page.id, &clean, options.dek)),
                        Err(reject) => eprintln!("{}: {reject}", page.id),
                    }
                }
            });
        }
    });
    let predictions = found.into_inner().unwrap();
    let spent = spent.into_inner().unwrap();
    let cpu: f64 = spent.iter().map(|(c, _)| c.as_secs_f64()).sum();
    let bytes: usize = pages.iter().map(|p| p.raw.body.as_str().len()).sum();
    let mut each: Vec<f64> = spent.iter().map(|(c, _)| c.as_secs_f64() * 1e3).collect();
    each.sort_by(f64::total_cmp);
    println!("{}", options.file);
    println!(
        "  {} articles, {:.0} KB each; {:.0} articles/s/core, {:.1} MB/s/core; p50 {:.1} ms, p99 {:.1} ms, longest {:.1} ms",
        pages.len(),
        bytes as f64 / 1e3 / pages.len() as f64,
        pages.len() as f64 / cpu,
        bytes as f64 / 1e6 / cpu,
        each[each.len() / 2],
        each[each.len() * 99 / 100],
        each[each.len() - 1]
    );
    let golds: Vec<(&str, &Gold)> = pages.iter().map(|p| (p.id.as_str(), &p.gold)).collect();
    score::report(&golds, &predictions, options.worst);
    if let Some(out) = options.out {
        let mut file =
            std::io::BufWriter::new(std::fs::File::create(&out).expect("cannot write the predictions"));
        for p in predictions.iter().flatten() {
            writeln!(file, "{}", p.as_json()).unwrap();
        }
    }
}
