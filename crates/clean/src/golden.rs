//! Golden tests: pages and texts of our own writing, one for each shape that cleaning must hold for.

use super::*;
use copydesk_article::BlockKind;

// The paragraphs of one article, for pages of different kinds.
const LEAD: &str =
    "The weir of Halmark will be closed to all boats from Monday after divers found cracks in two gates.";
const ONE: &str =
    "Repairs are expected to take nine weeks, the water board told the council on Thursday evening.";
const TWO: &str =
    "Barges on the northern canal will use the old lock, which adds forty minutes to their journey.";
const THREE: &str =
    "Traders on the quay said they had been given too little warning by the board and the council.";

/// Rules take a while to compile: once is enough.
fn cleaner() -> &'static Cleaner {
    static CLEANER: std::sync::OnceLock<Cleaner> = std::sync::OnceLock::new();
    CLEANER.get_or_init(|| Cleaner::new(Rules::builtin(), Budget::default()))
}

fn text(body: &str) -> CleanArticle {
    cleaner()
        .clean(&RawArticle::from_body(RawBody::Text(body.to_owned())))
        .unwrap()
}

fn html(page: &str) -> CleanArticle {
    let mut raw = RawArticle::from_body(RawBody::Html(page.to_owned()));
    raw.url = Some("https://www.brenmarkpost.example/news/2026/03/20/harbour".to_owned());
    cleaner().clean(&raw).unwrap()
}

/// The day on which it says that it was published.
fn day(clean: &CleanArticle) -> Option<String> {
    clean
        .metadata
        .published_at
        .as_ref()
        .map(|t| t.value.local_day().to_string())
}

fn rule_of<'a>(clean: &'a CleanArticle, text: &str) -> &'a str {
    clean
        .removed()
        .find(|(_, b, _)| b.text.contains(text))
        .map_or("kept or lost", |(.., r)| r.rule.as_str())
}

mod authors;
mod challenge;
mod complaints;
mod dates;
mod documented;
mod invented;
mod kinds;
mod languages;
mod markup;
mod pieces;
mod properties;
mod rules;
mod samples;
mod seed;
mod signs;
mod whole_page;
