//! Makes a stream of articles harder, to see whether the rule only fits the stream it was chosen on.
//!
//!     cargo run --release -p copydesk-dedup --example vary_stream -- MODE[:N] SEED IN.jsonl.gz OUT.jsonl.gz
//!
//! paste    one article in eight gets 2 or 3 consecutive paragraphs of an older article of another story
//! drift    a third of the sites end every page with headlines of their last articles, drawn anew each time, and
//!          a dated line; one original in three comes again, once to three times, as a later version at its site
//! all      both
//! tail     copies that kept the first fifth, third or half of a text keep its last instead
//! middle   they keep as much from somewhere within
//! pastes   one article in four gets 2 or 3 paragraphs of an older article, together or scattered, and every copy is
//!          retitled
//! retitled every copy has the title of some other article
//! ocr:N    scanning errors in N percent of the characters of every copy; ocr-both:N: of every article
//! flood    50 fillings of each of 14 or 15 templates (every other one of templates.txt) among 3,000 other articles
//! flood-2  the same with the other templates
//! held     50 fillings of each of 14 templates that the fit never sees (held.txt)
//! series   50 fillings of each of 6 templates of one publisher (series.txt), series-2 of the others
//! developing one original in four comes again, at its site or another: new title and lead, a paragraph less, other figures
//! roundups 400 pages that hold 2 to 4 other articles whole
//! edits    ten edits of each article; of the gold of page files as well, which has many languages
//! untitled every title is gone: what the rules that look at titles are worth, and what they cost
//!
//! IN and OUT have the form that score_stream reads; the gold clusters are kept.
#![allow(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a program for the terminal"
)]

use std::collections::HashMap;
use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};

use serde_json::{Value, json};

mod edits;
mod flood;
mod languages;

/// Numbers without a library: SplitMix64.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n.max(1) as u64) as usize
    }
}

pub(crate) struct Article {
    pub(crate) record: Value,
    pub(crate) paragraphs: Vec<String>,
}

impl Article {
    pub(crate) fn text(&self, field: &str) -> String {
        self.record[field].to_string()
    }

    pub(crate) fn title(&self) -> String {
        self.record["title"].as_str().unwrap_or_default().to_owned()
    }
}

fn read(path: &str) -> Result<Vec<Article>, Box<dyn Error>> {
    #[allow(
        clippy::disallowed_types,
        reason = "a file of our own choosing, read line by line"
    )]
    let lines = BufReader::new(flate2::read::GzDecoder::new(File::open(path)?)).lines();
    lines
        .map(|line| {
            let mut record: Value = serde_json::from_str(&line?)?;
            if let Some(gold) = record.get_mut("gold").map(Value::take) {
                record = gold;
            }
            let text = record["text"].as_str().unwrap_or_default();
            let paragraphs = text
                .lines()
                .filter(|p| !p.trim().is_empty())
                .map(str::to_owned)
                .collect();
            Ok(Article { record, paragraphs })
        })
        .collect()
}

