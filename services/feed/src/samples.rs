//! The bundled sample articles: invented news that shows every feature. samples/README.md describes each.

/// One bundled message.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// The file's name without its ending: "01-canal-talks-scraped".
    pub name: &'static str,
    /// The record's key: the site.
    pub key: &'static str,
    /// The record's headers.
    pub headers: &'static [(&'static str, &'static str)],
    /// The record's value.
    pub payload: &'static [u8],
}

macro_rules! samples {
    ($( $name:literal . $ending:literal, $key:literal $(, $header:literal = $value:literal)* ; )+) => {
        /// All samples, in the order in which they are fed: originals before their copies.
        pub const SAMPLES: &[Sample] = &[$(
            Sample {
                name: $name,
                key: $key,
                headers: &[$(($header, $value)),*],
                payload: include_bytes!(concat!("../samples/", $name, ".", $ending)),
            }
        ),+];
    };
}

samples! {
    "01-canal-talks-scraped"."json", "worldbrief.example";
    "02-canal-talks-wordpress"."html", "dailyledger.example",
        "content-type" = "text/html; charset=UTF-8",
        "url" = "https://dailyledger.example/2026/03/16/canal-talks-port-aurel-toll-plan/",
        "fetched_at" = "2026-03-16T20:01:44Z";
    "03-ferry-wire"."json", "northwire.example";
    "04-ferry-new-headline"."json", "coastalcourier.example";
    "05-ferry-cut-tail"."json", "brenmarktoday.example";
    "06-ferry-agency-tags"."txt", "islandrecord.example",
        "content-type" = "text/plain; charset=utf-8",
        "url" = "https://islandrecord.example/wire/stranded-ferry-212-safe",
        "published_at" = "Tue, 07 Apr 2026 15:00:00 GMT",
        "language" = "en",
        "extra-crawl_id" = "ir-20260407-0031";
    "07-fog-original"."json", "ridgereview.example";
    "08-fog-excerpt"."json", "morningbriefs.example";
    "09-fog-exact-copy"."json", "cordalherald.example";
    "10-storm-first-version"."json", "lornepost.example";
    "11-storm-second-version"."json", "lornepost.example";
    "12-german"."json", "ahrenfelder-bote.example";
    "13-japanese"."json", "shiomi-shimbun.example";
    "14-spanish-latin1"."html", "elcorreodemarzan.example",
        "content-type" = "text/html",
        "url" = "https://www.elcorreodemarzan.example/comarca/faro-punta-barca",
        "fetched_at" = "2026-04-18T07:30:00Z";
    "15-straitline-ships"."json", "northwire.example";
    "16-broken-json"."json", "worldbrief.example";
    "17-no-body"."json", "worldbrief.example";
    "18-not-utf8"."json", "elcorreodemarzan.example";
}

#[cfg(test)]
mod tests {
    use copydesk_article::{
        Coordinates, Header, Message, Offset, Partition, RawBody, Reason, Topic, TopicPartition,
    };
    use copydesk_decode::{Limits, decode};

    use super::*;

    fn message(sample: &Sample) -> Message {
        let header = |(name, value): &(&str, &str)| Header {
            name: (*name).to_owned(),
            value: value.as_bytes().to_vec(),
        };
        Message {
            coordinates: Coordinates {
                source: TopicPartition {
                    topic: Topic::new("samples"),
                    partition: Partition::new(0),
                },
                offset: Offset::new(0),
            },
            timestamp: None,
            key: Some(sample.key.as_bytes().to_vec()),
            payload: Some(sample.payload.to_vec()),
            headers: sample.headers.iter().map(header).collect(),
        }
    }

    #[test]
    fn they_decode_as_their_readme_says() {
        let readme = include_str!("../samples/README.md");
        for sample in SAMPLES {
            let line = readme.lines().find(|l| l.contains(sample.name)).unwrap();
            match decode(&message(sample), &Limits::default()) {
                Err(reject) => {
                    assert!(
                        line.contains(&format!("`{}`", reject.reason)),
                        "{}: {reject}",
                        sample.name
                    );
                }
                Ok(raw) => {
                    assert!(!line.contains("quarantine"), "{}", sample.name);
                    assert!(raw.warnings.is_empty(), "{}: {:?}", sample.name, raw.warnings);
                    let html = matches!(raw.body, RawBody::Html(_));
                    assert_eq!(
                        html,
                        line.contains("HTML") || line.contains("`html`"),
                        "{}",
                        sample.name
                    );
                    let host = raw.url.unwrap();
                    assert!(host.contains(sample.key), "{}: {host}", sample.name);
                }
            }
        }
        assert_eq!(
            SAMPLES.len(),
            readme
                .lines()
                .filter(|l| l.starts_with("| 0") || l.starts_with("| 1"))
                .count()
        );
    }

    #[test]
    fn three_are_broken_each_in_its_way() {
        let reasons: Vec<_> = SAMPLES
            .iter()
            .filter_map(|s| decode(&message(s), &Limits::default()).err())
            .map(|e| e.reason)
            .collect();
        assert_eq!(reasons, [Reason::BadJson, Reason::NoBody, Reason::NotUtf8]);
    }

    #[test]
    fn the_spanish_page_is_read_in_its_charset() {
        let sample = SAMPLES.iter().find(|s| s.name.contains("spanish")).unwrap();
        assert!(std::str::from_utf8(sample.payload).is_err());
        let raw = decode(&message(sample), &Limits::default()).unwrap();
        assert!(raw.body.as_str().contains("malecón hasta las 21:12"));
    }
}
