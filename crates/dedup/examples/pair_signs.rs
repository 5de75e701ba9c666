//! Writes the signs of pairs of articles whose answer is known: what the weights are fitted to.
//!
//!     cargo run --release -p copydesk-dedup --example pair_signs -- STREAM OUT.csv --pairs PAIRS.jsonl [--sites N]
//!     cargo run --release -p copydesk-dedup --example pair_signs -- STREAM OUT.csv --gold [--every N] [--sites N]
//!
//! STREAM as score_stream reads it. With --pairs, the pairs of that file (a, b, label, stratum, stratum_size), each seen when
//! its later article arrives; with --gold, every candidate of every article (of every N-th), same if both have one cluster.
//! OUT: a line with the senses of the signs, a header, then one line a pair. `label` is same, related or different, `weight` how many pairs it stands for,
//! `candidate` whether a key leads from the one to the other.
#![allow(clippy::print_stdout, reason = "a program for the terminal")]

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write as _};

use copydesk_article::ArticleId;
use copydesk_dedup::memory::{Arriving, MemoryStore};
use copydesk_dedup::{Params, Sense, Sign, fingerprint_parts, signs};

mod support;
use support::{Article, Fallible, lines};

struct Labelled {
    other: String,
    label: String,
    weight: f64,
}

/// The labelled pairs by the article that arrives later; ids are in order of arrival.
fn labelled(path: &str) -> Fallible<HashMap<String, Vec<Labelled>>> {
    let pairs: Vec<serde_json::Value> = lines(path)?.collect::<Fallible<_>>()?;
    let mut drawn: HashMap<String, f64> = HashMap::new();
    for pair in &pairs {
        *drawn.entry(pair["stratum"].to_string()).or_default() += 1.0;
    }
    let mut by_later: HashMap<String, Vec<Labelled>> = HashMap::new();
    for pair in &pairs {
        let (a, b) = (
            pair["a"].as_i64().unwrap_or_default(),
            pair["b"].as_i64().unwrap_or_default(),
        );
        let of_stratum = drawn.get(&pair["stratum"].to_string()).copied().unwrap_or(1.0);
        by_later.entry(a.max(b).to_string()).or_default().push(Labelled {
            other: a.min(b).to_string(),
            label: pair["label"].as_str().unwrap_or_default().to_owned(),
            weight: pair["stratum_size"].as_f64().unwrap_or(1.0) / of_stratum,
        });
    }
    Ok(by_later)
}

fn main() -> Fallible<()> {
    let mut files = Vec::new();
    let (mut pairs, mut gold, mut every, mut sites) = (None, false, 1, 1);
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or(format!("{arg} needs a value"));
        match arg.as_str() {
            "--pairs" => pairs = Some(labelled(&value()?)?),
            "--gold" => gold = true,
            "--every" => every = value()?.parse()?,
            "--sites" => sites = value()?.parse()?,
            _ => files.push(arg),
        }
    }
    let [stream, out] = files.as_slice() else {
        return Err(
            "usage: pair_signs STREAM OUT.csv --pairs PAIRS.jsonl | --gold [--every N] [--sites N]".into(),
        );
    };
    let params = Params::default();
    let mut store = MemoryStore::default();
    let mut out = BufWriter::new(File::create(out)?);
    let (mut header, mut number_of) = (false, HashMap::<String, i64>::new());
    let mut arrived: Vec<Article> = Vec::new();
    for record in lines(stream)? {
        let article = Article::of(&record?, sites);
        let title = article.title.as_deref();
        let fingerprint = fingerprint_parts(title, article.paragraphs.iter().map(String::as_str));
        let arriving = Arriving {
            site: Some(&article.site),
            url_hash: None,
            times: article.times,
            fingerprint: &fingerprint,
        };
        let wanted = pairs.as_ref().and_then(|p| p.get(&article.id));
        let others: Vec<ArticleId> = wanted
            .into_iter()
            .flatten()
            .filter_map(|l| number_of.get(&l.other).copied().map(ArticleId))
            .collect();
        if !others.is_empty() || (gold && arrived.len().is_multiple_of(every)) {
            let natural: Vec<ArticleId> = store.facts(&arriving, &[], &params).iter().map(|f| f.0).collect();
            for (id, facts) in store.facts(&arriving, &others, &params) {
                let Some(other) = arrived.get(id.0 as usize) else {
                    continue;
                };
                let (label, weight) = match wanted.and_then(|w| w.iter().find(|l| l.other == other.id)) {
                    Some(l) => (l.label.as_str(), l.weight),
                    None if gold && other.cluster == article.cluster => ("same", 1.0),
                    None if gold => ("different", 1.0),
                    None => continue,
                };
                let values = signs(&facts);
                if !header {
                    let names: Vec<&str> = Sign::ALL.iter().map(|s| s.as_str()).collect();
                    let senses: Vec<&str> = Sign::ALL
                        .iter()
                        .map(|s| match s.sense() {
                            Sense::For => "for",
                            Sense::Against => "against",
                            Sense::Either => "either",
                        })
                        .collect();
                    writeln!(out, "#,,,,,,,{}", senses.join(","))?;
                    writeln!(
                        out,
                        "a,b,label,weight,kind_a,kind_b,candidate,{}",
                        names.join(",")
                    )?;
                    header = true;
                }
                let mut row = format!(
                    "{},{},{label},{weight},{},{},{}",
                    other.id,
                    article.id,
                    other.kind,
                    article.kind,
                    u8::from(natural.contains(&id))
                );
                for value in values {
                    write!(row, ",{value:.5}")?;
                }
                writeln!(out, "{row}")?;
            }
        }
        store.insert(&arriving, &params);
        number_of.insert(article.id.clone(), arrived.len() as i64);
        arrived.push(article);
    }
    out.flush()?;
    println!("{} articles", arrived.len());
    Ok(())
}
