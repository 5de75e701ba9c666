//! Any bytes as a page: cleaning neither panics nor makes text up.
#![no_main]

use std::sync::LazyLock;

use copydesk_article::{RawArticle, RawBody};
use copydesk_clean::{Budget, Cleaner, Rules};
use libfuzzer_sys::fuzz_target;

static CLEANER: LazyLock<Cleaner> = LazyLock::new(|| Cleaner::new(Rules::builtin(), Budget::default()));

fuzz_target!(|data: &[u8]| {
    let html = String::from_utf8_lossy(data).into_owned();
    let most = 3 * html.len() + 200;
    let mut raw = RawArticle::from_body(RawBody::Html(html));
    raw.url = Some("https://www.brenmarkpost.example/2026/03/20/harbour".to_owned());
    if let Ok(clean) = CLEANER.clean(&raw) {
        assert!(clean.blocks.iter().map(|b| b.text.len()).sum::<usize>() <= most);
        assert!(clean.blocks.iter().all(|b| !b.text.is_empty() && !b.text.contains('\0')));
    }
});
