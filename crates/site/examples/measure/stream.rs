//! The near-duplicate stream: does site memory take away what is the article's own?

use std::collections::{BTreeMap, HashMap, HashSet};

use copydesk_site::{BlockKey, block_key};

use crate::Options;
use crate::site::Store;

/// Kinds of articles that carry repeated blocks of their site.
const FURNISHED: [&str; 5] = ["site", "synd", "synd_hard", "bg_site", "tmpl"];

#[derive(Default)]
struct Count {
    articles: usize,
    blocks: usize,
    removed: usize,
    own: usize,
    own_words: usize,
    words: usize,
}

pub(crate) fn run(options: &Options) {
    let mut store = Store::new();
    let mut bases: HashMap<i64, HashSet<BlockKey>> = HashMap::new();
    let mut counts: BTreeMap<String, Count> = BTreeMap::new();
    for article in crate::read(&options.file) {
        let (kind, cluster) = (
            article["kind"].as_str().unwrap(),
            article["cluster"].as_i64().unwrap(),
        );
        let text = article["text"].as_str().unwrap();
        if kind == "base" {
            bases.insert(cluster, text.lines().filter_map(block_key).collect());
        }
        let site = format!("host{}.example", article["host"]);
        let Some(number) = store.insert(Some(&site), None, article["title"].as_str(), text) else {
            continue;
        };
        let decision = store.decide(number, false, &options.params);
        let stored = &store.articles[number].clean;
        let count = counts.entry(kind.to_owned()).or_default();
        count.articles += 1;
        count.blocks += stored.paragraphs().count();
        count.words += stored.paragraphs().map(words).sum::<usize>();
        count.removed += decision.removed.len();
        for found in &decision.removed {
            let block = &stored.blocks[found.position].text;
            let own = if FURNISHED.contains(&kind) {
                found
                    .key
                    .is_some_and(|k| bases.get(&cluster).is_some_and(|b| b.contains(&k)))
            } else {
                true
            };
            if own {
                count.own += 1;
                count.own_words += words(block);
                if std::env::var_os("SHOW").is_some() {
                    println!(
                        "{kind} {site} {} {:?}",
                        found.why.evidence(),
                        block.chars().take(120).collect::<String>()
                    );
                }
            }
        }
    }
    println!("kind         articles   blocks  removed  own blocks removed  own words removed");
    let mut all = Count::default();
    for (kind, c) in &counts {
        row(kind, c);
        all.articles += c.articles;
        all.blocks += c.blocks;
        all.words += c.words;
        all.removed += c.removed;
        all.own += c.own;
        all.own_words += c.own_words;
    }
    row("all", &all);
}

fn row(kind: &str, c: &Count) {
    println!(
        "{kind:<12} {:>8} {:>8} {:>8} {:>19} {:>11} ({:.4} %)",
        c.articles,
        c.blocks,
        c.removed,
        c.own,
        c.own_words,
        100.0 * c.own_words as f64 / c.words.max(1) as f64
    );
}

fn words(text: &str) -> usize {
    text.split_whitespace().count()
}
