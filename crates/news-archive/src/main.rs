//! Writes an invented news archive (WARC.gz): `news-archive PAGES FILE`. docs/tutorial.md uses it.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a tool of the tutorial: a panic with a clear message is enough"
)]

use std::io::{BufWriter, Write as _};

fn main() {
    let mut args = std::env::args().skip(1);
    let (Some(pages), Some(file)) = (args.next().and_then(|n| n.parse().ok()), args.next()) else {
        panic!("usage: news-archive PAGES FILE")
    };
    let mut out = BufWriter::new(std::fs::File::create(file).expect("the file can be written"));
    copydesk_news_archive::news_archive(&mut out, pages, 1).expect("the file can be written");
    out.flush().expect("the file can be written");
}
