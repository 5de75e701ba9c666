//! Each stage on its own, one core: decode, clean a page, clean a text, fingerprint, decide.
//!
//!     cargo bench -p copydesk-stages --bench stages [NAME]
//!
//! The item rate is articles or pages a second. The corpus is `lib.rs`; the pages of ../shared/corpus are
//! measured as well where that folder is there. What flushing costs: `--bench store`. The whole way:
//! `make bench`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::disallowed_types,
    reason = "a bench stops where something is wrong"
)]

use std::io::BufRead as _;
use std::sync::LazyLock;

use copydesk_allocator as _;
use copydesk_article::{CleanArticle, Message, RawArticle, RawBody};
use copydesk_clean::{Budget, Cleaner, Rules};
use copydesk_decode::{Limits, decode};
use copydesk_stages::{DecisionInput, decoded, pages, texts};
use divan::counter::{BytesCount, ItemsCount};

static CLEANER: LazyLock<Cleaner> = LazyLock::new(|| Cleaner::new(Rules::builtin(), Budget::default()));

fn main() {
    divan::main();
}

fn each<T>(bencher: divan::Bencher<'_, '_>, items: &[T], bytes: usize, work: impl Fn(&T) + Sync) {
    bencher
        .counter(ItemsCount::new(items.len()))
        .counter(BytesCount::new(bytes))
        .bench_local(|| {
            for item in items {
                work(divan::black_box(item));
            }
        });
}

fn size(raw: &[RawArticle]) -> usize {
    raw.iter().map(|r| r.body.as_str().len()).sum()
}

fn clean(raw: &RawArticle) -> CleanArticle {
    CLEANER.clean(raw).expect("it reads as an article")
}

fn decode_all(bencher: divan::Bencher<'_, '_>, messages: &[Message]) {
    let limits = Limits::default();
    let payloads = messages.iter().filter_map(|m| m.payload.as_ref());
    each(bencher, messages, payloads.map(Vec::len).sum(), |m| {
        divan::black_box(decode(m, &limits).is_ok());
    });
}

#[divan::bench(sample_count = 20)]
fn a_decode_text(bencher: divan::Bencher<'_, '_>) {
    decode_all(bencher, &texts(500));
}

#[divan::bench(sample_count = 20)]
fn a_decode_page_100_kb(bencher: divan::Bencher<'_, '_>) {
    decode_all(bencher, &pages(50, 100_000));
}

#[divan::bench(sample_count = 20)]
fn b_clean_text(bencher: divan::Bencher<'_, '_>) {
    let raw = decoded(&texts(500));
    each(bencher, &raw, size(&raw), |r| {
        divan::black_box(clean(r));
    });
}

#[divan::bench(sample_count = 20)]
fn b_clean_and_fingerprint_text(bencher: divan::Bencher<'_, '_>) {
    let raw = decoded(&texts(500));
    each(bencher, &raw, size(&raw), |r| {
        divan::black_box(copydesk_dedup::fingerprint(&clean(r)));
    });
}

#[divan::bench(sample_count = 10)]
fn b_clean_page_100_kb(bencher: divan::Bencher<'_, '_>) {
    let raw = decoded(&pages(50, 100_000));
    each(bencher, &raw, size(&raw), |r| {
        divan::black_box(clean(r));
    });
}

#[divan::bench(sample_count = 10)]
fn b_clean_page_235_kb(bencher: divan::Bencher<'_, '_>) {
    let raw = decoded(&pages(30, 235_000));
    each(bencher, &raw, size(&raw), |r| {
        divan::black_box(clean(r));
    });
}

/// Pages of the corpus beside the project, if it is there.
fn real(file: &str) -> Vec<RawArticle> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/corpus/pages")
        .join(file);
    let Ok(file) = std::fs::File::open(&path) else {
        eprintln!("the corpus beside the project is not there: nothing measured");
        return Vec::new();
    };
    std::io::BufReader::new(flate2::read::GzDecoder::new(file))
        .lines()
        .map(|line| {
            let page: serde_json::Value = serde_json::from_str(&line.expect("a line")).expect("JSON");
            let body = match (&page["html"], &page["text"]) {
                (serde_json::Value::String(html), _) => RawBody::Html(html.clone()),
                (_, text) => RawBody::Text(text.as_str().unwrap_or_default().to_owned()),
            };
            let mut raw = RawArticle::from_body(body);
            raw.url = page["url"].as_str().map(str::to_owned);
            raw
        })
        .collect()
}

#[divan::bench(args = ["fundus.jsonl.gz", "zyte.jsonl.gz", "page-text.jsonl.gz"], sample_count = 5, sample_size = 1)]
fn c_clean_real(bencher: divan::Bencher<'_, '_>, file: &str) {
    let raw = real(file);
    each(bencher, &raw, size(&raw), |r| {
        divan::black_box(CLEANER.clean(r).is_ok());
    });
}

#[divan::bench(sample_count = 20)]
fn d_fingerprint(bencher: divan::Bencher<'_, '_>) {
    let clean: Vec<CleanArticle> = decoded(&texts(500)).iter().map(clean).collect();
    let bytes = clean.iter().map(|c| c.body().len()).sum();
    each(bencher, &clean, bytes, |c| {
        divan::black_box(copydesk_dedup::fingerprint(c));
    });
}

#[divan::bench(sample_count = 20)]
fn d_block_keys_of_text(bencher: divan::Bencher<'_, '_>) {
    block_keys(bencher, &texts(500));
}

#[divan::bench(sample_count = 20)]
fn d_block_keys_of_page_100_kb(bencher: divan::Bencher<'_, '_>) {
    block_keys(bencher, &pages(50, 100_000));
}

/// What site memory knows the blocks by.
fn block_keys(bencher: divan::Bencher<'_, '_>, messages: &[Message]) {
    let clean: Vec<CleanArticle> = decoded(messages).iter().map(clean).collect();
    let blocks = clean.iter().flat_map(|c| &c.blocks);
    let bytes = blocks.map(|b| b.text.len()).sum();
    each(bencher, &clean, bytes, |c| {
        divan::black_box(copydesk_site::BlockKeys::of(c));
    });
}

/// An article with four candidates, one of which is its original, and twenty recent articles of its site.
#[divan::bench(sample_count = 20)]
fn e_decide(bencher: divan::Bencher<'_, '_>) {
    DecisionInput::default().with(|decide| {
        assert!(decide().link.is_some());
        bencher
            .counter(ItemsCount::new(1_usize))
            .bench_local(|| divan::black_box(decide()));
    });
}
