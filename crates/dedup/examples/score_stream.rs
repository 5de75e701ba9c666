//! Assigns stories to a stream of articles with the library alone, online, in order of arrival.
//!
//!     cargo run --release -p copydesk-dedup --example score_stream -- STREAM.jsonl.gz --out ASSIGNED.jsonl
//!
//! STREAM: one JSON object a line with id, host, title, text (paragraphs are its lines) and time, as far as it has them.
//! ASSIGNED: one object a line with id and story, in the form of the scorer. Options, all for measurements:
//!
//!     --weights FILE    other weights than those of this version
//!     --sites N         articles without a host are of one of N sites (1)
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
use std::io::Write;
use std::time::Instant;

use copydesk_dedup::evidence::{self, Sampling};
use copydesk_dedup::memory::{Arriving, MemoryStore};
use copydesk_dedup::{CommonShingles, Params, Weights, fingerprint_parts};

mod support;
use support::{Article, lines};

#[derive(Default)]
struct Options {
    sites: u64,
    weights: Option<String>,
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
            "--weights" => options.weights = args.next(),
            "--sites" => options.sites = args.next().ok_or("--sites needs a number")?.parse()?,
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

fn params<'a>(options: &Options) -> Result<Params<'a>, Box<dyn Error>> {
    let mut p = Params::default();
    for (name, value) in &options.set {
        match name.as_str() {
            "least_shared" => p.least_shared = *value as u32,
            "site_repeats" => p.site_repeats = *value as usize,
            "same_title" => p.same_title = *value,
            "min_siblings" => p.min_siblings = *value as usize,
            "relink_containment" => p.relink_containment = *value,
            _ => return Err(format!("no threshold is called {name}").into()),
        }
    }
    Ok(p)
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = options()?;
    let mut params = params(&options)?;
    let weights = match &options.weights {
        Some(file) => Some(Weights::parse(&std::fs::read_to_string(file)?)?),
        None => None,
    };
    if let Some(weights) = &weights {
        params.weights = weights;
    }
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

    for record in lines(&options.stream)? {
        let mut article = Article::of(&record?, options.sites);
        if options.one_paragraph {
            article.paragraphs = vec![article.paragraphs.join(" ")];
        }
        let started = Instant::now();
        let title = article.title.as_deref();
        let fingerprint = fingerprint_parts(title, article.paragraphs.iter().map(String::as_str));
        let params = Params {
            common: common.as_ref(),
            ..params
        };
        let arriving = Arriving {
            site: Some(&article.site),
            url_hash: None,
            times: article.times,
            fingerprint: &fingerprint,
        };
        let (id, decision) = store.insert_sampled(&arriving, &params, options.sampling);
        spent += started.elapsed();
        ids.push(article.id);

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
