//! docs/near-copies.md and the code say the same.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

use copydesk_article::Relation;
use copydesk_dedup::evidence::SAMPLE_ABOVE;
use copydesk_dedup::versions::URL_REUSED_BELOW;
use copydesk_dedup::{
    COMMON_FROM, COPIES, EXCERPTS, FINGERPRINT_VERSION, FIRST_STRETCH, LEAD_WORDS, LinkReason, MAX_SHINGLES,
    MIN_SHINGLES, PART_FROM, Params, RECENTS, RULE_VERSION, Refusal, SHINGLE_CHARACTERS, SHINGLE_KEYS,
    SHINGLE_WORDS, Sign, Weights,
};

const DOCUMENT: &str = include_str!("../../../docs/near-copies.md");

/// The first cells, without their backticks, of the table under a heading.
fn first_cells(heading: &str) -> Vec<&'static str> {
    DOCUMENT
        .lines()
        .skip_while(|line| *line != heading)
        .skip(1)
        .take_while(|line| !line.starts_with("## "))
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(cell, _)| cell)
        .collect()
}

#[test]
fn every_reason_refusal_and_sign_is_documented_in_order_and_nothing_else_is() {
    let reasons: Vec<_> = LinkReason::ALL.iter().map(|r| r.as_str()).collect();
    assert_eq!(first_cells("## Reasons for a link"), reasons);
    let refusals: Vec<_> = Refusal::ALL.iter().map(|r| r.as_str()).collect();
    assert_eq!(first_cells("## Reasons for a refusal"), refusals);
    let signs: Vec<_> = Sign::ALL.iter().map(|s| s.as_str()).collect();
    assert_eq!(first_cells("## Signs"), signs);
    // `ALL` cannot be short of a value: they are numbered in its order.
    assert!(Refusal::ALL.iter().enumerate().all(|(n, r)| *r as usize == n));
    assert_eq!(Refusal::NotBest as usize + 1, Refusal::ALL.len());
    assert_eq!(LinkReason::Weighed as usize + 1, LinkReason::ALL.len());
    let relations: Vec<_> = Relation::ALL.iter().map(|r| r.as_str()).collect();
    assert_eq!(first_cells("## Relations"), relations);
}

#[test]
fn every_threshold_is_documented_with_its_value() {
    let Params {
        least_shared,
        least_contained,
        site_repeats,
        same_title,
        min_siblings,
        relink_containment,
        weights: _,
        common: _,
    } = Params::default();
    let expected = [
        ("site_repeats", site_repeats as f64),
        ("same_title", same_title),
        ("least_shared", f64::from(least_shared)),
        ("least_contained", least_contained),
        ("min_siblings", min_siblings as f64),
        ("relink_containment", relink_containment),
        ("RECENTS", RECENTS as f64),
        ("EXCERPTS", EXCERPTS as f64),
        ("COPIES", COPIES as f64),
        ("PART_FROM", PART_FROM),
        ("SHINGLE_WORDS", SHINGLE_WORDS as f64),
        ("SHINGLE_CHARACTERS", SHINGLE_CHARACTERS as f64),
        ("SHINGLE_KEYS", SHINGLE_KEYS as f64),
        ("FIRST_STRETCH", FIRST_STRETCH as f64),
        ("MIN_SHINGLES", MIN_SHINGLES as f64),
        ("MAX_SHINGLES", MAX_SHINGLES as f64),
        ("LEAD_WORDS", LEAD_WORDS as f64),
        ("URL_REUSED_BELOW", URL_REUSED_BELOW),
        ("COMMON_FROM", f64::from(COMMON_FROM)),
        ("SAMPLE_ABOVE", SAMPLE_ABOVE as f64),
        ("FINGERPRINT_VERSION", f64::from(FINGERPRINT_VERSION.0)),
        ("RULE_VERSION", f64::from(RULE_VERSION)),
        ("weights", f64::from(Weights::in_use().version)),
    ];
    let rows: Vec<(&str, f64)> = DOCUMENT
        .lines()
        .skip_while(|line| *line != "## Thresholds")
        .skip(1)
        .take_while(|line| !line.starts_with("## "))
        .filter_map(|line| {
            let (name, rest) = line.strip_prefix("| `")?.split_once("` | ")?;
            Some((name, rest.split(" |").next()?.parse().unwrap()))
        })
        .collect();
    assert_eq!(rows, expected);
}
