//! Assigns stories to a stream of articles with the library alone, online, in order of arrival.
//!
//!     cargo run --release -p copydesk-dedup --example score_stream -- STREAM.jsonl.gz --out ASSIGNED.jsonl
//!
//! STREAM: one JSON object a line with id, host, title and text (paragraphs are its lines). ASSIGNED: one object a
//! line with id and story, in the form of the scorer. Options, all for measurements:
//!
//!     --common [N]      use the list of common shingles, rebuilt every N articles (5000) and N articles stale
//!     --quarter         store sampled verification sets
//!     --one-paragraph   join the paragraphs, as an extractor would that lost them
//!     --set NAME=VALUE  another threshold
//!     --explain FILE    write every decision: id, linked id, figures, reason, refusals
#![allow(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a program for the terminal"
)]

use std::error::Error;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::time::Instant;

use copydesk_dedup::evidence::{self, Sampling};
use copydesk_dedup::memory::MemoryStore;
use copydesk_dedup::{CommonShingles, Params, fingerprint_parts};

#[derive(Default)]
struct Options {
    stream: String,
    out: Option<String>,
    explain: Option<String>,
    common_every: Option<usize>,
    sampling: Sampling,
    one_paragraph: bool,
    set: Vec<(String, f64)>,
}

fn options() -> Result<Options, Box<dyn Error>> {
    let mut options = Options::default();
    let mut args = std::env::args().skip(1).peekable();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--out" => options.out = args.next(),
            "--explain" => options.explain = args.next(),
            "--common" => {
                let every = args.peek().and_then(|n| n.parse().ok());
                if every.is_some() {
                    args.next();
                }
                options.common_every = Some(every.unwrap_or(5_000));
            }
            "--quarter" => options.sampling = Sampling::Quarter,
            "--one-paragraph" => options.one_paragraph = true,
            "--set" => {
                let pair = args.next().ok_or("--set needs NAME=VALUE")?;
                let (name, value) = pair.split_once('=').ok_or("--set needs NAME=VALUE")?;
                options.set.push((name.to_owned(), value.parse()?));
            }
            _ => options.stream = arg,
        }
    }
    if options.stream.is_empty() {
        return Err("usage: score_stream STREAM.jsonl.gz --out ASSIGNED.jsonl [--common [N]]".into());
    }
    Ok(options)
}

fn params(options: &Options) -> Result<Params<'static>, Box<dyn Error>> {
    let mut p = Params::default();
    for (name, value) in &options.set {
        match name.as_str() {
            "min_jaccard" => p.min_jaccard = *value,
            "min_containment" => p.min_containment = *value,
            "min_shared" => p.min_shared = *value as u32,
            "even_containment" => p.even_containment = *value,
            "even_extent" => p.even_extent = *value,
            "weak_jaccard" => p.weak_jaccard = *value,
            "weak_containment" => p.weak_containment = *value,
            "extent" => p.extent = *value,
            "like_title" => p.like_title = *value,
            "spread_paragraphs" => p.spread_paragraphs = *value as usize,
            "marks_containment" => p.marks_containment = *value,
            "min_numbers" => p.min_numbers = *value as usize,
            "marks_agree" => p.marks_agree = *value,
            "site_repeats" => p.site_repeats = *value as usize,
            "same_title" => p.same_title = *value,
            "young_site" => p.young_site = *value as usize,
            "same_site_jaccard" => p.same_site_jaccard = *value,
            "relink_containment" => p.relink_containment = *value,
            _ => return Err(format!("no threshold is called {name}").into()),
        }
    }
    Ok(p)
}

fn open(path: &str) -> std::io::Result<Box<dyn Read>> {
    let file = File::open(path)?;
    if path.ends_with(".gz") {
        #[allow(
            clippy::disallowed_types,
            reason = "a file of our own choosing, read line by line"
        )]
        return Ok(Box::new(flate2::read::GzDecoder::new(file)));
    }
    Ok(Box::new(file))
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = options()?;
    let params = params(&options)?;
    let mut explain = options
        .explain
        .as_ref()
        .map(File::create)
        .transpose()?
        .map(std::io::BufWriter::new);
    let mut store = MemoryStore::default();
    let mut common: Option<CommonShingles> = None;
    let mut coming: Option<CommonShingles> = None;
    let mut ids = Vec::new();
    let (mut bytes, mut sets, mut spent) = (0, 0, std::time::Duration::ZERO);

    for line in BufReader::new(open(&options.stream)?).lines() {
        let article: serde_json::Value = serde_json::from_str(&line?)?;
        let host = article["host"].to_string();
        let title = article["title"].as_str();
        let text = article["text"].as_str().unwrap_or_default();
        let started = Instant::now();
        let fingerprint = if options.one_paragraph {
            fingerprint_parts(title, [text])
        } else {
            fingerprint_parts(title, text.lines().filter(|p| !p.trim().is_empty()))
        };
        let params = Params {
            common: common.as_ref(),
            ..params
        };
        let (id, decision) = store.insert_sampled(Some(&host), None, &fingerprint, &params, options.sampling);
        spent += started.elapsed();
        ids.push(article["id"].to_string());

        bytes += evidence::encode(&decision.kept(&fingerprint), options.sampling).len();
        sets += fingerprint.shingles.len();
        if let Some(file) = explain.as_mut() {
            let mut row = format!("{id}\t");
            match &decision.link {
                Some(l) => write!(
                    row,
                    "{}\t{}\t{:?}\tJ={:.3} in={:.3} of={:.3} n={}",
                    l.to, l.relation, l.reason, l.similarity, l.in_linked, l.of_linked, l.shared
                )?,
                None => write!(row, "-\toriginal\t\t")?,
            }
            writeln!(
                file,
                "{row}\t{:?}\tdropped={}\trelink={:?}",
                decision
                    .refusals
                    .iter()
                    .map(|(id, r)| (id.0, r))
                    .collect::<Vec<_>>(),
                decision.dropped.len(),
                decision.relink.map(|r| r.article.0),
            )?;
        }
        if let Some(every) = options.common_every
            && ids.len() % every == 0
        {
            // The list in use saw nothing of the last `every` articles: as stale as a nightly job's.
            common = coming.take().or(common);
            coming = Some(store.common().build(i32::try_from(ids.len() / every)?));
        }
    }

    if let Some(path) = &options.out {
        let mut out = std::io::BufWriter::new(File::create(path)?);
        for (id, story) in ids.iter().zip(store.stories()) {
            writeln!(
                out,
                "{}",
                serde_json::json!({ "id": serde_json::from_str::<serde_json::Value>(id)?, "story": story.0 })
            )?;
        }
        out.flush()?;
    }
    let n = ids.len().max(1);
    println!(
        "{n} articles, {:.1} µs each; {} shingles, {} bytes of evidence, {:.1} keys owned by article; list: {:?}",
        spent.as_secs_f64() * 1e6 / n as f64,
        sets / n,
        bytes / n,
        store.key_count() as f64 / n as f64,
        common
    );
    Ok(())
}
