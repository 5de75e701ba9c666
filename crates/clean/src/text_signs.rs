//! The signs that a block's text gives, wherever it stands.

use crate::draft::{Draft, End};
use crate::rules::Rules;
use crate::signs::{Sign, Signs};

/// Whether a block is a sentence that no single rule may take out.
pub(crate) fn reads_as_prose(draft: &Draft) -> bool {
    (draft.end == End::Sentence && draft.words >= 4) || draft.is_prose()
}

/// What the text itself says.
pub(crate) fn of_text(draft: &Draft, rules: &Rules) -> Signs {
    let mut signs = Signs::default();
    let text = draft.text.as_str();
    // Somebody else speaks to somebody.
    let reported = rules.weights.reports(draft.folded());
    let addresses = || !is_quoted(text) && rules.weights.addresses(text);
    signs.add_if(Sign::Address, !reported && addresses());
    signs.add_if(Sign::Request, !reported && rules.weights.requests(draft.folded()));
    signs.add_if(
        Sign::Contact,
        text.contains('@') || text.contains("http") || text.contains("www."),
    );
    signs.add_if(Sign::Label, begins_with_label(text));
    signs.add_if(Sign::Short, !reported && draft.words < 8);
    signs.add_if(Sign::Links, draft.chars > 0 && draft.linked * 2 >= draft.chars);
    signs
}

/// Whether a good part of a text stands in quotation marks: then it is somebody else who speaks to somebody.
fn is_quoted(text: &str) -> bool {
    let (mut all, mut within, mut open) = (0_usize, 0_usize, false);
    for c in text.chars() {
        all += 1;
        match c {
            '"' => open = !open,
            '“' | '„' | '«' | '「' | '『' if !open => open = true,
            '“' | '”' | '»' | '«' | '」' | '』' if open => open = false,
            _ => within += usize::from(open),
        }
    }
    within * 4 >= all && within > 0
}

/// One to four words and a colon: "Disclaimer: …".
fn begins_with_label(text: &str) -> bool {
    let Some((label, rest)) = text.split_once([':', '：']) else {
        return false;
    };
    !rest.trim().is_empty() && label.chars().count() <= 30 && label.split(' ').count() <= 4
}
