//! Texts and fingerprints for the tests.
#![allow(dead_code, clippy::unwrap_used, reason = "shared by several test programs")]

use copydesk_article::{ArticleId, Fingerprint, StoryId};
use copydesk_dedup::{Candidate, Subject, Times, fingerprint_parts};
use proptest::prelude::*;

/// A sentence of 12 to 20 made-up words; equal numbers give equal sentences.
pub(crate) fn sentence(number: u64) -> String {
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(99);
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    let words: Vec<String> = (0..12 + next() % 9)
        .map(|_| {
            let syllables = 2 + next() % 3;
            (0..syllables)
                .map(|_| {
                    let of = |letters: &str, n: u64| letters.chars().nth(n as usize % letters.len()).unwrap();
                    format!("{}{}", of("bdfgklmnprstvz", next()), of("aeiou", next()))
                })
                .collect()
        })
        .collect();
    format!("{}.", words.join(" "))
}

/// A paragraph of three sentences.
pub(crate) fn paragraph(number: u64) -> String {
    (0..3)
        .map(|i| sentence(number * 3 + i))
        .collect::<Vec<_>>()
        .join(" ")
}

pub(crate) fn paragraphs(numbers: impl IntoIterator<Item = u64>) -> Vec<String> {
    numbers.into_iter().map(paragraph).collect()
}

pub(crate) fn print(title: Option<&str>, paragraphs: &[String]) -> Fingerprint {
    fingerprint_parts(title, paragraphs.iter().map(String::as_str))
}

/// Articles of 1 to 8 paragraphs out of 40, so that they share some, with titles out of a few words.
pub(crate) fn article() -> impl Strategy<Value = (Option<String>, Vec<String>)> {
    (
        prop::option::of("(harbour|vote|storm|strike|trial)( (opens|ends|grows|fails)){0,2}"),
        prop::collection::vec(0..40_u64, 1..8).prop_map(paragraphs),
    )
}

/// An article of which nothing but the text is known.
pub(crate) fn subject(id: i64, fingerprint: &Fingerprint) -> Subject<'_> {
    Subject {
        id: ArticleId(id),
        site: None,
        url_hash: None,
        times: Times::default(),
        fingerprint,
    }
}

/// An older article that founded a story.
pub(crate) fn candidate(id: i64, fingerprint: &Fingerprint) -> Candidate<'_> {
    Candidate {
        id: ArticleId(id),
        story: StoryId(id),
        site: None,
        url_hash: None,
        times: Times::default(),
        fingerprint,
        link: None,
        digest: false,
        excerpts: &[],
        copies: &[],
    }
}
