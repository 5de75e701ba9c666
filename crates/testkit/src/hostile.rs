//! Hostile messages from a seed: what crawlers, broken producers and attackers send.

use std::io::Write as _;

use crate::articles::ArticleGenerator;
use crate::pages::PAGE_KINDS;
use crate::topic::Outgoing;

/// Kinds of hostile message; each is refused with a reason, none may end a worker or take neighbours along.
const KINDS: usize = 12;

/// A message that can be no article. Same generator state, same message. A table of more than 80 lines: one kind after the other.
pub fn hostile(random: &mut ArticleGenerator) -> Outgoing {
    let kind = random.below(KINDS);
    match kind {
        // Cut off somewhere within the JSON.
        0 => {
            let mut good = random.envelope("cut.example", 1).into_bytes();
            good.truncate(1 + random.below(good.len() - 2));
            Outgoing::value(good)
        }
        // Larger than any article. Rare, for the sake of the network: others of this kind only say so.
        1 if random.below(20) == 0 => Outgoing::value(vec![b'a'; (8 << 20) + 1 + random.below(1 << 20)]),
        1 => with_header("application/pdf", b"%PDF-1.7 \x00\x01\x02 binary".to_vec()),
        // Deep.
        2 => {
            let depth = 200 + random.below(20_000);
            Outgoing::value(format!(
                "{{\"text\": \"x\", \"deep\": {}{}}}",
                "[".repeat(depth),
                "]".repeat(depth)
            ))
        }
        // Latin-1 in what must be UTF-8.
        3 => {
            let mut good = random.envelope("latin.example", 1).into_bytes();
            let at = good.len() / 2;
            good[at] = 0xe9;
            Outgoing::value(good)
        }
        // A bomb: a thousand times as large as it looks.
        4 => {
            let mut zip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            let block = vec![b' '; 64 << 10];
            for _ in 0..16 + random.below(16) {
                zip.write_all(&block).expect("memory");
            }
            encoded("gzip", zip.finish().expect("memory"))
        }
        // Compressed data that is none, or is cut off.
        5 => encoded(
            ["gzip", "zstd", "deflate", "br"][random.below(4)],
            noise(random, 300),
        ),
        // Random bytes, with bytes that no text has.
        6 => {
            let mut bytes = noise(random, 2_000);
            bytes.splice(0..0, [0, 0xff, 0xfe, 0xc0, 0x80]);
            Outgoing::value(bytes)
        }
        // JSON of another shape.
        7 => {
            let shapes = [
                "[]",
                "{\"text\": 1}",
                "{\"text\": [\"a\"]}",
                "{}",
                "{\"html\": \"<p>a\", \"text\": \"b\"}",
                "{\"url\": \"https://a.example/\"}",
            ];
            Outgoing::value(shapes[random.below(shapes.len())])
        }
        // Half a surrogate pair.
        8 => Outgoing::value(format!(
            "{{\"text\": \"{} \\ud83d {}\"}}",
            random.sentence(),
            random.sentence()
        )),
        // Nothing.
        9 => [Outgoing::default(), Outgoing::value(" \n\t ")][random.below(2)].clone(),
        // A page without an article: links only.
        10 => {
            let links: String = (0..5 + random.below(40))
                .map(|n| format!("<li><a href=\"/{n}\">{n}</a></li>"))
                .collect();
            with_header(
                "text/html",
                format!("<html><body><ul>{links}</ul></body></html>").into_bytes(),
            )
        }
        // An address that is none.
        _ => {
            let urls = [
                "javascript:alert(1)",
                "http://",
                "not a url",
                "file:///etc/passwd",
            ];
            let text = random.text(2).replace("\n\n", "\\n\\n");
            Outgoing::value(format!(
                "{{\"url\": \"{}\", \"text\": \"{text}\"}}",
                urls[random.below(urls.len())]
            ))
        }
    }
}

/// A good message, mutated somewhere: it may be good still. Must end in the ledger, whatever it has become.
pub fn mutated(random: &mut ArticleGenerator) -> Outgoing {
    let mut bytes = random
        .envelope("mutated.example", random.clone().below(1_000))
        .into_bytes();
    for _ in 0..1 + random.below(8) {
        let at = random.below(bytes.len());
        match random.below(3) {
            0 => bytes[at] = u8::try_from(random.below(256)).expect("a byte"),
            1 => {
                bytes.remove(at);
            }
            _ => bytes.insert(at, u8::try_from(random.below(256)).expect("a byte")),
        }
    }
    Outgoing::value(bytes)
}

/// A page that is made to take much memory or time ([`PAGE_KINDS`]): mostly small, one of twenty of half a megabyte. It
/// may be an article still. Must end in the ledger, whatever it has become.
pub fn hostile_page(random: &mut ArticleGenerator) -> Outgoing {
    let (_, make) = PAGE_KINDS[random.below(PAGE_KINDS.len())];
    let bytes = if random.below(20) == 0 {
        512 << 10
    } else {
        1_000 + random.below(60_000)
    };
    with_header("text/html", make(bytes).into_bytes())
}

fn noise(random: &mut ArticleGenerator, most: usize) -> Vec<u8> {
    let length = 8 + random.below(most);
    (0..length)
        .map(|_| u8::try_from(random.below(256)).expect("a byte"))
        .collect()
}

fn with_header(content_type: &str, payload: Vec<u8>) -> Outgoing {
    Outgoing {
        payload: Some(payload),
        headers: vec![("content-type".into(), content_type.into())],
        ..Outgoing::default()
    }
}

fn encoded(encoding: &str, payload: Vec<u8>) -> Outgoing {
    Outgoing {
        payload: Some(payload),
        headers: vec![("content-encoding".into(), encoding.into())],
        ..Outgoing::default()
    }
}
