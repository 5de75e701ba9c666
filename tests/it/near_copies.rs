//! The pipeline puts articles into the stories that the pure library puts them into: by links, re-links,
//! digests and merges.
//!
//! `make test` runs an invented stream. With COPYDESK_NEAR_COPY_STREAM=FILE (JSON Lines, also .gz: host,
//! title, text, and gold in `cluster`) that stream is run instead, in its order, and precision, recall and
//! adjusted Rand index over pairs are printed.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use copydesk_article::{Coordinates, Message, Offset, Partition, Topic, TopicPartition};
use copydesk_clean::{Budget, Cleaner, Rules};
use copydesk_decode::{Limits, decode};
use copydesk_dedup::memory::{Arriving, MemoryStore};
use copydesk_dedup::{Params, Times, fingerprint};
use copydesk_testkit::{ArticleGenerator, Outgoing, scan};
use copydesk_tests::Pipeline;
use serde_json::{Value, json};

/// Articles, in order of arrival, with the gold story where one is known.
struct Stream {
    envelopes: Vec<String>,
    gold: Option<Vec<i64>>,
}

/// Originals and, some steps later, copies: cut, with paragraphs of others in them, from the same and from
/// other sites. Round-ups before, between and after what they hold; bad scans that come before their article.
fn invented() -> Stream {
    let mut generator = ArticleGenerator::new(5);
    let mut texts: Vec<String> = Vec::new();
    let mut envelopes = Vec::new();
    let mut coming: Vec<String> = Vec::new();
    for n in 0..800 {
        let text = match n % 8 {
            6 => match coming.pop() {
                Some(text) => text,
                None => {
                    let (one, other) = (generator.babble(8), generator.babble(8));
                    let whole = format!("{one}\n\n{other}");
                    let article = generator.babble(8);
                    coming.extend([article.clone(), scan(&article, 4), scan(&article, 1), other, one]);
                    // What is taken from the end comes first.
                    coming.insert(generator.below(coming.len()), whole);
                    generator.babble(2)
                }
            },
            1 | 5 if !texts.is_empty() => {
                let original = texts[generator.below(texts.len())].clone();
                let keep = 2 + generator.below(6);
                original.split("\n\n").take(keep).collect::<Vec<_>>().join("\n\n")
            }
            2 if !texts.is_empty() => {
                let original = texts[generator.below(texts.len())].clone();
                format!(
                    "{}\n\n{original}",
                    generator.babble(1 + generator.clone().below(3))
                )
            }
            _ => generator.babble(8),
        };
        let site = format!("site{}.example", generator.below(40));
        // A block that the site repeats on every page, prose enough to pass for text.
        let repeated = ArticleGenerator::new(900 + site.len() as u64 + generator.below(3) as u64).babble(1);
        let minute = 17 * n;
        let (day, hour, minute) = (1 + minute / 1_440, minute / 60 % 24, minute % 60);
        let published = format!("2026-03-{day:02}T{hour:02}:{minute:02}:00Z");
        let envelope = json!({"site": site, "title": generator.headline(), "text": format!("{text}\n\n{repeated}"),
            "published_at": (n % 5 > 0).then_some(published)});
        texts.push(text);
        envelopes.push(envelope.to_string());
    }
    Stream {
        envelopes,
        gold: None,
    }
}

fn from_file(path: &Path) -> Stream {
    let file = std::fs::File::open(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    #[expect(
        clippy::disallowed_types,
        reason = "a file of the developer's own choosing, read line by line"
    )]
    let reader: Box<dyn Read> = match path.extension() {
        Some(extension) if extension == "gz" => Box::new(flate2::read::GzDecoder::new(file)),
        _ => Box::new(file),
    };
    let (mut envelopes, mut gold) = (Vec::new(), Vec::new());
    for line in BufReader::new(reader).lines() {
        let article: Value = serde_json::from_str(&line.unwrap()).unwrap();
        gold.push(article["cluster"].as_i64().expect("cluster is a number"));
        let site = format!("host{}.example", article["host"]);
        // The number keeps two messages with one text apart.
        let record = json!({"site": site, "title": article["title"], "text": article["text"], "number": envelopes.len()});
        envelopes.push(record.to_string());
    }
    Stream {
        envelopes,
        gold: Some(gold),
    }
}

