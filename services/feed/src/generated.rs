//! A thousand broken feeds and archives from a fixed seed: none makes the reader panic, and none loses an
//! entry silently.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;

use tokio::sync::watch;

use crate::sources::Reader;
use crate::{Form, Links, Source, Step};

const ENTRIES: usize = 6;
const OF_EACH: usize = 112;

/// PCG's step: the same numbers everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound.max(1)
    }
}

/// What an entry is recognised by, wherever it ends up.
fn marker(entry: usize) -> String {
    format!("MARK{entry}KRAM")
}

fn each(make: impl Fn(usize) -> String) -> String {
    (0..ENTRIES).map(make).collect()
}

fn warc() -> Vec<String> {
    let record = |n| {
        let body = format!(
            "<html><body><p>The ferry {} was late.</p></body></html>",
            marker(n)
        );
        let chunks = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
        let chunked = n % 2 == 1;
        let head = if chunked {
            "Transfer-Encoding: chunked\r\n"
        } else {
            ""
        };
        let http = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n{head}\r\n{}",
            if chunked { &chunks } else { &body }
        );
        format!(
            "WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: https://a.example/{n}\r\nContent-Length: {}\r\n\r\n{http}\r\n\r\n",
            http.len()
        )
    };
    (0..ENTRIES).map(record).collect()
}

fn gzip(parts: &[&[u8]]) -> Vec<u8> {
    let member = |part: &&[u8]| {
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(part).unwrap();
        gz.finish().unwrap()
    };
    parts.iter().flat_map(member).collect()
}

/// Whole documents, by the names of their files.
fn documents() -> Vec<(&'static str, Vec<u8>)> {
    let rss = format!(
        "<?xml version=\"1.0\"?><rss version=\"2.0\" xmlns:content=\"http://purl.org/rss/1.0/modules/content/\"><channel>\
         <title>News</title><link>https://a.example/</link>{}</channel></rss>",
        each(|n| format!(
            "<item><title>Ferry {n}</title><link>/{n}</link><pubDate>Sat, 07 Feb 2026 09:30:15 GMT</pubDate>\
             <content:encoded><![CDATA[<p>The ferry {} was late.<br>All day.</p>]]></content:encoded></item>\n",
            marker(n)
        ))
    );
    let atom = format!(
        "<feed xmlns=\"http://www.w3.org/2005/Atom\" xml:base=\"https://a.example/\">{}</feed>",
        each(|n| format!(
            "<entry><title>Ferry</title><link href=\"{n}\"/><updated>2026-02-07T09:30:15Z</updated>\
             <content type=\"xhtml\"><div xmlns=\"http://www.w3.org/1999/xhtml\"><p>The ferry {}</p></div></content></entry>",
            marker(n)
        ))
    );
    let rdf = format!(
        "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" xmlns:rss=\"http://purl.org/rss/1.0/\">{}</rdf:RDF>",
        each(|n| format!(
            "<rss:item rdf:about=\"https://a.example/{n}\"><rss:description>The ferry {} &amp; more</rss:description></rss:item>",
            marker(n)
        ))
    );
    let envelope = |n: usize| {
        format!(
            "{{\"url\":\"https://a.example/{n}\",\"text\":\"The ferry {}\"}}",
            marker(n)
        )
    };
    let listed = (0..ENTRIES).map(envelope).collect::<Vec<_>>().join(",\n");
    let json_feed = format!(
        "{{\"version\":\"https://jsonfeed.org/version/1.1\",\"items\":[{}]}}",
        listed.replace("\"text\"", "\"content_text\"")
    );
    let lines = each(|n| {
        let mut line = envelope(n);
        let _ = writeln!(line);
        line
    });
    let records = warc();
    let whole: Vec<&[u8]> = records.iter().map(String::as_bytes).collect();
    vec![
        ("a.rss", rss.clone().into_bytes()),
        ("a.atom", atom.into_bytes()),
        ("a.xml", rdf.into_bytes()),
        ("a.json", json_feed.into_bytes()),
        ("array.json", format!("[{listed}]").into_bytes()),
        ("a.jsonl", lines.into_bytes()),
        ("a.warc", records.concat().into_bytes()),
        ("a.warc.gz", gzip(&whole)),
        ("a.rss.gz", gzip(&[rss.as_bytes()])),
    ]
}

