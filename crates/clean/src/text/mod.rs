//! Text mode: text that somebody already took out of its page.
//!
//! Segments, finds the headline and what stands around it, takes out what the rules know (by phrase *and*
//! position), sorts out captions, credits and repeats, and, only where the text is a whole page, looks for
//! the densest run of prose. The line rules are shared with the HTML side.

mod author_note;
mod captions;
mod counters;
mod cut_marks;
mod head;
mod markers;
mod repeats;
mod segment;
mod surroundings;
mod window;

pub(crate) use author_note::remove_author_notes;
use captions::settle_captions;
pub(crate) use cut_marks::{part_ellipsis, set_apart};
pub(crate) use head::{Head, scan};
use head::{read_byline, read_head};
use markers::apply_rules;
use repeats::remove_repeats;
pub(crate) use segment::{TooManyLines, segment};
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

/// Applies the line rules until they find nothing more: what is the head or the tail depends on what is left,
/// so that a text that was cleaned once is clean.
pub(crate) fn settle(drafts: &mut [Draft], rules: &Rules, head: &mut Head) {
    let count = |drafts: &[Draft]| drafts.iter().filter(|d| d.is_kept() && d.kind.is_body()).count();
    let mut left = count(drafts);
    for _ in 0..MOST_ROUNDS {
        settle_captions(drafts, rules);
        read_byline(drafts, rules, head);
        apply_rules(drafts, rules);
        remove_repeats(drafts);
        let now = count(drafts);
        if now == left {
            break;
        }
        left = now;
    }
}

/// Each round takes out a line at least; more than a few are the work of somebody who wants them.
const MOST_ROUNDS: usize = 8;

/// Cleans scraped text. `title` is the title that the producer gave, if any.
///
/// # Errors
/// The text has more than `most` lines.
pub(crate) fn clean_text(
    text: &str,
    title: Option<&str>,
    rules: &Rules,
    most: usize,
) -> Result<TextResult, TooManyLines> {
    let (mut drafts, sentences) = segment(text, most)?;
    let mut warnings = Vec::new();
    let mut headline = None;
    let whole_page = window::is_whole_page(&drafts, rules);
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
    if sentences {
        markers::cut_glued_tail(&mut drafts, rules);
    }
    settle(&mut drafts, rules, &mut head);
    if sentences {
        drafts = segment::join_sentences(drafts);
    }
    Ok(TextResult {
        drafts,
        head,
        warnings,
    })
}
