//! Text mode: text that somebody already took out of its page.
//!
//! Segments, finds the headline and what stands around it, takes out what the rules know (by phrase *and*
//! position), sorts out captions, credits and repeats, and, only where the text is a whole page, looks for
//! the densest run of prose. The line rules are shared with the HTML side.

mod captions;
mod head;
mod markers;
mod repeats;
mod segment;
mod window;

pub(crate) use captions::settle_captions;
pub(crate) use head::{Head, read_byline, read_head, scan};
pub(crate) use markers::apply_rules;
pub(crate) use repeats::remove_repeats;
pub(crate) use segment::segment;
use window::keep_densest;

use crate::draft::Draft;
use crate::rules::Rules;

/// What text mode found.
#[derive(Debug)]
pub(crate) struct TextResult {
    pub(crate) drafts: Vec<Draft>,
    pub(crate) head: Head,
    pub(crate) warnings: Vec<&'static str>,
}

/// Cleans scraped text. `title` is the title that the producer gave, if any.
pub(crate) fn clean_text(text: &str, title: Option<&str>, rules: &Rules) -> TextResult {
    let (mut drafts, sentences) = segment(text);
    let mut warnings = Vec::new();
    let mut headline = None;
    let whole_page = window::is_whole_page(&drafts);
    if whole_page {
        warnings.push("whole-page-text");
        headline = keep_densest(&mut drafts, title, rules);
    }
    let mut head = read_head(&mut drafts, headline.as_deref().or(title), rules);
    if whole_page {
        head.title = head.title.or(headline);
        let first = drafts
            .iter()
            .position(|d| d.is_kept() && d.is_prose())
            .unwrap_or(0);
        let from = drafts
            .iter()
            .position(|d| d.kind == copydesk_article::BlockKind::Headline)
            .map_or(first, |h| h.saturating_sub(2))
            .min(first);
        scan(
            drafts
                .iter()
                .take(first + 3)
                .skip(from.max(first.saturating_sub(30))),
            rules,
            &mut head,
        );
    }
    settle_captions(&mut drafts, rules);
    apply_rules(&mut drafts, rules);
    remove_repeats(&mut drafts);
    if sentences {
        drafts = segment::join_sentences(drafts);
    }
    TextResult {
        drafts,
        head,
        warnings,
    }
}
