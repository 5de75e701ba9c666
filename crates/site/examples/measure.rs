//! Measures site memory with the library alone, on files that are not part of the project.
//!
//!     cargo run --release -p copydesk-site --example measure -- pages PAGES.jsonl.gz --out NAME [--set NAME=VALUE]
//!     cargo run --release -p copydesk-site --example measure -- stream STREAM.jsonl.gz [--set NAME=VALUE]
//!     cargo run --release -p copydesk-site --example measure -- growth PAGES.jsonl.gz [--set NAME=VALUE]
//!
//! `pages`: pages in order of arrival, then cleaned again with all pages of their site in view. Writes
//! NAME.gold.jsonl.gz (the pages whose site has another one), and NAME.rules.jsonl, NAME.arrival.jsonl and
//! NAME.again.jsonl for the scorer, with all blocks and the rule that took each out; `--dek` as in the
//! quality bench. Prints what is left in, and whether another page of the host shows it.
//! `stream`: what is taken out of articles that carry nothing of their site (all of it is loss), and of copies with
//! repeated blocks around them (what their original has, too, is loss).
//! `growth`: wraps invented articles in what the rules leave in of a real page, and counts what is left of that, and
//! what is lost of the article, by the number of pages of the site.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_types,
    reason = "a program for the terminal, on files of the developer's own choosing"
)]

#[path = "measure/growth.rs"]
mod growth;
#[path = "measure/left.rs"]
mod left;
#[path = "measure/pages.rs"]
mod pages;
#[path = "measure/site.rs"]
mod site;
#[path = "measure/stream.rs"]
mod stream;

use std::io::{BufRead, BufReader, Read};

use copydesk_site::Params;
use serde_json::Value;

/// What the command line asks for.
pub(crate) struct Options {
    pub(crate) mode: String,
    pub(crate) file: String,
    pub(crate) out: Option<String>,
    pub(crate) dek: bool,
    pub(crate) params: Params,
}

fn options() -> Options {
    let mut args = std::env::args().skip(1);
    let mut options = Options {
        mode: args.next().unwrap_or_default(),
        file: args
            .next()
            .expect("usage: measure pages|stream|growth FILE.jsonl.gz"),
        out: None,
        dek: false,
        params: Params::default(),
    };
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--out" => options.out = args.next(),
            "--dek" => options.dek = true,
            "--set" => {
                let pair = args.next().unwrap_or_default();
                let (name, value) = pair.split_once('=').expect("--set NAME=VALUE");
                let number: f64 = value.parse().expect("a number");
                let p = &mut options.params;
                match name {
                    "repeats" => p.repeats = number as usize,
                    "min_siblings" => p.min_siblings = number as usize,
                    "same_title" => p.same_title = number,
                    "same_text" => p.same_text = number,
                    "most_words" => p.most_words = number,
                    "reach" => p.reach = number as usize,
                    "menu" => p.menu = number as usize,
                    _ => panic!("no threshold is called {name}"),
                }
            }
            _ => panic!("what is {arg}?"),
        }
    }
    options
}

/// The objects of a file of JSON lines, compressed or not.
pub(crate) fn read(path: &str) -> impl Iterator<Item = Value> {
    let file = std::fs::File::open(path).unwrap_or_else(|e| panic!("cannot open {path}: {e}"));
    let reader: Box<dyn Read> = if path.ends_with(".gz") {
        Box::new(flate2::read::GzDecoder::new(file))
    } else {
        Box::new(file)
    };
    BufReader::new(reader)
        .lines()
        .map(|line| serde_json::from_str(&line.unwrap()).unwrap())
}

fn main() {
    let options = options();
    match options.mode.as_str() {
        "pages" => pages::run(&options),
        "stream" => stream::run(&options),
        "growth" => growth::run(&options),
        mode => panic!("what is {mode}?"),
    }
}