fn broken(whole: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    for _ in 0..=random.below(4) {
        if bytes.is_empty() {
            return bytes;
        }
        let at = random.below(bytes.len());
        let length = random.below(40).min(bytes.len() - at);
        match random.below(8) {
            0 => bytes[at] = random.below(256) as u8,
            1 => drop(bytes.drain(at..at + length)),
            2 => bytes.truncate(at),
            3 => {
                let copy = bytes[at..at + length].to_vec();
                bytes.splice(at..at, copy);
            }
            4 => drop(bytes.splice(at..at, [0; 7])),
            5 => {
                let junk = [
                    &b"<br>"[..],
                    b"<![CDATA[",
                    b"<!--",
                    b"]]>",
                    b"&nbsp;",
                    b"</p>",
                    b"<item>",
                    b"\"",
                    b"]",
                    b"<",
                ];
                let junk = junk[random.below(junk.len())].to_vec();
                drop(bytes.splice(at..at, junk));
            }
            6 => bytes[at] = b'<',
            _ => bytes.swap(at, at + length.saturating_sub(1)),
        }
    }
    bytes
}

#[test]
fn a_thousand_broken_inputs_lose_nothing_silently() {
    let folder = tempfile::tempdir().unwrap();
    let mut random = Random(20_261_128);
    let (_keep, stop) = watch::channel(false);
    let reader = Reader::new(None, None, Links::Inside, 100_000, stop);
    let mut outcomes: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    let mut inputs = 0;
    for (name, whole) in documents() {
        let compressed = name.ends_with(".gz");
        assert!(Form::of(std::path::Path::new(name)).is_some());
        for number in 0..=OF_EACH {
            // The first of each kind is whole, and all of it is sent.
            let bytes = if number == 0 {
                whole.clone()
            } else {
                broken(&whole, &mut random)
            };
            inputs += 1;
            let path = folder.path().join(name);
            std::fs::write(&path, &bytes).unwrap();
            let (mut sent, mut payloads, mut named, mut ends) = (0, Vec::new(), 0, 0);
            for step in reader.read(&Source::Path(path)) {
                match step {
                    Step::Article(article) => {
                        sent += 1;
                        named += article.notes.len();
                        payloads.extend_from_slice(&article.payload);
                    }
                    Step::Refused { .. } | Step::PassedOver(_) => named += 1,
                    Step::Unreadable { .. } => ends += 1,
                    Step::Skipped(_) | Step::Waiting => {}
                }
            }
            let there = |text: &[u8], n: usize| {
                let marker = marker(n);
                text.windows(marker.len()).any(|w| w == marker.as_bytes())
            };
            // Of what is compressed, what stands in the whole document counts; damage to it is damage to all
            // that follows.
            let entries = if compressed {
                (0..ENTRIES).collect()
            } else {
                Vec::from_iter((0..ENTRIES).filter(|n| there(&bytes, *n)))
            };
            let lost = entries.iter().filter(|n| !there(&payloads, **n)).count();
            let shown = || {
                format!(
                    "{name} {number}: {sent} sent, {named} named, {ends} ends, {lost} lost\n{}",
                    String::from_utf8_lossy(&bytes)
                )
            };
            assert!(sent + named + ends > 0, "{}", shown());
            // Where reading ended, that was said; each other loss has its line.
            assert!(
                lost == 0 || ends > 0 || named >= if compressed { 1 } else { lost },
                "{}",
                shown()
            );
            if number == 0 {
                assert_eq!((sent, named, ends, lost), (ENTRIES, 0, 0, 0), "{}", shown());
            }
            let outcome = outcomes.entry(name).or_default();
            outcome[0] += sent;
            outcome[1] += named;
            outcome[2] += ends;
        }
    }
    assert!(inputs > 1_000, "{inputs}");
    // Damage costs a part: more than half of all entries are sent, of each kind that is not compressed or one
    // JSON text.
    for (name, [sent, named, ends]) in outcomes {
        println!("{name}: {sent} sent, {named} refused or passed over, {ends} ended early");
        let lenient = !name.ends_with(".rss.gz") && name != "a.json";
        assert!(!lenient || sent > ENTRIES * OF_EACH / 2, "{name}: {sent}");
    }
}