/// Copies that were cut keep as many words from another place of their original.
fn cut_elsewhere(articles: &mut [Article], mut from: impl FnMut(usize, usize) -> usize) {
    let words_of = |a: &Article| -> Vec<(usize, String)> {
        let numbered = a.paragraphs.iter().enumerate();
        numbered
            .flat_map(|(n, p)| p.split_whitespace().map(move |w| (n, w.to_owned())))
            .collect()
    };
    let bases: HashMap<String, Vec<(usize, String)>> = articles
        .iter()
        .filter(|a| a.record["kind"] == "base")
        .map(|a| (a.text("cluster"), words_of(a)))
        .collect();
    for article in articles {
        let share = match article.record["kind"].as_str() {
            Some("cut20") => 20,
            Some("cut30") => 30,
            Some("cut50") => 50,
            _ => continue,
        };
        let Some(words) = bases.get(&article.text("cluster")) else {
            continue;
        };
        let kept = words.len() * share / 100;
        let from = from(words.len(), kept);
        article.paragraphs = words[from..from + kept]
            .chunk_by(|a, b| a.0 == b.0)
            .map(|paragraph| {
                paragraph
                    .iter()
                    .map(|(_, w)| w.as_str())
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .collect();
    }
}

/// Later versions at the same site: a new lead, other numbers, sometimes a paragraph less.
fn versions(articles: Vec<Article>, random: &mut Random) -> Vec<Article> {
    let mut later: HashMap<usize, Vec<Article>> = HashMap::new();
    let count = articles.len();
    for (i, article) in articles.iter().enumerate() {
        if article.record["kind"] != "base" || random.below(3) != 0 {
            continue;
        }
        let mut paragraphs = article.paragraphs.clone();
        let mut at = i;
        for version in 0..=random.below(3) {
            at += 20 + random.below(400);
            if paragraphs.len() > 4 && random.below(2) == 0 {
                paragraphs.remove(1 + random.below(paragraphs.len() - 1));
            }
            if let Some(lead) = paragraphs.first_mut() {
                *lead = format!(
                    "New details emerged {} hours after the first report, in version {version}: {lead}",
                    2 + random.below(20)
                );
            }
            let digit = char::from(b'0' + random.below(10) as u8);
            if let Some(changed) = paragraphs.last_mut() {
                *changed = changed.replace(char::from(b'0' + random.below(10) as u8), &digit.to_string());
            }
            let mut record = article.record.clone();
            record["kind"] = json!("version");
            later.entry(at.min(count - 1)).or_default().push(Article {
                record,
                paragraphs: paragraphs.clone(),
            });
        }
    }
    edits::with_later(articles, later)
}

/// Headlines and a dated line below every page of a third of the sites.
fn repeated_blocks(articles: &mut [Article], random: &mut Random) {
    const DAYS: [&str; 7] = [
        "Monday",
        "Tuesday",
        "Wednesday",
        "Thursday",
        "Friday",
        "Saturday",
        "Sunday",
    ];
    let mut titles: HashMap<String, Vec<String>> = HashMap::new();
    for article in articles {
        let host = article.text("host");
        let of_site = titles.entry(host.clone()).or_default();
        if host.bytes().map(usize::from).sum::<usize>().is_multiple_of(3) {
            let visible = of_site.len().min(30);
            let lines: Vec<String> = (0..visible.min(8))
                .map(|_| of_site[of_site.len() - 1 - random.below(visible)].clone())
                .collect();
            if random.below(2) == 0 {
                article
                    .paragraphs
                    .push(format!("Read more on our site: {}", lines.join(" ")));
            } else {
                article.paragraphs.extend(lines);
            }
            article.paragraphs.push(format!(
                "This page was last changed on {} at {}:{:02}; {} readers follow our morning letter, join them today for \
                 free and leave it whenever you like.",
                DAYS[random.below(7)],
                random.below(24),
                random.below(60),
                1_000 + random.below(90_000)
            ));
        }
        let title = article.title();
        titles.entry(host).or_default().push(title);
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [mode, seed, from, to] = args.as_slice() else {
        return Err(
            "usage: vary_stream MODE SEED IN.jsonl.gz OUT.jsonl.gz; the modes are listed where its source begins".into(),
        );
    };
    let (mode, number) = mode.split_once(':').unwrap_or((mode, "6"));
    let number: usize = number.parse()?;
    let mut random = Random(seed.parse()?);
    let random = &mut random;
    let mut articles = read(from)?;
    match mode {
        "paste" => edits::paste(&mut articles, 8, false, random),
        "drift" | "all" => {
            if mode == "all" {
                edits::paste(&mut articles, 8, false, random);
            }
            articles = versions(articles, random);
            repeated_blocks(&mut articles, random);
        }
        "pastes" => {
            edits::paste(&mut articles, 8, false, random);
            edits::paste(&mut articles, 8, true, random);
            edits::retitle(&mut articles, random);
        }
        "retitled" => edits::retitle(&mut articles, random),
        "ocr" => edits::scan(&mut articles, number, true, random),
        "ocr-both" => edits::scan(&mut articles, number, false, random),
        "flood" | "flood-2" | "series" | "series-2" | "held" => {
            let odd = usize::from(mode.ends_with("-2"));
            let choice = match mode {
                "held" => flood::Choice::Held,
                "series" | "series-2" => flood::Choice::Series(odd),
                _ => flood::Choice::Templates(odd),
            };
            articles = flood::flood(articles, 3_000, 50, choice, random);
        }
        "developing" => articles = edits::developing(articles, random),
        "edits" => articles = languages::edited(&articles, random),
        "roundups" => articles = edits::round_ups(articles, 400, random),
        "tail" => cut_elsewhere(&mut articles, |words, kept| words - kept),
        "middle" => cut_elsewhere(&mut articles, |words, kept| random.below(words - kept + 1)),
        "untitled" => {}
        _ => return Err(format!("no mode is called {mode}").into()),
    }
    let mut out = flate2::write::GzEncoder::new(File::create(to)?, flate2::Compression::fast());
    for article in &articles {
        let mut record = article.record.clone();
        if mode == "untitled" {
            record["title"] = Value::Null;
        }
        record["text"] = json!(article.paragraphs.join("\n\n"));
        writeln!(out, "{record}")?;
    }
    out.finish()?;
    println!("{} articles", articles.len());
    Ok(())
}
