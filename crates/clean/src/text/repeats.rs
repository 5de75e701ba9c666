//! Lines that say again what another line said.

use std::collections::HashMap;

use copydesk_article::{BlockKind, RuleId};

use crate::draft::Draft;

const REPEATED_LINE: RuleId = RuleId::of("repeated-line");
const REPEATED_TITLE: RuleId = RuleId::of("repeated-title");

/// Takes out blocks whose letters and digits were seen before: the first stays. Very short lines may
/// repeat in lists and interviews ("No.", a speaker's name), so they count only next to each other.
pub(crate) fn remove_repeats(drafts: &mut [Draft]) {
    let mut seen: HashMap<u64, BlockKind> = HashMap::with_capacity(drafts.len());
    let (mut kept, mut again) = (0, 0);
    for draft in drafts.iter().filter(|d| d.is_kept() && d.key != 0) {
        kept += 1;
        again += usize::from(seen.insert(draft.key, draft.kind).is_some());
    }
    // A text that repeats itself throughout is made so: recipes, tables of results.
    let made_so = again * 5 > kept && again >= 5;
    seen.clear();
    let mut previous = 0;
    for draft in drafts.iter_mut() {
        if !draft.is_kept() || draft.key == 0 {
            continue;
        }
        let short = draft.words < 6;
        if short {
            if draft.key == previous {
                draft.remove(&REPEATED_LINE, None);
                continue;
            }
            if seen.get(&draft.key) == Some(&BlockKind::Headline) {
                draft.remove(&REPEATED_TITLE, None);
                continue;
            }
        }
        previous = draft.key;
        match seen.get(&draft.key) {
            Some(BlockKind::Headline) => draft.remove(&REPEATED_TITLE, None),
            Some(_) if !short && !made_so => draft.remove(&REPEATED_LINE, None),
            Some(_) => {}
            None => {
                seen.insert(draft.key, draft.kind);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_a_repeat_stays() {
        let line = "Two tugs were standing by to pull the ferry clear at high water.";
        let mut drafts: Vec<Draft> = [line, "No.", "Why?", "No.", "No.", line]
            .iter()
            .map(|l| Draft::new(BlockKind::Body, (*l).to_owned()))
            .collect();
        remove_repeats(&mut drafts);
        let kept: Vec<bool> = drafts.iter().map(Draft::is_kept).collect();
        assert_eq!(kept, [true, true, true, true, false, false]);
    }
}
