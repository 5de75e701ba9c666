//! What benches/weights/fit_signs.py fits the weights of the signs to: every block that reads as prose and that a rule doubted,
//! with its signs, and whether gold has it.
//!
//! cargo run --release -p copydesk-clean --example doubted_blocks -- FILE.jsonl.gz... > doubted.csv
//!
//! Gold is a text (`gold.text`), or snippets that must and must not be in the body (`gold.with`, `gold.without`): of those
//! pages only blocks with a snippet are printed. `gold` is the share of the block's runs of four words that are in the text.
#![allow(
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::disallowed_types
)]

use std::collections::HashSet;
use std::io::BufRead;
use std::path::Path;

use copydesk_article::{RawArticle, RawBody};
use copydesk_clean::{Budget, Cleaner, Rules};
use serde_json::Value;

fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|w| !w.is_empty())
        .map(str::to_lowercase)
        .collect()
}

/// The share of the runs of four words of a text that are among those of gold.
fn share(text: &[String], gold: &HashSet<Vec<String>>) -> f64 {
    let runs: Vec<&[String]> = text.windows(4.min(text.len().max(1))).collect();
    let found = runs.iter().filter(|r| gold.contains(**r)).count();
    found as f64 / runs.len().max(1) as f64
}

fn main() {
    let cleaner = Cleaner::new(Rules::builtin(), Budget::default());
    let names = Cleaner::sign_names();
    println!("set,site,words,gold,removed,{}", names.join(","));
    for path in std::env::args().skip(1) {
        let set = Path::new(&path).file_name().unwrap_or_default().to_string_lossy();
        let set = set.split('.').next().unwrap_or_default();
        let file = std::fs::File::open(&path).unwrap_or_else(|e| panic!("cannot open {path}: {e}"));
        for line in std::io::BufReader::new(flate2::read::GzDecoder::new(file)).lines() {
            let page: Value = serde_json::from_str(&line.unwrap()).unwrap();
            let Value::String(html) = &page["html"] else {
                continue;
            };
            let mut raw = RawArticle::from_body(RawBody::Html(html.clone()));
            raw.url = page["url"].as_str().map(str::to_owned);
            let Ok(doubts) = cleaner.doubts(&raw) else {
                continue;
            };
            let host = raw
                .url
                .as_deref()
                .unwrap_or_default()
                .split('/')
                .nth(2)
                .unwrap_or_default();
            let gold = words(page["gold"]["text"].as_str().unwrap_or_default());
            // Runs of up to four words, so that shorter blocks are found as well.
            let runs: HashSet<Vec<String>> = (1..=4)
                .flat_map(|n| gold.windows(n))
                .map(<[String]>::to_vec)
                .collect();
            let snippets = |key: &str| -> Vec<Vec<String>> {
                let all = page["gold"][key].as_array().into_iter().flatten();
                all.filter_map(Value::as_str)
                    .map(words)
                    .filter(|w| !w.is_empty())
                    .collect()
            };
            let (with, without) = (snippets("with"), snippets("without"));
            for doubt in doubts {
                let text = words(&doubt.text);
                let holds = |all: &[Vec<String>]| {
                    all.iter()
                        .any(|s| text.windows(s.len()).any(|w| w == s.as_slice()))
                };
                let gold = if !gold.is_empty() {
                    share(&text, &runs)
                } else if holds(&with) {
                    1.0
                } else if holds(&without) {
                    0.0
                } else {
                    continue;
                };
                let signs: Vec<&str> = names
                    .iter()
                    .map(|n| if doubt.signs.contains(n) { "1" } else { "0" })
                    .collect();
                println!(
                    "{set},{host},{},{gold:.3},{},{}",
                    text.len(),
                    u8::from(doubt.is_removed),
                    signs.join(",")
                );
            }
        }
    }
}
