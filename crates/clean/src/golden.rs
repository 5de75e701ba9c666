//! Golden tests: pages and texts of our own writing, one for each shape that cleaning must hold for.

use super::*;
use copydesk_article::BlockKind;

fn cleaner() -> Cleaner {
    Cleaner::new(Rules::builtin(), Budget::default())
}

fn text(body: &str) -> CleanArticle {
    cleaner()
        .clean(&RawArticle::from_body(RawBody::Text(body.to_owned())))
        .unwrap()
}

mod seed;
