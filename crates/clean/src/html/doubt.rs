//! The second opinion: engines are asked only where the page leaves it open which of its parts is the
//! article. They are slower than everything else together, and right more often than a guess.

use copydesk_article::RuleId;

use super::engine::{self, Engine, Outcome, Smoothie, Trafilatura};
use super::page::Page;
use super::select::Region;
use super::votes::{MOST_BLOCKS, Voter};
use crate::budget::Clock;

const ENGINES_LEFT_OUT: RuleId = RuleId::of("engines-left-out");

/// A region with less than this share of the page's prose is in doubt.
const LOW_SHARE: f64 = 0.5;
/// So is one with fewer words of prose.
const LOW_WEIGHT: f64 = 60.0;
/// The longest page that engines are given, in bytes.
const LONGEST: usize = 2 << 20;
/// An engine agrees if it kept this share of the words that we kept.
const AGREE: f64 = 0.5;

/// Asks the engines where the region is in doubt. Where both of them hold another text for the article, and
/// agree on it, theirs is taken.
pub(crate) fn ask_engines(
    page: &mut Page,
    region: Region,
    html: &str,
    clock: &Clock,
    warnings: &mut Vec<String>,
) {
    if region.share >= LOW_SHARE && region.weight >= LOW_WEIGHT {
        return;
    }
    // Engines cannot be interrupted: what they are given bounds what they take.
    if html.len() > LONGEST || page.blocks.len() > MOST_BLOCKS {
        warnings.push("engine-budget".to_owned());
        return;
    }
    let mut voters = Vec::new();
    for engine in [&Smoothie as &dyn Engine, &Trafilatura] {
        if clock.is_over() {
            warnings.push("engine-budget".to_owned());
            return;
        }
        match engine::run(engine, html) {
            Outcome::Text(text) => voters.push(Voter::new(&text)),
            Outcome::Nothing => {}
            Outcome::Panicked => warnings.push(format!("engine-panic-{}", engine.name())),
        }
        // The quick engine agrees: no need for the slow one.
        if voters.last().is_some_and(|v| agreement(page, v) >= AGREE) {
            return;
        }
    }
    if voters.len() < 2 {
        return;
    }
    for block in &mut page.blocks {
        let d = &mut block.draft;
        let both = voters.iter().all(|v| v.share(&d.text) >= 0.6);
        let one = voters.iter().any(|v| v.share(&d.text) >= 0.3);
        if both && d.words >= 4 && !d.is_kept() {
            d.removed = None;
            d.kind = super::page::kind_of(block.tag, block.flags, d.chars);
        } else if !one && d.is_kept() && d.kind.is_body() {
            d.remove(&ENGINES_LEFT_OUT, None);
        }
    }
    warnings.push("engines-decided".to_owned());
}

/// The share of the kept words that an engine kept as well.
fn agreement(page: &Page, voter: &Voter) -> f64 {
    let (mut ours, mut both) = (0.0, 0.0);
    for block in &page.blocks {
        let d = &block.draft;
        if d.is_kept() && d.kind.is_body() {
            let words = f64::from(u32::try_from(d.words).unwrap_or(0));
            ours += words;
            both += words * f64::from(voter.share(&d.text));
        }
    }
    if ours > 0.0 { both / ours } else { 0.0 }
}
