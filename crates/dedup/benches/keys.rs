//! Speed of the near-copy library on one core, beside gaoya in the same run.
//!
//!     cargo bench -p copydesk-dedup --bench keys
//!
//! Articles are made here: 3 KB of ASCII, words drawn as unevenly as in a language. `keys` is the way from the text to
//! the fingerprint with its index keys; `gaoya` does what its README does, with 4-word shingles: text to MinHash
//! signature. The two `index` benches add query and insertion. Look at the item rate: articles a second.

use std::cell::RefCell;

use copydesk_dedup::memory::{Arriving, MemoryStore};
use copydesk_dedup::{Fingerprinter, Params, fingerprint_parts};
use divan::counter::{BytesCount, ItemsCount};
use gaoya::minhash::{MinHashIndex, MinHasher, MinHasher32};
use gaoya::text::{shingle_tokens, whitespace_split};

/// Articles in the pool: more than the caches hold.
const POOL: usize = 2_000;
/// What gaoya needs to find copies at J 0.42, the lowest threshold at which it is of use here.
const BANDS: (usize, usize, f64) = (32, 4, 0.42);

fn main() {
    divan::main();
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> usize {
        (self.next() % n) as usize
    }
}

fn vocabulary(random: &mut Random) -> Vec<String> {
    const LETTERS: &[u8] = b"etaoinshrdlucmfwypvbgk";
    (0..20_000)
        .map(|rank| {
            // Frequent words are short, as everywhere.
            let length = 2 + random.below(2 + (u64::from(rank > 30) * 4) + (u64::from(rank > 500) * 3));
            (0..length)
                .map(|_| char::from(LETTERS[random.below(LETTERS.len() as u64)]))
                .collect()
        })
        .collect()
}

/// Articles of 3 KB as lists of paragraphs.
fn articles(count: usize) -> Vec<Vec<String>> {
    let mut random = Random(7);
    let words = vocabulary(&mut random);
    (0..count)
        .map(|_| {
            let mut paragraphs = Vec::new();
            let mut length = 0;
            while length < 2_980 {
                let mut paragraph = String::new();
                for _ in 0..2 + random.below(2) {
                    sentence(&words, &mut random, &mut paragraph);
                }
                length += paragraph.len() + 1;
                paragraphs.push(paragraph);
            }
            paragraphs
        })
        .collect()
}

fn sentence(words: &[String], random: &mut Random, out: &mut String) {
    for at in 0..12 + random.below(14) {
        if !out.is_empty() {
            out.push(' ');
        }
        // Log-uniform ranks: Zipf's law.
        let rank = (words.len() as f64).powf(random.below(1 << 20) as f64 / f64::from(1 << 20)) as usize - 1;
        if random.below(40) == 0 {
            out.push_str(&random.below(3_000).to_string());
            continue;
        }
        let word = &words[rank];
        if at == 0 || random.below(12) == 0 {
            out.push(char::from(word.as_bytes()[0].to_ascii_uppercase()));
            out.extend(word.chars().skip(1));
        } else {
            out.push_str(word);
        }
        if random.below(15) == 0 {
            out.push(',');
        }
    }
    out.push('.');
}

fn bytes(articles: &[Vec<String>]) -> usize {
    articles.iter().flatten().map(String::len).sum()
}

/// Runs `each` over the pool; the rates are for single articles.
fn over_pool<T>(bencher: divan::Bencher<'_, '_>, mut each: impl FnMut(&[String]) -> T) {
    let pool = articles(POOL);
    bencher
        .counter(ItemsCount::new(POOL))
        .counter(BytesCount::new(bytes(&pool)))
        .bench_local(|| {
            for article in &pool {
                divan::black_box(each(article));
            }
        });
}

#[divan::bench(sample_count = 30)]
fn keys(bencher: divan::Bencher<'_, '_>) {
    let mut fingerprinter = Fingerprinter::default();
    over_pool(bencher, |article| {
        fingerprinter.fingerprint(None, article.iter().map(String::as_str))
    });
}

fn signature(hasher: &impl MinHasher<V = u32>, article: &[String]) -> Vec<u32> {
    let text = article.join("\n").to_lowercase();
    let words: Vec<&str> = whitespace_split(&text).collect();
    hasher.create_signature(shingle_tokens(&words, 4))
}

#[divan::bench(sample_count = 5)]
fn gaoya_signature(bencher: divan::Bencher<'_, '_>) {
    let hasher = MinHasher32::new(BANDS.0 * BANDS.1);
    over_pool(bencher, |article| signature(&hasher, article));
}

/// Text to decision, with query, verification and insertion; every sample begins with an empty store.
#[divan::bench(sample_count = 10)]
fn index(bencher: divan::Bencher<'_, '_>) {
    let pool = articles(POOL);
    bencher
        .counter(ItemsCount::new(POOL))
        .with_inputs(MemoryStore::default)
        .bench_local_values(|mut store| {
            for article in &pool {
                let fingerprint = fingerprint_parts(None, article.iter().map(String::as_str));
                divan::black_box(store.insert(&Arriving::of(&fingerprint), &Params::default()));
            }
            store
        });
}

#[divan::bench(sample_count = 3)]
fn gaoya_index(bencher: divan::Bencher<'_, '_>) {
    let pool = articles(POOL);
    let hasher = MinHasher32::new(BANDS.0 * BANDS.1);
    bencher
        .counter(ItemsCount::new(POOL))
        .with_inputs(|| RefCell::new(MinHashIndex::<u32, usize>::new(BANDS.0, BANDS.1, BANDS.2)))
        .bench_local_values(|index| {
            for (id, article) in pool.iter().enumerate() {
                let signature = signature(&hasher, article);
                divan::black_box(index.borrow().query_owned(&signature));
                index.borrow_mut().insert(id, signature);
            }
            index
        });
}
