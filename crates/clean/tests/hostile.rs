//! Hostile pages: each ends in an article or in a reason, and takes no more memory than `Budget::peak_memory` says.
//!
//! A program of its own: what it measures is the memory of the whole process, to which its other test adds next to
//! nothing.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    missing_docs,
    reason = "test code: a panic with a clear message is how a test fails"
)]

use std::time::Duration;

use copydesk_article::{RawArticle, RawBody, Reason};
use copydesk_clean::{Budget, Cleaner, Rules};

// Without the rest of that crate, which brings in Kafka and Postgres.
#[allow(unreachable_pub, reason = "it is public where it belongs")]
#[path = "../../testkit/src/pages.rs"]
mod pages;

/// An eighth of the default budget, for pages of an eighth of the size.
fn budget(cpu_time: Duration) -> Budget {
    Budget {
        max_html_bytes: 1 << 20,
        max_nodes: 25_000,
        cpu_time,
        ..Budget::default()
    }
}

fn clean(page: String, cleaner: &Cleaner) -> Result<usize, Reason> {
    cleaner
        .clean(&RawArticle::from_body(RawBody::Html(page)))
        .map(|article| article.blocks.len())
        .map_err(|refused| refused.reason)
}

/// The most memory that this process had, in bytes. The kernel sums counters of several processors: a later answer may be
/// a few pages smaller.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap();
    let kilobytes: usize = line.trim().trim_end_matches(" kB").parse().unwrap();
    kilobytes << 10
}

#[test]
fn hostile_pages_end_within_their_budget() {
    let budget = budget(Duration::from_secs(2));
    let cleaner = Cleaner::new(Rules::builtin(), budget.clone());
    // The program and the rules.
    clean("<p>x</p>".to_owned(), &cleaner).unwrap_err();
    let before = peak();
    let mut reasons = Vec::new();
    for (name, make) in pages::PAGE_KINDS {
        let found = clean(make(300 << 10), &cleaner);
        let took = peak().saturating_sub(before);
        eprintln!("{name}: {found:?}, {} MiB so far", took >> 20);
        assert!(
            took <= budget.peak_memory(),
            "{name} took {} MiB, more than {}",
            took >> 20,
            budget.peak_memory() >> 20
        );
        reasons.extend(found.err());
    }
    // Pages that are just within every limit take the most. Time enough for a program that is not optimised.
    let cleaner = Cleaner::new(Rules::builtin(), self::budget(Duration::from_secs(60)));
    for (open, text) in [
        ("<p>", "word ".repeat(12)),
        ("<p class=\"x y\" id=\"abcdefghijk\">", "w x y z ".to_owned()),
    ] {
        let json = format!(
            "<script type=application/ld+json>[{}0]</script>",
            "{\"\":0},".repeat(16_000)
        );
        // A body of a few words is none.
        let lead = format!("<p>{}.</p>", "word ".repeat(40));
        let page = format!(
            "<html><body>{json}{lead}{}",
            format!("{open}{text}").repeat(12_000)
        );
        let blocks = clean(page, &cleaner).unwrap();
        assert!(blocks > 10_000, "{blocks}");
        let took = peak().saturating_sub(before);
        eprintln!("within every limit: {} MiB so far", took >> 20);
        assert!(took <= budget.peak_memory(), "{} MiB", took >> 20);
    }
    for reason in [Reason::TooManyNodes, Reason::TooDeep] {
        assert!(reasons.contains(&reason), "{reason}");
    }
}

/// With no time left, no kind is cleaned: parsing asks for the time, wherever it is.
#[test]
fn every_kind_looks_at_the_clock() {
    let hasty = Budget {
        cpu_time: Duration::ZERO,
        ..Budget::default()
    };
    let hasty = Cleaner::new(Rules::builtin(), hasty);
    for (name, make) in pages::PAGE_KINDS {
        assert_eq!(clean(make(20_000), &hasty), Err(Reason::TooSlow), "{name}");
    }
}