/// The stories of the pure library, without Kafka and Postgres: decode, clean, fingerprint, decide. Also how
/// many digests were found and stories merged.
fn by_library(envelopes: &[String]) -> (Vec<i64>, usize, usize) {
    // Every message is sent now.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
    let (mut digests, mut merges) = (0, 0);
    let cleaner = Cleaner::new(Rules::builtin(), Budget::default());
    let mut store = MemoryStore::default();
    for (envelope, offset) in envelopes.iter().zip(0..) {
        let message = Message {
            coordinates: Coordinates {
                source: TopicPartition {
                    topic: Topic::new("none"),
                    partition: Partition::new(0),
                },
                offset: Offset::new(offset),
            },
            timestamp: None,
            key: None,
            payload: Some(envelope.clone().into_bytes()),
            headers: Vec::new(),
        };
        let clean = cleaner
            .clean(&decode(&message, &Limits::default()).unwrap())
            .unwrap();
        let site = clean.metadata.site.as_ref().map(|s| s.value.clone());
        let fingerprint = fingerprint(&clean);
        let published = clean.metadata.published_at.as_ref();
        let article = Arriving {
            site: site.as_deref(),
            times: Times::believable(published.map(|t| t.value.instant().timestamp()), None, Some(now)),
            ..Arriving::of(&fingerprint)
        };
        let (_, decision) = store.insert(&article, &Params::default());
        digests += decision.digests.len() + usize::from(decision.digest);
        merges += decision.merges.len();
    }
    (store.stories().map(|s| s.0).collect(), digests, merges)
}

async fn by_pipeline(envelopes: &[String]) -> Vec<i64> {
    // One partition: the order of arrival is that of the stream.
    let pipeline = Pipeline::new("nearcopies", 1).await;
    for chunk in envelopes.chunks(5_000) {
        pipeline
            .topic
            .produce(chunk.iter().map(|e| Outgoing::value(e.clone())))
            .await;
    }
    pipeline.run_to_end();
    pipeline.assert_every_offset_once(envelopes.len() as i64).await;
    sqlx::query_scalar(
        "SELECT a.story_id FROM sightings s JOIN articles a USING (article_id) ORDER BY s.\"offset\"",
    )
    .fetch_all(&pipeline.db)
    .await
    .unwrap()
}

fn pairs(sizes: impl Iterator<Item = u64>) -> f64 {
    sizes.map(|n| (n * (n - 1) / 2) as f64).sum()
}

/// Precision, recall and adjusted Rand index over pairs of articles in one story.
fn agreement(gold: &[i64], got: &[i64]) -> (f64, f64, f64) {
    let count = |keys: Vec<(i64, i64)>| {
        let mut sizes: HashMap<(i64, i64), u64> = HashMap::new();
        for key in keys {
            *sizes.entry(key).or_default() += 1;
        }
        pairs(sizes.into_values())
    };
    let both = count(gold.iter().copied().zip(got.iter().copied()).collect());
    let in_gold = count(gold.iter().map(|g| (*g, 0)).collect());
    let in_got = count(got.iter().map(|g| (*g, 0)).collect());
    let expected = in_gold * in_got / pairs(std::iter::once(gold.len() as u64));
    let ari = (both - expected) / ((in_gold + in_got) / 2.0 - expected);
    (both / in_got, both / in_gold, ari)
}

#[tokio::test(flavor = "multi_thread")]
async fn pipeline_and_library_agree_on_the_stories() {
    let stream = match std::env::var_os("COPYDESK_NEAR_COPY_STREAM") {
        None => invented(),
        Some(path) => from_file(Path::new(&path)),
    };
    let (library, digests, merges) = by_library(&stream.envelopes);
    let pipeline = by_pipeline(&stream.envelopes).await;
    let (precision, recall, ari) = agreement(&library, &pipeline);
    println!("pipeline against library: precision {precision:.4} recall {recall:.4} ARI {ari:.4}");
    if let Some(gold) = &stream.gold {
        for (name, got) in [("library", &library), ("pipeline", &pipeline)] {
            let (precision, recall, ari) = agreement(gold, got);
            println!("{name} against gold: precision {precision:.4} recall {recall:.4} ARI {ari:.4}");
        }
    }
    println!("{digests} digests, {merges} merges");
    assert!(
        stream.gold.is_some() || digests > 10 && merges > 5,
        "the stream must have digests and ties in it: {digests}, {merges}"
    );
    let stories = |of: &[i64]| of.iter().collect::<std::collections::HashSet<_>>().len();
    assert!(
        stories(&library) < stream.envelopes.len(),
        "the stream must have copies in it"
    );
    assert!(ari > 0.999, "the pipeline decides like the library: ARI {ari}");
}
