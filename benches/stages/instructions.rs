//! How many instructions the hot functions take: a figure that no neighbour's load changes.
//!
//!     deploy/local/instructions.sh          compares with benches/stages/instructions.txt (in `make test`)
//!     deploy/local/instructions.sh --keep   writes the new figures there
//!
//! The script runs this program under callgrind once a function, counting only what happens inside
//! [`measured`]. Alone it runs each of them once and prints their names.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a bench stops where something is wrong"
)]

use copydesk_article::{ArticleId, CleanArticle, Message, RawArticle};
use copydesk_clean::{Budget, Cleaner, Rules};
use copydesk_decode::{Limits, decode};
use copydesk_site::{
    BlockKeys, Instructions, PageBlocks, Params, SIBLINGS, Sibling, Subject, apply, decide_keyed,
};
use copydesk_stages::{DecisionInput, decoded, pages, texts};

const NAMES: [&str; 9] = [
    "decode-text",
    "decode-page",
    "clean-text",
    "clean-page",
    "fingerprint",
    "clean-and-fingerprint-text",
    "decide",
    "site-memory-text",
    "site-memory-page",
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
        "decide" => DecisionInput::default().with(|decide| {
            let _ = decide();
            measured(&raw, |_| decide().link.is_some());
        }),
        "site-memory-text" | "site-memory-page" => {
            let articles: Vec<CleanArticle> = raw.iter().map(clean).collect();
            site_memory(&articles);
        }
        other => panic!("nothing is called {other}"),
    }
}

/// What the flush does for site memory if each article of a batch is of another site: read the blocks of that
/// site's last articles, decide, make the article's own.
fn site_memory(articles: &[CleanArticle]) {
    // An article is not among the others of its site.
    let (others, articles) = articles.split_at(articles.len() / 2);
    let stored: Vec<(Vec<u8>, Vec<u32>)> = others
        .iter()
        .map(|a| {
            (
                PageBlocks::of(a).encode(),
                copydesk_dedup::fingerprint(a).title_words,
            )
        })
        .collect();
    let site: Vec<&(Vec<u8>, Vec<u32>)> = stored.iter().cycle().take(SIBLINGS).collect();
    measured(articles, |article| {
        let read: Vec<PageBlocks> = site
            .iter()
            .filter_map(|(page, _)| PageBlocks::decode(page).ok())
            .collect();
        let siblings: Vec<Sibling<'_>> = read
            .iter()
            .zip(&site)
            .zip(1..)
            .map(|((blocks, (_, title_words)), id)| Sibling {
                id: ArticleId(id),
                url_hash: Some(id.unsigned_abs()),
                title_words,
                blocks,
            })
            .collect();
        let subject = Subject {
            id: ArticleId(0),
            url_hash: Some(0),
            title_words: &[],
        };
        let keys = BlockKeys::of(article);
        let decision = decide_keyed(
            article,
            &keys,
            &subject,
            &siblings,
            &Instructions::default(),
            &Params::default(),
        );
        let left = decision.removed.len() < article.blocks.len();
        if !decision.removed.is_empty() {
            std::hint::black_box(apply(article, &decision));
        }
        left && !PageBlocks::of_keys(article, &keys).encode().is_empty()
    });
}

/// Callgrind counts from here, by this name.
#[inline(never)]
fn measured<T>(items: &[T], work: impl Fn(&T) -> bool) {
    let good = items.iter().filter(|i| work(std::hint::black_box(i))).count();
    assert_eq!(std::hint::black_box(good), items.len());
}
