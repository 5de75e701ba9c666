//! How many instructions the hot functions take: a figure that no neighbour's load changes.
//!
//!     deploy/local/instructions.sh          compares with benches/stages/instructions.txt (in `make test`)
//!     deploy/local/instructions.sh --keep   writes the new figures there
//!
//! The script runs this program under callgrind once a function, counting only what happens inside [`measured`]. Alone it
//! runs each of them once and prints their names.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a bench stops where something is wrong"
)]

use copydesk_article::{CleanArticle, Message, RawArticle};
use copydesk_clean::{Budget, Cleaner, Rules};
use copydesk_decode::{Limits, decode};
use copydesk_stages::{decoded, pages, texts};

const NAMES: [&str; 6] = [
    "decode-text",
    "decode-page",
    "clean-text",
    "clean-page",
    "fingerprint",
    "clean-and-fingerprint-text",
];
/// Texts and pages that each function is run on.
const TEXTS: usize = 40;
const PAGES: usize = 4;

fn main() {
    if std::env::args().any(|a| a == "--list") {
        NAMES.iter().for_each(|n| println!("{n}"));
        return;
    }
    // Cargo adds `--bench`.
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with("--"))
        .collect();
    for name in NAMES {
        if wanted.is_empty() || wanted.iter().any(|w| w == name) {
            run(name);
            println!("{name}");
        }
    }
}

fn run(name: &str) {
    let cleaner = Cleaner::new(Rules::builtin(), Budget::default());
    let limits = Limits::default();
    let messages = if name.ends_with("page") {
        pages(PAGES, 100_000)
    } else {
        texts(TEXTS)
    };
    let raw = decoded(&messages);
    assert_eq!(raw.len(), messages.len(), "invented articles decode");
    let clean = |raw: &RawArticle| cleaner.clean(raw).expect("it reads as an article");
    // What is made once a process is made before the count begins.
    let warm: Vec<CleanArticle> = raw.iter().take(1).map(clean).collect();
    let _ = warm.iter().map(copydesk_dedup::fingerprint).count();
    match name {
        "decode-text" | "decode-page" => measured(&messages, |m: &Message| decode(m, &limits).is_ok()),
        "clean-text" | "clean-page" => measured(&raw, |r| !clean(r).blocks.is_empty()),
        "fingerprint" => {
            let articles: Vec<CleanArticle> = raw.iter().map(clean).collect();
            measured(&articles, |a| !copydesk_dedup::fingerprint(a).keys.is_empty());
        }
        "clean-and-fingerprint-text" => {
            measured(&raw, |r| !copydesk_dedup::fingerprint(&clean(r)).keys.is_empty());
        }

        other => panic!("nothing is called {other}"),
    }
}

/// Callgrind counts from here, by this name.
#[inline(never)]
fn measured<T>(items: &[T], work: impl Fn(&T) -> bool) {
    let good = items.iter().filter(|i| work(std::hint::black_box(i))).count();
    assert_eq!(std::hint::black_box(good), items.len());
}
