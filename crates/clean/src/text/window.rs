//! The densest run of prose: where the article is in the text of a whole page.
//!
//! Every block gets a score: prose earns its words, anything else costs some. The article is the run of
//! blocks with the highest sum (the maximum-subsequence form of body text extraction).

use copydesk_article::RuleId;

use crate::draft::{Draft, End};
use crate::normalise::key;

const OUTSIDE_WINDOW: RuleId = RuleId::of("outside-window");

/// Whether a text is a whole page: many blocks, most of which are labels.
pub(crate) fn is_whole_page(drafts: &[Draft]) -> bool {
    let labels = drafts
        .iter()
        .filter(|d| !d.is_prose() && d.words <= 12 && d.end != End::Sentence)
        .count();
    drafts.len() >= 30 && labels * 10 >= drafts.len() * 5
}

/// Takes out every block outside the densest run. A line that repeats the title just before the run is
/// kept as its head.
pub(crate) fn keep_densest(drafts: &mut [Draft], title: Option<&str>) {
    let (mut best, mut best_range) = (0.0_f64, 0..drafts.len());
    let (mut sum, mut start) = (0.0_f64, 0);
    for (i, draft) in drafts.iter().enumerate() {
        if sum <= 0.0 {
            sum = 0.0;
            start = i;
        }
        sum += score(draft);
        if sum > best {
            best = sum;
            best_range = start..i + 1;
        }
    }
    let title = title.and_then(key);
    for (i, draft) in drafts.iter_mut().enumerate() {
        if !best_range.contains(&i) && (title.is_none() || title != Some(draft.key)) {
            draft.remove(&OUTSIDE_WINDOW, None);
        }
    }
}

fn score(draft: &Draft) -> f64 {
    let words = f64::from(u32::try_from(draft.words).unwrap_or(u32::MAX));
    match draft.end {
        End::Sentence if draft.words >= 8 => words,
        End::Colon if draft.words >= 10 => words,
        _ if draft.words >= 28 => words * 0.8,
        End::Sentence => 0.0,
        End::Ellipsis => -8.0,
        _ => -10.0,
    }
}
