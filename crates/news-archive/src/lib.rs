//! An invented news archive, in the form in which Common Crawl News publishes: WARC, a gzip member a record.
//!
//! For docs/tutorial.md and its test. Apart from `copydesk-testkit`, whose articles it writes, because that
//! one needs Kafka's client built: this is there in seconds. In: a number of pages and a seed. Out: bytes.
//! What may fail: the output.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "test support: a panic with a clear message is how a test fails"
)]

#[path = "../../testkit/src/articles.rs"]
pub mod articles;

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

use articles::ArticleGenerator;

/// Sites of the archive.
const SITES: usize = 40;

/// Writes an archive of so many pages: same seed, same bytes. Every fifth page is a copy of an earlier one at
/// another site, every second of those without its last paragraphs. Each site has its navigation, teasers and
/// notice around its articles.
///
/// # Errors
/// `out` cannot be written to.
pub fn news_archive(out: &mut impl Write, pages: usize, seed: u64) -> io::Result<()> {
    let mut generator = ArticleGenerator::new(seed);
    record(
        out,
        "warcinfo",
        "application/warc-fields",
        None,
        b"software: copydesk-testkit\r\nformat: WARC File Format 1.0\r\n",
    )?;
    let mut recent: Vec<(String, Vec<String>)> = Vec::new();
    for number in 0..pages {
        let site = generator.below(SITES);
        let (title, paragraphs) = if number % 5 == 4 && !recent.is_empty() {
            let (title, mut paragraphs) = recent[generator.below(recent.len())].clone();
            if number % 10 == 9 {
                paragraphs.truncate(7);
            }
            (title, paragraphs)
        } else {
            // Words that nobody shares, and a paragraph of words that people search for.
            let mut paragraphs: Vec<String> = generator.babble(8).split("\n\n").map(str::to_owned).collect();
            paragraphs.insert(1, generator.paragraph());
            (generator.headline(), paragraphs)
        };
        if recent.len() < 500 {
            recent.push((title.clone(), paragraphs.clone()));
        } else {
            let place = generator.below(recent.len());
            recent[place] = (title.clone(), paragraphs.clone());
        }
        let url = format!("https://news{site}.example/2026/story-{number}.html");
        let page = page(&mut generator, site, number, &title, &paragraphs);
        let http = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n\r\n{page}",
            page.len()
        );
        record(
            out,
            "response",
            "application/http; msgtype=response",
            Some(&url),
            http.as_bytes(),
        )?;
    }
    Ok(())
}

fn page(
    generator: &mut ArticleGenerator,
    site: usize,
    number: usize,
    title: &str,
    paragraphs: &[String],
) -> String {
    let body: String = paragraphs.iter().map(|p| format!("<p>{p}</p>\n")).collect();
    let teasers: String = (0..5)
        .map(|_| {
            format!(
                "<li><a href=\"/t/{}\">{}</a></li>\n",
                generator.below(9_999),
                generator.headline()
            )
        })
        .collect();
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title} | News {site}</title>\n\
         <meta property=\"og:site_name\" content=\"News {site}\">\n\
         <script type=\"application/ld+json\">{{\"@context\":\"https://schema.org\",\"@type\":\"NewsArticle\",\"headline\":\"{title}\",\
         \"datePublished\":\"2026-11-{:02}T{:02}:{:02}:00Z\",\"author\":{{\"@type\":\"Person\",\"name\":\"Ada Pell\"}}}}</script>\n\
         </head><body>\n<nav><a href=\"/\">Home</a> <a href=\"/sport\">Sport</a> <a href=\"/weather\">Weather</a></nav>\n\
         <article><h1>{title}</h1>\n{body}</article>\n\
         <div id=\"check-also-box\"><h3>Check Also</h3><ul>\n{teasers}</ul></div>\n\
         <footer>Copyright News {site}. All rights reserved. Subscribe to our newsletter.</footer>\n</body></html>\n",
        number % 23 + 1,
        number % 24,
        number % 60,
    )
}

fn record(out: &mut impl Write, kind: &str, content: &str, url: Option<&str>, body: &[u8]) -> io::Result<()> {
    let mut member = GzEncoder::new(&mut *out, Compression::fast());
    write!(
        member,
        "WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Date: 2026-11-24T00:00:00Z\r\nContent-Type: {content}\r\n"
    )?;
    if let Some(url) = url {
        write!(member, "WARC-Target-URI: {url}\r\n")?;
    }
    write!(member, "Content-Length: {}\r\n\r\n", body.len())?;
    member.write_all(body)?;
    member.write_all(b"\r\n\r\n")?;
    member.finish()?;
    Ok(())
}
